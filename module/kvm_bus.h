/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internal to kvm_*.c, the files that depend on KVM's structures; other files
 * include kvm_attachment.h.
 */
#ifndef MREGION_KVM_BUS_H
#define MREGION_KVM_BUS_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/spinlock.h>

#include <kvm/iodev.h>

#include "survey.h"
#include "windows.h"

struct mregion_attachment;
struct mregion_machine;
struct mregion_request;
struct mregion_space;
struct mregion_view;
struct mregion_view_range;

/* kvm_device.c: the device on KVM's bus */
extern const struct kvm_io_device_ops mregion_bus_ops;
extern const struct kvm_io_device_ops mregion_bus_port_ops;
extern const struct kvm_io_device_ops mregion_bus_smm_ops;
extern const struct kvm_io_device_ops mregion_bus_fast_ops;
extern const struct kvm_io_device_ops mregion_bus_fast_smm_ops;
extern const struct kvm_io_device_ops mregion_bus_inert_ops;

/**
 * struct mregion_claim_spare - the memory for exchanging a bus
 * @wanted: the windows, or fast doorbells
 * @nr_others: how many ranges of others there is memory for in the following members
 * @taken: to become the ranges of others
 * @cut: to become the windows without these
 * @bus: to become the bus
 */
struct mregion_claim_spare {
	struct mregion_windows wanted;
	u32 nr_others;
	struct mregion_windows taken;
	struct mregion_windows cut;
	struct kvm_io_bus *bus;
};

/**
 * struct mregion_hint - what a CPU remembers of its last access
 * @view: struct mregion_view.id of the view that it was made by; no other view can be
 *	taken for it, wherever that is in memory
 * @range: the range, which is there as long as that view is
 */
struct mregion_hint {
	u64 view;
	const struct mregion_view_range *range;
};

/**
 * enum mregion_claim_outcome - what becomes of a bus that is not exchanged by a commit
 * @MREGION_CLAIM_STAYS: it stays as it is, right or not
 * @MREGION_CLAIM_SUITS: it is right, whatever was missed before
 * @MREGION_CLAIM_FAILS: it will be wrong, as there was no memory
 */
enum mregion_claim_outcome {
	MREGION_CLAIM_STAYS,
	MREGION_CLAIM_SUITS,
	MREGION_CLAIM_FAILS,
};

/**
 * struct mregion_claim - an attachment's presence on one bus
 * @dev: the device on KVM's bus
 * @attachment: the attachment that this is part of
 * @machine: the machine whose views answer
 * @space: the space, or NULL if the attachment does not use this bus
 * @smm: the space that vCPUs in SMM see instead, or NULL
 * @hint: for each CPU, the range last accessed, whichever space's it is
 * @slot: slot of @space in the map
 * @smm_slot: likewise of @smm
 * @index: enum kvm_bus
 * @nr_ranges: how many ranges are on the bus; under slots_lock
 * @windows: the windows, or fast doorbells, wanted at the last exchange of the bus
 * @truncated: since then as many may have been wanted as there can be, or more
 * @stale: the last exchange was not possible; the next commit is to try again
 * @spare: memory for the exchange, prepared by a commit, or NULL
 * @outcome: of preparing fast doorbells, if there is no @spare
 */
struct mregion_claim {
	struct kvm_io_device dev;
	struct mregion_attachment *attachment;
	struct mregion_machine *machine;
	struct mregion_space *space;
	struct mregion_space *smm;
	struct mregion_hint __percpu *hint;
	u32 slot;
	u32 smm_slot;
	enum kvm_bus index;
	u32 nr_ranges;
	struct mregion_windows windows;
	bool truncated;
	bool stale;
	struct mregion_claim_spare *spare;
	enum mregion_claim_outcome outcome;
};

