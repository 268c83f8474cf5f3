/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The short way, the fast path of accesses: for an access in one piece that a rule
 * completes.
 *
 * Most accesses take it. Its instructions are the whole cost of such an access
 * beyond KVM's own part. So everything is inline and stays in registers, and other
 * accesses are handed back undone.
 */
#ifndef MREGION_SHORT_H
#define MREGION_SHORT_H

#include <linux/mregion.h>

#include "behaviour.h"
#include "bytes.h"
#include "counters.h"
#include "indexed.h"
#include "region.h"
#include "ring.h"
#include "rule.h"
#include "traced.h"
#include "view.h"

/**
 * mregion_short_whole() - whether an access is in one range as a whole
 * @range: the range of its first byte
 * @addr: its first address
 * @len: its length, 1 to 8
 */
static __always_inline bool
mregion_short_whole(const struct mregion_view_range *range, u64 addr, u32 len)
{
	return range->last - addr >= len - 1;
}

/**
 * mregion_short_rule() - the first rule that is for an access
 * @behaviour: of the region; has rules
 * @offset: in the region
 * @len: of the access, 1, 2, 4 or 8
 * @write: whether it is a write
 * @val: the bytes written
 * @rule: set to the rule
 *
 * Return: whether there is one. (Compilers know less of a pointer.)
 */
static __always_inline bool
mregion_short_rule(const struct mregion_behaviour *behaviour, u64 offset,
		   u32 len, bool write, const void *val,
		   const struct mregion_behaviour_rule **rule)
{
	struct mregion_behaviour_rule *const *next = behaviour->rules;

	do {
		*rule = *next;
		if (likely(mregion_rule_matches(*rule, offset, len, write,
						val)))
			return true;
	} while (*++next);
	if (!behaviour->nr_groups)
		return false;
	*rule = mregion_behaviour_search(behaviour, offset, len, write,
					 write ? mregion_load_plain(val, len) :
						 0);
	return *rule;
}

/**
 * mregion_short_find() - the rule that completes an access
 * @range: the range that the access is in as a whole
 * @addr: its first address
 * @len: its length, 1 to 8
 * @write: whether it is a write
 * @val: the bytes written
 * @offset: set to where in the region it is
 * @rule: set to the rule
 *
 * Return: whether there is one; false is no more than "not this way".
 */
static __always_inline bool
mregion_short_find(const struct mregion_view_range *range, u64 addr, u32 len,
		   bool write, const void *val, u64 *offset,
		   const struct mregion_behaviour_rule **rule)
{
	if (static_branch_unlikely(&mregion_traced_short))
		return false;
	*offset = range->delta + addr;
	/* of these sizes, the range has a behaviour with rules */
	return range->plain >> len & 1 && !(*offset & (len - 1)) &&
	       mregion_short_rule(range->behaviour, *offset, len, write, val,
				  rule);
}

/**
 * mregion_short_first() - whether the first rule completes an access
 * @range: the range that the access is in as a whole
 * @addr: its first address
 * @len: its length, 1 to 8
 * @write: whether it is a write
 * @val: the bytes written
 * @offset: set to where in the region it is
 *
 * As mregion_short_find(), but does not look further than @range->first.
 */
static __always_inline bool
mregion_short_first(const struct mregion_view_range *range, u64 addr, u32 len,
		    bool write, const void *val, u64 *offset)
{
	const struct mregion_behaviour_rule *rule = range->first;
	u32 sizes = range->plain & (write ? rule->writes : rule->reads);

	if (static_branch_unlikely(&mregion_traced_short))
		return false;
	*offset = range->delta + addr;
	if (!(sizes >> len & 1) || *offset & (len - 1) ||
	    *offset - rule->offset > rule->room[len])
		return false;
	return !write || !(rule->flags & MREGION_RULE_DATAMATCH) ||
	       mregion_equal_plain(val, len, rule->datamatch);
}

static __always_inline enum mregion_outcome
mregion_short_outcome(const struct mregion_behaviour_rule *rule)
{
	switch (rule->kind) {
	case MREGION_RULE_COALESCE:
		return MREGION_OUTCOME_COALESCED;
	case MREGION_RULE_DOORBELL:
		return MREGION_OUTCOME_DOORBELL;
	default:
		return MREGION_OUTCOME_SHADOW;
	}
}

/**
 * mregion_short_coalesce() - carry out a ring's rule for a write
 * @range: the range that the write is in
 * @rule: the rule
 * @offset: of the write, in the region
 * @len: its length, 1, 2, 4 or 8
 * @val: the bytes written
 * @vcpu: index of the vCPU, or MREGION_NO_VCPU; fetched late, to be in no register
 * @first: set to the number of the entry; mregion_ring_due() is to be asked
 *
 * In an RCU read-side section with preemption off. Has no call in it.
 *
 * Return: whether it is done; if not, nothing was.
 */
