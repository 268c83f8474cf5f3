/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Disjoint intervals in the order of addresses, as a B-tree that is persistent: a
 * changed tree shares with the one before all nodes in which nothing has changed.
 *
 * Knows nothing of what an interval stands for, nor of the kernel: libmregion keeps
 * its copies of views in the same. Readers of a tree need no lock, as long as what a
 * change has replaced is freed only when they are done.
 */
#ifndef MREGION_BTREE_H
#define MREGION_BTREE_H

#include <linux/mregion.h>
#include <linux/types.h>

/* Children of a node; a node other than the root has no fewer than half of them. */
#define MREGION_BTREE_FANOUT	16

/* Enough for 8^8 intervals. */
#define MREGION_BTREE_HEIGHT	8

/*
 * An item of a tree begins with a struct mregion_interval, which stays the same while
 * it is in a tree.
 */

/**
 * struct mregion_btree_node - a node
 * @keys: a search tree of the last addresses of all @slots but the last one: key i
 *	has the children 2i and 2i + 1, the root is 1, and what is missing is above
 *	all. Key 0 is the node's own last address
 * @slots: nodes of the level below, or items; in order
 * @next: in a list of nodes that no tree has any more
 * @edit: the edit that has made it
 * @nr: number of @slots in use
 */
struct mregion_btree_node {
	u64 keys[MREGION_BTREE_FANOUT];
	void *slots[MREGION_BTREE_FANOUT];
	struct mregion_btree_node *next;
	u64 edit;
	u32 nr;
};

/**
 * struct mregion_btree - a tree
 * @root: its root; NULL where there is no item
 * @height: number of levels of nodes
 * @nr: number of items
 */
struct mregion_btree {
	struct mregion_btree_node *root;
	u32 height;
	u32 nr;
};

/**
 * struct mregion_btree_memory - where nodes come from
 * @alloc: gives a node that has anything in it, or NULL
 * @free: takes one back
 */
struct mregion_btree_memory {
	struct mregion_btree_node *
		(*alloc)(struct mregion_btree_memory *memory);
	void (*free)(struct mregion_btree_memory *memory,
		     struct mregion_btree_node *node);
};

/**
 * struct mregion_btree_edit - changes of one tree that take effect together
 * @memory: where nodes come from
 * @id: unlike that of all edits that have made a node of the tree. With the same one
 *	for all, replaced nodes are used again at once, and there can be no readers
 * @replaced: nodes that the tree had before, and has no more
 * @spare: nodes that nobody has seen
 * @nr_spare: number of @spare
 */
struct mregion_btree_edit {
	struct mregion_btree_memory *memory;
	u64 id;
	struct mregion_btree_node *replaced;
	struct mregion_btree_node *spare;
	u32 nr_spare;
};

/**
 * struct mregion_btree_cursor - an item of a tree, from where to go on
 * @tree: the tree
 * @node: the node with the item
 * @at: which of its slots
 */
struct mregion_btree_cursor {
	const struct mregion_btree *tree;
	const struct mregion_btree_node *node;
	u32 at;
};

/**
 * mregion_btree_slot() - which of a node's slots an address belongs to
 * @node: the node
 * @addr: the address
 *
 * Return: the first one that ends there or behind it, or the last one.
 */
static inline u64 mregion_btree_slot(const struct mregion_btree_node *node,
				     u64 addr)
{
	u64 i = 1;

	/*
	 * No branch on the comparison: it is as good as random. Written so that
	 * compilers make it a compare and an add with carry.
	 */
	i = 2 * i + 1 - (node->keys[i] >= addr);
	i = 2 * i + 1 - (node->keys[i] >= addr);
	i = 2 * i + 1 - (node->keys[i] >= addr);
	i = 2 * i + 1 - (node->keys[i] >= addr);
	return i - MREGION_BTREE_FANOUT;
}

/**
 * mregion_btree_bound() - the first item that ends at an address or behind it
 * @tree: the tree
 * @addr: the address
 *
 * Return: the item; where there is none such, the last item, or NULL if there is no
 * item at all.
 */
static inline void *mregion_btree_bound(const struct mregion_btree *tree,
					u64 addr)
{
	void *slot = tree->root;
	u32 left;

	for (left = tree->height; left; left--) {
		const struct mregion_btree_node *node = slot;

		slot = node->slots[mregion_btree_slot(node, addr)];
	}
	return slot;
}

void *mregion_btree_first(const struct mregion_btree *tree, u64 addr,
			  struct mregion_btree_cursor *cursor);
void *mregion_btree_next(struct mregion_btree_cursor *cursor);

int mregion_btree_replace(struct mregion_btree *tree,
			  struct mregion_btree_edit *edit, u64 start, u64 last,
			  void **items, u32 nr);
void mregion_btree_list_join(struct mregion_btree_node **list,
			     struct mregion_btree_node *more);
void mregion_btree_free_list(struct mregion_btree_memory *memory,
			     struct mregion_btree_node *list);
void mregion_btree_edit_end(struct mregion_btree_edit *edit);
void mregion_btree_edit_undo(struct mregion_btree *tree,
			     struct mregion_btree_edit *edit);
void mregion_btree_free(struct mregion_btree_memory *memory,
			struct mregion_btree *tree,
			void (*free_item)(struct mregion_btree_memory *memory,
					  void *item));

/**
 * mregion_btree_for_each() - walk a tree
 * @item: the item
 * @cursor: a struct mregion_btree_cursor
 * @tree: the tree
 * @addr: begin with the first item that ends there or behind it
 */
#define mregion_btree_for_each(item, cursor, tree, addr)		\
	for (item = mregion_btree_first(tree, addr, cursor); item;	\
	     item = mregion_btree_next(cursor))

#endif /* MREGION_BTREE_H */
