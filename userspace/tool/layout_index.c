// SPDX-License-Identifier: MIT
/* Regions by what others say of them. */
#include <stdlib.h>

#include <linux/mregion.h>

#include "layout_index.h"

/* Deeper than any view goes. */
#define MAX_DEPTH	64

/* Aliases of aliases can be many ways; so many are tried. */
#define MAX_TRIES	4096

static int compare(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

static const struct picture_region *region_at(const void *entry)
{
	return *(const struct picture_region *const *)entry;
}

static int compare_id(const void *a, const void *b)
{
	return compare(region_at(a)->id, region_at(b)->id);
}

static int compare_parent(const void *a, const void *b)
{
	const struct picture_region *x = region_at(a), *y = region_at(b);

	if (x->parent != y->parent)
		return compare(x->parent, y->parent);
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return compare(x->order, y->order);
}

static int compare_target(const void *a, const void *b)
{
	const struct picture_region *x = region_at(a), *y = region_at(b);

	if (x->target != y->target)
		return compare(x->target, y->target);
	return compare(x->id, y->id);
}

static const struct picture_region **
sorted(const struct picture *picture,
       int (*order)(const void *a, const void *b))
{
	const struct picture_region **entries;
	size_t i;

	entries = calloc(picture->nr_regions + 1, sizeof(*entries));
	if (!entries)
		return NULL;
	for (i = 0; i < picture->nr_regions; i++)
		entries[i] = &picture->regions[i];
	qsort(entries, picture->nr_regions, sizeof(*entries), order);
	return entries;
}

void layout_index_free(struct layout_index *index)
{
	if (!index)
		return;
	free(index->by_id);
	free(index->by_parent);
	free(index->by_target);
	free(index);
}

struct layout_index *layout_index_new(const struct picture *picture)
{
	struct layout_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	index->nr = picture->nr_regions;
	index->by_id = sorted(picture, compare_id);
	index->by_parent = sorted(picture, compare_parent);
	index->by_target = sorted(picture, compare_target);
	if (index->by_id && index->by_parent && index->by_target)
		return index;
	layout_index_free(index);
	return NULL;
}

const struct picture_region *layout_region(const struct layout_index *index,
					   uint32_t id)
{
	const struct picture_region key = { .id = id };
	const struct picture_region *const entry = &key;
	const struct picture_region *const *found;

	found = bsearch(&entry, index->by_id, index->nr, sizeof(entry),
			compare_id);
	return found ? *found : NULL;
}

const struct picture_region *const *
layout_children(const struct layout_index *index, uint32_t id)
{
	size_t low = 0, high = index->nr;

	while (low < high) {
		size_t i = low + (high - low) / 2;

		if (index->by_parent[i]->parent < id)
			low = i + 1;
		else
			high = i;
	}
	return index->by_parent + low;
}

static const struct picture_region *const *
aliases(const struct layout_index *index, uint32_t id)
{
	size_t low = 0, high = index->nr;

	while (low < high) {
		size_t i = low + (high - low) / 2;

		if (index->by_target[i]->target < id)
			low = i + 1;
		else
			high = i;
	}
	return index->by_target + low;
}

struct search {
	const struct layout_index *index;
	uint32_t through;
	uint64_t at;
	unsigned int tries;
};

/* From what is shown up to what shows it: a region has one parent. */
static bool climb(struct search *search, uint32_t id, uint64_t offset,
		  unsigned int depth)
{
	const struct layout_index *index = search->index;
	const struct picture_region *region;
	const struct picture_region *const *alias;

	if (id == search->through && offset == search->at)
		return true;
	region = layout_region(index, id);
	if (!region || depth == MAX_DEPTH || !search->tries)
		return false;
	search->tries--;
	if (region->parent &&
	    climb(search, region->parent, offset + region->offset, depth + 1))
		return true;
	for (alias = aliases(index, id);
	     alias < index->by_target + index->nr && (*alias)->target == id;
	     alias++) {
		uint64_t at = offset - (*alias)->target_offset;

		if (offset >= (*alias)->target_offset &&
		    at <= (*alias)->len - 1 &&
		    climb(search, (*alias)->id, at, depth + 1))
			return true;
	}
	return false;
}

bool layout_leads(const struct layout_index *index, uint32_t region,
		  uint64_t offset, uint32_t through, uint64_t at)
{
	struct search search = {
		.index = index,
		.through = through,
		.at = at,
		.tries = MAX_TRIES,
	};

	return climb(&search, region, offset, 0);
}
