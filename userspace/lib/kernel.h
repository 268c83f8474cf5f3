/* SPDX-License-Identifier: MIT */
/* The ioctls of <linux/mregion.h> that need more than a call to ioctl(). */
#ifndef MREGION_LIB_KERNEL_H
#define MREGION_LIB_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct mregion_claims;
struct mregion_commit;
struct mregion_info;
struct mregion_op;
struct mregion_region_info;
struct mregion_view;

/**
 * struct mregion_changed - what the last commit has changed of a space
 * @intervals: addresses; as of %MREGION_CHANGES
 * @nr_intervals: how many
 * @ranges: what is there now
 * @nr_ranges: how many
 * @room: for how many @ranges there is memory
 * @generation: of the view
 */
struct mregion_changed {
	struct mregion_interval *intervals;
	uint32_t nr_intervals;
	struct mregion_range *ranges;
	uint32_t nr_ranges;
	uint32_t room;
	uint64_t generation;
};

void mregion_changed_free(struct mregion_changed *changed);

/**
 * mregion_kernel_open() - open the device and check its base interface
 * @path: device, or NULL for /dev/mregion
 * @info: filled in, also if EPROTO is the error
 *
 * Return: a descriptor or a negative errno, see mregion_machine_open().
 */
int mregion_kernel_open(const char *path, struct mregion_info *info);

/**
 * mregion_kernel_commit() - %MREGION_COMMIT
 * @fd: the machine
 * @ops: operations
 * @nr: how many
 * @commit: .flags and .results are in it already; all else is filled in
 */
int mregion_kernel_commit(int fd, const struct mregion_op *ops, size_t nr,
			  struct mregion_commit *commit);

/**
 * mregion_kernel_view() - %MREGION_VIEW_READ of a whole view
 * @fd: the machine
 * @space: ID of the space
 * @old: NULL, or a generation that the caller has already
 * @view: set to the view, to be freed with free(); to NULL if it is still @old
 */
int mregion_kernel_view(int fd, uint32_t space, const uint64_t *old,
			struct mregion_view **view);

/**
 * mregion_kernel_changes() - %MREGION_CHANGES of all that there are
 * @fd: the machine
 * @space: ID of the space
 * @since: generation of the view that the caller has, or 0
 * @changed: set; may have memory of an earlier call
 */
int mregion_kernel_changes(int fd, uint32_t space, uint64_t since,
			   struct mregion_changed *changed);

/** mregion_kernel_changes_all() - the same without it: all has changed, or nothing */
int mregion_kernel_changes_all(int fd, uint32_t space, uint64_t since,
			       struct mregion_changed *changed);

/**
 * mregion_kernel_regions() - %MREGION_REGIONS of all regions
 * @fd: the machine
 * @regions: set to an array, to be freed with free()
 * @nr: set to its length
 */
int mregion_kernel_regions(int fd, struct mregion_region_info **regions,
			   size_t *nr);

/**
 * mregion_kernel_claims() - %MREGION_CLAIMS of a whole bus
 * @fd: the machine
 * @vm_fd: the virtual machine
 * @bus: enum mregion_bus
 * @flags: enum mregion_claims_flags
 * @claims: set to a list with no more than @nr and @claims in it, to be freed
 *	with free()
 */
int mregion_kernel_claims(int fd, int vm_fd, uint32_t bus, uint32_t flags,
			  struct mregion_claims **claims);

#endif
