/* SPDX-License-Identifier: MIT */
/* Regions by what others say of them. */
#ifndef MREGION_TOOL_LAYOUT_INDEX_H
#define MREGION_TOOL_LAYOUT_INDEX_H

#include "layout.h"

/** struct layout_index - pointers to the @nr regions, in three orders */
struct layout_index {
	const struct picture_region **by_id;
	const struct picture_region **by_parent;	/* then from the bottom to the top */
	const struct picture_region **by_target;
	size_t nr;
};

/** layout_children() - the first of those in @id, in @by_parent; or the end */
const struct picture_region *const *
layout_children(const struct layout_index *index, uint32_t id);

/**
 * layout_leads() - whether one region can be seen through another
 * @index: of all regions
 * @region: what the view shows
 * @offset: in @region
 * @through: ID of a region that may show it, by what is in it and by aliases
 * @at: offset in @through
 */
bool layout_leads(const struct layout_index *index, uint32_t region,
		  uint64_t offset, uint32_t through, uint64_t at);

#endif
