/* SPDX-License-Identifier: MIT */
#ifndef MREGION_LIB_MACHINE_H
#define MREGION_LIB_MACHINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "region.h"
#include "ring.h"
#include "section.h"
#include "transaction.h"

struct mregion_followers;

/**
 * struct mregion_machine - what one open of the device owns
 * @fd: the open device
 * @info: what %MREGION_INFO said
 * @page_size: of the host, in bytes
 * @followers: who is told of commits
 * @transaction: its lock also protects @spaces, changes of @servers,
 *	@shadows, @vms and the IDs
 * @regions: by ID
 * @sections: accesses under way
 * @strict_slots: a commit returns the error of a memory slot
 * @committing: commits are in the kernel, so copies of views may be old
 * @commits: changes whenever a commit begins or ends
 * @reentries: accesses of devices' functions that were refused
 * @rings: all rings
 * @spaces: list of all spaces, linked by next
 * @servers: list of all servers, linked by next; also of those that were freed,
 *	since accesses under way may look at them
 * @shadows: list of all shadow memories, linked by next
 * @vms: list of all attached virtual machines, linked by next
 * @logged: list of regions with logs, with a reference each, linked by logging.next
 * @logs: list of those of all memory, linked by next
 * @holders: list of the processes that have a view, linked by next
 * @shared: memory of all regions is shared with holders
 * @last_region_id: IDs are not used again, lest what waits in a ring for a
 *	region that was freed reach another one
 * @last_space_id: likewise
 * @last_ring_id: likewise
 * @last_server_id: likewise
 * @last_shadow_id: likewise
 */
struct mregion_machine {
	int fd;
	struct mregion_info info;
	uint64_t page_size;
	const struct mregion_followers *followers;
	struct mregion_transaction transaction;
	struct mregion_table regions;
	struct mregion_sections sections;
	bool strict_slots;
	atomic_uint committing;
	atomic_uint commits;
	_Atomic uint64_t reentries;
	struct mregion_rings rings;
	struct mregion_space *spaces;
	_Atomic(struct mregion_server *) servers;
	struct mregion_shadow *shadows;
	struct mregion_vm *vms;
	struct mregion_region *logged;
	struct mregion_logs *logs;
	struct mregion_holder *holders;
	bool shared;
	uint32_t last_region_id;
	uint32_t last_space_id;
	uint32_t last_ring_id;
	uint32_t last_server_id;
	uint32_t last_shadow_id;
};

/**
 * mregion_next_id() - an ID that was not used before
 * @machine: the machine
 * @last: one of its last IDs
 *
 * Return: the ID, or 0 when there are no more.
 */
uint32_t mregion_next_id(struct mregion_machine *machine, uint32_t *last);

/**
 * mregion_need() - check that the module has what a call is about to use
 * @machine: the machine
 * @features: enum mregion_feature
 * @what: what cannot be done without, for mregion_error()
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int mregion_need(const struct mregion_machine *machine, uint64_t features,
		 const char *what);

#endif
