// SPDX-License-Identifier: GPL-2.0
/*
 * The tree that views are kept in, with many more items than a random hierarchy shows:
 * each change is made to a tree and to an array, and old trees must stay as they were.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>

#include "../../module/btree.h"
#include "btree.h"
#include "check.h"

#define BTREE_ITEMS	4096

/* As many trees as are remembered. */
#define BTREE_OLD	8

/**
 * struct btree_copy - a tree, and what it is to have
 * @tree: the tree
 * @item: its items
 * @nr: how many
 */
struct btree_copy {
	struct mregion_btree tree;
	struct mregion_interval *item[BTREE_ITEMS];
	u32 nr;
};

static struct btree_copy btree_now, btree_new, btree_old;

static struct mregion_btree_node *
btree_alloc(struct mregion_btree_memory *memory)
{
	struct mregion_btree_node *node;

	(void)memory;
	node = shim_zalloc(sizeof(*node));
	/* whatever is used must have been set */
	if (node)
		memset(node, 0x5a, sizeof(*node));
	return node;
}

static void btree_free(struct mregion_btree_memory *memory,
		       struct mregion_btree_node *node)
{
	(void)memory;
	shim_free(node);
}

static struct mregion_btree_memory btree_memory = {
	.alloc = btree_alloc,
	.free = btree_free,
};

/* An item; old trees have it too, so it stays until the end. */
struct btree_item {
	struct mregion_interval interval;
	struct btree_item *next;
};

static struct btree_item *btree_items;

static struct mregion_interval *btree_item(u64 start, u64 last)
{
	struct btree_item *item = malloc(sizeof(*item));

	if (!item)
		abort();
	item->interval.start = start;
	item->interval.last = last;
	item->next = btree_items;
	btree_items = item;
	return &item->interval;
}

static void btree_free_items(void)
{
	while (btree_items) {
		struct btree_item *item = btree_items;

		btree_items = item->next;
		free(item);
	}
}

static u64 btree_node(const struct mregion_btree_node *node, u32 height,
		      bool root)
{
	u64 last = 0;
	u32 i;

	CHECK(node->nr >= (root ? 1 + (height > 1) :
				  MREGION_BTREE_FANOUT / 2) &&
	      node->nr <= MREGION_BTREE_FANOUT, "a node has %u", node->nr);
	for (i = 0; i < node->nr; i++)
		last = height > 1 ?
		       btree_node(node->slots[i], height - 1, false) :
		       ((struct mregion_interval *)node->slots[i])->last;
	CHECK(node->keys[0] == last, "a node ends elsewhere");
	return last;
}

static void btree_compare(const struct btree_copy *copy)
{
	const struct mregion_interval *item;
	struct mregion_btree_cursor cursor;
	u32 i = 0;

	CHECK(copy->tree.nr == copy->nr, "%u items, not %u", copy->tree.nr,
	      copy->nr);
	CHECK(!copy->tree.root == !copy->nr, "a root without items");
	if (copy->tree.root)
		btree_node(copy->tree.root, copy->tree.height, true);
	mregion_btree_for_each(item, &cursor, &copy->tree, 0) {
		CHECK(i < copy->nr && item == copy->item[i],
		      "item %u is another", i);
		i++;
	}
	CHECK(i == copy->nr, "%u items are found, not %u", i, copy->nr);
}

/* Look up around each so-manieth item. */
static void btree_look_up(const struct btree_copy *copy, u32 step)
{
	struct mregion_btree_cursor cursor;
	u32 i;

	for (i = 0; i < copy->nr; i += 1 + step) {
		const struct mregion_interval *item = copy->item[i];

		CHECK(mregion_btree_bound(&copy->tree, item->start) == item &&
		      mregion_btree_bound(&copy->tree, item->last) == item,
		      "item %u is not found", i);
		CHECK(mregion_btree_first(&copy->tree, item->last + 1,
					  &cursor) ==
		      (i + 1 < copy->nr ? copy->item[i + 1] : NULL),
		      "what follows item %u is not found", i);
	}
}

