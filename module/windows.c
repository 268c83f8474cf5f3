// SPDX-License-Identifier: GPL-2.0
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "kind.h"
#include "tree.h"
#include "view.h"
#include "windows.h"

/*
 * Whether accesses to a range are the machine's, and not a memory slot's or
 * somebody else's. Writes to memory that the guest can only read count.
 */
static bool mregion_claims(const struct mregion_view_range *range)
{
	u32 kind = range->node->kind;

	if (kind == MREGION_RESERVATION)
		return false;
	return !mregion_kind_is_memory(kind) || kind == MREGION_ROMD ||
	       range->flags & MREGION_RANGE_READONLY;
}

/* Add [start, last] in pieces; whatever is beyond the limit is left out. */
static void mregion_windows_add(struct mregion_windows *windows, u64 start,
				u64 last)
{
	for (;;) {
		u64 end = start | (MREGION_WINDOW_SIZE - 1);

		if (windows->nr == MREGION_MAX_WINDOWS) {
			windows->dropped = true;
			break;
		}
		windows->window[windows->nr++] = (struct mregion_window) {
			.start = start,
			.last = min(end, last),
		};
		if (end >= last)
			break;
		start = end + 1;
	}
}

/**
 * mregion_windows_of() - what to claim for a view
 * @view: the view
 * @windows: filled in
 *
 * In units of MREGION_WINDOW_SIZE: every unit that has something to claim, as
 * far as nothing in it forbids that. Ports are one unit.
 */
void mregion_windows_of(const struct mregion_view *view,
			struct mregion_windows *windows)
{
	u64 floor = 0;		/* first address that may be claimed */
	bool full = false;	/* no address is left */
	u32 i;

	windows->nr = 0;
	windows->dropped = false;
	for (i = 0; i < view->nr; i++) {
		const struct mregion_view_range *range = &view->ranges[i];
		u64 start, last, ceiling = view->last;
		u32 j;

		if (!mregion_claims(range)) {
			full = range->last == view->last;
			floor = range->last + 1;
			continue;
		}
		if (full || (floor && range->last < floor))
			continue;
		for (j = i + 1; j < view->nr; j++) {
			if (!mregion_claims(&view->ranges[j])) {
				ceiling = view->ranges[j].start - 1;
				break;
			}
			/* nothing that far up matters to this window */
			if (view->ranges[j].start - range->last >
			    MREGION_WINDOW_SIZE)
				break;
		}
		start = max(floor, ALIGN_DOWN(range->start,
					      MREGION_WINDOW_SIZE));
		last = min(ceiling, range->last | (MREGION_WINDOW_SIZE - 1));
		mregion_windows_add(windows, start, last);
		if (windows->dropped)
			return;
		full = last == view->last;
		floor = last + 1;
	}
}

/**
 * mregion_windows_cover() - whether windows lie within others
 * @windows: those there are
 * @wanted: those that are wanted
 */
bool mregion_windows_cover(const struct mregion_windows *windows,
			   const struct mregion_windows *wanted)
{
	u32 i, j = 0;

	for (i = 0; i < wanted->nr; i++) {
		while (j < windows->nr &&
		       windows->window[j].last < wanted->window[i].start)
			j++;
		if (j == windows->nr ||
		    windows->window[j].start > wanted->window[i].start ||
		    windows->window[j].last < wanted->window[i].last)
			return false;
	}
	return true;
}

/**
 * mregion_view_claims() - whether a view has something to claim at addresses
 * @view: the view
 * @start: first address
 * @last: last address
 */
bool mregion_view_claims(const struct mregion_view *view, u64 start, u64 last)
{
	u32 i;

	for (i = mregion_view_bound(view, start);
	     i < view->nr && view->ranges[i].start <= last; i++)
		if (mregion_claims(&view->ranges[i]))
			return true;
	return false;
}

/**
 * mregion_windows_hit_reservation() - whether windows have what they must not
 * @windows: the windows
 * @view: a view
 */
bool mregion_windows_hit_reservation(const struct mregion_windows *windows,
				     const struct mregion_view *view)
{
	u32 i, r;

	for (i = 0; i < windows->nr; i++) {
		const struct mregion_window *window = &windows->window[i];

		for (r = mregion_view_bound(view, window->start);
		     r < view->nr && view->ranges[r].start <= window->last; r++)
			if (view->ranges[r].node->kind == MREGION_RESERVATION)
				return true;
	}
	return false;
}

/**
 * mregion_windows_cut() - leave addresses out
 * @windows: the windows
 * @start: first address to leave out
 * @last: last address to leave out
 *
 * Return: whether there was anything to leave out. A window that would have to
 * be split when there is no room for one more loses its upper part.
 */
bool mregion_windows_cut(struct mregion_windows *windows, u64 start, u64 last)
{
	bool cut = false;
	u32 i;

	for (i = 0; i < windows->nr; i++) {
		struct mregion_window *window = &windows->window[i];
		struct mregion_window upper = {
			.start = last + 1,
			.last = window->last,
		};
		bool has_lower = window->start < start;
		bool has_upper = window->last > last;

		if (window->last < start || window->start > last)
			continue;
		cut = true;
		if (has_lower)
			window->last = start - 1;
		if (has_lower && has_upper) {
			if (windows->nr == MREGION_MAX_WINDOWS) {
				windows->dropped = true;
				continue;
			}
			memmove(window + 2, window + 1,
				(windows->nr - i - 1) * sizeof(*window));
			window[1] = upper;
			windows->nr++;
			i++;
		} else if (has_upper) {
			*window = upper;
		} else if (!has_lower) {
			memmove(window, window + 1,
				(windows->nr - i - 1) * sizeof(*window));
			windows->nr--;
			i--;
		}
	}
	return cut;
}
