// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM calls: the way of a vCPU's access from KVM's bus to a rule.
 */
#include <linux/kvm_host.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include <kvm/iodev.h>

#include "access.h"
#include "bytes.h"
#include "compat.h"
#include "fast.h"
#include "kvm_bus.h"
#include "machine.h"
#include "server.h"
#include "short.h"

/*
 * An RCU read-side section that is cheaper than rcu_read_lock() where that is a
 * function; and rings want preemption off anyway. rcu_read_lock_sched() would
 * have lockdep object to the locks of an eventfd, which are not raw.
 */
static __always_inline const struct mregion_view *
mregion_bus_lock(const struct mregion_claim *bus)
{
	preempt_disable();
	return mregion_machine_view(bus->machine, bus->slot);
}

/*
 * The same for a vCPU of which another space is seen in SMM. The operations of other
 * claims are others, so that no access pays for the question that has no need of it.
 */
static __always_inline const struct mregion_view *
mregion_bus_lock_mode(const struct mregion_claim *bus,
		      const struct kvm_vcpu *vcpu)
{
	preempt_disable();
	return mregion_machine_view(bus->machine,
				    mregion_vcpu_is_in_smm(vcpu) ?
				    bus->smm_slot : bus->slot);
}

static __always_inline void mregion_bus_unlock(void)
{
	preempt_enable();
}

/*
 * Whether a range has an access as a whole. Where the sum wraps, which no
 * instruction's does, the access ends behind its range, but what is done is within
 * its region.
 */
static __always_inline bool
mregion_bus_has(const struct mregion_view_range *range, u64 addr, u32 len)
{
	return addr >= range->start && addr + (len - 1) <= range->last;
}

/* Whether the range that this CPU saw last has an access as a whole. */
static __always_inline bool
mregion_bus_hint(const struct mregion_claim *bus,
		 const struct mregion_view *view, u64 addr, u32 len,
		 const struct mregion_view_range **range)
{
	const struct mregion_hint *hint = this_cpu_ptr(bus->hint);

	*range = hint->range;
	return likely(hint->view == view->id &&
		      mregion_bus_has(*range, addr, len));
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
	struct mregion_hint *hint = this_cpu_ptr(bus->hint);

	*range = mregion_view_bound(view, addr);
	if (unlikely(!*range || !mregion_bus_has(*range, addr, len))) {
		/* the access may begin there nevertheless */
		if (*range && !mregion_bus_has(*range, addr, 1))
			*range = NULL;
		return false;
	}
	hint->view = view->id;
	hint->range = *range;
	return true;
}

/*
 * Whether an access is the rest of one whose beginning exits. KVM makes an access
 * that crosses a page in two, and tries both before it exits for the first. The
 * server may be at that still, and is to see the rest when the VMM has it.
 *
 * Says yes once too often, which costs an exit, if a vCPU's last access was such
 * and this one's instruction is not emulated (encrypted registers).
 */
static bool mregion_bus_is_rest(const struct kvm_vcpu *vcpu, gpa_t addr)
{
	const struct kvm_mmio_fragment *first = &vcpu->mmio_fragments[0];

	return vcpu->mmio_nr_fragments == 1 &&
	       IS_ALIGNED(addr, PAGE_SIZE) &&
	       IS_ALIGNED(first->gpa + first->len, PAGE_SIZE);
}

/*
 * Whether KVM has others on the bus than when windows were claimed. KVM may have made a
 * new one at the address of ours, which it has freed. If that has as many ranges, too,
 * what is missed exits.
 */
static bool mregion_bus_has_changed(const struct kvm_vcpu *vcpu,
				    const struct mregion_space *space,
				    enum kvm_bus index)
{
	const struct kvm_io_bus *bus =
		srcu_dereference(vcpu->kvm->buses[index], &vcpu->kvm->srcu);

	return bus != READ_ONCE(space->published) ||
	       (bus && bus->dev_count != READ_ONCE(space->published_nr));
}

/* Whether an access is as well made by somebody else. */
static bool mregion_bus_yields(enum mregion_verdict verdict,
			       const struct mregion_request *request)
{
	return verdict == MREGION_EXIT ||
	       (verdict == MREGION_DONE && !request->effect);
}

