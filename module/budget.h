/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Budgets: how much memory of the kernel's a machine may hold.
 *
 * Each limit of limits.h is fine by itself; their product is gigabytes that
 * cannot be swapped, and that no process is seen to have. So all that a machine
 * can hold much of is charged to its budget as it is allocated, and uncharged as
 * it is freed: also what waits for a grace period, and what outlives the machine
 * because somebody has its descriptor.
 */
#ifndef MREGION_BUDGET_H
#define MREGION_BUDGET_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <linux/xarray.h>

/*
 * What an ID can take in its table: one that is far from all others has the
 * lower half of its path for itself.
 */
#define MREGION_BUDGET_ID	(3 * sizeof(struct xa_node))

/* What a reference can keep alive: a file with its inode, or an eventfd. */
#define MREGION_BUDGET_FILE	2048
#define MREGION_BUDGET_EVENTFD	128

/**
 * struct mregion_budget - a machine's budget
 * @used: bytes that are charged
 * @copies: bytes of copies that ioctls under way have made of their arguments and
 *	results; charged apart, so that a full machine can be read and changed
 * @kref: held by the machine, and by what can outlive it
 */
struct mregion_budget {
	atomic64_t used;
	atomic64_t copies;
	struct kref kref;
};

struct mregion_budget *mregion_budget_alloc(void);
void mregion_budget_get(struct mregion_budget *budget);
void mregion_budget_put(struct mregion_budget *budget);
int mregion_budget_charge(struct mregion_budget *budget, u64 bytes);
void mregion_budget_uncharge(struct mregion_budget *budget, u64 bytes);
int mregion_budget_charge_copy(struct mregion_budget *budget, u64 bytes);
void mregion_budget_uncharge_copy(struct mregion_budget *budget, u64 bytes);
u64 mregion_budget_limit(void);

/** mregion_budget_used() - bytes that are charged */
static inline u64 mregion_budget_used(const struct mregion_budget *budget)
{
	return atomic64_read(&budget->used);
}

#endif /* MREGION_BUDGET_H */
