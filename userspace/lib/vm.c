// SPDX-License-Identifier: MIT
/* Attaching to KVM virtual machines. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "space.h"
#include "vm.h"

static int update_slots(struct mregion_vm *vm)
{
	return vm->memory ? mregion_memslots_update(&vm->memslots, vm->memory)
			  : 0;
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
	if (!vm->memory && !vm->pio)
		return "there is neither a space for its memory nor one for its ports";
	return "vm_fd is no virtual machine's";
}

/* Which slots there are, and set them. Return: 0 or a negative errno. */
static int add_slots(struct mregion_vm *vm,
		     const struct mregion_attach_params *params)
{
	int ret = mregion_memslots_init(&vm->memslots, vm->fd,
					params->first_slot, params->nr_slots);
	int err;

	if (ret == -EINVAL)
		return mregion_fail_why(EINVAL,
			"attach to a virtual machine: KVM has no memory slot %u",
			params->first_slot);
	if (ret)
		return mregion_fail(-ret, "attach to a virtual machine");
	if (!params->pause != !params->resume ||
	    (params->dirty_ring_bytes && !params->pause))
		return mregion_fail_why(EINVAL,
			"attach to a virtual machine: pause and resume go together, and dirty rings with them");
	vm->memslots.pause = params->pause;
	vm->memslots.resume = params->resume;
	vm->memslots.opaque = params->opaque;
	err = mregion_kvm_log_init(&vm->memslots.log, vm->fd,
				   vm->machine->page_size,
				   params->dirty_ring_bytes);
	if (err)
		return mregion_fail(-err,
			"attach to a virtual machine with dirty rings of %u bytes",
			params->dirty_ring_bytes);
	return update_slots(vm);
}

struct mregion_vm *mregion_attach(struct mregion_machine *machine,
				  const struct mregion_attach_params *params)
{
	char text[MREGION_ERROR_SIZE];
	struct mregion_vm *vm;
	int err = ENOMEM;

	if (mregion_need(machine, MREGION_FEATURE_ATTACH,
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
	mregion_memslots_destroy(&vm->memslots);
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

	if (!vm)
		return;
	machine = vm->machine;
	pthread_mutex_lock(&machine->transaction.lock);
	for (link = &machine->vms; *link != vm; link = &(*link)->next)
		;
	*link = vm->next;
	/* KVM's log ends with the slots. */
	if (machine->logged)
		mregion_memslots_save_logs(&vm->memslots);
	/* An error means that the virtual machine has gone before. */
	detach_in_kernel(vm);
	mregion_memslots_destroy(&vm->memslots);
	pthread_mutex_unlock(&machine->transaction.lock);
	free(vm->progress);
	free(vm);
}

int mregion_vms_follow(struct mregion_machine *machine)
{
	struct mregion_vm *vm;
	int ret = 0, err;

	for (vm = machine->vms; vm; vm = vm->next) {
		err = vm->memory ? mregion_memslots_follow(&vm->memslots,
							   vm->memory) : 0;
		ret = ret ? ret : err;
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
	int ret;

	pthread_mutex_lock(lock);
	ret = vm->memslots.error;
	if (ret)
		mregion_error_restore(-ret, vm->memslots.error_text);
	pthread_mutex_unlock(lock);
	return ret;
}

size_t mregion_vm_slots(struct mregion_vm *vm, struct mregion_slot *slots,
			size_t nr)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;
	const struct mregion_memslot *slot;
	size_t i, total;

	pthread_mutex_lock(lock);
	total = vm->memslots.nr;
	for (i = 0; i < total && i < nr; i++) {
		slot = &vm->memslots.slots[i];
		slots[i] = (struct mregion_slot){
			.gpa = slot->gpa,
			.size = slot->size,
			.offset = slot->offset,
			.slot = vm->memslots.first + slot->slot,
			.flags = slot->flags,
		};
		/* Of one that was freed the handle is gone. */
		if (!atomic_load(&slot->region->freed))
			slots[i].region = slot->region;
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
	if (vm->memslots.log.ring_bytes)
		ret = mregion_kvm_log_add(&vm->memslots.log, vcpu, vcpu_fd);
	pthread_mutex_unlock(lock);
	return ret ? mregion_fail(-ret, "map the dirty ring of vCPU %u", vcpu) :
		     0;
}

void mregion_vm_slot_stats(struct mregion_vm *vm, struct mregion_slot_stats *stats)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;

	pthread_mutex_lock(lock);
	stats->changes = vm->memslots.changed;
	stats->pauses = vm->memslots.pauses;
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
