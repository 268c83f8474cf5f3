// SPDX-License-Identifier: MIT
/* A picture of a topology. */
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "backend.h"
#include "mregion.h"
#include "picture_topology.h"
#include "topology.h"

static bool fill_regions(struct picture *picture,
			 const struct topology *topology)
{
	struct picture_region *regions;
	size_t i;

	regions = calloc(topology->nr_regions + 1, sizeof(*regions));
	if (!regions)
		return false;
	picture->regions = regions;
	picture->nr_regions = topology->nr_regions;
	for (i = 0; i < topology->nr_regions; i++) {
		const struct topology_region *region = &topology->regions[i];

		regions[i] = (struct picture_region) {
			.id = region->id,
			.kind = region->kind,
			.len = region->len,
			.target = region->target,
			.target_offset = region->offset,
			.name = region->name,
		};
	}
	for (i = 0; i < topology->nr_maps; i++) {
		const struct topology_map *map = &topology->maps[i];
		struct picture_region *child;

		child = regions + (topology_find(topology, map->child) -
				   topology->regions);
		child->parent = map->parent;
		child->offset = map->offset;
		child->priority = map->priority;
		child->order = i + 1;
	}
	for (i = 0; i < topology->nr_flags; i++)
		regions[topology_find(topology, topology->flags[i].id) -
			topology->regions].flags |= topology->flags[i].flag;
	return true;
}

static bool wanted(const char *name, char *const *names, size_t nr_names)
{
	size_t i;

	for (i = 0; i < nr_names; i++)
		if (!strcmp(name, names[i]))
			return true;
	return !nr_names;
}

static bool fill_space(struct picture_space *space,
		       const struct backend *backend, size_t i)
{
	struct mregion_range *ranges;
	struct mregion_view *view;

	if (backend_view(backend, i + 1, &view))
		return false;
	ranges = calloc(view->nr + 1, sizeof(*ranges));
	if (ranges)
		memcpy(ranges, view->ranges, view->nr * sizeof(*ranges));
	space->ranges = ranges;
	space->nr_ranges = view->nr;
	free(view);
	return ranges;
}

bool picture_of_topology(struct picture *picture, const struct backend *backend,
			 const char *path, const struct topology *topology,
			 char *const *names, size_t nr_names)
{
	struct picture_space *spaces;
	size_t i;

	picture->nr_spaces = 0;
	spaces = calloc(topology->nr_spaces + 1, sizeof(*spaces));
	picture->spaces = spaces;
	if (!fill_regions(picture, topology) || !spaces) {
		topology_error(path, 0, "out of memory");
		return false;
	}
	for (i = 0; i < topology->nr_spaces; i++) {
		const struct topology_space *from = &topology->spaces[i];
		struct picture_space *space = &spaces[picture->nr_spaces];

		if (!wanted(from->name, names, nr_names))
			continue;
		space->name = from->name;
		space->root = from->root;
		picture->nr_spaces++;
		if (!fill_space(space, backend, i)) {
			topology_error(path, from->line,
				       "cannot read the view");
			return false;
		}
	}
	return true;
}

void picture_topology_free(struct picture *picture)
{
	size_t i;

	for (i = 0; i < picture->nr_spaces; i++)
		free((void *)picture->spaces[i].ranges);
	free((void *)picture->spaces);
	free((void *)picture->regions);
}
