// SPDX-License-Identifier: MIT
/* The tables that describe what the kernel tells of machines. */
#include "../array.h"
#include "live_types.h"

#define WITH_WORDS(type, attribute_, format_, member, words_) {		\
	.attribute = MREGION_A_##attribute_,				\
	.format = LIVE_##format_,					\
	.offset = offsetof(struct live_##type, member),			\
	.key = #member,							\
	.words = words_,						\
}

#define FIELD(type, attribute, format, member) \
	WITH_WORDS(type, attribute, format, member, NULL)

/* JSON has it once, for the whole machine. */
#define SILENT(type, attribute_, format_, member) {			\
	.attribute = MREGION_A_##attribute_,				\
	.format = LIVE_##format_,					\
	.offset = offsetof(struct live_##type, member),			\
}

static const struct live_field machine_fields[] = {
	FIELD(machine, MACHINE_ID, U32, id),
	FIELD(machine, MACHINE_PID, U32, pid),
	FIELD(machine, MACHINE_COMM, STRING, comm),
	FIELD(machine, MACHINE_GENERATION, U64, generation),
	FIELD(machine, MACHINE_MEMORY, U64, memory),
	FIELD(machine, MACHINE_NR_REGIONS, U32, nr_regions),
	FIELD(machine, MACHINE_NR_RULES, U32, nr_rules),
	FIELD(machine, MACHINE_NR_SPACES, U32, nr_spaces),
	FIELD(machine, MACHINE_NR_RINGS, U32, nr_rings),
	FIELD(machine, MACHINE_NR_SHADOWS, U32, nr_shadows),
	FIELD(machine, MACHINE_NR_SERVERS, U32, nr_servers),
	FIELD(machine, MACHINE_NR_VMS, U32, nr_vms),
	FIELD(machine, MACHINE_WINDOWS, U64, windows),
	FIELD(machine, MACHINE_WAKEUPS, U64, wakeups),
	FIELD(machine, MACHINE_SLEEPS, U64, sleeps),
	FIELD(machine, MACHINE_COUNTERS, COUNTERS, counters),
};

static const struct live_field vm_fields[] = {
	FIELD(vm, VM_ID, U32, id),
	FIELD(vm, VM_PID, U32, pid),
	FIELD(vm, VM_MEMORY, U32, memory),
	FIELD(vm, VM_PIO, U32, pio),
	FIELD(vm, VM_SMM, U32, smm),
};

static const struct live_field space_fields[] = {
	FIELD(space, SPACE_ID, U32, id),
	FIELD(space, SPACE_ROOT, U32, root),
	WITH_WORDS(space, SPACE_BUS, WORD, bus, &words_bus),
	WITH_WORDS(space, SPACE_UNASSIGNED, WORD, unassigned, &words_policy),
	FIELD(space, SPACE_VIEW_GENERATION, U64, view_generation),
	FIELD(space, SPACE_NR_RANGES, U32, nr_ranges),
	FIELD(space, SPACE_NR_VMS, U32, nr_vms),
	FIELD(space, SPACE_COUNTERS, COUNTERS, counters),
	SILENT(space, SPACE_GENERATION, U64, generation),
};

static const struct live_field region_fields[] = {
	FIELD(region, REGION_ID, U32, id),
	FIELD(region, REGION_NAME, STRING, name),
	WITH_WORDS(region, REGION_KIND, WORD, kind, &words_kind),
	WITH_WORDS(region, REGION_FLAGS, FLAGS, flags, &words_region_flags),
	FIELD(region, REGION_LEN, LENGTH, len),
	FIELD(region, REGION_PARENT, U32, parent),
	FIELD(region, REGION_OFFSET, ADDRESS, offset),
	FIELD(region, REGION_PRIORITY, S32, priority),
	FIELD(region, REGION_ORDER, U64, order),
	FIELD(region, REGION_TARGET, U32, target),
	FIELD(region, REGION_TARGET_OFFSET, ADDRESS, target_offset),
	WITH_WORDS(region, REGION_BACKING, WORD, backing, &words_backing),
	FIELD(region, REGION_BACKING_OFFSET, ADDRESS, backing_offset),
	FIELD(region, REGION_SERVER, U32, server),
	FIELD(region, REGION_NR_RULES, U32, nr_rules),
	FIELD(region, REGION_VALID_MIN, U32, valid_min),
	FIELD(region, REGION_VALID_MAX, U32, valid_max),
	FIELD(region, REGION_IMPL_MIN, U32, impl_min),
	FIELD(region, REGION_IMPL_MAX, U32, impl_max),
	WITH_WORDS(region, REGION_CONSTRAINT_FLAGS, FLAGS, constraint_flags,
		   &words_constraint_flags),
	WITH_WORDS(region, REGION_REFUSED, WORD, refused, &words_policy),
	FIELD(region, REGION_COUNTERS, COUNTERS, counters),
	SILENT(region, REGION_GENERATION, U64, generation),
};

