/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows: the addresses that a machine claims on a bus.
 *
 * A window covers more than the registers in it, up to the memory around them,
 * so that registers move without a change to KVM's bus, which would take a
 * grace period of the virtual machine; the view says what is inside.
 */
#ifndef MREGION_WINDOWS_H
#define MREGION_WINDOWS_H

#include <linux/types.h>

#include "limits.h"

struct mregion_view;

/**
 * struct mregion_window - a window
 * @start: first address
 * @last: last address; no more than MREGION_WINDOW_SIZE after @start
 */
struct mregion_window {
	u64 start;
	u64 last;
};

/* A bus's ranges have an int for their length; also the grain of claims */
#define MREGION_WINDOW_SIZE	0x40000000ull

/**
 * struct mregion_windows - the windows on a bus
 * @nr: number of @window
 * @dropped: something is left out for want of room
 * @window: sorted, disjoint
 */
struct mregion_windows {
	u32 nr;
	bool dropped;
	struct mregion_window window[MREGION_MAX_WINDOWS];
};

void mregion_windows_of(const struct mregion_view *view,
			struct mregion_windows *windows);
bool mregion_windows_cover(const struct mregion_windows *windows,
			   const struct mregion_windows *wanted);
bool mregion_view_claims(const struct mregion_view *view, u64 start, u64 last);
bool mregion_windows_hit_reservation(const struct mregion_windows *windows,
				     const struct mregion_view *view);
bool mregion_windows_cut(struct mregion_windows *windows, u64 start, u64 last);

#endif /* MREGION_WINDOWS_H */
