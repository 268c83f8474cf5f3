/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family "mregion": shows machines to other processes.
 *
 * Documentation/netlink/specs/mregion.yaml is its specification for programs.
 */
#ifndef _UAPI_LINUX_MREGION_NETLINK_H
#define _UAPI_LINUX_MREGION_NETLINK_H

/**
 * DOC: netlink
 *
 * A machine belongs to the network namespace of the process that opened it.
 * Every request and the group of events take CAP_NET_ADMIN in the user
 * namespace that owns the caller's network namespace (EPERM otherwise). They show
 * machines of that network namespace alone; for others the answer is ENOENT.
 *
 * Each command that gets objects has one attribute set, which requests and
 * replies share. A "do" request names one object and has one reply. A dump
 * names the machine, unless it is of machines, and gives a message for each
 * object.
 *
 * A dump of a machine's objects copies them when it begins, under the machine's
 * lock. So it is of one generation, also if commits follow until it
 * ends. Each message names that generation, except for those of
 * VM_GET. The copy is charged to the machine's budget as those of ioctls are. A
 * dump of machines has no copy: each message is of the moment when it is made.
 *
 * Integers have the byte order of the host. Enumerations and flags are those
 * of <linux/mregion.h>. Addresses and lengths are in bytes; a length of 0
 * stands for 2^64. An attribute is missing where it has no meaning, as is an
 * ID of 0.
 *
 * Attributes that are unknown, of the wrong type, or not used by a request
 * are refused (EINVAL). Later versions add commands and attributes; a reader
 * ignores attributes that it does not know.
 *
 * Errors of requests have a message that begins with the attribute's name, and
 * name the attribute where the kernel supports that (for dumps, not on 6.1):
 * EPERM; EINVAL: an attribute is missing or wrong; ENOENT: no such machine or
 * object; ENOBUFS: the copy does not fit into the machine's budget; ENOMEM;
 * EINTR.
 */
#define MREGION_FAMILY_NAME	"mregion"
#define MREGION_FAMILY_VERSION	1

/** MREGION_MCGRP_EVENTS - name of the multicast group */
#define MREGION_MCGRP_EVENTS	"events"

/**
 * enum mregion_cmd - commands
 * @MREGION_CMD_MACHINE_GET: do, by ID; dump. Set: &enum mregion_a_machine
 * @MREGION_CMD_VM_GET: dump: virtual machines that a machine is attached to.
 *	Set: &enum mregion_a_vm
 * @MREGION_CMD_SPACE_GET: do, by ID; dump. Set: &enum mregion_a_space
 * @MREGION_CMD_REGION_GET: do, by ID; dump. Set: &enum mregion_a_region
 * @MREGION_CMD_RANGE_GET: do: the range of a space that holds START, cut to
 *	begin there; without REGION for an unassigned address. Dump: a space's flat
 *	view, or the ranges of it with an address from START to LAST, where given.
 *	Set: &enum mregion_a_range
 * @MREGION_CMD_RULE_GET: dump, of one region if it is given. Set:
 *	&enum mregion_a_rule
 * @MREGION_CMD_RING_GET: do, by ID; dump. Set: &enum mregion_a_ring
 * @MREGION_CMD_SHADOW_GET: do, by ID; dump. Set: &enum mregion_a_shadow
 * @MREGION_CMD_SERVER_GET: do, by ID; dump. Set: &enum mregion_a_server
 * @MREGION_CMD_CLAIM_GET: dump, of one virtual machine or bus if it is given:
 *	windows, conflicts and unclaimed parts, as %MREGION_CLAIMS lists them. Set:
 *	&enum mregion_a_claim
 * @MREGION_CMD_MACHINE_OPENED: event: MACHINE, PID, COMM
 * @MREGION_CMD_MACHINE_CLOSED: event: MACHINE, PID, COMM
 * @MREGION_CMD_COMMITTED: event: MACHINE, GENERATION, a CHANGE for each
 *	interval of a space that has changed, and CUT if not all of them fit. Every
 *	commit that succeeds has an event, so a gap between generations shows how
 *	many were lost
 * @MREGION_CMD_ATTACHED: event: MACHINE, VM, VM_PID, MEMORY, PIO
 * @MREGION_CMD_DETACHED: event: the same; also of a virtual machine that is
 *	gone, once the machine notices
 * @MREGION_CMD_SERVER_DEAD: event: MACHINE, SERVER. Also as it is freed
 * @MREGION_CMD_RING_FULL: event: MACHINE, RING, FULL. An event under way includes
 *	further writes that find no room
 *
 * Sets of events: &enum mregion_a_event, and &enum mregion_a_change in it.
 * Events of a machine come in the order of their causes, except for RING_FULL, which
 * comes a little later.
 */
