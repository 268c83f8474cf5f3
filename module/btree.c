// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <linux/errno.h>
#include <linux/string.h>

#include "btree.h"

#define FANOUT		MREGION_BTREE_FANOUT
#define HALF		(MREGION_BTREE_FANOUT / 2)

/**
 * struct mregion_btree_path - the way from the root to an item
 * @node: a node of each level, the root first
 * @at: which of its slots leads on
 */
struct mregion_btree_path {
	struct mregion_btree_node *node[MREGION_BTREE_HEIGHT];
	u32 at[MREGION_BTREE_HEIGHT];
};

/**
 * struct mregion_btree_row - what the nodes of a level are to have
 * @before: what stays, in front of what is new
 * @items: items that are new, or NULL: nodes
 * @nodes: nodes that are new, a list
 * @after: what stays, behind what is new
 * @nr_before: number of @before
 * @nr: number of @items or @nodes
 * @nr_after: number of @after
 * @at: how many have been taken
 */
struct mregion_btree_row {
	void *before[2 * FANOUT];
	void **items;
	struct mregion_btree_node *nodes;
	void *after[2 * FANOUT];
	u32 nr_before;
	u32 nr;
	u32 nr_after;
	u32 at;
};

static u64 mregion_item_last(const void *item)
{
	return ((const struct mregion_interval *)item)->last;
}

static u64 mregion_item_start(const void *item)
{
	return ((const struct mregion_interval *)item)->start;
}

/**
 * mregion_btree_first() - begin to walk a tree
 * @tree: the tree, which is not changed meanwhile
 * @addr: an address
 * @cursor: set
 *
 * Return: the first item that ends at @addr or behind it, or NULL.
 */
void *mregion_btree_first(const struct mregion_btree *tree, u64 addr,
			  struct mregion_btree_cursor *cursor)
{
	const struct mregion_btree_node *node = tree->root;
	u32 left = tree->height;
	void *item;

	if (!node)
		return NULL;
	while (--left)
		node = node->slots[mregion_btree_slot(node, addr)];
	cursor->tree = tree;
	cursor->node = node;
	cursor->at = mregion_btree_slot(node, addr);
	item = node->slots[cursor->at];
	return mregion_item_last(item) >= addr ? item : NULL;
}

/**
 * mregion_btree_next() - go on
 * @cursor: of an item that was returned
 *
 * Return: the next item, or NULL.
 */
void *mregion_btree_next(struct mregion_btree_cursor *cursor)
{
	u64 last = mregion_item_last(cursor->node->slots[cursor->at]);

	if (cursor->at + 1 < cursor->node->nr)
		return cursor->node->slots[++cursor->at];
	if (last == ~0ull)
		return NULL;
	return mregion_btree_first(cursor->tree, last + 1, cursor);
}

/* The way to the first item that ends at @addr or behind it, or to the last one. */
static void mregion_path_find(struct mregion_btree_path *path,
			      const struct mregion_btree *tree, u64 addr)
{
	void *slot = tree->root;
	u32 level = 0;

	/* there is one at least */
	do {
		path->node[level] = slot;
		path->at[level] = mregion_btree_slot(slot, addr);
		slot = path->node[level]->slots[path->at[level]];
	} while (++level < tree->height);
}

/* Go on to the next node of a level, or back; whether there is one. */
static bool mregion_path_move(struct mregion_btree_path *path, u32 level,
			      bool back)
{
	struct mregion_btree_node *node;
	u32 up = level;

	do {
		if (!up--)
			return false;
	} while (back ? !path->at[up] :
			path->at[up] + 1 == path->node[up]->nr);
	path->at[up] += back ? -1 : 1;
	while (up < level) {
		node = path->node[up]->slots[path->at[up]];
		path->node[++up] = node;
		path->at[up] = back ? node->nr - 1 : 0;
	}
	return true;
}

static void mregion_list_push(struct mregion_btree_node **list,
			      struct mregion_btree_node *node)
{
	node->next = *list;
	*list = node;
}

