// SPDX-License-Identifier: GPL-2.0
/*
 * The view that the model expects: it asks at every address where the answer
 * could change, and merges equal neighbours.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <linux/mregion.h>

#include "../../module/limits.h"
#include "check.h"
#include "model.h"

/* Wide enough for any sum of addresses along a path. */
#define wide __int128

struct model_walk {
	const struct model *m;
	struct model_view *view;
	u64 last;
};

/*
 * Note where region @id, whose offset 0 is at @base, begins and ends within
 * [@low, @high], and all that it shows. False if there is too much.
 */
static bool model_cut(struct model_walk *w, int id, wide base, wide low,
		      wide high, unsigned int depth)
{
	const struct model_region *r = &w->m->region[id];
	struct model_view *view = w->view;
	int i;

	if (view->visits++ == MODEL_STEPS)
		return false;
	if (base > low)
		low = base;
	if (base + r->last < high)
		high = base + r->last;
	if (low > high || (r->flags & MREGION_REGION_DISABLED))
		return true;
	view->cut[view->nr_cuts++] = low;
	if (high < w->last)
		view->cut[view->nr_cuts++] = high + 1;
	if (depth == MREGION_MAX_DEPTH)
		return true;

	if (r->kind == MREGION_ALIAS)
		return model_cut(w, r->target, base - r->target_offset, low,
				 high, depth + 1);
	for (i = w->m->first[id]; i < w->m->first[id + 1]; i++) {
		int child = w->m->children[i];

		if (!model_cut(w, child, base + w->m->region[child].addr, low,
			       high, depth + 1))
			return false;
	}
	return true;
}

static int model_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void model_sort_cuts(struct model_view *view)
{
	unsigned int i, nr = 0;

	qsort(view->cut, view->nr_cuts, sizeof(*view->cut), model_compare);
	for (i = 0; i < view->nr_cuts; i++)
		if (!nr || view->cut[nr - 1] != view->cut[i])
			view->cut[nr++] = view->cut[i];
	view->nr_cuts = nr;
}

/*
 * "Neighbouring ranges merge when region, offset, and every attribute
 * continue." Those of an unmergeable region do not, however they came to be
 * neighbours; what is one piece to begin with stays one.
 */
static bool model_merges(const struct model_range *a,
			 const struct model_range *b)
{
	if ((wide)a->last + 1 != b->start || a->hit.region != b->hit.region ||
	    a->hit.flags != b->hit.flags ||
	    (wide)b->hit.offset - a->hit.offset != (wide)b->start - a->start)
		return false;
	return a->hit.path == b->hit.path ||
	       !(a->hit.flags & MREGION_RANGE_UNMERGEABLE);
}

/* Nothing changes between two cuts, or the model contradicts itself. */
static void model_check_end(const struct model *m, int root,
			    enum model_answer answer,
			    const struct model_range *range)
{
	struct model_hit end;

	CHECK(model_at(m, root, range->last, &end) == answer,
	      "model: other answer at %#" PRIx64 " than at %#" PRIx64,
	      range->last, range->start);
	if (answer != MODEL_HIT)
		return;
	CHECK(end.path == range->hit.path && end.region == range->hit.region &&
	      end.flags == range->hit.flags &&
	      end.offset - range->hit.offset == range->last - range->start,
	      "model: other region at %#" PRIx64 " than at %#" PRIx64,
	      range->last, range->start);
}

/**
 * model_render() - the view to be expected
 * @m: the hierarchy, sorted
 * @root: index of the region at address 0
 * @last: last address of the space
 * @view: filled in
 */
void model_render(const struct model *m, int root, u64 last,
		  struct model_view *view)
{
	struct model_walk w = { .m = m, .view = view, .last = last };
	unsigned int i;

	view->answer = MODEL_UNKNOWN;
	view->visits = 0;
	view->nr = 0;
	view->nr_cuts = 0;
	view->cut[view->nr_cuts++] = 0;
	if (!model_cut(&w, root, 0, 0, last, 0)) {
		model_sort_cuts(view);
		return;
	}
	model_sort_cuts(view);

	for (i = 0; i < view->nr_cuts; i++) {
		bool end = i + 1 == view->nr_cuts;
		struct model_range range = {
			.start = view->cut[i],
			.last = end ? last : view->cut[i + 1] - 1,
		};
		enum model_answer answer;

		answer = model_at(m, root, range.start, &range.hit);
		if (answer == MODEL_TOO_DEEP || answer == MODEL_UNKNOWN) {
			view->answer = answer;
			return;
		}
		model_check_end(m, root, answer, &range);
		if (answer != MODEL_HIT)
			continue;
		if (view->nr && model_merges(&view->range[view->nr - 1],
					     &range))
			view->range[view->nr - 1].last = range.last;
		else
			view->range[view->nr++] = range;
	}
	view->answer = MODEL_HIT;
}
