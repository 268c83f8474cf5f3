// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include <linux/mregion.h>

#include "check.h"
#include "flat.h"
#include "verify.h"

/* Up to this last address, every address is looked up. */
#define VERIFY_SMALL	0x1ff

/* Of views too large to compare whole, so many addresses are looked up. */
#define VERIFY_SAMPLES	64

static void verify_shape(const struct mregion_view *view)
{
	const struct mregion_view_range *range, *before = NULL;
	u32 i = 0;

	flat_for_each(range, view) {
		u64 offset = range->start + range->delta;
		u64 len = range->last - range->start;

		CHECK(range->start <= range->last && range->last <= view->last,
		      "range %u: bounds", i);
		CHECK(!before || before->last < range->start,
		      "range %u: not sorted", i);
		before = range;
		CHECK(offset <= range->node->state.last &&
		      len <= range->node->state.last - offset,
		      "range %u: beyond its region's end", i);
		i++;
	}
	CHECK(i == view->tree.nr, "%u ranges, and not %u", i, view->tree.nr);
}

static void verify_describe(const struct mregion_view_range *range)
{
	struct mregion_range desc;

	mregion_view_describe(range, 17, &desc);
	CHECK(desc.start == range->start && desc.last == range->last &&
	      desc.offset == range->start + range->delta && desc.region == 17 &&
	      desc.kind == range->node->kind && desc.flags == range->flags,
	      "description of the range at %#" PRIx64, range->start);
}

static void verify_range(const struct world *w,
			 const struct mregion_view_range *range,
			 const struct model_range *expected)
{
	const struct model_hit *hit = &expected->hit;
	u64 rest = w->model.region[hit->region].last - hit->offset -
		   (expected->last - expected->start);

	CHECK(range->start == expected->start && range->last == expected->last,
	      "range %#" PRIx64 "-%#" PRIx64 ", not %#" PRIx64 "-%#" PRIx64,
	      range->start, range->last, expected->start, expected->last);
	CHECK(range->node == w->node[hit->region],
	      "range %#" PRIx64 "-%#" PRIx64 ": is not region %d",
	      range->start, range->last, hit->region);
	CHECK(range->start + range->delta == hit->offset,
	      "range %#" PRIx64 "-%#" PRIx64 ": offset %#" PRIx64
	      ", not %#" PRIx64, range->start, range->last,
	      range->start + range->delta, hit->offset);
	CHECK(range->flags == hit->flags,
	      "range %#" PRIx64 "-%#" PRIx64 ": flags %#x, not %#x",
	      range->start, range->last, range->flags, hit->flags);
	CHECK((void *)range->behaviour ==
	      w->model.region[hit->region].behaviour,
	      "range %#" PRIx64 "-%#" PRIx64 ": behaviour", range->start,
	      range->last);
	CHECK(range->beyond == (rest < 7 ? rest : 7),
	      "range %#" PRIx64 "-%#" PRIx64 ": %u bytes beyond, not %" PRIu64,
	      range->start, range->last, range->beyond, rest);
	verify_describe(range);
	fuzz_stats.again += hit->again;
}

/* Looking up, by looking at every range. */
static const struct mregion_view_range *
verify_find(const struct mregion_view *view, u64 addr)
{
	const struct mregion_view_range *range, *last = NULL;

	flat_for_each(range, view) {
		last = range;
		if (range->last >= addr)
			break;
	}
	CHECK(mregion_view_bound(view, addr) == last,
	      "bound of %#" PRIx64 " is another", addr);
	CHECK(mregion_view_from(view, addr) == range,
	      "what follows %#" PRIx64 " is another", addr);
	if (range && range->start > addr)
		range = NULL;
	CHECK(mregion_view_find(view, addr) == range,
	      "%#" PRIx64 " is not found where it is", addr);
	return range;
}

