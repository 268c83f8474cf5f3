/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module uses of the kernel's interval trees. Here finding goes through all
 * that begins before the end of what is looked for: nothing but small windows is
 * looked for in that way, and here all is rendered as a whole.
 */
#ifndef SHIM_LINUX_INTERVAL_TREE_GENERIC_H
#define SHIM_LINUX_INTERVAL_TREE_GENERIC_H

#include <linux/rbtree.h>

#define INTERVAL_TREE_DEFINE(type, rb, number, last_below, first_of, last_of,	\
			     scope, prefix)					\
static bool prefix##_less(struct rb_node *a, const struct rb_node *b)		\
{										\
	return first_of(rb_entry(a, type, rb)) <				\
	       first_of(rb_entry(b, type, rb));					\
}										\
										\
scope void prefix##_insert(type *node, struct rb_root_cached *root)		\
{										\
	rb_add(&node->rb, &root->rb_root, prefix##_less);			\
}										\
										\
scope void prefix##_remove(type *node, struct rb_root_cached *root)		\
{										\
	rb_erase(&node->rb, &root->rb_root);					\
}										\
										\
static type *prefix##_from(struct rb_node *at, number start, number last)	\
{										\
	type *node;								\
										\
	for (; at; at = rb_next(at)) {						\
		node = rb_entry(at, type, rb);					\
		if (first_of(node) > last)					\
			return NULL;						\
		if (last_of(node) >= start)					\
			return node;						\
	}									\
	return NULL;								\
}										\
										\
scope type *prefix##_iter_first(struct rb_root_cached *root, number start,	\
				number last)					\
{										\
	return prefix##_from(rb_first(&root->rb_root), start, last);		\
}										\
										\
scope type *prefix##_iter_next(type *node, number start, number last)		\
{										\
	return prefix##_from(rb_next(&node->rb), start, last);			\
}

#endif /* SHIM_LINUX_INTERVAL_TREE_GENERIC_H */
