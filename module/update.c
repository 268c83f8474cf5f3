// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mregion.h>
#include <linux/slab.h>

#include "limits.h"
#include "render.h"
#include "update.h"

/* Items that no memory has to be allocated for; a window that moves has fewer. */
#define MREGION_JOIN_ITEMS	16

/**
 * struct mregion_join - a window's pieces, joined to ranges and compared
 * @update: the update
 * @view: the view under way
 * @cursor: of @old
 * @old: the first range of @view that has not been passed yet, or NULL
 * @range: what was joined so far, of what is not complete yet
 * @open: there is such
 * @items: what the view is to have, from the first difference on
 * @nr: number of @items
 * @keep: how many of them are not behind the last difference
 * @start: the first address that differs
 * @last: the last one
 * @few: for @items
 */
struct mregion_join {
	struct mregion_update *update;
	struct mregion_view *view;
	struct mregion_btree_cursor cursor;
	struct mregion_view_range *old;
	struct mregion_view_range range;
	bool open;
	void **items;
	u32 nr;
	u32 keep;
	u64 start;
	u64 last;
	void *few[MREGION_JOIN_ITEMS];
};

/* Whether a piece goes on where a range ends, as if it were one of it. */
static bool mregion_range_continues(const struct mregion_view_range *range,
				    const struct mregion_piece *piece)
{
	/* the first byte of a region of 2^64 does not follow its last */
	return range->node == piece->node && range->flags == piece->flags &&
	       range->last + 1 == piece->start &&
	       range->start + range->delta < piece->offset &&
	       piece->start + range->delta == piece->offset;
}

static bool mregion_can_merge(const struct mregion_view_range *range,
			      const struct mregion_piece *piece)
{
	return !(range->flags & MREGION_RANGE_UNMERGEABLE) &&
	       mregion_range_continues(range, piece);
}

/* Take the addresses of an item among those that differ. */
static void mregion_join_differs(struct mregion_join *join, u64 start, u64 last)
{
	join->start = min(join->start, start);
	join->last = max(join->last, last);
	join->keep = join->nr;
}

/* The view will not have @join->old any more. */
static void mregion_join_drop(struct mregion_join *join)
{
	struct mregion_update *update = join->update;
	struct mregion_view_range *old = join->old;

	mregion_join_differs(join, old->start, old->last);
	list_move_tail(&old->list, list_empty(&old->list) ? &update->replaced :
							    &update->dropped);
	join->old = mregion_btree_next(&join->cursor);
}

static int mregion_join_add(struct mregion_join *join,
			    const struct mregion_view_range *range)
{
	struct mregion_update *update = join->update;
	struct mregion_view_range *fresh;

	fresh = update->memory->alloc_range(update->memory);
	if (!fresh)
		return -ENOMEM;
	*fresh = *range;
	list_add_tail(&fresh->list, &update->fresh);
	join->items[join->nr++] = fresh;
	mregion_join_differs(join, range->start, range->last);
	return 0;
}

static bool mregion_only_behaves(const struct mregion_view_range *a,
				 struct mregion_view_range b)
{
	b.behaviour = a->behaviour;
	return mregion_ranges_equal(a, &b);
}

/* What was joined is complete: take it as it is in the view already, or anew. */
static int mregion_join_emit(struct mregion_join *join)
{
	struct mregion_view_range *range = &join->range;
	struct mregion_view_range *old;

	join->open = false;
	range->behaviour = range->node->state.behaviour;
	range->beyond = min_t(u64, 7, range->node->state.last -
				      (range->last + range->delta));
	while (join->old && join->old->start < range->start) {
		join->update->moved = true;
		mregion_join_drop(join);
	}
	old = join->old;
	if (!old || old->start != range->start) {
		join->update->moved = true;
		return mregion_join_add(join, range);
	}
	if (mregion_ranges_equal(old, range)) {
		join->old = mregion_btree_next(&join->cursor);
		/* in front of the first difference there is nothing to do */
		if (join->start <= join->last)
			join->items[join->nr++] = old;
		return 0;
	}
	if (!mregion_only_behaves(old, *range))
		join->update->moved = true;
	mregion_join_drop(join);
	return mregion_join_add(join, range);
}

static int mregion_join_piece(struct mregion_join *join,
			      const struct mregion_piece *piece)
{
	int ret;

	if (join->open && mregion_can_merge(&join->range, piece)) {
		join->range.last = piece->last;
		return 0;
	}
	ret = join->open ? mregion_join_emit(join) : 0;
	if (ret || !piece->node)
		return ret;
	join->open = true;
	join->range = (struct mregion_view_range) {
		.start = piece->start,
		.last = piece->last,
		.delta = piece->offset - piece->start,
		.node = piece->node,
		.space = join->view->space,
		.flags = piece->flags,
	};
	return 0;
}