/*
 * Make an access that the short way is not for, or have KVM hand it on. Ends
 * what mregion_bus_lock() began.
 */
static int mregion_bus_long(struct kvm_vcpu *vcpu,
			    const struct mregion_view *view,
			    const struct mregion_view_range *range,
			    struct mregion_request *request)
{
	enum mregion_verdict verdict;
	enum mregion_outcome outcome;
	enum kvm_bus index;
	bool rest, changed;
	int ret;

	/* no instruction makes such, but a guest with encrypted registers can */
	if (unlikely(!request->len)) {
		mregion_bus_unlock();
		return -EOPNOTSUPP;
	}
	request->owner = vcpu->kvm;
	request->vcpu = vcpu->vcpu_idx;
	request->space = view->space->id;
	request->machine = view->space->machine;
	verdict = mregion_access_long(view, range, request, &outcome);
	rest = verdict == MREGION_SERVE &&
	       view->space->bus == MREGION_BUS_MEMORY &&
	       mregion_bus_is_rest(vcpu, request->addr);
	BUILD_BUG_ON((u32)KVM_MMIO_BUS != (u32)MREGION_BUS_MEMORY ||
		     (u32)KVM_PIO_BUS != (u32)MREGION_BUS_PIO);
	index = view->space->bus;
	changed = mregion_bus_has_changed(vcpu, view->space, index);
	mregion_bus_unlock();
	if (unlikely(verdict == MREGION_SERVE)) {
		ret = rest ? -EAGAIN :
		      mregion_server_call_vcpu(request->server, request);
		if (!ret)
			verdict = MREGION_DONE;
		else if (ret == -ENODEV)
			mregion_access_left(request);
		mregion_server_put(request->server);
	} else if (unlikely(changed) && mregion_bus_yields(verdict, request) &&
		   mregion_bus_pass(vcpu, index, request)) {
		verdict = MREGION_DONE;
	}
	/* any error has KVM try the next device, and last the VMM */
	return verdict == MREGION_DONE ? 0 : -EOPNOTSUPP;
}

static noinline int mregion_bus_write_long(struct kvm_vcpu *vcpu,
					   const struct mregion_view_range *range,
					   gpa_t addr, int len, const void *val,
					   const struct mregion_view *view)
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
{
	mregion_ring_notify(ring, first, 1);
	mregion_bus_unlock();
	return 0;
}

/* The view may be another one by now; it is as good. */
static noinline int mregion_bus_write_again(struct kvm_vcpu *vcpu,
					    const struct mregion_space *space,
					    gpa_t addr, int len, const void *val)
{
	const struct mregion_view *view;

	view = mregion_machine_view(space->machine, space->slot);
	return mregion_bus_write_long(vcpu, mregion_view_find(view, addr), addr,
				      len, val, view);
}

static noinline int
mregion_bus_coalesce(const struct mregion_behaviour_rule *rule,
		     const struct mregion_view_range *range, u64 offset,
		     int len, const void *val, struct kvm_vcpu *vcpu)
{
	u64 first;

	if (unlikely(!mregion_short_coalesce(range, rule, offset, len, val,
					     &vcpu->vcpu_idx, &first)))
		return mregion_bus_write_again(vcpu, range->space,
					       offset - range->delta, len, val);
	if (unlikely(mregion_ring_due(rule->ring, first, 1)))
		return mregion_bus_notify(rule->ring, first);
	mregion_bus_unlock();
	return 0;
}

static noinline int
mregion_bus_ring_bell(const struct mregion_behaviour_rule *rule,
		      const struct mregion_view_range *range, u64 offset,
		      int len, const void *val)
{
	mregion_short_bell(range, rule, offset, len, val);
	mregion_bus_unlock();
	return 0;
}

static noinline int
mregion_bus_store(const struct mregion_behaviour_rule *rule,
		  const struct mregion_view_range *range, u64 offset, int len,
		  const void *val)
{
	mregion_short_store(range, rule, offset, len, val);
	mregion_bus_unlock();
	return 0;
}

