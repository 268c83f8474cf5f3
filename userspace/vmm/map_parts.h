/* SPDX-License-Identifier: MIT */
/* Parts that memory maps of all architectures are made of */
#ifndef VMM_MAP_PARTS_H
#define VMM_MAP_PARTS_H

#include <stddef.h>
#include <stdint.h>

struct mregion_machine;
struct mregion_region;

/** struct map_part - part of a map as it is written down */
struct map_part {
	const char *name;
	uint64_t addr;
	uint64_t len;
};

/**
 * map_new() - map a region that was just created
 * @region: it, or NULL: that failed, and errno says how
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int map_new(struct mregion_region *parent, struct mregion_region *region,
	    uint64_t addr, int priority);

/** map_reservations() - leave @nr parts of @parent to KVM */
int map_reservations(struct mregion_machine *machine,
		     struct mregion_region *parent,
		     const struct map_part *parts, size_t nr);

#endif /* VMM_MAP_PARTS_H */
