// SPDX-License-Identifier: GPL-2.0
/* A hierarchy in the format that "mregion render" reads. */
#include <inttypes.h>
#include <stdio.h>

#include <linux/mregion.h>

#include "world.h"

static const char * const world_kind[] = {
	[MREGION_CONTAINER] = "container",
	[MREGION_RAM] = "ram",
	[MREGION_ROM] = "rom",
	[MREGION_ROMD] = "romd",
	[MREGION_RAMDEV] = "ramdev",
	[MREGION_MMIO] = "mmio",
	[MREGION_ALIAS] = "alias",
	/* which that format has not, and which hides the same */
	[MREGION_RESERVATION] = "mmio",
};

static void world_print_region(const struct world *w, int id)
{
	const struct model_region *r = &w->model.region[id];

	/* 0 is no ID there */
	if (r->kind == MREGION_ALIAS)
		printf("alias %d %d %#" PRIx64, id + 1, r->target + 1,
		       r->target_offset);
	else
		printf("region %d %s", id + 1, world_kind[r->kind]);
	if (r->last == UINT64_MAX)
		printf(" 0x10000000000000000 %d\n", id + 1);
	else
		printf(" %#" PRIx64 " %d\n", r->last + 1, id + 1);
	if (r->flags & MREGION_REGION_READONLY)
		printf("readonly %d\n", id + 1);
	if (r->flags & MREGION_REGION_DISABLED)
		printf("disable %d\n", id + 1);
	if (r->flags & ~(MREGION_REGION_READONLY | MREGION_REGION_DISABLED))
		printf("# %d has flags %#x\n", id + 1, r->flags);
	if (r->kind == MREGION_RESERVATION)
		printf("# %d is a reservation\n", id + 1);
}

/* An alias comes after its target, which may have the higher index. */
static void world_print_alias(const struct world *w, int id, bool *done)
{
	int target = w->model.region[id].target;

	if (done[id])
		return;
	done[id] = true;
	if (target >= 0)
		world_print_alias(w, target, done);
	world_print_region(w, id);
}

/**
 * world_print() - print the model's hierarchy
 * @w: the world
 */
void world_print(const struct world *w)
{
	const struct model *m = &w->model;
	bool done[MODEL_REGIONS] = { false };
	int i;

	for (i = 0; i < MODEL_REGIONS; i++)
		if (m->region[i].used)
			world_print_alias(w, i, done);
	for (i = 0; i < m->nr_mapped; i++) {
		const struct model_region *r = &m->region[m->mapped[i]];

		printf("map %d %d %#" PRIx64 " %d\n", r->parent + 1,
		       m->mapped[i] + 1, r->addr, r->priority);
	}
	for (i = 0; i < WORLD_SPACES; i++)
		if (w->space[i].root >= 0)
			printf("space %d %d\n# ends at %#" PRIx64 "\n", i,
			       w->space[i].root + 1, w->space[i].last);
}
