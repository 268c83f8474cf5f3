// SPDX-License-Identifier: GPL-2.0
/* What a machine claims on a bus, and what it must not. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/delta.h"
#include "../../module/windows.h"
#include "check.h"
#include "flat.h"
#include "verify.h"

#define VERIFY_CUTS	6

static u64 verify_top(const struct mregion_view *view)
{
	return view->last < MREGION_WINDOWS_LAST ? view->last :
						   MREGION_WINDOWS_LAST;
}

/* Memory that the guest writes without an exit, and what is somebody else's. */
static bool verify_forbidden(const struct mregion_view_range *range)
{
	switch (range->node->kind) {
	case MREGION_RESERVATION:
		return true;
	case MREGION_RAM:
	case MREGION_RAMDEV:
		return !(range->flags & MREGION_RANGE_READONLY);
	}
	return false;
}

static bool verify_meets(const struct mregion_view_range *range, u64 start,
			 u64 last)
{
	return range->start <= last && range->last >= start;
}

static bool verify_forbidden_in(const struct mregion_view *view, u64 start,
				u64 last)
{
	const struct mregion_view_range *range;

	flat_for_each(range, view)
		if (verify_forbidden(range) && verify_meets(range, start, last))
			return true;
	return false;
}

bool verify_holds(const struct mregion_windows *windows, u64 addr)
{
	u32 i;

	for (i = 0; i < windows->nr; i++)
		if (windows->window[i].start <= addr &&
		    addr <= windows->window[i].last)
			return true;
	return false;
}

static void verify_windows_shape(const struct mregion_windows *windows,
				 u64 last)
{
	u32 i;

	CHECK(windows->nr <= windows->room, "%u windows", windows->nr);
	for (i = 0; i < windows->nr; i++) {
		const struct mregion_window *window = &windows->window[i];

		CHECK(window->start <= window->last && window->last <= last,
		      "window %u: bounds", i);
		CHECK(window->last / MREGION_WINDOW_SIZE ==
		      window->start / MREGION_WINDOW_SIZE,
		      "window %u: too long", i);
		CHECK(!i || windows->window[i - 1].last < window->start,
		      "window %u: not sorted", i);
	}
}

/* How badly a piece is wanted: 0 most, 5 not at all. */
static unsigned int verify_rank(const struct mregion_view *view, u64 start,
				u64 last)
{
	bool gaps = view->unassigned == MREGION_POLICY_ONES ||
		    view->unassigned == MREGION_POLICY_ZEROES;
	const struct mregion_view_range *range;
	unsigned int rank = 5;

	/* A unit that is not free from end to end. */
	if (gaps && last - start + 1 < MREGION_WINDOW_SIZE)
		rank = 3;
	flat_for_each(range, view) {
		unsigned int here = 4;

		if (!verify_meets(range, start, last))
			continue;
		if (mregion_range_need(range) == MREGION_CLAIM_RULES)
			here = 0;
		else if (mregion_range_need(range) == MREGION_CLAIM_POLICY)
			here = 2;
		if (here < 4 && range->last - range->start + 1 >
				4 * MREGION_WINDOW_SIZE)
			here++;
		/* of all 2^64 */
		if (here < 4 && !(range->last - range->start + 1))
			here++;
		rank = here < rank ? here : rank;
	}
	return rank;
}

/* The piece of a unit that an address which may be claimed is in. */
static struct mregion_window verify_piece(const struct mregion_view *view,
					  u64 addr)
{
	struct mregion_window piece = {
		.start = addr & ~(MREGION_WINDOW_SIZE - 1),
		.last = addr | (MREGION_WINDOW_SIZE - 1),
	};
	const struct mregion_view_range *range;

	if (piece.last > verify_top(view))
		piece.last = verify_top(view);
	flat_for_each(range, view) {
		if (!verify_forbidden(range))
			continue;
		if (range->last < addr && range->last >= piece.start)
			piece.start = range->last + 1;
		if (range->start > addr && range->start <= piece.last)
			piece.last = range->start - 1;
	}
	return piece;
}

/*
 * An address that may be claimed is, or there is no room left for what is
 * wanted less than the windows there are.
 */
static void verify_claimed(const struct mregion_windows *windows,
			   const struct mregion_view *view, u64 addr,
			   unsigned int worst)
{
	struct mregion_window piece;
	unsigned int rank;

	if (addr > verify_top(view) || verify_forbidden_in(view, addr, addr) ||
	    verify_holds(windows, addr))
		return;
	piece = verify_piece(view, addr);
	rank = verify_rank(view, piece.start, piece.last);
	CHECK(rank == 5 || (windows->nr == MREGION_MAX_WINDOWS &&
			    rank >= worst),
	      "no window for %#" PRIx64 ", of rank %u; there are those of %u",
	      addr, rank, worst);
}

