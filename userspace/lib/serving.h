/* SPDX-License-Identifier: MIT */
/* Servers, as the process that serves sees them. */
#ifndef MREGION_LIB_SERVING_H
#define MREGION_LIB_SERVING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "access.h"
#include "ring_memory.h"

#define MREGION_SERVING_BUCKETS	64

/**
 * struct mregion_serving_region - a region that is served
 * @id: its ID
 * @device: what answers its accesses
 * @next: in its bucket
 */
struct mregion_serving_region {
	uint32_t id;
	struct mregion_device device;
	struct mregion_serving_region *next;
};

/**
 * struct mregion_serving_ring - a ring of posted writes
 * @fd: of the ring
 * @memory: where its entries are
 * @next: in the list
 */
struct mregion_serving_ring {
	int fd;
	struct mregion_ring_memory memory;
	struct mregion_serving_ring *next;
};

/**
 * struct mregion_serving - a server
 * @fd: its descriptor
 * @stop_fd: an eventfd, readable once @stop is set
 * @stop: all threads shall return
 * @header: the shared memory
 * @slots: in it
 * @mapped: size of the mapping in bytes
 * @nr_slots: as created
 * @lock: protects additions to @regions and @rings, which only grow, so that
 *	they are read without it
 * @regions: by ID
 * @rings: list of all rings
 */
struct mregion_serving {
	int fd;
	int stop_fd;
	atomic_bool stop;
	struct mregion_server_header *header;
	struct mregion_server_slot *slots;
	size_t mapped;
	uint32_t nr_slots;
	pthread_mutex_t lock;
	_Atomic(struct mregion_serving_region *)
		regions[MREGION_SERVING_BUCKETS];
	_Atomic(struct mregion_serving_ring *) rings;
};

/** mregion_serving_device() - what answers for a region, or NULL */
const struct mregion_device *
mregion_serving_device(struct mregion_serving *serving, uint32_t region);

/** mregion_serving_drain() - bring all posted writes to their devices */
void mregion_serving_drain(struct mregion_serving *serving);

void mregion_serving_free_rings(struct mregion_serving *serving);

/** mregion_serving_events() - what the kernel has counted up to now */
static inline uint32_t
mregion_serving_events(const struct mregion_serving *serving)
{
	return __atomic_load_n(&serving->header->events, __ATOMIC_ACQUIRE);
}

/** mregion_serving_dead() - nothing more will come, and nobody wants answers */
bool mregion_serving_dead(const struct mregion_serving *serving);

/**
 * mregion_serving_round() - do all there is to do
 * @serving: the server
 *
 * Return: up to which value of events. When this is not what the counter says
 * now, there is more.
 */
uint32_t mregion_serving_round(struct mregion_serving *serving);

#endif
