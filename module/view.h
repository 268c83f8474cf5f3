/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flat views: the disjoint, sorted ranges of a space.
 *
 * A view never changes once it is published; the next one shares with it what is the
 * same in both. As tree.h, it compiles as an ordinary program too.
 */
#ifndef MREGION_VIEW_H
#define MREGION_VIEW_H

#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/types.h>

#include "btree.h"

struct mregion_behaviour;
struct mregion_behaviour_rule;
struct mregion_node;
struct mregion_space;

/**
 * struct mregion_view_range - a range of views
 * @start: first address
 * @last: last address
 * @delta: what is added to an address to get the offset in the region
 * @node: the region; stays while a view with the range can be reached
 * @space: whose views have it; stays in the same way
 * @behaviour: what happens to accesses there
 * @first: the rule to be tried first; one that is for nothing where accesses do not
 *	go the short way
 * @plain: sizes of accesses that go the short way if aligned; bit n for n bytes.
 *	None where there is no rule. As @first, set before the view is published
 * @flags: enum mregion_range_flags
 * @beyond: bytes of the region that follow the range's last, 7 at most
 * @list: of those that a commit makes, and of those that it replaces; else empty
 *
 * @start and @last are its struct mregion_interval.
 */
struct mregion_view_range {
	u64 start;
	u64 last;
	u64 delta;
	struct mregion_node *node;
	struct mregion_space *space;
	struct mregion_behaviour *behaviour;
	const struct mregion_behaviour_rule *first;
	u32 plain;
	u16 flags;
	u8 beyond;
	struct list_head list;
};

/**
 * struct mregion_view - a flat view
 * @tree: its struct mregion_view_range
 * @id: unlike that of any other view of the machine
 * @space: whose view it is; stays while the view can be reached
 * @generation: of the commit that made it, or of the last one before that has changed
 *	more than behaviours
 * @last: the space's last address
 * @unassigned: enum mregion_policy for addresses where nothing is
 * @whole: as it is freed, so is all that is in @tree
 * @retired: in the list of what is freed after a grace period
 */
struct mregion_view {
	struct mregion_btree tree;
	u64 id;
	struct mregion_space *space;
	u64 generation;
	u64 last;
	u32 unassigned;
	bool whole;
	struct list_head retired;
};

/**
 * struct mregion_view_memory - where what views are made of comes from
 * @btree: nodes
 * @alloc_range: gives a range that has anything in it, or NULL
 * @free_range: takes one back; may sleep
 */
struct mregion_view_memory {
	struct mregion_btree_memory btree;
	struct mregion_view_range *
		(*alloc_range)(struct mregion_view_memory *memory);
	void (*free_range)(struct mregion_view_memory *memory,
			   struct mregion_view_range *range);
};

/**
 * mregion_view_bound() - the first range that ends at an address or behind it
 * @view: the view
 * @addr: the address
 *
 * Return: the range; where there is none such, the last one, or NULL if there are none.
 */
static inline const struct mregion_view_range *
mregion_view_bound(const struct mregion_view *view, u64 addr)
{
	return mregion_btree_bound(&view->tree, addr);
}

/**
 * mregion_view_from() - the first range that ends at an address or behind it
 * @view: the view
 * @addr: the address
 *
 * Return: the range, or NULL if there is none.
 */
static inline const struct mregion_view_range *
mregion_view_from(const struct mregion_view *view, u64 addr)
{
	const struct mregion_view_range *range = mregion_view_bound(view, addr);

	return range && range->last >= addr ? range : NULL;
}

/**
 * mregion_view_find() - the range that holds an address
 * @view: the view
 * @addr: the address
 *
 * Return: the range, or NULL.
 */
static inline const struct mregion_view_range *
mregion_view_find(const struct mregion_view *view, u64 addr)
{
	const struct mregion_view_range *range = mregion_view_from(view, addr);

	return range && range->start <= addr ? range : NULL;
}

/**
 * mregion_view_for_each() - walk a view
 * @range: the range
 * @cursor: a struct mregion_btree_cursor
 * @view: the view
 * @addr: begin with the first range that ends there or behind it
 */
#define mregion_view_for_each(range, cursor, view, addr)		\
	mregion_btree_for_each(range, cursor, &(view)->tree, addr)

bool mregion_ranges_equal(const struct mregion_view_range *a,
			  const struct mregion_view_range *b);
void mregion_view_free_ranges(struct mregion_view_memory *memory,
			      struct mregion_view *view);
void mregion_view_describe(const struct mregion_view_range *range,
			   u32 region, struct mregion_range *desc);

#endif /* MREGION_VIEW_H */
