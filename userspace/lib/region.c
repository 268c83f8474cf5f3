// SPDX-License-Identifier: MIT
/*
 * Regions: what one is to those who access it, references to it, and all of a machine
 * by ID. What changes them is in region_changes.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "written.h"

void mregion_region_get(struct mregion_region *region)
{
	atomic_fetch_add_explicit(&region->refs, 1, memory_order_relaxed);
}

void mregion_region_put(struct mregion_region *region)
{
	if (atomic_fetch_sub(&region->refs, 1) != 1)
		return;
	mregion_ram_release(&region->ram);
	mregion_written_free(atomic_load(&region->logging.written));
	free(region);
}

/* They fit a word, which makes changes atomic for accesses under way. */
_Static_assert(sizeof(struct mregion_constraints) == sizeof(uint64_t),
	       "constraints are loaded and stored as a word");

struct mregion_constraints
mregion_region_constraints(const struct mregion_region *region)
{
	uint64_t word = atomic_load(&region->constraints);
	struct mregion_constraints constraints;

	memcpy(&constraints, &word, sizeof(word));
	return constraints;
}

void mregion_region_set_constraints(struct mregion_region *region,
				    const struct mregion_constraints *new)
{
	uint64_t word;

	memcpy(&word, new, sizeof(word));
	atomic_store(&region->constraints, word);
}

void mregion_region_device(struct mregion_region *region,
			   struct mregion_device *device)
{
	*device = (struct mregion_device){
		.ops = region->ops,
		.opaque = region->opaque,
		.constraints = mregion_region_constraints(region),
		/* A length of 0 is 2^64. */
		.last = atomic_load(&region->len) - 1,
		.current = {
			.region = region,
			.region_id = region->id,
			.vcpu = MREGION_NO_VCPU,
		},
	};
}

bool mregion_region_callable(const struct mregion_region *region)
{
	return !mregion_calls_deep() &&
	       !(region->ops->flags & MREGION_OPS_NOT_REENTRANT &&
		 mregion_calls_inside(region));
}

bool mregion_region_may_call(const struct mregion_region *region)
{
	if (mregion_region_callable(region))
		return true;
	if (!atomic_fetch_add(&region->machine->reentries, 1))
		fprintf(stderr, "mregion: '%s' is accessed by its own functions%s: refused\n",
			region->name, mregion_calls_deep() ? ", endlessly" : "");
	return false;
}

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

static struct mregion_region *find_region(struct mregion_table *table, uint32_t id)
{
	struct mregion_region *region;

	for (region = *bucket(table, id); region; region = region->next)
		if (region->id == id)
			return region;
	return NULL;
}

static void insert_region(struct mregion_table *table, struct mregion_region *region)
{
	struct mregion_region **head = bucket(table, region->id);

	region->next = *head;
	*head = region;
}

static int grow_table(struct mregion_table *table)
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
			insert_region(table, region);
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
		ret = grow_table(table);
	if (!ret) {
		insert_region(table, region);
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
	region = find_region(table, id);
	if (region)
		mregion_region_get(region);
	pthread_mutex_unlock(&table->lock);
	return region;
}

struct mregion_region **mregion_table_all(struct mregion_table *table,
					  size_t *nr)
{
	struct mregion_region **all, *region;
	size_t i;

	*nr = 0;
	pthread_mutex_lock(&table->lock);
	all = malloc((table->nr + 1) * sizeof(*all));
	for (i = 0; all && i < table->nr_buckets; i++) {
		for (region = table->buckets[i]; region; region = region->next) {
			mregion_region_get(region);
			all[(*nr)++] = region;
		}
	}
	pthread_mutex_unlock(&table->lock);
	return all;
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