enum mregion_cmd {
	MREGION_CMD_MACHINE_GET = 1,
	MREGION_CMD_VM_GET,
	MREGION_CMD_SPACE_GET,
	MREGION_CMD_REGION_GET,
	MREGION_CMD_RANGE_GET,
	MREGION_CMD_RULE_GET,
	MREGION_CMD_RING_GET,
	MREGION_CMD_SHADOW_GET,
	MREGION_CMD_SERVER_GET,
	MREGION_CMD_CLAIM_GET,
	MREGION_CMD_MACHINE_OPENED,
	MREGION_CMD_MACHINE_CLOSED,
	MREGION_CMD_COMMITTED,
	MREGION_CMD_ATTACHED,
	MREGION_CMD_DETACHED,
	MREGION_CMD_SERVER_DEAD,
	MREGION_CMD_RING_FULL,
};
#define MREGION_CMD_MAX	MREGION_CMD_RING_FULL

/**
 * enum mregion_a_counters - parts of accesses, by outcome
 * @MREGION_A_COUNTERS_PAD: for alignment
 * @MREGION_A_COUNTERS_UNASSIGNED: (u64) %MREGION_OUTCOME_UNASSIGNED
 * @MREGION_A_COUNTERS_UNASSIGNED_EXIT: (u64) %MREGION_OUTCOME_UNASSIGNED_EXIT
 * @MREGION_A_COUNTERS_REFUSED: (u64) %MREGION_OUTCOME_REFUSED
 * @MREGION_A_COUNTERS_REFUSED_EXIT: (u64) %MREGION_OUTCOME_REFUSED_EXIT
 * @MREGION_A_COUNTERS_COALESCED: (u64) %MREGION_OUTCOME_COALESCED
 * @MREGION_A_COUNTERS_RING_FULL: (u64) %MREGION_OUTCOME_RING_FULL
 * @MREGION_A_COUNTERS_EXIT: (u64) %MREGION_OUTCOME_EXIT
 * @MREGION_A_COUNTERS_DOORBELL: (u64) %MREGION_OUTCOME_DOORBELL
 * @MREGION_A_COUNTERS_SHADOW: (u64) %MREGION_OUTCOME_SHADOW
 * @MREGION_A_COUNTERS_SERVED: (u64) %MREGION_OUTCOME_SERVED
 * @MREGION_A_COUNTERS_SERVER_EXIT: (u64) %MREGION_OUTCOME_SERVER_EXIT
 */
enum mregion_a_counters {
	MREGION_A_COUNTERS_PAD = 1,
	MREGION_A_COUNTERS_UNASSIGNED,
	MREGION_A_COUNTERS_UNASSIGNED_EXIT,
	MREGION_A_COUNTERS_REFUSED,
	MREGION_A_COUNTERS_REFUSED_EXIT,
	MREGION_A_COUNTERS_COALESCED,
	MREGION_A_COUNTERS_RING_FULL,
	MREGION_A_COUNTERS_EXIT,
	MREGION_A_COUNTERS_DOORBELL,
	MREGION_A_COUNTERS_SHADOW,
	MREGION_A_COUNTERS_SERVED,
	MREGION_A_COUNTERS_SERVER_EXIT,
};
#define MREGION_A_COUNTERS_MAX	MREGION_A_COUNTERS_SERVER_EXIT

