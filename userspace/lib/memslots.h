/* SPDX-License-Identifier: MIT */
/* KVM memory slots, kept in step with the memory of a view. */
#ifndef MREGION_LIB_MEMSLOTS_H
#define MREGION_LIB_MEMSLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "kvm_log.h"

struct mregion_region;
struct mregion_space;

/**
 * struct mregion_memslot - a memory slot as KVM has it
 * @gpa: guest-physical address
 * @size: in bytes
 * @hva: address in the VMM
 * @flags: KVM_MEM_*
 * @slot: its number, from 0 in the library's share
 * @offset: of its first byte in @region
 * @region: the region whose memory it is, with a reference: the memory must
 *	stay as long as the guest can get at it
 * @leaves: the update under way is to remove it
 */
struct mregion_memslot {
	uint64_t gpa;
	uint64_t size;
	uint64_t hva;
	uint32_t flags;
	uint32_t slot;
	uint64_t offset;
	struct mregion_region *region;
	bool leaves;
};

/**
 * struct mregion_memslots - the memory slots of one of KVM's address spaces
 * @vm_fd: the virtual machine
 * @first: first slot of the library's share, with the address space as KVM takes it
 * @max: number of slots in it; 0: slots are the VMM's
 * @nr_used: how many of the numbers were ever used: the lowest
 * @free: stack of those that are not in use any more
 * @nr_free: its height
 * @room: for how many it has room: never fewer than @nr_used
 * @slots: those in use, sorted by @gpa; also those that should have gone, but
 *	could not be removed
 * @nr: how many
 * @log: KVM's log of what vCPUs write; the virtual machine's
 * @pause: struct mregion_attach_params.pause
 * @resume: struct mregion_attach_params.resume
 * @opaque: passed to them
 * @changed: how many slots KVM was told to set or remove
 * @pauses: how often vCPUs were paused
 * @error: the first error of the last update, a negative errno, or 0
 * @error_text: it in words
 */
struct mregion_memslots {
	int vm_fd;
	unsigned int first;
	unsigned int max;
	unsigned int nr_used;
	uint32_t *free;
	unsigned int nr_free;
	unsigned int room;
	struct mregion_memslot *slots;
	size_t nr;
	struct mregion_kvm_log *log;
	void (*pause)(void *opaque);
	void (*resume)(void *opaque);
	void *opaque;
	uint64_t changed;
	uint64_t pauses;
	int error;
	char error_text[MREGION_ERROR_SIZE];
};

/**
 * mregion_memslots_init() - no slots yet
 * @memslots: filled in
 * @log: KVM's log of what vCPUs write, which may be filled in later
 * @vm_fd: the virtual machine
 * @first: first slot that may be used, with KVM's address space above its bit
 *	%MREGION_SLOT_SPACE
 * @max: how many may be; %MREGION_ALL_SLOTS for all that KVM has from @first on
 *
 * Return: 0; -EINVAL: KVM has none there.
 */
int mregion_memslots_init(struct mregion_memslots *memslots,
			  struct mregion_kvm_log *log, int vm_fd,
			  unsigned int first, unsigned int max);

/**
 * mregion_memslots_destroy() - remove all slots
 *
 * The memory of a slot that KVM does not remove stays mapped for good.
 */
void mregion_memslots_destroy(struct mregion_memslots *memslots);

/**
 * mregion_memslots_sync() - bring what KVM has logged to the logs of regions
 * @memslots: the slots; the transaction is locked
 *
 * With rings, those of all address spaces are brought.
 *
 * Return: 0; or the first error of KVM, with its text for mregion_error().
 */
int mregion_memslots_sync(struct mregion_memslots *memslots);

/** mregion_memslots_save_logs() - likewise, without a pause: vCPUs do not run any more */
int mregion_memslots_save_logs(struct mregion_memslots *memslots);

/** mregion_memslots_check_log() - 0; or why a slot of a region does not log */
int mregion_memslots_check_log(const struct mregion_memslots *memslots,
			       const struct mregion_region *region);

/** mregion_memslots_sync_rings() - likewise of rings, without a pause: one is full */
int mregion_memslots_sync_rings(struct mregion_memslots *memslots);

/**
 * mregion_memslots_follow() - make the slots those of a space's view, after a commit
 * @memslots: the slots, which were those of the view before
 * @space: on the memory bus; its @changed says where they can differ
 *
 * As mregion_memslots_update(), at the cost of what has changed.
 */
int mregion_memslots_follow(struct mregion_memslots *memslots,
			    struct mregion_space *space);

/**
 * mregion_memslots_update() - make the slots those of a space's view
 * @memslots: the slots
 * @space: on the memory bus
 *
 * What could not be done is tried again by the next update.
 *
 * Return: 0, -ENOSPC if there are not enough slots (the rest is emulated), or
 * KVM's error for a slot; the first one, with its text for mregion_error(). It is
 * also kept in @memslots.
 */
int mregion_memslots_update(struct mregion_memslots *memslots,
			    struct mregion_space *space);

#endif
