// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "budget.h"

/*
 * Enough for a machine as QEMU's q35, with hundreds of devices and a few of the
 * largest rings; and little enough that a process with as many machines as it
 * can have descriptors does not take more than it could by other means.
 */
static unsigned long machine_memory = 64ul << 20;
module_param(machine_memory, ulong, 0644);
MODULE_PARM_DESC(machine_memory,
		 "bytes that a machine may hold, unless RLIMIT_MEMLOCK is more");

/**
 * mregion_budget_alloc() - a new machine's budget
 *
 * Return: it, with one reference, or NULL.
 */
struct mregion_budget *mregion_budget_alloc(void)
{
	struct mregion_budget *budget;

	budget = kzalloc(sizeof(*budget), GFP_KERNEL_ACCOUNT);
	if (budget)
		kref_init(&budget->kref);
	return budget;
}

static void mregion_budget_release(struct kref *kref)
{
	struct mregion_budget *budget = container_of(kref,
						     struct mregion_budget,
						     kref);

	/* whoever forgets something is to be found */
	WARN_ON_ONCE(mregion_budget_used(budget) ||
		     atomic64_read(&budget->copies));
	kfree(budget);
}

/** mregion_budget_get() - take a reference */
void mregion_budget_get(struct mregion_budget *budget)
{
	kref_get(&budget->kref);
}

/** mregion_budget_put() - drop a reference */
void mregion_budget_put(struct mregion_budget *budget)
{
	kref_put(&budget->kref, mregion_budget_release);
}

static u64 mregion_budget_soft_limit(void)
{
	return max_t(u64, READ_ONCE(machine_memory), rlimit(RLIMIT_MEMLOCK));
}

/* In the initial namespace: the memory is everybody's. */
static bool mregion_budget_unlimited(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK);
}

/**
 * mregion_budget_limit() - how much a machine may hold, as the caller asks it to
 *
 * The memory cannot be swapped, so what allows a process to lock memory allows
 * this, too: RLIMIT_MEMLOCK, or CAP_IPC_LOCK. The module's parameter is what
 * everybody has, since the limit that systemd gives (8 MiB, for which there are
 * other uses) would leave a VMM without privileges with little. It is the limit of
 * whoever asks for more that counts, not of who has opened the machine: a
 * privileged process that passes a machine on does not pass that on. And it is
 * a limit of each machine, not of the user's: virtual machines of one user do not
 * take each other's memory away.
 *
 * Return: bytes; U64_MAX for any number.
 */
u64 mregion_budget_limit(void)
{
	u64 limit = mregion_budget_soft_limit();

	if (limit >= RLIM_INFINITY || mregion_budget_unlimited())
		return U64_MAX;
	return limit;
}

static int mregion_charge(atomic64_t *counter, u64 bytes)
{
	s64 used = atomic64_read(counter);

	do {
		if (used + bytes > mregion_budget_soft_limit() &&
		    !mregion_budget_unlimited())
			return -ENOBUFS;
	} while (!atomic64_try_cmpxchg(counter, &used, used + bytes));
	return 0;
}

/**
 * mregion_budget_charge() - account for memory, before it is allocated
 * @budget: the budget
 * @bytes: how much
 *
 * Return: 0, or -ENOBUFS if that is more than the caller may have the machine
 * hold; then nothing is charged.
 */
int mregion_budget_charge(struct mregion_budget *budget, u64 bytes)
{
	return mregion_charge(&budget->used, bytes);
}

/**
 * mregion_budget_uncharge() - undo mregion_budget_charge()
 * @budget: the budget
 * @bytes: how much; can be called by anybody, for anybody's
 */
void mregion_budget_uncharge(struct mregion_budget *budget, u64 bytes)
{
	atomic64_sub(bytes, &budget->used);
}

/**
 * mregion_budget_charge_copy() - account for what ends with an ioctl
 * @budget: the budget
 * @bytes: how much
 *
 * Return: 0, or -ENOBUFS if all that do so at the same time would take more than
 * the machine may hold.
 */
int mregion_budget_charge_copy(struct mregion_budget *budget, u64 bytes)
{
	return mregion_charge(&budget->copies, bytes);
}

/** mregion_budget_uncharge_copy() - undo mregion_budget_charge_copy() */
void mregion_budget_uncharge_copy(struct mregion_budget *budget, u64 bytes)
{
	atomic64_sub(bytes, &budget->copies);
}
