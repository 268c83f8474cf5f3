/* SPDX-License-Identifier: MIT */
/* The memory that a ring's producer, the kernel, shares with its consumer. */
#ifndef MREGION_LIB_RING_MEMORY_H
#define MREGION_LIB_RING_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion.h>

/**
 * struct mregion_ring_consumers - what two consumers tell each other
 * @claim: while a server's process consumes: the index after that of the last
 *	entry it has taken up; and %MREGION_RING_TAKEN
 * @token: tells mappings of the same ring from those of others
 *
 * At the end of a ring's first page, which the kernel leaves alone. The VMM
 * trusts it no more than the entries.
 */
struct mregion_ring_consumers {
	uint64_t claim;
	uint32_t token;
};

/** MREGION_RING_TAKEN - from now on the entries are the VMM's */
#define MREGION_RING_TAKEN	(1ull << 32)

/**
 * struct mregion_ring_memory - a mapping of a ring
 * @header: its first page, NULL if it is not mapped
 * @consumers: in it
 * @entries: in it
 * @mapped: size of the mapping in bytes
 * @nr_entries: a power of two; as created, whatever the header says
 * @claims: the VMM may take the ring away, so claim each entry
 * @lock: protects what follows; not held while entries are brought to devices
 * @ended: @draining has changed to false
 * @draining: somebody brings entries to their devices
 * @drainer: who
 */
struct mregion_ring_memory {
	struct mregion_ring_header *header;
	struct mregion_ring_consumers *consumers;
	struct mregion_ring_entry *entries;
	size_t mapped;
	uint32_t nr_entries;
	bool claims;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool draining;
	pthread_t drainer;
};

/**
 * typedef mregion_consume_t - what becomes of an entry
 *
 * Return: false: nothing; it stays in the ring, as do those behind it.
 */
typedef bool mregion_consume_t(void *opaque,
			       const struct mregion_ring_entry *entry);

/**
 * mregion_ring_memory_init() - a mapping that is there already
 * @memory: filled in
 * @ptr: the mapping
 * @nr_entries: as created
 */
void mregion_ring_memory_init(struct mregion_ring_memory *memory, void *ptr,
			      uint32_t nr_entries);

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

/** mregion_ring_memory_unmap() - undo it, if it was done */
void mregion_ring_memory_unmap(struct mregion_ring_memory *memory);

/** mregion_ring_memory_pending() - writes wait that no device has seen whole */
bool mregion_ring_memory_pending(const struct mregion_ring_memory *memory);

/** MREGION_RING_FOR_EVER - wait for a thread however long it is at an entry */
#define MREGION_RING_FOR_EVER	-1

/**
 * mregion_ring_memory_begin() - become the one thread that consumes
 * @memory: the ring
 * @patience: how long to wait for a thread that is at an entry, in ms. As long as
 *	it gets on, it is waited for, unless this is 0
 *
 * Return: 0; -EDEADLK: this thread is at it already; -EBUSY: another one is, and
 * the patience has come to an end.
 */
int mregion_ring_memory_begin(struct mregion_ring_memory *memory,
			      int patience);

/** mregion_ring_memory_end() - after a successful mregion_ring_memory_begin() */
void mregion_ring_memory_end(struct mregion_ring_memory *memory);

/**
 * mregion_ring_memory_consume() - take what is in a ring
 * @memory: the ring, between begin and end
 * @consume: called for each entry, which stays in the ring until it returns
 * @opaque: for @consume
 *
 * What is appended meanwhile is left for the next time. Return: how many entries
 * were taken.
 */
unsigned int mregion_ring_memory_consume(struct mregion_ring_memory *memory,
					 mregion_consume_t *consume,
					 void *opaque);

/**
 * mregion_ring_memory_take() - take a ring away from a server's process
 * @memory: the ring, between begin and end
 * @alive: the process may live, and what it is at is left to it
 *
 * From then on the process claims nothing any more. What it had claimed and has
 * not finished, one entry at most, is next to be consumed unless @alive.
 */
void mregion_ring_memory_take(struct mregion_ring_memory *memory, bool alive);

/** mregion_ring_memory_same() - whether two mappings are of the same ring */
bool mregion_ring_memory_same(struct mregion_ring_memory *a,
			      struct mregion_ring_memory *b);

#endif
