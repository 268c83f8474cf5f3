/* SPDX-License-Identifier: MIT */
/* What --stats prints */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include <stdio.h>

struct machine;
struct screen_counts;

/**
 * stats_print() - print counters as lines of "NAME VALUE"
 * @machine: the machine, no longer running
 * @seconds: for how long it ran
 * @screen: of its screen, or NULL
 * @file: where to
 *
 * The page mregion-vmm(1) says what they count. Reports what is wrong.
 */
int stats_print(const struct machine *machine, double seconds,
		const struct screen_counts *screen, FILE *file);

#endif /* VMM_STATS_H */
