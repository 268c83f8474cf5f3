// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/string.h>

#include "delta.h"

/* Whether something is between an interval and what begins behind it. */
static bool mregion_interval_apart(u64 last, u64 start)
{
	return last < start && start - last > 1;
}

/**
 * mregion_delta_add() - add an interval
 * @delta: the set
 * @start: first address
 * @last: last address
 *
 * Touches no more of @delta->interval than one behind those in use.
 */
void mregion_delta_add(struct mregion_delta *delta, u64 start, u64 last)
{
	struct mregion_interval *interval = delta->interval;
	u32 first = 0, end;

	while (first < delta->nr &&
	       mregion_interval_apart(interval[first].last, start))
		first++;
	/* what it touches becomes one with it */
	for (end = first; end < delta->nr; end++) {
		if (mregion_interval_apart(last, interval[end].start))
			break;
		start = min(start, interval[end].start);
		last = max(last, interval[end].last);
	}
	if (first == end && delta->nr == MREGION_MAX_DELTA) {
		start = min(start, interval[0].start);
		last = max(last, interval[delta->nr - 1].last);
		first = 0;
		end = delta->nr;
	}
	memmove(&interval[first + 1], &interval[end],
		(delta->nr - end) * sizeof(*interval));
	interval[first] = (struct mregion_interval) { start, last };
	delta->nr += 1 - (end - first);
}
