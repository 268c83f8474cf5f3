/* SPDX-License-Identifier: MIT */
/* The regions of a machine by ID. */
#ifndef MREGION_LIB_TABLE_H
#define MREGION_LIB_TABLE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct mregion_region;

/**
 * struct mregion_table - hash table from ID to region
 * @lock: protects the rest; nothing else is locked while it is held
 * @buckets: lists linked by struct mregion_region.next
 * @nr_buckets: a power of two
 * @nr: how many regions there are
 * @popped: an ID, of whose bucket on mregion_table_pop() looks for one, so that to
 *	pop all takes no longer than all
 */
struct mregion_table {
	pthread_mutex_t lock;
	struct mregion_region **buckets;
	size_t nr_buckets;
	size_t nr;
	uint32_t popped;
};

int mregion_table_init(struct mregion_table *table);
void mregion_table_destroy(struct mregion_table *table);

/** mregion_table_add() - add a region, of an ID that is not there */
int mregion_table_add(struct mregion_table *table,
		      struct mregion_region *region);

void mregion_table_remove(struct mregion_table *table,
			  struct mregion_region *region);

/** mregion_table_get() - a reference to the region of an ID, or NULL */
struct mregion_region *mregion_table_get(struct mregion_table *table,
					 uint32_t id);

/** mregion_table_pop() - take any region out, NULL if there is none */
struct mregion_region *mregion_table_pop(struct mregion_table *table);

#endif
