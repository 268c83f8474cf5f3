// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mregion.h>

#include "changes.h"
#include "delta.h"
#include "list.h"
#include "machine.h"
#include "region.h"

/**
 * mregion_changes_add() - remember what a commit has changed
 * @changes: of the space
 * @generation: of the commit
 * @delta: what it has changed
 */
void mregion_changes_add(struct mregion_changes *changes, u64 generation,
			 const struct mregion_delta *delta)
{
	struct mregion_change *change;
	u32 i;

	for (i = 0; i < delta->nr; i++) {
		change = &changes->change[changes->nr % MREGION_MAX_CHANGES];
		/* of the commit that it was of, not all is known any more */
		if (changes->nr >= MREGION_MAX_CHANGES)
			changes->since = change->generation;
		*change = (struct mregion_change) {
			.generation = generation,
			.interval = delta->interval[i],
		};
		changes->nr++;
	}
}

/**
 * mregion_changes_since() - what has changed
 * @changes: of the space
 * @generation: since the view as of which commit
 * @delta: empty; set to it
 *
 * Return: false if that is not known, as it is too long ago.
 */
bool mregion_changes_since(const struct mregion_changes *changes,
			   u64 generation, struct mregion_delta *delta)
{
	u64 nr = min_t(u64, changes->nr, MREGION_MAX_CHANGES);
	const struct mregion_change *change;

	if (generation < changes->since)
		return false;
	while (nr--) {
		change = &changes->change[nr];
		if (change->generation > generation)
			mregion_delta_add(delta, change->interval.start,
					  change->interval.last);
	}
	return true;
}

/* All of the intervals, and all that the view has in them. */
static void mregion_list_changes(const struct mregion_view *view,
				 const struct mregion_delta *delta,
				 struct mregion_list *intervals,
				 struct mregion_list *ranges)
{
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	struct mregion_interval *interval;
	struct mregion_range *entry;
	u32 i;

	for (i = 0; i < delta->nr; i++) {
		interval = mregion_list_next(intervals);
		if (interval)
			*interval = delta->interval[i];
		mregion_view_for_each(range, &cursor, view,
				      delta->interval[i].start) {
			if (range->start > delta->interval[i].last)
				break;
			entry = mregion_list_next(ranges);
			if (entry)
				mregion_view_describe(range,
					mregion_region_of(range->node)->id,
					entry);
			cond_resched();
		}
	}
}

/**
 * mregion_changes_check() - whether changes can be told
 * @args: from userspace
 *
 * Return: 0, -E2BIG, -EINVAL.
 */
int mregion_changes_check(const struct mregion_changes_read *args)
{
	int ret = mregion_stride_check(args->range_size,
				       offsetofend(struct mregion_range,
						   reserved));

	if (ret)
		return ret;
	return args->reserved ? -EINVAL : 0;
}

/**
 * mregion_changes_list() - take what has changed of a space, as of its view now
 * @space: the space; its machine is locked
 * @args: from userspace; results are set
 * @intervals: to be filled in, with @budget and @entry_size set
 * @ranges: likewise
 *
 * Return: 0, -ENOBUFS, -ENOMEM.
 */
int mregion_changes_list(const struct mregion_space *space,
			 struct mregion_changes_read *args,
			 struct mregion_list *intervals,
			 struct mregion_list *ranges)
{
	const struct mregion_view *view = space->view;
	struct mregion_delta delta = { .nr = 0 };
	int ret;

	/* one of the same ID may have been before it, with other addresses */
	if (!mregion_changes_since(&space->changes, args->since, &delta))
		mregion_delta_add(&delta, 0, U64_MAX);
	/* counted first: callers have room for a whole view, of which little changes */
	mregion_list_changes(view, &delta, intervals, ranges);
	ret = mregion_list_alloc(intervals,
				 min(args->nr_intervals, intervals->nr));
	if (ret)
		return ret;
	ret = mregion_list_alloc(ranges, min(args->nr_ranges, ranges->nr));
	if (ret) {
		mregion_list_free(intervals);
		return ret;
	}
	intervals->nr = 0;
	ranges->nr = 0;
	mregion_list_changes(view, &delta, intervals, ranges);
	args->nr_intervals = intervals->nr;
	args->nr_ranges = ranges->nr;
	args->generation = view->generation;
	args->bus = space->bus;
	args->unassigned = view->unassigned;
	return 0;
}

/**
 * mregion_changes_copy() - hand changes out; may sleep for long
 * @args: from userspace
 * @intervals: as they were taken; freed
 * @ranges: likewise
 *
 * Return: 0, -EFAULT, -EINTR.
 */
int mregion_changes_copy(const struct mregion_changes_read *args,
			 struct mregion_list *intervals,
			 struct mregion_list *ranges)
{
	int ret = mregion_list_copy(intervals, args->intervals,
				    sizeof(struct mregion_interval));

	if (!ret)
		return mregion_list_copy(ranges, args->ranges,
					 args->range_size);
	mregion_list_free(ranges);
	return ret;
}

/**
 * mregion_dump_changes() - read what has changed of a space
 * @machine: the machine
 * @args: from userspace; results are set
 *
 * Return: 0 or a negative errno, see MREGION_CHANGES.
 */
int mregion_dump_changes(struct mregion_machine *machine,
			 struct mregion_changes_read *args)
{
	struct mregion_list intervals = {
		.budget = machine->budget,
		.entry_size = sizeof(struct mregion_interval),
	};
	struct mregion_list ranges = {
		.budget = machine->budget,
		.entry_size = sizeof(struct mregion_range),
	};
	struct mregion_space *space;
	int ret = mregion_changes_check(args);

	if (ret)
		return ret;
	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	space = xa_load(&machine->spaces, args->space);
	ret = space ? mregion_changes_list(space, args, &intervals, &ranges) :
		      -ENOENT;
	mutex_unlock(&machine->lock);
	return ret ?: mregion_changes_copy(args, &intervals, &ranges);
}
