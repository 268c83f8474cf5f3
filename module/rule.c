// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "budget.h"
#include "compat.h"
#include "indexed.h"
#include "machine.h"
#include "ring.h"
#include "rule.h"
#include "shadow.h"

const struct mregion_behaviour_rule mregion_rule_none;

static int mregion_rule_check_doorbell(const struct mregion_rule *args)
{
	u32 known = MREGION_RULE_DATAMATCH | MREGION_RULE_STORE |
		    MREGION_RULE_ANY_LEN | MREGION_RULE_FAST;
	u32 any = MREGION_RULE_ANY_LEN | MREGION_RULE_FAST;
	u32 len = args->access_len;

	if (args->flags & ~known || args->ring)
		return -EINVAL;
	if (len > 8 || len & (len - 1))
		return -EINVAL;
	if (!(args->flags & MREGION_RULE_DATAMATCH) && args->datamatch)
		return -EINVAL;
	if (args->flags & MREGION_RULE_ANY_LEN &&
	    (args->flags & ~any || args->len != 1 || len))
		return -EINVAL;
	if (args->flags & MREGION_RULE_FAST &&
	    !(args->flags & MREGION_RULE_ANY_LEN))
		return -EINVAL;
	if (!(args->flags & MREGION_RULE_STORE) &&
	    (args->shadow || args->shadow_offset))
		return -EINVAL;
	return 0;
}

static int mregion_rule_check_shadow(const struct mregion_rule *args)
{
	u32 known = MREGION_RULE_READ | MREGION_RULE_WRITE |
		    MREGION_RULE_NOTIFY | MREGION_RULE_INDEXED;
	u32 len = args->access_len;

	if (args->flags & ~known || args->ring || args->datamatch)
		return -EINVAL;
	if (len > 8 || len & (len - 1))
		return -EINVAL;
	if (!(args->flags & (MREGION_RULE_READ | MREGION_RULE_WRITE)))
		return -EINVAL;
	if (args->flags & MREGION_RULE_NOTIFY)
		return args->flags & MREGION_RULE_WRITE ? 0 : -EINVAL;
	return args->eventfd ? -EINVAL : 0;
}

static int mregion_rule_check_coalesce(const struct mregion_rule *args)
{
	if (args->flags & ~MREGION_RULE_POSTED || args->access_len ||
	    args->datamatch || args->eventfd || args->shadow ||
	    args->shadow_offset)
		return -EINVAL;
	return 0;
}

/* Find the shadow memory, and take a reference. */
static int mregion_rule_set_shadow(struct mregion_machine *machine,
				   const struct mregion_rule *args,
				   struct mregion_behaviour_rule *rule)
{
	struct mregion_shadow *shadow = xa_load(&machine->shadows,
						args->shadow);
	u64 len;

	if (!shadow)
		return -ENOENT;
	len = mregion_shadow_len(shadow);
	if (!args->len || args->shadow_offset > len ||
	    args->len > len - args->shadow_offset ||
	    (args->shadow_offset ^ args->offset) & 7)
		return -EINVAL;
	mregion_shadow_get(shadow);
	rule->shadow = shadow;
	rule->shadow_offset = args->shadow_offset;
	rule->memory = shadow->memory.addr + args->shadow_offset;
	return 0;
}

static int mregion_rule_resolve(struct mregion_machine *machine,
				const struct mregion_rule *args,
				struct mregion_behaviour_rule *rule, bool del)
{
	bool bell = rule->kind == MREGION_RULE_DOORBELL;

	if (rule->kind == MREGION_RULE_COALESCE) {
		rule->ring = xa_load(&machine->rings, args->ring);
		if (!rule->ring)
			return -ENOENT;
		mregion_ring_get(rule->ring);
		return 0;
	}
	/* whoever deletes a rule may have closed its eventfd */
	if ((bell || args->flags & MREGION_RULE_NOTIFY) &&
	    !(del && args->eventfd == -1)) {
		struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->eventfd);

		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
		rule->eventfd = eventfd;
	}
	if (args->flags & MREGION_RULE_INDEXED)
		return mregion_index_resolve(machine, args, rule);
	if (!bell || args->flags & MREGION_RULE_STORE)
		return mregion_rule_set_shadow(machine, args, rule);
	return 0;
}