/**
 * enum mregion_a_machine - a machine
 * @MREGION_A_MACHINE_PAD: for alignment
 * @MREGION_A_MACHINE_ID: (u32) its number, as in its fdinfo and in trace
 *	events
 * @MREGION_A_MACHINE_PID: (u32) the process that opened it, in the PID
 *	namespace of the reader; 0 if it is not in there
 * @MREGION_A_MACHINE_COMM: (string) that process's name as it opened the
 *	machine
 * @MREGION_A_MACHINE_GENERATION: (u64) number of commits so far
 * @MREGION_A_MACHINE_MEMORY: (u64) bytes of the kernel's memory that it holds
 * @MREGION_A_MACHINE_NR_REGIONS: (u32) number of regions
 * @MREGION_A_MACHINE_NR_RULES: (u32) number of rules
 * @MREGION_A_MACHINE_NR_SPACES: (u32) number of spaces
 * @MREGION_A_MACHINE_NR_RINGS: (u32) number of rings
 * @MREGION_A_MACHINE_NR_SHADOWS: (u32) number of shadow memories
 * @MREGION_A_MACHINE_NR_SERVERS: (u32) number of servers
 * @MREGION_A_MACHINE_NR_VMS: (u32) number of virtual machines that it is
 *	attached to
 * @MREGION_A_MACHINE_WINDOWS: (u64) times that the windows claimed on a bus
 *	changed
 * @MREGION_A_MACHINE_WAKEUPS: (u64) times that an eventfd of a ring was
 *	signalled or a server woken
 * @MREGION_A_MACHINE_SLEEPS: (u64) requests to servers that a vCPU stopped
 *	spinning for
 * @MREGION_A_MACHINE_COUNTERS: (nest of &enum mregion_a_counters) of the whole
 *	machine, including freed objects
 */
enum mregion_a_machine {
	MREGION_A_MACHINE_PAD = 1,
	MREGION_A_MACHINE_ID,
	MREGION_A_MACHINE_PID,
	MREGION_A_MACHINE_COMM,
	MREGION_A_MACHINE_GENERATION,
	MREGION_A_MACHINE_MEMORY,
	MREGION_A_MACHINE_NR_REGIONS,
	MREGION_A_MACHINE_NR_RULES,
	MREGION_A_MACHINE_NR_SPACES,
	MREGION_A_MACHINE_NR_RINGS,
	MREGION_A_MACHINE_NR_SHADOWS,
	MREGION_A_MACHINE_NR_SERVERS,
	MREGION_A_MACHINE_NR_VMS,
	MREGION_A_MACHINE_WINDOWS,
	MREGION_A_MACHINE_WAKEUPS,
	MREGION_A_MACHINE_SLEEPS,
	MREGION_A_MACHINE_COUNTERS,
};
#define MREGION_A_MACHINE_MAX	MREGION_A_MACHINE_COUNTERS

/**
 * enum mregion_a_vm - a virtual machine that a machine is attached to
 * @MREGION_A_VM_MACHINE: (u32) number of the machine
 * @MREGION_A_VM_ID: (u32) number of the attachment, never used again by the
 *	machine
 * @MREGION_A_VM_PID: (u32) the process that attached it, in the PID namespace
 *	of the reader; 0 if it is not in there
 * @MREGION_A_VM_MEMORY: (u32) ID of the space on its memory bus
 * @MREGION_A_VM_PIO: (u32) ID of the space on its port bus
 * @MREGION_A_VM_SMM: (u32) ID of the space that its vCPUs in SMM see on its memory
 *	bus; missing if none was given
 */
enum mregion_a_vm {
	MREGION_A_VM_MACHINE = 1,
	MREGION_A_VM_ID,
	MREGION_A_VM_PID,
	MREGION_A_VM_MEMORY,
	MREGION_A_VM_PIO,
	MREGION_A_VM_SMM,
};
#define MREGION_A_VM_MAX	MREGION_A_VM_SMM

/**
 * enum mregion_a_space - a space
 * @MREGION_A_SPACE_PAD: for alignment
 * @MREGION_A_SPACE_MACHINE: (u32) number of the machine
 * @MREGION_A_SPACE_ID: (u32) its ID
 * @MREGION_A_SPACE_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_SPACE_ROOT: (u32) ID of its root region
 * @MREGION_A_SPACE_BUS: (u32) enum mregion_bus
 * @MREGION_A_SPACE_UNASSIGNED: (u32) enum mregion_policy for unassigned addresses
 * @MREGION_A_SPACE_VIEW_GENERATION: (u64) of the commit that last changed its
 *	view
 * @MREGION_A_SPACE_NR_RANGES: (u32) ranges of its view
 * @MREGION_A_SPACE_NR_VMS: (u32) virtual machines that show it
 * @MREGION_A_SPACE_COUNTERS: (nest of &enum mregion_a_counters) of unassigned
 *	addresses
 */
