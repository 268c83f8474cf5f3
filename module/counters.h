/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of the outcomes of accesses. */
#ifndef MREGION_COUNTERS_H
#define MREGION_COUNTERS_H

#include <linux/atomic.h>
#include <linux/mregion.h>

#define MREGION_NR_OUTCOMES	(MREGION_OUTCOME_SERVER_EXIT + 1)

/**
 * struct mregion_counters - a counter for each outcome
 * @outcome: by enum mregion_outcome
 *
 * Atomics are enough: two vCPUs meet here only when they access the same
 * region at the same time, and then they meet in the ring or the device too.
 */
struct mregion_counters {
	atomic64_t outcome[MREGION_NR_OUTCOMES];
};

static inline void mregion_count(struct mregion_counters *counters,
				 enum mregion_outcome outcome)
{
	atomic64_inc(&counters->outcome[outcome]);
}

/**
 * mregion_counters_sum() - add an object's counters to a statistic
 * @counters: the object's
 * @stats: the statistic
 */
static inline void mregion_counters_sum(const struct mregion_counters *counters,
					struct mregion_stats *stats)
{
	int i;

	for (i = 0; i < MREGION_NR_OUTCOMES; i++)
		stats->outcomes[i] += atomic64_read(&counters->outcome[i]);
}

/**
 * mregion_counters_fold() - move an object's counters to those of the machine
 * @into: the machine's
 * @from: the object's
 *
 * Called as the object leaves the machine, so that sums over all objects never
 * shrink, and again after the last vCPU has left it.
 */
static inline void mregion_counters_fold(struct mregion_counters *into,
					 struct mregion_counters *from)
{
	int i;

	for (i = 0; i < MREGION_NR_OUTCOMES; i++) {
		u64 count = atomic64_xchg(&from->outcome[i], 0);

		if (count)
			atomic64_add(count, &into->outcome[i]);
	}
}

#endif /* MREGION_COUNTERS_H */
