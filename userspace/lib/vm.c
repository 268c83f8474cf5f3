// SPDX-License-Identifier: MIT
/* Attaching to KVM virtual machines. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "space.h"
#include "vm.h"

/* What a vCPU sees that uses the slots of one of KVM's address spaces. */
static struct mregion_space *space_of(const struct mregion_vm *vm, unsigned int i)
{
	return i ? vm->smm : vm->memory;
}

static int update_slots(struct mregion_vm *vm)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < MREGION_ADDRESS_SPACES && !ret; i++)
		if (space_of(vm, i))
			ret = mregion_memslots_update(&vm->memslots[i],
						      space_of(vm, i));
	return ret;
}

static int detach_in_kernel(const struct mregion_vm *vm)
{
	struct mregion_detach arg = {
		.size = sizeof(arg),
		.vm_fd = vm->fd,
	};

	return ioctl(vm->machine->fd, MREGION_DETACH, &arg) ? errno : 0;
}

static int attach_in_kernel(struct mregion_vm *vm)
{
	struct mregion_attach arg = {
		.size = sizeof(arg),
		.vm_fd = vm->fd,
		.memory = vm->memory ? vm->memory->id : 0,
		.pio = vm->pio ? vm->pio->id : 0,
		.smm = vm->smm ? vm->smm->id : 0,
	};

	return ioctl(vm->machine->fd, MREGION_ATTACH, &arg) ? errno : 0;
}

/* The kernel has refused it: what for, if that can be told. */
static const char *attach_reason(const struct mregion_vm *vm, int err)
{
	switch (err) {
	case EBADF:
		return "vm_fd is not open";
	case EEXIST:
		return "the machine is attached to it already";
	case ENOENT:
		return "a space is not committed yet";
	case EPERM:
		return "another process has created it";
	case EINVAL:
		break;
	default:
		return NULL;
	}
	if (vm->memory && vm->memory->bus != MREGION_BUS_MEMORY)
		return "the space for its memory is one of ports";
	if (vm->pio && vm->pio->bus != MREGION_BUS_PIO)
		return "the space for its ports is one of memory";
	if (vm->smm && vm->smm->bus != MREGION_BUS_MEMORY)
		return "the space for its memory in SMM is one of ports";
	if (vm->smm && !vm->memory)
		return "there is a space for its memory in SMM, and none out of it";
	if (!vm->memory && !vm->pio)
		return "there is neither a space for its memory nor one for its ports";
	return "vm_fd is no virtual machine's";
}

/* Those of all of KVM's address spaces that are the library's; none is set yet. */
static int init_slots(struct mregion_vm *vm,
		      const struct mregion_attach_params *params)
{
	unsigned int i;
	int ret = 0;

	/* What is above the number is the address space. */
	if (params->nr_slots && params->first_slot >> MREGION_SLOT_SPACE)
		ret = -EINVAL;
	for (i = 0; i < MREGION_ADDRESS_SPACES && !ret; i++)
		ret = mregion_memslots_init(&vm->memslots[i], &vm->log, vm->fd,
					    params->first_slot |
					    i << MREGION_SLOT_SPACE,
					    params->nr_slots);
	if (ret == -EINVAL)
		return mregion_fail_why(EINVAL,
			"attach to a virtual machine: KVM has no memory slot %u",
			params->first_slot);
	if (ret)
		return mregion_fail(-ret, "attach to a virtual machine");
	if (vm->smm && params->nr_slots &&
	    ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) <
	    MREGION_ADDRESS_SPACES)
		return mregion_fail_why(EOPNOTSUPP,
			"attach to a virtual machine: KVM has no memory slots for SMM");
	return 0;
}