static void verify_lookup(const struct world *w, int root,
			  const struct mregion_view *view, u64 addr)
{
	const struct mregion_view_range *range = verify_find(view, addr);
	enum model_answer answer;
	struct model_hit hit;

	if (addr > view->last) {
		CHECK(!range, "something at %#" PRIx64, addr);
		return;
	}
	answer = model_at(&w->model, root, addr, &hit);
	if (answer == MODEL_UNKNOWN)
		return;
	fuzz_stats.lookups++;
	CHECK(answer != MODEL_TOO_DEEP,
	      "%#" PRIx64 " is beyond the limit of depth", addr);
	CHECK(!range == (answer == MODEL_NOTHING), "%s at %#" PRIx64,
	      range ? "something" : "nothing", addr);
	if (!range)
		return;
	CHECK(range->node == w->node[hit.region],
	      "%#" PRIx64 " is not region %d", addr, hit.region);
	CHECK(addr + range->delta == hit.offset,
	      "%#" PRIx64 " is not offset %#" PRIx64, addr, hit.offset);
	CHECK(range->flags == hit.flags, "%#" PRIx64 " has flags %#x, not %#x",
	      addr, range->flags, hit.flags);
}

static void verify_around(const struct world *w, int root,
			  const struct mregion_view *view, u64 addr)
{
	if (addr)
		verify_find(view, addr - 1);
	verify_find(view, addr);
	if (addr != UINT64_MAX)
		verify_lookup(w, root, view, addr + 1);
}

/* Ask the model at ends too, which it has not been asked for the view. */
static void verify_sample(const struct world *w, int root,
			  const struct mregion_view *view, u64 addr)
{
	if (addr)
		verify_lookup(w, root, view, addr - 1);
	verify_lookup(w, root, view, addr);
}

/**
 * verify_view() - compare a view with the one that is expected
 * @w: the world, with its model sorted
 * @space: whose view it is
 * @view: the view
 * @expected: the view that is expected; if unknown, only samples are compared
 */
void verify_view(const struct world *w, const struct world_space *space,
		 const struct mregion_view *view,
		 const struct model_view *expected)
{
	bool whole = expected->answer == MODEL_HIT;
	const struct mregion_view_range *range;
	u32 i = 0, step = 1 + expected->nr_cuts / VERIFY_SAMPLES;

	CHECK(view->last == space->last, "the view does not end where it should");
	verify_shape(view);
	if (whole) {
		flat_for_each(range, view) {
			if (i == expected->nr)
				break;
			verify_range(w, range, &expected->range[i++]);
		}
		CHECK(view->tree.nr == expected->nr, "%u ranges, not %u",
		      view->tree.nr, expected->nr);
	}

	if (!whole)
		for (i = 0; i < expected->nr_cuts; i += step)
			verify_sample(w, space->root, view, expected->cut[i]);
	else if (view->last <= VERIFY_SMALL)
		for (i = 0; i <= view->last; i++)
			verify_lookup(w, space->root, view, i);
	else
		for (i = 0; i < expected->nr_cuts; i++)
			verify_around(w, space->root, view, expected->cut[i]);
	verify_around(w, space->root, view, view->last);
	verify_find(view, UINT64_MAX);
}

/**
 * verify_same() - whether two views are the same
 * @a: a view, or NULL
 * @b: a view
 */
bool verify_same(const struct mregion_view *a, const struct mregion_view *b)
{
	bool same = a && a->tree.nr == b->tree.nr && a->last == b->last &&
		    a->unassigned == b->unassigned;
	const struct mregion_view_range *x, *y;

	flat_for_each(x, b) {
		y = same ? mregion_view_find(a, x->start) : NULL;
		if (!y || x->start != y->start || x->last != y->last ||
		    x->delta != y->delta || x->flags != y->flags ||
		    x->node != y->node || x->behaviour != y->behaviour ||
		    x->beyond != y->beyond)
			same = false;
	}
	return same;
}
