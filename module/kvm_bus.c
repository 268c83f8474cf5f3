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
 * An attachment holds no reference to the virtual machine, which thus can be
 * closed first. KVM then calls the destructor once for each range on a bus. For
 * that there must be one: an attachment without a window on the memory bus has a
 * range at the top of it, where no guest-physical address is. Others do without,
 * as every range makes KVM's search longer.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <kvm/iodev.h>

#include "access.h"
#include "bytes.h"
#include "compat.h"
#include "kvm_bus.h"
#include "machine.h"
#include "server.h"
#include "short.h"
#include "windows.h"

#define MREGION_SENTINEL_ADDR	(~0ull - 15)
#define MREGION_SENTINEL_LEN	8

/*
 * Devices that may come onto a bus between preparing and making an exchange
 * without spoiling it.
 */
#define MREGION_BUS_SLACK	16

/**
 * struct mregion_claim_spare - what a bus is going to be exchanged for
 * @bus: the bus to be
 * @room: how many ranges fit into it
 * @wanted: the windows
 * @cut: to become the windows without what others have claimed
 */
struct mregion_claim_spare {
	struct kvm_io_bus *bus;
	u32 room;
	struct mregion_windows wanted;
	struct mregion_windows cut;
};

/**
 * struct mregion_claim - an attachment's presence on one bus
 * @dev: what KVM calls
 * @attachment: that this is part of
 * @machine: whose views answer
 * @space: the space, or NULL if the attachment leaves this bus alone
 * @hint: where among a view's ranges the one last accessed on each CPU was, in
 *	bytes
 * @slot: where @space has its view
 * @index: which of KVM's buses
 * @nr_ranges: how many ranges are on the bus; under slots_lock
 * @nr_windows: how many of them are windows
 * @nr_conflicts: how many ranges of others were cut out
 * @windows: what was wanted when the bus was exchanged last
 * @stale: that was not possible; the next commit is to try again
 * @spare: what to exchange it for, prepared by a commit, or NULL
 */
struct mregion_claim {
	struct kvm_io_device dev;
	struct mregion_attachment *attachment;
	struct mregion_machine *machine;
	struct mregion_space *space;
	u32 __percpu *hint;
	u32 slot;
	enum kvm_bus index;
	u32 nr_ranges;
	u32 nr_windows;
	u32 nr_conflicts;
	struct mregion_windows windows;
	bool stale;
	struct mregion_claim_spare *spare;
};

/**
 * struct mregion_attachment - a machine's hold on a virtual machine
 * @list: in the machine's list
 * @lock: protects @kvm and @orphan
 * @kvm: the virtual machine, or NULL when it is gone
 * @owner: the same, for no more than to compare it; never cleared
 * @orphan: the machine is gone, and the destructor is to free this
 * @gone: completed when the virtual machine is gone
 * @nr_ranges: ranges on its buses altogether
 * @memory: its memory bus
 * @pio: its I/O port bus
 */
struct mregion_attachment {
	struct list_head list;
	spinlock_t lock;	/* of @kvm and @orphan */
	struct kvm *kvm;
	const void *owner;
	bool orphan;
	struct completion gone;
	atomic_t nr_ranges;
	struct mregion_claim memory;
	struct mregion_claim pio;
};

/*
 * An RCU read-side section that is cheaper than rcu_read_lock() where that is a
 * function; and rings want preemption off anyway.
 */
static __always_inline const struct mregion_view *
mregion_bus_lock(const struct mregion_claim *bus)
{
	rcu_read_lock_sched();
	return mregion_machine_view(bus->machine, bus->slot);
}

static __always_inline void mregion_bus_unlock(void)
{
	rcu_read_unlock_sched();
}

/* Whether the range that this CPU saw last has an access as a whole. */
static __always_inline bool
mregion_bus_hint(const struct mregion_claim *bus,
		 const struct mregion_view *view, u64 addr, u32 len,
		 const struct mregion_view_range **range)
{
	u32 at = __this_cpu_read(*bus->hint);

	*range = (const void *)view->ranges + at;
	/*
	 * Where the sum wraps, which no instruction's does, the access ends
	 * behind its range, but what is done is within its region.
	 */
	return likely(at < view->bytes && addr >= (*range)->start &&
		      addr + (len - 1) <= (*range)->last);
}

/*
 * Search for the range of an access's first byte. Returns whether it has the
 * access as a whole; @range can be NULL only if not.
 */