/* A part of a range, as a piece. */
static struct mregion_piece
mregion_range_part(const struct mregion_view_range *range, u64 start, u64 last)
{
	return (struct mregion_piece) {
		.node = range->node,
		.start = start,
		.last = last,
		.offset = start + range->delta,
		.flags = range->flags,
	};
}

/* Join what is left of the window, the window, and what is right of it. */
static int mregion_join_all(struct mregion_join *join, u64 start, u64 last,
			    const struct list_head *pieces)
{
	const struct mregion_view_range *left = join->old, *right = NULL;
	/* bounded by what has been rendered; but it may take long */
	struct mregion_work work = { .left = U64_MAX };
	const struct mregion_piece *piece;
	struct mregion_piece part;
	int ret = 0;

	if (last < join->view->last)
		right = mregion_view_find(join->view, last + 1);
	if (left && left->start < start) {
		part = mregion_range_part(left, left->start,
					  min(left->last, start - 1));
		ret = mregion_join_piece(join, &part);
	}
	list_for_each_entry(piece, pieces, list) {
		ret = ret ?: mregion_work_step(&work) ?:
		      mregion_join_piece(join, piece);
		if (ret)
			return ret;
	}
	if (right) {
		part = mregion_range_part(right, max(right->start, last + 1),
					  right->last);
		ret = mregion_join_piece(join, &part);
		last = right->last;
	}
	if (!ret && join->open)
		ret = mregion_join_emit(join);
	/* what was there, and is no more */
	while (!ret && join->old && join->old->start <= last) {
		join->update->moved = true;
		mregion_join_drop(join);
		ret = mregion_work_step(&work);
	}
	return ret;
}

/* Put a window's pieces into the view. Sets @changed to what differs now. */
static int mregion_update_join(struct mregion_update *update,
			       struct mregion_view *view, u64 start, u64 last,
			       const struct list_head *pieces, u32 nr_pieces,
			       struct mregion_interval *changed)
{
	struct mregion_join join = {
		.update = update,
		.view = view,
		.start = U64_MAX,
	};
	int ret;

	join.items = join.few;
	/* with those left and right of the window */
	if (nr_pieces + 2 > MREGION_JOIN_ITEMS) {
		join.items = kvcalloc(nr_pieces + 2, sizeof(*join.items),
				      GFP_KERNEL_ACCOUNT);
		if (!join.items)
			return -ENOMEM;
	}
	join.old = mregion_btree_first(&view->tree, start ? start - 1 : 0,
				       &join.cursor);
	ret = mregion_join_all(&join, start, last, pieces);
	changed->start = join.start;
	changed->last = join.last;
	if (!ret && join.start <= join.last)
		ret = mregion_btree_replace(&view->tree, &update->edit,
					    join.start, join.last, join.items,
					    join.keep);
	if (join.items != join.few)
		kvfree(join.items);
	if (!ret && view->tree.nr > MREGION_MAX_RANGES)
		ret = -EFBIG;
	return ret;
}

/*
 * What does not merge must be rendered as a whole: of two parts nobody could tell
 * whether they are one. Widen a window by such a range that reaches into it.
 */
static void mregion_window_widen(const struct mregion_view *view,
				 struct mregion_interval *window)
{
	const struct mregion_view_range *range;

	range = mregion_view_find(view, window->start);
	if (range && range->flags & MREGION_RANGE_UNMERGEABLE)
		window->start = range->start;
	range = mregion_view_find(view, window->last);
	if (range && range->flags & MREGION_RANGE_UNMERGEABLE)
		window->last = range->last;
}

/* Likewise where what was rendered goes on outside of the window. */
static bool mregion_window_is_short(const struct mregion_view *view,
				    struct mregion_interval *window,
				    const struct list_head *pieces)
{
	const struct mregion_view_range *range = NULL;
	const struct mregion_piece *piece;
	struct mregion_view_range before;
	bool again = false;
	struct mregion_piece part;

	piece = list_first_entry(pieces, struct mregion_piece, list);
	if (window->start)
		range = mregion_view_find(view, window->start - 1);
	if (range && range->flags & MREGION_RANGE_UNMERGEABLE &&
	    mregion_range_continues(range, piece)) {
		window->start = range->start;
		again = true;
	}
	piece = list_last_entry(pieces, struct mregion_piece, list);
	range = window->last < view->last ?
		mregion_view_find(view, window->last + 1) : NULL;
	if (range && range->flags & MREGION_RANGE_UNMERGEABLE && piece->node) {
		part = mregion_range_part(range, range->start, range->last);
		before = (struct mregion_view_range) {
			.start = piece->start,
			.last = piece->last,
			.delta = piece->offset - piece->start,
			.node = piece->node,
			.flags = piece->flags,
		};
		if (mregion_range_continues(&before, &part)) {
			window->last = range->last;
			again = true;
		}
	}
	return again;
}

