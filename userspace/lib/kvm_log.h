/* SPDX-License-Identifier: MIT */
/*
 * KVM's log of the pages that vCPUs write: a bitmap for each memory slot, or a ring for
 * each vCPU. Both are taken to the logs of regions.
 */
#ifndef MREGION_LIB_KVM_LOG_H
#define MREGION_LIB_KVM_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_dirty_gfn;
struct mregion_memslot;
struct mregion_memslots;

/** MREGION_ADDRESS_SPACES - KVM's, for vCPUs out of SMM and for those in it */
#define MREGION_ADDRESS_SPACES	2

/** MREGION_SLOT_SPACE - where in a slot's number KVM has the address space */
#define MREGION_SLOT_SPACE	16

/**
 * struct mregion_vcpu_ring - the ring of a vCPU
 * @entries: mapped; NULL: it was not given to the library
 * @next: entry to look at next
 */
struct mregion_vcpu_ring {
	struct kvm_dirty_gfn *entries;
	uint32_t next;
};

/**
 * struct mregion_kvm_log - a virtual machine's
 * @vm_fd: the virtual machine
 * @page_size: in bytes
 * @manual: bits of bitmaps are cleared in a second step
 * @manual_known: whether that is known yet
 * @ring_bytes: length of each ring; 0: there are bitmaps
 * @rings: by index of the vCPU
 * @nr_rings: how many there is room for
 * @memslots: the slots that entries of rings are about, by KVM's address space; NULL:
 *	not the library's
 */
struct mregion_kvm_log {
	int vm_fd;
	uint64_t page_size;
	bool manual;
	bool manual_known;
	uint32_t ring_bytes;
	struct mregion_vcpu_ring *rings;
	unsigned int nr_rings;
	const struct mregion_memslots *memslots[MREGION_ADDRESS_SPACES];
};

/**
 * mregion_kvm_log_init() - which log a virtual machine has
 * @log: filled in
 * @vm_fd: the virtual machine
 * @page_size: in bytes
 * @ring_bytes: length of the rings; 0 for bitmaps
 *
 * Return: 0, or KVM's negative errno where it has no such rings.
 */
int mregion_kvm_log_init(struct mregion_kvm_log *log, int vm_fd,
			 uint64_t page_size, uint32_t ring_bytes);

void mregion_kvm_log_destroy(struct mregion_kvm_log *log);

/**
 * mregion_kvm_log_add() - map the ring of a vCPU
 * @log: the log; it has rings
 * @vcpu: index of the vCPU
 * @vcpu_fd: its descriptor
 *
 * Return: 0 or a negative errno.
 */
int mregion_kvm_log_add(struct mregion_kvm_log *log, unsigned int vcpu,
			int vcpu_fd);

/**
 * mregion_kvm_log_slot() - take the bitmap of a slot
 * @log: the log; it has bitmaps
 * @slot: the slot, which logs
 * @number: as KVM has it
 *
 * Return: 0 or a negative errno; then what was not taken stays in KVM.
 */
int mregion_kvm_log_slot(struct mregion_kvm_log *log,
			 const struct mregion_memslot *slot, uint32_t number);

/**
 * mregion_kvm_log_rings() - take what is in all rings
 * @log: the log; it has rings, and its slots are those there are, or were when entries
 *	were made
 *
 * Return: 0 or a negative errno.
 */
int mregion_kvm_log_rings(struct mregion_kvm_log *log);

#endif
