// SPDX-License-Identifier: MIT
/* KVM memory slots, kept in step with the memory of a view. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "error.h"
#include "flat_copy.h"
#include "machine.h"
#include "memslots.h"
#include "mregion.h"
#include "region.h"
#include "slot_pieces.h"
#include "space.h"

/*
 * How many slots KVM has from @first on, or a negative errno. Each address space has as
 * many.
 */
static int slots_from(int vm_fd, unsigned int first)
{
	int nr = ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);

	if (nr < 0)
		return -errno;
	first &= (1u << MREGION_SLOT_SPACE) - 1;
	return (unsigned int)nr > first ? nr - (int)first : -EINVAL;
}

int mregion_memslots_init(struct mregion_memslots *memslots,
			  struct mregion_kvm_log *log, int vm_fd,
			  unsigned int first, unsigned int max)
{
	int nr;

	if (max == MREGION_ALL_SLOTS) {
		nr = slots_from(vm_fd, first);
		if (nr < 0)
			return nr;
		max = nr;
	}
	*memslots = (struct mregion_memslots){
		.vm_fd = vm_fd,
		.first = first,
		.max = max,
		.log = log,
	};
	return 0;
}

/*
 * Have a number for a slot, the lowest that was never used if none was given
 * back, and room for giving it back, which must not fail.
 */
static int get_number(struct mregion_memslots *memslots, uint32_t *number)
{
	unsigned int room = memslots->room ? 2 * memslots->room : 16;
	uint32_t *new;

	if (memslots->nr_free) {
		*number = memslots->free[--memslots->nr_free];
		return 0;
	}
	if (memslots->nr_used == memslots->max)
		return -ENOSPC;
	if (memslots->nr_used == memslots->room) {
		new = realloc(memslots->free, room * sizeof(*new));
		if (!new)
			return -ENOMEM;
		memslots->free = new;
		memslots->room = room;
	}
	*number = memslots->nr_used++;
	return 0;
}

static void put_number(struct mregion_memslots *memslots, uint32_t number)
{
	memslots->free[memslots->nr_free++] = number;
}

/* Keep the first error of an update. Return: @err. */
static int keep_error(struct mregion_memslots *memslots, int err)
{
	if (!memslots->error) {
		memslots->error = err;
		mregion_error_save(memslots->error_text);
	}
	return err;
}

static int set_slot(struct mregion_memslots *memslots,
		    const struct mregion_memslot *slot, uint64_t size)
{
	struct kvm_userspace_memory_region arg = {
		.slot = memslots->first + slot->slot,
		.flags = size ? slot->flags : 0,
		.guest_phys_addr = slot->gpa,
		.memory_size = size,
		.userspace_addr = slot->hva,
	};

	memslots->changed++;
	if (!ioctl(memslots->vm_fd, KVM_SET_USER_MEMORY_REGION, &arg))
		return 0;
	return keep_error(memslots, mregion_fail(errno,
		"%s memory slot %u for '%s' at %#llx", size ? "set" : "remove",
		arg.slot, slot->region->name, arg.guest_phys_addr));
}

/*
 * Remove a slot. KVM may lack the memory for that; then the guest still has the
 * slot, and neither its number nor its memory may be used for anything else. It
 * is gone if KVM knows of none (EINVAL), or if the virtual machine is closed.
 */
static bool remove_slot(struct mregion_memslots *memslots,
			struct mregion_memslot *slot)
{
	int err = set_slot(memslots, slot, 0);

	if (err && err != -EINVAL && err != -EBADF)
		return false;
	put_number(memslots, slot->slot);
	mregion_region_put(slot->region);
	return true;
}

void mregion_memslots_destroy(struct mregion_memslots *memslots)
{
	size_t i;

	/* The memory of one that cannot be removed stays, with its reference. */
	for (i = 0; i < memslots->nr; i++)
		remove_slot(memslots, &memslots->slots[i]);
	free(memslots->slots);
	free(memslots->free);
}

/* The whole pages of a range, if it can be a slot. */
static bool slot_of_range(const struct mregion_range *range,
			  struct mregion_region *region, uint64_t page_size,
			  struct mregion_memslot *slot)
{
	uint64_t mask = page_size - 1;
	uint64_t skip = -range->start & mask;
	uint64_t len = range->last - range->start;
	uint8_t *ptr;

	/* It has len + 1 bytes, which may not fit. */
	if (!region || len < skip || len - skip < mask)
		return false;
	ptr = atomic_load(&region->ram.ptr);
	if (!ptr)
		return false;
	if (range->kind == MREGION_ROMD && !(range->flags & MREGION_RANGE_ROMD))
		return false;

