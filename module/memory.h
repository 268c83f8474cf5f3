/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that the kernel shares with userspace: for rings, shadows, servers, views. */
#ifndef MREGION_MEMORY_H
#define MREGION_MEMORY_H

#include <linux/types.h>

struct mregion_budget;
struct page;
struct vm_area_struct;

/**
 * struct mregion_memory - shared memory
 * @addr: the kernel's mapping
 * @nr_pages: number of @pages
 * @pages: the memory
 * @budget: that it is charged to; a reference
 * @charged: how much, in bytes
 */
struct mregion_memory {
	void *addr;
	u32 nr_pages;
	struct page **pages;
	struct mregion_budget *budget;
	u64 charged;
};

int mregion_memory_alloc(struct mregion_memory *memory,
			 struct mregion_budget *budget, size_t size,
			 size_t owner_size);
void mregion_memory_free(struct mregion_memory *memory);
int mregion_memory_mmap(struct mregion_memory *memory,
			struct vm_area_struct *vma);

#endif /* MREGION_MEMORY_H */