static __always_inline bool
mregion_short_coalesce(const struct mregion_view_range *range,
		       const struct mregion_behaviour_rule *rule, u64 offset,
		       u32 len, const void *val, const int *vcpu, u64 *first)
{
	struct mregion_ring *ring = rule->ring;
	struct mregion_region *region;

	/* POSTED: a server is to be told */
	if (unlikely(rule->flags))
		return false;
	if (unlikely(!mregion_ring_reserve(ring, 1, first)))
		return false;
	region = mregion_region_of(range->node);
	mregion_ring_fill(ring, *first, region->id, offset, *vcpu, len,
			  mregion_load_plain(val, len));
	mregion_ring_publish(ring, *first, 1);
	mregion_count(&region->counters, MREGION_OUTCOME_COALESCED);
	return true;
}

/**
 * mregion_short_bell() - carry out a doorbell for a write
 * @range: the range that the write is in
 * @rule: the rule
 * @offset: of the write, in the region
 * @len: its length, 1, 2, 4 or 8
 * @val: the bytes written
 *
 * In an RCU read-side section with preemption off.
 */
static __always_inline void
mregion_short_bell(const struct mregion_view_range *range,
		   const struct mregion_behaviour_rule *rule, u64 offset,
		   u32 len, const void *val)
{
	mregion_count(&mregion_region_of(range->node)->counters,
		      MREGION_OUTCOME_DOORBELL);
	mregion_rule_ring_bell(rule, offset, len, val);
}

/**
 * mregion_short_store() - carry out a shadow for a write
 * @range: the range that the write is in
 * @rule: the rule
 * @offset: of the write, in the region
 * @len: its length, 1, 2, 4 or 8
 * @val: the bytes written
 *
 * In an RCU read-side section with preemption off.
 */
static __always_inline void
mregion_short_store(const struct mregion_view_range *range,
		    const struct mregion_behaviour_rule *rule, u64 offset,
		    u32 len, const void *val)
{
	mregion_count(&mregion_region_of(range->node)->counters,
		      MREGION_OUTCOME_SHADOW);
	mregion_rule_store(rule, mregion_rule_memory(rule, offset), len,
			   mregion_load_plain(val, len));
}

/**
 * mregion_short_recent() - read a data register by the rule that was found last
 * @range: the range that the read is in as a whole; its first rule has an index
 * @addr: its first address
 * @len: its length, 1 to 8
 * @val: filled with what is read
 *
 * In an RCU read-side section with preemption off. Has no call in it.
 *
 * Return: whether that completes the read; if not, nothing was done.
 */
static __always_inline bool
mregion_short_recent(const struct mregion_view_range *range, u64 addr, u32 len,
		     void *val)
{
	const struct mregion_behaviour_rule *rule;
	const struct mregion_rule_index *index;
	u64 offset = range->delta + addr;
	u32 word;

	if (static_branch_unlikely(&mregion_traced_short))
		return false;
	rule = READ_ONCE(range->behaviour->recent);
	index = rule->index;
	if (!((range->plain & index->reads) >> len & 1) || offset & (len - 1))
		return false;
	offset -= rule->offset;
	if (offset > rule->room[len])
		return false;
	word = le32_to_cpu(mregion_shadow_fetch(index->word));
	if ((word & index->bits) - index->first > index->span)
		return false;
	mregion_shadow_copy(val, mregion_index_place(rule, word, offset), len);
	mregion_count(&mregion_region_of(range->node)->counters,
		      MREGION_OUTCOME_SHADOW);
	return true;
}

/**
 * mregion_short_indexed() - read a data register by any of its rules
 * @range: the range that the read is in as a whole; its first rule has an index
 * @addr: its first address
 * @len: its length, 1 to 8
 * @val: filled with what is read
 *
 * In an RCU read-side section with preemption off.
 *
 * Return: whether a rule completes the read; false is no more than "not this way".
 */
static __always_inline bool
mregion_short_indexed(const struct mregion_view_range *range, u64 addr, u32 len,
		      void *val)
{
	struct mregion_behaviour *behaviour = range->behaviour;
	const struct mregion_behaviour_rule *rule;
	u64 offset = range->delta + addr;
	void *from;

	if (static_branch_unlikely(&mregion_traced_short))
		return false;
	if (!(range->plain >> len & 1) || offset & (len - 1))
		return false;
	rule = mregion_indexed_find(behaviour, offset, len, false, &from);
	if (!rule)
		return false;
	WRITE_ONCE(behaviour->recent, rule);
	mregion_shadow_copy(val, from, len);
	mregion_count(&mregion_region_of(range->node)->counters,
		      MREGION_OUTCOME_SHADOW);
	return true;
}

/**
 * mregion_short_read() - carry out a rule for a read
 * @range: the range that the read is in
 * @rule: the rule; nothing but a shadow is for reads
 * @offset: of the read, in the region
 * @len: its length, 1, 2, 4 or 8
 * @val: filled with what is read
 *
 * In an RCU read-side section with preemption off. Has no call in it.
 */
static __always_inline void
mregion_short_read(const struct mregion_view_range *range,
		   const struct mregion_behaviour_rule *rule, u64 offset,
		   u32 len, void *val)
{
	struct mregion_region *region = mregion_region_of(range->node);

	mregion_shadow_copy(val, mregion_rule_memory(rule, offset), len);
	mregion_count(&region->counters, MREGION_OUTCOME_SHADOW);
}

#endif /* MREGION_SHORT_H */