enum mregion_a_space {
	MREGION_A_SPACE_PAD = 1,
	MREGION_A_SPACE_MACHINE,
	MREGION_A_SPACE_ID,
	MREGION_A_SPACE_GENERATION,
	MREGION_A_SPACE_ROOT,
	MREGION_A_SPACE_BUS,
	MREGION_A_SPACE_UNASSIGNED,
	MREGION_A_SPACE_VIEW_GENERATION,
	MREGION_A_SPACE_NR_RANGES,
	MREGION_A_SPACE_NR_VMS,
	MREGION_A_SPACE_COUNTERS,
};
#define MREGION_A_SPACE_MAX	MREGION_A_SPACE_COUNTERS

/**
 * enum mregion_a_region - a region; see struct mregion_region_info
 * @MREGION_A_REGION_PAD: for alignment
 * @MREGION_A_REGION_MACHINE: (u32) number of the machine
 * @MREGION_A_REGION_ID: (u32) its ID
 * @MREGION_A_REGION_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_REGION_NAME: (string) its name; any bytes but NUL
 * @MREGION_A_REGION_KIND: (u32) enum mregion_kind
 * @MREGION_A_REGION_FLAGS: (u32) enum mregion_region_flags
 * @MREGION_A_REGION_PARENT: (u32) ID of the region it is mapped into
 * @MREGION_A_REGION_LEN: (u64) its length
 * @MREGION_A_REGION_OFFSET: (u64) in the parent
 * @MREGION_A_REGION_ORDER: (u64) among siblings of equal priority, the higher
 *	one is on top
 * @MREGION_A_REGION_PRIORITY: (s32) among siblings
 * @MREGION_A_REGION_TARGET: (u32) of an alias: ID of the region that it shows
 * @MREGION_A_REGION_TARGET_OFFSET: (u64) of an alias: offset in the target of
 *	the first byte shown
 * @MREGION_A_REGION_BACKING: (u32) enum mregion_backing
 * @MREGION_A_REGION_BACKING_OFFSET: (u64) offset in the file, or address in
 *	the VMM
 * @MREGION_A_REGION_SERVER: (u32) ID of its server
 * @MREGION_A_REGION_NR_RULES: (u32) how many rules it has
 * @MREGION_A_REGION_VALID_MIN: (u32) smallest access that it takes
 * @MREGION_A_REGION_VALID_MAX: (u32) largest access that it takes
 * @MREGION_A_REGION_IMPL_MIN: (u32) smallest access that its implementation
 *	takes
 * @MREGION_A_REGION_IMPL_MAX: (u32) largest access that its implementation
 *	takes
 * @MREGION_A_REGION_CONSTRAINT_FLAGS: (u32) enum mregion_constraint_flags
 * @MREGION_A_REGION_REFUSED: (u32) enum mregion_policy for accesses that it
 *	refuses
 * @MREGION_A_REGION_COUNTERS: (nest of &enum mregion_a_counters) of accesses
 *	to it
 */
enum mregion_a_region {
	MREGION_A_REGION_PAD = 1,
	MREGION_A_REGION_MACHINE,
	MREGION_A_REGION_ID,
	MREGION_A_REGION_GENERATION,
	MREGION_A_REGION_NAME,
	MREGION_A_REGION_KIND,
	MREGION_A_REGION_FLAGS,
	MREGION_A_REGION_PARENT,
	MREGION_A_REGION_LEN,
	MREGION_A_REGION_OFFSET,
	MREGION_A_REGION_ORDER,
	MREGION_A_REGION_PRIORITY,
	MREGION_A_REGION_TARGET,
	MREGION_A_REGION_TARGET_OFFSET,
	MREGION_A_REGION_BACKING,
	MREGION_A_REGION_BACKING_OFFSET,
	MREGION_A_REGION_SERVER,
	MREGION_A_REGION_NR_RULES,
	MREGION_A_REGION_VALID_MIN,
	MREGION_A_REGION_VALID_MAX,
	MREGION_A_REGION_IMPL_MIN,
	MREGION_A_REGION_IMPL_MAX,
	MREGION_A_REGION_CONSTRAINT_FLAGS,
	MREGION_A_REGION_REFUSED,
	MREGION_A_REGION_COUNTERS,
};
#define MREGION_A_REGION_MAX	MREGION_A_REGION_COUNTERS