/* Readers may be at it still, if it is not of this edit. */
static void mregion_node_drop(struct mregion_btree_edit *edit,
			      struct mregion_btree_node *node)
{
	if (node->edit == edit->id) {
		mregion_list_push(&edit->spare, node);
		edit->nr_spare++;
	} else {
		mregion_list_push(&edit->replaced, node);
	}
}

static struct mregion_btree_node *
mregion_node_take(struct mregion_btree_edit *edit)
{
	struct mregion_btree_node *node = edit->spare;

	edit->spare = node->next;
	edit->nr_spare--;
	return node;
}

/* How many nodes putting @nr items into a tree can take. */
static u32 mregion_edit_want(u32 height, u32 nr)
{
	u32 want = 0;

	do {
		/* what stays in the nodes on the left and on the right */
		if (height)
			nr += 2 * (FANOUT - 1);
		nr = (nr + FANOUT - 1) / FANOUT;
		want += nr;
		height -= !!height;
	} while (height || nr > 1);
	return want;
}

static int mregion_edit_reserve(struct mregion_btree_edit *edit, u32 want)
{
	struct mregion_btree_node *node;

	while (edit->nr_spare < want) {
		node = edit->memory->alloc(edit->memory);
		if (!node)
			return -ENOMEM;
		mregion_list_push(&edit->spare, node);
		edit->nr_spare++;
	}
	return 0;
}

static void *mregion_row_next(struct mregion_btree_row *row)
{
	struct mregion_btree_node *node;
	u32 at = row->at++;

	if (at < row->nr_before)
		return row->before[at];
	at -= row->nr_before;
	if (at >= row->nr)
		return row->after[at - row->nr];
	if (row->items)
		return row->items[at];
	node = row->nodes;
	row->nodes = node->next;
	return node;
}

static void mregion_row_keep_before(struct mregion_btree_row *row,
				    const struct mregion_btree_node *node,
				    u32 nr)
{
	memmove(row->before + nr, row->before,
		row->nr_before * sizeof(row->before[0]));
	memcpy(row->before, node->slots, nr * sizeof(node->slots[0]));
	row->nr_before += nr;
}

static void mregion_row_keep_after(struct mregion_btree_row *row,
				   const struct mregion_btree_node *node,
				   u32 from)
{
	memcpy(row->after + row->nr_after, node->slots + from,
	       (node->nr - from) * sizeof(node->slots[0]));
	row->nr_after += node->nr - from;
}

static u32 mregion_row_length(const struct mregion_btree_row *row)
{
	return row->nr_before + row->nr + row->nr_after;
}

/* Fill a node with the next @nr of a row. */
static void mregion_node_fill(struct mregion_btree_node *node,
			      struct mregion_btree_row *row, u32 nr, bool leaf)
{
	u64 lasts[FANOUT];
	u64 *key = node->keys;
	u32 i, step;

	for (i = 0; i < FANOUT; i++) {
		lasts[i] = ~0ull;
		node->slots[i] = NULL;
		if (i >= nr)
			continue;
		node->slots[i] = mregion_row_next(row);
		lasts[i] = leaf ? mregion_item_last(node->slots[i]) :
			   ((struct mregion_btree_node *)node->slots[i])->keys[0];
	}
	node->nr = nr;
	*key++ = lasts[nr - 1];
	lasts[nr - 1] = ~0ull;
	/* level by level, from the root: each has every second of what is left */
	for (step = FANOUT; step > 1; step /= 2)
		for (i = step / 2 - 1; i < FANOUT - 1; i += step)
			*key++ = lasts[i];
}

/* Make nodes of a row, of the same size as far as possible; sets the next row's. */
static void mregion_row_to_nodes(struct mregion_btree_edit *edit,
				 struct mregion_btree_row *row, bool leaf)
{
	struct mregion_btree_node *node, *list = NULL, **end = &list;
	u32 left = mregion_row_length(row);
	u32 i, nr = (left + FANOUT - 1) / FANOUT;

