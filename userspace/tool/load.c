// SPDX-License-Identifier: MIT
/*
 * Make a machine what a topology says: first all regions, then how they are
 * mapped, in the order of the file, since that decides who is on top; spaces
 * come last, so that nothing is rendered before it is complete.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "batch.h"
#include "load.h"
#include "topology.h"

static bool create_region(struct batch *batch,
			  const struct topology_region *region)
{
	struct mregion_op op = {
		.code = MREGION_OP_CREATE,
		.id = region->id,
		.create = {
			.kind = region->kind,
			.len = region->len,
			.offset = region->offset,
			.target = region->target,
		},
	};

	strncpy(op.create.name, region->name, sizeof(op.create.name) - 1);
	return batch_add(batch, &op, region->line);
}

/**
 * struct aliases - aliases, to be created after what they show
 * @created: for each region whether it is created
 * @chain: aliases that wait for what they show, a stack of their indices
 */
struct aliases {
	bool *created;
	size_t *chain;
};

/* Create an alias, after all aliases that it shows directly or not. */
static bool create_alias(struct batch *batch, const struct topology *topology,
			 struct aliases *aliases, size_t i)
{
	const struct topology_region *region;
	size_t nr = 0;

	while (!aliases->created[i]) {
		if (nr == topology->nr_regions) {
			topology_error(batch->path, topology->regions[i].line,
				       "alias %u shows itself",
				       topology->regions[i].id);
			return false;
		}
		aliases->chain[nr++] = i;
		region = topology_find(topology, topology->regions[i].target);
		i = region - topology->regions;
	}
	while (nr) {
		i = aliases->chain[--nr];
		if (!create_region(batch, &topology->regions[i]))
			return false;
		aliases->created[i] = true;
	}
	return true;
}

static bool create_all(struct batch *batch, const struct topology *topology,
		       struct aliases *aliases)
{
	const struct topology_region *region;
	size_t i;

	for (i = 0; i < topology->nr_regions; i++) {
		region = &topology->regions[i];
		if (region->kind == MREGION_ALIAS)
			continue;
		if (!create_region(batch, region))
			return false;
		aliases->created[i] = true;
	}
	for (i = 0; i < topology->nr_regions; i++)
		if (!create_alias(batch, topology, aliases, i))
			return false;
	return true;
}

static bool create_regions(struct batch *batch,
			   const struct topology *topology)
{
	struct aliases aliases = {
		.created = calloc(topology->nr_regions + 1,
				  sizeof(*aliases.created)),
		.chain = calloc(topology->nr_regions + 1,
				sizeof(*aliases.chain)),
	};
	bool ok = aliases.created && aliases.chain;

	if (ok)
		ok = create_all(batch, topology, &aliases);
	else
		topology_error(batch->path, 0, "out of memory");
	free(aliases.created);
	free(aliases.chain);
	return ok;
}

static bool map_regions(struct batch *batch, const struct topology *topology)
{
	const struct topology_map *map = topology->maps;
	size_t i;

	for (i = 0; i < topology->nr_maps; i++, map++) {
		struct mregion_op op = {
			.code = MREGION_OP_MAP,
			.id = map->child,
			.map = {
				.offset = map->offset,
				.parent = map->parent,
				.priority = map->priority,
			},
		};

		if (!batch_add(batch, &op, map->line))
			return false;
	}
	return true;
}

static bool set_flags(struct batch *batch, const struct topology *topology)
{
	const struct topology_flag *flag = topology->flags;
	size_t i;

	for (i = 0; i < topology->nr_flags; i++, flag++) {
		struct mregion_op op = {
			.code = MREGION_OP_SET_FLAGS,
			.id = flag->id,
			.set_flags = {
				.mask = flag->flag,
				.flags = flag->flag,
			},
		};

		if (!batch_add(batch, &op, flag->line))
			return false;
	}
	return true;
}

/* One commit each, so that it is clear which of them cannot be rendered. */
static bool create_spaces(struct batch *batch, const struct topology *topology)
{
	const struct topology_space *space = topology->spaces;
	size_t i;

	for (i = 0; i < topology->nr_spaces; i++, space++) {
		struct mregion_op op = {
			.code = MREGION_OP_SPACE_CREATE,
			.id = i + 1,
			.space = {
				.root = space->root,
				.bus = MREGION_BUS_MEMORY,
			},
		};

		if (!batch_add(batch, &op, space->line) || !batch_commit(batch))
			return false;
	}
	return true;
}

bool load_topology(const struct backend *backend, const char *path,
		   const struct topology *topology)
{
	struct batch batch;
	bool ok;

	if (!batch_init(&batch, backend, path))
		return false;
	ok = create_regions(&batch, topology) &&
	     map_regions(&batch, topology) &&
	     set_flags(&batch, topology) &&
	     batch_commit(&batch) &&
	     create_spaces(&batch, topology);
	batch_free(&batch);
	return ok;
}
