/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fast doorbells: the addresses at which views have them.
 *
 * As windows.h, it compiles as an ordinary program too.
 */
#ifndef MREGION_FAST_H
#define MREGION_FAST_H

#include <linux/types.h>

struct mregion_delta;
struct mregion_view;
struct mregion_view_range;
struct mregion_windows;

/**
 * struct mregion_fast_cursor - how far a range's fast doorbells have been gone through
 * @range: the range
 * @next: index of the next one in struct mregion_behaviour.fast
 * @last: the last address to look at
 */
struct mregion_fast_cursor {
	const struct mregion_view_range *range;
	u32 next;
	u64 last;
};

/**
 * struct mregion_fast_views - what a bus shows
 * @view: what vCPUs out of SMM see
 * @smm: what those in it see, or NULL for the same
 * @delta: where @view differs from the one before, or NULL: nowhere
 * @smm_delta: likewise of @smm
 */
struct mregion_fast_views {
	const struct mregion_view *view;
	const struct mregion_view *smm;
	const struct mregion_delta *delta;
	const struct mregion_delta *smm_delta;
};

bool mregion_range_is_fast(const struct mregion_view_range *range);
void mregion_fast_begin(struct mregion_fast_cursor *cursor,
			const struct mregion_view_range *range, u64 start,
			u64 last);
bool mregion_fast_next(struct mregion_fast_cursor *cursor, u64 *addr);
int mregion_fast_of(const struct mregion_fast_views *views,
		    struct mregion_windows *windows);
int mregion_fast_update(const struct mregion_fast_views *views,
			const struct mregion_windows *old,
			struct mregion_windows *windows);

#endif /* MREGION_FAST_H */
