// SPDX-License-Identifier: GPL-2.0
#include <linux/list.h>
#include <linux/mm.h>

#include "tree.h"
#include "view.h"

/**
 * mregion_ranges_equal() - whether nobody could tell two ranges apart
 * @a: a range
 * @b: a range
 */
bool mregion_ranges_equal(const struct mregion_view_range *a,
			  const struct mregion_view_range *b)
{
	return a->start == b->start && a->last == b->last &&
	       a->delta == b->delta && a->node == b->node &&
	       a->behaviour == b->behaviour && a->flags == b->flags &&
	       a->beyond == b->beyond;
}

static void mregion_view_free_range(struct mregion_btree_memory *memory,
				    void *range)
{
	struct mregion_view_memory *view_memory =
		container_of(memory, struct mregion_view_memory, btree);

	view_memory->free_range(view_memory, range);
}

/**
 * mregion_view_free_ranges() - free all that a view has; may sleep
 * @memory: where that comes from
 * @view: one that nobody can reach, and that shares nothing with another one
 */
void mregion_view_free_ranges(struct mregion_view_memory *memory,
			      struct mregion_view *view)
{
	mregion_btree_free(&memory->btree, &view->tree,
			   mregion_view_free_range);
}

/**
 * mregion_view_describe() - a range as userspace gets to see it
 * @range: the range
 * @region: ID of its region
 * @desc: to be filled in
 */
void mregion_view_describe(const struct mregion_view_range *range,
			   u32 region, struct mregion_range *desc)
{
	*desc = (struct mregion_range) {
		.start = range->start,
		.last = range->last,
		.offset = range->start + range->delta,
		.region = region,
		.kind = range->node->kind,
		.flags = range->flags,
	};
}
