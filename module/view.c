// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>

#include "tree.h"
#include "view.h"

/* A tree of as many levels as hold @nr keys has so many, with the unused 0th. */
static u32 mregion_view_nr_keys(u32 nr)
{
	u32 nr_keys = 1;

	while (nr_keys <= nr)
		nr_keys *= 2;
	return nr_keys;
}

/**
 * mregion_view_size() - how much memory a view takes
 * @nr: number of its ranges, at most
 *
 * Return: bytes.
 */
size_t mregion_view_size(u32 nr)
{
	return sizeof(struct mregion_view) +
	       nr * sizeof(struct mregion_view_range) +
	       mregion_view_nr_keys(nr) * sizeof(u64);
}

/**
 * mregion_view_index() - make a view ready for lookups
 * @view: with its ranges, and memory of mregion_view_size()
 */
void mregion_view_index(struct mregion_view *view)
{
	u32 nr_keys = mregion_view_nr_keys(view->nr);
	u64 *key = (u64 *)(view->ranges + view->nr);
	u32 step, i;

	view->bytes = view->nr * sizeof(view->ranges[0]);
	view->nr_keys = nr_keys;
	view->keys = key;
	*key++ = 0;
	/* level by level, from the root: each has every second of what is left */
	for (step = nr_keys; step > 1; step /= 2)
		for (i = step / 2 - 1; i < nr_keys - 1; i += step)
			*key++ = i < view->nr ? view->ranges[i].last : ~0ull;
}

/**
 * mregion_view_equal() - whether nobody could tell two views apart
 * @a: a view, or NULL
 * @b: a view
 */
bool mregion_view_equal(const struct mregion_view *a,
			const struct mregion_view *b)
{
	u32 i;

	if (!a || a->nr != b->nr || a->last != b->last ||
	    a->unassigned != b->unassigned)
		return false;
	for (i = 0; i < a->nr; i++) {
		const struct mregion_view_range *x = &a->ranges[i];
		const struct mregion_view_range *y = &b->ranges[i];

		if (x->start != y->start || x->last != y->last ||
		    x->offset != y->offset || x->node != y->node ||
		    x->behaviour != y->behaviour || x->flags != y->flags ||
		    x->beyond != y->beyond)
			return false;
	}
	return true;
}

/**
 * mregion_view_describe() - a range as userspace gets to see it
 * @range: the range
 * @region: ID of its region
 * @desc: to be filled in
 */
void mregion_view_describe(const struct mregion_view_range *range,
			   u32 region, struct mregion_range *desc)
{
	*desc = (struct mregion_range) {
		.start = range->start,
		.last = range->last,
		.offset = range->offset,
		.region = region,
		.kind = range->node->kind,
		.flags = range->flags,
	};
}
