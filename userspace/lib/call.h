/* SPDX-License-Identifier: MIT */
/*
 * Calls of devices' functions: what they are for, and how deep they are. A device
 * that does DMA to registers has a function called from within another.
 */
#ifndef MREGION_LIB_CALL_H
#define MREGION_LIB_CALL_H

#include <stdbool.h>

#include "mregion.h"

/** MREGION_MAX_CALLS - calls of one thread within one another, at most */
#define MREGION_MAX_CALLS	64

/**
 * struct mregion_call - a call under way, on the stack of its thread
 * @current: what mregion_current() tells
 * @outer: the one that this is within, or NULL
 * @depth: 1 for the outermost
 */
struct mregion_call {
	struct mregion_current current;
	const struct mregion_call *outer;
	unsigned int depth;
};

void mregion_call_begin(struct mregion_call *call,
			const struct mregion_current *current);
void mregion_call_end(const struct mregion_call *call);

/**
 * mregion_call_possible() - can this thread call functions of a region now
 * @region: the region, which has some
 *
 * Not if it is too deep in functions, or in one of a region that is not re-entrant.
 */
bool mregion_call_possible(const struct mregion_region *region);

/**
 * mregion_call_allowed() - may a device's function access a region's registers
 * @region: the region, which has functions
 *
 * If not, that is counted, and the first time said on standard error.
 */
bool mregion_call_allowed(const struct mregion_region *region);

#endif
