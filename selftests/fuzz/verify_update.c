// SPDX-License-Identifier: GPL-2.0
/* A view made of the one before, of what a commit has changed alone. */
#include <errno.h>
#include <inttypes.h>

#include <linux/err.h>
#include <linux/slab.h>

#include "check.h"
#include "flat.h"
#include "verify.h"

/* More than any update takes that the whole can be rendered of. */
#define VERIFY_WORK	(1ull << 20)

static bool verify_inside(const struct mregion_delta *delta,
			  const struct mregion_view_range *range)
{
	u32 i;

	for (i = 0; i < delta->nr; i++) {
		const struct mregion_interval *interval = &delta->interval[i];

		if (interval->start > range->last ||
		    interval->last < range->start)
			continue;
		CHECK(interval->start <= range->start &&
		      interval->last >= range->last,
		      "%#" PRIx64 "-%#" PRIx64 " has changed in part",
		      range->start, range->last);
		return true;
	}
	return false;
}

/* What is not in an interval is in both. */
static void verify_outside(const struct mregion_delta *delta,
			   const struct mregion_view *a,
			   const struct mregion_view *b)
{
	const struct mregion_view_range *range, *other;

	flat_for_each(range, a) {
		if (verify_inside(delta, range))
			continue;
		other = mregion_view_find(b, range->start);
		CHECK(other && mregion_ranges_equal(range, other),
		      "%#" PRIx64 "-%#" PRIx64 " differs, and is said not to",
		      range->start, range->last);
	}
}

static void verify_delta(const struct mregion_delta *delta,
			 const struct mregion_view *before,
			 const struct mregion_view *view)
{
	u32 i;

	for (i = 0; i < delta->nr; i++) {
		CHECK(delta->interval[i].start <= delta->interval[i].last &&
		      delta->interval[i].last <= view->last,
		      "interval %u: bounds", i);
		CHECK(!i || delta->interval[i - 1].last + 1 <
			    delta->interval[i].start,
		      "interval %u: not sorted", i);
	}
	verify_outside(delta, before, view);
	verify_outside(delta, view, before);
}

/* A node of each level has enough, and says so. */
static u64 verify_node(const struct mregion_btree_node *node, u32 height,
		       bool root)
{
	u64 last = 0;
	u32 i;

	CHECK(node->nr >= (root ? 1 + (height > 1) : MREGION_BTREE_FANOUT / 2) &&
	      node->nr <= MREGION_BTREE_FANOUT, "a node has %u", node->nr);
	for (i = 0; i < node->nr; i++)
		last = height > 1 ?
		       verify_node(node->slots[i], height - 1, false) :
		       ((struct mregion_view_range *)node->slots[i])->last;
	CHECK(node->keys[0] == last, "a node ends at %#" PRIx64, last);
	return last;
}

/* Whether userspace can tell two views apart: by all but the behaviour. */
static bool verify_moved(const struct mregion_view *a,
			 const struct mregion_view *b)
{
	const struct mregion_view_range *range, *other;

	flat_for_each(range, a) {
		struct mregion_view_range same = *range;

		other = mregion_view_find(b, range->start);
		if (!other)
			return true;
		same.behaviour = other->behaviour;
		if (!mregion_ranges_equal(&same, other))
			return true;
	}
	return a->tree.nr != b->tree.nr;
}

/* Try and forget it. Return: the error; nothing is left of it either way. */
static int verify_once(const struct world *w, const struct world_space *space,
		       struct mregion_work *work)
{
	struct mregion_delta delta = space->delta;
	unsigned long live = shim_live;
	struct mregion_update update;
	struct mregion_view *view;

	view = flat_update(&update, space->view, w->node[space->root],
			   space->last, &delta, work);
	if (!IS_ERR(view))
		flat_keep_before(&update, view);
	CHECK(shim_live == live, "%ld allocations were left",
	      (long)(shim_live - live));
	return PTR_ERR_OR_ZERO(view);
}

/* Each allocation may fail, and nothing has happened then. */
static void verify_no_memory(const struct world *w,
			     const struct world_space *space, struct input *in)
{
	unsigned long nth = 1;
	int ret;

	for (;; nth += 1 + input_below(in, 4)) {
		struct mregion_work work = { .left = VERIFY_WORK };

		shim_fail_nth = nth;
		ret = verify_once(w, space, &work);
		if (shim_fail_nth)
			break;
		CHECK(ret == -ENOMEM, "went on without memory: %d", ret);
	}
	shim_fail_nth = 0;
	CHECK(!ret, "error %d", ret);
	fuzz_stats.no_memory++;
}

/* With exactly the work that it took it succeeds, with less it does not. */
static void verify_no_work(const struct world *w,
			   const struct world_space *space, struct input *in)
{
	struct mregion_work work = { .left = VERIFY_WORK };
	int ret = verify_once(w, space, &work);
	u64 used = VERIFY_WORK - work.left;

	CHECK(!ret, "error %d", ret);
	if (!used)
		return;
	work.left = used;
	ret = verify_once(w, space, &work);
	CHECK(!ret && !work.left, "error %d the second time", ret);
	work.left = input_u64(in) % used;
	ret = verify_once(w, space, &work);
	CHECK(ret == -EDQUOT, "%d beyond the limit of work", ret);
	fuzz_stats.no_work++;
}

/**
 * verify_too_deep() - look whether a space that has become too deep is found to be so
 * @w: the world, before the end of a commit
 * @space: the space; it could be rendered before the commit
 */
void verify_too_deep(const struct world *w, const struct world_space *space)
{
	struct mregion_work work = { .left = VERIFY_WORK };
	int ret = verify_once(w, space, &work);

	CHECK(ret == -EMLINK, "too deep, but %d", ret);
	fuzz_stats.deeper++;
}

/**
 * verify_update() - make a space's view of the one before, and compare
 * @w: the world, before the end of a commit
 * @space: the space; its @delta becomes what differs, and its @update how
 * @full: what it is to be
 * @in: decides what else is tried
 *
 * Return: the view.
 */
struct mregion_view *verify_update(const struct world *w,
				   struct world_space *space,
				   const struct mregion_view *full,
				   struct input *in)
{
	struct mregion_work work = { .left = VERIFY_WORK };
	struct mregion_view *view;

	if (!space->view)
		space->delta = (struct mregion_delta) {
			.nr = 1, .interval[0].last = ~0ull,
		};
	switch (input_below(in, 32)) {
	case 30:
		verify_no_work(w, space, in);
		break;
	case 31:
		verify_no_memory(w, space, in);
		break;
	}
	fuzz_stats.unmarked += !space->delta.nr;
	view = flat_update(&space->update, space->view, w->node[space->root],
			   space->last, &space->delta, &work);
	CHECK(!IS_ERR(view), "error %ld", PTR_ERR(view));
	CHECK(verify_same(full, view), "the view is not what it ought to be");
	if (view->tree.root)
		verify_node(view->tree.root, view->tree.height, true);
	if (space->view) {
		bool moved = verify_moved(space->view, view);

		verify_delta(&space->delta, space->view, view);
		CHECK(space->update.moved == moved, "%s to userspace",
		      moved ? "said to be the same" : "said to differ");
		fuzz_stats.moved += moved;
	}
	fuzz_stats.updates++;
	fuzz_stats.parts += space->delta.nr;
	return view;
}
