// SPDX-License-Identifier: GPL-2.0
/* Views of the module's, in an ordinary program; selftests/fuzz has them, too. */
#include <linux/err.h>
#include <linux/slab.h>

#include "../../../module/update.h"
#include "flat.h"

static struct mregion_btree_node *
alloc_node(struct mregion_btree_memory *memory)
{
	(void)memory;
	return kmalloc(sizeof(struct mregion_btree_node), GFP_KERNEL_ACCOUNT);
}

static void free_node(struct mregion_btree_memory *memory,
		      struct mregion_btree_node *node)
{
	(void)memory;
	kfree(node);
}

static struct mregion_view_range *
alloc_range(struct mregion_view_memory *memory)
{
	(void)memory;
	return kmalloc(sizeof(struct mregion_view_range), GFP_KERNEL_ACCOUNT);
}

static void free_range(struct mregion_view_memory *memory,
		       struct mregion_view_range *range)
{
	(void)memory;
	kfree(range);
}

struct mregion_view_memory flat_memory = {
	.btree.alloc = alloc_node,
	.btree.free = free_node,
	.alloc_range = alloc_range,
	.free_range = free_range,
};

struct mregion_view *flat_render(struct mregion_node *root, u64 last,
				 struct mregion_work *work)
{
	struct mregion_delta all = { .nr = 1, .interval[0].last = ~0ull };
	struct mregion_view *view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	struct mregion_update update;
	int ret;

	if (!view)
		return ERR_PTR(-ENOMEM);
	view->last = last;
	mregion_update_begin(&update, &flat_memory, 1);
	ret = mregion_update_view(&update, view, root, &all, work);
	if (!ret) {
		mregion_update_end(&update);
		return view;
	}
	mregion_update_undo(&update, view);
	kfree(view);
	return ERR_PTR(ret);
}

void flat_free(struct mregion_view *view)
{
	if (!view)
		return;
	mregion_view_free_ranges(&flat_memory, view);
	kfree(view);
}