	row->at = 0;
	for (i = nr; i; i--) {
		u32 size = (left + i - 1) / i;

		node = mregion_node_take(edit);
		mregion_node_fill(node, row, size, leaf);
		node->edit = edit->id;
		node->next = NULL;
		*end = node;
		end = &node->next;
		left -= size;
	}
	*row = (struct mregion_btree_row) { .nodes = list, .nr = nr };
}

/* Drop the nodes of a level between two ways. Returns how many slots they had. */
static u32 mregion_path_drop(struct mregion_btree_edit *edit,
			     const struct mregion_btree_path *from,
			     const struct mregion_btree_path *to, u32 level)
{
	struct mregion_btree_path path = *from;
	struct mregion_btree_node *node;
	u32 nr = 0;

	do {
		node = path.node[level];
		nr += node->nr;
		mregion_node_drop(edit, node);
	} while (node != to->node[level] &&
		 mregion_path_move(&path, level, false));
	return nr;
}

/* The row becomes the nodes of the topmost level, or what is to be that. */
static void mregion_row_to_root(struct mregion_btree *tree,
				struct mregion_btree_edit *edit,
				struct mregion_btree_row *row)
{
	struct mregion_btree_node *root;

	while (row->nr > 1) {
		mregion_row_to_nodes(edit, row, false);
		tree->height++;
	}
	root = row->nodes;
	if (!root)
		tree->height = 0;
	while (tree->height > 1 && root->nr == 1) {
		struct mregion_btree_node *child = root->slots[0];

		mregion_node_drop(edit, root);
		root = child;
		tree->height--;
	}
	tree->root = root;
}

/* A level's part of putting items in place; @start and @end are of its slots. */
static void mregion_level_replace(struct mregion_btree *tree,
				  struct mregion_btree_edit *edit, u32 level,
				  struct mregion_btree_path *from, u32 start,
				  struct mregion_btree_path *to, u32 end,
				  struct mregion_btree_row *row)
{
	bool leaf = level + 1 == tree->height;
	u32 nr = row->nr, kept;

	mregion_row_keep_before(row, from->node[level], start);
	mregion_row_keep_after(row, to->node[level], end);
	/* too few for a node: they join those of one beside them */
	kept = mregion_row_length(row);
	if (kept && kept < HALF) {
		if (mregion_path_move(from, level, true))
			mregion_row_keep_before(row, from->node[level],
						from->node[level]->nr);
		else if (mregion_path_move(to, level, false))
			mregion_row_keep_after(row, to->node[level], 0);
	}
	kept = row->nr_before + row->nr_after;
	end = mregion_path_drop(edit, from, to, level);
	if (leaf)
		tree->nr += nr - (end - kept);
	mregion_row_to_nodes(edit, row, leaf);
}

/**
 * mregion_btree_replace() - put items in place of those in an interval
 * @tree: the tree; the nodes that it has had stay as they are
 * @edit: which this is part of
 * @start: first address of the interval
 * @last: its last address
 * @items: the items, in order; none of them overlaps one that stays
 * @nr: how many
 *
 * Items that are in the interval, if with one address only, are in the tree no more.
 *
 * Return: 0 or -ENOMEM, with nothing changed.
 */
