// SPDX-License-Identifier: MIT
/* A picture of a live machine. */
#include <stdlib.h>

#include <linux/mregion.h>

#include "picture_live.h"
#include "snapshot.h"
#include "tool.h"

static void fill_regions(struct picture *picture, const struct live_list *list)
{
	struct picture_region *regions = tool_alloc(list->nr, sizeof(*regions));
	const struct live_region *from = list->items;
	size_t i;

	for (i = 0; i < list->nr; i++, from++)
		regions[i] = (struct picture_region){
			.id = from->id,
			.kind = from->kind,
			.flags = from->flags,
			.len = from->len,
			.parent = from->parent,
			.offset = from->offset,
			.priority = from->priority,
			.order = from->order,
			.target = from->target,
			.target_offset = from->target_offset,
			.name = from->name,
		};
	picture->regions = regions;
	picture->nr_regions = list->nr;
}

static bool wanted(uint32_t id, const uint32_t *spaces, size_t nr_spaces)
{
	size_t i;

	for (i = 0; i < nr_spaces; i++)
		if (id == spaces[i])
			return true;
	return !nr_spaces;
}

/* A space of the kernel's has no name: it is called what mregion show calls it. */
static char *name_of(const struct live_space *space)
{
	char bus[WORDS_SIZE], *name;

	if (asprintf(&name, "space %u (%s)", space->id,
		     words_text(&words_bus, space->bus, bus)) < 0) {
		tool_error("out of memory");
		exit(1);
	}
	return name;
}

static void fill_space(struct picture_space *space,
		       const struct live_space *from,
		       const struct live_list *view)
{
	struct mregion_range *ranges = tool_alloc(view->nr, sizeof(*ranges));
	const struct live_range *range = view->items;
	size_t i;

	for (i = 0; i < view->nr; i++, range++)
		ranges[i] = (struct mregion_range){
			.start = range->start,
			.last = range->last,
			.offset = range->offset,
			.region = range->region,
			.kind = range->kind,
			.flags = range->flags,
		};
	*space = (struct picture_space){
		.name = name_of(from),
		.root = from->root,
		.ranges = ranges,
		.nr_ranges = view->nr,
	};
}

bool picture_of_machine(struct picture *picture, struct snapshot *snapshot,
			struct netlink *nl, uint32_t machine,
			const uint32_t *spaces, size_t nr_spaces)
{
	const struct live_space *space;
	struct picture_space *to;
	size_t i;
	int ret;

	picture->nr_spaces = 0;
	ret = snapshot_read(nl, machine, SNAPSHOT_REGIONS | SNAPSHOT_VIEWS,
			    snapshot);
	if (ret) {
		netlink_complain(nl, -ret, "machine %u", machine);
		return false;
	}
	/* The regions would not explain the views. */
	if (!snapshot->whole) {
		tool_error("machine %u: it changes too fast to see it in one piece",
			   machine);
		return false;
	}
	fill_regions(picture, &snapshot->regions);
	to = tool_alloc(snapshot->spaces.nr, sizeof(*to));
	picture->spaces = to;
	space = snapshot->spaces.items;
	for (i = 0; i < snapshot->spaces.nr; i++, space++)
		if (wanted(space->id, spaces, nr_spaces))
			fill_space(&to[picture->nr_spaces++], space,
				   &snapshot->views[i]);
	return true;
}

void picture_live_free(struct picture *picture)
{
	size_t i;

	for (i = 0; i < picture->nr_spaces; i++) {
		free((void *)picture->spaces[i].ranges);
		free((void *)picture->spaces[i].name);
	}
	free((void *)picture->spaces);
	free((void *)picture->regions);
}
