// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "indexed.h"
#include "machine.h"
#include "shadow.h"

/* An index is read as a part of the aligned four bytes that it is in. */
#define MREGION_INDEX_WORD	4

/* How far the bits of a word that has an index are above those of the index. */
static u32 mregion_index_up(const struct mregion_index *args)
{
	return (args->offset & (MREGION_INDEX_WORD - 1)) * 8;
}

/* How far a data register's place can be from that of an index of zero. */
static u64 mregion_index_reach(const struct mregion_index *args)
{
	return args->shift < 0 ? args->select >> -args->shift :
				 (u64)args->select << args->shift;
}

/* The largest access that a data register of a length has at its first byte. */
static u32 mregion_index_align(u64 len)
{
	return len < 8 ? rounddown_pow_of_two((u32)len) : 8;
}

/**
 * mregion_index_check() - check a shadow's index
 * @args: from userspace
 *
 * Return: 0 or -EINVAL.
 */
int mregion_index_check(const struct mregion_rule *args)
{
	const struct mregion_index *index = &args->index;
	u32 most;

	if (!(args->flags & MREGION_RULE_INDEXED))
		return memchr_inv(index, 0, sizeof(*index)) ? -EINVAL : 0;
	if (index->reserved || !args->len)
		return -EINVAL;
	if (index->len != 1 && index->len != 2 && index->len != 4)
		return -EINVAL;
	most = U32_MAX >> (32 - index->len * 8);
	if (index->offset & (index->len - 1) || index->bits & ~most ||
	    index->select & ~most)
		return -EINVAL;
	if (index->first > index->last ||
	    (index->first | index->last) & ~index->bits)
		return -EINVAL;
	if (index->shift < -31 || index->shift > 31 ||
	    mregion_index_reach(index) & (mregion_index_align(args->len) - 1))
		return -EINVAL;
	return 0;
}

/*
 * The data register's bytes of all places have to be in the memory, rounded up, as a
 * processor that speculates may read what is behind the register.
 */
static int mregion_index_check_memory(const struct mregion_shadow *shadow,
				      const struct mregion_rule *args)
{
	u64 len = mregion_shadow_len(shadow);
	u64 reach = mregion_index_reach(&args->index);
	u64 most;

	if (args->shadow_offset > len || args->len > len - args->shadow_offset)
		return -EINVAL;
	most = roundup_pow_of_two(args->len);
	if (most > len - args->shadow_offset ||
	    reach > len - args->shadow_offset - most)
		return -EINVAL;
	if ((args->shadow_offset ^ args->offset) &
	    (mregion_index_align(args->len) - 1))
		return -EINVAL;
	return 0;
}

/**
 * mregion_index_resolve() - find the memories of a data register
 * @machine: the machine, locked
 * @args: from userspace, checked
 * @rule: the rule, of which @index is filled in
 *
 * Return: 0, -ENOENT or -EINVAL. References that are taken are in the rule, also after
 * an error.
 */
int mregion_index_resolve(struct mregion_machine *machine,
			  const struct mregion_rule *args,
			  struct mregion_behaviour_rule *rule)
{
	struct mregion_shadow *shadow = xa_load(&machine->shadows, args->shadow);
	const struct mregion_index *from = &args->index;
	struct mregion_shadow *indices = xa_load(&machine->shadows, from->shadow);
	struct mregion_rule_index *index = rule->index;
	u32 up = mregion_index_up(from);
	u64 len;

	if (!shadow || !indices)
		return -ENOENT;
	len = mregion_shadow_len(indices);
	if (from->offset > len || from->len > len - from->offset)
		return -EINVAL;
	if (mregion_index_check_memory(shadow, args))
		return -EINVAL;

	mregion_shadow_get(shadow);
	rule->shadow = shadow;
	rule->shadow_offset = args->shadow_offset;
	rule->memory = shadow->memory.addr + args->shadow_offset;
	mregion_shadow_get(indices);
	index->shadow = indices;
	index->args = *from;
	index->word = indices->memory.addr +
		      round_down(from->offset, MREGION_INDEX_WORD);
	index->bits = from->bits << up;
	index->first = from->first << up;
	index->span = (from->last - from->first) << up;
	index->select = from->select << up;
	index->within = roundup_pow_of_two(args->len) - 1;
	/* without overflow: the product is a place in the memory times 2^32 */
	if (mregion_index_reach(from))
		index->scale = 1ull << (32 + from->shift - up);
	return 0;
}