static u32 mregion_pieces_count(const struct list_head *pieces)
{
	const struct mregion_piece *piece;
	u32 nr = 0;

	list_for_each_entry(piece, pieces, list)
		nr += !!piece->node;
	return nr;
}

/* Render a window and put it into the view. Sets @window to what differs now. */
static int mregion_update_window(struct mregion_update *update,
				 struct mregion_view *view,
				 struct mregion_node *root,
				 struct mregion_interval *window,
				 struct mregion_work *work)
{
	struct mregion_rendered rendered;
	int ret;

	mregion_window_widen(view, window);
	for (;;) {
		ret = mregion_render(root, window->start, window->last, work,
				     &rendered);
		if (ret)
			return ret;
		if (!mregion_window_is_short(view, window, &rendered.list))
			break;
		mregion_render_free(&rendered);
	}
	ret = mregion_update_join(update, view, window->start, window->last,
				  &rendered.list,
				  mregion_pieces_count(&rendered.list), window);
	mregion_render_free(&rendered);
	return ret;
}

/**
 * mregion_update_begin() - be about to make a view
 * @update: the update
 * @memory: where what it is made of comes from
 * @id: unlike that of any other update of the space
 */
void mregion_update_begin(struct mregion_update *update,
			  struct mregion_view_memory *memory, u64 id)
{
	*update = (struct mregion_update) {
		.memory = memory,
		.edit.memory = &memory->btree,
		.edit.id = id,
	};
	INIT_LIST_HEAD(&update->fresh);
	INIT_LIST_HEAD(&update->replaced);
	INIT_LIST_HEAD(&update->dropped);
}

/**
 * mregion_update_view() - make a view of the one before
 * @update: the update
 * @view: a copy of the view before, which stays as it is
 * @root: the region at address 0
 * @delta: where anything may have changed; left with where something has: no range
 *	of the view before, or of the new one, is in such an interval in part only
 * @work: budget
 *
 * May sleep.
 *
 * Return: 0, -ENOMEM, -EFBIG beyond MREGION_MAX_RANGES, -EMLINK beyond
 * MREGION_MAX_DEPTH, or the error of mregion_work_step(). Either way
 * mregion_update_undo() or mregion_update_end() follows.
 */
int mregion_update_view(struct mregion_update *update,
			struct mregion_view *view, struct mregion_node *root,
			struct mregion_delta *delta, struct mregion_work *work)
{
	u32 i, nr = delta->nr;
	int ret = 0;

	/* no more have changed than have been looked at, so it is done in place */
	delta->nr = 0;
	for (i = 0; i < nr && !ret; i++) {
		struct mregion_interval window = delta->interval[i];

		if (window.start > view->last)
			break;
		window.last = min(window.last, view->last);
		ret = mregion_update_window(update, view, root, &window, work);
		if (!ret && window.start <= window.last)
			mregion_delta_add(delta, window.start, window.last);
	}
	return ret;
}

static void mregion_update_free_ranges(struct mregion_view_memory *memory,
				       struct list_head *list)
{
	struct mregion_view_range *range, *next;

	list_for_each_entry_safe(range, next, list, list)
		memory->free_range(memory, range);
	INIT_LIST_HEAD(list);
}

/* Take ranges off their list; they stay. */
static void mregion_update_unlist(struct list_head *list)
{
	while (!list_empty(list)) {
		list_del_init(list->next);
		cond_resched();
	}
}

/**
 * mregion_update_undo() - forget a view
 * @update: the update
 * @view: the view, which is empty afterwards
 */
void mregion_update_undo(struct mregion_update *update,
			 struct mregion_view *view)
{
	mregion_btree_edit_undo(&view->tree, &update->edit);
	mregion_update_free_ranges(update->memory, &update->fresh);
	mregion_update_free_ranges(update->memory, &update->dropped);
	mregion_update_unlist(&update->replaced);
}

/**
 * mregion_update_end() - a view is going to be published
 * @update: the update; what it has replaced is left to the caller, in @edit.replaced
 *	and @replaced, to be freed when nobody uses the view before any more
 */
void mregion_update_end(struct mregion_update *update)
{
	mregion_btree_edit_end(&update->edit);
	mregion_update_free_ranges(update->memory, &update->dropped);
	mregion_update_unlist(&update->fresh);
}

/**
 * mregion_update_free_replaced() - free what an update has replaced
 * @memory: where that comes from
 * @nodes: nodes, by struct mregion_btree_node.next
 * @ranges: list of ranges
 */
void mregion_update_free_replaced(struct mregion_view_memory *memory,
				  struct mregion_btree_node *nodes,
				  struct list_head *ranges)
{
	mregion_btree_free_list(&memory->btree, nodes);
	mregion_update_free_ranges(memory, ranges);
}
