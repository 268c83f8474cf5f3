/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists: the objects of a machine, as of one moment.
 *
 * A list is taken under the machine's lock, so that it is of one state, into
 * memory of the kernel. It is handed out without the lock, since its reader can
 * take any time.
 */
#ifndef MREGION_LIST_H
#define MREGION_LIST_H

#include <linux/types.h>

struct mregion_budget;

/**
 * struct mregion_list - a list being taken
 * @budget: of the machine; a reader can have as many lists as it has threads
 * @entries: as many as there was room for
 * @entry_size: size of an entry
 * @room: how many entries there is room for
 * @nr: how many there are
 */
struct mregion_list {
	struct mregion_budget *budget;
	void *entries;
	size_t entry_size;
	u32 room;
	u32 nr;
};

int mregion_list_alloc(struct mregion_list *list, u32 room);
void mregion_list_free(struct mregion_list *list);
int mregion_list_copy(struct mregion_list *list, u64 ptr, u32 stride);
int mregion_stride_check(u32 stride, size_t first_size);

/**
 * mregion_list_next() - count an entry
 * @list: the list
 *
 * Return: where it is to be put, zeroed, or NULL if it is only counted.
 */
static inline void *mregion_list_next(struct mregion_list *list)
{
	u32 i = list->nr++;

	return i < list->room ? list->entries + i * list->entry_size : NULL;
}

#endif /* MREGION_LIST_H */