/**
 * mregion_index_release() - let go of an index
 * @rule: its rule
 */
void mregion_index_release(struct mregion_behaviour_rule *rule)
{
	if (rule->index->shadow)
		mregion_shadow_put(rule->index->shadow);
}

/* Whether two data registers are the same, with the same index register. */
static bool mregion_index_same(const struct mregion_behaviour_rule *a,
			       const struct mregion_behaviour_rule *b)
{
	return a->offset == b->offset && a->last == b->last &&
	       a->index->args.shadow == b->index->args.shadow &&
	       a->index->args.offset == b->index->args.offset &&
	       a->index->args.len == b->index->args.len &&
	       a->index->args.bits == b->index->args.bits;
}

/**
 * mregion_index_alike() - whether two rules with an index are of one group
 * @a: a rule
 * @b: a rule
 *
 * Of one group, one rule at most is for an access.
 */
bool mregion_index_alike(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b)
{
	return mregion_index_same(a, b) &&
	       a->index->reads == b->index->reads &&
	       a->index->writes == b->index->writes;
}

/**
 * mregion_index_apart() - whether no index is for both of two rules
 * @a: a rule
 * @b: a rule
 *
 * Return: whether that can be told.
 */
bool mregion_index_apart(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b)
{
	return mregion_index_same(a, b) &&
	       (a->index->args.first > b->index->args.last ||
		b->index->args.first > a->index->args.last);
}

/**
 * mregion_index_follows() - whether memory selects where a part of a write goes
 * @behaviour: of the region
 * @offset: of the part, in the region
 * @len: its length, 1, 2, 4 or 8
 * @shadow: the memory, or NULL
 *
 * Return: whether there is a rule for the part with its index in that memory, whatever
 * the index is.
 */
bool mregion_index_follows(const struct mregion_behaviour *behaviour, u64 offset,
			   unsigned int len,
			   const struct mregion_shadow *shadow)
{
	const struct mregion_behaviour_rule *rule;
	u32 i;

	for (i = 0; i < behaviour->nr_indices; i++) {
		rule = *behaviour->indices[i].rules;
		if (rule->index->shadow == shadow &&
		    rule->index->writes >> len & 1 &&
		    offset - rule->offset <= rule->room[len])
			return true;
	}
	return false;
}

/**
 * mregion_index_compare() - the order in which rules with an index are kept
 * @a: a rule
 * @b: a rule
 *
 * Those of a group are next to each other, sorted by index.
 *
 * Return: less than 0 if @a comes first, more if @b does.
 */
int mregion_index_compare(const struct mregion_behaviour_rule *a,
			  const struct mregion_behaviour_rule *b)
{
	const u64 key_a[] = {
		a->offset, a->last, a->index->args.shadow,
		a->index->args.offset, a->index->args.len,
		a->index->args.bits, a->index->reads, a->index->writes,
		a->index->args.first,
	};
	const u64 key_b[] = {
		b->offset, b->last, b->index->args.shadow,
		b->index->args.offset, b->index->args.len,
		b->index->args.bits, b->index->reads, b->index->writes,
		b->index->args.first,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(key_a); i++)
		if (key_a[i] != key_b[i])
			return key_a[i] < key_b[i] ? -1 : 1;
	return 0;
}

/**
 * mregion_index_search() - the only rule of a group that can be for an index
 * @group: the group
 * @value: the index, as struct mregion_rule_index has it
 *
 * Return: the last one that does not begin behind it, or the first.
 */
const struct mregion_behaviour_rule *
mregion_index_search(const struct mregion_index_group *group, u32 value)
{
	struct mregion_behaviour_rule *const *base = group->rules;
	u32 left = group->nr, half;

	while (left > 1) {
		half = left / 2;
		if (base[half]->index->first <= value)
			base += half;
		left -= half;
	}
	return *base;
}