static int mregion_rule_check(const struct mregion_rule *args)
{
	u32 known = MREGION_RULE_DATAMATCH | MREGION_RULE_STORE |
		    MREGION_RULE_READ | MREGION_RULE_WRITE |
		    MREGION_RULE_NOTIFY | MREGION_RULE_POSTED |
		    MREGION_RULE_ANY_LEN | MREGION_RULE_FAST |
		    MREGION_RULE_INDEXED;

	if (args->flags & ~known)
		return -EOPNOTSUPP;
	if (args->reserved || mregion_index_check(args))
		return -EINVAL;
	switch (args->kind) {
	case MREGION_RULE_COALESCE:
		return mregion_rule_check_coalesce(args);
	case MREGION_RULE_DOORBELL:
		return mregion_rule_check_doorbell(args);
	case MREGION_RULE_SHADOW:
		return mregion_rule_check_shadow(args);
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * The sizes of access that a rule is for; bit n for n bytes. @span: from the first to
 * the last byte of its part, which ends where all addresses do, whatever its length.
 */
static u16 mregion_rule_sizes_of(const struct mregion_rule *args, u64 span)
{
	u16 sizes = BIT(1) | BIT(2) | BIT(4) | BIT(8);

	if (args->flags & MREGION_RULE_ANY_LEN)
		return sizes;
	if (args->access_len)
		sizes = BIT(args->access_len);
	/* what is larger does not lie within the part */
	if (span < 7)
		sizes &= BIT(span + 2) - 1;
	/* a write never has a value that does not fit */
	if (args->datamatch > U8_MAX)
		sizes &= ~BIT(1);
	if (args->datamatch > U16_MAX)
		sizes &= ~BIT(2);
	if (args->datamatch > U32_MAX)
		sizes &= ~BIT(4);
	return sizes;
}

static void mregion_rule_set_room(struct mregion_behaviour_rule *rule)
{
	u64 span = rule->last - rule->offset;
	u32 len;

	rule->len = span + 1;
	for (len = 1; len <= 8; len *= 2)
		if (span >= len - 1)
			rule->room[len] = span - (len - 1);
}

static size_t mregion_rule_size(u32 flags)
{
	struct mregion_behaviour_rule *rule;

	return struct_size(rule, index, flags & MREGION_RULE_INDEXED ? 1 : 0);
}

/* What a rule is charged with. */
static u64 mregion_rule_bytes(u32 flags)
{
	return mregion_rule_size(flags) + MREGION_BUDGET_EVENTFD;
}

/**
 * mregion_rule_alloc() - make ready a rule from userspace
 * @machine: the machine, locked
 * @args: from userspace
 * @del: it is what one to delete is like: @args->eventfd may be -1
 *
 * Return: the rule, or an ERR_PTR, see struct mregion_rule.
 */
struct mregion_behaviour_rule *
mregion_rule_alloc(struct mregion_machine *machine,
		   const struct mregion_rule *args, bool del)
{
	u64 last = args->offset + (args->len - 1);
	struct mregion_behaviour_rule *rule;
	u16 sizes;
	int ret = mregion_rule_check(args) ?:
		  mregion_budget_charge(machine->budget,
					mregion_rule_bytes(args->flags));

	if (ret)
		return ERR_PTR(ret);
	rule = kzalloc(mregion_rule_size(args->flags), GFP_KERNEL_ACCOUNT);
	if (!rule) {
		mregion_budget_uncharge(machine->budget,
					mregion_rule_bytes(args->flags));
		return ERR_PTR(-ENOMEM);
	}
	rule->budget = machine->budget;
	rule->offset = args->offset;
	rule->last = last < args->offset ? U64_MAX : last;
	mregion_rule_set_room(rule);
	sizes = mregion_rule_sizes_of(args, rule->last - rule->offset);
	rule->kind = args->kind;
	rule->flags = args->flags;
	rule->access_len = args->access_len;
	rule->datamatch = args->datamatch;
	if (args->kind != MREGION_RULE_SHADOW ||
	    args->flags & MREGION_RULE_WRITE)
		rule->writes = sizes;
	if (!(args->flags & MREGION_RULE_DATAMATCH))
		rule->any = rule->writes;
	if (args->kind == MREGION_RULE_SHADOW &&
	    args->flags & MREGION_RULE_READ)
		rule->reads = sizes;
	if (mregion_rule_is_indexed(rule)) {
		swap(rule->reads, rule->index->reads);
		swap(rule->writes, rule->index->writes);
		rule->any = 0;
	}
	ret = mregion_rule_resolve(machine, args, rule, del);
	/* a value that no write has, or a size that the part has no room for */
	if (!ret && !mregion_rule_sizes(rule))
		ret = -EINVAL;
	if (ret) {
		mregion_rule_free(rule);
		return ERR_PTR(ret);
	}
	return rule;
}

/**
 * mregion_rule_free() - free a rule; may sleep
 * @rule: one that no behaviour that can be reached points to
 */
void mregion_rule_free(struct mregion_behaviour_rule *rule)
{
	if (rule->ring)
		mregion_ring_put(rule->ring);
	if (rule->shadow)
		mregion_shadow_put(rule->shadow);
	if (mregion_rule_is_indexed(rule))
		mregion_index_release(rule);
	if (rule->eventfd)
		eventfd_ctx_put(rule->eventfd);
	mregion_budget_uncharge(rule->budget, mregion_rule_bytes(rule->flags));
	kfree(rule);
}

static u32 mregion_rule_reads(const struct mregion_behaviour_rule *rule)
{
	return mregion_rule_is_indexed(rule) ? rule->index->reads : rule->reads;
}

static u32 mregion_rule_writes(const struct mregion_behaviour_rule *rule)
{
	return mregion_rule_is_indexed(rule) ? rule->index->writes :
					       rule->writes;
}

/** mregion_rule_sizes() - sizes of accesses that a rule is for; bit n for n bytes */
u32 mregion_rule_sizes(const struct mregion_behaviour_rule *rule)
{
	return mregion_rule_reads(rule) | mregion_rule_writes(rule);
}

/* Whether one is for a write that begins where the other is, of any length. */
static bool mregion_rules_begin(const struct mregion_behaviour_rule *a,
				const struct mregion_behaviour_rule *b)
{
	const struct mregion_behaviour_rule *any = a, *rule = b;
	u32 len;

	if (!(any->flags & MREGION_RULE_ANY_LEN))
		swap(any, rule);
	for (len = 1; len <= 8; len *= 2)
		if (rule->writes & BIT(len) &&
		    any->offset - rule->offset <= rule->room[len])
			return true;
	return false;
}

/**
 * mregion_rules_clash() - whether two rules could match the same access
 * @a: a rule
 * @b: a rule
 *
 * Of different kinds they may: then the kind decides.
 */
bool mregion_rules_clash(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b)
{
	u32 flags = a->flags & b->flags, len, sizes;
	u64 first, last;

	if (a->kind != b->kind)
		return false;
	if (flags & MREGION_RULE_INDEXED && mregion_index_apart(a, b))
		return false;
	if (flags & MREGION_RULE_DATAMATCH && a->datamatch != b->datamatch)
		return false;
	if ((a->flags | b->flags) & MREGION_RULE_ANY_LEN)
		return mregion_rules_begin(a, b);
	if (a->offset > b->last || b->offset > a->last)
		return false;
	first = max(a->offset, b->offset);
	last = min(a->last, b->last);
	sizes = (mregion_rule_reads(a) & mregion_rule_reads(b)) |
		(mregion_rule_writes(a) & mregion_rule_writes(b));
	for (len = 1; len <= 8; len *= 2)
		if (sizes & BIT(len) && last - first >= len - 1)
			return true;
	return false;
}

/**
 * mregion_rules_equal() - whether a rule is what is looked for
 * @a: the rule
 * @b: what is looked for; without an eventfd, any will do
 */
bool mregion_rules_equal(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b)
{
	return a->offset == b->offset && a->last == b->last &&
	       a->kind == b->kind && a->flags == b->flags &&
	       a->access_len == b->access_len &&
	       a->datamatch == b->datamatch &&
	       a->shadow_offset == b->shadow_offset && a->ring == b->ring &&
	       (!b->eventfd || a->eventfd == b->eventfd) &&
	       a->shadow == b->shadow &&
	       (!mregion_rule_is_indexed(a) ||
		!memcmp(&a->index->args, &b->index->args,
			sizeof(a->index->args)));
}

/** mregion_rule_rank() - where a rule's kind comes in the order of trying */
u32 mregion_rule_rank(const struct mregion_behaviour_rule *rule)
{
	switch (rule->kind) {
	case MREGION_RULE_DOORBELL:
		return rule->flags & MREGION_RULE_ANY_LEN ? 0 : 1;
	case MREGION_RULE_COALESCE:
		return 2;
	default:
		return mregion_rule_is_indexed(rule) ? 4 : 3;
	}
}

/*
 * Store to shadow memory as the guest's CPU would to memory. Whoever polls it, and reads
 * by load-acquire, sees what the vCPU wrote to memory before. Without alignment that
 * holds for each byte.
 */
static void mregion_shadow_store(void *to, unsigned int len, u64 data)
{
	u8 *byte;

	if (!((unsigned long)to & (len - 1))) {
		switch (len) {
		case 1:
			mregion_shadow_publish((u8 *)to, (u8)data);
			return;
		case 2:
			mregion_shadow_publish((__le16 *)to, cpu_to_le16(data));
			return;
		case 4:
			mregion_shadow_publish((__le32 *)to, cpu_to_le32(data));
			return;
		case 8:
			mregion_shadow_publish((__le64 *)to, cpu_to_le64(data));
			return;
		}
	}
	for (byte = to; len--; byte++, data >>= 8)
		mregion_shadow_publish(byte, (u8)data);
}

/*
 * Store, and tell whether that has changed anything: at once, so that of two
 * vCPUs that write different values the later one says so. What is not aligned
 * counts as a change. A full barrier, so at least as strong as a store-release.
 */
static bool mregion_shadow_change(void *to, unsigned int len, u64 data)
{
	u16 le16 = (__force u16)cpu_to_le16(data);
	u32 le32 = (__force u32)cpu_to_le32(data);
	u64 le64 = (__force u64)cpu_to_le64(data);

	if (!((unsigned long)to & (len - 1))) {
		switch (len) {
		case 1:
			return mregion_xchg8((u8 *)to, (u8)data) != (u8)data;
		case 2:
			return mregion_xchg16((u16 *)to, le16) != le16;
		case 4:
			return xchg((u32 *)to, le32) != le32;
		case 8:
			return xchg((u64 *)to, le64) != le64;
		}
	}
	mregion_shadow_store(to, len, data);
	return true;
}

/**
 * mregion_rule_keep() - keep the value written in shadow memory
 * @rule: the rule; has shadow memory
 * @offset: of the write, in the region
 * @len: its length
 * @data: its value
 */
void mregion_rule_keep(const struct mregion_behaviour_rule *rule, u64 offset,
		       unsigned int len, u64 data)
{
	mregion_shadow_store(mregion_rule_memory(rule, offset), len, data);
}

/**
 * mregion_rule_store() - carry out a write to a shadow
 * @rule: the rule
 * @to: its place in shadow memory
 * @len: its length
 * @data: its value
 */
void mregion_rule_store(const struct mregion_behaviour_rule *rule, void *to,
			unsigned int len, u64 data)
{
	if (!rule->eventfd)
		mregion_shadow_store(to, len, data);
	else if (mregion_shadow_change(to, len, data))
		mregion_eventfd_signal(rule->eventfd);
}
