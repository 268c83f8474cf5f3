/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module uses of the kernel's red-black trees. Here the tree is a treap,
 * which is shorter: see ../treap.c. The order of nodes, and so all that anybody can
 * see, is the same.
 */
#ifndef SHIM_LINUX_RBTREE_H
#define SHIM_LINUX_RBTREE_H

#include <linux/container_of.h>
#include <linux/types.h>

struct rb_node {
	struct rb_node *rb_parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

#define RB_ROOT			((struct rb_root) { NULL })
#define RB_ROOT_CACHED		((struct rb_root_cached) { { NULL } })
#define RB_EMPTY_ROOT(root)	(!(root)->rb_node)

#define rb_entry(ptr, type, member)	container_of(ptr, type, member)

/** rb_link_node() - put a node where there is none; rb_insert_color() is to follow */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	*node = (struct rb_node) { .rb_parent = parent };
	*link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);

/** rb_add() - add a node, behind those that it is neither less nor more than */
void rb_add(struct rb_node *node, struct rb_root *root,
	    bool (*less)(struct rb_node *a, const struct rb_node *b));

void rb_erase(struct rb_node *node, struct rb_root *root);

/** rb_first() - the least node, or NULL */
struct rb_node *rb_first(const struct rb_root *root);

/** rb_next() - the node that follows, or NULL */
struct rb_node *rb_next(const struct rb_node *node);

#endif /* SHIM_LINUX_RBTREE_H */