static __always_inline bool
mregion_bus_search(const struct mregion_claim *bus,
		   const struct mregion_view *view, u64 addr, u32 len,
		   const struct mregion_view_range **range)
{
	u32 i = mregion_view_bound(view, addr);

	*range = NULL;
	if (i == view->nr || addr < view->ranges[i].start)
		return false;
	__this_cpu_write(*bus->hint, i * sizeof(view->ranges[0]));
	*range = &view->ranges[i];
	return mregion_short_whole(*range, addr, len);
}

/*
 * Make an access that the short way is not for, or have KVM hand it on. Ends
 * what mregion_bus_lock() began.
 */
static int mregion_bus_long(struct kvm_vcpu *vcpu,
			    const struct mregion_view *view,
			    const struct mregion_view_range *range,
			    struct mregion_request *request)
	__releases(RCU_SCHED)
{
	enum mregion_verdict verdict;
	enum mregion_outcome outcome;

	/* no instruction makes such, but a guest with encrypted registers can */
	if (unlikely(!request->len)) {
		mregion_bus_unlock();
		return -EOPNOTSUPP;
	}
	request->owner = vcpu->kvm;
	request->vcpu = vcpu->vcpu_idx;
	request->space = view->space->id;
	verdict = mregion_access_long(view, range, request, &outcome);
	mregion_bus_unlock();
	if (unlikely(verdict == MREGION_SERVE)) {
		if (mregion_server_call_vcpu(request->server, request))
			verdict = MREGION_DONE;
		mregion_server_put(request->server);
	}
	/* any error has KVM try the next device, and last the VMM */
	return verdict == MREGION_DONE ? 0 : -EOPNOTSUPP;
}

static noinline int mregion_bus_write_long(struct kvm_vcpu *vcpu,
					   const struct mregion_view_range *range,
					   gpa_t addr, int len, const void *val,
					   const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	struct mregion_request request = {
		.addr = addr,
		.len = len,
		.data = mregion_load(val, len),
		.write = true,
	};

	return mregion_bus_long(vcpu, view, range, &request);
}

/*
 * What follows ends what mregion_bus_lock() began, each function in its own way.
 * Every way ends in a call, or needs none, so that there is next to nothing to
 * save: saving is a fifth of what an access costs.
 */

static noinline int mregion_bus_notify(struct mregion_ring *ring, u32 first)
	__releases(RCU_SCHED)
{
	mregion_ring_notify(ring, first, 1);
	mregion_bus_unlock();
	return 0;
}

static noinline int
mregion_bus_coalesce(const struct mregion_behaviour_rule *rule,
		     const struct mregion_view_range *range, u64 offset,
		     int len, const void *val, struct kvm_vcpu *vcpu)
	__releases(RCU_SCHED)
{
	u64 first;

	if (unlikely(!mregion_short_coalesce(range, rule, offset, len, val,
					     &vcpu->vcpu_idx, &first)))
		return mregion_bus_write_long(vcpu, range,
					      range->start +
					      (offset - range->offset), len,
					      val, range->view);
	if (unlikely(mregion_ring_due(rule->ring, first, 1)))
		return mregion_bus_notify(rule->ring, first);
	mregion_bus_unlock();
	return 0;
}

static noinline int
mregion_bus_ring_bell(const struct mregion_behaviour_rule *rule,
		      const struct mregion_view_range *range, u64 offset,
		      int len, const void *val)
	__releases(RCU_SCHED)
{
	mregion_short_bell(range, rule, offset, len, val);
	mregion_bus_unlock();
	return 0;
}

static noinline int
mregion_bus_store(const struct mregion_behaviour_rule *rule,
		  const struct mregion_view_range *range, u64 offset, int len,
		  const void *val)
	__releases(RCU_SCHED)
{
	mregion_short_store(range, rule, offset, len, val);
	mregion_bus_unlock();
	return 0;
}

static __always_inline int
mregion_bus_write_by(const struct mregion_behaviour_rule *rule,
		     const struct mregion_view_range *range, u64 offset,
		     int len, const void *val, struct kvm_vcpu *vcpu)
	__releases(RCU_SCHED)
{
	if (rule->kind == MREGION_RULE_COALESCE)
		return mregion_bus_coalesce(rule, range, offset, len, val,
					    vcpu);
	if (rule->kind == MREGION_RULE_DOORBELL)
		return mregion_bus_ring_bell(rule, range, offset, len, val);
	return mregion_bus_store(rule, range, offset, len, val);
}

