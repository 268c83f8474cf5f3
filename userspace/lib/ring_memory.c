// SPDX-License-Identifier: MIT
/* The memory that a ring's producer, the kernel, shares with its consumer. */
#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "ring_memory.h"

static size_t mapping_size(uint32_t nr_entries)
{
	return MREGION_RING_ENTRIES +
	       (size_t)nr_entries * sizeof(struct mregion_ring_entry);
}

/* How many entries the header speaks of, 0 if it is none. */
static uint32_t read_nr_entries(int fd)
{
	struct mregion_ring_header *header;
	uint32_t nr, size;

	header = mmap(NULL, MREGION_RING_ENTRIES, PROT_READ, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return 0;
	nr = header->nr_entries;
	size = header->entry_size;
	munmap(header, MREGION_RING_ENTRIES);
	return size == sizeof(struct mregion_ring_entry) && !(nr & (nr - 1)) ?
	       nr : 0;
}

void mregion_ring_memory_init(struct mregion_ring_memory *memory, void *ptr,
			      uint32_t nr_entries)
{
	struct mregion_ring_consumers *end;
	pthread_condattr_t attr;

	end = (void *)((char *)ptr + MREGION_RING_ENTRIES);
	*memory = (struct mregion_ring_memory){
		.header = ptr,
		.consumers = end - 1,
		.entries = (void *)end,
		.mapped = mapping_size(nr_entries),
		.nr_entries = nr_entries,
	};
	pthread_mutex_init(&memory->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&memory->ended, &attr);
	pthread_condattr_destroy(&attr);
}

int mregion_ring_memory_map(struct mregion_ring_memory *memory, int fd,
			    uint32_t nr_entries)
{
	void *ptr;

	if (!nr_entries)
		nr_entries = read_nr_entries(fd);
	if (!nr_entries)
		return -EINVAL;
	ptr = mmap(NULL, mapping_size(nr_entries), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, 0);
	if (ptr == MAP_FAILED)
		return -errno;
	mregion_ring_memory_init(memory, ptr, nr_entries);
	return 0;
}

void mregion_ring_memory_unmap(struct mregion_ring_memory *memory)
{
	if (!memory->header)
		return;
	munmap(memory->header, memory->mapped);
	memory->header = NULL;
	pthread_cond_destroy(&memory->ended);
	pthread_mutex_destroy(&memory->lock);
}

static uint32_t read_producer(const struct mregion_ring_memory *memory)
{
	return __atomic_load_n(&memory->header->producer, __ATOMIC_ACQUIRE);
}

/* The consumer's index advances when a device has returned, not before. */
static uint32_t read_consumer(const struct mregion_ring_memory *memory)
{
	return __atomic_load_n(&memory->header->consumer, __ATOMIC_ACQUIRE);
}

/* Unless somebody who has taken the ring away has got there first. */
static void advance(struct mregion_ring_memory *memory, uint32_t from,
		    uint32_t to)
{
	__atomic_compare_exchange_n(&memory->header->consumer, &from, to,
				    false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	/* the kernel signals only if it sees this, or it is seen by the next look */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool mregion_ring_memory_pending(const struct mregion_ring_memory *memory)
{
	return read_producer(memory) != read_consumer(memory);
}

/* Return: 0, or -EBUSY when a thread has been at one entry for @patience ms. */
static int wait_for_end(struct mregion_ring_memory *memory, int patience)
{
	uint32_t at = read_consumer(memory);
	struct timespec until;

	if (patience < 0) {
		pthread_cond_wait(&memory->ended, &memory->lock);
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += patience / 1000;
	until.tv_nsec += patience % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (patience && !pthread_cond_timedwait(&memory->ended, &memory->lock,
						&until))
		return 0;
	return patience && read_consumer(memory) != at ? 0 : -EBUSY;
}

int mregion_ring_memory_begin(struct mregion_ring_memory *memory, int patience)
{
	int ret = 0;

	pthread_mutex_lock(&memory->lock);
	while (memory->draining && !ret)
		ret = pthread_equal(memory->drainer, pthread_self()) ?
		      -EDEADLK : wait_for_end(memory, patience);
	if (!memory->draining) {
		memory->draining = true;
		memory->drainer = pthread_self();
		ret = 0;
	}
	pthread_mutex_unlock(&memory->lock);
	return ret;
}

void mregion_ring_memory_end(struct mregion_ring_memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	memory->draining = false;
	pthread_cond_signal(&memory->ended);
	pthread_mutex_unlock(&memory->lock);
}

/* Take an entry up, unless the VMM has taken the ring. */
static bool claim_entry(struct mregion_ring_memory *memory, uint32_t index)
{
	uint64_t *word = &memory->consumers->claim;
	uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);

	do {
		if (old & MREGION_RING_TAKEN)
			return false;
	} while (!__atomic_compare_exchange_n(word, &old, (uint32_t)(index + 1),
					      false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return true;
}

void mregion_ring_memory_take(struct mregion_ring_memory *memory, bool alive)
{
	uint64_t old = __atomic_fetch_or(&memory->consumers->claim,
					 MREGION_RING_TAKEN, __ATOMIC_ACQ_REL);
	uint32_t at = (uint32_t)old - 1;

	/* Does nothing if it has finished that entry. */
	if (alive && !(old & MREGION_RING_TAKEN))
		advance(memory, at, at + 1);
}

bool mregion_ring_memory_same(struct mregion_ring_memory *a,
			      struct mregion_ring_memory *b)
{
	uint32_t token = a->consumers->token + 1;

	__atomic_store_n(&b->consumers->token, token, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&a->consumers->token, __ATOMIC_SEQ_CST) == token;
}

unsigned int mregion_ring_memory_consume(struct mregion_ring_memory *memory,
					 mregion_consume_t *consume,
					 void *opaque)
{
	struct mregion_ring_entry entry;
	unsigned int count = 0;
	uint32_t first, last;

	/* What comes later is for the next time, lest this never ends. */
	first = read_consumer(memory);
	last = read_producer(memory);
	if (last - first > memory->nr_entries) {
		/* Somebody scribbled over the indices: begin anew. */
		advance(memory, first, last);
		first = last;
	}
	for (; first != last; first++, count++) {
		if (memory->claims && !claim_entry(memory, first))
			break;
		entry = memory->entries[first & (memory->nr_entries - 1)];
		if (!consume(opaque, &entry))
			break;
		advance(memory, first, first + 1);
	}
	return count;
}
