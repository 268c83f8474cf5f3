/* SPDX-License-Identifier: MIT */
/* Changes of regions, as all that makes regions or changes them makes them. */
#ifndef MREGION_LIB_REGION_CHANGES_H
#define MREGION_LIB_REGION_CHANGES_H

#include <stdint.h>

#include "transaction.h"

struct mregion_machine;
struct mregion_region;

/**
 * mregion_region_new() - make a region that the kernel does not know yet
 * @machine: the machine
 * @kind: enum mregion_kind
 * @name: its name, or NULL
 * @len: length in bytes as callers of the library give it
 *
 * To be followed by mregion_region_create(). Errors are reported, and make an
 * open transaction fail.
 */
struct mregion_region *mregion_region_new(struct mregion_machine *machine,
					  enum mregion_kind kind,
					  const char *name, uint64_t len);

/**
 * mregion_region_wire_len() - a length as the kernel gets it, 0 for 2^64
 * @what: the change
 * @name: of the region
 * @len: as callers of the library give it; changed
 *
 * Return: 0; -EINVAL: it is 0, which is likely to be meant for nothing.
 */
int mregion_region_wire_len(const char *what, const char *name, uint64_t *len);

/**
 * mregion_region_create() - have the kernel create a region
 * @region: from mregion_region_new(); freed on failure
 * @op: what is not in @region is filled in already
 *
 * Return: @region, or NULL with errno set.
 */
struct mregion_region *mregion_region_create(struct mregion_region *region,
					     struct mregion_op *op);

/**
 * mregion_region_change() - make a change of a region
 * @region: the region; NULL is refused
 * @op: the operation, but for the region's ID
 * @settle: as for mregion_change(), to be called with @region; drops a reference to it,
 *	since the handle may be freed by then
 * @what: the change in words
 */
int mregion_region_change(struct mregion_region *region, struct mregion_op *op,
			  mregion_settle_t *settle, const char *what);

/**
 * mregion_region_release() - the handle is gone, or the machine
 * @region: a region that nobody calls the functions of any more
 *
 * Drops the handle's reference, and tells the device.
 */
void mregion_region_release(struct mregion_region *region);

#endif
