// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>

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
