// SPDX-License-Identifier: MIT
/* Exits of vCPUs, resolved. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include <linux/kvm.h>

#include "dispatch.h"
#include "machine.h"
#include "mregion.h"
#include "progress.h"
#include "region.h"
#include "resolve.h"
#include "served.h"
#include "space.h"
#include "vm.h"

/**
 * struct access - one of the accesses of an exit
 * @vm: that made it
 * @space: it is made in
 * @vcpu: index of the vCPU
 * @addr: first address
 * @data: its bytes
 * @len: how many
 * @write: whether it is a write
 * @done: how many bytes of it are done
 * @ask: so many bytes from @done on a server may have already, whatever is there
 *	now: ask first
 * @asked: that is out of the question
 * @commits: the machine's counter for which @ask was decided
 * @left: if it is this that comes next, the kernel has left that to the VMM
 * @ret: 0, or -EFAULT if a part is an error of the guest
 */
struct access {
	struct mregion_vm *vm;
	struct mregion_space *space;
	unsigned int vcpu;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	bool write;
	unsigned int done;
	unsigned int ask;
	bool asked;
	unsigned int commits;
	struct mregion_seen left;
	int ret;
};

/* Whether the VMM wants to see an access to what is at @piece. */
static bool is_for_vmm(const struct access *access,
		       const struct mregion_piece *piece)
{
	unsigned int policy = access->space->unassigned;

	return access->vm->unassigned && !piece->region &&
	       (policy == MREGION_POLICY_EXIT ||
		policy == MREGION_POLICY_DEFAULT);
}

static int access_unassigned(struct access *access, uint8_t *data,
			     unsigned int len)
{
	struct mregion_unassigned unassigned = {
		.vm = access->vm,
		.vcpu = access->vcpu,
		.bus = access->space->bus,
		.addr = access->addr + access->done,
		.data = data,
		.len = len,
		.write = access->write,
	};

	if (!access->write)
		memset(data, 0xff, len);
	return access->vm->unassigned(access->vm->opaque, &unassigned);
}

/* Make all steps of what is in one range, also after an error, as QEMU does. */
static void access_piece(struct access *access,
			 const struct mregion_piece *piece)
{
	uint8_t *data = access->data + access->done;
	uint64_t at = 0, step = piece->len;
	int err;

	for (; at < piece->len; at += step) {
		if (is_for_vmm(access, piece))
			err = access_unassigned(access, data, step);
		else
			err = mregion_dispatch(piece, access->space->unassigned,
					       access->write, at, data + at,
					       &step);
		if (err)
			access->ret = -EFAULT;
	}
	access->done += piece->len;
	access->left.region = 0;
}

/*
 * Whether a server may have the access although what is there now has none: if
 * a commit has come since that was decided, it may have taken the server away.
 * To be called after the look at what is there.
 */
static bool must_ask(const struct access *access)
{
	struct mregion_machine *machine = access->space->machine;

	return !access->asked && atomic_load(&machine->servers) &&
	       atomic_load(&machine->commits) != access->commits;
}

/*
 * Do what is to be done here, up to the first part that is a server's; or
 * nothing, and set @access->ask.
 *
 * Return: true, with a reference to its region and its length in @served, if
 * there is such a part.
 */
static bool access_here(struct access *access, struct mregion_served *served)
{
	struct mregion_machine *machine = access->space->machine;
	struct mregion_piece pieces[MREGION_MAX_PIECES];
	struct mregion_section section;
	unsigned int i, nr, end;

	mregion_section_begin(&section, &machine->sections);
	served->seen.commits = atomic_load(&machine->commits);
	nr = mregion_resolve_access(access->space, access->addr + access->done,
				    access->len - access->done, access->write,
				    pieces);
	for (end = mregion_left_here(&access->left, &pieces[0]); end < nr;
	     end++)
		if (mregion_piece_served(&pieces[end], access->write))
			break;
	access->ask = end && must_ask(access) ? access->len - access->done : 0;
	for (i = 0; i < end && !access->ask; i++)
		access_piece(access, &pieces[i]);
	if (end < nr && !access->ask) {
		mregion_served_set(served, &pieces[end]);
		served->len = pieces[end].len;
	}
	for (i = 0; i < nr; i++)
		mregion_piece_put(&pieces[i]);
	mregion_section_end(&section);
	return end < nr && !access->ask;
}

