// SPDX-License-Identifier: MIT
/* What time it is. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool.h"
#include "wall_clock.h"

#define DATE	"%Y-%m-%dT"
#define TIME	"%H:%M:%S"

#define NS_PER_S	1000000000LL

/* A difference below this is one of looking at two clocks. */
#define SAME_NS		1000000

static const char *to_text(char text[WALL_CLOCK_SIZE], bool date,
			   const struct timespec *time)
{
	struct tm tm;
	size_t len;

	if (tool_json)
		gmtime_r(&time->tv_sec, &tm);
	else
		localtime_r(&time->tv_sec, &tm);
	len = strftime(text, WALL_CLOCK_SIZE,
		       tool_json || date ? DATE TIME : TIME, &tm);
	snprintf(text + len, WALL_CLOCK_SIZE - len, ".%06ld%s",
		 time->tv_nsec / 1000, tool_json ? "Z" : "");
	return text;
}

const char *wall_clock(char text[WALL_CLOCK_SIZE], bool date)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return to_text(text, date, &now);
}

static long long ns_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* A clock that is set, or a machine that slept, makes another difference. */
static long long wall_clock_minus_monotonic(void)
{
	static long long kept;
	long long now = ns_of(CLOCK_REALTIME) - ns_of(CLOCK_MONOTONIC);

	if (now < kept - SAME_NS || now > kept + SAME_NS)
		kept = now;
	return kept;
}

const char *wall_clock_at(char text[WALL_CLOCK_SIZE], bool date,
			  const struct timespec *monotonic)
{
	long long ns = monotonic->tv_sec * NS_PER_S + monotonic->tv_nsec +
		       wall_clock_minus_monotonic();
	const struct timespec time = { ns / NS_PER_S, ns % NS_PER_S };

	return to_text(text, date, &time);
}

double wall_clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}
