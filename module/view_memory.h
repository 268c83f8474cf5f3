/* SPDX-License-Identifier: GPL-2.0 */
/* Where views come from in the kernel: charged to the machine that has them. */
#ifndef MREGION_VIEW_MEMORY_H
#define MREGION_VIEW_MEMORY_H

#include "view.h"

struct mregion_budget;

/**
 * struct mregion_view_store - a machine's supply of what views are made of
 * @memory: its interface
 * @budget: of the machine
 * @credit: bytes that are charged, and not allocated yet
 * @error: why there was nothing to be had since @error was zeroed, or 0
 *
 * Giving is under the machine's lock, taking back is not.
 */
struct mregion_view_store {
	struct mregion_view_memory memory;
	struct mregion_budget *budget;
	u64 credit;
	int error;
};

void mregion_view_store_init(struct mregion_view_store *store,
			     struct mregion_budget *budget);
void mregion_view_store_settle(struct mregion_view_store *store);
struct mregion_view *mregion_view_alloc(struct mregion_view_store *store);
void mregion_view_free(struct mregion_view_store *store,
		       struct mregion_view *view);
int mregion_view_memory_init(void);
void mregion_view_memory_exit(void);

#endif /* MREGION_VIEW_MEMORY_H */