/*
 * Ask the kernel to make what a server may have. It knows such an access by its
 * address and length. Return: 0, or a negative errno.
 */
static int ask(struct access *access)
{
	struct mregion_served served = {
		.space = access->space,
		.addr = access->addr + access->done,
		.data = access->data + access->done,
		.len = access->ask,
		.vcpu = access->vcpu,
		.write = access->write,
	};
	uint64_t last = mregion_space_last(access->space);
	int ret = 0;

	/* Nobody has what reaches beyond the space's end. */
	if (served.addr <= last && last - served.addr >= served.len - 1)
		ret = mregion_served_access(&served);
	if (ret < 0)
		return ret;
	if (ret)
		access->done += served.len;
	access->ask = 0;
	access->asked = true;
	return 0;
}

/*
 * Return: 0, or a negative errno; @access tells how far it got, and what a server
 * may be at.
 */
static int make_access(struct access *access)
{
	struct mregion_machine *machine = access->space->machine;
	struct mregion_served served = {
		.space = access->space,
		.vcpu = access->vcpu,
		.write = access->write,
	};
	int ret;

	while (access->done < access->len) {
		if (access->ask) {
			ret = ask(access);
			if (ret)
				return ret;
			continue;
		}
		if (!access_here(access, &served)) {
			if (access->ask)
				continue;
			break;
		}
		served.addr = access->addr + access->done;
		served.data = access->data + access->done;
		ret = mregion_served_access(&served);
		mregion_region_put(served.region);
		if (ret < 0 && ret != -EAGAIN) {
			access->ask = served.len;
			return ret;
		}
		/* From here on, no server has it that is not asked by name. */
		access->asked = true;
		if (ret == -EAGAIN) {
			sched_yield();
		} else if (ret) {
			access->done += served.len;
			access->left.region = 0;
		} else {
			/* Also what a dead server has not taken any more. */
			mregion_rings_drain(&machine->rings);
			access->left = served.seen;
		}
	}
	return 0;
}

/*
 * Make all accesses of an exit, each of @size bytes. They are to one address
 * unless there is only one.
 */
static int resolve(struct mregion_vm *vm, struct mregion_space *space,
		   unsigned int vcpu, struct mregion_progress *now,
		   uint8_t *data, unsigned int size)
{
	struct mregion_progress *saved = &vm->progress[vcpu];
	struct access access = {
		.vm = vm,
		.space = space,
		.vcpu = vcpu,
		.addr = now->addr,
		.len = size,
		.write = now->write,
	};
	int ret;

	now->commits = atomic_load(&vm->machine->commits);
	mregion_progress_resume(saved, now);
	if (now->part)
		access.ask = now->part;
	else if (now->commits != saved->commits &&
		 atomic_load(&vm->machine->servers))
		access.ask = size;
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

static int exit_mmio(struct mregion_vm *vm, unsigned int vcpu,
		     struct kvm_run *run)
{
	struct mregion_progress now = {
		.addr = run->mmio.phys_addr,
		.len = run->mmio.len,
		.write = run->mmio.is_write,
	};

	if (!vm->memory || !now.len || now.len > sizeof(run->mmio.data))
		return 1;
	return resolve(vm, vm->memory, vcpu, &now, run->mmio.data,
		       run->mmio.len);
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

	if (!vm->pio || !run->io.size || run->io.size > 8)
		return 1;
	return resolve(vm, vm->pio, vcpu, &now, data, run->io.size);
}

int mregion_vm_exit(struct mregion_vm *vm, unsigned int vcpu,
		    struct kvm_run *run)
{
	if (vcpu >= MREGION_NO_VCPU)
		return -EINVAL;
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		return exit_mmio(vm, vcpu, run);
	case KVM_EXIT_IO:
		return exit_io(vm, vcpu, run);
	default:
		/* What the guest has said before, such as why it ends. */
		mregion_rings_drain(&vm->machine->rings);
		return 1;
	}
}
