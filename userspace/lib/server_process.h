/* SPDX-License-Identifier: MIT */
/* Servers, as the process that serves sees them. */
#ifndef MREGION_LIB_SERVER_PROCESS_H
#define MREGION_LIB_SERVER_PROCESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "access.h"
#include "ring_memory.h"
#include "section.h"

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
	_Atomic(struct mregion_serving_region *) next;
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
	_Atomic(struct mregion_serving_ring *) next;
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
 * @lock: protects changes of @regions and @rings, which are read without it, in
 *	sections: what is taken out is freed when those have ended
 * @sections: rounds under way
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
	struct mregion_sections sections;
	_Atomic(struct mregion_serving_region *)
		regions[MREGION_SERVING_BUCKETS];
	_Atomic(struct mregion_serving_ring *) rings;
};

/** mregion_serving_device() - what answers for a region, or NULL; in a section */
const struct mregion_device *
mregion_serving_device(struct mregion_serving *serving, uint32_t region);

/** mregion_serving_drain() - bring all posted writes to their devices; likewise */
void mregion_serving_drain(struct mregion_serving *serving);

#endif