static const struct live_field range_fields[] = {
	FIELD(range, RANGE_START, ADDRESS, start),
	FIELD(range, RANGE_LAST, ADDRESS, last),
	FIELD(range, RANGE_REGION, U32, region),
	FIELD(range, RANGE_OFFSET, ADDRESS, offset),
	WITH_WORDS(range, RANGE_KIND, WORD, kind, &words_kind),
	WITH_WORDS(range, RANGE_FLAGS, FLAGS, flags, &words_range_flags),
	SILENT(range, RANGE_GENERATION, U64, generation),
};

static const struct live_field rule_fields[] = {
	FIELD(rule, RULE_REGION, U32, region),
	WITH_WORDS(rule, RULE_KIND, WORD, kind, &words_rule_kind),
	WITH_WORDS(rule, RULE_FLAGS, FLAGS, flags, &words_rule_flags),
	FIELD(rule, RULE_OFFSET, ADDRESS, offset),
	FIELD(rule, RULE_LEN, LENGTH, len),
	FIELD(rule, RULE_ACCESS_LEN, U32, access_len),
	FIELD(rule, RULE_DATAMATCH, ADDRESS, datamatch),
	FIELD(rule, RULE_RING, U32, ring),
	FIELD(rule, RULE_SHADOW, U32, shadow),
	FIELD(rule, RULE_SHADOW_OFFSET, ADDRESS, shadow_offset),
	FIELD(rule, RULE_INDEX_SHADOW, U32, index_shadow),
	FIELD(rule, RULE_INDEX_OFFSET, ADDRESS, index_offset),
	FIELD(rule, RULE_INDEX_LEN, U32, index_len),
	FIELD(rule, RULE_INDEX_BITS, MASK, index_bits),
	FIELD(rule, RULE_INDEX_FIRST, MASK, index_first),
	FIELD(rule, RULE_INDEX_LAST, MASK, index_last),
	FIELD(rule, RULE_INDEX_SELECT, MASK, index_select),
	FIELD(rule, RULE_INDEX_SHIFT, S32, index_shift),
};

static const struct live_field ring_fields[] = {
	FIELD(ring, RING_ID, U32, id),
	FIELD(ring, RING_NR_ENTRIES, U32, nr_entries),
	FIELD(ring, RING_WAITING, U32, waiting),
	FIELD(ring, RING_APPENDED, U64, appended),
	FIELD(ring, RING_FULL, U64, full),
	FIELD(ring, RING_WAKEUPS, U64, wakeups),
};

static const struct live_field shadow_fields[] = {
	FIELD(shadow, SHADOW_ID, U32, id),
	FIELD(shadow, SHADOW_LEN, LENGTH, len),
};

static const struct live_field server_fields[] = {
	FIELD(server, SERVER_ID, U32, id),
	FIELD(server, SERVER_PID, U32, pid),
	FIELD(server, SERVER_DEAD, FLAG, dead),
	FIELD(server, SERVER_NR_SLOTS, U32, nr_slots),
	FIELD(server, SERVER_PARKED, U32, parked),
	FIELD(server, SERVER_SERVED, U64, served),
	FIELD(server, SERVER_EXITS, U64, exits),
	FIELD(server, SERVER_SLEEPS, U64, sleeps),
	FIELD(server, SERVER_WAKEUPS, U64, wakeups),
};

static const struct live_field claim_fields[] = {
	FIELD(claim, CLAIM_VM, U32, vm),
	WITH_WORDS(claim, CLAIM_BUS, WORD, bus, &words_bus),
	WITH_WORDS(claim, CLAIM_KIND, WORD, kind, &words_claim_kind),
	WITH_WORDS(claim, CLAIM_FLAGS, FLAGS, flags, &words_claim_flags),
	FIELD(claim, CLAIM_START, ADDRESS, start),
	FIELD(claim, CLAIM_LAST, ADDRESS, last),
	FIELD(claim, CLAIM_REGION, U32, region),
};

#define TYPE(type, TYPE, machine_, id_)					\
const struct live_type live_##type##_type = {				\
	.command = MREGION_CMD_##TYPE##_GET,				\
	.machine = machine_,						\
	.id = id_,							\
	.max = MREGION_A_##TYPE##_MAX,					\
	.size = sizeof(struct live_##type),				\
	.nr = ARRAY_SIZE(type##_fields),				\
	.fields = type##_fields,					\
}

TYPE(machine, MACHINE, 0, MREGION_A_MACHINE_ID);
TYPE(vm, VM, MREGION_A_VM_MACHINE, 0);
TYPE(space, SPACE, MREGION_A_SPACE_MACHINE, MREGION_A_SPACE_ID);
TYPE(region, REGION, MREGION_A_REGION_MACHINE, MREGION_A_REGION_ID);
TYPE(range, RANGE, MREGION_A_RANGE_MACHINE, 0);
TYPE(rule, RULE, MREGION_A_RULE_MACHINE, 0);
TYPE(ring, RING, MREGION_A_RING_MACHINE, MREGION_A_RING_ID);
TYPE(shadow, SHADOW, MREGION_A_SHADOW_MACHINE, MREGION_A_SHADOW_ID);
TYPE(server, SERVER, MREGION_A_SERVER_MACHINE, MREGION_A_SERVER_ID);
TYPE(claim, CLAIM, MREGION_A_CLAIM_MACHINE, 0);
