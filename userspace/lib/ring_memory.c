// SPDX-License-Identifier: MIT
/* The memory that a ring's producer, the kernel, shares with its consumer. */
#include <errno.h>
#include <sys/mman.h>

#include "ring_memory.h"

static size_t size_of(uint32_t nr_entries)
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

int mregion_ring_memory_map(struct mregion_ring_memory *memory, int fd,
			    uint32_t nr_entries)
{
	void *ptr;

	if (!nr_entries)
		nr_entries = read_nr_entries(fd);
	if (!nr_entries)
		return -EINVAL;
	ptr = mmap(NULL, size_of(nr_entries), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, 0);
	if (ptr == MAP_FAILED)
		return -errno;
	memory->header = ptr;
	memory->entries = (void *)((char *)ptr + MREGION_RING_ENTRIES);
	memory->mapped = size_of(nr_entries);
	memory->nr_entries = nr_entries;
	return 0;
}

void mregion_ring_memory_unmap(struct mregion_ring_memory *memory)
{
	if (memory->header)
		munmap(memory->header, memory->mapped);
	memory->header = NULL;
}

static uint32_t producer(const struct mregion_ring_memory *memory)
{
	return __atomic_load_n(&memory->header->producer, __ATOMIC_ACQUIRE);
}

/* The consumer's index advances when a device has returned, not before. */
static uint32_t consumer(const struct mregion_ring_memory *memory)
{
	return __atomic_load_n(&memory->header->consumer, __ATOMIC_ACQUIRE);
}

static void set_consumer(struct mregion_ring_memory *memory, uint32_t value)
{
	__atomic_store_n(&memory->header->consumer, value, __ATOMIC_RELEASE);
}

bool mregion_ring_memory_pending(const struct mregion_ring_memory *memory)
{
	return producer(memory) != consumer(memory);
}

unsigned int mregion_ring_memory_consume(struct mregion_ring_memory *memory,
					 mregion_consume_t *consume,
					 void *opaque)
{
	struct mregion_ring_entry entry;
	unsigned int count = 0;
	uint32_t first, last;

	/* What comes later is for the next time, lest this never ends. */
	first = consumer(memory);
	last = producer(memory);
	if (last - first > memory->nr_entries) {
		/* Somebody scribbled over the indices: begin anew. */
		first = last;
		set_consumer(memory, first);
	}
	for (; first != last; count++) {
		entry = memory->entries[first & (memory->nr_entries - 1)];
		if (!consume(opaque, &entry))
			break;
		set_consumer(memory, ++first);
	}
	return count;
}
