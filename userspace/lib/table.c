// SPDX-License-Identifier: MIT
/* The regions of a machine by ID. */
#include <errno.h>
#include <stdlib.h>

#include "mregion.h"
#include "region.h"
#include "table.h"

#define FIRST_BUCKETS	64

int mregion_table_init(struct mregion_table *table)
{
	table->nr = 0;
	table->popped = 0;
	table->nr_buckets = FIRST_BUCKETS;
	table->buckets = calloc(FIRST_BUCKETS, sizeof(*table->buckets));
	if (!table->buckets)
		return -ENOMEM;
	pthread_mutex_init(&table->lock, NULL);
	return 0;
}

void mregion_table_destroy(struct mregion_table *table)
{
	pthread_mutex_destroy(&table->lock);
	free(table->buckets);
}

/* IDs are given out one after the other, so they need no hashing. */
static struct mregion_region **bucket(struct mregion_table *table, uint32_t id)
{
	return &table->buckets[id & (table->nr_buckets - 1)];
}

static struct mregion_region *find(struct mregion_table *table, uint32_t id)
{
	struct mregion_region *region;

	for (region = *bucket(table, id); region; region = region->next)
		if (region->id == id)
			return region;
	return NULL;
}

static void insert(struct mregion_table *table, struct mregion_region *region)
{
	struct mregion_region **head = bucket(table, region->id);

	region->next = *head;
	*head = region;
}

static int grow(struct mregion_table *table)
{
	struct mregion_region **old = table->buckets;
	size_t i, nr = table->nr_buckets;
	struct mregion_region *region;

	table->buckets = calloc(nr * 2, sizeof(*table->buckets));
	if (!table->buckets) {
		table->buckets = old;
		return -ENOMEM;
	}
	table->nr_buckets = nr * 2;
	for (i = 0; i < nr; i++) {
		while ((region = old[i])) {
			old[i] = region->next;
			insert(table, region);
		}
	}
	free(old);
	return 0;
}

int mregion_table_add(struct mregion_table *table,
		      struct mregion_region *region)
{
	int ret = 0;

	pthread_mutex_lock(&table->lock);
	if (table->nr == table->nr_buckets)
		ret = grow(table);
	if (!ret) {
		insert(table, region);
		table->nr++;
	}
	pthread_mutex_unlock(&table->lock);
	return ret;
}

void mregion_table_remove(struct mregion_table *table,
			  struct mregion_region *region)
{
	struct mregion_region **link;

	pthread_mutex_lock(&table->lock);
	for (link = bucket(table, region->id); *link; link = &(*link)->next) {
		if (*link == region) {
			*link = region->next;
			table->nr--;
			break;
		}
	}
	pthread_mutex_unlock(&table->lock);
}

struct mregion_region *mregion_table_get(struct mregion_table *table,
					 uint32_t id)
{
	struct mregion_region *region;

	pthread_mutex_lock(&table->lock);
	region = find(table, id);
	if (region)
		mregion_region_get(region);
	pthread_mutex_unlock(&table->lock);
	return region;
}

struct mregion_region *mregion_table_pop(struct mregion_table *table)
{
	struct mregion_region *region = NULL;
	struct mregion_region **head;

	pthread_mutex_lock(&table->lock);
	while (table->nr && !region) {
		head = bucket(table, table->popped);
		region = *head;
		if (region)
			*head = region->next;
		else
			table->popped++;
	}
	if (region)
		table->nr--;
	pthread_mutex_unlock(&table->lock);
	return region;
}
