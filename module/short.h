/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The short way of an access: of one that is in one piece, and that a rule
 * completes.
 *
 * Most are, and for those every instruction counts: what happens here is all
 * that an access costs beyond KVM's own part in it. So everything is inline and
 * stays in registers, and what does not fit is handed back undone.
 */
#ifndef MREGION_SHORT_H
#define MREGION_SHORT_H

#include <linux/mregion.h>

#include "behaviour.h"
#include "bytes.h"
#include "counters.h"
#include "region.h"
#include "ring.h"
#include "rule.h"
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
 * mregion_short_plain() - whether rules are to be tried for an access as it is
 * @range: the range that the access is in as a whole
 * @offset: in the region
 * @len: its length, 1 to 8
 *
 * If so, the range has a behaviour with rules. False is no more than "not this
 * way".
 */
static __always_inline bool
mregion_short_plain(const struct mregion_view_range *range, u64 offset, u32 len)
{
	return range->plain >> len & 1 && !(offset & (len - 1));
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
	return false;
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
 * mregion_short_write() - make a write, if that is all there is to it
 * @range: the range that it is in as a whole
 * @addr: its first address
 * @len: its length, 1 to 8
 * @val: the bytes written
 * @vcpu: who makes it, or MREGION_NO_VCPU
 * @outcome: set to what became of it
 *
 * In an RCU read-side section with preemption off.
 *
 * Return: whether a rule has completed it; if not, nothing was done.
 */
static __always_inline bool
mregion_short_write(const struct mregion_view_range *range, u64 addr, u32 len,
		    const void *val, u16 vcpu, enum mregion_outcome *outcome)
{
	struct mregion_region *region = mregion_region_of(range->node);
	u64 offset = range->offset + (addr - range->start);
	const struct mregion_behaviour_rule *rule;

	if (!mregion_short_plain(range, offset, len) ||
	    !mregion_short_rule(range->behaviour, offset, len, true, val,
				&rule))
		return false;
	if (likely(rule->kind == MREGION_RULE_COALESCE)) {
		struct mregion_ring_entry entry = {
			.offset = offset,
			.data = mregion_load_plain(val, len),
			.region = region->id,
			.vcpu = vcpu,
			.len = len,
		};

		/* POSTED: a server is to be told */
		if (unlikely(rule->flags))
			return false;
		if (unlikely(!mregion_ring_append(rule->ring, &entry, 1)))
			return false;
		*outcome = MREGION_OUTCOME_COALESCED;
	} else if (rule->kind == MREGION_RULE_DOORBELL) {
		*outcome = MREGION_OUTCOME_DOORBELL;
		mregion_rule_ring_bell(rule, offset, len, val);
	} else {
		*outcome = MREGION_OUTCOME_SHADOW;
		mregion_rule_store(rule, offset, len,
				   mregion_load_plain(val, len));
	}
	mregion_count(&region->counters, *outcome);
	return true;
}

/**
 * mregion_short_read() - make a read, if that is all there is to it
 * @range: the range that it is in as a whole
 * @addr: its first address
 * @len: its length, 1 to 8
 * @val: filled with what is read, if it is
 * @outcome: set to what became of it
 *
 * In an RCU read-side section with preemption off. Has no call in it.
 *
 * Return: whether a rule has completed it; if not, nothing was done.
 */
static __always_inline bool
mregion_short_read(const struct mregion_view_range *range, u64 addr, u32 len,
		   void *val, enum mregion_outcome *outcome)
{
	struct mregion_region *region = mregion_region_of(range->node);
	u64 offset = range->offset + (addr - range->start);
	const struct mregion_behaviour_rule *rule;

	if (!mregion_short_plain(range, offset, len) ||
	    !mregion_short_rule(range->behaviour, offset, len, false, val,
				&rule))
		return false;
	/* nothing but a shadow is for reads */
	mregion_shadow_copy(val, rule->memory + (offset - rule->offset), len);
	*outcome = MREGION_OUTCOME_SHADOW;
	mregion_count(&region->counters, *outcome);
	return true;
}

#endif /* MREGION_SHORT_H */
