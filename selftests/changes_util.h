/* SPDX-License-Identifier: GPL-2.0 */
/* Copies of views that follow by what MREGION_CHANGES tells. */
#ifndef CHANGES_UTIL_H
#define CHANGES_UTIL_H

#include "mregion_util.h"

#define MAX_INTERVALS	64

struct changes {
	struct mregion_interval intervals[MAX_INTERVALS];
	struct mregion_range *ranges;
	uint32_t nr_intervals;
	uint32_t nr_ranges;
	uint64_t generation;
	uint32_t bus;
	uint32_t unassigned;
};

static inline void changes_free(struct changes *changes)
{
	free(changes->ranges);
	changes->ranges = NULL;
}

/* A copy of a view. */
struct copy {
	struct mregion_range *ranges;
	uint32_t nr;
	uint64_t generation;
};

static inline void copy_free(struct copy *copy)
{
	free(copy->ranges);
	*copy = (struct copy){ 0 };
}

static inline bool is_in(const struct mregion_range *range,
			 const struct mregion_interval *interval)
{
	return range->start >= interval->start && range->last <= interval->last;
}

static inline bool is_apart(const struct mregion_range *range,
			    const struct mregion_interval *interval)
{
	return range->last < interval->start || range->start > interval->last;
}

/* How many of the first ranges come before the end of an interval. */
static inline uint32_t up_to(const struct mregion_range *ranges, uint32_t nr,
			     const struct mregion_interval *interval)
{
	uint32_t i = 0;

	while (i < nr && ranges[i].start <= interval->last)
		i++;
	return i;
}

/*
 * Replace what the copy has in the intervals by what has been told. Return: what
 * is wrong with the latter, or NULL.
 */
static inline const char *copy_change(struct copy *copy,
				      const struct changes *changes)
{
	const struct mregion_range *old = copy->ranges, *new = changes->ranges;
	uint32_t i, nr, left = copy->nr, told = changes->nr_ranges;
	const struct mregion_interval *interval;
	struct copy now = { 0 };
	const char *why = NULL;

	now.ranges = calloc(left + told + 1, sizeof(*now.ranges));
	if (!now.ranges)
		return "no memory";
	for (i = 0; i < changes->nr_intervals && !why; i++) {
		interval = &changes->intervals[i];
		if (interval->start > interval->last)
			why = "an interval ends before it begins";
		else if (i && (interval[-1].last >= interval->start ||
			       interval[-1].last + 1 == interval->start))
			why = "intervals are not sorted, or not apart";
		for (nr = up_to(old, left, interval); nr && !why; nr--, left--) {
			if (is_apart(old, interval))
				now.ranges[now.nr++] = *old;
			else if (!is_in(old, interval))
				why = "an interval cuts a range of the view before";
			old++;
		}
		for (nr = up_to(new, told, interval); nr && !why; nr--, told--) {
			if (!is_in(new, interval))
				why = "a range that is told is not in an interval";
			now.ranges[now.nr++] = *new++;
		}
	}
	if (!why && told)
		why = "a range that is told is behind all intervals";
	if (why) {
		copy_free(&now);
		return why;
	}
	memcpy(now.ranges + now.nr, old, left * sizeof(*old));
	now.nr += left;
	now.generation = changes->generation;
	free(copy->ranges);
	*copy = now;
	return NULL;
}

#endif /* CHANGES_UTIL_H */
