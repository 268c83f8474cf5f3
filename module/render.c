// SPDX-License-Identifier: GPL-2.0
/*
 * Rendering goes from the top down: what is visited first is visible, and what
 * comes later fills the gaps that are left. The rules are QEMU's
 * (render_memory_region() in system/memory.c).
 *
 * The address space is a list of pieces in order of address; a piece is a gap
 * or shows a region. Gaps are in a tree besides, so that filling costs nothing
 * for what is covered already: each gap is filled or split once, and a
 * rendering takes O(n log n) however regions overlap.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "limits.h"
#include "render.h"

/* A part of the address space: a gap if @node is NULL, else like a range. */
struct mregion_piece {
	struct list_head list;
	struct rb_node gap;
	struct mregion_node *node;
	u64 start;
	u64 last;
	u64 offset;
	u32 flags;
};

/*
 * A region on the path from the root, seen through a window: its bytes from
 * @offset on are at addresses @start to @last.
 */
struct mregion_frame {
	struct mregion_node *node;
	struct rb_node *next;	/* subregion to visit next */
	u64 start;
	u64 last;
	u64 offset;
	u32 inherited;		/* enum mregion_region_flags from above */
};

struct mregion_rendering {
	struct mregion_work *work;
	struct list_head pieces;
	struct rb_root gaps;
	u32 nr;			/* pieces that show a region */
	u32 depth;
	struct mregion_frame stack[MREGION_MAX_DEPTH];
};

#define MREGION_INHERITED \
	(MREGION_REGION_READONLY | MREGION_REGION_NONVOLATILE | \
	 MREGION_REGION_UNMERGEABLE)

static bool mregion_gap_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct mregion_piece, gap)->start <
	       rb_entry(b, struct mregion_piece, gap)->start;
}

/* The first gap that ends at @start or behind it, if it begins by @last. */
static struct mregion_piece *mregion_gap_find(struct mregion_rendering *r,
					      u64 start, u64 last)
{
	struct rb_node *rb = r->gaps.rb_node;
	struct mregion_piece *found = NULL;

	while (rb) {
		struct mregion_piece *gap;

		gap = rb_entry(rb, struct mregion_piece, gap);
		if (gap->last < start) {
			rb = rb->rb_right;
		} else {
			found = gap;
			rb = rb->rb_left;
		}
	}
	return found && found->start <= last ? found : NULL;
}

/* Cut @gap in two; the new gap begins at @start. */
static struct mregion_piece *mregion_gap_split(struct mregion_rendering *r,
					       struct mregion_piece *gap,
					       u64 start)
{
	struct mregion_piece *upper;

	upper = kzalloc(sizeof(*upper), GFP_KERNEL_ACCOUNT);
	if (!upper)
		return NULL;
	upper->start = start;
	upper->last = gap->last;
	gap->last = start - 1;
	list_add(&upper->list, &gap->list);
	rb_add(&upper->gap, &r->gaps, mregion_gap_less);
	return upper;
}

static u32 mregion_range_flags(const struct mregion_node *node, u32 inherited)
{
	u32 own = node->state.flags, flags = 0;

	if (inherited & MREGION_REGION_READONLY)
		flags |= MREGION_RANGE_READONLY;
	if (inherited & MREGION_REGION_NONVOLATILE)
		flags |= MREGION_RANGE_NONVOLATILE;
	if (inherited & MREGION_REGION_UNMERGEABLE)
		flags |= MREGION_RANGE_UNMERGEABLE;
	if (own & MREGION_REGION_LOG_DIRTY)
		flags |= MREGION_RANGE_LOG_DIRTY;
	if (node->kind == MREGION_ROMD && !(own & MREGION_REGION_ROMD_OFF))
		flags |= MREGION_RANGE_ROMD;
	return flags;
}

/* Show the region of @frame in the gaps that are left in its window. */
static int mregion_fill(struct mregion_rendering *r,
			const struct mregion_frame *frame)
{
	u32 flags = mregion_range_flags(frame->node, frame->inherited);
	struct mregion_piece *gap;

	while ((gap = mregion_gap_find(r, frame->start, frame->last))) {
		int ret = mregion_work_step(r->work);

		if (ret)
			return ret;
		if (r->nr == MREGION_MAX_RANGES)
			return -EFBIG;
		if (gap->last > frame->last &&
		    !mregion_gap_split(r, gap, frame->last + 1))
			return -ENOMEM;
		if (gap->start < frame->start) {
			gap = mregion_gap_split(r, gap, frame->start);
			if (!gap)
				return -ENOMEM;
		}
		rb_erase(&gap->gap, &r->gaps);
		gap->node = frame->node;
		gap->offset = frame->offset + (gap->start - frame->start);
		gap->flags = flags;
		r->nr++;
	}
	return 0;
}

/*
 * Begin to render @frame's region. An alias gives way to its target at once,
 * but counts for the depth, which ends aliases that show themselves;
 * @frame->offset lies within the region.
 */
