/* SPDX-License-Identifier: MIT */
/* What --stats prints */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include <stdio.h>

struct machine;

/**
 * stats_print() - print counters as lines of "NAME VALUE"
 * @machine: the machine, no longer running
 * @seconds: for how long it ran
 * @file: where to
 *
 * The page mregion-vmm(1) says what they count. Reports what is wrong.
 */
int stats_print(const struct machine *machine, double seconds, FILE *file);

#endif /* VMM_STATS_H */
