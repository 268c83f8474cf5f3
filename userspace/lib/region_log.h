/* SPDX-License-Identifier: MIT */
/* The logs of a region: which pages were written, for each client. */
#ifndef MREGION_LIB_REGION_LOG_H
#define MREGION_LIB_REGION_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mregion_machine;
struct mregion_region;
struct mregion_written;

/**
 * struct mregion_log - a log
 * @region: whose pages; with a reference
 * @logs: that it is one of, or NULL
 * @next: of the region
 * @next_in_logs: of @logs
 * @lock: of all below
 * @fd: file of the bitmap
 * @words: it
 * @nr_words: how many
 * @nr_pages: of the region, when it was largest
 */
struct mregion_log {
	struct mregion_region *region;
	struct mregion_logs *logs;
	struct mregion_log *next;
	struct mregion_log *next_in_logs;
	pthread_mutex_t lock;
	int fd;
	_Atomic uint64_t *words;
	size_t nr_words;
	uint64_t nr_pages;
};

/**
 * struct mregion_logs - logs of all memory
 * @machine: the machine
 * @first: its logs
 * @last: where the next one goes
 * @error: a log could not be made for a region that came later: negative errno
 * @next: in the machine's list
 */
struct mregion_logs {
	struct mregion_machine *machine;
	struct mregion_log *first;
	struct mregion_log **last;
	int error;
	struct mregion_logs *next;
};

/**
 * struct mregion_logging - what a region knows of its logs; under the transaction's lock
 * @logs: its logs
 * @written: what others than vCPUs have written; NULL before anybody wants to know
 * @on: %MREGION_REGION_LOG_DIRTY is set for the logs
 * @next: of the machine's regions with logs
 */
struct mregion_logging {
	struct mregion_log *logs;
	_Atomic(struct mregion_written *) written;
	bool on;
	struct mregion_region *next;
};

/** mregion_logging_possible() - it has memory, whose pages are the region's */
bool mregion_logging_possible(const struct mregion_region *region);

/** mregion_log_alloc() - an empty log, not linked yet; NULL with errno set */
struct mregion_log *mregion_log_alloc(struct mregion_region *region);
void mregion_log_free(struct mregion_log *log);

/** mregion_log_link() - have a log be told of pages; the transaction is locked */
void mregion_log_link(struct mregion_log *log);
void mregion_log_unlink(struct mregion_log *log);

/** mregion_logs_append() - a log is one of those of all memory */
void mregion_logs_append(struct mregion_logs *logs, struct mregion_log *log);

/**
 * mregion_logging_begin() - a region gets its first log: whoever writes marks from now on
 * @region: the region; its machine's transaction is locked
 *
 * Return: 0 or a negative errno.
 */
int mregion_logging_begin(struct mregion_region *region);

/** mregion_logging_end() - it has no log any more */
void mregion_logging_end(struct mregion_region *region);

/** mregion_logging_collect() - bring in what others than vCPUs have written */
void mregion_logging_collect(struct mregion_region *region);

/**
 * mregion_logging_bits() - pages of a region were written
 * @region: the region; its machine's transaction is locked
 * @page: the page of bit 0
 * @bits: 64 of them
 */
void mregion_logging_bits(struct mregion_region *region, uint64_t page,
			  uint64_t bits);

/**
 * mregion_logging_grow() - have bits for more pages
 * @region: the region; its machine's transaction is locked
 * @len: in bytes, that it will have
 *
 * Return: 0 or a negative errno. What has been made larger stays so.
 */
int mregion_logging_grow(struct mregion_region *region, uint64_t len);

/** mregion_logging_wanted() - whether a region that is made gets logs at once */
bool mregion_logging_wanted(const struct mregion_region *region);

/**
 * mregion_logging_created() - a region has been created
 * @region: the region; its machine's transaction is locked
 *
 * If all memory is logged, so is its.
 */
void mregion_logging_created(struct mregion_region *region);

/** mregion_logs_close() - end all logs, as the machine closes */
void mregion_logs_close(struct mregion_machine *machine);

/**
 * mregion_logging_written() - the file of what others than vCPUs write
 * @region: the region; its machine's transaction is locked
 *
 * Return: it, made if there was none; NULL with errno set.
 */
struct mregion_written *mregion_logging_written(struct mregion_region *region);

#endif