static noinline int
mregion_bus_write_range(struct kvm_vcpu *vcpu,
			const struct mregion_view_range *range, gpa_t addr,
			int len, const void *val,
			const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	const struct mregion_behaviour_rule *rule;
	u64 offset;

	if (unlikely(!mregion_short_find(range, addr, len, true, val, &offset,
					 &rule)))
		return mregion_bus_write_long(vcpu, range, addr, len, val,
					      view);
	return mregion_bus_write_by(rule, range, offset, len, val, vcpu);
}

/* Most regions have one rule. */
static __always_inline int
mregion_bus_write_quick(struct kvm_vcpu *vcpu,
			const struct mregion_view_range *range, gpa_t addr,
			int len, const void *val,
			const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	const struct mregion_behaviour_rule *rule;
	u64 offset;

	if (likely(mregion_short_first(range, addr, len, val, &offset, &rule)))
		return mregion_bus_write_by(rule, range, offset, len, val,
					    vcpu);
	return mregion_bus_write_range(vcpu, range, addr, len, val, view);
}

static noinline int mregion_bus_write_search(struct kvm_vcpu *vcpu,
					     const struct mregion_claim *bus,
					     gpa_t addr, int len,
					     const void *val,
					     const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_search(bus, view, addr, len, &range)))
		return mregion_bus_write_long(vcpu, range, addr, len, val,
					      view);
	return mregion_bus_write_quick(vcpu, range, addr, len, val, view);
}

static int mregion_bus_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
			     gpa_t addr, int len, const void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);
	const struct mregion_view_range *range;
	const struct mregion_view *view;

	view = mregion_bus_lock(bus);
	if (unlikely(!mregion_bus_hint(bus, view, addr, len, &range)))
		return mregion_bus_write_search(vcpu, bus, addr, len, val,
						view);
	return mregion_bus_write_quick(vcpu, range, addr, len, val, view);
}

static noinline int mregion_bus_read_long(struct kvm_vcpu *vcpu,
					  const struct mregion_view_range *range,
					  gpa_t addr, int len, void *val,
					  const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	struct mregion_request request = {
		.addr = addr,
		.len = len,
	};
	int ret = mregion_bus_long(vcpu, view, range, &request);

	if (!ret)
		mregion_save(val, len, request.data);
	return ret;
}

static __always_inline int
mregion_bus_read_range(struct kvm_vcpu *vcpu,
		       const struct mregion_view_range *range, gpa_t addr,
		       int len, void *val, const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	const struct mregion_behaviour_rule *rule;
	u64 offset;

	if (unlikely(!mregion_short_find(range, addr, len, false, val, &offset,
					 &rule)))
		return mregion_bus_read_long(vcpu, range, addr, len, val, view);
	mregion_short_read(range, rule, offset, len, val);
	mregion_bus_unlock();
	return 0;
}

static noinline int mregion_bus_read_search(struct kvm_vcpu *vcpu,
					    const struct mregion_claim *bus,
					    gpa_t addr, int len, void *val,
					    const struct mregion_view *view)
	__releases(RCU_SCHED)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_search(bus, view, addr, len, &range)))
		return mregion_bus_read_long(vcpu, range, addr, len, val, view);
	return mregion_bus_read_range(vcpu, range, addr, len, val, view);
}

static int mregion_bus_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
			    gpa_t addr, int len, void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);
	const struct mregion_view_range *range;
	const struct mregion_view *view;

	view = mregion_bus_lock(bus);
	if (unlikely(!mregion_bus_hint(bus, view, addr, len, &range)))
		return mregion_bus_read_search(vcpu, bus, addr, len, val, view);
	return mregion_bus_read_range(vcpu, range, addr, len, val, view);
}

static void mregion_attachment_free(struct mregion_attachment *attachment)
{
	free_percpu(attachment->memory.hint);
	free_percpu(attachment->pio.hint);
	kfree(attachment);
}

/* Account for ranges that are on no bus any more. */
static void mregion_attachment_drop(struct mregion_attachment *attachment,
				    u32 nr_ranges)
{
	bool orphan;

	if (!nr_ranges ||
	    !atomic_sub_and_test(nr_ranges, &attachment->nr_ranges))
		return;
	spin_lock(&attachment->lock);
	attachment->kvm = NULL;
	orphan = attachment->orphan;
	spin_unlock(&attachment->lock);
	if (orphan) {
		mregion_attachment_free(attachment);
		module_put(THIS_MODULE);
	} else {
		complete(&attachment->gone);
	}
}

