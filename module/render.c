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
#include <linux/mregion.h>
#include <linux/overflow.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "limits.h"
#include "render.h"

/*
 * A region on the path from the root, seen through a window: its bytes from
 * @offset on are at addresses @start to @last.
 */
struct mregion_frame {
	struct mregion_node *node;
	struct rb_node *next;	/* subregion to visit next, of all */
	u32 first;		/* of those found by address: where they begin */
	u32 at;			/* ... and the next to visit */
	u32 end;
	u32 inherited;		/* enum mregion_region_flags from above */
	u64 start;
	u64 last;
	u64 offset;
};

/* Frames that no memory has to be allocated for. */
#define MREGION_FEW_FRAMES	8

struct mregion_rendering {
	struct mregion_work *work;
	struct mregion_rendered *rendered;
	struct rb_root gaps;
	u32 nr;			/* pieces that show a region */
	struct mregion_node **found;	/* by address; a stack, as @stack */
	u32 nr_found;
	u32 room;		/* of @found */
	u32 depth;
	struct mregion_frame *stack;	/* @few, or MREGION_MAX_DEPTH frames */
	struct mregion_frame few[MREGION_FEW_FRAMES];
};

/**
 * struct mregion_pieces - memory of pieces
 * @next: that of those before, or NULL
 * @nr: how many there are
 * @piece: the pieces
 */
struct mregion_pieces {
	struct mregion_pieces *next;
	u32 nr;
	struct mregion_piece piece[];
};

/* As many pieces as a page has; allocating them takes longer than finding them. */
#define MREGION_PIECES \
	((4096 - sizeof(struct mregion_pieces)) / sizeof(struct mregion_piece))

/* Where fewer subregions than this are looked at, their order is all that counts. */
#define MREGION_FEW_SUBREGIONS	8

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

/* A new gap, which is in no list yet. */
static struct mregion_piece *mregion_piece_alloc(struct mregion_rendering *r,
						 u64 start, u64 last)
{
	struct mregion_rendered *rendered = r->rendered;
	struct mregion_pieces *memory = rendered->memory;
	struct mregion_piece *piece;

	if (rendered->nr_few < MREGION_FEW_PIECES) {
		piece = &rendered->few[rendered->nr_few++];
	} else {
		if (!memory || memory->nr == MREGION_PIECES) {
			memory = kmalloc(struct_size(memory, piece,
						     MREGION_PIECES),
					 GFP_KERNEL_ACCOUNT);
			if (!memory)
				return NULL;
			memory->next = rendered->memory;
			memory->nr = 0;
			rendered->memory = memory;
		}
		piece = &memory->piece[memory->nr++];
	}
	piece->node = NULL;
	piece->start = start;
	piece->last = last;
	return piece;
}

