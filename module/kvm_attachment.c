// SPDX-License-Identifier: GPL-2.0
/*
 * Attachments: machines' holds on virtual machines.
 *
 * An attachment holds no reference to the virtual machine, which thus can be
 * closed first: the destructor of its ranges on KVM's buses tells of that.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "budget.h"
#include "compat.h"
#include "event.h"
#include "kvm_attachment.h"
#include "kvm_bus.h"
#include "machine.h"
#include "server.h"
#include "trace.h"

/* With both buses, and one to be exchanged for each, of as many ranges as KVM has. */
static u64 mregion_attachment_bytes(void)
{
	return sizeof(struct mregion_attachment) +
	       2 * sizeof(struct mregion_hint) * num_possible_cpus() +
	       4 * (sizeof(struct kvm_io_bus) +
		    NR_IOBUS_DEVS * sizeof(struct kvm_io_range));
}

/* With their list and two buses, as for the others, but for what KVM has there. */
static u64 mregion_attachment_fast_bytes(void)
{
	return MREGION_MAX_FAST * (sizeof(struct mregion_window) +
				   2 * sizeof(struct kvm_io_range));
}

/**
 * mregion_attachment_charge_fast() - charge the memory of fast doorbells, once
 * @attachment: the attachment; its machine is locked
 *
 * Return: 0 or -ENOBUFS.
 */
int mregion_attachment_charge_fast(struct mregion_attachment *attachment)
{
	int ret;

	if (attachment->fast_charged)
		return 0;
	ret = mregion_budget_charge(attachment->budget,
				    mregion_attachment_fast_bytes());
	attachment->fast_charged = !ret;
	return ret;
}

/**
 * mregion_attachment_uncharge_fast() - undo mregion_attachment_charge_fast()
 * @attachment: the attachment, which has no fast doorbells; or it ends
 */
void mregion_attachment_uncharge_fast(struct mregion_attachment *attachment)
{
	if (attachment->fast_charged)
		mregion_budget_uncharge(attachment->budget,
					mregion_attachment_fast_bytes());
	attachment->fast_charged = false;
}

static void mregion_attachment_free(struct mregion_attachment *attachment)
{
	mregion_windows_free(&attachment->memory.windows);
	mregion_windows_free(&attachment->pio.windows);
	mregion_windows_free(&attachment->fast.windows);
	mregion_budget_uncharge(attachment->budget, mregion_attachment_bytes());
	mregion_attachment_uncharge_fast(attachment);
	mregion_budget_put(attachment->budget);
	free_percpu(attachment->memory.hint);
	free_percpu(attachment->pio.hint);
	put_pid(attachment->pid);
	kfree_rcu(attachment, rcu);
}

/**
 * mregion_attachment_drop() - account for ranges that are on no bus any more
 * @attachment: the attachment; with its last range it may be freed
 * @nr_ranges: how many
 *
 * May be called under the virtual machine's slots_lock.
 */
