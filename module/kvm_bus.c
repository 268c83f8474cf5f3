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
 */
#include <linux/kvm_host.h>
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

/*
 * Leave out what others have claimed. Counts those that are in the way of what
 * the view has, and not just of a window's slack.
 */
static u32 mregion_bus_cut(const struct mregion_claim *bus,
			   const struct kvm_io_bus *old,
			   struct mregion_windows *windows)
{
	const struct mregion_view *view = bus->space ? bus->space->view : NULL;
	u32 nr_conflicts = 0;
	int i;

	for (i = 0; i < old->dev_count; i++) {
		const struct kvm_io_range *range = &old->range[i];
		/* an ioeventfd for any length has none */
		u64 len = range->len > 0 ? range->len : 1;
		u64 last = range->addr + (len - 1);

		if (!mregion_bus_owns(bus, range) &&
		    mregion_windows_cut(windows, range->addr, last) &&
		    mregion_view_claims(view, range->addr, last))
			nr_conflicts++;
	}
	return nr_conflicts;
}

static void mregion_bus_append(struct kvm_io_bus *new, u64 addr, int len,
			       struct kvm_io_device *dev)
{
	new->range[new->dev_count++] = (struct kvm_io_range) {
		.addr = addr,
		.len = len,
		.dev = dev,
	};
}

/* Fill @new with the ranges of others in @old, and our own, in order. */
static void mregion_bus_merge(struct mregion_claim *bus,
			      const struct kvm_io_bus *old,
			      const struct mregion_windows *windows,
			      bool sentinel, struct kvm_io_bus *new)
{
	u32 w = 0;
	int i;

	new->dev_count = 0;
	new->ioeventfd_count = old->ioeventfd_count;
	for (i = 0; i <= old->dev_count; i++) {
		bool end = i == old->dev_count;

		if (!end && mregion_bus_owns(bus, &old->range[i]))
			continue;
		while (w < windows->nr &&
		       (end || windows->window[w].start < old->range[i].addr)) {
			const struct mregion_window *window;

			window = &windows->window[w++];
			mregion_bus_append(new, window->start,
					   window->last - window->start + 1,
					   &bus->dev);
		}
		if (!end)
			new->range[new->dev_count++] = old->range[i];
	}
	if (sentinel)
		mregion_bus_append(new, MREGION_SENTINEL_ADDR,
				   MREGION_SENTINEL_LEN, &bus->dev);
}

/*
 * Exchange a bus for @new, which has room for @room ranges, so that it has the
 * given windows and no others of ours.
 *
 * Return: 0; -ENOSPC if there is not enough room; -ENOENT if KVM has lost its
 * bus. @new is left to the caller on an error only.
 */
static int mregion_bus_exchange(struct mregion_claim *bus, struct kvm *kvm,
				struct mregion_windows *windows, bool sentinel,
				struct kvm_io_bus *new, u32 room)
{
	struct kvm_io_bus *old;
	u32 nr_conflicts, nr_ranges, others;

	lockdep_assert_held(&kvm->slots_lock);
	old = rcu_dereference_protected(kvm->buses[bus->index],
					lockdep_is_held(&kvm->slots_lock));
	if (!old)
		return -ENOENT;
	nr_conflicts = mregion_bus_cut(bus, old, windows);
	sentinel = sentinel && !windows->nr;
	nr_ranges = windows->nr + sentinel;
	others = old->dev_count - bus->nr_ranges;
	if (others + nr_ranges > room ||
	    others - old->ioeventfd_count + nr_ranges > NR_IOBUS_DEVS)
		return -ENOSPC;

	mregion_bus_merge(bus, old, windows, sentinel, new);
	/* before the destructor can be called for the new ones */
	atomic_add(nr_ranges, &bus->attachment->nr_ranges);
	rcu_assign_pointer(kvm->buses[bus->index], new);
	synchronize_srcu_expedited(&kvm->srcu);
	kfree(old);
	mregion_attachment_drop(bus->attachment, bus->nr_ranges);
	bus->nr_ranges = nr_ranges;
	bus->nr_windows = windows->nr;
	bus->nr_conflicts = nr_conflicts;
	bus->dropped = windows->dropped;
	return 0;
}