static __always_inline int
mregion_bus_write_by(const struct mregion_behaviour_rule *rule,
		     const struct mregion_view_range *range, u64 offset,
		     int len, const void *val, struct kvm_vcpu *vcpu)
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
{
	u64 offset;

	if (likely(mregion_short_first(range, addr, len, true, val,
				       &offset)))
		return mregion_bus_write_by(range->first, range, offset, len,
					    val, vcpu);
	return mregion_bus_write_range(vcpu, range, addr, len, val, view);
}

static noinline int mregion_bus_write_search(struct kvm_vcpu *vcpu,
					     const struct mregion_claim *bus,
					     gpa_t addr, int len,
					     const void *val,
					     const struct mregion_view *view)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_search(bus, view, addr, len, &range)))
		return mregion_bus_write_long(vcpu, range, addr, len, val,
					      view);
	return mregion_bus_write_quick(vcpu, range, addr, len, val, view);
}

static __always_inline int
mregion_bus_write_view(struct kvm_vcpu *vcpu, const struct mregion_claim *bus,
		       const struct mregion_view *view, gpa_t addr, int len,
		       const void *val)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_hint(bus, view, addr, len, &range)))
		return mregion_bus_write_search(vcpu, bus, addr, len, val,
						view);
	return mregion_bus_write_quick(vcpu, range, addr, len, val, view);
}

static __always_inline int
mregion_bus_write_any(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
		      gpa_t addr, int len, const void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	return mregion_bus_write_view(vcpu, bus, mregion_bus_lock(bus), addr,
				      len, val);
}

static int mregion_bus_write_port(struct kvm_vcpu *vcpu,
				  struct kvm_io_device *dev, gpa_t addr,
				  int len, const void *val)
{
	return mregion_bus_write_any(vcpu, dev, addr, len, val);
}

/*
 * The beginning of the instruction's access is still to be completed by the VMM, so
 * no rule may complete the rest before.
 */
static noinline int mregion_bus_write_rest(struct kvm_vcpu *vcpu,
					   struct kvm_io_device *dev,
					   gpa_t addr, int len,
					   const void *val)
{
	if (mregion_bus_is_rest(vcpu, addr))
		return -EOPNOTSUPP;
	return mregion_bus_write_any(vcpu, dev, addr, len, val);
}

static int mregion_bus_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
			     gpa_t addr, int len, const void *val)
{
	if (unlikely(vcpu->mmio_nr_fragments))
		return mregion_bus_write_rest(vcpu, dev, addr, len, val);
	return mregion_bus_write_any(vcpu, dev, addr, len, val);
}

static int mregion_bus_write_smm(struct kvm_vcpu *vcpu,
				 struct kvm_io_device *dev, gpa_t addr, int len,
				 const void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	/* as mregion_bus_write_rest() */
	if (mregion_bus_is_rest(vcpu, addr))
		return -EOPNOTSUPP;
	return mregion_bus_write_view(vcpu, bus,
				      mregion_bus_lock_mode(bus, vcpu), addr,
				      len, val);
}

static noinline int mregion_bus_read_long(struct kvm_vcpu *vcpu,
					  const struct mregion_view_range *range,
					  gpa_t addr, int len, void *val,
					  const struct mregion_view *view)
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

static noinline int
mregion_bus_read_range(struct kvm_vcpu *vcpu,
		       const struct mregion_view_range *range, gpa_t addr,
		       int len, void *val, const struct mregion_view *view)
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

/*
 * Another rule than the one that was found last may be for it. The view may be another one
 * by now; it is as good.
 */
static noinline int
mregion_bus_read_again(struct kvm_vcpu *vcpu,
		       const struct mregion_view_range *range, gpa_t addr,
		       int len, void *val)
{
	const struct mregion_space *space = range->space;
	const struct mregion_view *view;

	if (mregion_short_indexed(range, addr, len, val)) {
		mregion_bus_unlock();
		return 0;
	}
	view = mregion_machine_view(space->machine, space->slot);
	range = mregion_view_find(view, addr);
	if (!range || !mregion_short_whole(range, addr, len))
		return mregion_bus_read_long(vcpu, range, addr, len, val, view);
	return mregion_bus_read_range(vcpu, range, addr, len, val, view);
}

