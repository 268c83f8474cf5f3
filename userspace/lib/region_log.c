// SPDX-License-Identifier: MIT
/*
 * The logs of a region: their bitmaps, and how pages that were written come there. log.c
 * begins and ends them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_log.h"
#include "written.h"

#define BITS	64u

/* Lengths of memory are never 2^64. */
static uint64_t pages_of(const struct mregion_region *region, uint64_t len)
{
	uint64_t page_size = region->machine->page_size;

	return len / page_size + (len % page_size != 0);
}

/* ---- Bitmaps ----------------------------------------------------------- */

uint64_t mregion_log_take_bits(uint64_t *words, uint64_t first, uint64_t nr,
			       uint64_t *bits)
{
	_Atomic uint64_t *from = (_Atomic uint64_t *)words;
	uint64_t i, n, at, mask, taken, written = 0;

	for (i = 0; bits && i < (nr + BITS - 1) / BITS; i++)
		bits[i] = 0;
	for (i = 0; i < nr; i += n) {
		at = first + i;
		n = BITS - at % BITS;
		if (n > nr - i)
			n = nr - i;
		mask = (~0ull >> (BITS - n)) << at % BITS;
		if (!(atomic_load(&from[at / BITS]) & mask))
			continue;
		taken = atomic_fetch_and(&from[at / BITS], ~mask) & mask;
		written += __builtin_popcountll(taken);
		if (!bits)
			continue;
		taken >>= at % BITS;
		bits[i / BITS] |= taken << i % BITS;
		if (i % BITS && i % BITS + n > BITS)
			bits[i / BITS + 1] |= taken >> (BITS - i % BITS);
	}
	return written;
}

static void log_set(struct mregion_log *log, uint64_t word, uint64_t bits)
{
	if (word == log->nr_words - 1 && log->nr_pages % BITS)
		bits &= ~0ull >> (BITS - log->nr_pages % BITS);
	if (bits && word < log->nr_words)
		atomic_fetch_or(&log->words[word], bits);
}

/* Have room for @nr_pages pages; the log is locked, or nobody has it yet. */
static int log_grow(struct mregion_log *log, uint64_t nr_pages)
{
	size_t nr_words = (nr_pages + BITS - 1) / BITS;
	uint64_t before;
	void *words;

	if (nr_words > log->nr_words) {
		if (ftruncate(log->fd, nr_words * sizeof(*log->words)))
			return -errno;
		words = log->words ?
			mremap(log->words, log->nr_words * sizeof(*log->words),
			       nr_words * sizeof(*log->words), MREMAP_MAYMOVE) :
			mmap(NULL, nr_words * sizeof(*log->words),
			     PROT_READ | PROT_WRITE, MAP_SHARED, log->fd, 0);
		if (words == MAP_FAILED)
			return -errno;
		log->words = words;
		log->nr_words = nr_words;
	}
	before = log->nr_pages;
	if (nr_pages > before)
		log->nr_pages = nr_pages;
	/* The client of all memory has not seen the new pages. */
	for (; log->logs && before < nr_pages; before++)
		log_set(log, before / BITS, 1ull << before % BITS);
	return 0;
}

void mregion_log_free(struct mregion_log *log)
{
	if (log->words)
		munmap(log->words, log->nr_words * sizeof(*log->words));
	if (log->fd >= 0)
		close(log->fd);
	pthread_mutex_destroy(&log->lock);
	mregion_region_put(log->region);
	free(log);
}

struct mregion_log *mregion_log_alloc(struct mregion_region *region)
{
	struct mregion_log *log = calloc(1, sizeof(*log));
	uint64_t len = atomic_load(&region->len);
	int err;

	if (!log)
		return NULL;
	pthread_mutex_init(&log->lock, NULL);
	mregion_region_get(region);
	log->region = region;
	log->fd = memfd_create(region->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	err = log->fd < 0 ? errno : -log_grow(log, pages_of(region, len));
	if (!err && fcntl(log->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL))
		err = errno;
	if (!err)
		return log;
	mregion_log_free(log);
	errno = err;
	return NULL;
}

static void log_set_all(struct mregion_log *log)
{
	uint64_t i;

	for (i = 0; i < log->nr_words; i++)
		log_set(log, i, ~0ull);
}

uint64_t mregion_log_take(struct mregion_log *log, uint64_t first, uint64_t nr,
			  uint64_t *bits)
{
	uint64_t i, there, written;

	pthread_mutex_lock(&log->lock);
	there = first < log->nr_pages ? log->nr_pages - first : 0;
	if (there > nr)
		there = nr;
	written = mregion_log_take_bits((uint64_t *)log->words, first, there,
					bits);
	for (i = (there + BITS - 1) / BITS; bits && i < (nr + BITS - 1) / BITS;
	     i++)
		bits[i] = 0;
	pthread_mutex_unlock(&log->lock);
	return written;
}

uint64_t mregion_log_pages(struct mregion_log *log)
{
	uint64_t nr;

	pthread_mutex_lock(&log->lock);
	nr = log->nr_pages;
	pthread_mutex_unlock(&log->lock);
	return nr;
}

int mregion_log_fd(const struct mregion_log *log)
{
	return log->fd;
}

struct mregion_region *mregion_log_region(const struct mregion_log *log)
{
	return atomic_load(&log->region->freed) ? NULL : log->region;
}

/* ---- Regions ----------------------------------------------------------- */

void mregion_logging_bits(struct mregion_region *region, uint64_t page,
			  uint64_t bits)
{
	struct mregion_log *log;

	for (log = region->logging.logs; log; log = log->next) {
		log_set(log, page / BITS, bits << page % BITS);
		if (page % BITS)
			log_set(log, page / BITS + 1,
				bits >> (BITS - page % BITS));
	}
}

static void take_written(void *opaque, uint64_t word, uint64_t bits)
{
	mregion_logging_bits(opaque, word * BITS, bits);
}

void mregion_logging_collect(struct mregion_region *region)
{
	struct mregion_written *written = atomic_load(&region->logging.written);

	if (written)
		mregion_written_collect(written, take_written, region);
}

struct mregion_written *mregion_logging_written(struct mregion_region *region)
{
	struct mregion_written *written = atomic_load(&region->logging.written);
	uint64_t len = atomic_load(&region->len);