/* Which slots there are, and set them. Return: 0 or a negative errno. */
static int add_slots(struct mregion_vm *vm,
		     const struct mregion_attach_params *params)
{
	int ret = init_slots(vm, params);
	unsigned int i;
	int err;

	if (ret)
		return ret;
	if (!params->pause != !params->resume ||
	    (params->dirty_ring_bytes && !params->pause))
		return mregion_fail_why(EINVAL,
			"attach to a virtual machine: pause and resume go together, and dirty rings with them");
	err = mregion_kvm_log_init(&vm->log, vm->fd, vm->machine->page_size,
				   params->dirty_ring_bytes);
	if (err)
		return mregion_fail(-err,
			"attach to a virtual machine with dirty rings of %u bytes",
			params->dirty_ring_bytes);
	for (i = 0; i < MREGION_ADDRESS_SPACES; i++) {
		vm->memslots[i].pause = params->pause;
		vm->memslots[i].resume = params->resume;
		vm->memslots[i].opaque = params->opaque;
		vm->log.memslots[i] = &vm->memslots[i];
	}
	return update_slots(vm);
}

static void remove_slots(struct mregion_vm *vm)
{
	unsigned int i;

	for (i = 0; i < MREGION_ADDRESS_SPACES; i++)
		mregion_memslots_destroy(&vm->memslots[i]);
	mregion_kvm_log_destroy(&vm->log);
}

struct mregion_vm *mregion_attach(struct mregion_machine *machine,
				  const struct mregion_attach_params *params)
{
	char text[MREGION_ERROR_SIZE];
	struct mregion_vm *vm;
	int err = ENOMEM;

	if (mregion_need(machine, MREGION_FEATURE_ATTACH |
			 (params->smm ? MREGION_FEATURE_SMM : 0),
			 "attach to a virtual machine"))
		return NULL;
	vm = calloc(1, sizeof(*vm));
	/* For all vCPUs there can be; what is not used takes no memory. */
	if (vm)
		vm->progress = calloc(MREGION_NO_VCPU, sizeof(*vm->progress));
	if (!vm || !vm->progress) {
		mregion_fail(err, "attach to a virtual machine");
		goto free_vm;
	}
	vm->machine = machine;
	vm->fd = params->vm_fd;
	vm->memory = params->memory;
	vm->pio = params->pio;
	vm->smm = params->smm;
	vm->unassigned = params->unassigned;
	vm->opaque = params->opaque;

	/* No commit may come between the slots and the list. */
	pthread_mutex_lock(&machine->transaction.lock);
	err = attach_in_kernel(vm);
	if (err) {
		mregion_fail_reason(err, "attach to a virtual machine",
				    attach_reason(vm, err));
		goto unlock;
	}
	err = -add_slots(vm, params);
	if (err)
		goto detach;
	vm->next = machine->vms;
	machine->vms = vm;
	pthread_mutex_unlock(&machine->transaction.lock);
	return vm;

detach:
	detach_in_kernel(vm);
unlock:
	pthread_mutex_unlock(&machine->transaction.lock);
	free(vm->progress);
	/* That may fail, too; what is told is why it was not attached. */
	mregion_error_save(text);
	remove_slots(vm);
	mregion_error_restore(err, text);
free_vm:
	free(vm);
	errno = err;
	return NULL;
}

void mregion_detach(struct mregion_vm *vm)
{
	struct mregion_machine *machine;
	struct mregion_vm **link;
	unsigned int i;

	if (!vm)
		return;
	machine = vm->machine;
	pthread_mutex_lock(&machine->transaction.lock);
	for (link = &machine->vms; *link != vm; link = &(*link)->next)
		;
	*link = vm->next;
	/* KVM's log ends with the slots. */
	for (i = 0; i < MREGION_ADDRESS_SPACES && machine->logged; i++)
		mregion_memslots_save_logs(&vm->memslots[i]);
	/* An error means that the virtual machine has gone before. */
	detach_in_kernel(vm);
	remove_slots(vm);
	pthread_mutex_unlock(&machine->transaction.lock);
	free(vm->progress);
	free(vm);
}

int mregion_vm_sync(struct mregion_vm *vm)
{
	int ret = mregion_memslots_sync(&vm->memslots[0]), err = 0;

	/* A vCPU has one ring for all. */
	if (!vm->log.ring_bytes)
		err = mregion_memslots_sync(&vm->memslots[1]);
	return ret ? ret : err;
}

int mregion_vms_follow(struct mregion_machine *machine)
{
	struct mregion_space *space;
	struct mregion_vm *vm;
	int ret = 0, err;
	unsigned int i;

	for (vm = machine->vms; vm; vm = vm->next) {
		for (i = 0; i < MREGION_ADDRESS_SPACES; i++) {
			space = space_of(vm, i);
			err = space ? mregion_memslots_follow(&vm->memslots[i],
							      space) : 0;
			ret = ret ? ret : err;
		}
	}
	return ret;
}

