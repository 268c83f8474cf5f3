// SPDX-License-Identifier: GPL-2.0
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "behaviour.h"
#include "budget.h"
#include "limits.h"
#include "rule.h"
#include "server.h"

/**
 * mregion_access_size() - how much of an access reaches a device at once
 * @constraints: of the device
 * @offset: in the region
 * @len: bytes that are left of the access, 1 to 8
 *
 * The rule is QEMU's memory_access_size(): no more than the device accepts (4
 * bytes if it does not say), no more than the alignment of the address unless
 * its implementation takes unaligned accesses, and a power of two.
 *
 * Return: 1, 2, 4 or 8, at most @len.
 */
unsigned int
mregion_access_size(const struct mregion_constraints *constraints,
		    u64 offset, unsigned int len)
{
	unsigned int max = constraints->valid_max ?: 4;

	if (!(constraints->flags & MREGION_IMPL_UNALIGNED)) {
		unsigned int align = offset & -offset & 15;

		if (align && align < max)
			max = align;
	}
	return rounddown_pow_of_two(min(len, max));
}

/**
 * mregion_access_valid() - whether a device accepts an access
 * @constraints: of the device
 * @offset: in the region
 * @len: as mregion_access_size() gave it
 *
 * The rule is QEMU's memory_region_access_valid(). As there, a device that
 * names no maximum accepts every size.
 */
bool mregion_access_valid(const struct mregion_constraints *constraints,
			  u64 offset, unsigned int len)
{
	if (!(constraints->flags & MREGION_VALID_UNALIGNED) &&
	    offset & (len - 1))
		return false;
	if (!constraints->valid_max)
		return true;
	return len >= constraints->valid_min && len <= constraints->valid_max;
}

static bool mregion_size_ok(u8 size)
{
	return !size || (size <= 8 && is_power_of_2(size));
}

static int
mregion_constraints_check(const struct mregion_constraints *constraints)
{
	u8 known = MREGION_VALID_UNALIGNED | MREGION_IMPL_UNALIGNED |
		   MREGION_BIG_ENDIAN;

	if (constraints->flags & ~known)
		return -EOPNOTSUPP;
	if (constraints->reserved ||
	    !mregion_size_ok(constraints->valid_min) ||
	    !mregion_size_ok(constraints->valid_max) ||
	    !mregion_size_ok(constraints->impl_min) ||
	    !mregion_size_ok(constraints->impl_max))
		return -EINVAL;
	if (constraints->valid_min > (constraints->valid_max ?: 4) ||
	    constraints->impl_min > (constraints->impl_max ?: 4))
		return -EINVAL;
	if (constraints->refused > MREGION_POLICY_ERROR)
		return -EINVAL;
	return 0;
}

static void
mregion_behaviour_set(struct mregion_behaviour *behaviour,
		      const struct mregion_constraints *constraints)
{
	unsigned int len;

	behaviour->constraints = *constraints;
	behaviour->refused = constraints->refused ?: MREGION_POLICY_ONES;
	behaviour->plain = 0;
	for (len = 1; len <= 8; len *= 2)
		if (mregion_access_size(constraints, 0, len) == len &&
		    mregion_access_valid(constraints, 0, len))
			behaviour->plain |= BIT(len);
}

static struct mregion_behaviour *mregion_behaviour_new(u32 nr_rules)
{
	struct mregion_behaviour *behaviour;

	/* and the NULL behind them */
	return kzalloc(struct_size(behaviour, rules, nr_rules + 1),
		       GFP_KERNEL_ACCOUNT);
}

static void mregion_behaviour_push(struct mregion_behaviour *behaviour,
				   struct mregion_behaviour_rule *rule)
{
	mregion_rule_get(rule);
	behaviour->rules[behaviour->nr_rules++] = rule;
}

/* A copy with room for @more rules, without those from @first up to @end. */
static struct mregion_behaviour *
mregion_behaviour_copy(const struct mregion_behaviour *old, u32 more,
		       u32 first, u32 end)
{
	struct mregion_behaviour *behaviour;
	u32 i;

	behaviour = mregion_behaviour_new(old->nr_rules + more);
	if (!behaviour)
		return NULL;
	mregion_behaviour_set(behaviour, &old->constraints);
	behaviour->server = old->server;
	if (behaviour->server)
		mregion_server_get(behaviour->server);
	for (i = 0; i < old->nr_rules; i++)
		if (i < first || i >= end)
			mregion_behaviour_push(behaviour, old->rules[i]);
	return behaviour;
}

