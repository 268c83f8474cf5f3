/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flat views: what a space looks like, as disjoint sorted ranges.
 *
 * A view never changes once it is published. As tree.h, it compiles as an
 * ordinary program too.
 */
#ifndef MREGION_VIEW_H
#define MREGION_VIEW_H

#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/types.h>

struct mregion_behaviour;
struct mregion_behaviour_rule;
struct mregion_node;
struct mregion_space;

/**
 * struct mregion_view_range - a range of a view
 * @start: first address
 * @last: last address
 * @offset: of @start in the region
 * @node: the region; stays while the view can be reached
 * @view: that it is a range of
 * @behaviour: what happens to accesses there, as of this view's commit
 * @flags: enum mregion_range_flags
 * @delta: what is added to an address to get the offset in the region
 * @first: the rule to be tried first; one that is for nothing where accesses do not
 *	go the short way
 * @plain: sizes of accesses that go the short way if aligned; bit n for n bytes.
 *	None where there is no rule. As @delta and @first, set before the view is
 *	published
 * @beyond: bytes of the region that follow the range's last, 7 at most
 */
struct mregion_view_range {
	u64 start;
	u64 last;
	u64 offset;
	struct mregion_node *node;
	const struct mregion_view *view;
	struct mregion_behaviour *behaviour;
	u64 delta;
	const struct mregion_behaviour_rule *first;
	u32 plain;
	u16 flags;
	u8 beyond;
};

/**
 * struct mregion_view - a flat view
 * @retired: in the list of what is freed after a grace period
 * @space: whose view it is; stays while the view can be reached
 * @generation: of the commit that made it
 * @last: the space's last address
 * @unassigned: enum mregion_policy for addresses where nothing is
 * @nr: number of @ranges
 * @bytes: size of @ranges
 * @size: of all of it, as it was allocated
 * @nr_keys: number of @keys: a power of two above @nr
 * @keys: a search tree of what is @last in @ranges, in one allocation with them:
 *	node i has the children 2i and 2i + 1, the root is 1, and what is missing
 *	is above all. So each level of it takes five instructions, and the way
 *	down, read as a number, is the index of the range
 * @ranges: sorted by address
 */
struct mregion_view {
	struct list_head retired;
	struct mregion_space *space;
	u64 generation;
	u64 last;
	u32 unassigned;
	u32 nr;
	u32 bytes;
	u64 nr_keys;
	size_t size;
	u64 *keys;
	struct mregion_view_range ranges[];
};

/**
 * mregion_view_bound() - the first range that ends at an address or behind it
 * @view: the view
 * @addr: the address
 *
 * Return: its index, or @view->nr if there is none.
 */
static inline u32 mregion_view_bound(const struct mregion_view *view, u64 addr)
{
	u64 i = 1;

	/*
	 * No branch on the comparison: it is as good as random. Written so that
	 * compilers make it a compare and an add with carry.
	 */
	while (i < view->nr_keys)
		i = 2 * i + 1 - (view->keys[i] >= addr);
	return i - view->nr_keys;
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
	u32 i = mregion_view_bound(view, addr);

	if (i == view->nr || view->ranges[i].start > addr)
		return NULL;
	return &view->ranges[i];
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
	u32 i = mregion_view_bound(view, addr);

	return i < view->nr ? &view->ranges[i] : NULL;
}

/**
 * mregion_view_next() - the range behind another
 * @view: the view
 * @range: a range of it
 *
 * Return: the range, or NULL if there is none.
 */
static inline const struct mregion_view_range *
mregion_view_next(const struct mregion_view *view,
		  const struct mregion_view_range *range)
{
	return ++range < view->ranges + view->nr ? range : NULL;
}

/**
 * mregion_view_for_each() - walk a view; those who only read it do it by this
 * @range: the range
 * @view: the view
 * @addr: begin with the first range that ends there or behind it
 */
#define mregion_view_for_each(range, view, addr)			\
	for (range = mregion_view_from(view, addr); range;		\
	     range = mregion_view_next(view, range))

size_t mregion_view_size(u32 nr);
void mregion_view_index(struct mregion_view *view);
bool mregion_view_equal(const struct mregion_view *a,
			const struct mregion_view *b);
void mregion_view_describe(const struct mregion_view_range *range,
			   u32 region, struct mregion_range *desc);

#endif /* MREGION_VIEW_H */
