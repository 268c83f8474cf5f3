// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's buses, from outside of KVM.
 *
 * KVM does not export kvm_io_bus_register_dev(), but its structures are in
 * public headers, and what the function does can be done here as well: build a
 * new bus, publish it, wait for the old one's readers, free it, all under
 * slots_lock. One exchange serves all windows of a commit.
 *
 * KVM searches a bus with bsearch() under a comparison that calls ranges equal
 * that contain one another. A window that contained another device's range
 * would hide other devices from that search, so what others have claimed is cut
 * out of windows, and reservations never get into them.
 *
 * When a virtual machine dies, KVM calls the destructor once for each range on a
 * bus, which is how an attachment learns of it. For that there must be one: an
 * attachment without a window on the memory bus has a range at the top of it,
 * where no guest-physical address is. Others do without, as every range makes
 * KVM's search longer.
 *
 * Fast doorbells are on a bus of their own, which KVM looks at before it knows more of
 * an access than its address: KVM_FAST_MMIO_BUS. Their ranges have no length, as those
 * of KVM's own ioeventfds there. One with a length would be found at the address behind
 * it, too. They are where the windows on the memory bus come first, and follow each
 * exchange of that bus.
 */
#include <linux/bug.h>
#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include <kvm/iodev.h>

#include "kvm_bus.h"
#include "machine.h"

#define MREGION_SENTINEL_ADDR	(~0ull - 15)
#define MREGION_SENTINEL_LEN	8

/*
 * Devices that may come onto a bus between preparing and making an exchange
 * without spoiling it.
 */
#define MREGION_BUS_SLACK	16

static bool mregion_bus_owns(const struct mregion_claim *bus,
			     const struct kvm_io_range *range)
{
	return range->dev == &bus->dev;
}

/* What a range has, as KVM sees it and whatever its owner has asked for. */
static struct mregion_window mregion_bus_span(const struct kvm_io_range *range)
{
	/* an ioeventfd for any length has none; that of a zone can be anything */
	u64 len = range->len > 0 ? range->len : 1;

	return (struct mregion_window) {
		.start = range->addr,
		.last = range->addr + min(len - 1, ~range->addr),
	};
}

/* Whether a range is there to be told by of the virtual machine's end only. */
static bool mregion_bus_is_sentinel(const struct kvm_io_range *range)
{
	return range->addr == MREGION_SENTINEL_ADDR;
}

static struct kvm_io_bus *mregion_bus_get(struct kvm *kvm, enum kvm_bus index)
{
	return rcu_dereference_protected(kvm->buses[index],
					 lockdep_is_held(&kvm->slots_lock));
}

static void mregion_bus_take(struct mregion_windows *windows,
			     const struct kvm_io_range *range)
{
	struct mregion_window span = mregion_bus_span(range);

	mregion_windows_add(windows, span.start, span.last);
}

static u32 mregion_bus_nr_others(const struct mregion_claim *bus,
				 const struct kvm_io_bus *old)
{
	return old->dev_count - bus->nr_ranges;
}

static void mregion_bus_take_others(const struct mregion_claim *bus,
				    const struct kvm_io_bus *old,
				    struct mregion_windows *taken)
{
	int i;

	for (i = 0; i < old->dev_count; i++)
		if (!mregion_bus_owns(bus, &old->range[i]))
			mregion_bus_take(taken, &old->range[i]);
}

/* What others have, to be left out of windows. */
static void mregion_bus_taken(const struct mregion_claim *bus,
			      const struct kvm_io_bus *old,
			      struct mregion_windows *taken)
{
	taken->nr = 0;
	mregion_bus_take_others(bus, old, taken);
	mregion_windows_sort(taken);
	mregion_windows_join(taken);
}

/*
 * Of fast doorbells, those at addresses of which the first range on the memory bus is
 * ours. So the same one rings whether or not the host looks at the bus of fast ones:
 * whoever has come between the windows before them is first on neither, and whatever
 * was there before the windows is first on both.
 */
static void mregion_bus_keep_claimed(const struct mregion_claim *bus,
				     struct kvm *kvm,
				     const struct mregion_windows *wanted,
				     struct mregion_windows *kept)
{
	const struct kvm_io_bus *memory = mregion_bus_get(kvm, KVM_MMIO_BUS);
	u64 floor = 0;
	u32 at = 0;
	int i;

