// SPDX-License-Identifier: GPL-2.0
/* What can be asked for: how it is listed, and which attributes it has. */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <net/netlink.h>

#include "behaviour.h"
#include "dump.h"
#include "kvm_attachment.h"
#include "machine.h"
#include "netlink.h"
#include "region.h"
#include "ring.h"
#include "rule.h"
#include "server.h"
#include "shadow.h"
#include "survey.h"

/* The object of an ID, or all; ends behind the one that is asked for. */
#define mregion_for_each_asked(xa, index, object, query)		\
	xa_for_each_range(xa, index, object, (query)->id,		\
			  (query)->id ?: ULONG_MAX)

/* What each object says first. */
#define MREGION_PUT_HEAD(skb, SET, answer, id)				\
	(nla_put_u32(skb, MREGION_A_##SET##_MACHINE, (answer)->machine) || \
	 nla_put_u32(skb, MREGION_A_##SET##_ID, id) ||			\
	 mregion_put_u64(skb, MREGION_A_##SET##_GENERATION,		\
			 (answer)->generation, MREGION_A_##SET##_PAD))

#define MREGION_PUT_U64(skb, SET, NAME, value)				\
	mregion_put_u64(skb, MREGION_A_##SET##_##NAME, value,		\
			MREGION_A_##SET##_PAD)

/* ---- Virtual machines -------------------------------------------------- */

/* With the process as who asks knows it. */
struct mregion_vm_entry {
	struct mregion_vm vm;
	u32 pid;
};

static void mregion_list_vm(void *to, const struct mregion_vm *vm)
{
	struct mregion_vm_entry *entry = mregion_list_next(to);

	if (!entry)
		return;
	entry->vm = *vm;
	entry->vm.pid = NULL;
	entry->pid = pid_vnr(vm->pid);
}

static int mregion_fill_vms(struct mregion_machine *machine,
			    const struct mregion_query *query,
			    struct mregion_list *list)
{
	mregion_attachments_reap(machine);
	mregion_attachments_walk(machine, mregion_list_vm, list);
	return 0;
}

static int mregion_put_vm(struct sk_buff *skb,
			  const struct mregion_answer *answer,
			  const void *data)
{
	const struct mregion_vm_entry *entry = data;

	if (nla_put_u32(skb, MREGION_A_VM_MACHINE, answer->machine) ||
	    nla_put_u32(skb, MREGION_A_VM_ID, entry->vm.id) ||
	    nla_put_u32(skb, MREGION_A_VM_PID, entry->pid) ||
	    mregion_put_id(skb, MREGION_A_VM_MEMORY, entry->vm.memory) ||
	    mregion_put_id(skb, MREGION_A_VM_PIO, entry->vm.pio) ||
	    mregion_put_id(skb, MREGION_A_VM_SMM, entry->vm.smm))
		return -EMSGSIZE;
	return 0;
}

/* ---- Spaces ------------------------------------------------------------ */

static void mregion_read_counters(const struct mregion_counters *counters,
				  u64 *outcomes)
{
	u32 i;

	for (i = 0; i < MREGION_NR_OUTCOMES; i++)
		outcomes[i] = atomic64_read(&counters->outcome[i]);
}

struct mregion_space_entry {
	struct mregion_space_info info;
	u64 outcomes[MREGION_NR_OUTCOMES];
};

static int mregion_fill_spaces(struct mregion_machine *machine,
			       const struct mregion_query *query,
			       struct mregion_list *list)
{
	struct mregion_space *space;
	unsigned long id;

	mregion_attachments_reap(machine);
	mregion_for_each_asked(&machine->spaces, id, space, query) {
		struct mregion_space_entry *entry = mregion_list_next(list);

		if (!entry)
			continue;
		mregion_space_describe(space, &entry->info);
		mregion_read_counters(&space->counters, entry->outcomes);
	}
	return 0;
}

static int mregion_put_space(struct sk_buff *skb,
			     const struct mregion_answer *answer,
			     const void *data)
{
	const struct mregion_space_entry *entry = data;
	const struct mregion_space_info *info = &entry->info;

	if (MREGION_PUT_HEAD(skb, SPACE, answer, info->id) ||
	    nla_put_u32(skb, MREGION_A_SPACE_ROOT, info->root) ||
	    nla_put_u32(skb, MREGION_A_SPACE_BUS, info->bus) ||
	    nla_put_u32(skb, MREGION_A_SPACE_UNASSIGNED, info->unassigned) ||
	    MREGION_PUT_U64(skb, SPACE, VIEW_GENERATION, info->generation) ||
	    nla_put_u32(skb, MREGION_A_SPACE_NR_RANGES, info->nr_ranges) ||
	    nla_put_u32(skb, MREGION_A_SPACE_NR_VMS, info->nr_vms))
		return -EMSGSIZE;
	return mregion_put_counters(skb, MREGION_A_SPACE_COUNTERS,
				    entry->outcomes);
}

/* ---- Regions ----------------------------------------------------------- */

struct mregion_region_entry {
	struct mregion_region_info info;
	u64 outcomes[MREGION_NR_OUTCOMES];
};

static int mregion_fill_regions(struct mregion_machine *machine,
				const struct mregion_query *query,
				struct mregion_list *list)
{
	struct mregion_region *region;
	unsigned long id;

	mregion_for_each_asked(&machine->regions, id, region, query) {
		struct mregion_region_entry *entry = mregion_list_next(list);

		cond_resched();
		if (!entry)
			continue;
		mregion_region_describe(region, &entry->info);
		mregion_read_counters(&region->counters, entry->outcomes);
	}
	return 0;
}

static int mregion_put_place(struct sk_buff *skb,
			     const struct mregion_region_info *info)
{
	if (MREGION_PUT_U64(skb, REGION, LEN, info->len))
		return -EMSGSIZE;
	if (info->parent &&
	    (nla_put_u32(skb, MREGION_A_REGION_PARENT, info->parent) ||
	     MREGION_PUT_U64(skb, REGION, OFFSET, info->offset) ||
	     MREGION_PUT_U64(skb, REGION, ORDER, info->order) ||
	     nla_put_s32(skb, MREGION_A_REGION_PRIORITY, info->priority)))
		return -EMSGSIZE;
	if (info->target &&
	    (nla_put_u32(skb, MREGION_A_REGION_TARGET, info->target) ||
	     MREGION_PUT_U64(skb, REGION, TARGET_OFFSET, info->target_offset)))
		return -EMSGSIZE;
	if (info->backing &&
	    (nla_put_u32(skb, MREGION_A_REGION_BACKING, info->backing) ||
	     MREGION_PUT_U64(skb, REGION, BACKING_OFFSET,
			     info->backing_offset)))
		return -EMSGSIZE;
	return 0;
}

static bool mregion_is_device(u32 kind)
{
	return kind == MREGION_MMIO || kind == MREGION_ROMD ||
	       kind == MREGION_RAMDEV;
}

static int mregion_put_device(struct sk_buff *skb,
			      const struct mregion_region_info *info)
{
	const struct mregion_constraints *constraints = &info->constraints;

	if (!mregion_is_device(info->kind))
		return 0;
	if (nla_put_u32(skb, MREGION_A_REGION_VALID_MIN,
			constraints->valid_min) ||
	    nla_put_u32(skb, MREGION_A_REGION_VALID_MAX,
			constraints->valid_max) ||
	    nla_put_u32(skb, MREGION_A_REGION_IMPL_MIN,
			constraints->impl_min) ||
	    nla_put_u32(skb, MREGION_A_REGION_IMPL_MAX,
			constraints->impl_max) ||
	    nla_put_u32(skb, MREGION_A_REGION_CONSTRAINT_FLAGS,
			constraints->flags) ||
	    nla_put_u32(skb, MREGION_A_REGION_REFUSED, constraints->refused) ||
	    nla_put_u32(skb, MREGION_A_REGION_NR_RULES, info->nr_rules) ||
	    mregion_put_id(skb, MREGION_A_REGION_SERVER, info->server))
		return -EMSGSIZE;
	return 0;
}

static int mregion_put_region(struct sk_buff *skb,
			      const struct mregion_answer *answer,
			      const void *data)
{
	const struct mregion_region_entry *entry = data;
	const struct mregion_region_info *info = &entry->info;

	if (MREGION_PUT_HEAD(skb, REGION, answer, info->id) ||
	    nla_put_string(skb, MREGION_A_REGION_NAME, info->name) ||
	    nla_put_u32(skb, MREGION_A_REGION_KIND, info->kind) ||
	    nla_put_u32(skb, MREGION_A_REGION_FLAGS, info->flags) ||
	    mregion_put_place(skb, info) || mregion_put_device(skb, info))
		return -EMSGSIZE;
	return mregion_put_counters(skb, MREGION_A_REGION_COUNTERS,
				    entry->outcomes);
}

/* ---- Ranges ------------------------------------------------------------ */

struct mregion_range_entry {
	struct mregion_range range;
	u32 space;
};

static int mregion_ask_ranges(struct nlattr **attrs,
			      struct netlink_ext_ack *extack, bool dump,
			      struct mregion_query *query)
{
	const struct nlattr *start = attrs[MREGION_A_RANGE_START];
	const struct nlattr *last = attrs[MREGION_A_RANGE_LAST];

	query->attr = attrs[MREGION_A_RANGE_SPACE];
	if (!query->attr)
		return mregion_nl_missing(extack, MREGION_A_RANGE_SPACE, "space");
	query->space = nla_get_u32(query->attr);
	if (!dump && !start)
		return mregion_nl_missing(extack, MREGION_A_RANGE_START, "start");
	if (!dump && last) {
		NL_SET_ERR_MSG_ATTR(extack, last, "last: one range is asked for");
		return -EINVAL;
	}
	query->cut = !dump;
	if (start)
		query->start = nla_get_u64(start);
	if (last)
		query->last = nla_get_u64(last);
	if (query->start <= query->last)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, last, "last: is before start");
	return -EINVAL;
}

/* What is at the first address that is asked for, from there on. */
static void mregion_fill_range_at(const struct mregion_view *view,
				  const struct mregion_query *query,
				  struct mregion_list *list)
{
	struct mregion_translate args = {
		.addr = query->start,
		.len = -query->start,	/* to the last one that there is */
	};
	struct mregion_range_entry *entry;

	if (mregion_dump_translate(view, &args))
		return;
	entry = mregion_list_next(list);
	if (!entry)
		return;
	entry->space = query->space;
	entry->range = args.range;
}

static int mregion_fill_ranges(struct mregion_machine *machine,
			       const struct mregion_query *query,
			       struct mregion_list *list)
{
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	const struct mregion_view *view;
	struct mregion_space *space;

	space = xa_load(&machine->spaces, query->space);
	if (!space)
		return -ENOENT;
	view = space->view;
	if (query->cut) {
		mregion_fill_range_at(view, query, list);
		return 0;
	}
	mregion_view_for_each(range, &cursor, view, query->start) {
		struct mregion_range_entry *entry;

		if (range->start > query->last)
			break;
		cond_resched();
		entry = mregion_list_next(list);
		if (!entry)
			continue;
		entry->space = query->space;
		mregion_view_describe(range, mregion_region_of(range->node)->id,
				      &entry->range);
	}
	return 0;
}

static int mregion_put_range_entry(struct sk_buff *skb,
				   const struct mregion_answer *answer,
				   const void *data)
{
	const struct mregion_range_entry *entry = data;

	if (nla_put_u32(skb, MREGION_A_RANGE_MACHINE, answer->machine) ||
	    nla_put_u32(skb, MREGION_A_RANGE_SPACE, entry->space) ||
	    MREGION_PUT_U64(skb, RANGE, GENERATION, answer->generation))
		return -EMSGSIZE;
	return mregion_put_range(skb, &entry->range);
}

/* ---- Rules ------------------------------------------------------------- */

struct mregion_rule_entry {
	u32 region;
	struct mregion_rule rule;
};

static int mregion_ask_rules(struct nlattr **attrs,
			     struct netlink_ext_ack *extack, bool dump,
			     struct mregion_query *query)
{
	query->attr = attrs[MREGION_A_RULE_REGION];
	if (query->attr)
		query->region = nla_get_u32(query->attr);
	return 0;
}

static void mregion_fill_rules_of(const struct mregion_region *region,
				  struct mregion_list *list)
{
	const struct mregion_behaviour *behaviour;
	u32 i;

	behaviour = region->node.state.behaviour;
	for (i = 0; behaviour && i < behaviour->nr_rules; i++) {
		const struct mregion_behaviour_rule *rule =
			behaviour->sorted[i];
		const struct mregion_index *index =
			mregion_rule_index_args(rule);
		struct mregion_rule_entry *entry = mregion_list_next(list);

		if (!entry)
			continue;
		entry->region = region->id;
		entry->rule = (struct mregion_rule) {
			.kind = rule->kind,
			.flags = rule->flags,
			.offset = rule->offset,
			.len = rule->len,
			.access_len = rule->access_len,
			.datamatch = rule->datamatch,
			.ring = rule->ring ? rule->ring->id : 0,
			.shadow = rule->shadow ? rule->shadow->id : 0,
			.shadow_offset = rule->shadow_offset,
		};
		if (index)
			entry->rule.index = *index;
	}
}

static int mregion_fill_rules(struct mregion_machine *machine,
			      const struct mregion_query *query,
			      struct mregion_list *list)
{
	struct mregion_region *region;
	unsigned long id;

	if (query->region) {
		region = xa_load(&machine->regions, query->region);
		if (!region)
			return -ENOENT;
		mregion_fill_rules_of(region, list);
		return 0;
	}
	xa_for_each(&machine->regions, id, region) {
		mregion_fill_rules_of(region, list);
		cond_resched();
	}
	return 0;
}

/* The size alone that a rule is for; a doorbell says that it has none, too. */
static int mregion_put_access_len(struct sk_buff *skb,
				  const struct mregion_rule *rule)
{
	if (rule->kind != MREGION_RULE_DOORBELL && !rule->access_len)
		return 0;
	return nla_put_u32(skb, MREGION_A_RULE_ACCESS_LEN, rule->access_len);
}

static int mregion_put_index(struct sk_buff *skb,
			     const struct mregion_rule *rule)
{
	const struct mregion_index *index = &rule->index;

	if (!(rule->flags & MREGION_RULE_INDEXED))
		return 0;
	if (nla_put_u32(skb, MREGION_A_RULE_INDEX_SHADOW, index->shadow) ||
	    MREGION_PUT_U64(skb, RULE, INDEX_OFFSET, index->offset) ||
	    nla_put_u32(skb, MREGION_A_RULE_INDEX_LEN, index->len) ||
	    nla_put_u32(skb, MREGION_A_RULE_INDEX_BITS, index->bits) ||
	    nla_put_u32(skb, MREGION_A_RULE_INDEX_FIRST, index->first) ||
	    nla_put_u32(skb, MREGION_A_RULE_INDEX_LAST, index->last) ||
	    nla_put_u32(skb, MREGION_A_RULE_INDEX_SELECT, index->select) ||
	    nla_put_s32(skb, MREGION_A_RULE_INDEX_SHIFT, index->shift))
		return -EMSGSIZE;
	return 0;
}

static int mregion_put_rule(struct sk_buff *skb,
			    const struct mregion_answer *answer,
			    const void *data)
{
	const struct mregion_rule_entry *entry = data;
	const struct mregion_rule *rule = &entry->rule;

	if (nla_put_u32(skb, MREGION_A_RULE_MACHINE, answer->machine) ||
	    nla_put_u32(skb, MREGION_A_RULE_REGION, entry->region) ||
	    MREGION_PUT_U64(skb, RULE, GENERATION, answer->generation) ||
	    nla_put_u32(skb, MREGION_A_RULE_KIND, rule->kind) ||
	    nla_put_u32(skb, MREGION_A_RULE_FLAGS, rule->flags) ||
	    MREGION_PUT_U64(skb, RULE, OFFSET, rule->offset) ||
	    MREGION_PUT_U64(skb, RULE, LEN, rule->len) ||
	    mregion_put_id(skb, MREGION_A_RULE_RING, rule->ring) ||
	    mregion_put_access_len(skb, rule))
		return -EMSGSIZE;
	if (rule->flags & MREGION_RULE_DATAMATCH &&
	    MREGION_PUT_U64(skb, RULE, DATAMATCH, rule->datamatch))
		return -EMSGSIZE;
	if (rule->shadow &&
	    (nla_put_u32(skb, MREGION_A_RULE_SHADOW, rule->shadow) ||
	     MREGION_PUT_U64(skb, RULE, SHADOW_OFFSET, rule->shadow_offset)))
		return -EMSGSIZE;
	return mregion_put_index(skb, rule);
}

/* ---- Rings ------------------------------------------------------------- */

struct mregion_ring_info {
	u32 id;
	u32 nr_entries;
	u32 waiting;
	u64 appended;
	u64 full;
	u64 wakeups;
};

static int mregion_fill_rings(struct mregion_machine *machine,
			      const struct mregion_query *query,
			      struct mregion_list *list)
{
	struct mregion_ring *ring;
	unsigned long id;

	mregion_for_each_asked(&machine->rings, id, ring, query) {
		struct mregion_ring_info *info = mregion_list_next(list);
		u64 appended = READ_ONCE(ring->published);

		if (!info)
			continue;
		*info = (struct mregion_ring_info) {
			.id = ring->id,
			.nr_entries = ring->mask + 1,
			.appended = appended,
			.full = atomic64_read(&ring->full),
			.wakeups = atomic64_read(&ring->wakeups),
		};
		/* the consumer may have written anything there */
		info->waiting = min((u32)appended -
				    READ_ONCE(ring->header->consumer),
				    info->nr_entries);
	}
	return 0;
}

static int mregion_put_ring(struct sk_buff *skb,
			    const struct mregion_answer *answer,
			    const void *data)
{
	const struct mregion_ring_info *info = data;

	if (MREGION_PUT_HEAD(skb, RING, answer, info->id) ||
	    nla_put_u32(skb, MREGION_A_RING_NR_ENTRIES, info->nr_entries) ||
	    nla_put_u32(skb, MREGION_A_RING_WAITING, info->waiting) ||
	    MREGION_PUT_U64(skb, RING, APPENDED, info->appended) ||
	    MREGION_PUT_U64(skb, RING, FULL, info->full) ||
	    MREGION_PUT_U64(skb, RING, WAKEUPS, info->wakeups))
		return -EMSGSIZE;
	return 0;
}

/* ---- Shadow memories --------------------------------------------------- */

struct mregion_shadow_info {
	u32 id;
	u64 len;
};

static int mregion_fill_shadows(struct mregion_machine *machine,
				const struct mregion_query *query,
				struct mregion_list *list)
{
	struct mregion_shadow *shadow;
	unsigned long id;

	mregion_for_each_asked(&machine->shadows, id, shadow, query) {
		struct mregion_shadow_info *info = mregion_list_next(list);

		if (!info)
			continue;
		info->id = shadow->id;
		info->len = mregion_shadow_len(shadow);
	}
	return 0;
}

static int mregion_put_shadow(struct sk_buff *skb,
			      const struct mregion_answer *answer,
			      const void *data)
{
	const struct mregion_shadow_info *info = data;

	if (MREGION_PUT_HEAD(skb, SHADOW, answer, info->id) ||
	    MREGION_PUT_U64(skb, SHADOW, LEN, info->len))
		return -EMSGSIZE;
	return 0;
}

/* ---- Servers ----------------------------------------------------------- */

struct mregion_server_info {
	u32 id;
	u32 pid;
	bool dead;
	u32 nr_slots;
	u32 parked;
	u64 served;
	u64 exits;
	u64 sleeps;
	u64 wakeups;
};

static u32 mregion_server_pid(struct mregion_server *server)
{
	u32 pid;

	raw_spin_lock(&server->lock);
	pid = pid_vnr(server->process);
	raw_spin_unlock(&server->lock);
	return pid;
}

static int mregion_fill_servers(struct mregion_machine *machine,
				const struct mregion_query *query,
				struct mregion_list *list)
{
	struct mregion_server *server;
	unsigned long id;

	mregion_for_each_asked(&machine->servers, id, server, query) {
		struct mregion_server_info *info = mregion_list_next(list);

		if (!info)
			continue;
		*info = (struct mregion_server_info) {
			.id = server->id,
			.pid = mregion_server_pid(server),
			.dead = mregion_server_is_dead(server),
			.nr_slots = server->nr_slots,
			.parked = READ_ONCE(server->nr_parked),
			.served = atomic64_read(&server->served),
			.exits = atomic64_read(&server->exits),
			.sleeps = atomic64_read(&server->sleeps),
			.wakeups = atomic64_read(&server->wakeups),
		};
	}
	return 0;
}

static int mregion_put_server(struct sk_buff *skb,
			      const struct mregion_answer *answer,
			      const void *data)
{
	const struct mregion_server_info *info = data;

	if (MREGION_PUT_HEAD(skb, SERVER, answer, info->id) ||
	    nla_put_u32(skb, MREGION_A_SERVER_PID, info->pid) ||
	    (info->dead && nla_put_flag(skb, MREGION_A_SERVER_DEAD)) ||
	    nla_put_u32(skb, MREGION_A_SERVER_NR_SLOTS, info->nr_slots) ||
	    nla_put_u32(skb, MREGION_A_SERVER_PARKED, info->parked) ||
	    MREGION_PUT_U64(skb, SERVER, SERVED, info->served) ||
	    MREGION_PUT_U64(skb, SERVER, EXITS, info->exits) ||
	    MREGION_PUT_U64(skb, SERVER, SLEEPS, info->sleeps) ||
	    MREGION_PUT_U64(skb, SERVER, WAKEUPS, info->wakeups))
		return -EMSGSIZE;
	return 0;
}

/* ---- Claims ------------------------------------------------------------ */

struct mregion_claim_entry {
	u32 vm;
	u32 bus;
	struct mregion_claim_info info;
};

static int mregion_ask_claims(struct nlattr **attrs,
			      struct netlink_ext_ack *extack, bool dump,
			      struct mregion_query *query)
{
	query->attr = attrs[MREGION_A_CLAIM_VM];
	if (query->attr)
		query->vm = nla_get_u32(query->attr);
	if (attrs[MREGION_A_CLAIM_BUS])
		query->buses = BIT(nla_get_u32(attrs[MREGION_A_CLAIM_BUS]));
	return 0;
}

static void mregion_list_claim(void *to, u32 vm, u32 bus,
			       const struct mregion_finding *finding)
{
	struct mregion_claim_entry *entry = mregion_list_next(to);

	if (!entry)
		return;
	entry->vm = vm;
	entry->bus = bus;
	mregion_finding_describe(finding, &entry->info);
}

static int mregion_fill_claims(struct mregion_machine *machine,
			       const struct mregion_query *query,
			       struct mregion_list *list)
{
	return mregion_attachments_survey(machine, query->vm, query->buses,
					  mregion_list_claim, list);
}

static int mregion_put_claim(struct sk_buff *skb,
			     const struct mregion_answer *answer,
			     const void *data)
{
	const struct mregion_claim_entry *entry = data;
	const struct mregion_claim_info *info = &entry->info;

	if (nla_put_u32(skb, MREGION_A_CLAIM_MACHINE, answer->machine) ||
	    nla_put_u32(skb, MREGION_A_CLAIM_VM, entry->vm) ||
	    nla_put_u32(skb, MREGION_A_CLAIM_BUS, entry->bus) ||
	    MREGION_PUT_U64(skb, CLAIM, GENERATION, answer->generation) ||
	    nla_put_u32(skb, MREGION_A_CLAIM_KIND, info->kind) ||
	    nla_put_u32(skb, MREGION_A_CLAIM_FLAGS, info->flags) ||
	    MREGION_PUT_U64(skb, CLAIM, START, info->start) ||
	    MREGION_PUT_U64(skb, CLAIM, LAST, info->last) ||
	    mregion_put_id(skb, MREGION_A_CLAIM_REGION, info->region))
		return -EMSGSIZE;
	return 0;
}

const struct mregion_nl_kind mregion_nl_kinds[] = {
	[MREGION_CMD_VM_GET] = {
		.entry_size = sizeof(struct mregion_vm_entry),
		.a_machine = MREGION_A_VM_MACHINE,
		.fill = mregion_fill_vms,
		.put = mregion_put_vm,
	},
	[MREGION_CMD_SPACE_GET] = {
		.entry_size = sizeof(struct mregion_space_entry),
		.a_machine = MREGION_A_SPACE_MACHINE,
		.a_id = MREGION_A_SPACE_ID,
		.fill = mregion_fill_spaces,
		.put = mregion_put_space,
	},
	[MREGION_CMD_REGION_GET] = {
		.entry_size = sizeof(struct mregion_region_entry),
		.a_machine = MREGION_A_REGION_MACHINE,
		.a_id = MREGION_A_REGION_ID,
		.fill = mregion_fill_regions,
		.put = mregion_put_region,
	},
	[MREGION_CMD_RANGE_GET] = {
		.entry_size = sizeof(struct mregion_range_entry),
		.a_machine = MREGION_A_RANGE_MACHINE,
		.ask = mregion_ask_ranges,
		.fill = mregion_fill_ranges,
		.put = mregion_put_range_entry,
	},
	[MREGION_CMD_RULE_GET] = {
		.entry_size = sizeof(struct mregion_rule_entry),
		.a_machine = MREGION_A_RULE_MACHINE,
		.ask = mregion_ask_rules,
		.fill = mregion_fill_rules,
		.put = mregion_put_rule,
	},
	[MREGION_CMD_RING_GET] = {
		.entry_size = sizeof(struct mregion_ring_info),
		.a_machine = MREGION_A_RING_MACHINE,
		.a_id = MREGION_A_RING_ID,
		.fill = mregion_fill_rings,
		.put = mregion_put_ring,
	},
	[MREGION_CMD_SHADOW_GET] = {
		.entry_size = sizeof(struct mregion_shadow_info),
		.a_machine = MREGION_A_SHADOW_MACHINE,
		.a_id = MREGION_A_SHADOW_ID,
		.fill = mregion_fill_shadows,
		.put = mregion_put_shadow,
	},
	[MREGION_CMD_SERVER_GET] = {
		.entry_size = sizeof(struct mregion_server_info),
		.a_machine = MREGION_A_SERVER_MACHINE,
		.a_id = MREGION_A_SERVER_ID,
		.fill = mregion_fill_servers,
		.put = mregion_put_server,
	},
	[MREGION_CMD_CLAIM_GET] = {
		.entry_size = sizeof(struct mregion_claim_entry),
		.a_machine = MREGION_A_CLAIM_MACHINE,
		.ask = mregion_ask_claims,
		.fill = mregion_fill_claims,
		.put = mregion_put_claim,
	},
};
