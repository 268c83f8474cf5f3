// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mregion.h>

#include "copy_live.h"
#include "machine.h"
#include "report.h"

/* So few pages are copied while nothing runs. */
#define FEW_PAGES		64
/* A guest that writes faster than this copies is stopped after so many rounds. */
#define MAX_ROUNDS		30
/* Between two rounds: there would be nothing to do if they followed at once. */
#define ROUND_NSEC		50000000

/* Pages that are looked at together */
#define CHUNK			4096u

/**
 * struct part - memory of a region, and where it is in the file
 * @log: the region's
 * @memory: it
 * @pages: how many
 * @at: of the first in the file, in pages
 */
struct part {
	struct mregion_log *log;
	const uint8_t *memory;
	uint64_t pages;
	uint64_t at;
};

struct copier {
	struct copy_live *copy;
	struct mregion_logs *logs;
	struct part *parts;
	unsigned int nr_parts;
	size_t page_size;
	uint64_t pages;
};

static int write_all(int fd, const uint8_t *from, size_t len, uint64_t at)
{
	ssize_t done;

	while (len) {
		done = pwrite(fd, from, len, at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		from += done;
		len -= done;
		at += done;
	}
	return 0;
}

static int copy_pages(const struct copier *copier, const struct part *part,
		      uint64_t first, uint64_t nr)
{
	return write_all(copier->copy->fd,
			 part->memory + first * copier->page_size,
			 nr * copier->page_size,
			 (part->at + first) * copier->page_size);
}

/* Copy the pages of a part of a log that were written. Return: how many, or -errno. */
static int64_t copy_chunk(const struct copier *copier, const struct part *part,
			  uint64_t first, uint64_t nr)
{
	uint64_t bits[CHUNK / 64], i, run;
	int64_t copied;
	int error;

	copied = mregion_log_take(part->log, first, nr, bits);
	for (i = 0; copied && i < nr; i += run ? run : 1) {
		for (run = 0; i + run < nr; run++)
			if (!(bits[(i + run) / 64] >> (i + run) % 64 & 1))
				break;
		error = run ? copy_pages(copier, part, first + i, run) : 0;
		if (error)
			return error;
	}
	return copied;
}

/* Copy what was written since the last time. Return: how many pages, or -errno. */
static int64_t copy_written(const struct copier *copier)
{
	const struct part *part;
	uint64_t first, nr;
	int64_t copied = 0, got;
	unsigned int i;

	if (mregion_log_sync(copier->copy->machine->mregion)) {
		report("--copy-live: %s", mregion_error());
		return -EIO;
	}
	for (i = 0; i < copier->nr_parts; i++) {
		part = &copier->parts[i];
		for (first = 0; first < part->pages; first += nr) {
			nr = part->pages - first;
			if (nr > CHUNK)
				nr = CHUNK;
			got = copy_chunk(copier, part, first, nr);
			if (got < 0)
				return got;
			copied += got;
		}
	}
	return copied;
}

static int copy_all(const struct copier *copier)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < copier->nr_parts && !error; i++)
		error = copy_pages(copier, &copier->parts[i], 0,
				   copier->parts[i].pages);
	return error;
}

/* How many pages of a part are not the same in the file, or -errno. */
static int64_t compare_part(const struct copier *copier,
			    const struct part *part)
{
	size_t size = copier->page_size;
	uint8_t *page = malloc(size);
	int64_t different = 0;
	uint64_t i;

	if (!page)
		return -ENOMEM;
	for (i = 0; i < part->pages; i++) {
		if (pread(copier->copy->fd, page, size,
			  (part->at + i) * size) != (ssize_t)size) {
			different = errno ? -errno : -EIO;
			break;
		}
		different += !!memcmp(page, part->memory + i * size, size);
	}
	free(page);
	return different;
}

static int64_t compare(const struct copier *copier)
{
	int64_t different = 0, got;
	unsigned int i;

	for (i = 0; i < copier->nr_parts; i++) {
		got = compare_part(copier, &copier->parts[i]);
		if (got < 0)
			return got;
		different += got;
	}
	return different;
}