void mregion_attachment_drop(struct mregion_attachment *attachment,
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

static int mregion_attachment_enter(struct mregion_attachment *attachment,
				    struct kvm *kvm)
{
	int ret = mregion_claim_enter(&attachment->memory, kvm);

	if (!ret && attachment->pio.space)
		ret = mregion_claim_enter(&attachment->pio, kvm);
	if (!ret)
		ret = mregion_claim_enter_fast(&attachment->fast, kvm);
	return ret;
}

/*
 * Take a reference to an attachment's virtual machine. The destructor clears
 * @kvm before the structure is freed, but from the last reference's end until
 * then there is none to be had.
 *
 * Whoever has it may also put ranges on a bus. So it counts as a range: when KVM loses a
 * bus for want of memory, with all ranges that the attachment has, the virtual machine is
 * not taken for gone while another bus is about to get some, which nobody would take off.
 */
static struct kvm *mregion_attachment_get(struct mregion_attachment *attachment)
{
	bool counts, held;
	struct kvm *kvm;

	spin_lock(&attachment->lock);
	kvm = attachment->kvm;
	counts = kvm && atomic_inc_not_zero(&attachment->nr_ranges);
	held = counts && kvm_get_kvm_safe(kvm);
	spin_unlock(&attachment->lock);
	if (counts && !held)
		mregion_attachment_drop(attachment, 1);
	return held ? kvm : NULL;
}

/* Undo that. An attachment that has ended may be freed. */
static void mregion_attachment_put(struct mregion_attachment *attachment,
				   struct kvm *kvm)
{
	mregion_attachment_drop(attachment, 1);
	kvm_put_kvm(kvm);
}

static void mregion_space_vms(struct mregion_attachment *attachment, int diff)
{
	if (attachment->memory.space)
		attachment->memory.space->nr_vms += diff;
	if (attachment->pio.space)
		attachment->pio.space->nr_vms += diff;
	if (attachment->memory.smm)
		attachment->memory.smm->nr_vms += diff;
}

/* Tell servers that no more comes from its vCPUs. */
static void mregion_attachment_forget(struct mregion_attachment *attachment)
{
	struct mregion_server *server;
	unsigned long id;

	xa_for_each(&attachment->memory.machine->servers, id, server)
		mregion_server_forget(server, attachment->owner);
}

/*
 * End an attachment and free it. When this returns, nothing of the machine is
 * in use by the virtual machine.
 */
static void mregion_attachment_end(struct mregion_attachment *attachment)
{
	struct kvm *kvm = mregion_attachment_get(attachment);
	bool orphan = false;
	int ret;

	list_del_rcu(&attachment->list);
	mregion_space_vms(attachment, -1);
	if (kvm) {
		ret = mregion_claim_leave(&attachment->memory, kvm);
		if (attachment->pio.space)
			ret = mregion_claim_leave(&attachment->pio, kvm) ?: ret;
		if (attachment->fast.nr_ranges)
			ret = mregion_claim_leave(&attachment->fast, kvm) ?: ret;
		if (ret) {
			/* the destructor's code must stay */
			__module_get(THIS_MODULE);
			spin_lock(&attachment->lock);
			attachment->orphan = true;
			spin_unlock(&attachment->lock);
			orphan = true;
		}
	}
	mregion_attachment_forget(attachment);
	if (kvm)
		mregion_attachment_put(attachment, kvm);
	if (orphan)
		return;
	/* if it is dying, it does not wait for us */
	wait_for_completion(&attachment->gone);
	mregion_attachment_free(attachment);
}

static struct mregion_vm
mregion_attachment_vm(const struct mregion_attachment *attachment)
{
	const struct mregion_space *memory = attachment->memory.space;
	const struct mregion_space *pio = attachment->pio.space;

	return (struct mregion_vm) {
		.id = attachment->id,
		.pid = attachment->pid,
		.memory = memory ? memory->id : 0,
		.pio = pio ? pio->id : 0,
		.smm = attachment->smm,
	};
}

static void mregion_attachment_detach(struct mregion_attachment *attachment)
{
	struct mregion_machine *machine = attachment->memory.machine;
	struct mregion_vm vm = mregion_attachment_vm(attachment);

	trace_mregion_detach(machine, completion_done(&attachment->gone));
	get_pid(vm.pid);
	mregion_attachment_end(attachment);
	mregion_event_vm(machine, MREGION_CMD_DETACHED, &vm);
	put_pid(vm.pid);
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
			mregion_attachment_detach(attachment);
}

/* What an attachment is to show; each or NULL. */
struct mregion_attach_spaces {
	struct mregion_space *memory;
	struct mregion_space *pio;
	struct mregion_space *smm;
};

static struct mregion_attachment *
mregion_attachment_alloc(struct mregion_machine *machine,
			 const struct mregion_attach_spaces *spaces)
{
	struct mregion_attachment *attachment;
	int ret = mregion_budget_charge(machine->budget,
					mregion_attachment_bytes());

	if (ret)
		return ERR_PTR(ret);
	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	if (!attachment) {
		mregion_budget_uncharge(machine->budget,
					mregion_attachment_bytes());
		return ERR_PTR(-ENOMEM);
	}
	mregion_budget_get(machine->budget);
	attachment->budget = machine->budget;
	spin_lock_init(&attachment->lock);
	init_completion(&attachment->gone);
	/* who makes it counts as mregion_attachment_get() does */
	atomic_set(&attachment->nr_ranges, 1);
	/* one that is the same in both modes needs no look at the mode */
	mregion_claim_init(&attachment->memory, KVM_MMIO_BUS, attachment,
			   machine, spaces->memory,
			   spaces->smm != spaces->memory ? spaces->smm : NULL);
	mregion_claim_init(&attachment->pio, KVM_PIO_BUS, attachment, machine,
			   spaces->pio, NULL);
	mregion_claim_init(&attachment->fast, KVM_FAST_MMIO_BUS, attachment,
			   machine, spaces->memory, attachment->memory.smm);
	attachment->smm = spaces->smm ? spaces->smm->id : 0;
	attachment->memory.hint = alloc_percpu_gfp(struct mregion_hint,
						   GFP_KERNEL_ACCOUNT);
	attachment->pio.hint = alloc_percpu_gfp(struct mregion_hint,
						GFP_KERNEL_ACCOUNT);
	attachment->fast.hint = attachment->memory.hint;
	if (!attachment->memory.hint || !attachment->pio.hint) {
		mregion_attachment_free(attachment);
		return ERR_PTR(-ENOMEM);
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

static int mregion_attach_spaces(struct mregion_machine *machine,
				 const struct mregion_attach *args,
				 struct mregion_attach_spaces *spaces)
{
	int ret;

	if (args->smm && !mregion_has_smm())
		return -EOPNOTSUPP;
	ret = mregion_attach_space(machine, args->memory, MREGION_BUS_MEMORY,
				   &spaces->memory) ?:
	      mregion_attach_space(machine, args->pio, MREGION_BUS_PIO,
				   &spaces->pio) ?:
	      mregion_attach_space(machine, args->smm, MREGION_BUS_MEMORY,
				   &spaces->smm);
	if (ret)
		return ret;
	if (spaces->smm && !spaces->memory)
		return -EINVAL;
	return spaces->memory || spaces->pio ? 0 : -EINVAL;
}

/* How much of each kind a survey tells of; by enum mregion_claim_kind. */
struct mregion_survey_count {
	u32 nr[MREGION_CLAIM_SLOW + 1];
};

static void mregion_survey_count(void *to,
				 const struct mregion_finding *finding)
{
	struct mregion_survey_count *count = to;

	count->nr[finding->kind]++;
}

/* Add what a claim has at present. Nothing if the virtual machine is gone. */
static int mregion_claim_count(const struct mregion_claim *bus, struct kvm *kvm,
			       struct mregion_survey_count *count)
{
	struct mregion_survey survey = {};
	int ret;

	if (!bus->space)
		return 0;
	ret = mregion_bus_survey(bus, kvm, &survey) ?:
	      mregion_survey_walk(&survey, mregion_survey_count, count);
	mregion_survey_free(&survey);
	return ret;
}

static int mregion_attachment_count(struct mregion_attachment *attachment,
				    struct mregion_survey_count *count)
{
	struct kvm *kvm = mregion_attachment_get(attachment);
	int ret;

	if (!kvm)
		return 0;
	ret = mregion_claim_count(&attachment->memory, kvm, count) ?:
	      mregion_claim_count(&attachment->pio, kvm, count);
	mregion_attachment_put(attachment, kvm);
	return ret;
}

static int mregion_attach_kvm(struct mregion_machine *machine, struct kvm *kvm,
			      struct mregion_attach *args)
{
	struct mregion_survey_count count = {};
	struct mregion_attachment *attachment;
	struct mregion_attach_spaces spaces;
	struct mregion_vm vm;
	int ret;

	/* as KVM's own ioctls; the VMM's addresses mean nothing elsewhere */
	if (kvm->mm != current->mm)
		return -EPERM;
	ret = mregion_attach_spaces(machine, args, &spaces);
	if (ret)
		return ret;
	mregion_attachments_reap(machine);
	if (mregion_attachment_find(machine, kvm))
		return -EEXIST;

	attachment = mregion_attachment_alloc(machine, &spaces);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	attachment->kvm = kvm;
	attachment->owner = kvm;
	attachment->id = ++machine->last_vm;
	attachment->pid = get_pid(task_tgid(current));
	list_add_tail_rcu(&attachment->list, &machine->attachments);
	mregion_space_vms(attachment, 1);
	ret = mregion_attachment_enter(attachment, kvm) ?:
	      mregion_attachment_count(attachment, &count);
	mregion_attachment_drop(attachment, 1);
	if (ret) {
		mregion_attachment_end(attachment);
		return ret;
	}
	args->nr_windows = count.nr[MREGION_CLAIM_WINDOW];
	args->nr_conflicts = count.nr[MREGION_CLAIM_CONFLICT];
	vm = mregion_attachment_vm(attachment);
	mregion_event_vm(machine, MREGION_CMD_ATTACHED, &vm);
	return 0;
}

/** mregion_attach_features() - what of enum mregion_feature depends on KVM */
u64 mregion_attach_features(void)
{
	return MREGION_FEATURE_ATTACH |
	       (mregion_has_smm() ? MREGION_FEATURE_SMM : 0);
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

	if (args->flags)
		return -EOPNOTSUPP;
	file = fget(args->vm_fd);
	if (!file)
		return -EBADF;
	if (mregion_file_is_kvm(file))
		ret = mregion_attach_kvm(machine, file->private_data, args);
	fput(file);
	return ret;
}

/**
 * mregion_attachment_owner() - what stands for a virtual machine
 * @machine: the machine; its lock is not needed
 * @vm_fd: the virtual machine
 * @owner: set to struct mregion_request.owner of its vCPUs
 *
 * Return: 0, -EBADF, or -ENOENT if @machine is not attached to it.
 */
int mregion_attachment_owner(struct mregion_machine *machine, int vm_fd,
			     const void **owner)
{
	const struct mregion_attachment *attachment;
	struct file *file = fget(vm_fd);
	int ret = -EBADF;

	if (!file)
		return -EBADF;
	if (mregion_file_is_kvm(file)) {
		ret = -ENOENT;
		rcu_read_lock();
		list_for_each_entry_rcu(attachment, &machine->attachments, list)
			if (READ_ONCE(attachment->kvm) == file->private_data) {
				*owner = attachment->owner;
				ret = 0;
			}
		rcu_read_unlock();
	}
	fput(file);
	return ret;
}

/**
 * mregion_attachment_is_there() - whether a virtual machine is attached still
 * @machine: the machine; its lock is not needed
 * @owner: as mregion_attachment_owner() has set it
 *
 * Does without the descriptor, the number of which may be another file's by now.
 */
bool mregion_attachment_is_there(struct mregion_machine *machine,
				 const void *owner)
{
	const struct mregion_attachment *attachment;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(attachment, &machine->attachments, list)
		if (attachment->owner == owner && READ_ONCE(attachment->kvm))
			found = true;
	rcu_read_unlock();
	return found;
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
		mregion_attachment_detach(attachment);
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
		mregion_attachment_detach(attachment);
}

/**
 * mregion_attachments_stats() - add up what is not claimed at present
 * @machine: the machine, locked
 * @stats: where to
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_attachments_stats(struct mregion_machine *machine,
			      struct mregion_stats *stats)
{
	struct mregion_attachment *attachment;
	int ret;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct mregion_survey_count count = {};

		ret = mregion_attachment_count(attachment, &count);
		if (ret)
			return ret;
		stats->conflicts += count.nr[MREGION_CLAIM_CONFLICT];
		stats->unclaimed += count.nr[MREGION_CLAIM_UNCLAIMED];
		stats->fast += count.nr[MREGION_CLAIM_FAST];
		stats->slow += count.nr[MREGION_CLAIM_SLOW];
	}
	return 0;
}

/**
 * mregion_attachments_walk() - tell of all attachments
 * @machine: the machine, locked
 * @tell: called for each
 * @to: passed to it
 */
void mregion_attachments_walk(struct mregion_machine *machine,
			      mregion_vm_tell *tell, void *to)
{
	struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct mregion_vm vm = mregion_attachment_vm(attachment);

		tell(to, &vm);
	}
}

/* What mregion_survey_walk() tells is passed on with whose it is. */
struct mregion_claim_teller {
	mregion_claim_tell *tell;
	void *to;
	u32 vm;
	u32 bus;
};

static void mregion_claim_finding(void *to,
				  const struct mregion_finding *finding)
{
	const struct mregion_claim_teller *teller = to;

	teller->tell(teller->to, teller->vm, teller->bus, finding);
}

static int mregion_claim_walk(const struct mregion_claim *claim,
			      struct kvm *kvm,
			      struct mregion_claim_teller *teller)
{
	struct mregion_survey survey = {};
	int ret;

	ret = mregion_bus_survey(claim, kvm, &survey) ?:
	      mregion_survey_walk(&survey, mregion_claim_finding, teller);
	mregion_survey_free(&survey);
	return ret;
}

static struct mregion_claim *
mregion_attachment_claim(struct mregion_attachment *attachment, u32 bus)
{
	return bus == MREGION_BUS_PIO ? &attachment->pio : &attachment->memory;
}

/**
 * mregion_attachments_survey() - tell what is claimed, and what is not
 * @machine: the machine, locked
 * @vm: number of the only attachment to tell of, or 0 for all
 * @buses: which buses; bit n for enum mregion_bus n
 * @tell: called for each finding
 * @to: passed to it
 *
 * Return: 0; -ENOENT: there is no attachment @vm; -ENOMEM, -EINTR.
 */
int mregion_attachments_survey(struct mregion_machine *machine, u32 vm,
			       u32 buses, mregion_claim_tell *tell, void *to)
{
	struct mregion_claim_teller teller = { .tell = tell, .to = to };
	struct mregion_attachment *attachment;
	bool found = !vm;
	int ret = 0;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct kvm *kvm;

		if (vm && vm != attachment->id)
			continue;
		found = true;
		kvm = mregion_attachment_get(attachment);
		if (!kvm)
			continue;
		teller.vm = attachment->id;
		for (teller.bus = MREGION_BUS_MEMORY;
		     teller.bus <= MREGION_BUS_PIO && !ret; teller.bus++) {
			const struct mregion_claim *claim =
				mregion_attachment_claim(attachment,
							 teller.bus);

			if (claim->space && buses >> teller.bus & 1)
				ret = mregion_claim_walk(claim, kvm, &teller);
		}
		mregion_attachment_put(attachment, kvm);
		if (ret)
			return ret;
	}
	return found ? 0 : -ENOENT;
}

/**
 * mregion_attachment_survey() - look what is on a virtual machine's bus
 * @machine: the machine, locked
 * @vm_fd: the virtual machine
 * @bus: enum mregion_bus
 * @renew: whether to exchange the bus first
 * @survey: zeroed; set to what is there
 *
 * Return: 0 or a negative errno, see MREGION_CLAIMS. Either way
 * mregion_survey_free() follows.
 */
int mregion_attachment_survey(struct mregion_machine *machine, int vm_fd,
			      u32 bus, bool renew,
			      struct mregion_survey *survey)
{
	struct mregion_attachment *attachment = NULL;
	struct file *file = fget(vm_fd);
	struct mregion_claim *claim;
	int ret = -ENOENT;
	struct kvm *kvm;

	if (!file)
		return -EBADF;
	if (mregion_file_is_kvm(file))
		attachment = mregion_attachment_find(machine,
						     file->private_data);
	kvm = attachment ? mregion_attachment_get(attachment) : NULL;
	if (!kvm)
		goto out;
	claim = mregion_attachment_claim(attachment, bus);
	if (claim->space) {
		ret = renew ? mregion_claim_renew(claim, kvm) : 0;
		if (!ret && renew && bus == MREGION_BUS_MEMORY)
			ret = mregion_claim_renew(&attachment->fast, kvm);
		if (!ret)
			ret = mregion_bus_survey(claim, kvm, survey);
	}
	mregion_attachment_put(attachment, kvm);
out:
	fput(file);
	return ret;
}

/**
 * mregion_attachments_prepare() - make ready to claim what a commit needs claimed
 * @machine: the machine, locked; its spaces have their pending views
 *
 * Return: 0, -ENOMEM or -EINTR; either way mregion_attachments_cancel() or
 * mregion_attachments_update() follows.
 */
int mregion_attachments_prepare(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment;
	int ret = 0;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct kvm *kvm = mregion_attachment_get(attachment);

		if (!kvm)
			continue;
		ret = mregion_claim_prepare(&attachment->memory, kvm) ?:
		      mregion_claim_prepare(&attachment->pio, kvm) ?:
		      mregion_claim_prepare(&attachment->fast, kvm);
		mregion_attachment_put(attachment, kvm);
		if (ret)
			break;
	}
	return ret;
}

