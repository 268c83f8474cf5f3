/* SPDX-License-Identifier: MIT */
/* All that is wanted of a machine, of one generation. */
#ifndef MREGION_TOOL_SNAPSHOT_H
#define MREGION_TOOL_SNAPSHOT_H

#include <stdbool.h>

#include "live.h"

/** enum snapshot_part - what can be wanted */
enum snapshot_part {
	SNAPSHOT_REGIONS	= 1 << 0,
	SNAPSHOT_SPACES		= 1 << 1,
	SNAPSHOT_VIEWS		= 1 << 2,	/* and the spaces */
	SNAPSHOT_RULES		= 1 << 3,
	SNAPSHOT_RINGS		= 1 << 4,
	SNAPSHOT_SHADOWS	= 1 << 5,
	SNAPSHOT_SERVERS	= 1 << 6,
	SNAPSHOT_VMS		= 1 << 7,
	SNAPSHOT_CLAIMS		= 1 << 8,
};

/**
 * struct snapshot - a machine
 * @machine: the machine, in a list of its own
 * @whole: all is of one generation
 * @regions: its regions
 * @spaces: its spaces
 * @views: for each space the ranges of its view
 * @rules: its rules
 * @rings: its rings
 * @shadows: its shadow memories
 * @servers: its servers
 * @vms: the virtual machines it is attached to
 * @claims: what is claimed on their buses, and what is not
 */
struct snapshot {
	struct live_list machine;
	bool whole;
	struct live_list regions;
	struct live_list spaces;
	struct live_list *views;
	struct live_list rules;
	struct live_list rings;
	struct live_list shadows;
	struct live_list servers;
	struct live_list vms;
	struct live_list claims;
};

/**
 * snapshot_read() - read a machine
 * @nl: a socket
 * @machine: its number
 * @parts: enum snapshot_part, what is wanted
 * @snapshot: filled in; snapshot_free() it, whatever is returned
 *
 * Reads again when there was a commit meanwhile, until there was none or it
 * seems that there is no end of them.
 *
 * Return: 0, or a negative errno.
 */
int snapshot_read(struct netlink *nl, uint32_t machine, unsigned int parts,
		  struct snapshot *snapshot);

void snapshot_free(struct snapshot *snapshot);

/** snapshot_machine() - the machine itself */
const struct live_machine *snapshot_machine(const struct snapshot *snapshot);

#endif
