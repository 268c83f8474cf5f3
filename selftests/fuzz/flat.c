// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/slab.h>

#include "flat.h"

/**
 * flat_update() - make a view of another one
 * @update: how it was made; flat_keep_before() or flat_keep_view() follows
 * @before: the other one, or NULL
 * @root: the region at address 0
 * @last: last address
 * @delta: where it may differ; left with where it does
 * @work: budget
 *
 * Return: the view, which shares with @before, or an ERR_PTR.
 */
struct mregion_view *flat_update(struct mregion_update *update,
				 const struct mregion_view *before,
				 struct mregion_node *root, u64 last,
				 struct mregion_delta *delta,
				 struct mregion_work *work)
{
	static u64 id;
	struct mregion_view *view = shim_zalloc(sizeof(*view));
	int ret;

	if (!view)
		return ERR_PTR(-ENOMEM);
	if (before)
		view->tree = before->tree;
	view->last = last;
	mregion_update_begin(update, &flat_memory, ++id);
	ret = mregion_update_view(update, view, root, delta, work);
	if (!ret)
		return view;
	flat_keep_before(update, view);
	return ERR_PTR(ret);
}

/**
 * flat_keep_before() - forget a view that was made of another one
 * @update: how
 * @view: the view, which is freed
 */
void flat_keep_before(struct mregion_update *update, struct mregion_view *view)
{
	mregion_update_undo(update, view);
	shim_free(view);
}

/**
 * flat_keep_view() - forget a view that another one was made of
 * @update: how
 * @before: the view, which is freed; or NULL
 */
void flat_keep_view(struct mregion_update *update, struct mregion_view *before)
{
	mregion_update_end(update);
	mregion_update_free_replaced(&flat_memory, update->edit.replaced,
				     &update->replaced);
	shim_free(before);
}
