/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From one view to the next: windows of the hierarchy are rendered, and joined with
 * what is left and right of them, so that the whole is what a rendering of all gives.
 */
#ifndef MREGION_UPDATE_H
#define MREGION_UPDATE_H

#include <linux/list.h>
#include <linux/types.h>

#include "delta.h"
#include "view.h"
#include "work.h"

/**
 * struct mregion_update - what is done to make a view
 * @memory: where what it is made of comes from
 * @edit: of its tree
 * @fresh: list of ranges that are new, by struct mregion_view_range.list
 * @replaced: list of ranges that the view before has, and it has not, likewise
 * @dropped: list of ranges that were new, and are in neither, likewise
 * @moved: more than behaviours has changed
 */
struct mregion_update {
	struct mregion_view_memory *memory;
	struct mregion_btree_edit edit;
	struct list_head fresh;
	struct list_head replaced;
	struct list_head dropped;
	bool moved;
};

void mregion_update_begin(struct mregion_update *update,
			  struct mregion_view_memory *memory, u64 id);
int mregion_update_view(struct mregion_update *update,
			struct mregion_view *view, struct mregion_node *root,
			struct mregion_delta *delta, struct mregion_work *work);
void mregion_update_undo(struct mregion_update *update,
			 struct mregion_view *view);
void mregion_update_end(struct mregion_update *update);
void mregion_update_free_replaced(struct mregion_view_memory *memory,
				  struct mregion_btree_node *nodes,
				  struct list_head *ranges);

#endif /* MREGION_UPDATE_H */
