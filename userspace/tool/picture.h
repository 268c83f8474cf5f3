/* SPDX-License-Identifier: MIT */
/*
 * What is drawn: regions and the views of spaces, wherever they come from.
 *
 * The drawing reads these structures and nothing else. It renders nothing: what is
 * visible is what the views say.
 */
#ifndef MREGION_TOOL_PICTURE_H
#define MREGION_TOOL_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mregion_range;

/**
 * struct picture_region - a region, as struct mregion_region_info tells of it
 * @id: its ID, which is not 0
 * @kind: enum mregion_kind
 * @flags: enum mregion_region_flags
 * @len: length in bytes, 0 for 2^64
 * @parent: ID of the region it is mapped into, or 0
 * @offset: in @parent
 * @priority: among siblings
 * @order: among siblings of equal priority, the higher one is on top
 * @target: of an alias: ID of the region it shows
 * @target_offset: of an alias: offset in @target of the first byte shown
 * @name: any bytes; those that are no UTF-8 are drawn as U+FFFD
 */
struct picture_region {
	uint32_t id;
	uint32_t kind;
	uint32_t flags;
	uint64_t len;
	uint32_t parent;
	uint64_t offset;
	int32_t priority;
	uint64_t order;
	uint32_t target;
	uint64_t target_offset;
	const char *name;
};

/**
 * struct picture_space - an address space
 * @name: any bytes
 * @root: ID of the region at address 0
 * @ranges: its view, sorted and disjoint, as MREGION_VIEW_READ gives it
 * @nr_ranges: how many
 */
struct picture_space {
	const char *name;
	uint32_t root;
	const struct mregion_range *ranges;
	size_t nr_ranges;
};

/**
 * struct picture - what is drawn
 * @title: what to call it
 * @regions: all regions, in any order, no ID twice. One that is named by another
 *	region or by a range, but is not here, is left out of the drawing
 * @nr_regions: how many
 * @spaces: the spaces
 * @nr_spaces: how many
 */
struct picture {
	const char *title;
	const struct picture_region *regions;
	size_t nr_regions;
	const struct picture_space *spaces;
	size_t nr_spaces;
};

/**
 * struct picture_options - how it is drawn
 * @all: also regions that are disabled
 */
struct picture_options {
	bool all;
};

/**
 * picture_draw() - write an SVG file
 * @out: where to
 * @picture: what
 * @options: how
 *
 * Return: 0, -ENOMEM, or -E2BIG: a space has more regions than can be drawn.
 * What was written then is of no use. Errors of @out are left to the caller.
 */
int picture_draw(FILE *out, const struct picture *picture,
		 const struct picture_options *options);

#endif
