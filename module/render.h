/* SPDX-License-Identifier: GPL-2.0 */
/* From hierarchy to addresses; as tree.h, also for ordinary programs. */
#ifndef MREGION_RENDER_H
#define MREGION_RENDER_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "tree.h"

/**
 * struct mregion_piece - what a rendering has found at some addresses
 * @list: in the list of all, by address
 * @gap: in the tree of gaps
 * @node: the region that is visible; NULL: none is
 * @start: first address
 * @last: last address
 * @offset: of @start in the region
 * @flags: enum mregion_range_flags
 */
struct mregion_piece {
	struct list_head list;
	struct rb_node gap;
	struct mregion_node *node;
	u64 start;
	u64 last;
	u64 offset;
	u32 flags;
};

struct mregion_pieces;

/* Pieces that no memory has to be allocated for; a small window has no more. */
#define MREGION_FEW_PIECES	5

/**
 * struct mregion_rendered - what a rendering has found
 * @list: all struct mregion_piece of the window, by address
 * @memory: where those are that are not in @few
 * @nr_few: number of @few
 * @few: the first ones that were found
 */
struct mregion_rendered {
	struct list_head list;
	struct mregion_pieces *memory;
	u32 nr_few;
	struct mregion_piece few[MREGION_FEW_PIECES];
};

int mregion_render(struct mregion_node *root, u64 start, u64 last,
		   struct mregion_work *work,
		   struct mregion_rendered *rendered);
void mregion_render_free(struct mregion_rendered *rendered);

#endif /* MREGION_RENDER_H */