/*
 * The virtual machine dies (or KVM has thrown a whole bus away because it could
 * not allocate a smaller one). May be called under slots_lock.
 */
static void mregion_bus_destructor(struct kvm_io_device *dev)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	mregion_attachment_drop(bus->attachment, 1);
}

static const struct kvm_io_device_ops mregion_bus_ops = {
	.read		= mregion_bus_read,
	.write		= mregion_bus_write,
	.destructor	= mregion_bus_destructor,
};

static int mregion_bus_decline_read(struct kvm_vcpu *vcpu,
				    struct kvm_io_device *dev, gpa_t addr,
				    int len, void *val)
{
	return -EOPNOTSUPP;
}

static int mregion_bus_decline_write(struct kvm_vcpu *vcpu,
				     struct kvm_io_device *dev, gpa_t addr,
				     int len, const void *val)
{
	return -EOPNOTSUPP;
}

/*
 * For ranges that are there for their destructor only, and those that could not
 * be taken off the bus. Functions, since KVM looks at a pointer twice, and the
 * operations may be exchanged in between.
 */
static const struct kvm_io_device_ops mregion_bus_inert_ops = {
	.read		= mregion_bus_decline_read,
	.write		= mregion_bus_decline_write,
	.destructor	= mregion_bus_destructor,
};

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

/* Put a new attachment on a bus. */
static int mregion_bus_enter(struct mregion_claim *bus, struct kvm *kvm)
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

/* Take an attachment off a bus, or make it inert there if memory is short. */
static int mregion_bus_leave(struct mregion_claim *bus, struct kvm *kvm)
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

static void mregion_bus_init(struct mregion_claim *bus, enum kvm_bus index,
			     struct mregion_attachment *attachment,
			     struct mregion_machine *machine,
			     struct mregion_space *space)
{
	/*
	 * Without a space there is a sentinel at most. No guest has memory there,
	 * but one with encrypted registers may name any address.
	 */
	kvm_iodevice_init(&bus->dev, space ? &mregion_bus_ops :
					     &mregion_bus_inert_ops);
	bus->index = index;
	bus->attachment = attachment;
	bus->machine = machine;
	bus->space = space;
	bus->slot = space ? space->slot : 0;
}

static int mregion_attachment_enter(struct mregion_attachment *attachment,
				    struct kvm *kvm)
{
	int ret = mregion_bus_enter(&attachment->memory, kvm);

	if (!ret && attachment->pio.space)
		ret = mregion_bus_enter(&attachment->pio, kvm);
	return ret;
}

/*
 * Take a reference to an attachment's virtual machine. The destructor clears
 * @kvm before the structure is freed, but from the last reference's end until
 * then there is none to be had.
 */
static struct kvm *mregion_attachment_kvm(struct mregion_attachment *attachment)
{
	struct kvm *kvm;

	spin_lock(&attachment->lock);
	kvm = attachment->kvm;
	if (kvm && !kvm_get_kvm_safe(kvm))
		kvm = NULL;
	spin_unlock(&attachment->lock);
	return kvm;
}

static void mregion_space_vms(struct mregion_attachment *attachment, int diff)
{
	if (attachment->memory.space)
		attachment->memory.space->nr_vms += diff;
	if (attachment->pio.space)
		attachment->pio.space->nr_vms += diff;
}

/* Tell servers that no more comes from its vCPUs. */
static void mregion_attachment_forget(struct mregion_attachment *attachment,
				      bool gone)
{
	struct mregion_server *server;
	unsigned long id;

	xa_for_each(&attachment->memory.machine->servers, id, server)
		mregion_server_forget(server, attachment->owner, gone);
}

/* Whose vCPU makes an access, if that is certain. */
static void mregion_attachments_set_owner(struct mregion_machine *machine)
{
	const struct mregion_attachment *attachment;
	const void *owner = NULL;

	if (list_is_singular(&machine->attachments)) {
		attachment = list_first_entry(&machine->attachments,
					      struct mregion_attachment, list);
		owner = attachment->owner;
	}
	WRITE_ONCE(machine->owner, owner);
}

/*
 * End an attachment and free it. When this returns, nothing of the machine is
 * in use by the virtual machine.
 */
