// SPDX-License-Identifier: GPL-2.0
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "behaviour.h"
#include "budget.h"
#include "bytes.h"
#include "indexed.h"
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

/**
 * mregion_access_impl() - in what sizes a part of an access is implemented
 * @constraints: of the device
 * @len: of the part, 1, 2, 4 or 8
 *
 * The rule is QEMU's access_with_adjusted_size().
 *
 * Return: 1, 2, 4 or 8; more than @len where it is widened.
 */
unsigned int mregion_access_impl(const struct mregion_constraints *constraints,
				 unsigned int len)
{
	unsigned int size = min_t(unsigned int, len,
				  constraints->impl_max ?: 4);

	return max_t(unsigned int, size, constraints->impl_min);
}

static bool mregion_size_ok(u8 size)
{
	return !size || (size <= 8 && is_power_of_2(size));
}

static int
mregion_constraints_check(const struct mregion_constraints *constraints)
{
	u8 known = MREGION_VALID_UNALIGNED | MREGION_IMPL_UNALIGNED |
		   MREGION_BIG_ENDIAN | MREGION_VALID_BEYOND;

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

/*
 * Rules differ in kind, sizes and whether they match a value. Of the 15 sets of
 * sizes, doorbells have 15 for any value and 15 for one, rings 15, and shadows 15
 * for reads, 15 for writes, and 15 for both; and those of any length are one, and those
 * with an index.
 */
#define MREGION_MAX_GROUPS	92

/* How many pointers struct mregion_behaviour.rules has for so many rules. */
static u32 mregion_behaviour_nr_tried(u32 nr_rules)
{
	/* and the NULL behind them */
	return (nr_rules > MREGION_FEW_RULES ? 1 : nr_rules) + 1;
}

/* In what order rules are kept: see struct mregion_rule_group. */
static int mregion_rules_compare(const struct mregion_behaviour_rule *a,
				 const struct mregion_behaviour_rule *b)
{
	u64 x, y;

	if (mregion_rule_is_indexed(a) && mregion_rule_is_indexed(b))
		return mregion_index_compare(a, b);
	x = (u64)mregion_rule_rank(a) << 33 | (u64)a->writes << 17 |
	    (u64)a->reads << 1 | (a->flags & MREGION_RULE_DATAMATCH ? 1 : 0);
	y = (u64)mregion_rule_rank(b) << 33 | (u64)b->writes << 17 |
	    (u64)b->reads << 1 | (b->flags & MREGION_RULE_DATAMATCH ? 1 : 0);
	if (x == y && a->datamatch == b->datamatch) {
		x = a->offset;
		y = b->offset;
	} else if (x == y) {
		x = a->datamatch;
		y = b->datamatch;
	}
	return x < y ? -1 : x > y;
}

static bool mregion_rules_group(const struct mregion_behaviour_rule *a,
				const struct mregion_behaviour_rule *b)
{
	return mregion_rule_rank(a) == mregion_rule_rank(b) &&
	       a->writes == b->writes && a->reads == b->reads &&
	       !((a->flags ^ b->flags) & MREGION_RULE_DATAMATCH);
}

static void mregion_group_begin(struct mregion_rule_group *group, u32 first,
				const struct mregion_behaviour_rule *rule)
{
	*group = (struct mregion_rule_group) {
		.first = first,
		.reads = rule->reads,
		.writes = rule->writes,
		.match = rule->flags & MREGION_RULE_DATAMATCH,
	};
}

static void mregion_behaviour_group(struct mregion_behaviour *behaviour)
{
	struct mregion_behaviour_rule **sorted = behaviour->sorted;
	struct mregion_rule_group *group = NULL;
	u32 i;

	for (i = 0; i < behaviour->nr_rules; i++) {
		if (!i || !mregion_rules_group(sorted[i - 1], sorted[i])) {
			group = &behaviour->groups[behaviour->nr_groups++];
			mregion_group_begin(group, i, sorted[i]);
		}
		group->nr++;
	}
}

/* Append a group of one rule. */
static void
mregion_behaviour_push_single(struct mregion_behaviour *behaviour, u32 first,
			      const struct mregion_behaviour_rule *rule)
{
	struct mregion_rule_group *group;

	group = &behaviour->groups[behaviour->nr_groups++];
	mregion_group_begin(group, first, rule);
	group->nr = 1;
}

/*
 * The same as @old's, but without the rule at @skip, if there is one, and with
 * @more, if that is not NULL, at @at.
 */
static void mregion_behaviour_regroup(struct mregion_behaviour *behaviour,
				      const struct mregion_behaviour *old,
				      u32 skip,
				      const struct mregion_behaviour_rule *more,
				      u32 at)
{
	u32 i, first = 0;

	for (i = 0; i < old->nr_groups; i++) {
		struct mregion_rule_group group = old->groups[i];
		const struct mregion_behaviour_rule *of;

		of = old->sorted[group.first];
		/* a group of its own comes before the first one behind it */
		if (more && at <= first && !mregion_rules_group(more, of)) {
			mregion_behaviour_push_single(behaviour, first++, more);
			more = NULL;
		}
		if (more && mregion_rules_group(more, of)) {
			group.nr++;
			more = NULL;
		}
		if (skip - group.first < old->groups[i].nr)
			group.nr--;
		/* for one that is empty now there may be no room */
		if (!group.nr)
			continue;
		group.first = first;
		first += group.nr;
		behaviour->groups[behaviour->nr_groups++] = group;
	}
	if (more)
		mregion_behaviour_push_single(behaviour, first, more);
}

/* Copy @nr pointers to rules. */
static void mregion_behaviour_push(struct mregion_behaviour *behaviour,
				   struct mregion_behaviour_rule *const *rules,
				   u32 nr)
{
	memcpy(behaviour->sorted + behaviour->nr_rules, rules,
	       nr * sizeof(*rules));
	behaviour->nr_rules += nr;
}

static bool mregion_rule_is_fast(const struct mregion_behaviour_rule *rule)
{
	return rule->flags & MREGION_RULE_FAST;
}

/* Those for any length come first, by offset; @nr of them are fast. */
static void mregion_behaviour_find_fast(struct mregion_behaviour *behaviour,
					u32 nr)
{
	u32 i;

	for (i = 0; behaviour->nr_fast < nr; i++)
		if (mregion_rule_is_fast(behaviour->sorted[i]))
			behaviour->fast[behaviour->nr_fast++] =
				behaviour->sorted[i];
}

/* Those with an index come last. */
static void mregion_behaviour_find_indexed(struct mregion_behaviour *behaviour,
					   u32 nr)
{
	struct mregion_behaviour_rule **end = behaviour->sorted +
					      behaviour->nr_rules;
	struct mregion_behaviour_rule **rule;
	struct mregion_index_group *group = NULL;

	behaviour->nr_indexed = nr;
	for (rule = end - nr; rule < end; rule++) {
		if (!group || !mregion_index_alike(rule[-1], rule[0])) {
			group = &behaviour->indices[behaviour->nr_indices++];
			group->rules = rule;
		}
		group->nr++;
	}
	if (nr)
		behaviour->recent = *behaviour->indices->rules;
}

/*
 * A new behaviour with the rules of @old, if that is not NULL: without the one at
 * @skip, and with @more, if that is not NULL, before the one at @at.
 */
static struct mregion_behaviour *
mregion_behaviour_make(const struct mregion_constraints *constraints,
		       const struct mregion_behaviour *old, u32 skip,
		       struct mregion_behaviour_rule *more, u32 at)
{
	u32 nr_old = old ? old->nr_rules : 0, nr, nr_tried;
	struct mregion_behaviour *behaviour;
	u32 nr_fast = old ? old->nr_fast : 0;
	u32 nr_indexed = old ? old->nr_indexed : 0;
	size_t size, fast, indices, groups = 0;

	nr = nr_old - (skip < nr_old) + !!more;
	nr_tried = mregion_behaviour_nr_tried(nr);
	size = struct_size(behaviour, rules, nr_tried);
	if (nr > MREGION_FEW_RULES)
		size += nr * sizeof(behaviour->sorted[0]);
	nr_fast += more && mregion_rule_is_fast(more);
	if (skip < nr_old)
		nr_fast -= mregion_rule_is_fast(old->sorted[skip]);
	nr_indexed += more && mregion_rule_is_indexed(more);
	if (skip < nr_old)
		nr_indexed -= mregion_rule_is_indexed(old->sorted[skip]);
	fast = size;
	size += nr_fast * sizeof(behaviour->fast[0]);
	indices = size;
	size += min(nr_indexed, MREGION_MAX_INDICES) *
		sizeof(behaviour->indices[0]);
	/* every rule may be a group */
	if (nr > MREGION_FEW_RULES)
		groups = min_t(u32, nr, MREGION_MAX_GROUPS);
	groups *= sizeof(behaviour->groups[0]);
	behaviour = kvzalloc(size + groups, GFP_KERNEL_ACCOUNT);
	if (!behaviour)
		return NULL;
	behaviour->bytes = size + groups;
	mregion_behaviour_set(behaviour, constraints);
	behaviour->sorted = behaviour->rules;
	if (nr > MREGION_FEW_RULES)
		behaviour->sorted += nr_tried;
	behaviour->groups = (void *)behaviour + size;
	behaviour->fast = (void *)behaviour + fast;
	behaviour->indices = (void *)behaviour + indices;

	if (more) {
		mregion_behaviour_push(behaviour, old->sorted, at);
		mregion_behaviour_push(behaviour, &more, 1);
		mregion_behaviour_push(behaviour, old->sorted + at,
				       nr_old - at);
	} else if (old) {
		mregion_behaviour_push(behaviour, old->sorted, skip);
		if (skip < nr_old)
			mregion_behaviour_push(behaviour,
					       old->sorted + skip + 1,
					       nr_old - skip - 1);
	}
	if (nr > MREGION_FEW_RULES) {
		behaviour->rules[0] = behaviour->sorted[0];
		if (old->nr_groups)
			mregion_behaviour_regroup(behaviour, old, skip, more,
						  at);
		else
			mregion_behaviour_group(behaviour);
	}
	mregion_behaviour_find_fast(behaviour, nr_fast);
	mregion_behaviour_find_indexed(behaviour, nr_indexed);
	return behaviour;
}

/* What follows from the rules and the server. */
static struct mregion_behaviour *
mregion_behaviour_finish(struct mregion_behaviour *behaviour,
			 struct mregion_server *server)
{
	if (!behaviour)
		return ERR_PTR(-ENOMEM);
	behaviour->server = server;
	if (server)
		mregion_server_get(server);
	/* they come first */
	behaviour->any_len = behaviour->nr_rules &&
			     behaviour->sorted[0]->flags & MREGION_RULE_ANY_LEN;
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
	behaviour = mregion_behaviour_make(constraints, NULL, 0, NULL, 0);
	return mregion_behaviour_finish(behaviour, NULL);
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
	behaviour = mregion_behaviour_make(constraints, old, old->nr_rules,
					   NULL, 0);
	return mregion_behaviour_finish(behaviour, old->server);
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

	behaviour = mregion_behaviour_make(&old->constraints, old,
					   old->nr_rules, NULL, 0);
	return mregion_behaviour_finish(behaviour, server);
}

/* How many of a behaviour's rules do not come behind one in the order of keeping. */
static u32 mregion_behaviour_bound(const struct mregion_behaviour *behaviour,
				   const struct mregion_behaviour_rule *rule)
{
	u32 low = 0, end = behaviour->nr_rules, half;

	while (low < end) {
		half = low + (end - low) / 2;
		if (mregion_rules_compare(behaviour->sorted[half], rule) <= 0)
			low = half + 1;
		else
			end = half;
	}
	return low;
}

/*
 * Whether a rule clashes with one of a group. Two of a group and of one value have no
 * access in common. So if the rule has one with any of them, it has one with the last
 * that does not begin behind it, or with the first that does.
 */
static bool mregion_group_clash(const struct mregion_behaviour *behaviour,
				const struct mregion_rule_group *group,
				const struct mregion_behaviour_rule *rule)
{
	struct mregion_behaviour_rule *const *sorted = behaviour->sorted;
	u32 i, end = group->first + group->nr, low = group->first, half;
	const struct mregion_behaviour_rule *of = sorted[group->first];

	if (of->kind != rule->kind ||
	    !((group->reads & rule->reads) | (group->writes & rule->writes)))
		return false;
	if (((of->flags | rule->flags) & MREGION_RULE_ANY_LEN) ||
	    group->match != !!(rule->flags & MREGION_RULE_DATAMATCH)) {
		for (i = group->first; i < end; i++)
			if (mregion_rules_clash(sorted[i], rule))
				return true;
		return false;
	}
	while (low < end) {
		half = low + (end - low) / 2;
		if (sorted[half]->datamatch < rule->datamatch ||
		    (sorted[half]->datamatch == rule->datamatch &&
		     sorted[half]->offset <= rule->offset))
			low = half + 1;
		else
			end = half;
	}
	return (low > group->first &&
		mregion_rules_clash(sorted[low - 1], rule)) ||
	       (low < group->first + group->nr &&
		mregion_rules_clash(sorted[low], rule));
}

static bool mregion_behaviour_clash(const struct mregion_behaviour *behaviour,
				    const struct mregion_behaviour_rule *rule)
{
	u32 i = 0;

	if (behaviour->nr_groups && !mregion_rule_is_indexed(rule)) {
		for (; i < behaviour->nr_groups; i++)
			if (mregion_group_clash(behaviour,
						&behaviour->groups[i], rule))
				return true;
		/* the groups tell nothing of those with an index */
		i = behaviour->nr_rules - behaviour->nr_indexed;
	}
	for (; i < behaviour->nr_rules; i++)
		if (mregion_rules_clash(behaviour->sorted[i], rule))
			return true;
	return false;
}

/* Whether there are too many groups with an index for a rule that makes one more. */
static bool mregion_behaviour_full(const struct mregion_behaviour *behaviour,
				   const struct mregion_behaviour_rule *rule)
{
	u32 i;

	if (behaviour->nr_rules == MREGION_MAX_RULES)
		return true;
	if (!mregion_rule_is_indexed(rule) ||
	    behaviour->nr_indices < MREGION_MAX_INDICES)
		return false;
	for (i = 0; i < behaviour->nr_indices; i++)
		if (mregion_index_alike(*behaviour->indices[i].rules, rule))
			return false;
	return true;
}

/**
 * mregion_behaviour_add() - with a rule more
 * @old: the behaviour so far
 * @rule: the rule, which stays the caller's until the commit succeeds
 *
 * Return: a new behaviour, or an ERR_PTR: -EEXIST, -EINVAL if the device takes no
 * access that the rule is for, -ENOSPC, -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_add(const struct mregion_behaviour *old,
		      struct mregion_behaviour_rule *rule)
{
	struct mregion_behaviour *behaviour;
	u32 at;

	if (!(rule->flags & MREGION_RULE_ANY_LEN) &&
	    !(mregion_rule_sizes(rule) & old->plain))
		return ERR_PTR(-EINVAL);
	if (mregion_behaviour_clash(old, rule))
		return ERR_PTR(-EEXIST);
	if (mregion_behaviour_full(old, rule))
		return ERR_PTR(-ENOSPC);
	at = mregion_behaviour_bound(old, rule);
	behaviour = mregion_behaviour_make(&old->constraints, old,
					   old->nr_rules, rule, at);
	return mregion_behaviour_finish(behaviour, old->server);
}

/**
 * mregion_behaviour_del() - with a rule less
 * @old: the behaviour so far
 * @like: what the rule is like
 * @rule: set to the rule
 *
 * Return: a new behaviour, or an ERR_PTR: -ENOENT, -ENOMEM.
 */
struct mregion_behaviour *
mregion_behaviour_del(const struct mregion_behaviour *old,
		      const struct mregion_behaviour_rule *like,
		      struct mregion_behaviour_rule **rule)
{
	struct mregion_behaviour *behaviour;
	u32 end = mregion_behaviour_bound(old, like);

	if (!end || !mregion_rules_equal(old->sorted[end - 1], like))
		return ERR_PTR(-ENOENT);
	*rule = old->sorted[end - 1];
	behaviour = mregion_behaviour_make(&old->constraints, old, end - 1,
					   NULL, 0);
	return mregion_behaviour_finish(behaviour, old->server);
}

/**
 * mregion_behaviour_charge() - charge a new behaviour to a budget
 * @behaviour: the behaviour; uncharged as it is freed. Rules are charged apart
 * @budget: of its machine
 *
 * Return: 0 or -ENOBUFS.
 */
int mregion_behaviour_charge(struct mregion_behaviour *behaviour,
			     struct mregion_budget *budget)
{
	int ret = mregion_budget_charge(budget, behaviour->bytes);

	if (!ret)
		behaviour->budget = budget;
	return ret;
}

/**
 * mregion_behaviour_free() - free a behaviour, and not its rules; may sleep
 * @behaviour: one that no view that can be reached refers to, or NULL
 */
void mregion_behaviour_free(struct mregion_behaviour *behaviour)
{
	if (!behaviour)
		return;
	if (behaviour->server)
		mregion_server_put(behaviour->server);
	if (behaviour->budget)
		mregion_budget_uncharge(behaviour->budget, behaviour->bytes);
	kvfree(behaviour);
}

/**
 * mregion_behaviour_free_rules() - free the rules of a region that goes
 * @behaviour: its last one, or NULL; mregion_behaviour_free() is to follow
 */
void mregion_behaviour_free_rules(struct mregion_behaviour *behaviour)
{
	u32 i;

	for (i = 0; behaviour && i < behaviour->nr_rules; i++)
		mregion_rule_free(behaviour->sorted[i]);
}

/* The last rule of a group that is not behind a value and an offset, or NULL. */
static const struct mregion_behaviour_rule *
mregion_group_search(const struct mregion_behaviour *behaviour,
		     const struct mregion_rule_group *group, u64 value,
		     u64 offset)
{
	struct mregion_behaviour_rule *const *base;
	u32 left = group->nr, half;

	base = behaviour->sorted + group->first;
	while (left > 1) {
		half = left / 2;
		if (base[half]->datamatch < value ||
		    (base[half]->datamatch == value &&
		     base[half]->offset <= offset))
			base += half;
		left -= half;
	}
	return *base;
}

/**
 * mregion_behaviour_search() - the rule for an access, among many
 * @behaviour: of the region
 * @offset: in the region
 * @len: of the access, 1, 2, 4 or 8
 * @write: whether it is a write
 * @data: the value written; nothing beyond @len
 *
 * In each group one rule can be for the access at most: the last one that does not
 * begin behind it, since two of the same value have no access in common.
 *
 * Return: the rule, or NULL.
 */
const struct mregion_behaviour_rule *
mregion_behaviour_search(const struct mregion_behaviour *behaviour, u64 offset,
			 unsigned int len, bool write, u64 data)
{
	const struct mregion_behaviour_rule *rule;
	__le64 val = cpu_to_le64(data);
	u32 i;

	for (i = 0; i < behaviour->nr_groups; i++) {
		const struct mregion_rule_group *group = &behaviour->groups[i];

		if (!((write ? group->writes : group->reads) >> len & 1))
			continue;
		rule = mregion_group_search(behaviour, group,
					    group->match ? data : 0, offset);
		if (mregion_rule_matches(rule, offset, len, write, &val))
			return rule;
	}
	return NULL;
}

/**
 * mregion_behaviour_any_len() - the doorbell for writes of any length
 * @behaviour: of the region
 * @offset: in the region, where a write begins
 *
 * Return: the rule, or NULL.
 */
const struct mregion_behaviour_rule *
mregion_behaviour_any_len(const struct mregion_behaviour *behaviour,
			  u64 offset)
{
	const struct mregion_behaviour_rule *rule;
	u32 i;

	if (behaviour->nr_groups) {
		/* they are the first group */
		rule = mregion_group_search(behaviour, behaviour->groups, 0,
					    offset);
		return rule->offset == offset ? rule : NULL;
	}
	for (i = 0; i < behaviour->nr_rules; i++) {
		rule = behaviour->sorted[i];
		if (rule->flags & MREGION_RULE_ANY_LEN &&
		    rule->offset == offset)
			return rule;
	}
	return NULL;
}
