// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's red-black trees, as a treap: a search tree in which no node has a
 * higher rank than its parent. Ranks are as good as random, and so no order in
 * which nodes are added makes the tree deep.
 */
#include <linux/rbtree.h>

/* Where a node is in memory says nothing about its place in the order. */
static u64 rank(const struct rb_node *node)
{
	u64 x = (uintptr_t)node;

	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 32;
}

/* What points to @node. */
static struct rb_node **link_to(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent;

	if (!parent)
		return &root->rb_node;
	return parent->rb_left == node ? &parent->rb_left : &parent->rb_right;
}

/* Exchange a node and its parent. */
static void rotate_up(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent, *between;

	*link_to(parent, root) = node;
	node->rb_parent = parent->rb_parent;
	parent->rb_parent = node;
	if (parent->rb_left == node) {
		between = node->rb_right;
		parent->rb_left = between;
		node->rb_right = parent;
	} else {
		between = node->rb_left;
		parent->rb_right = between;
		node->rb_left = parent;
	}
	if (between)
		between->rb_parent = parent;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	u64 own = rank(node);

	while (node->rb_parent && rank(node->rb_parent) < own)
		rotate_up(node, root);
}

void rb_add(struct rb_node *node, struct rb_root *root,
	    bool (*less)(struct rb_node *a, const struct rb_node *b))
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->rb_left :
					    &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, root);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *child;

	while (node->rb_left && node->rb_right)
		rotate_up(rank(node->rb_left) > rank(node->rb_right) ?
			  node->rb_left : node->rb_right, root);
	child = node->rb_left ? node->rb_left : node->rb_right;
	*link_to(node, root) = child;
	if (child)
		child->rb_parent = node->rb_parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *next = node->rb_right;

	if (next) {
		while (next->rb_left)
			next = next->rb_left;
		return next;
	}
	while (node->rb_parent && node->rb_parent->rb_right == node)
		node = node->rb_parent;
	return node->rb_parent;
}
