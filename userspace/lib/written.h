/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a region were written by others than vCPUs: a file that all share who
 * write to the region's memory, in the VMM or in a device's process. Logs are brought up
 * to date from it.
 *
 * A writer writes, and then marks; a client begins its log, or collects marks, and then
 * reads memory. There is a full fence between the two on either side. Either the writer
 * finds that a log is active, and marks, or the client reads what was written. In the same
 * way a mark that is collected before the write is made again after it.
 *
 * A process that dies between a part of its write and its mark would leave memory
 * written and not marked. So a mirror says before it writes what it is about to write: see
 * struct mregion_in_flight.
 */
#ifndef MREGION_LIB_WRITTEN_H
#define MREGION_LIB_WRITTEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** MREGION_MAX_HOLDERS - mirrors of views that can write at the same time */
#define MREGION_MAX_HOLDERS	64

/** MREGION_MAX_SPANS - parts of a region that one of them can be writing */
#define MREGION_MAX_SPANS	8

/**
 * struct mregion_in_flight - a part that a mirror may have written, and not marked yet
 * @first: first page
 * @end: the page behind the last; 0: there is none. Set before the write, after @first,
 *	and cleared after the mark
 */
struct mregion_in_flight {
	_Atomic uint64_t first;
	_Atomic uint64_t end;
};

/**
 * struct mregion_written_header - what the file begins with
 * @active: the region has logs; else nobody marks
 * @in_flight: writes of mirrors, by their number
 */
struct mregion_written_header {
	_Atomic uint64_t active;
	uint64_t reserved[7];
	struct mregion_in_flight in_flight[MREGION_MAX_HOLDERS]
					  [MREGION_MAX_SPANS];
};

/** MREGION_WRITTEN_BITMAP - where the bitmap begins in the file */
#define MREGION_WRITTEN_BITMAP	12288

_Static_assert(sizeof(struct mregion_written_header) <= MREGION_WRITTEN_BITMAP,
	       "the bitmap follows the header");

/**
 * struct mregion_written - the file, as it is mapped
 * @fd: the file
 * @size: bytes that are mapped
 * @header: where
 * @words: the bitmap
 * @nr_pages: pages of the region that it has bits for
 * @before: how it was mapped before it grew; a writer may be using that
 */
struct mregion_written {
	int fd;
	size_t size;
	struct mregion_written_header *header;
	_Atomic uint64_t *words;
	uint64_t nr_pages;
	struct mregion_written *before;
};

/**
 * mregion_written_new() - make a file
 * @name: of the region
 * @nr_pages: of the region
 *
 * Return: it; NULL with errno set.
 */
struct mregion_written *mregion_written_new(const char *name,
					    uint64_t nr_pages);

/**
 * mregion_written_open() - map a file that another process has made
 * @fd: the file; closed with what is returned
 *
 * Return: it; NULL with errno set: EINVAL: it is no such file.
 */
struct mregion_written *mregion_written_open(int fd);

/**
 * mregion_written_grow() - likewise, with bits for more pages
 * @written: as it is mapped; stays valid
 * @nr_pages: of the region
 *
 * Return: what is to be used from now on, and frees @written with itself; NULL with
 * errno set.
 */
struct mregion_written *mregion_written_grow(struct mregion_written *written,
					     uint64_t nr_pages);

void mregion_written_free(struct mregion_written *written);

/**
 * mregion_written_mark() - say that pages were written, if anybody wants to know
 * @written: the file
 * @first: first page
 * @last: last page; pages that there are no bits for are skipped
 */
void mregion_written_mark(struct mregion_written *written, uint64_t first,
			  uint64_t last);

/**
 * mregion_written_collect() - take all marks
 * @written: the file
 * @take: called for each word of the bitmap that has marks
 * @opaque: passed to it
 *
 * Pages of writes that are in flight count as marked, and stay in flight.
 */
void mregion_written_collect(struct mregion_written *written,
			     void (*take)(void *opaque, uint64_t word,
					  uint64_t bits),
			     void *opaque);

/**
 * mregion_written_settle() - a process has ended, or does not write any more
 * @written: the file
 * @holder: its number
 *
 * Its writes in flight are marked.
 */
void mregion_written_settle(struct mregion_written *written,
			    unsigned int holder);

#endif