/**
 * enum mregion_a_range - a range of a flat view; see struct mregion_range
 * @MREGION_A_RANGE_PAD: for alignment
 * @MREGION_A_RANGE_MACHINE: (u32) number of the machine
 * @MREGION_A_RANGE_SPACE: (u32) ID of the space
 * @MREGION_A_RANGE_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_RANGE_START: (u64) first address
 * @MREGION_A_RANGE_LAST: (u64) last address
 * @MREGION_A_RANGE_REGION: (u32) ID of the region
 * @MREGION_A_RANGE_OFFSET: (u64) of the first address in the region
 * @MREGION_A_RANGE_KIND: (u32) the region's enum mregion_kind
 * @MREGION_A_RANGE_FLAGS: (u32) enum mregion_range_flags
 */
enum mregion_a_range {
	MREGION_A_RANGE_PAD = 1,
	MREGION_A_RANGE_MACHINE,
	MREGION_A_RANGE_SPACE,
	MREGION_A_RANGE_GENERATION,
	MREGION_A_RANGE_START,
	MREGION_A_RANGE_LAST,
	MREGION_A_RANGE_REGION,
	MREGION_A_RANGE_OFFSET,
	MREGION_A_RANGE_KIND,
	MREGION_A_RANGE_FLAGS,
};
#define MREGION_A_RANGE_MAX	MREGION_A_RANGE_FLAGS

/**
 * enum mregion_a_rule - a rule; see struct mregion_rule
 * @MREGION_A_RULE_PAD: for alignment
 * @MREGION_A_RULE_MACHINE: (u32) number of the machine
 * @MREGION_A_RULE_REGION: (u32) ID of the region
 * @MREGION_A_RULE_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_RULE_KIND: (u32) enum mregion_rule_kind
 * @MREGION_A_RULE_FLAGS: (u32) enum mregion_rule_flags
 * @MREGION_A_RULE_OFFSET: (u64) first byte of the region that it is for
 * @MREGION_A_RULE_LEN: (u64) length of that part
 * @MREGION_A_RULE_ACCESS_LEN: (u32) size of writes that a doorbell is for, 0 for any; or
 *	of accesses that a shadow is for, missing for any
 * @MREGION_A_RULE_DATAMATCH: (u64) with DATAMATCH: the value
 * @MREGION_A_RULE_RING: (u32) ID of the ring
 * @MREGION_A_RULE_SHADOW: (u32) ID of the shadow memory
 * @MREGION_A_RULE_SHADOW_OFFSET: (u64) in it
 * @MREGION_A_RULE_INDEX_SHADOW: (u32) with INDEXED, as the rest: ID of the shadow memory
 *	that the index is in; see struct mregion_index
 * @MREGION_A_RULE_INDEX_OFFSET: (u64) in it
 * @MREGION_A_RULE_INDEX_LEN: (u32) its length
 * @MREGION_A_RULE_INDEX_BITS: (u32) bits of it that are compared
 * @MREGION_A_RULE_INDEX_FIRST: (u32) the lowest value of those that the rule is for
 * @MREGION_A_RULE_INDEX_LAST: (u32) the highest
 * @MREGION_A_RULE_INDEX_SELECT: (u32) bits of it that select a place
 * @MREGION_A_RULE_INDEX_SHIFT: (s32) by how many bits to the left, for the distance
 */
enum mregion_a_rule {
	MREGION_A_RULE_PAD = 1,
	MREGION_A_RULE_MACHINE,
	MREGION_A_RULE_REGION,
	MREGION_A_RULE_GENERATION,
	MREGION_A_RULE_KIND,
	MREGION_A_RULE_FLAGS,
	MREGION_A_RULE_OFFSET,
	MREGION_A_RULE_LEN,
	MREGION_A_RULE_ACCESS_LEN,
	MREGION_A_RULE_DATAMATCH,
	MREGION_A_RULE_RING,
	MREGION_A_RULE_SHADOW,
	MREGION_A_RULE_SHADOW_OFFSET,
	MREGION_A_RULE_INDEX_SHADOW,
	MREGION_A_RULE_INDEX_OFFSET,
	MREGION_A_RULE_INDEX_LEN,
	MREGION_A_RULE_INDEX_BITS,
	MREGION_A_RULE_INDEX_FIRST,
	MREGION_A_RULE_INDEX_LAST,
	MREGION_A_RULE_INDEX_SELECT,
	MREGION_A_RULE_INDEX_SHIFT,
};
#define MREGION_A_RULE_MAX	MREGION_A_RULE_INDEX_SHIFT

