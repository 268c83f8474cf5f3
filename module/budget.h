/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Budgets: limits on the memory of the kernel that machines hold.
 *
 * Each limit of limits.h is small enough by itself; together they allow gigabytes
 * that cannot be swapped, and that are not charged to a process. So the large objects
 * of a machine are charged to its budget when they are allocated, and uncharged when
 * they are freed. They stay charged while they wait for a grace period, and while
 * they outlive the machine by a descriptor.
 */
#ifndef MREGION_BUDGET_H
#define MREGION_BUDGET_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <linux/xarray.h>

/*
 * The memory that an ID can take in its table: an ID far from all others has the
 * lower half of its path for itself.
 */
#define MREGION_BUDGET_ID	(3 * sizeof(struct xa_node))

/* The memory that a reference can keep alive: a file with its inode, or an eventfd. */
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