void mregion_machine_set_strict_slots(struct mregion_machine *machine,
				      bool strict)
{
	pthread_mutex_lock(&machine->transaction.lock);
	machine->strict_slots = strict;
	pthread_mutex_unlock(&machine->transaction.lock);
}

int mregion_vm_slots_error(const struct mregion_vm *vm)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;
	unsigned int i;
	int ret = 0;

	pthread_mutex_lock(lock);
	for (i = 0; i < MREGION_ADDRESS_SPACES && !ret; i++) {
		ret = vm->memslots[i].error;
		if (ret)
			mregion_error_restore(-ret, vm->memslots[i].error_text);
	}
	pthread_mutex_unlock(lock);
	return ret;
}

static void list_slots(const struct mregion_memslots *memslots,
		       struct mregion_slot *slots, size_t nr)
{
	const struct mregion_memslot *slot;
	size_t i;

	for (i = 0; i < memslots->nr && i < nr; i++) {
		slot = &memslots->slots[i];
		slots[i] = (struct mregion_slot){
			.gpa = slot->gpa,
			.size = slot->size,
			.offset = slot->offset,
			.slot = memslots->first + slot->slot,
			.flags = slot->flags,
		};
		/* Of one that was freed the handle is gone. */
		if (!atomic_load(&slot->region->freed))
			slots[i].region = slot->region;
	}
}

size_t mregion_vm_slots(struct mregion_vm *vm, struct mregion_slot *slots,
			size_t nr)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;
	size_t total = 0;
	unsigned int i;

	pthread_mutex_lock(lock);
	for (i = 0; i < MREGION_ADDRESS_SPACES; i++) {
		if (total < nr)
			list_slots(&vm->memslots[i], slots + total, nr - total);
		total += vm->memslots[i].nr;
	}
	pthread_mutex_unlock(lock);
	return total;
}

int mregion_vm_add_vcpu(struct mregion_vm *vm, unsigned int vcpu, int vcpu_fd)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;
	int ret = 0;

	if (vcpu >= MREGION_NO_VCPU)
		return mregion_fail_why(EINVAL,
			"add vCPU %u: there can be none of that index", vcpu);
	pthread_mutex_lock(lock);
	if (vm->log.ring_bytes)
		ret = mregion_kvm_log_add(&vm->log, vcpu, vcpu_fd);
	pthread_mutex_unlock(lock);
	return ret ? mregion_fail(-ret, "map the dirty ring of vCPU %u", vcpu) :
		     0;
}

void mregion_vm_slot_stats(struct mregion_vm *vm, struct mregion_slot_stats *stats)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;
	unsigned int i;

	pthread_mutex_lock(lock);
	*stats = (struct mregion_slot_stats){ 0 };
	for (i = 0; i < MREGION_ADDRESS_SPACES; i++) {
		stats->changes += vm->memslots[i].changed;
		stats->pauses += vm->memslots[i].pauses;
	}
	pthread_mutex_unlock(lock);
}

static void count_claims(struct mregion_claims *claims)
{
	size_t i;

	for (i = 0; i < claims->nr; i++) {
		switch (claims->claims[i].kind) {
		case MREGION_CLAIM_WINDOW:
			claims->nr_windows++;
			break;
		case MREGION_CLAIM_CONFLICT:
			claims->nr_conflicts++;
			break;
		case MREGION_CLAIM_UNCLAIMED:
			claims->nr_unclaimed++;
			break;
		}
	}
}

struct mregion_claims *mregion_vm_claims(struct mregion_vm *vm,
					 enum mregion_bus bus, uint32_t flags)
{
	static const char what[] = "list what is claimed on a virtual machine's bus";
	struct mregion_claims *claims = NULL;
	int err = mregion_kernel_claims(vm->machine->fd, vm->fd, bus, flags,
					&claims);

	if (err) {
		mregion_fail_reason(-err, what, NULL);
		return NULL;
	}
	count_claims(claims);
	return claims;
}
