/* SPDX-License-Identifier: MIT */
#ifndef MREGION_LIB_REGION_H
#define MREGION_LIB_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "ram.h"
#include "section.h"
#include "transaction.h"

struct mregion_machine;
struct mregion_ops;
struct mregion_server;

/**
 * struct mregion_extent - how far a region reaches
 * @len: length in bytes, 0 for 2^64
 * @ptr: struct mregion_ram.ptr
 * @mapped: struct mregion_ram.len
 */
struct mregion_extent {
	uint64_t len;
	uint8_t *ptr;
	uint64_t mapped;
};

/**
 * struct mregion_region - a region
 * @refs: the handle has one, changes whose fate is not known yet, and everything
 *	that may still access its memory
 * @id: the kernel's name for it
 * @kind: enum mregion_kind
 * @machine: it belongs to
 * @ops: of a device, else NULL
 * @opaque: for @ops
 * @constraints: the accesses it takes, see mregion_region_constraints()
 * @len: length in bytes, 0 for 2^64; while a commit is under way, the larger of
 *	what it was and what it will be
 * @resizing: how many changes of it the open transaction has
 * @settled: while there are any: as it is without them
 * @dead: only the handle is left: its creation was undone
 * @freed: the region was freed: its device must not be called any more
 * @server: that answers what is forwarded from it, or NULL
 * @next_server: likewise, with what the open transaction will change
 * @nr_asked: doorbells and shadows that it has, or may have once the open
 *	transaction is committed
 * @ram: its memory, if it has any
 * @next: in a bucket of struct mregion_table
 * @release: what remains to be done when it is freed
 * @name: its name
 */
struct mregion_region {
	atomic_uint refs;
	uint32_t id;
	uint32_t kind;
	struct mregion_machine *machine;
	const struct mregion_ops *ops;
	void *opaque;
	_Atomic uint64_t constraints;
	_Atomic uint64_t len;
	unsigned int resizing;
	struct mregion_extent settled;
	atomic_bool dead;
	atomic_bool freed;
	_Atomic(struct mregion_server *) server;
	_Atomic(struct mregion_server *) next_server;
	atomic_uint nr_asked;
	struct mregion_ram ram;
	struct mregion_region *next;
	struct mregion_deferred release;
	char name[MREGION_NAME_SIZE];
};

void mregion_region_get(struct mregion_region *region);
void mregion_region_put(struct mregion_region *region);

struct mregion_device;

/** mregion_region_device() - what answers a region that has functions */
void mregion_region_device(struct mregion_region *region,
			   struct mregion_device *device);

/**
 * mregion_region_release() - the handle is gone, or the machine
 * @region: a region that nobody calls the functions of any more
 *
 * Drops the handle's reference, and tells the device.
 */
void mregion_region_release(struct mregion_region *region);

/** mregion_region_constraints() - the constraints, as they are now */
struct mregion_constraints
mregion_region_constraints(const struct mregion_region *region);

void mregion_region_set_constraints(struct mregion_region *region,
				    const struct mregion_constraints *new);

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
 * mregion_region_rule() - add, or delete, a doorbell or a shadow
 *
 * As mregion_region_change(). From now on, or until the deletion is committed, the
 * kernel is asked what accesses do.
 */
int mregion_region_rule(struct mregion_region *region, struct mregion_op *op,
			const char *what);

#endif