/* Put @nr items between @start and @last, in the array. */
static void btree_array_replace(struct btree_copy *copy, u64 start, u64 last,
				void **items, u32 nr)
{
	u32 first = 0, end;

	while (first < copy->nr && copy->item[first]->last < start)
		first++;
	for (end = first; end < copy->nr && copy->item[end]->start <= last;)
		end++;
	memmove(&copy->item[first + nr], &copy->item[end],
		(copy->nr - end) * sizeof(copy->item[0]));
	if (nr)
		memcpy(&copy->item[first], items, nr * sizeof(*items));
	copy->nr += nr - (end - first);
}

/* Addresses are in units, so that items are often side by side. */
static void btree_change(struct btree_copy *copy,
			 struct mregion_btree_edit *edit, u32 units)
{
	static void *items[BTREE_ITEMS];
	u64 at = rand() % units, len = 1 + rand() % (rand() % 8 ? 8 : 512);
	u64 start = at * 16, last = (at + len) * 16 - 1;
	u32 nr = 0, i;

	/* no item that stays is in it in part */
	for (i = 0; i < copy->nr; i++) {
		if (copy->item[i]->last < start || copy->item[i]->start > last)
			continue;
		if (copy->item[i]->start < start)
			start = copy->item[i]->start;
		if (copy->item[i]->last > last)
			last = copy->item[i]->last;
	}
	if (rand() % 3)
		for (at = start / 16; at <= last / 16; at += 1 + rand() % 3)
			if (copy->nr + nr < BTREE_ITEMS - 1)
				items[nr++] = btree_item(at * 16, at * 16 + 15);
	if (rand() % 64 == 0) {
		/* out of memory: nothing has happened */
		struct mregion_btree before = copy->tree;

		shim_fail_nth = 1 + rand() % 4;
		if (mregion_btree_replace(&copy->tree, edit, start, last, items,
					  nr)) {
			CHECK(!memcmp(&before, &copy->tree, sizeof(before)),
			      "a change that failed has changed something");
			shim_fail_nth = 0;
		} else {
			shim_fail_nth = 0;
			btree_array_replace(copy, start, last, items, nr);
			return;
		}
	}
	CHECK(!mregion_btree_replace(&copy->tree, edit, start, last, items, nr),
	      "no memory");
	btree_array_replace(copy, start, last, items, nr);
}

static void btree_keep_item(struct mregion_btree_memory *memory, void *item)
{
	(void)memory;
	(void)item;
}

/**
 * btree_run() - change a tree at random, and compare
 * @seed: of the random numbers
 * @rounds: how many edits
 */
void btree_run(unsigned int seed, unsigned int rounds)
{
	unsigned long live = shim_live;
	unsigned int round, changes;
	u64 id = 0;

	srand(seed);
	memset(&btree_now, 0, sizeof(btree_now));
	for (round = 0; round < rounds; round++) {
		struct mregion_btree_edit edit = {
			.memory = &btree_memory,
			.id = ++id,
		};
		/* few at times, so that the tree gets small again */
		u32 units = round / 64 % 4 == 3 ? 64 : 8192;

		btree_new = btree_now;
		btree_old = btree_now;
		for (changes = 1 + rand() % 6; changes; changes--)
			btree_change(&btree_new, &edit, units);
		if (round / 64 % 4 == 3)
			CHECK(!mregion_btree_replace(&btree_new.tree, &edit,
						     1024, ~0ull, NULL, 0),
			      "no memory");
		if (round / 64 % 4 == 3)
			btree_array_replace(&btree_new, 1024, ~0ull, NULL, 0);
		btree_compare(&btree_new);
		btree_look_up(&btree_new, rand() % 64);
		/* the one before is as it was */
		btree_compare(&btree_old);
		if (rand() % 4 == 0) {
			mregion_btree_edit_undo(&btree_new.tree, &edit);
			btree_compare(&btree_now);
			continue;
		}
		mregion_btree_edit_end(&edit);
		mregion_btree_free_list(&btree_memory, edit.replaced);
		btree_now = btree_new;
		btree_compare(&btree_now);
	}
	mregion_btree_free(&btree_memory, &btree_now.tree, btree_keep_item);
	CHECK(shim_live == live, "%ld nodes were left",
	      (long)(shim_live - live));
	btree_free_items();
}
