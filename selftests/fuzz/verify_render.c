// SPDX-License-Identifier: GPL-2.0
/* Rendering: its errors, its cost, and what it leaves behind when it fails. */
#include <errno.h>

#include <linux/err.h>
#include <linux/mregion.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "flat.h"
#include "check.h"
#include "verify.h"

/* Far more than what is needed for anything the model can answer. */
#define VERIFY_WORK	(1ull << 16)

struct verify_cost {
	u64 work;
	unsigned long allocations;
};

/* Render once; an error must leave nothing behind. */
static struct mregion_view *verify_once(const struct world *w,
					const struct world_space *space,
					u64 budget, struct verify_cost *cost)
{
	struct mregion_work work = { .left = budget };
	unsigned long live = shim_live, allocations = shim_allocations;
	struct mregion_view *view;

	view = flat_render(w->node[space->root], space->last, &work);
	CHECK(!IS_ERR(view) || shim_live == live, "%ld allocations were left",
	      (long)(shim_live - live));
	cost->work = budget - work.left;
	cost->allocations = shim_allocations - allocations;
	return view;
}

static void verify_fails(const struct world *w,
			 const struct world_space *space, u64 budget, int error)
{
	struct mregion_view *view;
	struct verify_cost cost;

	view = verify_once(w, space, budget, &cost);
	CHECK(IS_ERR(view), "rendered in spite of error %d", error);
	CHECK(PTR_ERR(view) == error, "error %ld, not %d", PTR_ERR(view),
	      error);
}

static void verify_again(const struct world *w,
			 const struct world_space *space, u64 budget,
			 const struct mregion_view *before)
{
	struct mregion_view *view;
	struct verify_cost cost;

	view = verify_once(w, space, budget, &cost);
	CHECK(!IS_ERR(view), "error %ld the second time", PTR_ERR(view));
	CHECK(verify_same(before, view), "another view the second time");
	flat_free(view);
}

/* With exactly the work that it took it succeeds, with less it does not. */
static void verify_work(const struct world *w, const struct world_space *space,
			const struct mregion_view *view, u64 work,
			struct input *in)
{
	verify_again(w, space, work, view);
	verify_fails(w, space, work - 1, -EDQUOT);
	verify_fails(w, space, input_u64(in) % work, -EDQUOT);
	fuzz_stats.no_work++;
}

/* A signal ends it, when next it looks: each time 1024 divides what is left. */
static void verify_signal(const struct world *w,
			  const struct world_space *space,
			  const struct mregion_view *view, u64 work)
{
	shim_signal = true;
	if (work < 1024)
		verify_again(w, space, VERIFY_WORK + work + 1, view);
	verify_fails(w, space, VERIFY_WORK + (work < 1024 ? work : 1023),
		     -EINTR);
	shim_signal = false;
	fuzz_stats.signals++;
}

/* Each allocation may fail. */
static void verify_memory(const struct world *w,
			  const struct world_space *space,
			  const struct mregion_view *view,
			  unsigned long allocations, struct input *in)
{
	unsigned long step = 1 + allocations / 32;
	unsigned long nth = 1 + input_byte(in) % step;

	for (; nth <= allocations; nth += step) {
		shim_fail_nth = nth;
		verify_fails(w, space, VERIFY_WORK, -ENOMEM);
		CHECK(!shim_fail_nth, "went on without memory");
	}
	shim_fail_nth = allocations + 1;
	verify_again(w, space, VERIFY_WORK, view);
	CHECK(shim_fail_nth == 1, "another number of allocations");
	shim_fail_nth = 0;
	fuzz_stats.no_memory++;
}

static void verify_error(int error, const struct model_view *expected)
{
	if (expected->answer == MODEL_UNKNOWN)
		CHECK(error == -EDQUOT || error == -EMLINK, "error %d", error);
	else
		CHECK(expected->answer == MODEL_TOO_DEEP && error == -EMLINK,
		      "error %d, which was not expected", error);
	fuzz_stats.too_deep += error == -EMLINK;
	fuzz_stats.no_work += error == -EDQUOT;
}

/**
 * verify_render() - render a space, and compare
 * @w: the world, with its model sorted
 * @space: the space; it has a root
 * @in: decides what else is tried
 *
 * Return: the view, or an ERR_PTR if it cannot be rendered.
 */
struct mregion_view *verify_render(const struct world *w,
				   const struct world_space *space,
				   struct input *in)
{
	/* too large for the stack */
	static struct model_view expected;
	struct mregion_view *view;
	struct verify_cost cost;

	model_render(&w->model, space->root, space->last, &expected);
	view = verify_once(w, space, VERIFY_WORK, &cost);
	CHECK(expected.answer == MODEL_UNKNOWN ||
	      cost.work <= expected.visits + expected.nr_cuts,
	      "%lu steps for %u visits and %u pieces",
	      (unsigned long)cost.work, expected.visits, expected.nr_cuts);
	CHECK(cost.allocations <= 3 + 2 * cost.work,
	      "%lu allocations in %lu steps", cost.allocations,
	      (unsigned long)cost.work);
	if (IS_ERR(view)) {
		verify_error(PTR_ERR(view), &expected);
		return view;
	}
	CHECK(expected.answer != MODEL_TOO_DEEP,
	      "rendered beyond the limit of depth");
	verify_view(w, space, view, &expected);
	fuzz_stats.views++;
	fuzz_stats.unverified += expected.answer == MODEL_UNKNOWN;

	switch (input_below(in, 32)) {
	case 29:
		verify_work(w, space, view, cost.work, in);
		break;
	case 30:
		verify_signal(w, space, view, cost.work);
		break;
	case 31:
		verify_memory(w, space, view, cost.allocations, in);
		break;
	}
	return view;
}