/**
 * struct mregion_attachment - a machine's hold on a virtual machine
 * @list: in the machine's list, by RCU
 * @rcu: frees it
 * @lock: protects @kvm and @orphan
 * @kvm: the virtual machine, or NULL when it is gone
 * @owner: the same, for no more than to compare it; never cleared
 * @id: its number in the machine
 * @pid: the process that made it; a reference
 * @orphan: the machine is gone, and the destructor is to free this
 * @gone: completed when the virtual machine is gone
 * @nr_ranges: ranges on its buses altogether, and one for each who may put some there; once
 *	it is 0, it stays so
 * @memory: its memory bus
 * @pio: its I/O port bus
 * @fast: its fast doorbells on the bus for those, to which others may be added at any
 *	time; shares @hint with @memory
 * @fast_charged: memory for them is charged
 * @smm: ID of the space that was given for SMM, or 0; it may be that of @memory, which
 *	then has none of its own for it
 * @budget: that it is charged to; a reference, as it may outlive the machine
 */
struct mregion_attachment {
	struct list_head list;
	struct rcu_head rcu;
	spinlock_t lock;	/* of @kvm and @orphan */
	struct kvm *kvm;
	const void *owner;
	u32 id;
	struct pid *pid;
	bool orphan;
	struct completion gone;
	atomic_t nr_ranges;
	struct mregion_claim memory;
	struct mregion_claim pio;
	struct mregion_claim fast;
	bool fast_charged;
	u32 smm;
	struct mregion_budget *budget;
};

/* KVM looks at this bus before it knows more of an access than its address. */
static inline bool mregion_bus_is_fast(const struct mregion_claim *bus)
{
	return bus->index == KVM_FAST_MMIO_BUS;
}

static inline bool mregion_bus_is_memory(const struct mregion_claim *bus)
{
	return bus->index == KVM_MMIO_BUS;
}

/* kvm_bus.c: KVM's buses */
void mregion_spare_drop(struct mregion_claim_spare *spare);
void mregion_spare_free(struct mregion_claim_spare *spare);
int mregion_bus_make_ready(struct mregion_claim *bus, struct kvm *kvm);
int mregion_bus_exchange(struct mregion_claim *bus, struct kvm *kvm,
			 struct mregion_claim_spare *spare, bool sentinel);
int mregion_bus_survey(const struct mregion_claim *bus, struct kvm *kvm,
		       struct mregion_survey *survey);

/* kvm_claim.c: what a machine is to have on them */
void mregion_claim_init(struct mregion_claim *bus, enum kvm_bus index,
			struct mregion_attachment *attachment,
			struct mregion_machine *machine,
			struct mregion_space *space, struct mregion_space *smm);
const struct mregion_view *
mregion_claim_smm_view(const struct mregion_claim *bus);
int mregion_claim_enter(struct mregion_claim *bus, struct kvm *kvm);
int mregion_claim_enter_fast(struct mregion_claim *bus, struct kvm *kvm);
int mregion_claim_leave(struct mregion_claim *bus, struct kvm *kvm);
int mregion_claim_prepare(struct mregion_claim *bus, struct kvm *kvm);
void mregion_claim_cancel(struct mregion_claim *bus);
bool mregion_claim_is_prepared(const struct mregion_claim *bus);
void mregion_claim_update(struct mregion_claim *bus, struct kvm *kvm);
int mregion_claim_renew(struct mregion_claim *bus, struct kvm *kvm);

/* kvm_pass.c: devices of KVM's that have come later */
bool mregion_bus_pass(struct kvm_vcpu *vcpu, enum kvm_bus index,
		      struct mregion_request *request);

/* kvm_attachment.c: the virtual machines */
int mregion_attachment_charge_fast(struct mregion_attachment *attachment);
void mregion_attachment_uncharge_fast(struct mregion_attachment *attachment);
void mregion_attachment_drop(struct mregion_attachment *attachment,
			     u32 nr_ranges);

#endif /* MREGION_KVM_BUS_H */