static struct kvm_io_bus *mregion_bus_alloc(struct mregion_claim *bus,
					    struct kvm *kvm, u32 more,
					    u32 *room)
{
	const struct kvm_io_bus *old;
	struct kvm_io_bus *new;

	old = rcu_dereference_protected(kvm->buses[bus->index],
					lockdep_is_held(&kvm->slots_lock));
	*room = (old ? old->dev_count : 0) + more;
	/* KVM frees it by kfree() */
	new = kzalloc(struct_size(new, range, *room), GFP_KERNEL_ACCOUNT);
	return new;
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
 * Return: 0, -ENOMEM, -EINTR, or -ENOSPC if KVM allows no more ranges.
 */
int mregion_claim_enter(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_windows *windows;
	struct kvm_io_bus *new;
	u32 room;
	int ret;

	if (bus->space)
		mregion_windows_of(bus->space->view, &bus->windows);
	windows = kmemdup(&bus->windows, sizeof(*windows), GFP_KERNEL);
	if (!windows)
		return -ENOMEM;

	if (mutex_lock_killable(&kvm->slots_lock)) {
		kfree(windows);
		return -EINTR;
	}
	/* a window can be cut in two for each that is there */
	new = mregion_bus_alloc(bus, kvm, MREGION_MAX_WINDOWS + 1, &room);
	ret = new ? mregion_bus_exchange(bus, kvm, windows,
					 mregion_bus_is_memory(bus), new, room)
		  : -ENOMEM;
	mutex_unlock(&kvm->slots_lock);
	if (ret)
		kfree(new);
	kfree(windows);
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
	struct mregion_windows *none;
	struct kvm_io_bus *new = NULL;
	u32 room;
	int ret = -ENOMEM;

	none = kzalloc(sizeof(*none), GFP_KERNEL);
	mutex_lock(&kvm->slots_lock);
	if (none)
		new = mregion_bus_alloc(bus, kvm, 0, &room);
	if (new)
		ret = mregion_bus_exchange(bus, kvm, none, false, new, room);
	if (ret) {
		WRITE_ONCE(bus->dev.ops, &mregion_bus_inert_ops);
		synchronize_srcu_expedited(&kvm->srcu);
	}
	mutex_unlock(&kvm->slots_lock);
	if (ret)
		kfree(new);
	kfree(none);
	return ret;
}

/**
 * mregion_claim_init() - make a claim, which is on no bus yet
 * @bus: the claim, zeroed
 * @index: which of KVM's buses
 * @attachment: that it is part of
 * @machine: whose views answer
 * @space: the space, or NULL
 */
void mregion_claim_init(struct mregion_claim *bus, enum kvm_bus index,
			struct mregion_attachment *attachment,
			struct mregion_machine *machine,
			struct mregion_space *space)
{
	/*
	 * Without a space there is a sentinel at most. No guest has memory there,
	 * but one with encrypted registers may name any address.
	 */
	kvm_iodevice_init(&bus->dev, !space ? &mregion_bus_inert_ops :
				     index == KVM_PIO_BUS ?
				     &mregion_bus_port_ops : &mregion_bus_ops);
	bus->index = index;
	bus->attachment = attachment;
	bus->machine = machine;
	bus->space = space;
	bus->slot = space ? space->slot : 0;
}

/**
 * mregion_claim_stats() - add up what could not be claimed
 * @bus: the claim
 * @stats: where to
 */
void mregion_claim_stats(const struct mregion_claim *bus,
			 struct mregion_stats *stats)
{
	if (!bus->space)
		return;
	stats->conflicts += bus->nr_conflicts;
	stats->unclaimed += bus->stale || bus->dropped;
}

/**
 * mregion_claim_prepare() - make ready to exchange a bus, if a commit needs that
 * @bus: the claim
 * @kvm: the virtual machine; a reference is held
 *
 * Return: 0, -ENOMEM or -EINTR; either way mregion_claim_cancel() or
 * mregion_claim_update() follows.
 */
int mregion_claim_prepare(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_claim_spare *spare;
	const struct mregion_view *view;

	if (!bus->space)
		return 0;
	view = bus->space->pending ?: bus->stale ? bus->space->view : NULL;
	if (!view)
		return 0;
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return -ENOMEM;
	mregion_windows_of(view, &spare->wanted);
	if (!bus->stale && bus->windows.dropped == spare->wanted.dropped &&
	    mregion_windows_cover(&bus->windows, &spare->wanted) &&
	    !mregion_windows_hit_reservation(&bus->windows, view)) {
		kfree(spare);
		return 0;
	}
	spare->cut = spare->wanted;
	/* who holds it may wait for userspace (KVM_GET_DIRTY_LOG copies) */
	if (mutex_lock_killable(&kvm->slots_lock)) {
		kfree(spare);
		return -EINTR;
	}
	spare->bus = mregion_bus_alloc(bus, kvm, MREGION_MAX_WINDOWS + 1 +
				       MREGION_BUS_SLACK, &spare->room);
	mutex_unlock(&kvm->slots_lock);
	if (!spare->bus) {
		kfree(spare);
		return -ENOMEM;
	}
	bus->spare = spare;
	return 0;
}

/**
 * mregion_claim_cancel() - undo mregion_claim_prepare()
 * @bus: the claim
 */
void mregion_claim_cancel(struct mregion_claim *bus)
{
	if (!bus->spare)
		return;
	kfree(bus->spare->bus);
	kfree(bus->spare);
	bus->spare = NULL;
}

/**
 * mregion_claim_update() - exchange a bus, if that has been prepared
 * @bus: the claim
 * @kvm: the virtual machine; a reference is held
 */
void mregion_claim_update(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_claim_spare *spare = bus->spare;
	int ret;

	if (!spare)
		return;
	ret = mutex_lock_killable(&kvm->slots_lock);
	if (!ret) {
		ret = mregion_bus_exchange(bus, kvm, &spare->cut,
					   mregion_bus_is_memory(bus),
					   spare->bus, spare->room);
		mutex_unlock(&kvm->slots_lock);
	}
	if (!ret) {
		bus->windows = spare->wanted;
		bus->machine->windows++;
		spare->bus = NULL;
	}
	/*
	 * More devices may have come than there is room for, or a fatal signal.
	 * What the windows miss exits to the VMM; the next commit tries again.
	 */
	bus->stale = ret;
	mregion_claim_cancel(bus);
}
