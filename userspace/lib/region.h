/* SPDX-License-Identifier: MIT */
/* Regions: what one is to those who access it, and all of a machine by ID. */
#ifndef MREGION_LIB_REGION_H
#define MREGION_LIB_REGION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "region_log.h"
#include "ram.h"
#include "section.h"

struct mregion_device;
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
 * @logging: which pages of it were written
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
	struct mregion_logging logging;
	struct mregion_region *next;
	struct mregion_deferred release;
	char name[MREGION_NAME_SIZE];
};

void mregion_region_get(struct mregion_region *region);
void mregion_region_put(struct mregion_region *region);

/** mregion_region_device() - what answers a region that has functions */
void mregion_region_device(struct mregion_region *region,
			   struct mregion_device *device);

/** mregion_region_constraints() - the constraints, as they are now */
struct mregion_constraints
mregion_region_constraints(const struct mregion_region *region);

void mregion_region_set_constraints(struct mregion_region *region,
				    const struct mregion_constraints *new);

/**
 * mregion_region_callable() - can this thread call functions of a region now
 * @region: the region, which has some
 *
 * Not if it is too deep in functions, or in one of a region that is not re-entrant.
 */
bool mregion_region_callable(const struct mregion_region *region);

/**
 * mregion_region_may_call() - may a device's function access a region's registers
 * @region: the region, which has functions
 *
 * If not, that is counted, and the first time said on standard error.
 */
bool mregion_region_may_call(const struct mregion_region *region);

/**
 * struct mregion_table - hash table from ID to region
 * @lock: protects the rest; nothing else is locked while it is held
 * @buckets: lists linked by struct mregion_region.next
 * @nr_buckets: a power of two
 * @nr: how many regions there are
 * @popped: an ID, of whose bucket on mregion_table_pop() looks for one, so that to
 *	pop all takes no longer than all
 */
struct mregion_table {
	pthread_mutex_t lock;
	struct mregion_region **buckets;
	size_t nr_buckets;
	size_t nr;
	uint32_t popped;
};

int mregion_table_init(struct mregion_table *table);
void mregion_table_destroy(struct mregion_table *table);

/** mregion_table_add() - add a region, of an ID that is not there */
int mregion_table_add(struct mregion_table *table,
		      struct mregion_region *region);

void mregion_table_remove(struct mregion_table *table,
			  struct mregion_region *region);

/** mregion_table_get() - a reference to the region of an ID, or NULL */
struct mregion_region *mregion_table_get(struct mregion_table *table,
					 uint32_t id);

/**
 * mregion_table_all() - references to all regions
 * @table: the table
 * @nr: set to how many there are
 *
 * Return: an array of them, for free(); NULL: out of memory.
 */
struct mregion_region **mregion_table_all(struct mregion_table *table,
					  size_t *nr);

/** mregion_table_pop() - take any region out, NULL if there is none */
struct mregion_region *mregion_table_pop(struct mregion_table *table);

#endif
