// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <linux/err.h>
#include <linux/mregion.h>
#include <linux/slab.h>

#include "case.h"
#include "check.h"
#include "flat.h"
#include "generate.h"
#include "verify.h"

/* The world in which something may turn out wrong. */
static struct world case_world;

void fuzz_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	world_print(&case_world);
	fflush(stdout);
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	fuzz_failed();
}

/* Render a space for the commit under way, and make its view of the one before. */
static struct mregion_view *case_render(const struct world *w,
					struct world_space *space,
					struct input *in)
{
	struct mregion_view *full, *view;

	if (space->root < 0)
		return NULL;
	full = verify_render(w, space, in);
	if (IS_ERR(full)) {
		if (PTR_ERR(full) == -EMLINK && space->view)
			verify_too_deep(w, space);
		return NULL;
	}
	view = verify_update(w, space, full, in);
	flat_free(full);
	verify_windows(view, space->view, space->view ? &space->delta : NULL,
		       in);
	verify_fast(view, space->view, space->view ? &space->delta : NULL,
		    input_once_in(in, 16));
	return view;
}

/* Put everything back, and look whether it is as it was. */
static void case_undo(struct world *w, struct input *in)
{
	struct mregion_view *view;
	int i;

	world_undo(w);
	model_sort(&w->model);
	verify_tree(w);
	for (i = 0; i < WORLD_SPACES; i++) {
		const struct world_space *space = &w->space[i];

		if (space->root < 0)
			continue;
		view = verify_render(w, space, in);
		CHECK(IS_ERR(view) ? !space->view :
				     verify_same(space->view, view),
		      "undone, but space %d has changed", i);
		if (!IS_ERR(view))
			flat_free(view);
	}
}

static void case_end_commit(struct world *w, struct input *in, bool undo)
{
	struct mregion_view *view[WORLD_SPACES];
	int i;

	fuzz_stats.commits++;
	model_sort(&w->model);
	verify_tree(w);
	verify_marks(w);
	for (i = 0; i < WORLD_SPACES; i++)
		view[i] = case_render(w, &w->space[i], in);
	for (i = 0; i < WORLD_SPACES; i++) {
		struct world_space *space = &w->space[i];

		if (undo && view[i]) {
			flat_keep_before(&space->update, view[i]);
		} else if (!undo) {
			if (view[i])
				flat_keep_view(&space->update, space->view);
			else
				flat_free(space->view);
			space->view = view[i];
		}
	}
	if (undo)
		case_undo(w, in);
	else
		world_finish(w);
}

/**
 * case_run() - build a hierarchy, change it, and compare
 * @data: random bytes
 * @len: how many
 */
void case_run(const unsigned char *data, size_t len)
{
	struct input in = { .next = data, .left = len };
	struct generator g = { .in = &in, .w = &case_world };
	unsigned int changes = 8 + input_below(&in, 32);
	unsigned long live = shim_live;

	fuzz_stats.topologies++;
	g.scale = input_below(&in, 3);
	world_init(g.w);
	world_begin(g.w);
	generate_spaces(&g);
	case_end_commit(g.w, &in, false);

	while (in.left) {
		world_begin(g.w);
		if (input_once_in(&in, 4))
			g.w->climb = input_byte(&in) >> input_below(&in, 8);
		while (changes-- && generate_change(&g))
			;
		case_end_commit(g.w, &in, input_once_in(&in, 4));
		changes = 1 + input_below(&in, 6);
	}
	world_destroy(g.w);
	CHECK(shim_live == live, "%ld allocations were left",
	      (long)(shim_live - live));
}
