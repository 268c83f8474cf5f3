/* SPDX-License-Identifier: MIT */
/* Rings, as the VMM sees them: what one is, and the set of all. */
#ifndef MREGION_LIB_RING_H
#define MREGION_LIB_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "ring_memory.h"

struct mregion_machine;
struct mregion_server;

/**
 * struct mregion_posted - part of a region that is posted to a ring's server
 * @ring: where to; with a reference until the commit
 * @region: ID of the region
 * @offset: first byte of the part
 * @last: its last byte
 * @gone: the rule is no more, but entries from before may wait
 * @next: in the ring's list
 */
struct mregion_posted {
	struct mregion_ring *ring;
	uint32_t region;
	uint64_t offset;
	uint64_t last;
	bool gone;
	struct mregion_posted *next;
};

/**
 * struct mregion_ring - a ring
 * @refs: the handle, sets that it is in, its thread
 * @machine: it belongs to
 * @id: the kernel's name for it
 * @eventfd: the kernel signals it
 * @fd: to map its memory with
 * @memory: where the entries are
 * @nr_rules: rules for it that were committed, or will be. A ring stays what its
 *	first rule has made it, since of what it holds there is no telling when
 *	it was written. Protected by the transaction's lock
 * @server: writes to it are posted to this server; NULL: they are the VMM's.
 *	Changes with @nr_rules
 * @taken: from its server, which is dead; only between begin and end of @memory
 * @lock: protects @posted and @last_thread, and is held to change @thread. While it is
 *	held, of all other locks only that of struct mregion_rings is taken
 * @posted: what the server's process may have entries in the ring for, the newest first
 * @thread: the number of the thread that drains the ring; 0: it has none
 * @last_thread: the number of the last one that it was given
 * @freed: it is about to go: nothing comes any more, and its thread shall end
 */
struct mregion_ring {
	atomic_uint refs;
	struct mregion_machine *machine;
	uint32_t id;
	int eventfd;
	int fd;
	struct mregion_ring_memory memory;
	unsigned int nr_rules;
	_Atomic(struct mregion_server *) server;
	bool taken;
	pthread_mutex_t lock;
	struct mregion_posted *posted;
	atomic_uint thread;
	unsigned int last_thread;
	atomic_bool freed;
};

/**
 * struct mregion_ring_set - rings that a machine has, or has had
 * @refs: of who walks it, and of struct mregion_rings if it is the present one
 * @below: the next in the stack of spares
 * @nr: how many rings
 * @rings: with references
 */
struct mregion_ring_set {
	atomic_uint refs;
	struct mregion_ring_set *below;
	size_t nr;
	struct mregion_ring *rings[];
};

/**
 * struct mregion_rings - the rings of a machine
 * @lock: held only to get hold of @set, or to replace it, and for @nr_threads
 * @set: never changed, replaced when a ring comes or goes; NULL: none
 * @spares: what it will be replaced by when rings go
 * @nr_threads: how many threads drain rings
 * @no_threads: one has ended
 */
struct mregion_rings {
	pthread_mutex_t lock;
	struct mregion_ring_set *set;
	struct mregion_ring_set *spares;
	unsigned int nr_threads;
	pthread_cond_t no_threads;
};

void mregion_rings_init(struct mregion_rings *rings);
void mregion_rings_destroy(struct mregion_rings *rings);

/** mregion_rings_add() - add a ring; the set takes a reference */
int mregion_rings_add(struct mregion_rings *rings, struct mregion_ring *ring);

/** mregion_rings_remove() - take a ring out, if it is in; needs no memory */
void mregion_rings_remove(struct mregion_rings *rings,
			  const struct mregion_ring *ring);

/** mregion_rings_get_set() - the present set, with a reference; or NULL */
struct mregion_ring_set *mregion_rings_get_set(struct mregion_rings *rings);

/** mregion_ring_set_put() - give a reference back; @set may be NULL */
void mregion_ring_set_put(struct mregion_ring_set *set);

/** mregion_rings_any() - whether there are rings; nobody adds or removes one */
bool mregion_rings_any(const struct mregion_rings *rings);

void mregion_ring_get(struct mregion_ring *ring);
void mregion_ring_put(struct mregion_ring *ring);

/** mregion_ring_remote() - it is a living server's, and the VMM keeps off it */
bool mregion_ring_remote(const struct mregion_ring *ring);

/** mregion_ring_add_posted() - the server's process may have entries for a part */
void mregion_ring_add_posted(struct mregion_ring *ring,
			     struct mregion_posted *posted);

/** mregion_ring_del_posted() - it has not, and @posted is freed */
void mregion_ring_del_posted(struct mregion_ring *ring,
			     struct mregion_posted *posted);

/** mregion_ring_end_posted() - it will have no more for a part */
void mregion_ring_end_posted(struct mregion_ring *ring, uint32_t region,
			     uint64_t offset, uint64_t last);

/** mregion_ring_forget_posted() - all was brought that there can be of what has ended */
void mregion_ring_forget_posted(struct mregion_ring *ring);

/**
 * mregion_ring_may_hold() - may an entry be in a ring
 *
 * A server's process can write what it likes into its ring. What it left there
 * must be for parts of regions that were posted to it.
 */
bool mregion_ring_may_hold(struct mregion_ring *ring,
			   const struct mregion_ring_entry *entry);

/** mregion_ring_free_in_kernel() - have the kernel free it; 0 or a positive errno */
int mregion_ring_free_in_kernel(const struct mregion_ring *ring);

#endif