/**
 * enum mregion_a_ring - a ring
 * @MREGION_A_RING_PAD: for alignment
 * @MREGION_A_RING_MACHINE: (u32) number of the machine
 * @MREGION_A_RING_ID: (u32) its ID
 * @MREGION_A_RING_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_RING_NR_ENTRIES: (u32) how many it has room for
 * @MREGION_A_RING_WAITING: (u32) entries that the consumer has not taken
 * @MREGION_A_RING_APPENDED: (u64) entries ever appended
 * @MREGION_A_RING_FULL: (u64) writes that found no room
 * @MREGION_A_RING_WAKEUPS: (u64) times that its eventfd was signalled
 */
enum mregion_a_ring {
	MREGION_A_RING_PAD = 1,
	MREGION_A_RING_MACHINE,
	MREGION_A_RING_ID,
	MREGION_A_RING_GENERATION,
	MREGION_A_RING_NR_ENTRIES,
	MREGION_A_RING_WAITING,
	MREGION_A_RING_APPENDED,
	MREGION_A_RING_FULL,
	MREGION_A_RING_WAKEUPS,
};
#define MREGION_A_RING_MAX	MREGION_A_RING_WAKEUPS

/**
 * enum mregion_a_shadow - shadow memory
 * @MREGION_A_SHADOW_PAD: for alignment
 * @MREGION_A_SHADOW_MACHINE: (u32) number of the machine
 * @MREGION_A_SHADOW_ID: (u32) its ID
 * @MREGION_A_SHADOW_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_SHADOW_LEN: (u64) its length
 */
enum mregion_a_shadow {
	MREGION_A_SHADOW_PAD = 1,
	MREGION_A_SHADOW_MACHINE,
	MREGION_A_SHADOW_ID,
	MREGION_A_SHADOW_GENERATION,
	MREGION_A_SHADOW_LEN,
};
#define MREGION_A_SHADOW_MAX	MREGION_A_SHADOW_LEN

/**
 * enum mregion_a_server - a server
 * @MREGION_A_SERVER_PAD: for alignment
 * @MREGION_A_SERVER_MACHINE: (u32) number of the machine
 * @MREGION_A_SERVER_ID: (u32) its ID
 * @MREGION_A_SERVER_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_SERVER_PID: (u32) the process that serves, in the PID namespace
 *	of the reader; 0 if none is known or it is not in there
 * @MREGION_A_SERVER_DEAD: (flag) it answers nothing any more
 * @MREGION_A_SERVER_NR_SLOTS: (u32) how many accesses can wait at the same
 *	time
 * @MREGION_A_SERVER_PARKED: (u32) accesses that wait for the VMM to come for
 *	them
 * @MREGION_A_SERVER_SERVED: (u64) accesses answered
 * @MREGION_A_SERVER_EXITS: (u64) accesses that were left to the VMM
 * @MREGION_A_SERVER_SLEEPS: (u64) accesses that a vCPU stopped spinning for
 * @MREGION_A_SERVER_WAKEUPS: (u64) times that it was asleep when a request came
 */
enum mregion_a_server {
	MREGION_A_SERVER_PAD = 1,
	MREGION_A_SERVER_MACHINE,
	MREGION_A_SERVER_ID,
	MREGION_A_SERVER_GENERATION,
	MREGION_A_SERVER_PID,
	MREGION_A_SERVER_DEAD,
	MREGION_A_SERVER_NR_SLOTS,
	MREGION_A_SERVER_PARKED,
	MREGION_A_SERVER_SERVED,
	MREGION_A_SERVER_EXITS,
	MREGION_A_SERVER_SLEEPS,
	MREGION_A_SERVER_WAKEUPS,
};
#define MREGION_A_SERVER_MAX	MREGION_A_SERVER_WAKEUPS