/* A read that is not the first rule's, unless that has an index. */
static noinline int
mregion_bus_read_other(struct kvm_vcpu *vcpu,
		       const struct mregion_view_range *range, gpa_t addr,
		       int len, void *val, const struct mregion_view *view)
{
	if (!mregion_rule_is_indexed(range->first))
		return mregion_bus_read_range(vcpu, range, addr, len, val,
					      view);
	/* without @view there are registers enough */
	if (!mregion_short_recent(range, addr, len, val))
		return mregion_bus_read_again(vcpu, range, addr, len, val);
	mregion_bus_unlock();
	return 0;
}

static __always_inline int
mregion_bus_read_quick(struct kvm_vcpu *vcpu,
		       const struct mregion_view_range *range, gpa_t addr,
		       int len, void *val, const struct mregion_view *view)
{
	u64 offset;

	if (unlikely(!mregion_short_first(range, addr, len, false, NULL,
					  &offset)))
		return mregion_bus_read_other(vcpu, range, addr, len, val,
					      view);
	mregion_short_read(range, range->first, offset, len, val);
	mregion_bus_unlock();
	return 0;
}

static noinline int mregion_bus_read_search(struct kvm_vcpu *vcpu,
					    const struct mregion_claim *bus,
					    gpa_t addr, int len, void *val,
					    const struct mregion_view *view)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_search(bus, view, addr, len, &range)))
		return mregion_bus_read_long(vcpu, range, addr, len, val, view);
	return mregion_bus_read_quick(vcpu, range, addr, len, val, view);
}

static __always_inline int
mregion_bus_read_view(struct kvm_vcpu *vcpu, const struct mregion_claim *bus,
		      const struct mregion_view *view, gpa_t addr, int len,
		      void *val)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_hint(bus, view, addr, len, &range)))
		return mregion_bus_read_search(vcpu, bus, addr, len, val, view);
	return mregion_bus_read_quick(vcpu, range, addr, len, val, view);
}

static int mregion_bus_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
			    gpa_t addr, int len, void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	return mregion_bus_read_view(vcpu, bus, mregion_bus_lock(bus), addr,
				     len, val);
}

static int mregion_bus_read_smm(struct kvm_vcpu *vcpu,
				struct kvm_io_device *dev, gpa_t addr, int len,
				void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	return mregion_bus_read_view(vcpu, bus, mregion_bus_lock_mode(bus, vcpu),
				     addr, len, val);
}

/*
 * What follows ends what mregion_bus_lock() began, and returns an error where there is
 * no fast bell (any more, or not yet): KVM then goes on as without this bus, and does
 * what the view says.
 */

static noinline int mregion_bus_decline_fast(void)
{
	mregion_bus_unlock();
	return -EOPNOTSUPP;
}

static __always_inline int
mregion_bus_ring_fast_rule(const struct mregion_view_range *range,
			   const struct mregion_behaviour_rule *rule)
{
	mregion_count(&mregion_region_of(range->node)->counters,
		      MREGION_OUTCOME_DOORBELL);
	mregion_eventfd_signal(rule->eventfd);
	mregion_bus_unlock();
	return 0;
}

static noinline int
mregion_bus_ring_fast_traced(struct kvm_vcpu *vcpu,
			     const struct mregion_view_range *range, gpa_t addr,
			     const struct mregion_behaviour_rule *rule)
{
	const struct mregion_space *space = range->space;
	const struct mregion_request request = {
		.owner = vcpu->kvm,
		.machine = space->machine,
		.space = space->id,
		.vcpu = vcpu->vcpu_idx,
		.addr = addr,
		.write = true,
	};

	mregion_access_trace_fast(range, &request);
	return mregion_bus_ring_fast_rule(range, rule);
}