/**
 * mregion_attachments_cancel() - forget what was made ready
 * @machine: the machine, locked
 */
void mregion_attachments_cancel(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list) {
		mregion_claim_cancel(&attachment->memory);
		mregion_claim_cancel(&attachment->pio);
		mregion_claim_cancel(&attachment->fast);
	}
}

/**
 * mregion_attachments_update() - claim what a commit needs claimed
 * @machine: the machine, locked
 *
 * Called after the new views have been published: an access that no window
 * takes yet exits to the VMM, which is always right.
 */
void mregion_attachments_update(struct mregion_machine *machine)
{
	struct mregion_attachment *attachment;

	list_for_each_entry(attachment, &machine->attachments, list) {
		struct kvm *kvm;

		if (!mregion_claim_is_prepared(&attachment->memory) &&
		    !mregion_claim_is_prepared(&attachment->pio) &&
		    !mregion_claim_is_prepared(&attachment->fast))
			continue;
		kvm = mregion_attachment_get(attachment);
		if (!kvm)
			continue;
		mregion_claim_update(&attachment->memory, kvm);
		mregion_claim_update(&attachment->pio, kvm);
		mregion_claim_update(&attachment->fast, kvm);
		mregion_attachment_put(attachment, kvm);
	}
	mregion_attachments_cancel(machine);
}
