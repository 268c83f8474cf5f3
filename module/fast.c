// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/mm.h>

#include "behaviour.h"
#include "delta.h"
#include "fast.h"
#include "tree.h"
#include "view.h"
#include "windows.h"

/* Every address that may be claimed. */
static const struct mregion_delta mregion_fast_all = {
	.nr = 1,
	.interval[0].last = MREGION_WINDOWS_LAST,
};

/**
 * mregion_range_is_fast() - whether fast doorbells ring in a range
 * @range: the range
 *
 * Not where writes are refused.
 */
bool mregion_range_is_fast(const struct mregion_view_range *range)
{
	return range->behaviour && range->behaviour->nr_fast &&
	       !(range->flags & MREGION_RANGE_READONLY);
}

/* The first fast doorbell that is not before @offset. */
static u32 mregion_fast_bound(const struct mregion_behaviour *behaviour,
			      u64 offset)
{
	u32 low = 0, end = behaviour->nr_fast, half;

	while (low < end) {
		half = low + (end - low) / 2;
		if (behaviour->fast[half]->offset < offset)
			low = half + 1;
		else
			end = half;
	}
	return low;
}

/**
 * mregion_fast_begin() - go through a range's fast doorbells
 * @cursor: set
 * @range: the range
 * @start: first address to look at
 * @last: last address to look at
 */
void mregion_fast_begin(struct mregion_fast_cursor *cursor,
			const struct mregion_view_range *range, u64 start,
			u64 last)
{
	start = max(start, range->start);
	*cursor = (struct mregion_fast_cursor) {
		.range = range,
		.last = min(last, range->last),
	};
	if (mregion_range_is_fast(range) && start <= cursor->last)
		cursor->next = mregion_fast_bound(range->behaviour,
						  start + range->delta);
	else
		cursor->range = NULL;
}

/**
 * mregion_fast_next() - the next of a range's fast doorbells
 * @cursor: of mregion_fast_begin()
 * @addr: set to its address
 *
 * Return: false if there is none.
 */
bool mregion_fast_next(struct mregion_fast_cursor *cursor, u64 *addr)
{
	const struct mregion_view_range *range = cursor->range;
	u64 offset;

	if (!range || cursor->next == range->behaviour->nr_fast)
		return false;
	offset = range->behaviour->fast[cursor->next]->offset;
	if (offset > cursor->last + range->delta)
		return false;
	cursor->next++;
	*addr = offset - range->delta;
	return true;
}

/* Add a doorbell, or count it if @windows has no room. */
static void mregion_fast_add(struct mregion_windows *windows, u64 addr)
{
	if (windows->room)
		mregion_windows_add(windows, addr, addr);
	else
		windows->nr++;
}

/* Add a view's doorbells in an interval, @left at most. */
static int mregion_fast_interval(const struct mregion_view *view, u64 start,
				 u64 last, u32 *left,
				 struct mregion_work *work,
				 struct mregion_windows *windows)
{
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	struct mregion_fast_cursor fast;
	int ret;
	u64 addr;

	last = min_t(u64, last, MREGION_WINDOWS_LAST);
	mregion_view_for_each(range, &cursor, view, start) {
		if (range->start > last)
			break;
		ret = mregion_work_step(work);
		if (ret)
			return ret;
		mregion_fast_begin(&fast, range, start, last);
		while (*left && mregion_fast_next(&fast, &addr)) {
			ret = mregion_work_step(work);
			if (ret)
				return ret;
			mregion_fast_add(windows, addr);
			--*left;
		}
		if (!*left)
			break;
	}
	return 0;
}

/*
 * The same in all intervals of a delta. What is behind one more than there may be is
 * of no interest: it has a higher address than all of these.
 */
static int mregion_fast_view(const struct mregion_view *view,
			     const struct mregion_delta *delta,
			     struct mregion_work *work,
			     struct mregion_windows *windows)
{
	u32 i, left = MREGION_MAX_FAST + 1;
	int ret = 0;

	for (i = 0; i < delta->nr && !ret; i++)
		ret = mregion_fast_interval(view, delta->interval[i].start,
					    delta->interval[i].last, &left,
					    work, windows);
	return ret;
}

/* The same of both views. */
static int mregion_fast_delta(const struct mregion_fast_views *views,
			      const struct mregion_delta *delta,
			      struct mregion_work *work,
			      struct mregion_windows *windows)
{
	int ret;

	if (!delta)
		return 0;
	ret = mregion_fast_view(views->view, delta, work, windows);
	if (!ret && views->smm)
		ret = mregion_fast_view(views->smm, delta, work, windows);
	return ret;
}

static bool mregion_delta_has(const struct mregion_delta *delta, u64 addr)
{
	u32 low = 0, end = delta ? delta->nr : 0, half;

	while (low < end) {
		half = low + (end - low) / 2;
		if (delta->interval[half].last < addr)
			low = half + 1;
		else
			end = half;
	}
	return delta && low < delta->nr && delta->interval[low].start <= addr;
}

/* Likewise those of before that are where nothing has changed. */
static void mregion_fast_keep(const struct mregion_fast_views *views,
			      const struct mregion_windows *old,
			      struct mregion_windows *windows)
{
	u32 i;

	for (i = 0; i < old->nr; i++) {
		u64 addr = old->window[i].start;

		if (!mregion_delta_has(views->delta, addr) &&
		    !mregion_delta_has(views->smm_delta, addr))
			mregion_fast_add(windows, addr);
	}
}

static int mregion_fast_collect(const struct mregion_fast_views *views,
				const struct mregion_windows *old,
				struct mregion_work *work,
				struct mregion_windows *windows)
{
	mregion_fast_keep(views, old, windows);
	return mregion_fast_delta(views, views->delta, work, windows) ?:
	       mregion_fast_delta(views, views->smm_delta, work, windows);
}

/**
 * mregion_fast_update() - the fast doorbells of views that have changed
 * @views: the views
 * @old: those of the views before, all of them
 * @windows: set to them: a window of one address for each place; to be freed by
 *	mregion_windows_free(), also after an error. Of more than MREGION_MAX_FAST
 *	it has those at lower addresses, and is full
 *
 * Costs what has changed, and as many steps more as there are fast doorbells.
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_fast_update(const struct mregion_fast_views *views,
			const struct mregion_windows *old,
			struct mregion_windows *windows)
{
	struct mregion_work work = { .left = U64_MAX };
	int ret;

	*windows = (struct mregion_windows) {};
	ret = mregion_fast_collect(views, old, &work, windows);
	if (ret || !windows->nr)
		return ret;
	ret = mregion_windows_alloc(windows, windows->nr) ?:
	      mregion_fast_collect(views, old, &work, windows);
	if (ret)
		return ret;
	mregion_windows_sort(windows);
	/* both views may have the same */
	mregion_windows_join(windows);
	windows->full = windows->nr > MREGION_MAX_FAST;
	windows->nr = min(windows->nr, MREGION_MAX_FAST);
	return 0;
}

/**
 * mregion_fast_of() - the fast doorbells of views
 * @views: the views; their deltas do not matter
 * @windows: as for mregion_fast_update()
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_fast_of(const struct mregion_fast_views *views,
		    struct mregion_windows *windows)
{
	const struct mregion_fast_views all = {
		.view = views->view,
		.smm = views->smm,
		.delta = &mregion_fast_all,
	};
	const struct mregion_windows none = {};

	return mregion_fast_update(&all, &none, windows);
}
