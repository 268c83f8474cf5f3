// SPDX-License-Identifier: GPL-2.0
/* What a machine claims on a bus, and what it must not. */
#include <inttypes.h>
#include <string.h>

#include <linux/mregion.h>

#include "../../module/windows.h"
#include "check.h"
#include "verify.h"

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

static bool verify_holds(const struct mregion_windows *windows, u64 addr)
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

	CHECK(windows->nr <= MREGION_MAX_WINDOWS, "%u windows", windows->nr);
	for (i = 0; i < windows->nr; i++) {
		const struct mregion_window *window = &windows->window[i];

		CHECK(window->start <= window->last && window->last <= last,
		      "window %u: bounds", i);
		CHECK(window->last - window->start < MREGION_WINDOW_SIZE,
		      "window %u: too long", i);
		CHECK(!i || windows->window[i - 1].last < window->start,
		      "window %u: not sorted", i);
	}
}

/* Whether [start, last] is in the windows, up to where these end if full. */
static bool verify_covered(const struct mregion_windows *windows, u64 start,
			   u64 last)
{
	u32 i;

	for (i = 0; i < windows->nr; i++) {
		const struct mregion_window *window = &windows->window[i];

		if (window->last < start)
			continue;
		if (window->start > start)
			return false;
		if (window->last >= last)
			return true;
		start = window->last + 1;
	}
	return windows->nr == MREGION_MAX_WINDOWS;
}

static bool verify_reserved(const struct mregion_windows *windows,
			    const struct mregion_view *view)
{
	u32 i, j;

	for (i = 0; i < windows->nr; i++)
		for (j = 0; j < view->nr; j++)
			if (view->ranges[j].node->kind == MREGION_RESERVATION &&
			    view->ranges[j].start <= windows->window[i].last &&
			    view->ranges[j].last >= windows->window[i].start)
				return true;
	return false;
}

static void verify_claims(const struct mregion_windows *windows,
			  const struct mregion_view *view)
{
	u32 i, j;

	for (i = 0; i < view->nr; i++) {
		const struct mregion_view_range *range = &view->ranges[i];

		if (!verify_forbidden(range)) {
			CHECK(verify_covered(windows, range->start,
					     range->last),
			      "no window for %#" PRIx64 "-%#" PRIx64,
			      range->start, range->last);
			continue;
		}
		for (j = 0; j < windows->nr; j++)
			CHECK(windows->window[j].last < range->start ||
			      windows->window[j].start > range->last,
			      "window %u has %#" PRIx64 "-%#" PRIx64, j,
			      range->start, range->last);
	}
	CHECK(!mregion_windows_hit_reservation(windows, view),
	      "a window has a reservation");
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

/* mregion_windows_cut(), by making a new set; false if nothing is cut. */
static bool verify_subtract(const struct mregion_windows *windows, u64 start,
			    u64 last, struct mregion_windows *result)
{
	bool cut = false;
	u32 i;

	result->nr = 0;
	for (i = 0; i < windows->nr; i++) {
		struct mregion_window window = windows->window[i];
		u32 rest = windows->nr - i - 1;

		if (window.last < start || window.start > last) {
			result->window[result->nr++] = window;
			continue;
		}
		cut = true;
		if (window.start < start)
			result->window[result->nr++] = (struct mregion_window) {
				.start = window.start,
				.last = start - 1,
			};
		/* room must be left for those that follow */
		if (window.last > last &&
		    result->nr + rest < MREGION_MAX_WINDOWS)
			result->window[result->nr++] = (struct mregion_window) {
				.start = last + 1,
				.last = window.last,
			};
	}
	return cut;
}

static u64 verify_pick(const struct mregion_windows *windows, struct input *in)
{
	const struct mregion_window *window;
	u64 addr;

	if (!windows->nr || input_once_in(in, 8))
		return input_u64(in);
	window = &windows->window[input_below(in, windows->nr)];
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

static void verify_cut(struct mregion_windows *windows, u64 space_last,
		       struct input *in)
{
	struct mregion_windows before, expected;
	u64 start = verify_pick(windows, in), last = verify_pick(windows, in);
	bool cut;

	if (start > last) {
		u64 swap = start;

		start = last;
		last = swap;
	}
	before = *windows;
	cut = verify_subtract(&before, start, last, &expected);
	CHECK(mregion_windows_cut(windows, start, last) == cut,
	      "cutting %#" PRIx64 "-%#" PRIx64 ": was there anything?", start,
	      last);
	verify_windows_shape(windows, space_last);
	CHECK(windows->nr == expected.nr &&
	      !memcmp(windows->window, expected.window,
		      windows->nr * sizeof(*windows->window)),
	      "cutting %#" PRIx64 "-%#" PRIx64 ": other windows", start, last);
	CHECK(!verify_holds(windows, start) && !verify_holds(windows, last),
	      "%#" PRIx64 "-%#" PRIx64 " was not cut", start, last);
	CHECK(mregion_windows_cover(&before, windows) &&
	      mregion_windows_cover(windows, &before) ==
	      verify_within(windows, &before), "windows in windows");
	fuzz_stats.windows_cut += cut;
}

/* What was claimed for another view, as when a commit keeps the windows. */
static void verify_kept(const struct mregion_windows *windows,
			const struct mregion_view *view,
			const struct mregion_view *before)
{
	struct mregion_windows kept;

	mregion_windows_of(before, &kept);
	CHECK(mregion_windows_hit_reservation(&kept, view) ==
	      verify_reserved(&kept, view), "reservations in old windows");
	CHECK(mregion_windows_cover(&kept, windows) ==
	      verify_within(&kept, windows), "windows in old windows");
}

/**
 * verify_windows() - make windows for a view, and compare
 * @view: the view
 * @before: the space's view before, or NULL
 * @in: decides what is cut out of them
 */
void verify_windows(const struct mregion_view *view,
		    const struct mregion_view *before, struct input *in)
{
	struct mregion_windows windows;
	int i;

	mregion_windows_of(view, &windows);
	verify_windows_shape(&windows, view->last);
	verify_claims(&windows, view);
	if (before)
		verify_kept(&windows, view, before);
	fuzz_stats.windows += windows.nr;
	fuzz_stats.windows_full += windows.nr == MREGION_MAX_WINDOWS;

	if (!input_once_in(in, 4))
		return;
	for (i = 0; i < 4; i++)
		verify_cut(&windows, view->last, in);
}