static void verify_claims(const struct mregion_windows *windows,
			  const struct mregion_view *view)
{
	const struct mregion_view_range *range;
	unsigned int rank, worst = 0;
	u32 i;

	for (i = 0; i < windows->nr; i++) {
		const struct mregion_window *window = &windows->window[i];
		struct mregion_window piece = verify_piece(view, window->start);

		CHECK(!verify_forbidden_in(view, window->start, window->last),
		      "window %u has what it must not", i);
		CHECK(piece.start == window->start &&
		      piece.last == window->last, "window %u: no whole piece",
		      i);
		rank = verify_rank(view, window->start, window->last);
		CHECK(rank < 5, "window %u is not wanted", i);
		worst = rank > worst ? rank : worst;
	}
	flat_for_each(range, view) {
		verify_claimed(windows, view, range->start, worst);
		verify_claimed(windows, view, range->last, worst);
		verify_claimed(windows, view, range->start / 2 +
					      range->last / 2, worst);
		if (range->start)
			verify_claimed(windows, view, range->start - 1, worst);
		if (range->last < view->last)
			verify_claimed(windows, view, range->last + 1, worst);
	}
	verify_claimed(windows, view, view->last, worst);
	CHECK(!mregion_windows_hit_reservation(windows, view),
	      "a window has a reservation");
}

static bool verify_reserved(const struct mregion_windows *windows,
			    const struct mregion_view *view)
{
	const struct mregion_view_range *range;
	u32 i;

	flat_for_each(range, view)
		for (i = 0; i < windows->nr; i++)
			if (range->node->kind == MREGION_RESERVATION &&
			    verify_meets(range, windows->window[i].start,
					 windows->window[i].last))
				return true;
	return false;
}

/* Each of @wanted in one of @windows? */
static bool verify_within(const struct mregion_windows *windows,
			  const struct mregion_windows *wanted)
{
	u32 i, j;

	for (i = 0; i < wanted->nr; i++) {
		for (j = 0; j < windows->nr; j++)
			if (windows->window[j].start <=
			    wanted->window[i].start &&
			    windows->window[j].last >= wanted->window[i].last)
				break;
		if (j == windows->nr)
			return false;
	}
	return true;
}

/* @windows without [start, last], in @result. */
static void verify_subtract(const struct mregion_windows *windows, u64 start,
			    u64 last, struct mregion_windows *result)
{
	u32 i;

	result->nr = 0;
	for (i = 0; i < windows->nr; i++) {
		const struct mregion_window *window = &windows->window[i];

		if (window->last < start || window->start > last) {
			mregion_windows_add(result, window->start,
					    window->last);
			continue;
		}
		if (window->start < start)
			mregion_windows_add(result, window->start, start - 1);
		if (window->last > last)
			mregion_windows_add(result, last + 1, window->last);
	}
}

static u64 verify_pick(const struct mregion_windows *windows, struct input *in)
{
	const struct mregion_window *window;
	u64 addr;

	if (!windows->nr || input_once_in(in, 8))
		return input_u64(in);
	window = &windows->window[(input_below(in, 256) << 8 |
				   input_below(in, 256)) % windows->nr];
	switch (input_below(in, 3)) {
	case 0:
		addr = window->start;
		break;
	case 1:
		addr = window->last;
		break;
	default:
		addr = window->start + (window->last - window->start) / 2;
	}
	return addr + input_below(in, 3) - 1;
}

static void verify_alloc(struct mregion_windows *windows, u32 room)
{
	CHECK(!mregion_windows_alloc(windows, room), "no memory for %u", room);
}

/*
 * Cut addresses out of windows, all at once, and compare with doing so one after
 * the other; then with what a survey says.
 */
