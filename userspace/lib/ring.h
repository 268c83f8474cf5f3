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
 * struct mregion_ring - a ring
 * @refs: the handle, sets that it is in, its thread
 * @machine: it belongs to
 * @id: the kernel's name for it
 * @eventfd: the kernel signals it
 * @fd: to map its memory with
 * @memory: where the entries are
 * @server: writes to it are posted to this server, or NULL; never changes again
 * @lock: recursive; held while entries are brought to their devices
 * @draining: somebody does so
 * @has_thread: @thread runs
 * @stop: tells @thread to end
 * @thread: drains the ring
 */
struct mregion_ring {
	atomic_uint refs;
	struct mregion_machine *machine;
	uint32_t id;
	int eventfd;
	int fd;
	struct mregion_ring_memory memory;
	_Atomic(struct mregion_server *) server;
	pthread_mutex_t lock;
	bool draining;
	bool has_thread;
	atomic_bool stop;
	pthread_t thread;
};

/**
 * struct mregion_rings - the rings of a machine
 * @lock: held only to get hold of @set, or to replace it
 * @set: never changed, replaced when a ring comes or goes; NULL: none
 * @spares: what it will be replaced by when rings go
 */
struct mregion_rings {
	pthread_mutex_t lock;
	struct mregion_ring_set *set;
	struct mregion_ring_set *spares;
};

void mregion_rings_init(struct mregion_rings *rings);
void mregion_rings_destroy(struct mregion_rings *rings);

/** mregion_rings_add() - add a ring; the set takes a reference */
int mregion_rings_add(struct mregion_rings *rings, struct mregion_ring *ring);

/** mregion_rings_remove() - take a ring out, if it is in; needs no memory */
void mregion_rings_remove(struct mregion_rings *rings,
			  const struct mregion_ring *ring);

/** mregion_rings_first() - some ring, without a reference, or NULL */
struct mregion_ring *mregion_rings_first(struct mregion_rings *rings);

/** mregion_rings_drain() - drain those rings that have something */
void mregion_rings_drain(struct mregion_rings *rings);

void mregion_ring_get(struct mregion_ring *ring);
void mregion_ring_put(struct mregion_ring *ring);

/** mregion_ring_release() - end a ring whatever the kernel says */
void mregion_ring_release(struct mregion_ring *ring);

/** mregion_ring_remote() - it is a living server's, and the VMM keeps off it */
bool mregion_ring_remote(const struct mregion_ring *ring);

#endif
