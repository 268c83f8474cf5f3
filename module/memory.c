// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "budget.h"
#include "compat.h"
#include "memory.h"

/**
 * mregion_memory_alloc() - allocate shared memory
 * @memory: to be filled in
 * @budget: to charge it to
 * @size: in bytes; rounded up to whole pages
 * @owner_size: of the object that it is a part of, which is charged with it and
 *	with its ID
 *
 * Single pages with a mapping of our own, since vmalloc_user() does not charge
 * the memory to whoever asked for it.
 *
 * Return: 0, -ENOMEM or -ENOBUFS.
 */
int mregion_memory_alloc(struct mregion_memory *memory,
			 struct mregion_budget *budget, size_t size,
			 size_t owner_size)
{
	u32 i, nr = DIV_ROUND_UP(size, PAGE_SIZE);
	u64 bytes = nr * (PAGE_SIZE + sizeof(*memory->pages)) + owner_size +
		    MREGION_BUDGET_ID;
	int ret = mregion_budget_charge(budget, bytes);

	*memory = (struct mregion_memory) {};
	if (ret)
		return ret;
	mregion_budget_get(budget);
	memory->budget = budget;
	memory->charged = bytes;
	memory->pages = kvcalloc(nr, sizeof(*memory->pages),
				 GFP_KERNEL_ACCOUNT);
	if (!memory->pages)
		goto err;
	for (i = 0; i < nr; i++) {
		memory->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!memory->pages[i])
			goto err;
		memory->nr_pages++;
	}
	memory->addr = vmap(memory->pages, nr, VM_MAP, PAGE_KERNEL);
	if (memory->addr)
		return 0;
err:
	mregion_memory_free(memory);
	return -ENOMEM;
}

/**
 * mregion_memory_free() - free shared memory
 * @memory: the memory; mappings of userspace keep their pages
 */
void mregion_memory_free(struct mregion_memory *memory)
{
	u32 i;

	if (memory->addr)
		vunmap(memory->addr);
	for (i = 0; i < memory->nr_pages; i++)
		__free_page(memory->pages[i]);
	kvfree(memory->pages);
	mregion_budget_uncharge(memory->budget, memory->charged);
	mregion_budget_put(memory->budget);
}

/**
 * mregion_memory_mmap() - map shared memory into userspace
 * @memory: the memory
 * @vma: where to
 *
 * Of a descriptor that is for reading, mm makes no mapping that can be written, now
 * or later: it has left out VM_SHARED and VM_MAYWRITE.
 *
 * Return: 0; -EINVAL for a private mapping, which would not be shared; -ENXIO
 * beyond the end.
 */
int mregion_memory_mmap(struct mregion_memory *memory,
			struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	mregion_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	return vm_map_pages(vma, memory->pages, memory->nr_pages);
}
