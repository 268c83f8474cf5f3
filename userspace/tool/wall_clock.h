/* SPDX-License-Identifier: MIT */
/* What time it is. */
#ifndef MREGION_TOOL_WALL_CLOCK_H
#define MREGION_TOOL_WALL_CLOCK_H

#include <stdbool.h>
#include <time.h>

#define WALL_CLOCK_SIZE	64

/**
 * wall_clock() - the time as text, to the microsecond
 * @date: the date, too
 *
 * With -j that is in UTC, and always with a date.
 */
const char *wall_clock(char text[WALL_CLOCK_SIZE], bool date);

/** wall_clock_at() - the same of a time by CLOCK_MONOTONIC */
const char *wall_clock_at(char text[WALL_CLOCK_SIZE], bool date,
			  const struct timespec *monotonic);

/** wall_clock_seconds() - seconds since some time in the past, ever more */
double wall_clock_seconds(void);

#endif
