/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows: the addresses that a machine claims on a bus.
 *
 * A window covers more than the registers in it, up to the memory around them,
 * so that registers move without a change to KVM's bus, which would take a
 * grace period of the virtual machine. The view has the regions inside.
 */
#ifndef MREGION_WINDOWS_H
#define MREGION_WINDOWS_H

#include <linux/types.h>

#include "limits.h"

struct mregion_delta;
struct mregion_view;
struct mregion_view_range;

/**
 * struct mregion_window - a window
 * @start: first address
 * @last: last address
 */
struct mregion_window {
	u64 start;
	u64 last;
};

/* A bus's ranges have an int for their length; also the grain of claims */
#define MREGION_WINDOW_SIZE	0x40000000ull

/*
 * The last address that a window may have. No guest-physical address reaches
 * that far, but a guest that sizes a BAR puts it there for a moment. A range that
 * ends at 2^64 would break the order of KVM's bus, which computes that end as 0.
 */
#define MREGION_WINDOWS_LAST	0x7fffffffffffffffull

/**
 * struct mregion_windows - a set of addresses
 * @nr: number of @window
 * @room: how many there is memory for
 * @full: more may have been wanted than there can be
 * @window: sorted by address; disjoint unless stated otherwise
 */
struct mregion_windows {
	u32 nr;
	u32 room;
	bool full;
	struct mregion_window *window;
};

/** mregion_windows_full() - whether a view may have more to claim than this */
static inline bool mregion_windows_full(const struct mregion_windows *windows)
{
	return windows->full;
}

int mregion_windows_alloc(struct mregion_windows *windows, u32 room);
void mregion_windows_free(struct mregion_windows *windows);
void mregion_windows_add(struct mregion_windows *windows, u64 start, u64 last);
void mregion_windows_sort(struct mregion_windows *windows);
void mregion_windows_join(struct mregion_windows *windows);
bool mregion_windows_gap(const struct mregion_windows *windows, u32 *at,
			 struct mregion_window *rest,
			 struct mregion_window *gap);
void mregion_windows_cut(const struct mregion_windows *windows,
			 const struct mregion_windows *taken,
			 struct mregion_windows *cut);
bool mregion_windows_cover(const struct mregion_windows *windows,
			   const struct mregion_windows *wanted);

bool mregion_range_claims(const struct mregion_view_range *range);
u32 mregion_range_need(const struct mregion_view_range *range);
int mregion_windows_of(const struct mregion_view *view,
		       struct mregion_windows *windows);
int mregion_windows_of_both(const struct mregion_view *view,
			    const struct mregion_view *smm,
			    struct mregion_windows *windows);
int mregion_windows_suit(const struct mregion_windows *windows,
			 const struct mregion_view *view,
			 const struct mregion_delta *delta);
int mregion_windows_hit_reservation(const struct mregion_windows *windows,
				    const struct mregion_view *view);

#endif /* MREGION_WINDOWS_H */