/**
 * enum mregion_a_claim - a window, conflict or unclaimed part; see struct
 *	mregion_claim_info
 * @MREGION_A_CLAIM_PAD: for alignment
 * @MREGION_A_CLAIM_MACHINE: (u32) number of the machine
 * @MREGION_A_CLAIM_VM: (u32) number of the attachment
 * @MREGION_A_CLAIM_BUS: (u32) enum mregion_bus
 * @MREGION_A_CLAIM_GENERATION: (u64) of the machine, as this was read
 * @MREGION_A_CLAIM_KIND: (u32) enum mregion_claim_kind
 * @MREGION_A_CLAIM_FLAGS: (u32) enum mregion_claim_flags
 * @MREGION_A_CLAIM_START: (u64) first address
 * @MREGION_A_CLAIM_LAST: (u64) last address
 * @MREGION_A_CLAIM_REGION: (u32) ID of the region it is about
 */
enum mregion_a_claim {
	MREGION_A_CLAIM_PAD = 1,
	MREGION_A_CLAIM_MACHINE,
	MREGION_A_CLAIM_VM,
	MREGION_A_CLAIM_BUS,
	MREGION_A_CLAIM_GENERATION,
	MREGION_A_CLAIM_KIND,
	MREGION_A_CLAIM_FLAGS,
	MREGION_A_CLAIM_START,
	MREGION_A_CLAIM_LAST,
	MREGION_A_CLAIM_REGION,
};
#define MREGION_A_CLAIM_MAX	MREGION_A_CLAIM_REGION

/**
 * enum mregion_a_change - an interval of a space that a commit has changed
 * @MREGION_A_CHANGE_PAD: for alignment
 * @MREGION_A_CHANGE_SPACE: (u32) ID of the space
 * @MREGION_A_CHANGE_START: (u64) first address
 * @MREGION_A_CHANGE_LAST: (u64) last address
 * @MREGION_A_CHANGE_RANGE: (nest of &enum mregion_a_range, repeated) the ranges
 *	there now: START, LAST, REGION, OFFSET, KIND, FLAGS
 */
enum mregion_a_change {
	MREGION_A_CHANGE_PAD = 1,
	MREGION_A_CHANGE_SPACE,
	MREGION_A_CHANGE_START,
	MREGION_A_CHANGE_LAST,
	MREGION_A_CHANGE_RANGE,
};
#define MREGION_A_CHANGE_MAX	MREGION_A_CHANGE_RANGE

/**
 * enum mregion_a_event - an event
 * @MREGION_A_EVENT_PAD: for alignment
 * @MREGION_A_EVENT_MACHINE: (u32) number of the machine
 * @MREGION_A_EVENT_PID: (u32) the process that opened it, in that process's
 *	own PID namespace
 * @MREGION_A_EVENT_COMM: (string) its name at that time
 * @MREGION_A_EVENT_GENERATION: (u64) of the commit
 * @MREGION_A_EVENT_CHANGE: (nest of &enum mregion_a_change, repeated) an
 *	interval that has changed: in its ranges, or in the constraints, rules or
 *	server of their regions
 * @MREGION_A_EVENT_CUT: (flag) not all changes are in the event
 * @MREGION_A_EVENT_VM: (u32) number of the attachment
 * @MREGION_A_EVENT_VM_PID: (u32) the process that attached it, in its own PID
 *	namespace
 * @MREGION_A_EVENT_MEMORY: (u32) ID of the space on its memory bus
 * @MREGION_A_EVENT_PIO: (u32) ID of the space on its port bus
 * @MREGION_A_EVENT_SERVER: (u32) ID of the server
 * @MREGION_A_EVENT_RING: (u32) ID of the ring
 * @MREGION_A_EVENT_FULL: (u64) writes that found no room so far
 * @MREGION_A_EVENT_SMM: (u32) ID of the space that its vCPUs in SMM see
 */
enum mregion_a_event {
	MREGION_A_EVENT_PAD = 1,
	MREGION_A_EVENT_MACHINE,
	MREGION_A_EVENT_PID,
	MREGION_A_EVENT_COMM,
	MREGION_A_EVENT_GENERATION,
	MREGION_A_EVENT_CHANGE,
	MREGION_A_EVENT_CUT,
	MREGION_A_EVENT_VM,
	MREGION_A_EVENT_VM_PID,
	MREGION_A_EVENT_MEMORY,
	MREGION_A_EVENT_PIO,
	MREGION_A_EVENT_SERVER,
	MREGION_A_EVENT_RING,
	MREGION_A_EVENT_FULL,
	MREGION_A_EVENT_SMM,
};
#define MREGION_A_EVENT_MAX	MREGION_A_EVENT_SMM

#endif /* _UAPI_LINUX_MREGION_NETLINK_H */