static void verify_cut(const struct mregion_view *view,
		       const struct mregion_windows *windows, struct input *in)
{
	struct mregion_windows others, taken, cut, expected[2];
	u32 i, nr = input_below(in, VERIFY_CUTS + 1);

	verify_alloc(&others, nr);
	verify_alloc(&taken, nr);
	verify_alloc(&cut, windows->nr + nr);
	verify_alloc(&expected[0], windows->nr + nr);
	verify_alloc(&expected[1], windows->nr + nr);
	for (i = 0; i < windows->nr; i++)
		mregion_windows_add(&expected[0], windows->window[i].start,
				    windows->window[i].last);
	for (i = 0; i < nr; i++) {
		u64 start = verify_pick(windows, in);
		u64 last = verify_pick(windows, in);

		if (start > last || input_once_in(in, 2))
			last = start;
		mregion_windows_add(&others, start, last);
		mregion_windows_add(&taken, start, last);
		verify_subtract(&expected[i & 1], start, last,
				&expected[~i & 1]);
	}
	mregion_windows_sort(&taken);
	mregion_windows_join(&taken);
	mregion_windows_cut(windows, &taken, &cut);
	verify_windows_shape(&cut, verify_top(view));
	CHECK(cut.nr == expected[nr & 1].nr &&
	      (!cut.nr || !memcmp(cut.window, expected[nr & 1].window,
				  cut.nr * sizeof(*cut.window))),
	      "other windows are left");
	CHECK(mregion_windows_cover(windows, &cut) &&
	      mregion_windows_cover(&cut, windows) ==
	      verify_within(&cut, windows), "windows in windows");
	fuzz_stats.windows_cut += cut.nr != windows->nr;
	verify_survey(view, &cut, &others);
	mregion_windows_free(&others);
	mregion_windows_free(&taken);
	mregion_windows_free(&cut);
	mregion_windows_free(&expected[0]);
	mregion_windows_free(&expected[1]);
}

/* Windows are kept, as they suit what has changed: all is there that must be. */
static void verify_suits(const struct mregion_windows *kept,
			 const struct mregion_view *view)
{
	const struct mregion_view_range *range;

	CHECK(!verify_reserved(kept, view), "kept windows have a reservation");
	flat_for_each(range, view) {
		if (range->start > verify_top(view) ||
		    !mregion_range_claims(range))
			continue;
		CHECK(verify_holds(kept, range->start),
		      "kept windows have no %#" PRIx64, range->start);
		CHECK(range->last > verify_top(view) ||
		      verify_holds(kept, range->last),
		      "kept windows have no %#" PRIx64, range->last);
	}
}

/* What was claimed for another view, as when a commit keeps the windows. */
static void verify_kept(const struct mregion_windows *windows,
			const struct mregion_view *view,
			struct mregion_view *before,
			const struct mregion_delta *delta)
{
	u32 unassigned = before->unassigned;
	struct mregion_windows kept;

	before->unassigned = view->unassigned;
	CHECK(!mregion_windows_of(before, &kept), "no windows");
	before->unassigned = unassigned;
	if (delta && !mregion_windows_full(&kept)) {
		if (mregion_windows_suit(&kept, view, delta)) {
			verify_suits(&kept, view);
			fuzz_stats.windows_kept += delta->nr;
		} else {
			CHECK(delta->nr, "windows do not suit what is as it was");
		}
	}
	CHECK(mregion_windows_hit_reservation(&kept, view) ==
	      verify_reserved(&kept, view), "reservations in old windows");
	CHECK(mregion_windows_cover(&kept, windows) ==
	      verify_within(&kept, windows), "windows in old windows");
	mregion_windows_free(&kept);
}

/**
 * verify_windows() - make windows for a view, and compare
 * @view: the view; its policy for unassigned addresses is changed meanwhile
 * @before: the space's view before, or NULL; likewise
 * @delta: where they differ, or NULL
 * @in: decides what is cut out of them
 */
void verify_windows(struct mregion_view *view, struct mregion_view *before,
		    const struct mregion_delta *delta, struct input *in)
{
	struct mregion_windows windows;
	u32 unassigned = view->unassigned;

	view->unassigned = MREGION_POLICY_ONES + input_below(in, 4);
	if (input_once_in(in, 16)) {
		shim_fail_nth = 1;
		CHECK(mregion_windows_of(view, &windows) ==
		      (shim_fail_nth ? 0 : -ENOMEM), "went on without memory");
		mregion_windows_free(&windows);
		shim_fail_nth = 0;
	}
	CHECK(!mregion_windows_of(view, &windows), "no windows");
	CHECK(windows.nr <= MREGION_MAX_WINDOWS, "%u windows", windows.nr);
	verify_windows_shape(&windows, verify_top(view));
	/* it takes a square */
	if (windows.nr < 64 || input_once_in(in, 8))
		verify_claims(&windows, view);
	if (before) {
		verify_kept(&windows, view, before, delta);
		if (windows.nr < 64)
			verify_windows_both(view, before,
					    input_once_in(in, 16));
	}
	fuzz_stats.windows += windows.nr;
	fuzz_stats.windows_full += windows.nr == MREGION_MAX_WINDOWS;
	if (input_once_in(in, 4))
		verify_cut(view, &windows, in);
	mregion_windows_free(&windows);
	view->unassigned = unassigned;
}
