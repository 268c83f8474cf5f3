/* SPDX-License-Identifier: MIT */
/* Coalescing rings, as the VMM sees them. */
#ifndef MREGION_LIB_RING_H
#define MREGION_LIB_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "ring_memory.h"

struct mregion_machine;
struct mregion_ring_set;
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

/** mregion_rings_any() - whether there are rings; nobody adds or removes one */
bool mregion_rings_any(const struct mregion_rings *rings);

/** mregion_rings_stop() - release all rings; their threads end */
void mregion_rings_stop(struct mregion_rings *rings);

/** mregion_rings_join() - wait until all threads of rings have ended */
void mregion_rings_join(struct mregion_rings *rings);

/** mregion_rings_thread() - a thread begins (1), or has ended (-1) */
void mregion_rings_thread(struct mregion_rings *rings, int change);

/**
 * mregion_rings_drain() - drain those rings that have something
 *
 * Waits for threads that are at it, as mregion_ring_bring() does.
 */
void mregion_rings_drain(struct mregion_rings *rings);

/**
 * mregion_ring_bring() - bring what is in a ring to the devices
 * @ring: the ring
 * @patience: as for mregion_ring_memory_begin(); no thread waits that has what a
 *	device may wait for
 * @thread: the number of the ring's thread that does so; it leaves what remains
 *	when it is told to end. 0: somebody else
 *
 * Return: how many entries there were, or -EBUSY.
 */
int mregion_ring_bring(struct mregion_ring *ring, int patience,
		       unsigned int thread);

/** MREGION_RING_PATIENCE - with a thread that does not get on, in ms */
#define MREGION_RING_PATIENCE	1000

void mregion_ring_get(struct mregion_ring *ring);
void mregion_ring_put(struct mregion_ring *ring);

/** mregion_ring_release() - end a ring whatever the kernel says */
void mregion_ring_release(struct mregion_ring *ring);

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

#endif
