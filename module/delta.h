/* SPDX-License-Identifier: GPL-2.0 */
/* The addresses of a space that something has changed at, or may have. */
#ifndef MREGION_DELTA_H
#define MREGION_DELTA_H

#include <linux/types.h>

#include "btree.h"

/* More intervals than this become one that has them all. */
#define MREGION_MAX_DELTA	64

/**
 * struct mregion_delta - a set of addresses
 * @nr: number of @interval
 * @interval: sorted by address; there is something between any two
 */
struct mregion_delta {
	u32 nr;
	struct mregion_interval interval[MREGION_MAX_DELTA];
};

void mregion_delta_add(struct mregion_delta *delta, u64 start, u64 last);

#endif /* MREGION_DELTA_H */
