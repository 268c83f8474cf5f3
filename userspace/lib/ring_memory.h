/* SPDX-License-Identifier: MIT */
/* The memory that a ring's producer, the kernel, shares with its consumer. */
#ifndef MREGION_LIB_RING_MEMORY_H
#define MREGION_LIB_RING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion.h>

/**
 * struct mregion_ring_memory - a mapping of a ring
 * @header: its first page, NULL if it is not mapped
 * @entries: in it
 * @mapped: size of the mapping in bytes
 * @nr_entries: a power of two; as created, whatever the header says
 */
struct mregion_ring_memory {
	struct mregion_ring_header *header;
	struct mregion_ring_entry *entries;
	size_t mapped;
	uint32_t nr_entries;
};

/**
 * typedef mregion_consume_t - what becomes of an entry
 *
 * Return: false: it is not for this consumer any more, and stays in the ring.
 */
typedef bool mregion_consume_t(void *opaque,
			       const struct mregion_ring_entry *entry);

/**
 * mregion_ring_memory_map() - map a ring
 * @memory: filled in
 * @fd: of the ring
 * @nr_entries: as created; 0: as the header says
 *
 * Return: 0 or a negative errno; -EINVAL: @fd is no ring.
 */
int mregion_ring_memory_map(struct mregion_ring_memory *memory, int fd,
			    uint32_t nr_entries);

void mregion_ring_memory_unmap(struct mregion_ring_memory *memory);

/** mregion_ring_memory_pending() - writes wait that no device has seen whole */
bool mregion_ring_memory_pending(const struct mregion_ring_memory *memory);

/**
 * mregion_ring_memory_consume() - take what is in a ring
 * @memory: the ring
 * @consume: called for each entry, which stays in the ring until it returns
 * @opaque: for @consume
 *
 * One thread at a time. What is appended meanwhile is left for the next time.
 * Return: how many entries were taken.
 */
unsigned int mregion_ring_memory_consume(struct mregion_ring_memory *memory,
					 mregion_consume_t *consume,
					 void *opaque);

#endif
