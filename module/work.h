/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The budget of a commit: the number of regions that it may still visit.
 *
 * Aliases of containers of aliases make the number of visits exponential in
 * the number of regions, so every loop over regions takes its steps from here.
 */
#ifndef MREGION_WORK_H
#define MREGION_WORK_H

#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>

struct mregion_work {
	u64 left;
};

/**
 * mregion_work_step() - account for a visit to a region
 * @work: the budget
 *
 * May sleep, and gives up the CPU now and then.
 *
 * Return: 0, -EDQUOT when the budget is used up, -EINTR on a fatal signal.
 */
static inline int mregion_work_step(struct mregion_work *work)
{
	if (unlikely(!work->left))
		return -EDQUOT;
	work->left--;
	if (unlikely(!(work->left & 1023))) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

#endif /* MREGION_WORK_H */