	if (!written) {
		written = mregion_written_new(region->name,
					      pages_of(region, len));
		atomic_store(&region->logging.written, written);
	}
	return written;
}

int mregion_logging_grow(struct mregion_region *region, uint64_t len)
{
	struct mregion_written *written = atomic_load(&region->logging.written);
	uint64_t nr_pages = pages_of(region, len);
	struct mregion_log *log;
	int ret = 0;

	if (written) {
		written = mregion_written_grow(written, nr_pages);
		if (!written)
			return -errno;
		atomic_store(&region->logging.written, written);
	}
	for (log = region->logging.logs; log && !ret; log = log->next) {
		pthread_mutex_lock(&log->lock);
		ret = log_grow(log, nr_pages);
		pthread_mutex_unlock(&log->lock);
	}
	return ret;
}

bool mregion_logging_possible(const struct mregion_region *region)
{
	uint8_t *ptr = atomic_load(&region->ram.ptr);

	return ptr && !((uintptr_t)ptr & (region->machine->page_size - 1));
}

int mregion_logging_begin(struct mregion_region *region)
{
	struct mregion_machine *machine = region->machine;
	struct mregion_written *written = mregion_logging_written(region);

	if (!written)
		return -errno;
	/* Marks of an earlier log are for none. */
	mregion_logging_collect(region);
	atomic_store(&written->header->active, 1);
	/* Before the client reads memory. */
	atomic_thread_fence(memory_order_seq_cst);
	region->logging.next = machine->logged;
	machine->logged = region;
	mregion_region_get(region);
	return 0;
}

void mregion_logging_end(struct mregion_region *region)
{
	struct mregion_written *written = atomic_load(&region->logging.written);
	struct mregion_region **link = &region->machine->logged;

	atomic_store(&written->header->active, 0);
	while (*link != region)
		link = &(*link)->logging.next;
	*link = region->logging.next;
	mregion_region_put(region);
}

void mregion_log_link(struct mregion_log *log)
{
	log->next = log->region->logging.logs;
	log->region->logging.logs = log;
}

void mregion_log_unlink(struct mregion_log *log)
{
	struct mregion_log **link = &log->region->logging.logs;

	while (*link != log)
		link = &(*link)->next;
	*link = log->next;
}

/* ---- All memory -------------------------------------------------------- */

void mregion_logs_append(struct mregion_logs *logs, struct mregion_log *log)
{
	log->logs = logs;
	*logs->last = log;
	logs->last = &log->next_in_logs;
}

bool mregion_logging_wanted(const struct mregion_region *region)
{
	return region->machine->logs && mregion_logging_possible(region);
}

void mregion_logging_created(struct mregion_region *region)
{
	struct mregion_machine *machine = region->machine;
	struct mregion_logs *logs;
	struct mregion_log *log;

	if (!mregion_logging_wanted(region))
		return;
	/* It was created with the flag. */
	region->logging.on = true;
	for (logs = machine->logs; logs; logs = logs->next) {
		log = mregion_log_alloc(region);
		if (!log || (!region->logging.logs && mregion_logging_begin(region))) {
			logs->error = -ENOMEM;
			if (log)
				mregion_log_free(log);
			continue;
		}
		mregion_log_link(log);
		log_set_all(log);
		mregion_logs_append(logs, log);
	}
}

void mregion_logs_close(struct mregion_machine *machine)
{
	struct mregion_logs *logs;
	struct mregion_log *log;

	while (machine->logged) {
		log = machine->logged->logging.logs;
		mregion_log_unlink(log);
		if (!log->region->logging.logs)
			mregion_logging_end(log->region);
		mregion_log_free(log);
	}
	while ((logs = machine->logs)) {
		machine->logs = logs->next;
		free(logs);
	}
}

/* ---- Writers ----------------------------------------------------------- */

void mregion_mark(struct mregion_region *region, uint64_t offset, uint64_t len)
{
	struct mregion_written *written;
	uint64_t page_size, last;

	/* Either this finds the file, or a log began after the write. */
	atomic_thread_fence(memory_order_seq_cst);
	written = atomic_load(&region->logging.written);
	if (!written || !len)
		return;
	last = offset + len - 1;
	if (last < offset)
		last = UINT64_MAX;
	page_size = region->machine->page_size;
	mregion_written_mark(written, offset / page_size, last / page_size);
}
