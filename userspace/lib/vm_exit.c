// SPDX-License-Identifier: MIT
/* Exits of vCPUs, resolved. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include <linux/kvm.h>

#include "access.h"
#include "ask_kernel.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "ring_drain.h"
#include "space.h"
#include "vm.h"

/**
 * struct access - one of the accesses of an exit
 * @origin: who makes it
 * @addr: first address
 * @data: its bytes
 * @len: how many
 * @write: whether it is a write
 * @done: how many bytes of it are done
 * @ask: ask the kernel for so many bytes from @done on, whatever is there now
 * @asked: no server has any of it that is not asked by what the view says
 * @commits: the machine's counter for which @ask was decided
 * @ret: 0, or -EFAULT if a part is an error of the guest
 */
struct access {
	struct mregion_origin origin;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	bool write;
	unsigned int done;
	unsigned int ask;
	bool asked;
	unsigned int commits;
	int ret;
};

/* Whether the VMM wants to see accesses to where nothing is. */
static bool unassigned_is_for_vmm(const struct access *access)
{
	unsigned int policy = atomic_load(&access->origin.space->unassigned);

	return access->origin.vm->unassigned &&
	       (policy == MREGION_POLICY_EXIT ||
		policy == MREGION_POLICY_DEFAULT);
}

static int access_unassigned(struct access *access, uint8_t *data,
			     unsigned int len)
{
	struct mregion_vm *vm = access->origin.vm;
	struct mregion_unassigned unassigned = {
		.vm = vm,
		.vcpu = access->origin.vcpu,
		.bus = access->origin.space->bus,
		.addr = access->addr + access->done,
		.data = data,
		.len = len,
		.write = access->write,
	};

	if (!access->write)
		memset(data, 0xff, len);
	return vm->unassigned(vm->opaque, &unassigned);
}

/* Make a part; those that follow are made even if it is an error, as in QEMU. */
static void access_piece(struct access *access,
			 const struct mregion_piece *piece, bool accepted)
{
	uint8_t *data = access->data + access->done;
	int err;

	if (!piece->region && !piece->kind && unassigned_is_for_vmm(access))
		err = access_unassigned(access, data, piece->len);
	else
		err = mregion_dispatch(&access->origin, piece,
				       access->addr + access->done, accepted,
				       access->write, data);
	if (err)
		access->ret = -EFAULT;
	access->done += piece->len;
}

/*
 * Whether a server may have the access although what is there now has none: a commit
 * that is under way, or has come since that was decided, may have taken the server
 * away. To be called after the look at what is there.
 */
static bool must_ask(const struct access *access)
{
	struct mregion_machine *machine = access->origin.space->machine;

	if (access->asked || !atomic_load(&machine->servers))
		return false;
	/* In this order: a commit that ends has counted before. */
	return atomic_load(&machine->committing) ||
	       atomic_load(&machine->commits) != access->commits;
}

/*
 * Make what can be made without the kernel, all by one view. Sets @access->ask if
 * anything is left.
 */
static void access_without_kernel(struct access *access)
{
	struct mregion_space *space = access->origin.space;
	struct mregion_piece pieces[MREGION_MAX_PIECES];
	unsigned int i, nr, end, left = access->len - access->done;
	struct mregion_section section;

	mregion_section_begin(&section, &space->machine->sections);
	nr = mregion_resolve_access(space, access->addr + access->done, left,
				    access->write, pieces);
	for (end = 0; end < nr; end++)
		if (mregion_piece_asked(&pieces[end], access->write))
			break;
	if (must_ask(access))
		end = 0;
	for (i = 0; i < end; i++)
		access_piece(access, &pieces[i], false);
	for (i = 0; i < nr; i++)
		mregion_piece_put(&pieces[i]);
	mregion_section_end(&section);
	access->ask = access->len - access->done;
}

/* The kernel has left a part to the VMM. Return: false if it is to be asked again. */
static bool access_left_to_vmm(struct access *access, const struct mregion_ask *ask)
{
	struct mregion_space *space = access->origin.space;
	uint8_t *data = access->data + access->done;
	struct mregion_section section;
	struct mregion_piece piece;
	bool current;

	if (ask->outcome == MREGION_OUTCOME_REFUSED_EXIT) {
		access->ret = mregion_policy_answer(MREGION_POLICY_ERROR, data,
						    ask->part, access->write);
		access->done += ask->part;
		return true;
	}
	mregion_section_begin(&section, &space->machine->sections);
	current = mregion_ask_piece(ask, &piece);
	if (current)
		access_piece(access, &piece,
			     ask->outcome == MREGION_OUTCOME_EXIT);
	mregion_piece_put(&piece);
	mregion_section_end(&section);
	return current;
}

/* Have the kernel make a part. Return: 0, or a negative errno. */
static int access_by_kernel(struct access *access)
{
	uint64_t last = mregion_space_last(access->origin.space);
	struct mregion_ask ask = {
		.space = access->origin.space,
		.vm = access->origin.vm,
		.vcpu = access->origin.vcpu,
		.write = access->write,
		.addr = access->addr + access->done,
		.data = access->data + access->done,
		.len = access->ask,
	};
	struct mregion_piece gap = { .len = access->ask };
	int ret;

	if (ask.addr > last) {
		access_piece(access, &gap, false);
		return 0;
	}
	if (last - ask.addr < ask.len - 1)
		ask.len = last - ask.addr + 1;
	ret = mregion_ask(&ask);
	if (ret < 0) {
		access->ask = ask.part;
		return ret;
	}
	/* From here on, no server has it that is not asked by the view. */
	access->asked = true;
	if (ret)
		access->done += ask.part;
	else if (!access_left_to_vmm(access, &ask))
		sched_yield();
	return 0;
}