static void mregion_attachment_end(struct mregion_attachment *attachment)
{
	struct mregion_machine *machine = attachment->memory.machine;
	struct kvm *kvm = mregion_attachment_kvm(attachment);
	bool orphan = false;
	int ret;

	list_del(&attachment->list);
	mregion_attachments_set_owner(machine);
	mregion_space_vms(attachment, -1);
	/* a vCPU that lives may come back for what it has left with a server */
	mregion_attachment_forget(attachment, !kvm);
	if (kvm) {
		/* until it is certain who frees this, no range is the last one */
		atomic_inc(&attachment->nr_ranges);
		ret = mregion_bus_leave(&attachment->memory, kvm);
		if (attachment->pio.space)
			ret = mregion_bus_leave(&attachment->pio, kvm) ?: ret;
		if (ret) {
			/* the destructor's code must stay */
			__module_get(THIS_MODULE);
			spin_lock(&attachment->lock);
			attachment->orphan = true;
			spin_unlock(&attachment->lock);
			orphan = true;
		}
		mregion_attachment_drop(attachment, 1);
		kvm_put_kvm(kvm);
	}
	if (orphan)
		return;
	/* if it is dying, it does not wait for us */
	wait_for_completion(&attachment->gone);
	mregion_attachment_free(attachment);
}

/**
 * mregion_attachments_reap() - forget attachments whose virtual machine is gone
 * @machine: the machine, locked
 */
void mregion_attachments_reap(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment, *next;

	list_for_each_entry_safe(attachment, next, &machine->attachments, list)
		if (completion_done(&attachment->gone))
			mregion_attachment_end(attachment);
}

static struct mregion_attachment *
mregion_attachment_alloc(struct mregion_machine *machine,
			 struct mregion_space *memory,
			 struct mregion_space *pio)
{
	struct mregion_attachment *attachment;

	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	if (!attachment)
		return NULL;
	spin_lock_init(&attachment->lock);
	init_completion(&attachment->gone);
	mregion_bus_init(&attachment->memory, KVM_MMIO_BUS, attachment,
			 machine, memory);
	mregion_bus_init(&attachment->pio, KVM_PIO_BUS, attachment, machine,
			 pio);
	attachment->memory.hint = alloc_percpu_gfp(u32, GFP_KERNEL_ACCOUNT);
	attachment->pio.hint = alloc_percpu_gfp(u32, GFP_KERNEL_ACCOUNT);
	if (!attachment->memory.hint || !attachment->pio.hint) {
		mregion_attachment_free(attachment);
		return NULL;
	}
	return attachment;
}

static struct mregion_attachment *
mregion_attachment_find(struct mregion_machine *machine, const struct kvm *kvm)
{
	struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list)
		if (READ_ONCE(attachment->kvm) == kvm)
			return attachment;
	return NULL;
}

static int mregion_attach_space(struct mregion_machine *machine, u32 id,
				u32 bus, struct mregion_space **space)
{
	*space = NULL;
	if (!id)
		return 0;
	*space = xa_load(&machine->spaces, id);
	if (!*space)
		return -ENOENT;
	return (*space)->bus == bus ? 0 : -EINVAL;
}

static int mregion_attach_kvm(struct mregion_machine *machine, struct kvm *kvm,
			      struct mregion_attach *args)
{
	struct mregion_attachment *attachment;
	struct mregion_space *memory, *pio;
	int ret;

	/* as KVM's own ioctls; the VMM's addresses mean nothing elsewhere */
	if (kvm->mm != current->mm)
		return -EPERM;
	ret = mregion_attach_space(machine, args->memory, MREGION_BUS_MEMORY,
				   &memory) ?:
	      mregion_attach_space(machine, args->pio, MREGION_BUS_PIO, &pio);
	if (ret)
		return ret;
	if (!memory && !pio)
		return -EINVAL;
	mregion_attachments_reap(machine);
	if (mregion_attachment_find(machine, kvm))
		return -EEXIST;

	attachment = mregion_attachment_alloc(machine, memory, pio);
	if (!attachment)
		return -ENOMEM;
	attachment->kvm = kvm;
	attachment->owner = kvm;
	list_add_tail(&attachment->list, &machine->attachments);
	mregion_attachments_set_owner(machine);
	mregion_space_vms(attachment, 1);
	ret = mregion_attachment_enter(attachment, kvm);
	if (ret) {
		mregion_attachment_end(attachment);
		return ret;
	}
	args->nr_windows = attachment->memory.nr_windows +
			   attachment->pio.nr_windows;
	args->nr_conflicts = attachment->memory.nr_conflicts +
			     attachment->pio.nr_conflicts;
	return 0;
}

