/* SPDX-License-Identifier: MIT */
/* Virtual machines that a machine is attached to. */
#ifndef MREGION_LIB_VM_H
#define MREGION_LIB_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "memslots.h"

struct mregion_machine;
struct mregion_space;
struct mregion_unassigned;

/**
 * struct mregion_progress - what is remembered of a vCPU from one call to the next
 *
 * How far an exit has been resolved that a signal interrupted, so that what is done
 * already is not done again when the VMM comes back; and which map that was in. Only the
 * vCPU's thread uses it.
 *
 * @addr: address, or port
 * @len: of all its accesses together, in bytes
 * @pio: it is on the I/O port bus
 * @smm: it was made in SMM
 * @write: it is a write
 * @done: how many bytes are done
 * @part: how many more a server may be at, whatever is there by now: ask for
 *	that very part first
 * @interrupted: there is an exit that was
 * @ret: what it will return
 * @commits: the machine's counter as the last exit that is resolved was begun. If
 *	it is the same now, and no commit is under way, the map has not changed
 *	since: what the vCPU has left with a server is still that server's
 */
struct mregion_progress {
	uint64_t addr;
	uint64_t len;
	bool pio;
	bool smm;
	bool write;
	uint64_t done;
	unsigned int part;
	bool interrupted;
	int ret;
	unsigned int commits;
};

/**
 * struct mregion_vm - an attachment to a KVM virtual machine
 * @machine: that is attached
 * @fd: of the virtual machine; the caller's
 * @memory: space of its memory bus, or NULL
 * @pio: space of its I/O port bus, or NULL
 * @smm: space that vCPUs in SMM see on the memory bus; NULL: @memory, without slots of the
 *	library's
 * @unassigned: called for accesses to where nothing is, or NULL
 * @opaque: passed to it
 * @log: KVM's log of what vCPUs write
 * @memslots: its memory slots, by KVM's address space: for vCPUs out of SMM, and in it
 * @progress: interrupted exits, by index of the vCPU
 * @next: in the machine's list
 */
struct mregion_vm {
	struct mregion_machine *machine;
	int fd;
	struct mregion_space *memory;
	struct mregion_space *pio;
	struct mregion_space *smm;
	int (*unassigned)(void *opaque, struct mregion_unassigned *access);
	void *opaque;
	struct mregion_kvm_log log;
	struct mregion_memslots memslots[MREGION_ADDRESS_SPACES];
	struct mregion_progress *progress;
	struct mregion_vm *next;
};

/**
 * mregion_vm_sync() - bring what KVM has logged to the logs of regions
 * @vm: the virtual machine; the transaction is locked
 *
 * Return: 0; or the first error of KVM, with its text for mregion_error().
 */
int mregion_vm_sync(struct mregion_vm *vm);

/** mregion_vms_follow() - upon a commit, see struct mregion_followers */
int mregion_vms_follow(struct mregion_machine *machine);

#endif
