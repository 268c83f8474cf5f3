// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "map_parts.h"

int map_new(struct mregion_region *parent, struct mregion_region *region,
	    uint64_t addr, int priority)
{
	if (!region)
		return -errno;
	return mregion_map(parent, region, addr, priority);
}

int map_reservations(struct mregion_machine *machine,
		     struct mregion_region *parent,
		     const struct map_part *parts, size_t nr)
{
	int error = 0;

	for (; nr && !error; nr--, parts++)
		error = map_new(parent,
				mregion_new_reservation(machine, parts->name,
							parts->len),
				parts->addr, 0);
	return error;
}
