/* SPDX-License-Identifier: GPL-2.0 */
/* Rules: actions of the kernel for an access that is then not forwarded. */
#ifndef MREGION_RULE_H
#define MREGION_RULE_H

#include <linux/nospec.h>
#include <linux/types.h>

#include "behaviour.h"
#include "bytes.h"
#include "compat.h"

struct mregion_machine;

/* A rule that is for no access. */
extern const struct mregion_behaviour_rule mregion_rule_none;

struct mregion_behaviour_rule *
mregion_rule_alloc(struct mregion_machine *machine,
		   const struct mregion_rule *args, bool del);
void mregion_rule_free(struct mregion_behaviour_rule *rule);
bool mregion_rules_clash(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b);
bool mregion_rules_equal(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b);
u32 mregion_rule_rank(const struct mregion_behaviour_rule *rule);
u32 mregion_rule_sizes(const struct mregion_behaviour_rule *rule);
void mregion_rule_keep(const struct mregion_behaviour_rule *rule, u64 offset,
		       unsigned int len, u64 data);
void mregion_rule_store(const struct mregion_behaviour_rule *rule, void *to,
			unsigned int len, u64 data);

/** mregion_rule_is_indexed() - whether an index selects what a shadow serves */
static inline bool
mregion_rule_is_indexed(const struct mregion_behaviour_rule *rule)
{
	return rule->flags & MREGION_RULE_INDEXED;
}

/** mregion_rule_index_args() - the index of a rule as given, or NULL without one */
static inline const struct mregion_index *
mregion_rule_index_args(const struct mregion_behaviour_rule *rule)
{
	return mregion_rule_is_indexed(rule) ? &rule->index->args : NULL;
}

/**
 * mregion_rule_matches() - whether a rule is for an access
 * @rule: the rule
 * @offset: in the region
 * @len: of the access, 1, 2, 4 or 8
 * @write: whether it is a write
 * @val: the bytes written
 */
static __always_inline bool
mregion_rule_matches(const struct mregion_behaviour_rule *rule, u64 offset,
		     unsigned int len, bool write, const void *val)
{
	if (offset - rule->offset > rule->room[len])
		return false;
	if (!write)
		return rule->reads >> len & 1;
	if (rule->any >> len & 1)
		return true;
	/* of no size that the value to match does not fit into */
	return rule->writes >> len & 1 &&
	       mregion_equal_plain(val, len, rule->datamatch);
}

/**
 * mregion_rule_memory() - the place of an access in shadow memory
 * @rule: a rule that has shadow memory, and matches the access
 * @offset: of the access, in the region
 *
 * The guest chooses the offset, and the processor may execute this speculatively,
 * before the comparison of the offset.
 */
static __always_inline void *
mregion_rule_memory(const struct mregion_behaviour_rule *rule, u64 offset)
{
	return rule->memory + array_index_nospec(offset - rule->offset,
						 rule->len);
}

/* Pairs with the load-acquire of who shares the memory: Documentation/ordering.rst. */
#define mregion_shadow_publish(at, val)	smp_store_release(at, val)

/* Pairs with the store-release of who shares the memory. */
#define mregion_shadow_fetch(at)	smp_load_acquire(at)

/**
 * mregion_shadow_load() - read shadow memory as the guest's CPU would memory
 * @from: where; aligned as the access is
 * @len: 1, 2, 4 or 8
 * @aligned: whether the access is aligned to its size
 *
 * What the vCPU reads afterwards is what was there when the value was stored, by
 * store-release, or later. Without alignment that holds for each byte.
 */
static inline u64 mregion_shadow_load(const void *from, unsigned int len,
				      bool aligned)
{
	const u8 *byte = from;
	u64 data = 0;
	u32 i;

	if (likely(aligned)) {
		switch (len) {
		case 1:
			return mregion_shadow_fetch((const u8 *)from);
		case 2:
			return le16_to_cpu(mregion_shadow_fetch((const __le16 *)from));
		case 4:
			return le32_to_cpu(mregion_shadow_fetch((const __le32 *)from));
		case 8:
			return le64_to_cpu(mregion_shadow_fetch((const __le64 *)from));
		}
	}
	for (i = 0; i < len; i++, byte++)
		data |= (u64)mregion_shadow_fetch(byte) << i * 8;
	return data;
}

/**
 * mregion_shadow_copy() - as mregion_shadow_load(), to the guest's bytes
 * @to: where the access's bytes go, in any alignment
 * @from: where; aligned as the access is, which is aligned
 * @len: 1, 2, 4 or 8
 */
static __always_inline void mregion_shadow_copy(void *to, const void *from,
						unsigned int len)
{
	/* both are as the guest has them in memory */
	if (len == 4)
		put_unaligned(mregion_shadow_fetch((const u32 *)from), (u32 *)to);
	else if (len == 1)
		*(u8 *)to = mregion_shadow_fetch((const u8 *)from);
	else if (len == 2)
		put_unaligned(mregion_shadow_fetch((const u16 *)from), (u16 *)to);
	else
		put_unaligned(mregion_shadow_fetch((const u64 *)from), (u64 *)to);
}

/**
 * mregion_rule_ring_bell() - carry out a doorbell
 * @rule: the rule
 * @offset: of the write, in the region
 * @len: its length
 * @val: the bytes written
 */
static __always_inline void
mregion_rule_ring_bell(const struct mregion_behaviour_rule *rule, u64 offset,
		       unsigned int len, const void *val)
{
	/* whoever is signalled finds the value */
	if (rule->memory)
		mregion_rule_keep(rule, offset, len,
				  mregion_load_plain(val, len));
	mregion_eventfd_signal(rule->eventfd);
}

#endif /* MREGION_RULE_H */
