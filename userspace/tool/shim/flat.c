// SPDX-License-Identifier: GPL-2.0
/* Views of the module's, of memory of this program's. */
#include <linux/err.h>
#include <linux/slab.h>

#include "../../../module/update.h"
#include "flat.h"

static struct mregion_btree_node *
alloc_node(struct mregion_btree_memory *memory)
{
	(void)memory;
	return malloc(sizeof(struct mregion_btree_node));
}

static void free_node(struct mregion_btree_memory *memory,
		      struct mregion_btree_node *node)
{
	(void)memory;
	free(node);
}

static struct mregion_view_range *
alloc_range(struct mregion_view_memory *memory)
{
	(void)memory;
	return malloc(sizeof(struct mregion_view_range));
}

static void free_range(struct mregion_view_memory *memory,
		       struct mregion_view_range *range)
{
	(void)memory;
	free(range);
}

static struct mregion_view_memory memory = {
	.btree.alloc = alloc_node,
	.btree.free = free_node,
	.alloc_range = alloc_range,
	.free_range = free_range,
};

struct mregion_view *flat_render(struct mregion_node *root, u64 last,
				 struct mregion_work *work)
{
	struct mregion_delta all = { .nr = 1, .interval[0].last = U64_MAX };
	struct mregion_view *view = calloc(1, sizeof(*view));
	struct mregion_update update;
	int ret;

	if (!view)
		return ERR_PTR(-ENOMEM);
	view->last = last;
	mregion_update_begin(&update, &memory, 1);
	ret = mregion_update_view(&update, view, root, &all, work);
	if (!ret) {
		mregion_update_end(&update);
		return view;
	}
	mregion_update_undo(&update, view);
	free(view);
	return ERR_PTR(ret);
}

void flat_free(struct mregion_view *view)
{
	mregion_view_free_ranges(&memory, view);
	free(view);
}
