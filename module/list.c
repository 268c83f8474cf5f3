// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "budget.h"
#include "list.h"

/**
 * mregion_list_alloc() - have room for entries
 * @list: the list, with @budget and @entry_size set
 * @room: for how many
 *
 * Return: 0, -ENOBUFS, -ENOMEM; on failure there is nothing to be freed.
 */
int mregion_list_alloc(struct mregion_list *list, u32 room)
{
	size_t bytes = room * list->entry_size;
	int ret = mregion_budget_charge_copy(list->budget, bytes);

	if (ret)
		return ret;
	list->entries = kvcalloc(room, list->entry_size, GFP_KERNEL_ACCOUNT);
	if (!list->entries) {
		mregion_budget_uncharge_copy(list->budget, bytes);
		return -ENOMEM;
	}
	list->room = room;
	return 0;
}

/** mregion_list_free() - undo mregion_list_alloc() */
void mregion_list_free(struct mregion_list *list)
{
	kvfree(list->entries);
	mregion_budget_uncharge_copy(list->budget,
				     list->room * list->entry_size);
	list->entries = NULL;
	list->room = 0;
}

/**
 * mregion_list_copy() - hand a list out; may sleep for long
 * @list: the list, which is freed
 * @ptr: where to in userspace
 * @stride: size of an entry as userspace knows it
 *
 * Return: 0, -EFAULT, -EINTR.
 */
int mregion_list_copy(struct mregion_list *list, u64 ptr, u32 stride)
{
	char __user *to = u64_to_user_ptr(ptr);
	size_t size = min_t(size_t, stride, list->entry_size);
	u32 i, nr = min(list->nr, list->room);
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		if (copy_to_user(to, list->entries + i * list->entry_size,
				 size) ||
		    clear_user(to + size, stride - size))
			ret = -EFAULT;
		to += stride;
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	mregion_list_free(list);
	return ret;
}

/**
 * mregion_stride_check() - whether entries of a size can be handed out
 * @stride: their size as userspace knows it
 * @first_size: their size in the first version
 *
 * Return: 0, -E2BIG, -EINVAL.
 */
int mregion_stride_check(u32 stride, size_t first_size)
{
	if (stride > PAGE_SIZE)
		return -E2BIG;
	return stride < first_size ? -EINVAL : 0;
}