static int mregion_enter(struct mregion_rendering *r,
			 struct mregion_frame frame)
{
	for (;;) {
		struct mregion_node *node = frame.node;
		int ret = mregion_work_step(r->work);
		u64 offset;

		if (ret)
			return ret;
		if (node->state.flags & MREGION_REGION_DISABLED)
			return 0;
		/* all covered: also keeps aliases of aliases in check */
		if (!mregion_gap_find(r, frame.start, frame.last))
			return 0;
		if (r->depth == MREGION_MAX_DEPTH)
			return -EMLINK;

		frame.inherited |= node->state.flags & MREGION_INHERITED;
		if (node->kind == MREGION_ROM)
			frame.inherited |= MREGION_REGION_READONLY;
		frame.next = rb_first(&node->subregions);
		r->stack[r->depth++] = frame;
		if (!node->target)
			return 0;

		offset = node->state.target_offset + frame.offset;
		if (offset < frame.offset ||
		    offset > node->target->state.last)
			return 0;
		frame.node = node->target;
		frame.offset = offset;
		frame.last = frame.start + min(frame.last - frame.start,
					       frame.node->state.last - offset);
	}
}

/* Render the part of @frame's subregion @node that its window shows. */
static int mregion_enter_subregion(struct mregion_rendering *r,
				   const struct mregion_frame *frame,
				   struct mregion_node *node)
{
	u64 addr = node->state.addr;
	u64 child_last = addr + node->state.last;
	u64 first = max(frame->offset, addr);
	u64 last;

	if (child_last < addr)
		child_last = U64_MAX;
	last = min(frame->offset + (frame->last - frame->start), child_last);
	if (first > last)
		return mregion_work_step(r->work);
	return mregion_enter(r, (struct mregion_frame) {
		.node = node,
		.start = frame->start + (first - frame->offset),
		.last = frame->start + (last - frame->offset),
		.offset = first - addr,
		.inherited = frame->inherited,
	});
}

static int mregion_render_pieces(struct mregion_rendering *r,
				 struct mregion_node *root, u64 last)
{
	int ret = mregion_enter(r, (struct mregion_frame) {
		.node = root,
		.last = min(last, root->state.last),
	});

	while (!ret && r->depth) {
		struct mregion_frame *frame = &r->stack[r->depth - 1];
		struct rb_node *rb = frame->next;
		struct mregion_node *node;

		if (rb) {
			frame->next = rb_next(rb);
			node = rb_entry(rb, struct mregion_node, sibling);
			ret = mregion_enter_subregion(r, frame, node);
			continue;
		}
		if (frame->node->kind != MREGION_CONTAINER &&
		    frame->node->kind != MREGION_ALIAS)
			ret = mregion_fill(r, frame);
		r->depth--;
	}
	return ret;
}

static bool mregion_can_merge(const struct mregion_view_range *range,
			      const struct mregion_piece *piece)
{
	/* the first byte of a region of 2^64 does not follow its last */
	return range->node == piece->node && range->flags == piece->flags &&
	       !(range->flags & MREGION_RANGE_UNMERGEABLE) &&
	       range->last + 1 == piece->start &&
	       range->offset < piece->offset &&
	       range->offset + (piece->start - range->start) == piece->offset;
}

static void mregion_note_beyond(struct mregion_view *view)
{
	struct mregion_view_range *range;

	for (range = view->ranges; range < view->ranges + view->nr; range++)
		range->beyond = min_t(u64, 7, range->node->state.last -
				      range->offset -
				      (range->last - range->start));
}

static struct mregion_view *mregion_collect(struct mregion_rendering *r,
					    u64 last)
{
	struct mregion_piece *piece;
	struct mregion_view *view;
	size_t size = mregion_view_size(r->nr);
	u32 nr = 0;

	view = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->size = size;
	view->last = last;
	list_for_each_entry(piece, &r->pieces, list) {
		if (!piece->node)
			continue;
		if (nr && mregion_can_merge(&view->ranges[nr - 1], piece)) {
			view->ranges[nr - 1].last = piece->last;
			continue;
		}
		view->ranges[nr++] = (struct mregion_view_range) {
			.start = piece->start,
			.last = piece->last,
			.offset = piece->offset,
			.node = piece->node,
			.view = view,
			.behaviour = piece->node->state.behaviour,
			.flags = piece->flags,
		};
	}
	view->nr = nr;
	mregion_note_beyond(view);
	mregion_view_index(view);
	return view;
}

/**
 * mregion_render() - render a hierarchy
 * @root: the region at address 0
 * @last: last address of the space
 * @work: budget
 *
 * May sleep. The view's @generation and @unassigned are left to the caller, as
 * is to kvfree() it.
 *
 * Return: the view, or an ERR_PTR: -ENOMEM, -EFBIG beyond MREGION_MAX_RANGES
 * ranges before merging, -EMLINK beyond MREGION_MAX_DEPTH, or the error of
 * mregion_work_step().
 */
struct mregion_view *mregion_render(struct mregion_node *root, u64 last,
				    struct mregion_work *work)
{
	struct mregion_piece *piece, *next;
	struct mregion_rendering *r;
	struct mregion_view *view;
	int ret = -ENOMEM;

	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return ERR_PTR(-ENOMEM);
	r->work = work;
	INIT_LIST_HEAD(&r->pieces);

	piece = kzalloc(sizeof(*piece), GFP_KERNEL_ACCOUNT);
	if (piece) {
		piece->last = last;
		list_add(&piece->list, &r->pieces);
		rb_add(&piece->gap, &r->gaps, mregion_gap_less);
		ret = mregion_render_pieces(r, root, last);
	}
	view = ret ? ERR_PTR(ret) : mregion_collect(r, last);

	list_for_each_entry_safe(piece, next, &r->pieces, list) {
		kfree(piece);
		cond_resched();
	}
	kfree(r);
	return view;
}
