/* SPDX-License-Identifier: GPL-2.0 */
/* Shadow memory: registers that are read and written without a call of their device. */
#ifndef MREGION_SHADOW_H
#define MREGION_SHADOW_H

#include <linux/kref.h>
#include <linux/mregion.h>

#include "memory.h"

/**
 * struct mregion_shadow - shadow memory
 * @id: its ID
 * @memory: the memory
 * @kref: held by the machine, by each rule, and by the descriptor
 */
struct mregion_shadow {
	u32 id;
	struct mregion_memory memory;
	struct kref kref;
};

struct mregion_shadow *
mregion_shadow_alloc(const struct mregion_shadow_create *args,
		     struct mregion_budget *budget);
int mregion_shadow_fd(struct mregion_shadow *shadow);
void mregion_shadow_get(struct mregion_shadow *shadow);
void mregion_shadow_put(struct mregion_shadow *shadow);

/** mregion_shadow_len() - its length in bytes */
static inline u64 mregion_shadow_len(const struct mregion_shadow *shadow)
{
	return (u64)shadow->memory.nr_pages << PAGE_SHIFT;
}

#endif /* MREGION_SHADOW_H */