/* One that is not the first rule of its range, or is traced. */
static noinline int
mregion_bus_ring_fast_long(struct kvm_vcpu *vcpu,
			   const struct mregion_view_range *range, gpa_t addr)
{
	const struct mregion_behaviour_rule *rule;

	if (!mregion_range_is_fast(range))
		return mregion_bus_decline_fast();
	rule = mregion_behaviour_any_len(range->behaviour, addr + range->delta);
	if (!rule || !(rule->flags & MREGION_RULE_FAST))
		return mregion_bus_decline_fast();
	if (static_branch_unlikely(&mregion_traced_short))
		return mregion_bus_ring_fast_traced(vcpu, range, addr, rule);
	return mregion_bus_ring_fast_rule(range, rule);
}

/* Many regions have one bell. */
static __always_inline int
mregion_bus_ring_fast_range(struct kvm_vcpu *vcpu,
			    const struct mregion_view_range *range, gpa_t addr)
{
	const struct mregion_behaviour_rule *rule = range->first;

	if (static_branch_unlikely(&mregion_traced_short) ||
	    unlikely(rule->offset != addr + range->delta ||
		     !(rule->flags & MREGION_RULE_FAST)))
		return mregion_bus_ring_fast_long(vcpu, range, addr);
	return mregion_bus_ring_fast_rule(range, rule);
}

static noinline int
mregion_bus_ring_fast_search(struct kvm_vcpu *vcpu,
			     const struct mregion_claim *bus,
			     const struct mregion_view *view, gpa_t addr)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_search(bus, view, addr, 1, &range)))
		return mregion_bus_decline_fast();
	return mregion_bus_ring_fast_range(vcpu, range, addr);
}

static __always_inline int
mregion_bus_ring_fast(struct kvm_vcpu *vcpu, const struct mregion_claim *bus,
		      const struct mregion_view *view, gpa_t addr)
{
	const struct mregion_view_range *range;

	if (unlikely(!mregion_bus_hint(bus, view, addr, 1, &range)))
		return mregion_bus_ring_fast_search(vcpu, bus, view, addr);
	return mregion_bus_ring_fast_range(vcpu, range, addr);
}

/* An access of which nothing is known but that it begins at @addr. */
static int mregion_bus_write_fast(struct kvm_vcpu *vcpu,
				  struct kvm_io_device *dev, gpa_t addr,
				  int len, const void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	return mregion_bus_ring_fast(vcpu, bus, mregion_bus_lock(bus), addr);
}

static int mregion_bus_write_fast_smm(struct kvm_vcpu *vcpu,
				      struct kvm_io_device *dev, gpa_t addr,
				      int len, const void *val)
{
	struct mregion_claim *bus = container_of(dev, struct mregion_claim, dev);

	return mregion_bus_ring_fast(vcpu, bus, mregion_bus_lock_mode(bus, vcpu),
				     addr);
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

const struct kvm_io_device_ops mregion_bus_ops = {
	.read		= mregion_bus_read,
	.write		= mregion_bus_write,
	.destructor	= mregion_bus_destructor,
};

/* Where vCPUs in SMM see another space than those out of it. */
const struct kvm_io_device_ops mregion_bus_smm_ops = {
	.read		= mregion_bus_read_smm,
	.write		= mregion_bus_write_smm,
	.destructor	= mregion_bus_destructor,
};

/* Accesses to ports do not come in fragments. */
const struct kvm_io_device_ops mregion_bus_port_ops = {
	.read		= mregion_bus_read,
	.write		= mregion_bus_write_port,
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

/* KVM does not read by way of this bus. */
const struct kvm_io_device_ops mregion_bus_fast_ops = {
	.read		= mregion_bus_decline_read,
	.write		= mregion_bus_write_fast,
	.destructor	= mregion_bus_destructor,
};

const struct kvm_io_device_ops mregion_bus_fast_smm_ops = {
	.read		= mregion_bus_decline_read,
	.write		= mregion_bus_write_fast_smm,
	.destructor	= mregion_bus_destructor,
};

/*
 * For ranges that are there for their destructor only, and those that could not
 * be taken off the bus. Functions, since KVM looks at a pointer twice, and the
 * operations may be exchanged in between.
 */
const struct kvm_io_device_ops mregion_bus_inert_ops = {
	.read		= mregion_bus_decline_read,
	.write		= mregion_bus_decline_write,
	.destructor	= mregion_bus_destructor,
};