/* Cut @gap in two; the new gap begins at @start. */
static struct mregion_piece *mregion_gap_split(struct mregion_rendering *r,
					       struct mregion_piece *gap,
					       u64 start)
{
	struct mregion_piece *upper;

	upper = mregion_piece_alloc(r, start, gap->last);
	if (!upper)
		return NULL;
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

static int mregion_found_push(struct mregion_rendering *r,
			      struct mregion_node *node)
{
	u32 room = max(2 * r->room, 32u);
	struct mregion_node **found;

	if (r->nr_found == r->room) {
		found = kvcalloc(room, sizeof(*found), GFP_KERNEL_ACCOUNT);
		if (!found)
			return -ENOMEM;
		if (r->found)
			memcpy(found, r->found, r->room * sizeof(*found));
		kvfree(r->found);
		r->found = found;
		r->room = room;
	}
	r->found[r->nr_found++] = node;
	return 0;
}

static int mregion_found_cmp(const void *a, const void *b)
{
	const struct mregion_node *x = *(struct mregion_node *const *)a;
	const struct mregion_node *y = *(struct mregion_node *const *)b;

	return mregion_node_above(x, y) ? -1 : x != y;
}

/*
 * Find the subregions that a window shows by their addresses. When they turn out to
 * be more than @max, nothing is found: it is cheaper then to go through all of them.
 */
static int mregion_find_subregions(struct mregion_rendering *r,
				   struct mregion_frame *frame, u64 last,
				   u32 max)
{
	struct mregion_node *node;
	int ret;

	for (node = mregion_subregion_first(frame->node, frame->offset, last);
	     node; node = mregion_subregion_next(node, frame->offset, last)) {
		if (r->nr_found - frame->first == max) {
			r->nr_found = frame->first;
			frame->next = rb_first(&frame->node->subregions);
			return 0;
		}
		/* it takes its step when it is visited */
		ret = mregion_found_push(r, node);
		if (ret)
			return ret;
	}
	if (r->nr_found - frame->first > 1)
		sort(r->found + frame->first, r->nr_found - frame->first,
		     sizeof(*r->found), mregion_found_cmp, NULL);
	return 0;
}

/* Make ready to visit the subregions of @frame's region, the topmost first. */
static int mregion_begin_subregions(struct mregion_rendering *r,
				    struct mregion_frame *frame)
{
	struct mregion_node *node = frame->node;
	u64 last = frame->offset + (frame->last - frame->start);
	int ret = 0;

	frame->next = NULL;
	frame->first = r->nr_found;
	if (node->nr_subregions < MREGION_FEW_SUBREGIONS ||
	    (!frame->offset && last == node->state.last))
		frame->next = rb_first(&node->subregions);
	else
		ret = mregion_find_subregions(r, frame, last,
					      node->nr_subregions / 4);
	frame->at = frame->first;
	frame->end = r->nr_found;
	return ret;
}

static struct mregion_node *
mregion_next_subregion(struct mregion_rendering *r, struct mregion_frame *frame)
{
	struct rb_node *rb = frame->next;

	if (frame->at < frame->end)
		return r->found[frame->at++];
	if (!rb)
		return NULL;
	frame->next = rb_next(rb);
	return rb_entry(rb, struct mregion_node, sibling);
}

static int mregion_push(struct mregion_rendering *r,
			const struct mregion_frame *frame)
{
	struct mregion_frame *stack;

	if (r->depth == MREGION_FEW_FRAMES && r->stack == r->few) {
		stack = kmalloc_array(MREGION_MAX_DEPTH, sizeof(*stack),
				      GFP_KERNEL_ACCOUNT);
		if (!stack)
			return -ENOMEM;
		memcpy(stack, r->few, sizeof(r->few));
		r->stack = stack;
	}
	r->stack[r->depth++] = *frame;
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
		ret = mregion_begin_subregions(r, &frame) ?:
		      mregion_push(r, &frame);
		if (ret || !node->target)
			return ret;

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

static int mregion_render_root(struct mregion_rendering *r,
			       struct mregion_node *root, u64 start, u64 last)
{
	int ret;

	if (start > root->state.last)
		return 0;
	ret = mregion_enter(r, (struct mregion_frame) {
		.node = root,
		.start = start,
		.last = min(last, root->state.last),
		.offset = start,
	});

	while (!ret && r->depth) {
		struct mregion_frame *frame = &r->stack[r->depth - 1];
		struct mregion_node *node = mregion_next_subregion(r, frame);

		if (node) {
			ret = mregion_enter_subregion(r, frame, node);
			continue;
		}
		r->nr_found = frame->first;
		if (frame->node->kind != MREGION_CONTAINER &&
		    frame->node->kind != MREGION_ALIAS)
			ret = mregion_fill(r, frame);
		r->depth--;
	}
	return ret;
}

/**
 * mregion_render_free() - free what a rendering has found
 * @rendered: that; empty afterwards
 */
void mregion_render_free(struct mregion_rendered *rendered)
{
	while (rendered->memory) {
		struct mregion_pieces *memory = rendered->memory;

		rendered->memory = memory->next;
		kfree(memory);
		cond_resched();
	}
	INIT_LIST_HEAD(&rendered->list);
}

/**
 * mregion_render() - render a window of a hierarchy
 * @root: the region at address 0
 * @start: first address of the window
 * @last: its last address
 * @work: budget
 * @rendered: set to what is there, in pieces that cover the window. For
 *	mregion_render_free()
 *
 * May sleep. In each piece one region is visible, or none.
 *
 * Return: 0, -ENOMEM, -EFBIG beyond MREGION_MAX_RANGES pieces that show a region,
 * -EMLINK beyond MREGION_MAX_DEPTH, or the error of mregion_work_step(). After an
 * error nothing is left to be freed.
 */
int mregion_render(struct mregion_node *root, u64 start, u64 last,
		   struct mregion_work *work,
		   struct mregion_rendered *rendered)
{
	struct mregion_rendering r;
	struct mregion_piece *piece;
	int ret;

	INIT_LIST_HEAD(&rendered->list);
	rendered->memory = NULL;
	rendered->nr_few = 0;
	/* clearing @few as well would take longer than a small window does */
	r.work = work;
	r.rendered = rendered;
	r.gaps = RB_ROOT;
	r.nr = 0;
	r.found = NULL;
	r.nr_found = 0;
	r.room = 0;
	r.depth = 0;
	r.stack = r.few;

	/* one of the few, so there is one */
	piece = mregion_piece_alloc(&r, start, last);
	list_add(&piece->list, &rendered->list);
	rb_add(&piece->gap, &r.gaps, mregion_gap_less);
	ret = mregion_render_root(&r, root, start, last);
	if (ret)
		mregion_render_free(rendered);
	kvfree(r.found);
	if (r.stack != r.few)
		kfree(r.stack);
	return ret;
}