	kept->nr = 0;
	for (i = 0; memory && i < memory->dev_count; i++) {
		const struct kvm_io_range *range = &memory->range[i];
		struct mregion_window span = mregion_bus_span(range);

		if (!mregion_bus_owns(&bus->attachment->memory, range)) {
			span.last = min(span.last, MREGION_WINDOWS_LAST);
			floor = max(floor, span.last + 1);
			continue;
		}
		floor = max(floor, span.start);
		while (at < wanted->nr && wanted->window[at].start < floor)
			at++;
		while (at < wanted->nr && wanted->window[at].start <= span.last)
			kept->window[kept->nr++] = wanted->window[at++];
	}
}

/* Whether a bus has these as its ranges of ours, which begin there. */
static bool mregion_bus_has(const struct mregion_claim *bus,
			    const struct kvm_io_bus *old,
			    const struct mregion_windows *own)
{
	u32 at = 0;
	int i;

	if (own->nr != bus->nr_ranges)
		return false;
	for (i = 0; i < old->dev_count; i++)
		if (mregion_bus_owns(bus, &old->range[i]) &&
		    old->range[i].addr != own->window[at++].start)
			return false;
	return true;
}

static void mregion_bus_append(struct mregion_claim *bus,
			       const struct mregion_window *window,
			       struct kvm_io_bus *new)
{
	new->range[new->dev_count++] = (struct kvm_io_range) {
		.addr = window->start,
		.len = mregion_bus_is_fast(bus) ? 0 :
		       window->last - window->start + 1,
		.dev = &bus->dev,
	};
}

/* Whether a range of ours goes in front of another's. */
static bool mregion_bus_before(const struct mregion_claim *bus,
			       const struct mregion_window *window,
			       const struct kvm_io_range *range)
{
	/* ours are first on the memory bus, or there are none */
	if (mregion_bus_is_fast(bus))
		return window->start <= range->addr;
	return window->start < range->addr;
}

/* Fill @new with the ranges of others in @old, and our own, in order. */
static void mregion_bus_merge(struct mregion_claim *bus,
			      const struct kvm_io_bus *old,
			      const struct mregion_windows *windows,
			      struct kvm_io_bus *new)
{
	u32 w = 0;
	int i;

	new->dev_count = 0;
	/*
	 * KVM allows NR_IOBUS_DEVS devices beside those that are counted here.
	 * Ours are, so that as many of its own can be registered as without us,
	 * and there may be as many pieces as others cut windows into.
	 */
	new->ioeventfd_count = old->ioeventfd_count - bus->nr_ranges +
			       windows->nr;
	for (i = 0; i <= old->dev_count; i++) {
		bool end = i == old->dev_count;

		if (!end && mregion_bus_owns(bus, &old->range[i]))
			continue;
		while (w < windows->nr &&
		       (end || mregion_bus_before(bus, &windows->window[w],
						  &old->range[i])))
			mregion_bus_append(bus, &windows->window[w++], new);
		if (!end)
			new->range[new->dev_count++] = old->range[i];
	}
}

/* Whether KVM's search would find its way among the ranges of others. */
static bool mregion_bus_is_sane(const struct mregion_claim *bus,
				const struct kvm_io_bus *new)
{
	const struct kvm_io_range *range;
	u64 start = 0;

	for (range = new->range; range < new->range + new->dev_count; range++) {
		struct mregion_window span = mregion_bus_span(range);

		if (mregion_bus_owns(bus, range))
			continue;
		/* a VMM's coalescing zone can have any address and length */
		if (range->len < 0 || range->addr + range->len < range->addr)
			return false;
		/* what overlaps may be in any order */
		if (span.start < start && span.last < start)
			return false;
		start = span.start;
	}
	return true;
}

/* On kernels for finding errors: whether KVM's search finds its way. */
static void mregion_bus_check(const struct mregion_claim *bus,
			      const struct kvm_io_bus *new)
{
	const struct kvm_io_range *range, *before = NULL;
	struct mregion_window highest = {}, span;
	bool owns, ours = false, behind;

	if (!IS_ENABLED(CONFIG_DEBUG_VM) || !mregion_bus_is_sane(bus, new))
		return;
	for (range = new->range; range < new->range + new->dev_count; range++) {
		owns = mregion_bus_owns(bus, range);
		span = mregion_bus_span(range);
		if (owns)
			WARN_ONCE((range->len <= 0 && !mregion_bus_is_fast(bus)) ||
				  range->addr + range->len < range->addr,
				  "mregion: bus %d: %#llx+%#x wraps\n",
				  bus->index, range->addr, range->len);
		behind = span.start > highest.last ||
			 (mregion_bus_is_fast(bus) && !owns &&
			  span.start == highest.last);
		/* nobody gets to where the sentinel is */
		if (before && (owns || ours) &&
		    span.last < MREGION_SENTINEL_ADDR)
			WARN_ONCE(!behind,
				  "mregion: bus %d: %#llx+%#x comes after %#llx-%#llx\n",
				  bus->index, range->addr, range->len,
				  highest.start, highest.last);
		if (!before || span.last > highest.last) {
			highest = span;
			ours = owns;
		}
		before = range;
	}
}