	slot->gpa = range->start + skip;
	slot->size = (len - skip - mask) / page_size * page_size + page_size;
	slot->offset = range->offset + skip;
	slot->hva = (uintptr_t)ptr + slot->offset;
	slot->flags = 0;
	if (range->kind == MREGION_ROM || range->kind == MREGION_ROMD ||
	    range->flags & MREGION_RANGE_READONLY)
		slot->flags |= KVM_MEM_READONLY;
	if (range->flags & MREGION_RANGE_LOG_DIRTY)
		slot->flags |= KVM_MEM_LOG_DIRTY_PAGES;
	slot->region = region;
	return !(slot->hva & mask);
}

/* Where slots are looked at, and what for; @whole: ranges are to have one slot each. */
struct wanted {
	bool whole;
	const struct mregion_interval *intervals;
	size_t nr_intervals;
	struct mregion_memslot *slots;
	size_t nr;
};

static const struct mregion_interval all_addresses = { .last = UINT64_MAX };

/* Is a slot in one of the intervals? None is in part only. */
static bool is_slot_in(const struct wanted *wanted, const struct mregion_memslot *slot)
{
	size_t low = 0, high = wanted->nr_intervals, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (wanted->intervals[mid].last < slot->gpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low < wanted->nr_intervals &&
	       wanted->intervals[low].start <= slot->gpa;
}

/* How many of the slots that there are are in the intervals? */
static size_t count_slots_in(const struct mregion_memslots *memslots,
			     const struct wanted *wanted)
{
	size_t low, high, mid, i, nr = 0;

	for (i = 0; i < wanted->nr_intervals; i++) {
		low = 0;
		high = memslots->nr;
		while (low < high) {
			mid = low + (high - low) / 2;
			if (memslots->slots[mid].gpa <
			    wanted->intervals[i].start)
				low = mid + 1;
			else
				high = mid;
		}
		for (; low < memslots->nr && memslots->slots[low].gpa <=
					     wanted->intervals[i].last; low++)
			nr++;
	}
	return nr;
}

/* Call for each range in the intervals; the transaction is locked. */
static size_t want_slots(const struct mregion_flat *flat,
			 const struct wanted *wanted, uint64_t page_size,
			 struct mregion_memslot *slots)
{
	struct mregion_btree_cursor cursor;
	struct mregion_memslot slot;
	struct mregion_flat_range *at;
	size_t i, nr = 0;

	for (i = 0; i < wanted->nr_intervals; i++) {
		mregion_btree_for_each(at, &cursor, &flat->tree,
				       wanted->intervals[i].start) {
			if (at->range.start > wanted->intervals[i].last)
				break;
			if (!slot_of_range(&at->range, at->region, page_size,
					   &slot))
				continue;
			if (slots)
				slots[nr] = slot;
			nr++;
		}
	}
	return nr;
}

/* Memory that is at the same address in both. */
static bool share_memory(const struct mregion_memslot *a,
			 const struct mregion_memslot *b)
{
	return a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size &&
	       a->offset - a->gpa == b->offset - b->gpa &&
	       a->region == b->region;
}

/*
 * Find out which slots are to leave. Return: whether a vCPU must not run meanwhile: it
 * would find memory gone that is there before and after, or write what no log has.
 */
static bool mark_leaving(struct mregion_memslots *memslots,
			 const struct wanted *wanted)
{
	const struct mregion_memslot *want = wanted->slots;
	struct mregion_memslot *slot;
	bool pause = false;
	size_t i, j, k = 0;

	for (i = 0; i < memslots->nr; i++) {
		slot = &memslots->slots[i];
		while (k < wanted->nr && want[k].gpa + want[k].size <= slot->gpa)
			k++;
		slot->leaves = is_slot_in(wanted, slot) &&
			       !(k < wanted->nr && mregion_same_memory(slot, &want[k]));
		if (!slot->leaves)
			continue;
		pause |= slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
		for (j = k; j < wanted->nr && want[j].gpa < slot->gpa + slot->size;
		     j++)
			pause |= share_memory(slot, &want[j]);
	}
	return pause;
}

/* ---- KVM's log --------------------------------------------------------- */

static int log_failed(int err, const char *what)
{
	return mregion_fail(-err, "read KVM's log of %s", what);
}

static int sync_rings(struct mregion_memslots *memslots)
{
	int ret = mregion_kvm_log_rings(memslots->log);

	return ret ? log_failed(ret, "vCPUs") : 0;
}

/* Slots that log: all, or those that leave. Goes on after an error; the first counts. */
static int sync_bitmaps(struct mregion_memslots *memslots, bool leaving)
{
	const struct mregion_memslot *slot;
	int ret = 0, err;
	size_t i;

	for (i = 0; i < memslots->nr; i++) {
		slot = &memslots->slots[i];
		if (!(slot->flags & KVM_MEM_LOG_DIRTY_PAGES) ||
		    (leaving && !slot->leaves) || !slot->region->logging.logs)
			continue;
		err = mregion_kvm_log_slot(memslots->log, slot,
					   memslots->first + slot->slot);
		if (err && !ret)
			ret = log_failed(err, slot->region->name);
	}
	return ret;
}

static void pause_vcpus(struct mregion_memslots *memslots)
{
	memslots->pauses++;
	if (memslots->pause)
		memslots->pause(memslots->opaque);
}

static void resume_vcpus(struct mregion_memslots *memslots)
{
	if (memslots->resume)
		memslots->resume(memslots->opaque);
}

int mregion_memslots_sync_rings(struct mregion_memslots *memslots)
{
	return memslots->log->ring_bytes ? sync_rings(memslots) : 0;
}

int mregion_memslots_sync(struct mregion_memslots *memslots)
{
	int ret;

	if (!memslots->log->ring_bytes)
		return sync_bitmaps(memslots, false);
	pause_vcpus(memslots);
	ret = sync_rings(memslots);
	resume_vcpus(memslots);
	return ret;
}

/* All pages of slots that leave may have been written. */
static void mark_leaving_as_written(const struct mregion_memslots *memslots)
{
	uint64_t page_size = memslots->log->page_size, page, end;
	const struct mregion_memslot *slot;
	size_t i;

	for (i = 0; i < memslots->nr; i++) {
		slot = &memslots->slots[i];
		if (!slot->leaves || !(slot->flags & KVM_MEM_LOG_DIRTY_PAGES))
			continue;
		end = (slot->offset + slot->size) / page_size;
		for (page = slot->offset / page_size; page < end; page++)
			mregion_logging_bits(slot->region, page, 1);
	}
}

/* Take the logs of slots that leave: they end with the slots. */
static void save_logs(struct mregion_memslots *memslots)
{
	int ret = memslots->log->ring_bytes ? sync_rings(memslots) :
					     sync_bitmaps(memslots, true);

	if (ret)
		mark_leaving_as_written(memslots);
}

int mregion_memslots_save_logs(struct mregion_memslots *memslots)
{
	return memslots->log->ring_bytes ? sync_rings(memslots) :
					  sync_bitmaps(memslots, false);
}

int mregion_memslots_check_log(const struct mregion_memslots *memslots,
			       const struct mregion_region *region)
{
	size_t i;

	for (i = 0; i < memslots->nr; i++)
		if (memslots->slots[i].region == region &&
		    !(memslots->slots[i].flags & KVM_MEM_LOG_DIRTY_PAGES))
			return mregion_error_restore(-memslots->error,
						     memslots->error_text);
	return 0;
}

/* Whose number is not known yet. */
#define NO_SLOT	UINT32_MAX

/*
 * Keep the slots that are wanted as they are, changing only whether they log,
 * for which KVM needs no new slot; and remove the others. Both arrays are
 * sorted. A slot that is kept hands number and reference over to @wanted; those that
 * could not be removed remain in @memslots, as do those that are not looked at.
 */
static void keep_or_remove(struct mregion_memslots *memslots,
			   struct wanted *wanted)
{
	struct mregion_memslot *slot, *want = wanted->slots;
	size_t i, k = 0, left = 0;

	for (i = 0; i < memslots->nr; i++) {
		slot = &memslots->slots[i];
		while (k < wanted->nr && want[k].gpa < slot->gpa)
			k++;
		if (!is_slot_in(wanted, slot)) {
			memslots->slots[left++] = *slot;
		} else if (k < wanted->nr && mregion_same_memory(slot, &want[k])) {
			want[k].slot = slot->slot;
			/* Remember what KVM has, so that it is tried again. */
			if (want[k].flags != slot->flags &&
			    set_slot(memslots, &want[k], slot->size))
				want[k].flags = slot->flags;
		} else if (!remove_slot(memslots, slot)) {
			memslots->slots[left++] = *slot;
		}
	}
	memslots->nr = left;
}

/* Set those of @wanted that have no slot yet; drop those that get none. */
static size_t add_missing(struct mregion_memslots *memslots,
			  struct mregion_memslot *wanted, size_t nr)
{
	size_t i, set = 0, without = 0;
	int err;

	for (i = 0; i < nr; i++) {
		if (wanted[i].slot == NO_SLOT) {
			err = get_number(memslots, &wanted[i].slot);
			if (err == -ENOSPC) {
				without++;
				continue;
			}
			if (err) {
				keep_error(memslots, mregion_fail(-err,
					"set a memory slot"));
				continue;
			}
			if (set_slot(memslots, &wanted[i], wanted[i].size)) {
				put_number(memslots, wanted[i].slot);
				continue;
			}
			mregion_region_get(wanted[i].region);
		}
		wanted[set++] = wanted[i];
	}
	if (without)
		keep_error(memslots, mregion_fail_why(ENOSPC,
			"set memory slots: the view needs %zu, and there are %u to use",
			nr + memslots->nr, memslots->max));
	return set;
}

/* Add, in its place, what could not be removed. Return: the new length. */
static size_t merge_slots(struct mregion_memslot *slots, size_t nr,
			  const struct mregion_memslot *left, size_t nr_left)
{
	size_t total = nr + nr_left, to = total;

	while (nr_left) {
		if (nr && slots[nr - 1].gpa > left[nr_left - 1].gpa)
			slots[--to] = slots[--nr];
		else
			slots[--to] = left[--nr_left];
	}
	return total;
}

/*
 * Find out which slots are wanted in the intervals, and how many are there. Return: 0, with
 * an array for them and those that remain unless there are neither; or -ENOMEM.
 */
static int find_wanted(const struct mregion_memslots *memslots,
		       const struct mregion_space *space, struct wanted *wanted,
		       size_t *there)
{
	uint64_t page_size = space->machine->page_size;
	size_t nr = want_slots(&space->flat, wanted, page_size, NULL);
	struct mregion_memslot *ranges;

	*there = count_slots_in(memslots, wanted);
	if (!nr && !*there)
		return 0;
	ranges = calloc(nr + 1, sizeof(*ranges));
	wanted->slots = calloc(nr + 2 * memslots->nr + 1, sizeof(*wanted->slots));
	if (!ranges || !wanted->slots) {
		free(ranges);
		free(wanted->slots);
		return -ENOMEM;
	}
	want_slots(&space->flat, wanted, page_size, ranges);
	if (wanted->whole) {
		memcpy(wanted->slots, ranges, nr * sizeof(*ranges));
		wanted->nr = nr;
	} else {
		wanted->nr = mregion_slot_pieces(ranges, nr, memslots->slots,
						 memslots->nr, wanted->slots);
	}
	free(ranges);
	return 0;
}

static int update_in_intervals(struct mregion_memslots *memslots,
			       struct mregion_space *space, struct wanted *wanted)
{
	size_t i, there;
	bool pause;
	int ret;

	memslots->error = 0;
	if (!space->flat.valid)
		return keep_error(memslots, mregion_fail(ENOMEM,
			"read the view of space %u", space->id));
	ret = find_wanted(memslots, space, wanted, &there);
	/* With few slots to spare a range has one only, wherever it is. */
	if (!ret && !wanted->whole &&
	    wanted->nr + memslots->nr - there > memslots->max) {
		free(wanted->slots);
		*wanted = (struct wanted){
			.whole = true,
			.intervals = &all_addresses,
			.nr_intervals = 1,
		};
		ret = find_wanted(memslots, space, wanted, &there);
	}
	if (ret)
		return keep_error(memslots, mregion_fail(-ret,
			"update memory slots"));
	if (!wanted->slots)
		return 0;
	for (i = 0; i < wanted->nr; i++)
		wanted->slots[i].slot = NO_SLOT;

	pause = mark_leaving(memslots, wanted);
	if (pause) {
		pause_vcpus(memslots);
		save_logs(memslots);
	}
	keep_or_remove(memslots, wanted);
	wanted->nr = add_missing(memslots, wanted->slots, wanted->nr);
	memslots->nr = merge_slots(wanted->slots, wanted->nr, memslots->slots,
				   memslots->nr);
	free(memslots->slots);
	memslots->slots = wanted->slots;
	if (pause)
		resume_vcpus(memslots);
	if (!memslots->error)
		return 0;
	return mregion_error_restore(-memslots->error, memslots->error_text);
}

int mregion_memslots_update(struct mregion_memslots *memslots,
			    struct mregion_space *space)
{
	struct wanted wanted = {
		/* Slots may be in the way that could not be removed. */
		.whole = memslots->error,
		.intervals = &all_addresses,
		.nr_intervals = 1,
	};

	return memslots->max ? update_in_intervals(memslots, space, &wanted) : 0;
}

int mregion_memslots_follow(struct mregion_memslots *memslots,
			    struct mregion_space *space)
{
	struct wanted wanted = {
		.intervals = space->changed.intervals,
		.nr_intervals = space->changed.nr_intervals,
	};

	/* What could not be done is tried again, wherever it was. */
	if (memslots->error || !space->flat.valid)
		return mregion_memslots_update(memslots, space);
	return memslots->max ? update_in_intervals(memslots, space, &wanted) : 0;
}
