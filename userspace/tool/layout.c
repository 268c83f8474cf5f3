// SPDX-License-Identifier: MIT
/* Where in a drawing the parts of an address space are. */
#include <errno.h>
#include <stdlib.h>

#include <linux/mregion.h>

#include "layout.h"
#include "layout_index.h"

#define MAX_DEPTH	64

/* Heights, in the units of the drawing. */
#define LINE		15.0	/* that of a line of text */
#define NARROW		5.0	/* of what begins nothing, and is short */
#define DOUBLING	1.7	/* for each doubling of addresses */
#define SHORT_BITS	13	/* from here on */

static struct layout_box *add_box(struct layout *layout)
{
	size_t nr = layout->nr_boxes;

	if (!(nr & (nr - 1))) {
		void *boxes = realloc(layout->boxes, (nr ? 2 * nr : 1) *
				      sizeof(*layout->boxes));

		if (!boxes)
			return NULL;
		layout->boxes = boxes;
	}
	return &layout->boxes[layout->nr_boxes++];
}

/*
 * Add the box of a region, and, on top of it, those of what is in it. What reaches
 * beyond its parent is cut, and may be nothing.
 */
static int add_boxes(struct layout *layout, const struct picture_region *region,
		     size_t parent, bool all, unsigned int depth)
{
	const struct layout_index *index = layout->index;
	struct layout_box box = {
		.region = region,
		.parent = parent,
		.off = region->flags & MREGION_REGION_DISABLED,
		.last = region->len - 1,
	};
	size_t own = layout->nr_boxes;
	const struct picture_region *const *child;
	struct layout_box *new;
	int ret = 0;

	if (parent != LAYOUT_NONE) {
		const struct layout_box *in = &layout->boxes[parent];

		if (region->offset > in->last - in->first)
			return 0;
		box.off |= in->off;
		box.first = in->first + region->offset;
		box.last += box.first;
		if (box.last < box.first || box.last > in->last)
			box.last = in->last;
	}
	if ((box.off && !all) || depth == MAX_DEPTH)
		return 0;
	if (layout->nr_boxes == LAYOUT_MAX_BOXES)
		return -E2BIG;
	new = add_box(layout);
	if (!new)
		return -ENOMEM;
	*new = box;
	for (child = layout_children(index, region->id);
	     !ret && child < index->by_parent + index->nr &&
	     (*child)->parent == region->id; child++)
		ret = add_boxes(layout, *child, own, all, depth + 1);
	return ret;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* All addresses at which something begins, or would if it were behind something. */
static int make_bands(struct layout *layout)
{
	const struct picture_space *space = layout->space;
	size_t room = 2 * (layout->nr_boxes + space->nr_ranges) + 1;
	uint64_t *cuts = calloc(room, sizeof(*cuts));
	size_t i, nr = 0, bands = 0;
	uint64_t last = 0;

	if (!cuts)
		return -ENOMEM;
	cuts[nr++] = 0;
	for (i = 0; i < layout->nr_boxes; i++) {
		const struct layout_box *box = &layout->boxes[i];

		cuts[nr++] = box->first;
		if (box->last != UINT64_MAX)
			cuts[nr++] = box->last + 1;
		if (box->last > last)
			last = box->last;
	}
	for (i = 0; i < space->nr_ranges; i++) {
		const struct mregion_range *range = &space->ranges[i];

		cuts[nr++] = range->start;
		if (range->last != UINT64_MAX)
			cuts[nr++] = range->last + 1;
		if (range->last > last)
			last = range->last;
	}
	qsort(cuts, nr, sizeof(*cuts), compare);
	layout->bands = calloc(nr, sizeof(*layout->bands));
	for (i = 0; i < nr && layout->bands; i++) {
		if (cuts[i] > last || (i && cuts[i] == cuts[i - 1]))
			continue;
		if (bands)
			layout->bands[bands - 1].last = cuts[i] - 1;
		layout->bands[bands++] = (struct layout_band) {
			.first = cuts[i],
			.last = last,
			.box = LAYOUT_NONE,
		};
	}
	layout->nr_bands = bands;
	free(cuts);
	return layout->bands ? 0 : -ENOMEM;
}

/* The band that begins at @addr, or the number of bands. */
static size_t find_band(const struct layout *layout, uint64_t addr)
{
	size_t low = 0, high = layout->nr_bands;

	while (low < high) {
		size_t i = low + (high - low) / 2;

		if (layout->bands[i].first < addr)
			low = i + 1;
		else
			high = i;
	}
	return low;
}

static size_t end_band(const struct layout *layout, uint64_t last)
{
	return last == UINT64_MAX ? layout->nr_bands :
				    find_band(layout, last + 1);
}

static void place_ranges(struct layout *layout)
{
	const struct picture_space *space = layout->space;
	size_t i, b, end;

	for (i = 0; i < space->nr_ranges; i++) {
		b = find_band(layout, space->ranges[i].start);
		end = end_band(layout, space->ranges[i].last);
		layout->bands[b].starts = true;
		for (; b < end; b++)
			layout->bands[b].range = &space->ranges[i];
	}
}

/* Whether the view shows in @band what it would see through @box. */
static bool shows(const struct layout *layout, const struct layout_box *box,
		  const struct layout_band *band)
{
	const struct picture_region *region = box->region;
	const struct mregion_range *range = band->range;
	uint64_t at = band->first - box->first, offset;

	if (!range || box->off || region->kind == MREGION_CONTAINER)
		return false;
	offset = range->offset + (band->first - range->start);
	if (region->kind != MREGION_ALIAS)
		return range->region == region->id && offset == at;
	return layout_leads(layout->index, range->region, offset,
			    region->target, at + region->target_offset);
}

/* Boxes come from the bottom to the top: the last that can be seen is. */
static int place_boxes(struct layout *layout)
{
	unsigned int *top = calloc(layout->nr_bands + 1, sizeof(*top));
	size_t i, b;

	if (!top)
		return -ENOMEM;
	for (i = 0; i < layout->nr_boxes; i++) {
		struct layout_box *box = &layout->boxes[i];

		box->band = find_band(layout, box->first);
		box->end = end_band(layout, box->last);
		box->lane = 0;
		layout->bands[box->band].starts = true;
		for (b = box->band; b < box->end; b++) {
			if (top[b] > box->lane)
				box->lane = top[b];
			if (shows(layout, box, &layout->bands[b]))
				layout->bands[b].box = i;
		}
		for (b = box->band; b < box->end; b++)
			top[b] = box->lane + 1;
		if (box->lane >= layout->nr_lanes)
			layout->nr_lanes = box->lane + 1;
	}
	free(top);
	return 0;
}

static int bit_length(uint64_t n)
{
	return n ? 64 - __builtin_clzll(n) : 0;
}

static void place_bands(struct layout *layout)
{
	double y = 0;
	size_t i;

	for (i = 0; i < layout->nr_bands; i++) {
		struct layout_band *band = &layout->bands[i];
		int bits = bit_length(band->last - band->first);
		bool large = bits > 16;

		band->y = y;
		band->h = band->starts || (!band->range && large) ? LINE :
								    NARROW;
		if (band->range && bits > SHORT_BITS)
			band->h += DOUBLING * (bits - SHORT_BITS);
		y += band->h;
	}
	layout->height = y;
}

int layout_make(struct layout *layout, const struct layout_index *index,
		const struct picture_space *space, bool all)
{
	const struct picture_region *root = layout_region(index, space->root);
	int ret = 0;

	*layout = (struct layout) { .space = space, .index = index };
	if (root)
		ret = add_boxes(layout, root, LAYOUT_NONE, all, 0);
	if (!ret)
		ret = make_bands(layout);
	if (ret)
		return ret;
	place_ranges(layout);
	ret = place_boxes(layout);
	place_bands(layout);
	return ret;
}

void layout_free(struct layout *layout)
{
	free(layout->boxes);
	free(layout->bands);
}

size_t layout_find(const struct layout *layout,
		   const struct picture_region *region)
{
	size_t i;

	for (i = 0; i < layout->nr_boxes; i++)
		if (layout->boxes[i].region == region)
			return i;
	return LAYOUT_NONE;
}
