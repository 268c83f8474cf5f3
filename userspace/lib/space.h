/* SPDX-License-Identifier: MIT */
#ifndef MREGION_LIB_SPACE_H
#define MREGION_LIB_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flat_copy.h"
#include "kernel.h"

struct mregion_machine;

/**
 * struct mregion_space - an address space
 * @refs: the handle has one, and changes whose fate is not known yet; protected by
 *	the transaction's lock
 * @machine: it belongs to
 * @id: the kernel's name for it
 * @bus: enum mregion_bus
 * @root: ID of its root region
 * @next_root: likewise, with what the open transaction will change
 * @unassigned: enum mregion_policy
 * @next_unassigned: likewise, with what the open transaction will change
 * @live: the kernel has it
 * @dead: only the handle is left: its creation was undone
 * @next: in the machine's list
 * @flat: copy of the view of the last commit
 * @changed: what that has changed; for those who are told next
 */
struct mregion_space {
	unsigned int refs;
	struct mregion_machine *machine;
	uint32_t id;
	uint32_t bus;
	uint32_t root;
	uint32_t next_root;
	_Atomic uint32_t unassigned;
	uint32_t next_unassigned;
	bool live;
	bool dead;
	struct mregion_space *next;
	struct mregion_flat flat;
	struct mregion_changed changed;
};

/** mregion_space_last() - last address of a space */
static inline uint64_t mregion_space_last(const struct mregion_space *space)
{
	return space->bus == MREGION_BUS_PIO ? 0xffff : UINT64_MAX;
}

/** mregion_space_release() - the handle is gone, or the machine */
void mregion_space_release(struct mregion_space *space);

/** mregion_spaces_follow() - upon a commit, see struct mregion_followers */
void mregion_spaces_follow(struct mregion_machine *machine);

#endif