/**
 * mregion_spare_drop() - free all but what is wanted
 * @spare: memory for exchanging a bus
 */
void mregion_spare_drop(struct mregion_claim_spare *spare)
{
	kfree(spare->bus);
	spare->bus = NULL;
	mregion_windows_free(&spare->taken);
	mregion_windows_free(&spare->cut);
}

/**
 * mregion_spare_free() - free memory for exchanging a bus
 * @spare: the memory
 */
void mregion_spare_free(struct mregion_claim_spare *spare)
{
	mregion_spare_drop(spare);
	mregion_windows_free(&spare->wanted);
	kfree(spare);
}

/*
 * Get the memory for an exchange: each range of others, of which there are @nr_others,
 * can cut a window. A fast doorbell is one address, and stays or goes.
 */
static int mregion_spare_fill(const struct mregion_claim *bus,
			      struct mregion_claim_spare *spare, u32 nr_others)
{
	bool cuts = spare->wanted.nr && !mregion_bus_is_fast(bus);
	u32 nr_cuts = cuts ? nr_others : 0;
	u32 nr_pieces = spare->wanted.nr + nr_cuts;
	u32 room = nr_others + nr_pieces + 1;

	mregion_spare_drop(spare);
	spare->nr_others = nr_others;
	/* KVM frees it by kfree(); it may be more than that can give */
	spare->bus = kzalloc(struct_size(spare->bus, range, room),
			     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!spare->bus)
		return -ENOMEM;
	return mregion_windows_alloc(&spare->taken, nr_cuts) ?:
	       mregion_windows_alloc(&spare->cut, nr_pieces);
}

/* Note which bus the windows of a space have been put on, for those who look. */
static void mregion_space_published(struct mregion_space *space,
				    const struct kvm_io_bus *bus)
{
	if (!space)
		return;
	WRITE_ONCE(space->published_nr, bus->dev_count);
	WRITE_ONCE(space->published, space->nr_vms == 1 ? bus : NULL);
}

/**
 * mregion_bus_exchange() - have a bus show what is wanted of a claim, and no more of it
 * @bus: the claim
 * @kvm: the virtual machine; its slots_lock is held
 * @spare: says what is wanted; its memory becomes the bus. Memory that it lacks, also as
 *	others have come since mregion_bus_make_ready(), is added
 * @sentinel: the virtual machine's end is to be told by this bus, also if there is nothing
 *
 * When this returns, no vCPU looks at the bus of before. After an error all is as before.
 *
 * Return: 0; 1 if fast doorbells are there already; -ENOMEM; -ENOENT if KVM has lost
 * its bus.
 */
int mregion_bus_exchange(struct mregion_claim *bus, struct kvm *kvm,
			 struct mregion_claim_spare *spare, bool sentinel)
{
	struct mregion_window top = {
		.start = MREGION_SENTINEL_ADDR,
		.last = MREGION_SENTINEL_ADDR + MREGION_SENTINEL_LEN - 1,
	};
	struct mregion_windows own = {};
	struct kvm_io_bus *old;
	u32 nr_others;

