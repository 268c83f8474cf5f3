// SPDX-License-Identifier: MIT
/* Copies of flat views. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "flat_copy.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"

static struct mregion_btree_node *
alloc_node(struct mregion_btree_memory *memory)
{
	(void)memory;
	return malloc(sizeof(struct mregion_btree_node));
}

static void free_node(struct mregion_btree_memory *memory,
		      struct mregion_btree_node *node)
{
	(void)memory;
	free(node);
}

static void free_range(struct mregion_flat *flat,
		       struct mregion_flat_range *range)
{
	if (range->region)
		mregion_region_put(range->region);
	if (range->opaque)
		flat->release(range->opaque);
	free(range);
}

static void free_item(struct mregion_btree_memory *memory, void *item)
{
	free_range((struct mregion_flat *)((char *)memory -
			offsetof(struct mregion_flat, memory)), item);
}

void mregion_flat_init(struct mregion_flat *flat)
{
	pthread_rwlockattr_t attr;

	*flat = (struct mregion_flat){
		.memory.alloc = alloc_node,
		.memory.free = free_node,
	};
	flat->edit.memory = &flat->memory;
	/* Many vCPUs that look things up must not keep a commit from its end. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
		PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&flat->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

void mregion_flat_destroy(struct mregion_flat *flat)
{
	mregion_btree_free(&flat->memory, &flat->tree, free_item);
	pthread_rwlock_destroy(&flat->lock);
}

static struct mregion_flat_range *
make_range(struct mregion_machine *machine, const struct mregion_range *from)
{
	struct mregion_flat_range *range = malloc(sizeof(*range));

	if (!range)
		return NULL;
	range->range = *from;
	range->region = machine ? mregion_table_get(&machine->regions,
						    from->region) : NULL;
	range->opaque = NULL;
	range->ptr = NULL;
	range->known = false;
	range->writable = false;
	return range;
}

/* A list of ranges, grown as needed. */
struct ranges {
	void **ranges;
	size_t nr;
	size_t room;
};

static int add_range(struct ranges *list, void *range)
{
	size_t room = list->room ? 2 * list->room : 16;
	void **ranges;

	if (list->nr == list->room) {
		ranges = realloc(list->ranges, room * sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		list->ranges = ranges;
		list->room = room;
	}
	list->ranges[list->nr++] = range;
	return 0;
}

/* Free a list, and the ranges from @first on. */
static void free_ranges(struct mregion_flat *flat, struct ranges *list,
			size_t first)
{
	size_t i;

	for (i = first; i < list->nr; i++)
		free_range(flat, list->ranges[i]);
	free(list->ranges);
}

/* Make what the kernel tells. */
static int make_ranges(struct mregion_flat *flat,
		       struct mregion_machine *machine,
		       const struct mregion_changed *changed,
		       struct ranges *list)
{
	struct mregion_flat_range *range;
	uint32_t i;

	for (i = 0; i < changed->nr_ranges; i++) {
		range = make_range(machine, &changed->ranges[i]);
		if (!range)
			return -ENOMEM;
		if (add_range(list, range)) {
			free_range(flat, range);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Collect what the copy has in an interval. */
static int collect_old(const struct mregion_flat *flat,
		       const struct mregion_interval *interval,
		       struct ranges *list)
{
	struct mregion_btree_cursor cursor;
	struct mregion_flat_range *range;

	mregion_btree_for_each(range, &cursor, &flat->tree, interval->start) {
		if (range->range.start > interval->last)
			break;
		if (add_range(list, range))
			return -ENOMEM;
	}
	return 0;
}

/*
 * Put ranges in place of those in an interval, which are added to @old. After an error
 * nothing has changed.
 */
static int replace_interval(struct mregion_flat *flat,
			    const struct mregion_interval *interval, void **ranges,
			    size_t nr, struct ranges *old)
{
	size_t nr_old = old->nr;
	int ret = collect_old(flat, interval, old) ?:
		  mregion_btree_replace(&flat->tree, &flat->edit,
					interval->start, interval->last,
					ranges, nr);

	if (ret)
		old->nr = nr_old;
	return ret;
}

/* Put all in place; @flat is locked for writing. Sets how many of @new are in it. */
static int replace_intervals(struct mregion_flat *flat,
			     const struct mregion_changed *changed,
			     const struct ranges *new, size_t *done,
			     struct ranges *old)
{
	const struct mregion_interval *interval;
	size_t end;
	uint32_t i;
	int ret = 0;

	*done = 0;
	for (i = 0; i < changed->nr_intervals; i++) {
		interval = &changed->intervals[i];
		for (end = *done; end < new->nr; end++)
			if (changed->ranges[end].start > interval->last)
				break;
		ret = replace_interval(flat, interval, new->ranges + *done, end - *done,
				       old);
		if (ret)
			break;
		*done = end;
	}
	mregion_btree_edit_end(&flat->edit);
	return ret;
}

/* No copy any more. */
static void drop_copy(struct mregion_flat *flat)
{
	struct mregion_btree tree;

	pthread_rwlock_wrlock(&flat->lock);
	tree = flat->tree;
	flat->tree = (struct mregion_btree){ 0 };
	flat->generation = 0;
	flat->valid = false;
	pthread_rwlock_unlock(&flat->lock);
	mregion_btree_free(&flat->memory, &tree, free_item);
}

int mregion_flat_follow(struct mregion_flat *flat,
			struct mregion_machine *machine,
			const struct mregion_changed *changed)
{
	struct ranges new = { 0 }, old = { 0 };
	size_t done = 0;
	int ret = 0;

	if (!changed) {
		drop_copy(flat);
		return 0;
	}
	if (flat->valid && !changed->nr_intervals)
		return 0;
	ret = make_ranges(flat, machine, changed, &new);
	if (!ret) {
		pthread_rwlock_wrlock(&flat->lock);
		ret = replace_intervals(flat, changed, &new, &done, &old);
		flat->generation = changed->generation;
		flat->valid = !ret;
		pthread_rwlock_unlock(&flat->lock);
	}
	free_ranges(flat, &new, done);
	free_ranges(flat, &old, 0);
	if (ret)
		drop_copy(flat);
	return ret;
}

const struct mregion_flat *mregion_flat_lock(struct mregion_flat *flat)
{
	pthread_rwlock_rdlock(&flat->lock);
	if (flat->valid)
		return flat;
	pthread_rwlock_unlock(&flat->lock);
	return NULL;
}

void mregion_flat_unlock(const struct mregion_flat *flat)
{
	if (flat)
		pthread_rwlock_unlock((pthread_rwlock_t *)&flat->lock);
}