int mregion_btree_replace(struct mregion_btree *tree,
			  struct mregion_btree_edit *edit, u64 start, u64 last,
			  void **items, u32 nr)
{
	struct mregion_btree_row row = { .items = items, .nr = nr };
	struct mregion_btree_path from, to;
	u32 level = tree->height, want = mregion_edit_want(level, nr);
	struct mregion_btree_node *leaf;
	u32 first, end, left;
	const void *item;
	int ret;

	if (!level) {
		ret = mregion_edit_reserve(edit, want);
		if (ret)
			return ret;
		tree->nr = nr;
		tree->height = 1;
		mregion_row_to_nodes(edit, &row, true);
		mregion_row_to_root(tree, edit, &row);
		return 0;
	}

	level--;
	mregion_path_find(&from, tree, start);
	leaf = from.node[level];
	item = leaf->slots[from.at[level]];
	first = from.at[level] + (mregion_item_last(item) < start);
	mregion_path_find(&to, tree, last);
	item = to.node[level]->slots[to.at[level]];
	end = to.at[level] + (mregion_item_start(item) <= last);

	/* mostly one leaf changes, and has enough: then so does one node a level */
	left = first + nr + leaf->nr - end;
	if (leaf == to.node[level] && left <= FANOUT && left >= (level ? HALF : 1))
		want = tree->height;
	ret = mregion_edit_reserve(edit, want);
	if (ret)
		return ret;

	for (;;) {
		mregion_level_replace(tree, edit, level, &from, first, &to, end,
				      &row);
		if (!level--)
			break;
		first = from.at[level];
		end = to.at[level] + 1;
	}
	mregion_row_to_root(tree, edit, &row);
	return 0;
}

/**
 * mregion_btree_list_join() - make one of two lists of nodes
 * @list: a list, by @next
 * @more: another one, all of which comes to be in @list
 */
void mregion_btree_list_join(struct mregion_btree_node **list,
			     struct mregion_btree_node *more)
{
	struct mregion_btree_node **end = &more;

	while (*end)
		end = &(*end)->next;
	*end = *list;
	*list = more;
}

/**
 * mregion_btree_free_list() - free nodes
 * @memory: where they come from
 * @list: nodes that nobody uses, by @next
 */
void mregion_btree_free_list(struct mregion_btree_memory *memory,
			     struct mregion_btree_node *list)
{
	while (list) {
		struct mregion_btree_node *node = list;

		list = node->next;
		memory->free(memory, node);
	}
}

/**
 * mregion_btree_edit_end() - make no more changes
 * @edit: the edit; its @replaced is left to the caller
 */
void mregion_btree_edit_end(struct mregion_btree_edit *edit)
{
	mregion_btree_free_list(edit->memory, edit->spare);
	edit->spare = NULL;
	edit->nr_spare = 0;
}

/* Nodes of an edit are under such only. Recursion ends with the tree's height. */
static void mregion_node_undo(struct mregion_btree_edit *edit,
			      struct mregion_btree_node *node, u32 height)
{
	u32 i;

	if (node->edit != edit->id)
		return;
	for (i = 0; height > 1 && i < node->nr; i++)
		mregion_node_undo(edit, node->slots[i], height - 1);
	edit->memory->free(edit->memory, node);
}

/**
 * mregion_btree_edit_undo() - undo all changes
 * @tree: the changed tree, of no use afterwards; what it was before is as it was
 * @edit: the edit, which is ended
 */
void mregion_btree_edit_undo(struct mregion_btree *tree,
			     struct mregion_btree_edit *edit)
{
	if (tree->root)
		mregion_node_undo(edit, tree->root, tree->height);
	edit->replaced = NULL;
	mregion_btree_edit_end(edit);
	*tree = (struct mregion_btree) {};
}

static void mregion_node_free(struct mregion_btree_memory *memory,
			      struct mregion_btree_node *node, u32 height,
			      void (*free_item)(struct mregion_btree_memory *,
						void *))
{
	u32 i;

	for (i = 0; i < node->nr; i++) {
		if (height > 1)
			mregion_node_free(memory, node->slots[i], height - 1,
					  free_item);
		else
			free_item(memory, node->slots[i]);
	}
	memory->free(memory, node);
}

/**
 * mregion_btree_free() - free a tree and all that is in it
 * @memory: where its nodes come from
 * @tree: a tree that shares nothing with one that stays; empty afterwards
 * @free_item: frees an item
 */
void mregion_btree_free(struct mregion_btree_memory *memory,
			struct mregion_btree *tree,
			void (*free_item)(struct mregion_btree_memory *memory,
					  void *item))
{
	if (tree->root)
		mregion_node_free(memory, tree->root, tree->height, free_item);
	*tree = (struct mregion_btree) {};
}