/**
 * mregion_attach() - attach a machine to a virtual machine
 * @machine: the machine, locked
 * @args: from userspace; counts are set
 *
 * Return: 0 or a negative errno, see MREGION_ATTACH.
 */
int mregion_attach(struct mregion_machine *machine,
		   struct mregion_attach *args)
{
	struct file *file;
	int ret = -EINVAL;

	if (args->reserved || args->flags)
		return args->flags ? -EOPNOTSUPP : -EINVAL;
	file = fget(args->vm_fd);
	if (!file)
		return -EBADF;
	if (mregion_file_is_kvm(file))
		ret = mregion_attach_kvm(machine, file->private_data, args);
	fput(file);
	return ret;
}

/**
 * mregion_detach() - undo mregion_attach()
 * @machine: the machine, locked
 * @vm_fd: the virtual machine
 *
 * Return: 0, -EBADF, -ENOENT.
 */
int mregion_detach(struct mregion_machine *machine, int vm_fd)
{
	struct mregion_attachment *attachment = NULL;
	struct file *file = fget(vm_fd);

	if (!file)
		return -EBADF;
	if (mregion_file_is_kvm(file))
		attachment = mregion_attachment_find(machine,
						     file->private_data);
	if (attachment)
		mregion_attachment_end(attachment);
	fput(file);
	return attachment ? 0 : -ENOENT;
}

/**
 * mregion_detach_all() - detach a machine from every virtual machine
 * @machine: the machine, which nobody else can call any more
 */
void mregion_detach_all(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment, *next;

	list_for_each_entry_safe(attachment, next, &machine->attachments, list)
		mregion_attachment_end(attachment);
}

static void mregion_bus_stats(const struct mregion_claim *bus,
			      struct mregion_stats *stats)
{
	if (!bus->space)
		return;
	stats->conflicts += bus->nr_conflicts;
	stats->unclaimed += bus->stale ||
			    bus->windows.nr == MREGION_MAX_WINDOWS;
}

/**
 * mregion_attachments_stats() - add up what could not be claimed
 * @machine: the machine, locked
 * @stats: where to
 */
void mregion_attachments_stats(const struct mregion_machine *machine,
			       struct mregion_stats *stats)
{
	const struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list) {
		mregion_bus_stats(&attachment->memory, stats);
		mregion_bus_stats(&attachment->pio, stats);
	}
}

/* Make ready to exchange a bus, if the commit under way needs that. */
static int mregion_bus_prepare_one(struct mregion_claim *bus, struct kvm *kvm)
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
	if (!bus->stale &&
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

static void mregion_bus_cancel_one(struct mregion_claim *bus)
{
	if (!bus->spare)
		return;
	kfree(bus->spare->bus);
	kfree(bus->spare);
	bus->spare = NULL;
}

static void mregion_bus_update_one(struct mregion_claim *bus, struct kvm *kvm)
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
	mregion_bus_cancel_one(bus);
}

/**
 * mregion_bus_prepare() - make ready to claim what a commit needs claimed
 * @machine: the machine, locked; its spaces have their pending views
 *
 * Return: 0, -ENOMEM or -EINTR; either way mregion_bus_cancel() or mregion_bus_update()
 * follows.
 */
int mregion_bus_prepare(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment;
	int ret = 0;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct kvm *kvm = mregion_attachment_kvm(attachment);

		if (!kvm)
			continue;
		ret = mregion_bus_prepare_one(&attachment->memory, kvm) ?:
		      mregion_bus_prepare_one(&attachment->pio, kvm);
		kvm_put_kvm(kvm);
		if (ret)
			break;
	}
	return ret;
}

/**
 * mregion_bus_cancel() - forget what was made ready
 * @machine: the machine, locked
 */
void mregion_bus_cancel(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list) {
		mregion_bus_cancel_one(&attachment->memory);
		mregion_bus_cancel_one(&attachment->pio);
	}
}

/**
 * mregion_bus_update() - claim what a commit needs claimed
 * @machine: the machine, locked
 *
 * Called after the new views have been published: an access that no window
 * takes yet exits to the VMM, which is always right.
 */
void mregion_bus_update(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct kvm *kvm;

		if (!attachment->memory.spare && !attachment->pio.spare)
			continue;
		kvm = mregion_attachment_kvm(attachment);
		if (!kvm)
			continue;
		mregion_bus_update_one(&attachment->memory, kvm);
		mregion_bus_update_one(&attachment->pio, kvm);
		kvm_put_kvm(kvm);
	}
	mregion_bus_cancel(machine);
}
