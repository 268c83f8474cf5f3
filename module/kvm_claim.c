// SPDX-License-Identifier: GPL-2.0
/*
 * Claims: what an attachment has on a bus follows what its machine's views want there.
 */
#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kvm/iodev.h>

#include "fast.h"
#include "kvm_bus.h"
#include "machine.h"
#include "owner.h"

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

/*
 * Make ready to exchange the bus of fast doorbells, which most machines have none of.
 *
 * Return: 0 with a spare, or without, if there is to be none of ours on it; 1 if it is to
 * stay; -ENOMEM, -ENOBUFS, -EINTR.
 */
static int mregion_claim_ready_fast(struct mregion_claim *bus, struct kvm *kvm)
{
	/* where a doorbell may be is for the windows to say */
	bool follows = bus->attachment->memory.spare;
	struct mregion_claim_spare *spare;
	struct mregion_windows wanted;
	int ret;

	if (!bus->machine->nr_fast && !bus->windows.nr)
		return 0;
	if (!bus->stale && !follows && !mregion_space_delta(bus->space) &&
	    !mregion_space_delta(bus->smm))
		return 1;
	ret = mregion_claim_want_fast(bus, &wanted);
	/* whether or not the commit succeeds: only an exchange says otherwise */
	if (!ret && mregion_windows_full(&wanted))
		bus->truncated = true;
	if (ret || (!wanted.nr && !bus->windows.nr))
		goto out;
	ret = !bus->stale && !follows &&
	      mregion_windows_equal(&wanted, &bus->windows);
	if (!ret && wanted.nr)
		ret = mregion_attachment_charge_fast(bus->attachment);
	if (ret)
		goto out;
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare) {
		ret = -ENOMEM;
		goto out;
	}
	spare->wanted = wanted;
	bus->spare = spare;
	return mregion_bus_make_ready(bus, kvm);
out:
	mregion_windows_free(&wanted);
	return ret;
}

/* Fast doorbells ring the slow way, too, which is no reason to fail. */
static int mregion_claim_prepare_fast(struct mregion_claim *bus,
				      struct kvm *kvm)
{
	int ret = mregion_claim_ready_fast(bus, kvm);

	if (ret == -ENOMEM || ret == -ENOBUFS) {
		mregion_claim_cancel(bus);
		bus->outcome = MREGION_CLAIM_FAILS;
	} else if (!ret && !bus->spare && bus->stale) {
		bus->outcome = MREGION_CLAIM_SUITS;
	}
	return ret == -EINTR ? ret : 0;
}

/**
 * mregion_claim_prepare() - make ready to exchange a bus, if a commit needs that
 * @bus: the claim
 * @kvm: the virtual machine; a reference is held
 *
 * Return: 0; -ENOMEM, but not for fast doorbells; -EINTR. Either way
 * mregion_claim_cancel() or mregion_claim_update() follows.
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
	return mregion_bus_make_ready(bus, kvm);
}

/**
 * mregion_claim_cancel() - undo mregion_claim_prepare()
 * @bus: the claim
 */
void mregion_claim_cancel(struct mregion_claim *bus)
{
	bus->outcome = MREGION_CLAIM_STAYS;
	if (bus->spare)
		mregion_spare_free(bus->spare);
	bus->spare = NULL;
	if (mregion_bus_is_fast(bus) && !bus->windows.nr)
		mregion_attachment_uncharge_fast(bus->attachment);
}

/**
 * mregion_claim_is_prepared() - whether mregion_claim_update() has something to do
 * @bus: the claim
 */
bool mregion_claim_is_prepared(const struct mregion_claim *bus)
{
	return bus->spare || bus->outcome != MREGION_CLAIM_STAYS;
}

/* What is on the bus is right. */
static void mregion_claim_succeeds(struct mregion_claim *bus)
{
	bus->stale = false;
	if (mregion_bus_is_fast(bus))
		WRITE_ONCE(bus->dev.ops, mregion_claim_ops(bus));
}

/*
 * What is on the bus is what was right before. What windows miss exits to the VMM, which
 * is right as well. But a fast doorbell can be where by now somebody else is on the
 * memory bus, so all of them ring the slow way. The next commit tries again.
 */
static void mregion_claim_fails(struct mregion_claim *bus, int err)
{
	bus->stale = true;
	if (mregion_bus_is_fast(bus))
		WRITE_ONCE(bus->dev.ops, &mregion_bus_inert_ops);
	mregion_owner_warn(bus->machine->owner,
			   "what it has on KVM's bus %d is as it was (error %d); %s",
			   bus->index, err, mregion_bus_is_fast(bus) ?
			   "its fast doorbells ring the slow way" :
			   "what that misses exits");
}

/* Return: as mregion_bus_exchange(), or -EINTR. */
static int mregion_claim_exchange(struct mregion_claim *bus, struct kvm *kvm)
{
	struct mregion_claim_spare *spare = bus->spare;
	int ret;

	/* more devices may have come than there is memory for, or a fatal signal */
	ret = mutex_lock_killable(&kvm->slots_lock);
	if (!ret) {
		ret = mregion_bus_exchange(bus, kvm, spare,
					   mregion_bus_is_memory(bus));
		mutex_unlock(&kvm->slots_lock);
	}
	if (ret < 0) {
		mregion_claim_fails(bus, ret);
	} else {
		mregion_claim_done(bus, spare);
		mregion_claim_succeeds(bus);
	}
	return ret;
}

/* Return: whether the bus was exchanged. */
static bool mregion_claim_complete(struct mregion_claim *bus, struct kvm *kvm)
{
	bool done = false;

	if (bus->spare)
		done = !mregion_claim_exchange(bus, kvm);
	else if (bus->outcome == MREGION_CLAIM_SUITS)
		mregion_claim_succeeds(bus);
	else if (bus->outcome == MREGION_CLAIM_FAILS)
		mregion_claim_fails(bus, -ENOMEM);
	mregion_claim_cancel(bus);
	return done;
}

/**
 * mregion_claim_update() - exchange a bus, if that has been prepared
 * @bus: the claim
 * @kvm: the virtual machine; a reference is held
 */
void mregion_claim_update(struct mregion_claim *bus, struct kvm *kvm)
{
	if (mregion_claim_complete(bus, kvm))
		bus->machine->windows++;
}

/**
 * mregion_claim_renew() - exchange a bus without those of others that are there by now
 * @bus: the claim; that of fast doorbells comes after that on the memory bus
 * @kvm: the virtual machine; a reference is held
 *
 * After an error the next commit tries again.
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_claim_renew(struct mregion_claim *bus, struct kvm *kvm)
{
	int ret;

	bus->stale = true;
	ret = mregion_claim_prepare(bus, kvm);
	if (ret) {
		mregion_claim_cancel(bus);
		mregion_claim_fails(bus, ret);
		return ret;
	}
	mregion_claim_update(bus, kvm);
	/* a fatal signal; or KVM has lost the bus, for want of memory */
	return bus->stale ? -ENOMEM : 0;
}

/**
 * mregion_claim_enter_fast() - put a new attachment's fast doorbells on their bus
 * @bus: their claim
 * @kvm: the virtual machine; a reference is held
 *
 * Without an exchange of the bus they ring the slow way.
 *
 * Return: 0, -EINTR.
 */
int mregion_claim_enter_fast(struct mregion_claim *bus, struct kvm *kvm)
{
	int ret;

	bus->stale = true;
	ret = mregion_claim_prepare(bus, kvm);
	if (ret)
		mregion_claim_cancel(bus);
	else
		mregion_claim_complete(bus, kvm);
	return ret;
}