/* All logs that there are; no memory is created once the machine runs. */
static int find_parts(struct copier *copier)
{
	struct mregion_log *log = NULL;
	struct part *parts;

	while ((log = mregion_logs_next(copier->logs, log))) {
		parts = realloc(copier->parts,
				(copier->nr_parts + 1) * sizeof(*parts));
		if (!parts)
			return -ENOMEM;
		copier->parts = parts;
		parts[copier->nr_parts++] = (struct part){
			.log = log,
			.memory = mregion_ram_ptr(mregion_log_region(log)),
			.pages = mregion_log_pages(log),
			.at = copier->pages,
		};
		copier->pages += mregion_log_pages(log);
	}
	return 0;
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = ROUND_NSEC };

	nanosleep(&moment, NULL);
}

/* Return: how many rounds, or -errno. The end of the machine ends them. */
static int copy_rounds(const struct copier *copier, uint64_t *copied)
{
	int64_t got = copy_all(copier);
	int round = 1;

	*copied = copier->pages;
	while (got >= 0) {
		wait_a_moment();
		got = copy_written(copier);
		if (got < 0)
			break;
		*copied += got;
		round++;
		if (got <= FEW_PAGES || round >= MAX_ROUNDS ||
		    atomic_load(&copier->copy->stop))
			return round;
	}
	return got;
}

/* With all that writes stopped. Return: 0 or a negative errno. */
static int finish(const struct copier *copier, int rounds, uint64_t copied)
{
	int64_t last = copy_written(copier);
	int64_t different = last < 0 ? last : compare(copier);

	if (different < 0)
		return different;
	report("--copy-live: %" PRIu64 " pages, %" PRIu64 " copied in %d rounds while the guest ran, %" PRId64 " while it was stopped; %" PRId64 " differ",
	       copier->pages, copied, rounds, last, different);
	return different ? -EIO : 0;
}

static int copy(struct copier *copier)
{
	struct machine *machine = copier->copy->machine;
	uint64_t copied;
	int rounds, error;

	copier->logs = mregion_logs_start(machine->mregion);
	if (!copier->logs) {
		report("--copy-live: %s", mregion_error());
		return -EIO;
	}
	error = find_parts(copier);
	if (error)
		return error;
	rounds = copy_rounds(copier, &copied);
	if (rounds < 0)
		return rounds;
	vcpus_park(&machine->vcpus);
	virtio_devices_pause(&machine->virtio);
	error = finish(copier, rounds, copied);
	virtio_devices_resume(&machine->virtio);
	vcpus_resume(&machine->vcpus);
	return error;
}

static void *copy_thread(void *opaque)
{
	struct copy_live *live = opaque;
	struct copier copier = {
		.copy = live,
		.page_size = sysconf(_SC_PAGESIZE),
	};
	int error = copy(&copier);

	mregion_logs_stop(copier.logs);
	free(copier.parts);
	if (error)
		report("--copy-live: cannot copy to '%s': %s", live->path,
		       strerror(-error));
	live->failed = error;
	return NULL;
}

int copy_live_open(struct copy_live *copy, const char *path)
{
	*copy = (struct copy_live){ .fd = -1, .path = path };
	if (!path)
		return 0;
	copy->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (copy->fd >= 0)
		return 0;
	report("cannot write to '%s': %s", path, strerror(errno));
	return -errno;
}

int copy_live_start(struct copy_live *copy, struct machine *machine)
{
	int error;

	if (copy->fd < 0)
		return 0;
	copy->machine = machine;
	error = pthread_create(&copy->thread, NULL, copy_thread, copy);
	copy->started = !error;
	if (error)
		report("--copy-live: cannot start a thread: %s",
		       strerror(error));
	return -error;
}

void copy_live_end(struct copy_live *copy)
{
	if (copy->started) {
		atomic_store(&copy->stop, true);
		pthread_join(copy->thread, NULL);
		copy->started = false;
	}
}

void copy_live_close(struct copy_live *copy)
{
	if (copy->fd >= 0)
		close(copy->fd);
	copy->fd = -1;
}