	lockdep_assert_held(&kvm->slots_lock);
	old = mregion_bus_get(kvm, bus->index);
	if (!old)
		return -ENOENT;
	/* more of them may have come since it was made ready */
	nr_others = mregion_bus_nr_others(bus, old);
	if (!spare->bus || nr_others > spare->nr_others) {
		int ret = mregion_spare_fill(bus, spare, nr_others);

		if (ret)
			return ret;
	}
	if (mregion_bus_is_fast(bus)) {
		mregion_bus_keep_claimed(bus, kvm, &spare->wanted, &spare->cut);
		own = spare->cut;
		if (!bus->stale && mregion_bus_has(bus, old, &own))
			return 1;
	} else if (spare->wanted.nr) {
		mregion_bus_taken(bus, old, &spare->taken);
		mregion_windows_cut(&spare->wanted, &spare->taken, &spare->cut);
		own = spare->cut;
	}
	if (sentinel && !own.nr)
		own = (struct mregion_windows) { .nr = 1, .window = &top };
	mregion_bus_merge(bus, old, &own, spare->bus);
	mregion_bus_check(bus, spare->bus);
	/* before the destructor can be called for the new ones */
	atomic_add(own.nr, &bus->attachment->nr_ranges);
	/* who leaves has no say in what others look at */
	if (spare->wanted.nr && !mregion_bus_is_fast(bus)) {
		mregion_space_published(bus->space, spare->bus);
		mregion_space_published(bus->smm, spare->bus);
	}
	rcu_assign_pointer(kvm->buses[bus->index], spare->bus);
	spare->bus = NULL;
	synchronize_srcu_expedited(&kvm->srcu);
	kfree(old);
	mregion_attachment_drop(bus->attachment, bus->nr_ranges);
	bus->nr_ranges = own.nr;
	return 0;
}

/**
 * mregion_bus_make_ready() - get the memory for exchanging a bus
 * @bus: the claim, with a spare that says what is wanted
 * @kvm: the virtual machine; a reference is held
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_bus_make_ready(struct mregion_claim *bus, struct kvm *kvm)
{
	const struct kvm_io_bus *now;
	u32 nr_others;

	/* who holds it may wait for userspace (KVM_GET_DIRTY_LOG copies) */
	if (mutex_lock_killable(&kvm->slots_lock))
		return -EINTR;
	now = mregion_bus_get(kvm, bus->index);
	nr_others = now ? mregion_bus_nr_others(bus, now) : 0;
	mutex_unlock(&kvm->slots_lock);
	return mregion_spare_fill(bus, bus->spare,
				  nr_others + MREGION_BUS_SLACK);
}

/* Whether it leaves all accesses to others, for want of what is right. */
static bool mregion_bus_is_inert(const struct mregion_claim *bus)
{
	return bus->dev.ops == &mregion_bus_inert_ops;
}

/* Note which fast doorbells are on their bus. */
static int mregion_bus_survey_fast(const struct mregion_claim *bus,
				   struct kvm *kvm,
				   struct mregion_survey *survey)
{
	const struct kvm_io_bus *now = mregion_bus_get(kvm, bus->index);
	int i, ret;

	if (!now || !bus->nr_ranges || mregion_bus_is_inert(bus))
		return 0;
	ret = mregion_windows_alloc(&survey->fast, bus->nr_ranges);
	for (i = 0; !ret && i < now->dev_count; i++)
		if (mregion_bus_owns(bus, &now->range[i]))
			mregion_bus_take(&survey->fast, &now->range[i]);
	return ret;
}

/**
 * mregion_bus_survey() - look what is on a bus
 * @bus: the claim; with that on the memory bus goes that of fast doorbells
 * @kvm: the virtual machine; a reference is held
 * @survey: zeroed; set to what is there, and to the views of it
 *
 * Return: 0, -ENOMEM, -EINTR. Either way mregion_survey_free() follows.
 */
int mregion_bus_survey(const struct mregion_claim *bus, struct kvm *kvm,
		       struct mregion_survey *survey)
{
	const struct kvm_io_bus *now;
	int i, ret = 0;

	survey->view = bus->space->view;
	survey->smm = mregion_claim_smm_view(bus);
	survey->has_fast = mregion_bus_is_memory(bus) && bus->machine->nr_fast;
	if (mutex_lock_killable(&kvm->slots_lock))
		return -EINTR;
	now = mregion_bus_get(kvm, bus->index);
	if (now)
		ret = mregion_windows_alloc(&survey->own, bus->nr_ranges) ?:
		      mregion_windows_alloc(&survey->others,
					    mregion_bus_nr_others(bus, now));
	for (i = 0; now && !ret && i < now->dev_count; i++) {
		const struct kvm_io_range *range = &now->range[i];

		if (!mregion_bus_owns(bus, range))
			mregion_bus_take(&survey->others, range);
		else if (!mregion_bus_is_sentinel(range))
			mregion_bus_take(&survey->own, range);
	}
	if (!ret && survey->has_fast)
		ret = mregion_bus_survey_fast(&bus->attachment->fast, kvm,
					      survey);
	mutex_unlock(&kvm->slots_lock);
	return ret ?: mregion_survey_make(survey);
}
