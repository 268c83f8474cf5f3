/* SPDX-License-Identifier: MIT */
/* Regions as a tree, and the way that an address takes through it. */
#ifndef MREGION_TOOL_HIERARCHY_H
#define MREGION_TOOL_HIERARCHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "live.h"

/**
 * struct hierarchy - the regions of a machine
 * @regions: sorted by ID
 * @nr: how many there are
 * @by_address: indexes, sorted by parent, offset, and from top to bottom
 * @by_rank: indexes, sorted by parent, and from top to bottom
 */
struct hierarchy {
	const struct live_region *regions;
	size_t nr;
	uint32_t *by_address;
	uint32_t *by_rank;
};

/** hierarchy_make() - @regions: of &struct live_region, sorted by ID */
void hierarchy_make(struct hierarchy *hierarchy,
		    const struct live_list *regions);

void hierarchy_free(struct hierarchy *hierarchy);

/** hierarchy_find() - the region of an ID, or NULL */
const struct live_region *hierarchy_find(const struct hierarchy *hierarchy,
					 uint32_t id);

/**
 * hierarchy_children() - the regions that are mapped into one
 * @order: one of the arrays of indexes
 * @parent: ID of the region; 0: those that are not mapped
 * @nr: set to how many there are
 *
 * Return: the first of their indexes.
 */
const uint32_t *hierarchy_children(const struct hierarchy *hierarchy,
				   const uint32_t *order, uint32_t parent,
				   size_t *nr);

/** HIERARCHY_MAX_DEPTH - no way is longer: the kernel's limit, and some more */
#define HIERARCHY_MAX_DEPTH	128

/**
 * struct hierarchy_way - the way from a root to what is at an address
 * @nr: how many regions are on it; 0: nothing is there
 * @steps: the regions; the last one is there
 */
struct hierarchy_way {
	unsigned int nr;
	struct hierarchy_step {
		const struct live_region *region;
		uint64_t offset;	/* of the address in it */
	} steps[HIERARCHY_MAX_DEPTH];
};

/** hierarchy_walk() - find what is at an offset in a region, as rendering does */
void hierarchy_walk(const struct hierarchy *hierarchy, uint32_t root,
		    uint64_t offset, struct hierarchy_way *way);

#endif
