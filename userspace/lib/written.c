// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "written.h"

#define BITS	64u

static size_t size_of(uint64_t nr_pages)
{
	return MREGION_WRITTEN_BITMAP + (nr_pages + BITS - 1) / BITS * 8;
}

/* Map the @size bytes of a file. If that fails, @fd stays open. */
static struct mregion_written *map(int fd, size_t size)
{
	struct mregion_written *written = malloc(sizeof(*written));
	void *ptr;

	if (!written)
		return NULL;
	ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ptr == MAP_FAILED) {
		free(written);
		return NULL;
	}
	*written = (struct mregion_written){
		.fd = fd,
		.size = size,
		.header = ptr,
		.words = (_Atomic uint64_t *)((uint8_t *)ptr +
					      MREGION_WRITTEN_BITMAP),
		.nr_pages = (size - MREGION_WRITTEN_BITMAP) / 8 * BITS,
	};
	return written;
}

struct mregion_written *mregion_written_new(const char *name, uint64_t nr_pages)
{
	struct mregion_written *written = NULL;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return NULL;
	/* Made smaller by another process, it would let the VMM die of SIGBUS. */
	if (!ftruncate(fd, size_of(nr_pages)) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL))
		written = map(fd, size_of(nr_pages));
	if (!written)
		close(fd);
	return written;
}

struct mregion_written *mregion_written_open(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return NULL;
	if (size < MREGION_WRITTEN_BITMAP || size % 8) {
		errno = EINVAL;
		return NULL;
	}
	return map(fd, size);
}

struct mregion_written *mregion_written_grow(struct mregion_written *written,
					     uint64_t nr_pages)
{
	size_t size = size_of(nr_pages);
	struct mregion_written *grown;
	struct stat st;

	if (nr_pages <= written->nr_pages)
		return written;
	if (fstat(written->fd, &st))
		return NULL;
	/* It stays as large if what it is for is undone. */
	if ((size_t)st.st_size < size && ftruncate(written->fd, size))
		return NULL;
	grown = map(written->fd, size);
	if (grown)
		grown->before = written;
	return grown;
}

void mregion_written_free(struct mregion_written *written)
{
	struct mregion_written *before;

	if (!written)
		return;
	close(written->fd);
	for (; written; written = before) {
		before = written->before;
		munmap(written->header, written->size);
		free(written);
	}
}

/* Bits @first to @last of a bitmap that are in the word of @first. */
static uint64_t mask_of(uint64_t first, uint64_t last)
{
	uint64_t mask = ~0ull << first % BITS;

	if (last / BITS == first / BITS)
		mask &= ~0ull >> (BITS - 1 - last % BITS);
	return mask;
}

static void set_bits(struct mregion_written *written, uint64_t first,
		     uint64_t last)
{
	_Atomic uint64_t *word;
	uint64_t mask;

	if (first >= written->nr_pages)
		return;
	if (last >= written->nr_pages)
		last = written->nr_pages - 1;
	for (; first <= last; first = (first / BITS + 1) * BITS) {
		word = &written->words[first / BITS];
		mask = mask_of(first, last);
		if ((atomic_load(word) & mask) != mask)
			atomic_fetch_or(word, mask);
	}
}

void mregion_written_mark(struct mregion_written *written, uint64_t first,
			  uint64_t last)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&written->header->active))
		set_bits(written, first, last);
}

/* A write that ends meanwhile marks its pages itself. */
static void mark_in_flight(struct mregion_written *written,
			   struct mregion_in_flight *in_flight)
{
	uint64_t end = atomic_load(&in_flight->end);
	uint64_t first = atomic_load(&in_flight->first);

	if (first < end && atomic_load(&in_flight->end) == end)
		set_bits(written, first, end - 1);
}

void mregion_written_settle(struct mregion_written *written,
			    unsigned int holder)
{
	struct mregion_in_flight *in_flight;
	unsigned int i;

	for (i = 0; i < MREGION_MAX_SPANS; i++) {
		in_flight = &written->header->in_flight[holder][i];
		mark_in_flight(written, in_flight);
		atomic_store(&in_flight->end, 0);
	}
}

void mregion_written_collect(struct mregion_written *written,
			     void (*take)(void *opaque, uint64_t word,
					  uint64_t bits),
			     void *opaque)
{
	uint64_t i, bits;
	unsigned int h, k;

	for (h = 0; h < MREGION_MAX_HOLDERS; h++)
		for (k = 0; k < MREGION_MAX_SPANS; k++)
			mark_in_flight(written,
				       &written->header->in_flight[h][k]);
	for (i = 0; i < written->nr_pages / BITS; i++) {
		/* To look is cheaper than to exchange, and mostly enough. */
		if (!atomic_load(&written->words[i]))
			continue;
		bits = atomic_exchange(&written->words[i], 0);
		take(opaque, i, bits);
	}
	/* Before memory is read, also where there were no marks. */
	atomic_thread_fence(memory_order_seq_cst);
}
