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
 * it, too.
 */
#include <linux/bug.h>
#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kvm/iodev.h>

#include "fast.h"
#include "kvm_bus.h"
#include "machine.h"
#include "owner.h"

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

static bool mregion_bus_is_fast(const struct mregion_claim *bus)
{
	return bus->index == KVM_FAST_MMIO_BUS;
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

/*
 * What others have, to be left out of windows. What they have on the memory bus is not
 * to be hidden by a fast doorbell either.
 */
static void mregion_bus_taken(const struct mregion_claim *bus, struct kvm *kvm,
			      const struct kvm_io_bus *old,
			      struct mregion_windows *taken)
{
	const struct kvm_io_bus *memory = NULL;

	if (mregion_bus_is_fast(bus))
		memory = mregion_bus_get(kvm, KVM_MMIO_BUS);
	taken->nr = 0;
	mregion_bus_take_others(bus, old, taken);
	if (memory)
		mregion_bus_take_others(&bus->attachment->memory, memory, taken);
	mregion_windows_sort(taken);
	mregion_windows_join(taken);
}

/* How many ranges that may be, at most. */
static u32 mregion_bus_nr_taken(const struct mregion_claim *bus,
				struct kvm *kvm, const struct kvm_io_bus *old)
{
	const struct kvm_io_bus *memory = NULL;

	if (mregion_bus_is_fast(bus))
		memory = mregion_bus_get(kvm, KVM_MMIO_BUS);
	return mregion_bus_nr_others(bus, old) + (memory ? memory->dev_count : 0);
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
		       (end || windows->window[w].start < old->range[i].addr))
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
	bool owns, ours = false;

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
		/* nobody gets to where the sentinel is */
		if (before && (owns || ours) &&
		    span.last < MREGION_SENTINEL_ADDR)
			WARN_ONCE(span.start <= highest.last,
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

static void mregion_spare_drop(struct mregion_claim_spare *spare)
{
	kfree(spare->bus);
	spare->bus = NULL;
	mregion_windows_free(&spare->taken);
	mregion_windows_free(&spare->cut);
}

static void mregion_spare_free(struct mregion_claim_spare *spare)
{
	mregion_spare_drop(spare);
	mregion_windows_free(&spare->wanted);
	kfree(spare);
}

/*
 * Get the memory for an exchange: each range of another can cut a window; @nr_others
 * are on the bus or, for fast doorbells, on the memory bus.
 */
static int mregion_spare_fill(struct mregion_claim_spare *spare, u32 nr_others)
{
	u32 nr_cuts = spare->wanted.nr ? nr_others : 0;
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
	if (space)
		WRITE_ONCE(space->published, space->nr_vms == 1 ? bus : NULL);
}

/*
 * Exchange a bus for that of @spare, so that it has the windows wanted and no
 * others of ours.
 *
 * Return: 0; -ENOMEM; -ENOENT if KVM has lost its bus. After an error all is as
 * before.
 */
static int mregion_bus_exchange(struct mregion_claim *bus, struct kvm *kvm,
				struct mregion_claim_spare *spare,
				bool sentinel)
{
	struct mregion_window top = {
		.start = MREGION_SENTINEL_ADDR,
		.last = MREGION_SENTINEL_ADDR + MREGION_SENTINEL_LEN - 1,
	};
	struct mregion_windows own = {};
	struct kvm_io_bus *old;

	lockdep_assert_held(&kvm->slots_lock);
	old = mregion_bus_get(kvm, bus->index);
	if (!old)
		return -ENOENT;
	/* more of them may have come since it was made ready */
	if (!spare->bus ||
	    mregion_bus_nr_taken(bus, kvm, old) > spare->nr_others) {
		int ret = mregion_spare_fill(spare,
					     mregion_bus_nr_taken(bus, kvm,
								  old));

		if (ret)
			return ret;
	}
	if (spare->wanted.nr) {
		mregion_bus_taken(bus, kvm, old, &spare->taken);
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

/* Remember what is claimed now. */
static void mregion_claim_done(struct mregion_claim *bus,
			       struct mregion_claim_spare *spare)
{
	mregion_windows_free(&bus->windows);
	bus->windows = spare->wanted;
	bus->truncated = mregion_windows_full(&bus->windows);
	if (bus->truncated && mregion_bus_is_fast(bus))
		mregion_owner_warn(bus->machine->owner,
				   "it has more than %u fast doorbells; the others ring as those for any length",
				   MREGION_MAX_FAST);
	else if (bus->truncated)
		mregion_owner_warn(bus->machine->owner,
				   "it wants more than %u windows on KVM's bus %d; what has none exits",
				   MREGION_MAX_WINDOWS, bus->index);
	spare->wanted = (struct mregion_windows) {};
}

static bool mregion_bus_is_memory(const struct mregion_claim *bus)
{
	return bus->index == KVM_MMIO_BUS;
}

/**
 * mregion_claim_enter() - put a new attachment on a bus
 * @bus: its claim
 * @kvm: the virtual machine; a reference is held
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_claim_enter(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_claim_spare *spare;
	int ret = 0;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return -ENOMEM;
	if (bus->space)
		ret = mregion_windows_of_both(bus->space->view,
					      mregion_claim_smm_view(bus),
					      &spare->wanted);
	if (!ret && mutex_lock_killable(&kvm->slots_lock))
		ret = -EINTR;
	if (!ret) {
		ret = mregion_bus_exchange(bus, kvm, spare,
					   mregion_bus_is_memory(bus));
		mutex_unlock(&kvm->slots_lock);
	}
	if (!ret)
		mregion_claim_done(bus, spare);
	mregion_spare_free(spare);
	return ret == -ENOENT ? -ENOMEM : ret;
}

/**
 * mregion_claim_leave() - take an attachment off a bus
 * @bus: its claim
 * @kvm: the virtual machine; a reference is held
 *
 * When this returns, no vCPU is in a handler of the claim's, or gets into one.
 *
 * Return: 0; -ENOMEM, -ENOENT if it is not off the bus, but inert there.
 */
int mregion_claim_leave(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_claim_spare none = {};
	int ret;

	mutex_lock(&kvm->slots_lock);
	ret = mregion_bus_exchange(bus, kvm, &none, false);
	if (ret) {
		WRITE_ONCE(bus->dev.ops, &mregion_bus_inert_ops);
		synchronize_srcu_expedited(&kvm->srcu);
	}
	mutex_unlock(&kvm->slots_lock);
	mregion_spare_drop(&none);
	return ret;
}

/*
 * Without a space there is a sentinel at most. No guest has memory there, but one with
 * encrypted registers may name any address.
 */
static const struct kvm_io_device_ops *
mregion_claim_ops(const struct mregion_claim *bus)
{
	if (!bus->space)
		return &mregion_bus_inert_ops;
	switch (bus->index) {
	case KVM_PIO_BUS:
		return &mregion_bus_port_ops;
	case KVM_FAST_MMIO_BUS:
		return bus->smm ? &mregion_bus_fast_smm_ops :
				  &mregion_bus_fast_ops;
	default:
		return bus->smm ? &mregion_bus_smm_ops : &mregion_bus_ops;
	}
}

/**
 * mregion_claim_init() - make a claim, which is on no bus yet
 * @bus: the claim, zeroed
 * @index: which of KVM's buses
 * @attachment: that it is part of
 * @machine: whose views answer
 * @space: the space, or NULL
 * @smm: the space that vCPUs in SMM see instead, or NULL
 */
void mregion_claim_init(struct mregion_claim *bus, enum kvm_bus index,
			struct mregion_attachment *attachment,
			struct mregion_machine *machine,
			struct mregion_space *space, struct mregion_space *smm)
{
	bus->index = index;
	bus->attachment = attachment;
	bus->machine = machine;
	bus->space = space;
	bus->slot = space ? space->slot : 0;
	bus->smm = smm;
	bus->smm_slot = smm ? smm->slot : 0;
	kvm_iodevice_init(&bus->dev, mregion_claim_ops(bus));
}

/**
 * mregion_claim_smm_view() - what vCPUs in SMM see, if that is not what others do
 * @bus: the claim; its machine is locked
 *
 * Return: the view, or NULL.
 */
const struct mregion_view *
mregion_claim_smm_view(const struct mregion_claim *bus)
{
	return bus->smm ? bus->smm->view : NULL;
}

/* Note which fast doorbells are on their bus. */
static int mregion_claim_survey_fast(const struct mregion_claim *bus,
				     struct kvm *kvm,
				     struct mregion_survey *survey)
{
	const struct kvm_io_bus *now = mregion_bus_get(kvm, bus->index);
	int i, ret;

	if (!now || !bus->nr_ranges)
		return 0;
	ret = mregion_windows_alloc(&survey->fast, bus->nr_ranges);
	for (i = 0; !ret && i < now->dev_count; i++)
		if (mregion_bus_owns(bus, &now->range[i]))
			mregion_bus_take(&survey->fast, &now->range[i]);
	return ret;
}

/**
 * mregion_claim_survey() - look what is on a bus
 * @bus: the claim; with that on the memory bus goes that of fast doorbells
 * @kvm: the virtual machine; a reference is held
 * @survey: zeroed; set to what is there, and to the views of it
 *
 * Return: 0, -ENOMEM, -EINTR. Either way mregion_survey_free() follows.
 */
int mregion_claim_survey(const struct mregion_claim *bus, struct kvm *kvm,
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
		ret = mregion_claim_survey_fast(&bus->attachment->fast, kvm,
						survey);
	mutex_unlock(&kvm->slots_lock);
	return ret ?: mregion_survey_make(survey);
}

/* Whether the windows that a claim has are not those for its views. */
static int mregion_claim_differs(const struct mregion_claim *bus,
				 const struct mregion_windows *wanted,
				 const struct mregion_view *view,
				 const struct mregion_view *smm)
{
	if (bus->stale || !mregion_windows_cover(&bus->windows, wanted))
		return 1;
	return mregion_windows_hit_reservation(&bus->windows, view) ?:
	       (smm ? mregion_windows_hit_reservation(&bus->windows, smm) : 0);
}

/* The view that a space is to get, or keeps; NULL without a space. */
static const struct mregion_view *
mregion_space_next_view(const struct mregion_space *space)
{
	return space ? space->pending ?: space->view : NULL;
}

/*
 * Whether windows need no change for the view that a space is to get; @other: of the
 * claim's other space, which shows more where a reservation of this one has gone.
 */
static int mregion_space_suits(const struct mregion_space *space,
			       const struct mregion_view *other,
			       const struct mregion_windows *windows)
{
	const struct mregion_view *view = space ? space->pending : NULL;
	int ret;

	/* it keeps the view that it has, or there is none */
	if (!view)
		return 1;
	/* where everything is claimed, rules change nothing */
	if (!space->update.moved)
		return 1;
	if (view->unassigned != space->view->unassigned)
		return 0;
	ret = mregion_windows_suit(windows, view, &space->delta);
	if (ret == 1 && other)
		ret = mregion_windows_suit(windows, other, &space->delta);
	return ret;
}

/* The same of both spaces of a claim. */
static int mregion_claim_suits(const struct mregion_claim *bus,
			       const struct mregion_view *view,
			       const struct mregion_view *smm)
{
	int ret = mregion_space_suits(bus->space, smm, &bus->windows);

	if (ret == 1)
		ret = mregion_space_suits(bus->smm, view, &bus->windows);
	return ret;
}

/* Get the memory for exchanging a bus for one with what its spare has as wanted. */
static int mregion_claim_fill(struct mregion_claim *bus, struct kvm *kvm)
{
	const struct kvm_io_bus *now;
	u32 nr_others;

	/* who holds it may wait for userspace (KVM_GET_DIRTY_LOG copies) */
	if (mutex_lock_killable(&kvm->slots_lock))
		return -EINTR;
	now = mregion_bus_get(kvm, bus->index);
	nr_others = now ? mregion_bus_nr_taken(bus, kvm, now) : 0;
	mutex_unlock(&kvm->slots_lock);
	return mregion_spare_fill(bus->spare, nr_others + MREGION_BUS_SLACK);
}

/* Where the view that a space is to get differs from what it has; or NULL. */
static const struct mregion_delta *
mregion_space_delta(const struct mregion_space *space)
{
	return space && space->pending ? &space->delta : NULL;
}

/* The fast doorbells that there are to be. Sets @wanted, to be freed also on error. */
static int mregion_claim_want_fast(const struct mregion_claim *bus,
				   struct mregion_windows *wanted)
{
	const struct mregion_fast_views views = {
		.view = mregion_space_next_view(bus->space),
		.smm = mregion_space_next_view(bus->smm),
		.delta = mregion_space_delta(bus->space),
		.smm_delta = mregion_space_delta(bus->smm),
	};

	return bus->stale || bus->truncated ?
	       mregion_fast_of(&views, wanted) :
	       mregion_fast_update(&views, &bus->windows, wanted);
}

static bool mregion_windows_equal(const struct mregion_windows *a,
				  const struct mregion_windows *b)
{
	return a->nr == b->nr &&
	       (!a->nr || !memcmp(a->window, b->window,
				  a->nr * sizeof(*a->window)));
}

/* mregion_claim_prepare() of fast doorbells, most machines of which have none. */
static int mregion_claim_prepare_fast(struct mregion_claim *bus,
				      struct kvm *kvm)
{
	struct mregion_claim_spare *spare;
	struct mregion_windows wanted;
	int ret;

	if (!bus->machine->nr_fast && !bus->windows.nr) {
		bus->stale = false;
		return 0;
	}
	if (!bus->stale && !mregion_space_delta(bus->space) &&
	    !mregion_space_delta(bus->smm))
		return 0;
	ret = mregion_claim_want_fast(bus, &wanted);
	/* whether or not the commit succeeds: only an exchange says otherwise */
	if (!ret && mregion_windows_full(&wanted))
		bus->truncated = true;
	if (!ret && (bus->stale || !mregion_windows_equal(&wanted,
							  &bus->windows)))
		ret = mregion_attachment_charge_fast(bus->attachment) ?: 1;
	if (ret <= 0) {
		mregion_windows_free(&wanted);
		return ret;
	}
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare) {
		mregion_windows_free(&wanted);
		return -ENOMEM;
	}
	spare->wanted = wanted;
	bus->spare = spare;
	return mregion_claim_fill(bus, kvm);
}

/**
 * mregion_claim_prepare() - make ready to exchange a bus, if a commit needs that
 * @bus: the claim
 * @kvm: the virtual machine; a reference is held
 *
 * Return: 0, -ENOMEM, -EINTR or -ENOBUFS; either way mregion_claim_cancel() or
 * mregion_claim_update() follows.
 */
int mregion_claim_prepare(struct mregion_claim *bus, struct kvm *kvm)
{
	const struct mregion_view *view, *smm;
	struct mregion_claim_spare *spare;
	int ret;

	if (!bus->space)
		return 0;
	if (mregion_bus_is_fast(bus))
		return mregion_claim_prepare_fast(bus, kvm);
	view = mregion_space_next_view(bus->space);
	smm = mregion_space_next_view(bus->smm);
	if (!bus->stale && view == bus->space->view &&
	    smm == mregion_claim_smm_view(bus))
		return 0;
	if (!bus->stale && !bus->truncated) {
		ret = mregion_claim_suits(bus, view, smm);
		if (ret)
			return min(ret, 0);
	}
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return -ENOMEM;
	bus->spare = spare;
	ret = mregion_windows_of_both(view, smm, &spare->wanted);
	/* whether or not the commit succeeds: only an exchange says otherwise */
	if (!ret && mregion_windows_full(&spare->wanted))
		bus->truncated = true;
	if (!ret)
		ret = mregion_claim_differs(bus, &spare->wanted, view, smm);
	if (ret <= 0) {
		mregion_claim_cancel(bus);
		return ret;
	}
	return mregion_claim_fill(bus, kvm);
}

/**
 * mregion_claim_cancel() - undo mregion_claim_prepare()
 * @bus: the claim
 */
void mregion_claim_cancel(struct mregion_claim *bus)
{
	if (!bus->spare)
		return;
	mregion_spare_free(bus->spare);
	bus->spare = NULL;
}

static int mregion_claim_exchange(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_claim_spare *spare = bus->spare;
	int ret;

	ret = mutex_lock_killable(&kvm->slots_lock);
	if (!ret) {
		ret = mregion_bus_exchange(bus, kvm, spare,
					   mregion_bus_is_memory(bus));
		mutex_unlock(&kvm->slots_lock);
	}
	if (!ret)
		mregion_claim_done(bus, spare);
	/*
	 * More devices may have come than there is memory for, or a fatal signal.
	 * What the windows miss exits to the VMM; the next commit tries again.
	 */
	bus->stale = ret;
	if (ret)
		mregion_owner_warn(bus->machine->owner,
				   "what it has on KVM's bus %d is as before the commit (error %d); what that misses %s",
				   bus->index, ret, mregion_bus_is_fast(bus) ?
				   "rings the slow way" : "exits");
	mregion_claim_cancel(bus);
	return ret;
}

/**
 * mregion_claim_update() - exchange a bus, if that has been prepared
 * @bus: the claim
 * @kvm: the virtual machine; a reference is held
 */
void mregion_claim_update(struct mregion_claim *bus, struct kvm *kvm)
{
	if (bus->spare && !mregion_claim_exchange(bus, kvm))
		bus->machine->windows++;
}

/**
 * mregion_claim_enter_fast() - put a new attachment's fast doorbells on their bus
 * @bus: their claim
 * @kvm: the virtual machine; a reference is held
 *
 * Without an exchange of the bus they ring the slow way.
 *
 * Return: 0, -ENOMEM, -EINTR, -ENOBUFS.
 */
int mregion_claim_enter_fast(struct mregion_claim *bus, struct kvm *kvm)
{
	int ret;

	bus->stale = true;
	ret = mregion_claim_prepare(bus, kvm);
	if (ret)
		mregion_claim_cancel(bus);
	else if (bus->spare)
		mregion_claim_exchange(bus, kvm);
	return ret;
}