/*
 * Return: 0, or a negative errno; @access tells how far it got, and what a server
 * may be at.
 */
static int make_access(struct access *access)
{
	int ret;

	while (access->done < access->len) {
		if (!access->ask) {
			access_without_kernel(access);
			continue;
		}
		ret = access_by_kernel(access);
		if (ret)
			return ret;
		access->ask = 0;
	}
	access->ask = 0;
	return 0;
}

/* Where to go on with @now, if it is the exit that is @saved; that is forgotten. */
static void resume_exit(struct mregion_progress *saved,
			struct mregion_progress *now)
{
	if (!saved->interrupted)
		return;
	/* If it is another exit, the VMM has not come back as it should. */
	if (saved->addr == now->addr && saved->len == now->len &&
	    saved->pio == now->pio && saved->smm == now->smm &&
	    saved->write == now->write) {
		now->done = saved->done;
		now->part = saved->part;
		now->ret = saved->ret;
	}
	saved->interrupted = false;
}

/*
 * Make all accesses of an exit, each of @size bytes. They are to one address
 * unless there is only one.
 */
static int make_accesses(struct mregion_vm *vm, struct mregion_space *space,
			 unsigned int vcpu, struct mregion_progress *now,
			 uint8_t *data, unsigned int size)
{
	struct mregion_progress *saved = &vm->progress[vcpu];
	struct access access = {
		.origin = {
			.space = space,
			.vm = vm,
			.vcpu = vcpu,
			.source = MREGION_FROM_VCPU,
		},
		.addr = now->addr,
		.len = size,
		.write = now->write,
	};
	int ret;

	now->commits = atomic_load(&vm->machine->commits);
	resume_exit(saved, now);
	access.ask = now->part;
	access.commits = saved->commits;
	mregion_rings_drain(&vm->machine->rings);
	access.ret = now->ret;
	while (now->done < now->len) {
		access.done = now->done % size;
		access.data = data + (now->done - access.done);
		now->done -= access.done;
		ret = make_access(&access);
		if (ret) {
			now->done += access.done;
			now->part = access.ask;
			now->interrupted = true;
			now->ret = access.ret;
			now->commits = saved->commits;
			*saved = *now;
			return ret;
		}
		access.asked = true;
		now->done += size;
	}
	saved->commits = now->commits;
	return access.ret;
}

/*
 * Set in a byte of struct kvm_run that is 0 or 1 as KVM writes it at each exit: the
 * exit is resolved. What KVM_RUN leaves behind when a signal ends it is stale, and
 * not to be done again.
 */
#define RESOLVED	0x80

static int mark_resolved(int ret, uint8_t *direction)
{
	if (!ret || ret == -EFAULT)
		*direction |= RESOLVED;
	return ret;
}

/* Not ours. But what the guest has said before, such as why it ends, comes out. */
static int exit_other(struct mregion_vm *vm)
{
	mregion_rings_drain(&vm->machine->rings);
	return 1;
}

/* A vCPU has no room to log what it writes. */
static int exit_ring_full(struct mregion_vm *vm)
{
	pthread_mutex_t *lock = &vm->machine->transaction.lock;
	int ret;

	mregion_rings_drain(&vm->machine->rings);
	pthread_mutex_lock(lock);
	ret = mregion_memslots_sync_rings(&vm->memslots[0]);
	pthread_mutex_unlock(lock);
	return ret;
}

/* Whether a vCPU sees the space for SMM, as the exit says. */
static bool sees_smm(const struct mregion_vm *vm, const struct kvm_run *run)
{
#ifdef KVM_RUN_X86_SMM
	return vm->smm && run->flags & KVM_RUN_X86_SMM;
#else
	(void)vm;
	(void)run;
	return false;
#endif
}

static int exit_mmio(struct mregion_vm *vm, unsigned int vcpu,
		     struct kvm_run *run)
{
	struct mregion_progress now = {
		.addr = run->mmio.phys_addr,
		.len = run->mmio.len,
		.smm = sees_smm(vm, run),
		.write = run->mmio.is_write,
	};
	struct mregion_space *space = now.smm ? vm->smm : vm->memory;

	if (run->mmio.is_write & RESOLVED)
		return 0;
	if (!space || !now.len || now.len > sizeof(run->mmio.data))
		return exit_other(vm);
	return mark_resolved(make_accesses(vm, space, vcpu, &now, run->mmio.data,
				run->mmio.len), &run->mmio.is_write);
}

/* A string instruction exits once for many accesses to the same port. */
static int exit_io(struct mregion_vm *vm, unsigned int vcpu,
		   struct kvm_run *run)
{
	struct mregion_progress now = {
		.addr = run->io.port,
		.len = (uint64_t)run->io.size * run->io.count,
		.pio = true,
		.write = run->io.direction == KVM_EXIT_IO_OUT,
	};
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.direction & RESOLVED)
		return 0;
	if (!vm->pio || !run->io.size || run->io.size > 8)
		return exit_other(vm);
	return mark_resolved(make_accesses(vm, vm->pio, vcpu, &now, data, run->io.size),
			&run->io.direction);
}

int mregion_vm_exit(struct mregion_vm *vm, unsigned int vcpu,
		    struct kvm_run *run)
{
	if (vcpu >= MREGION_NO_VCPU)
		return mregion_fail_why(EINVAL,
			"resolve an exit of vCPU %u: there can be none of that index",
			vcpu);
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		return exit_mmio(vm, vcpu, run);
	case KVM_EXIT_IO:
		return exit_io(vm, vcpu, run);
	case KVM_EXIT_DIRTY_RING_FULL:
		return exit_ring_full(vm);
	default:
		return exit_other(vm);
	}
}
