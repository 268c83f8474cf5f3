/* SPDX-License-Identifier: MIT */
/*
 * Where in a drawing the parts of an address space are.
 *
 * Addresses go down, in bands: between two neighbouring borders of anything that is
 * drawn there is nothing to tell apart. A band is high enough to be read, and higher
 * the more addresses it has, by their logarithm.
 *
 * Regions are boxes that stand in lanes, one on top of another as they cover one
 * another: a box is in the first lane to the right of all that it lies on. So who
 * looks from the right sees what the guest sees.
 */
#ifndef MREGION_TOOL_LAYOUT_H
#define MREGION_TOOL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture.h"

#define LAYOUT_NONE	((size_t)-1)

/* More are no drawing any more. */
#define LAYOUT_MAX_BOXES	10000

/**
 * struct layout_box - a region
 * @region: the region
 * @parent: index of its parent's box, or %LAYOUT_NONE
 * @first: first address, where the region's offset 0 is
 * @last: last address, within its parents
 * @off: it, or what it is in, is disabled
 * @lane: from 0, the bottom
 * @band: first band
 * @end: behind its last band
 */
struct layout_box {
	const struct picture_region *region;
	size_t parent;
	uint64_t first;
	uint64_t last;
	bool off;
	unsigned int lane;
	size_t band;
	size_t end;
};

/**
 * struct layout_band - addresses that are all alike
 * @first: first address
 * @last: last address
 * @range: of the view, or NULL
 * @box: index of the box that @range is seen through, or %LAYOUT_NONE
 * @starts: a range or a box begins here
 * @y: upper edge
 * @h: height
 */
struct layout_band {
	uint64_t first;
	uint64_t last;
	const struct mregion_range *range;
	size_t box;
	bool starts;
	double y;
	double h;
};

/**
 * struct layout - an address space
 * @space: the space
 * @index: of all regions
 * @boxes: from the bottom to the top
 * @nr_boxes: how many
 * @bands: by address
 * @nr_bands: how many
 * @nr_lanes: how many
 * @height: of all bands
 */
struct layout {
	const struct picture_space *space;
	const struct layout_index *index;
	struct layout_box *boxes;
	size_t nr_boxes;
	struct layout_band *bands;
	size_t nr_bands;
	unsigned int nr_lanes;
	double height;
};

/** layout_index_new() - to find regions by; NULL if out of memory */
struct layout_index *layout_index_new(const struct picture *picture);
void layout_index_free(struct layout_index *index);

/** layout_region() - the region of an ID, or NULL */
const struct picture_region *layout_region(const struct layout_index *index,
					   uint32_t id);

/**
 * layout_make() - lay a space out
 * @layout: filled in; layout_free() it in any case
 * @index: of all regions
 * @space: the space
 * @all: also what is disabled
 *
 * Return: 0, -ENOMEM or -E2BIG.
 */
int layout_make(struct layout *layout, const struct layout_index *index,
		const struct picture_space *space, bool all);

void layout_free(struct layout *layout);

/** layout_find() - the box of a region, or %LAYOUT_NONE */
size_t layout_find(const struct layout *layout,
		   const struct picture_region *region);

#endif
