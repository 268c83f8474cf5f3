// SPDX-License-Identifier: MIT
/* Regions as a tree, and the way that an address takes through it. */
#include <stdlib.h>
#include <string.h>

#include "hierarchy.h"
#include "tool.h"

/* Those that are higher come first; the kernel says it in two members. */
static int rank(const struct live_region *x, const struct live_region *y)
{
	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (x->order != y->order)
		return x->order > y->order ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_rank(const void *a, const void *b, void *arg)
{
	const struct live_region *regions = arg;
	const struct live_region *x = &regions[*(const uint32_t *)a];
	const struct live_region *y = &regions[*(const uint32_t *)b];

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return rank(x, y);
}

static int by_address(const void *a, const void *b, void *arg)
{
	const struct live_region *regions = arg;
	const struct live_region *x = &regions[*(const uint32_t *)a];
	const struct live_region *y = &regions[*(const uint32_t *)b];

	if (x->parent == y->parent && x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return by_rank(a, b, arg);
}

static uint32_t *sorted(const struct live_list *regions,
			int (*compare)(const void *, const void *, void *))
{
	uint32_t *order = tool_alloc(regions->nr, sizeof(*order));
	size_t i;

	for (i = 0; i < regions->nr; i++)
		order[i] = i;
	qsort_r(order, regions->nr, sizeof(*order), compare, regions->items);
	return order;
}

void hierarchy_make(struct hierarchy *hierarchy,
		    const struct live_list *regions)
{
	hierarchy->regions = regions->items;
	hierarchy->nr = regions->nr;
	hierarchy->by_address = sorted(regions, by_address);
	hierarchy->by_rank = sorted(regions, by_rank);
}

void hierarchy_free(struct hierarchy *hierarchy)
{
	free(hierarchy->by_address);
	free(hierarchy->by_rank);
	memset(hierarchy, 0, sizeof(*hierarchy));
}

const struct live_region *hierarchy_find(const struct hierarchy *hierarchy,
					 uint32_t id)
{
	size_t first = 0, end = hierarchy->nr;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (hierarchy->regions[middle].id < id)
			first = middle + 1;
		else
			end = middle;
	}
	return first < hierarchy->nr && hierarchy->regions[first].id == id ?
		&hierarchy->regions[first] : NULL;
}

/* Where in @order the regions of parents from @parent on begin. */
static size_t children_begin(const struct hierarchy *hierarchy,
			     const uint32_t *order, uint64_t parent)
{
	size_t first = 0, end = hierarchy->nr;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (hierarchy->regions[order[middle]].parent < parent)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

const uint32_t *hierarchy_children(const struct hierarchy *hierarchy,
				   const uint32_t *order, uint32_t parent,
				   size_t *nr)
{
	size_t first = children_begin(hierarchy, order, parent);

	*nr = children_begin(hierarchy, order, (uint64_t)parent + 1) - first;
	return order + first;
}

static bool walk(const struct hierarchy *hierarchy,
		 const struct live_region *region, uint64_t offset,
		 struct hierarchy_way *way)
{
	const uint32_t *children;
	size_t i, nr;

	if (!region || region->flags & MREGION_REGION_DISABLED ||
	    offset > region->len - 1 || way->nr == HIERARCHY_MAX_DEPTH)
		return false;
	way->steps[way->nr++] = (struct hierarchy_step){
		.region = region,
		.offset = offset,
	};
	if (region->kind == MREGION_ALIAS) {
		uint64_t shown = region->target_offset + offset;

		if (shown >= offset &&
		    walk(hierarchy, hierarchy_find(hierarchy, region->target),
			 shown, way))
			return true;
	}
	children = hierarchy_children(hierarchy, hierarchy->by_rank,
				      region->id, &nr);
	for (i = 0; i < nr; i++) {
		const struct live_region *child =
			&hierarchy->regions[children[i]];

		if (offset >= child->offset &&
		    walk(hierarchy, child, offset - child->offset, way))
			return true;
	}
	if (region->kind != MREGION_CONTAINER && region->kind != MREGION_ALIAS)
		return true;
	way->nr--;
	return false;
}

void hierarchy_walk(const struct hierarchy *hierarchy, uint32_t root,
		    uint64_t offset, struct hierarchy_way *way)
{
	way->nr = 0;
	walk(hierarchy, hierarchy_find(hierarchy, root), offset, way);
}