/**
 * mregion_behaviour_alloc() - the behaviour of a new region
 * @constraints: from userspace
 *
 * Return: one without rules, or an ERR_PTR: -EINVAL, -EOPNOTSUPP, -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_alloc(const struct mregion_constraints *constraints)
{
	struct mregion_behaviour *behaviour;
	int ret = mregion_constraints_check(constraints);

	if (ret)
		return ERR_PTR(ret);
	behaviour = mregion_behaviour_new(0);
	if (!behaviour)
		return ERR_PTR(-ENOMEM);
	mregion_behaviour_set(behaviour, constraints);
	return behaviour;
}

/**
 * mregion_behaviour_constrain() - the same with other constraints
 * @old: the behaviour so far
 * @constraints: from userspace
 *
 * Return: a new behaviour, or an ERR_PTR: -EINVAL, -EOPNOTSUPP, -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_constrain(const struct mregion_behaviour *old,
			    const struct mregion_constraints *constraints)
{
	struct mregion_behaviour *behaviour;
	int ret = mregion_constraints_check(constraints);

	if (ret)
		return ERR_PTR(ret);
	behaviour = mregion_behaviour_copy(old, 0, 0, 0);
	if (!behaviour)
		return ERR_PTR(-ENOMEM);
	mregion_behaviour_set(behaviour, constraints);
	return behaviour;
}

/**
 * mregion_behaviour_serve() - the same with another server
 * @old: the behaviour so far
 * @server: the server, or NULL
 *
 * Return: a new behaviour, or an ERR_PTR: -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_serve(const struct mregion_behaviour *old,
			struct mregion_server *server)
{
	struct mregion_behaviour *behaviour;

	behaviour = mregion_behaviour_copy(old, 0, 0, 0);
	if (!behaviour)
		return ERR_PTR(-ENOMEM);
	if (behaviour->server)
		mregion_server_put(behaviour->server);
	behaviour->server = server;
	if (server)
		mregion_server_get(server);
	return behaviour;
}

/**
 * mregion_behaviour_add() - with a rule more
 * @old: the behaviour so far
 * @rule: the rule; the caller's reference remains the caller's
 *
 * Return: a new behaviour, or an ERR_PTR: -EEXIST, -ENOSPC, -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_add(const struct mregion_behaviour *old,
		      struct mregion_behaviour_rule *rule)
{
	struct mregion_behaviour *behaviour;
	u32 i;

	for (i = 0; i < old->nr_rules; i++)
		if (mregion_rules_clash(old->rules[i], rule))
			return ERR_PTR(-EEXIST);
	if (old->nr_rules == MREGION_MAX_RULES)
		return ERR_PTR(-ENOSPC);

	behaviour = mregion_behaviour_copy(old, 1, 0, 0);
	if (!behaviour)
		return ERR_PTR(-ENOMEM);
	mregion_behaviour_push(behaviour, rule);
	/* the kinds of rules in their order, each in the order of adding */
	for (i = behaviour->nr_rules - 1; i > 0; i--) {
		if (mregion_rule_rank(behaviour->rules[i - 1]) <=
		    mregion_rule_rank(behaviour->rules[i]))
			break;
		swap(behaviour->rules[i - 1], behaviour->rules[i]);
	}
	return behaviour;
}

/**
 * mregion_behaviour_del() - with a rule less
 * @old: the behaviour so far
 * @rule: the rule; the caller's reference remains the caller's
 *
 * Return: a new behaviour, or an ERR_PTR: -ENOENT, -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_del(const struct mregion_behaviour *old,
		      const struct mregion_behaviour_rule *rule)
{
	struct mregion_behaviour *behaviour;
	u32 i;

	for (i = 0; i < old->nr_rules; i++)
		if (mregion_rules_equal(old->rules[i], rule))
			break;
	if (i == old->nr_rules)
		return ERR_PTR(-ENOENT);
	behaviour = mregion_behaviour_copy(old, 0, i, i + 1);
	return behaviour ?: ERR_PTR(-ENOMEM);
}

/* Its rules, which it shares, are charged apart. */
static size_t mregion_behaviour_size(const struct mregion_behaviour *behaviour)
{
	return struct_size(behaviour, rules, behaviour->nr_rules + 1);
}

/**
 * mregion_behaviour_charge() - charge a new behaviour to a budget
 * @behaviour: the behaviour; uncharged as it is freed
 * @budget: of its machine
 *
 * Return: 0 or -ENOBUFS.
 */
int mregion_behaviour_charge(struct mregion_behaviour *behaviour,
			     struct mregion_budget *budget)
{
	int ret = mregion_budget_charge(budget,
					mregion_behaviour_size(behaviour));

	if (!ret)
		behaviour->budget = budget;
	return ret;
}

/**
 * mregion_behaviour_free() - free a behaviour; may sleep
 * @behaviour: one that no view that can be reached refers to, or NULL
 */
void mregion_behaviour_free(struct mregion_behaviour *behaviour)
{
	u32 i;

	if (!behaviour)
		return;
	for (i = 0; i < behaviour->nr_rules; i++)
		mregion_rule_put(behaviour->rules[i]);
	if (behaviour->server)
		mregion_server_put(behaviour->server);
	if (behaviour->budget)
		mregion_budget_uncharge(behaviour->budget,
					mregion_behaviour_size(behaviour));
	kfree(behaviour);
}
