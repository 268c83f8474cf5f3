// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>

#include "budget.h"
#include "view_memory.h"

/* What is charged at once: charging each node would cost as much as making it. */
#define MREGION_VIEW_CREDIT	16384

static struct kmem_cache *mregion_node_cache;
static struct kmem_cache *mregion_range_cache;

static struct mregion_view_store *
mregion_view_store_of(struct mregion_view_memory *memory)
{
	return container_of(memory, struct mregion_view_store, memory);
}

static bool mregion_view_store_pay(struct mregion_view_store *store, size_t size)
{
	u64 bytes = MREGION_VIEW_CREDIT;
	int ret;

	if (store->credit < size) {
		ret = mregion_budget_charge(store->budget, bytes);
		if (ret) {
			bytes = size;
			ret = mregion_budget_charge(store->budget, bytes);
		}
		if (ret) {
			store->error = ret;
			return false;
		}
		store->credit += bytes;
	}
	store->credit -= size;
	return true;
}

static void *mregion_view_store_get(struct mregion_view_store *store,
				    struct kmem_cache *cache, size_t size)
{
	void *object;

	if (!mregion_view_store_pay(store, size))
		return NULL;
	object = kmem_cache_alloc(cache, GFP_KERNEL_ACCOUNT);
	if (!object) {
		store->credit += size;
		store->error = -ENOMEM;
	}
	return object;
}

static struct mregion_btree_node *
mregion_view_store_node(struct mregion_btree_memory *memory)
{
	struct mregion_view_store *store;

	store = container_of(memory, struct mregion_view_store, memory.btree);
	return mregion_view_store_get(store, mregion_node_cache,
				      sizeof(struct mregion_btree_node));
}

static void mregion_view_store_free_node(struct mregion_btree_memory *memory,
					 struct mregion_btree_node *node)
{
	struct mregion_view_store *store;

	store = container_of(memory, struct mregion_view_store, memory.btree);
	mregion_budget_uncharge(store->budget, sizeof(*node));
	kmem_cache_free(mregion_node_cache, node);
}

static struct mregion_view_range *
mregion_view_store_range(struct mregion_view_memory *memory)
{
	return mregion_view_store_get(mregion_view_store_of(memory),
				      mregion_range_cache,
				      sizeof(struct mregion_view_range));
}

static void mregion_view_store_free_range(struct mregion_view_memory *memory,
					  struct mregion_view_range *range)
{
	struct mregion_view_store *store = mregion_view_store_of(memory);

	mregion_budget_uncharge(store->budget, sizeof(*range));
	kmem_cache_free(mregion_range_cache, range);
	cond_resched();
}

/**
 * mregion_view_store_init() - have a supply
 * @store: the supply
 * @budget: what is taken from it is charged to
 */
void mregion_view_store_init(struct mregion_view_store *store,
			     struct mregion_budget *budget)
{
	*store = (struct mregion_view_store) {
		.memory.btree.alloc = mregion_view_store_node,
		.memory.btree.free = mregion_view_store_free_node,
		.memory.alloc_range = mregion_view_store_range,
		.memory.free_range = mregion_view_store_free_range,
		.budget = budget,
	};
}

/**
 * mregion_view_store_settle() - have no more charged than what is allocated
 * @store: the supply; its machine is locked
 */
void mregion_view_store_settle(struct mregion_view_store *store)
{
	mregion_budget_uncharge(store->budget, store->credit);
	store->credit = 0;
}

/**
 * mregion_view_alloc() - an empty view
 * @store: what it is taken from; its machine is locked
 *
 * Return: the view, zeroed, or NULL; see @store->error.
 */
struct mregion_view *mregion_view_alloc(struct mregion_view_store *store)
{
	struct mregion_view *view;

	if (!mregion_view_store_pay(store, sizeof(*view)))
		return NULL;
	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view) {
		store->credit += sizeof(*view);
		store->error = -ENOMEM;
	}
	return view;
}

/* Objects that are freed together. */
#define MREGION_VIEW_BATCH	32

/**
 * struct mregion_view_batch - objects of a view that goes as a whole
 * @budget: that they are charged to
 * @cache: where they come from
 * @size: of each
 * @nr: number of @objects
 * @objects: those that are to be freed
 */
struct mregion_view_batch {
	struct mregion_budget *budget;
	struct kmem_cache *cache;
	size_t size;
	u32 nr;
	void *objects[MREGION_VIEW_BATCH];
};

/* Where a view is freed that goes as a whole. */
struct mregion_view_sink {
	struct mregion_btree_memory memory;
	struct mregion_view_batch nodes;
	struct mregion_view_batch ranges;
};

static void mregion_view_batch_free(struct mregion_view_batch *batch)
{
	if (!batch->nr)
		return;
	mregion_budget_uncharge(batch->budget, batch->nr * batch->size);
	kmem_cache_free_bulk(batch->cache, batch->nr, batch->objects);
	batch->nr = 0;
	cond_resched();
}

static void mregion_view_batch_add(struct mregion_view_batch *batch,
				   void *object)
{
	batch->objects[batch->nr++] = object;
	if (batch->nr == MREGION_VIEW_BATCH)
		mregion_view_batch_free(batch);
}

static void mregion_view_sink_node(struct mregion_btree_memory *memory,
				   struct mregion_btree_node *node)
{
	struct mregion_view_sink *sink;

	sink = container_of(memory, struct mregion_view_sink, memory);
	mregion_view_batch_add(&sink->nodes, node);
}

static void mregion_view_sink_range(struct mregion_btree_memory *memory,
				    void *range)
{
	struct mregion_view_sink *sink;

	sink = container_of(memory, struct mregion_view_sink, memory);
	mregion_view_batch_add(&sink->ranges, range);
}

static void mregion_view_free_whole(struct mregion_view_store *store,
				    struct mregion_view *view)
{
	struct mregion_view_sink sink = {
		.memory.free = mregion_view_sink_node,
		.nodes = {
			.budget = store->budget,
			.cache = mregion_node_cache,
			.size = sizeof(struct mregion_btree_node),
		},
		.ranges = {
			.budget = store->budget,
			.cache = mregion_range_cache,
			.size = sizeof(struct mregion_view_range),
		},
	};

	mregion_btree_free(&sink.memory, &view->tree, mregion_view_sink_range);
	mregion_view_batch_free(&sink.nodes);
	mregion_view_batch_free(&sink.ranges);
}

/**
 * mregion_view_free() - free a view; may sleep
 * @store: that it was taken from
 * @view: one that nobody can reach, or NULL; with @whole all that is in it, too
 */
void mregion_view_free(struct mregion_view_store *store,
		       struct mregion_view *view)
{
	if (!view)
		return;
	if (view->whole)
		mregion_view_free_whole(store, view);
	mregion_budget_uncharge(store->budget, sizeof(*view));
	kfree(view);
}

int __init mregion_view_memory_init(void)
{
	mregion_node_cache = KMEM_CACHE(mregion_btree_node, SLAB_ACCOUNT);
	mregion_range_cache = KMEM_CACHE(mregion_view_range, SLAB_ACCOUNT);
	if (mregion_node_cache && mregion_range_cache)
		return 0;
	mregion_view_memory_exit();
	return -ENOMEM;
}

void mregion_view_memory_exit(void)
{
	kmem_cache_destroy(mregion_range_cache);
	kmem_cache_destroy(mregion_node_cache);
}
