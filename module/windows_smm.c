// SPDX-License-Identifier: GPL-2.0
/*
 * Windows for two views on one bus: vCPUs in SMM see another space than those out of
 * it, and KVM has one bus for both.
 */
#include <linux/minmax.h>
#include <linux/mm.h>

#include "tree.h"
#include "view.h"
#include "windows.h"

/* Add windows as far as there may be any; what is there already needs no more. */
static void mregion_windows_add_all(struct mregion_windows *windows,
				    const struct mregion_windows *more)
{
	u32 i, at = 0, nr = windows->nr;

	windows->full |= more->full;
	for (i = 0; i < more->nr; i++) {
		const struct mregion_window *window = &more->window[i];

		while (at < nr && windows->window[at].last < window->start)
			at++;
		if (at < nr && windows->window[at].start <= window->start &&
		    windows->window[at].last >= window->last)
			continue;
		if (windows->nr == MREGION_MAX_WINDOWS) {
			windows->full = true;
			break;
		}
		mregion_windows_add(windows, window->start, window->last);
	}
}

/*
 * Add a view's reservations, or count them if @windows has no room. None is above
 * what can be claimed.
 */
static int mregion_windows_reserve(const struct mregion_view *view,
				   struct mregion_windows *windows)
{
	struct mregion_work work = { .left = U64_MAX };
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	int ret;

	mregion_view_for_each(range, &cursor, view, 0) {
		if (range->start > MREGION_WINDOWS_LAST)
			break;
		ret = mregion_work_step(&work);
		if (ret)
			return ret;
		if (range->node->kind != MREGION_RESERVATION)
			continue;
		if (windows->window)
			mregion_windows_add(windows, range->start, range->last);
		else
			windows->nr++;
	}
	return 0;
}

/* The reservations of both views. Sets @windows, to be freed also after an error. */
static int mregion_windows_reserved(const struct mregion_view *view,
				    const struct mregion_view *smm,
				    struct mregion_windows *windows)
{
	int ret;

	*windows = (struct mregion_windows) {};
	ret = mregion_windows_reserve(view, windows) ?:
	      mregion_windows_reserve(smm, windows);
	if (ret || !windows->nr)
		return ret;
	ret = mregion_windows_alloc(windows, windows->nr) ?:
	      mregion_windows_reserve(view, windows) ?:
	      mregion_windows_reserve(smm, windows);
	if (ret)
		return ret;
	mregion_windows_sort(windows);
	mregion_windows_join(windows);
	return 0;
}

/* Set @windows to those of two sets, but for what is reserved in either view. */
static int mregion_windows_unite(const struct mregion_windows sets[2],
				 const struct mregion_windows *reserved,
				 struct mregion_windows *windows)
{
	struct mregion_windows all;
	int ret;

	ret = mregion_windows_alloc(&all, sets[0].nr + sets[1].nr) ?:
	      mregion_windows_alloc(windows, sets[0].nr + sets[1].nr +
					     reserved->nr);
	if (!ret) {
		mregion_windows_add_all(&all, &sets[0]);
		mregion_windows_add_all(&all, &sets[1]);
		/* pieces of one unit stay in it */
		mregion_windows_sort(&all);
		mregion_windows_join(&all);
		mregion_windows_cut(&all, reserved, windows);
		windows->full = all.full ||
				windows->nr > MREGION_MAX_WINDOWS;
		windows->nr = min(windows->nr, MREGION_MAX_WINDOWS);
	}
	mregion_windows_free(&all);
	return ret;
}

/**
 * mregion_windows_of_both() - what to claim for two views
 * @view: what vCPUs out of SMM see
 * @smm: what those in it see, or NULL for the same
 * @windows: set; to be freed by mregion_windows_free(), also after an error
 *
 * What mregion_windows_of() says of either, without the reservations of both. When
 * that is more than MREGION_MAX_WINDOWS before reservations are left out, those of
 * @view go first; when it is more only then, those at lower addresses.
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_windows_of_both(const struct mregion_view *view,
			    const struct mregion_view *smm,
			    struct mregion_windows *windows)
{
	struct mregion_windows sets[2] = {}, reserved = {};
	int ret;

	if (!smm)
		return mregion_windows_of(view, windows);
	*windows = (struct mregion_windows) {};
	ret = mregion_windows_of(view, &sets[0]) ?:
	      mregion_windows_of(smm, &sets[1]) ?:
	      mregion_windows_reserved(view, smm, &reserved) ?:
	      mregion_windows_unite(sets, &reserved, windows);
	mregion_windows_free(&sets[0]);
	mregion_windows_free(&sets[1]);
	mregion_windows_free(&reserved);
	return ret;
}
