// SPDX-License-Identifier: GPL-2.0
/* What a machine claims on a bus for two views, as where SMM has one of its own. */
#include <inttypes.h>

#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/windows.h"
#include "check.h"
#include "flat.h"
#include "verify.h"

static bool both_reserved(const struct mregion_view *view, u64 addr)
{
	const struct mregion_view_range *range;

	flat_for_each(range, view)
		if (range->start <= addr && addr <= range->last)
			return range->node->kind == MREGION_RESERVATION;
	return false;
}

/* All that @view claims is there, but for what @other forbids; nothing reserved is. */
static void both_has(const struct mregion_windows *windows,
		     const struct mregion_view *view,
		     const struct mregion_view *other)
{
	const struct mregion_view_range *range;
	unsigned int i;

	CHECK(!mregion_windows_hit_reservation(windows, view),
	      "windows of both have a reservation");
	flat_for_each(range, view) {
		const u64 ends[2] = { range->start, range->last };

		if (!mregion_range_claims(range))
			continue;
		for (i = 0; i < 2; i++)
			CHECK(ends[i] > MREGION_WINDOWS_LAST ||
			      verify_holds(windows, ends[i]) !=
			      both_reserved(other, ends[i]),
			      "windows of both at %#" PRIx64, ends[i]);
	}
}

/**
 * verify_windows_both() - make windows for two views of a bus, and compare
 * @view: a view
 * @other: another one, of the same length
 * @fail: whether to fail an allocation first
 */
void verify_windows_both(const struct mregion_view *view,
			 const struct mregion_view *other, bool fail)
{
	struct mregion_windows windows, alone;
	u32 i;

	if (fail) {
		shim_fail_nth = 2;
		CHECK(mregion_windows_of_both(view, other, &windows) ==
		      (shim_fail_nth ? 0 : -ENOMEM), "went on without memory");
		mregion_windows_free(&windows);
		shim_fail_nth = 0;
	}
	CHECK(!mregion_windows_of_both(view, other, &windows), "no windows");
	for (i = 0; i < windows.nr; i++) {
		const struct mregion_window *window = &windows.window[i];

		CHECK(window->start <= window->last &&
		      window->last / MREGION_WINDOW_SIZE ==
		      window->start / MREGION_WINDOW_SIZE,
		      "window %u of both: bounds", i);
		CHECK(!i || windows.window[i - 1].last < window->start,
		      "window %u of both: not sorted", i);
	}
	if (!mregion_windows_full(&windows)) {
		both_has(&windows, view, other);
		both_has(&windows, other, view);
		fuzz_stats.windows_both++;
	}
	mregion_windows_free(&windows);

	/* Two that are the same are as one. */
	CHECK(!mregion_windows_of_both(view, view, &windows) &&
	      !mregion_windows_of(view, &alone), "no windows");
	CHECK(mregion_windows_cover(&windows, &alone) &&
	      mregion_windows_cover(&alone, &windows),
	      "twice the same view has other windows");
	mregion_windows_free(&windows);
	mregion_windows_free(&alone);
}
