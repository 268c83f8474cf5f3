/* SPDX-License-Identifier: MIT */
#ifndef MREGION_LIB_VM_H
#define MREGION_LIB_VM_H

#include "memslots.h"

struct mregion_machine;
struct mregion_progress;
struct mregion_space;
struct mregion_unassigned;

/**
 * struct mregion_vm - an attachment to a KVM virtual machine
 * @machine: that is attached
 * @fd: of the virtual machine; the caller's
 * @memory: space of its memory bus, or NULL
 * @pio: space of its I/O port bus, or NULL
 * @unassigned: called for accesses to where nothing is, or NULL
 * @opaque: passed to it
 * @memslots: its memory slots
 * @progress: interrupted exits, by index of the vCPU
 * @next: in the machine's list
 */
struct mregion_vm {
	struct mregion_machine *machine;
	int fd;
	struct mregion_space *memory;
	struct mregion_space *pio;
	int (*unassigned)(void *opaque, struct mregion_unassigned *access);
	void *opaque;
	struct mregion_memslots memslots;
	struct mregion_progress *progress;
	struct mregion_vm *next;
};

#endif
