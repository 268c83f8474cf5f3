// SPDX-License-Identifier: MIT
/* Servers, as the process that serves sees them: which regions and rings it serves. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "mregion.h"
#include "server_process.h"

/* How many slots there are, 0 if @fd is no server's. */
static uint32_t read_nr_slots(int fd)
{
	struct mregion_server_header *header;
	uint32_t nr;

	header = mmap(NULL, sizeof(*header), PROT_READ, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return 0;
	nr = header->nr_slots;
	munmap(header, sizeof(*header));
	return nr <= MREGION_SERVER_MAX_SLOTS ? nr : 0;
}

static int map_server(struct mregion_serving *serving)
{
	void *ptr;

	serving->nr_slots = read_nr_slots(serving->fd);
	if (!serving->nr_slots)
		return -EINVAL;
	serving->mapped = MREGION_SERVER_SLOTS +
			  serving->nr_slots * sizeof(serving->slots[0]);
	ptr = mmap(NULL, serving->mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
		   serving->fd, 0);
	if (ptr == MAP_FAILED)
		return -errno;
	serving->header = ptr;
	serving->slots = (void *)((char *)ptr + MREGION_SERVER_SLOTS);
	return 0;
}

struct mregion_serving *mregion_serving_open(int fd)
{
	struct mregion_serving *serving = calloc(1, sizeof(*serving));
	int err = ENOMEM;

	if (!serving)
		goto fail;
	serving->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (serving->fd < 0) {
		err = errno;
		goto free_serving;
	}
	serving->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (serving->stop_fd < 0) {
		err = errno;
		goto close_fd;
	}
	err = -map_server(serving);
	if (err)
		goto close_stop_fd;
	pthread_mutex_init(&serving->lock, NULL);
	mregion_sections_init(&serving->sections);
	return serving;

close_stop_fd:
	close(serving->stop_fd);
close_fd:
	close(serving->fd);
free_serving:
	free(serving);
fail:
	if (err == EINVAL)
		mregion_fail_why(err,
				 "serve on descriptor %d: it is no server's",
				 fd);
	else
		mregion_fail(err, "serve on descriptor %d", fd);
	return NULL;
}

static void free_ring(struct mregion_serving_ring *ring)
{
	mregion_ring_memory_unmap(&ring->memory);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring);
}

static void free_rings(struct mregion_serving *serving)
{
	struct mregion_serving_ring *ring, *next;

	for (ring = atomic_load(&serving->rings); ring; ring = next) {
		next = ring->next;
		free_ring(ring);
	}
}

void mregion_serving_close(struct mregion_serving *serving)
{
	struct mregion_serving_region *region, *next;
	unsigned int i;

	if (!serving)
		return;
	free_rings(serving);
	for (i = 0; i < MREGION_SERVING_BUCKETS; i++) {
		for (region = serving->regions[i]; region; region = next) {
			next = region->next;
			free(region);
		}
	}
	munmap(serving->header, serving->mapped);
	close(serving->stop_fd);
	close(serving->fd);
	mregion_sections_destroy(&serving->sections);
	pthread_mutex_destroy(&serving->lock);
	free(serving);
}

int mregion_serving_fd(const struct mregion_serving *serving)
{
	return serving->fd;
}

void mregion_serving_stop(struct mregion_serving *serving)
{
	uint64_t one = 1;
	int saved = errno;

	atomic_store(&serving->stop, true);
	/* Fails only when it is readable anyway; a signal's handler is mute. */
	if (write(serving->stop_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

/* Whether this thread may wait for rounds to end: 0, or -EDEADLK if it is in one. */
static int check_may_wait(const struct mregion_serving *serving,
			  const char *what)
{
	return mregion_sections_inside(&serving->sections) ?
	       mregion_fail_why(EDEADLK,
				"%s: called within a device's function",
				what) : 0;
}

/* IDs are given out one after the other, so they need no hashing. */
static _Atomic(struct mregion_serving_region *) *
bucket(struct mregion_serving *serving, uint32_t id)
{
	return &serving->regions[id % MREGION_SERVING_BUCKETS];
}

const struct mregion_device *
mregion_serving_device(struct mregion_serving *serving, uint32_t id)
{
	struct mregion_serving_region *region;

	for (region = atomic_load(bucket(serving, id)); region;
	     region = region->next)
		if (region->id == id)
			return &region->device;
	return NULL;
}

int mregion_serving_add(struct mregion_serving *serving, uint32_t id,
			uint64_t len, const struct mregion_ops *ops,
			void *opaque)
{
	struct mregion_serving_region *region;
	int err = 0;

	if (!len)
		return mregion_fail_why(EINVAL,
			"serve region %u: no region has a length of 0", id);
	region = calloc(1, sizeof(*region));
	if (!region)
		return mregion_fail(ENOMEM, "serve region %u", id);
	region->id = id;
	region->device.ops = ops;
	region->device.opaque = opaque;
	region->device.constraints = ops->constraints;
	region->device.last = len == MREGION_WHOLE ? UINT64_MAX : len - 1;
	region->device.current.region_id = id;
	region->device.current.source = MREGION_FROM_SERVER;
	pthread_mutex_lock(&serving->lock);
	if (mregion_serving_device(serving, id)) {
		err = EEXIST;
	} else {
		region->next = atomic_load(bucket(serving, id));
		atomic_store(bucket(serving, id), region);
	}
	pthread_mutex_unlock(&serving->lock);
	if (!err)
		return 0;
	free(region);
	return mregion_fail_why(err, "serve region %u: it was added before",
				id);
}

int mregion_serving_del(struct mregion_serving *serving, uint32_t id)
{
	_Atomic(struct mregion_serving_region *) *link = bucket(serving, id);
	struct mregion_serving_region *region;
	int ret = check_may_wait(serving, "stop serving a region");

	if (ret)
		return ret;
	pthread_mutex_lock(&serving->lock);
	while ((region = atomic_load(link)) && region->id != id)
		link = &region->next;
	if (region)
		atomic_store(link, atomic_load(&region->next));
	pthread_mutex_unlock(&serving->lock);
	if (!region)
		return mregion_fail_why(ENOENT,
			"stop serving region %u: it was not added", id);
	mregion_sections_wait(&serving->sections);
	free(region);
	return 0;
}

static bool consume_entry(void *opaque, const struct mregion_ring_entry *entry)
{
	const struct mregion_device *device;

	device = mregion_serving_device(opaque, entry->region);
	if (device)
		mregion_device_post(device, entry);
	return true;
}

/*
 * Others wait for the lock, also if they have taken nothing yet: an access must
 * not reach its device before the writes that somebody else is just bringing.
 */
static void drain_ring(struct mregion_serving *serving,
		       struct mregion_serving_ring *ring)
{
	if (mregion_ring_memory_begin(&ring->memory, MREGION_RING_FOR_EVER))
		return;
	mregion_ring_memory_consume(&ring->memory, consume_entry, serving);
	mregion_ring_memory_end(&ring->memory);
}

void mregion_serving_drain(struct mregion_serving *serving)
{
	struct mregion_serving_ring *ring;

	for (ring = atomic_load(&serving->rings); ring; ring = ring->next)
		if (mregion_ring_memory_pending(&ring->memory))
			drain_ring(serving, ring);
}

/* What is needed to get at a ring. Return: 0 or a positive errno. */
static int open_ring(struct mregion_serving_ring **ring, int fd)
{
	int err;

	*ring = calloc(1, sizeof(**ring));
	if (!*ring)
		return ENOMEM;
	(*ring)->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	err = (*ring)->fd < 0 ? errno :
	      -mregion_ring_memory_map(&(*ring)->memory, (*ring)->fd, 0);
	if (err)
		free_ring(*ring);
	return err;
}

/* Where the pointer is to the one that is the same ring. Lock held. */
static _Atomic(struct mregion_serving_ring *) *
find_ring(struct mregion_serving *serving, struct mregion_ring_memory *memory)
{
	_Atomic(struct mregion_serving_ring *) *link = &serving->rings;
	struct mregion_serving_ring *ring;

	while ((ring = atomic_load(link)) &&
	       !mregion_ring_memory_same(&ring->memory, memory))
		link = &ring->next;
	return link;
}

static int ring_failed(const char *what, int fd, int err, const char *reason)
{
	char text[64];

	snprintf(text, sizeof(text), "%s descriptor %d", what, fd);
	return mregion_fail_reason(err, text,
				   err == EINVAL ? "it is no ring's" : reason);
}

int mregion_serving_add_ring(struct mregion_serving *serving, int fd)
{
	struct mregion_serving_ring *ring;
	int err = open_ring(&ring, fd);

	if (err)
		return ring_failed("add the ring of", fd, err, NULL);
	ring->memory.claims = true;
	pthread_mutex_lock(&serving->lock);
	if (atomic_load(find_ring(serving, &ring->memory))) {
		err = EEXIST;
	} else {
		atomic_store(&ring->next, atomic_load(&serving->rings));
		atomic_store(&serving->rings, ring);
	}
	pthread_mutex_unlock(&serving->lock);
	if (!err)
		return 0;
	free_ring(ring);
	return ring_failed("add the ring of", fd, err, "it was added before");
}

/*
 * While others see it, too: once it is out of the list, no access of theirs waits
 * for what was posted before it.
 */
static void drain_ring_in_list(struct mregion_serving *serving,
			       struct mregion_ring_memory *memory)
{
	struct mregion_serving_ring *ring;
	struct mregion_section section;

	mregion_section_begin(&section, &serving->sections);
	pthread_mutex_lock(&serving->lock);
	ring = atomic_load(find_ring(serving, memory));
	pthread_mutex_unlock(&serving->lock);
	if (ring)
		drain_ring(serving, ring);
	mregion_section_end(&section);
}

int mregion_serving_del_ring(struct mregion_serving *serving, int fd)
{
	_Atomic(struct mregion_serving_ring *) *link;
	struct mregion_serving_ring *same, *ring;
	struct mregion_section section;
	int err;

	err = -check_may_wait(serving, "stop draining a ring");
	if (err)
		return -err;
	err = open_ring(&same, fd);
	if (err)
		return ring_failed("stop draining the ring of", fd, err, NULL);
	drain_ring_in_list(serving, &same->memory);
	pthread_mutex_lock(&serving->lock);
	link = find_ring(serving, &same->memory);
	ring = atomic_load(link);
	if (ring)
		atomic_store(link, atomic_load(&ring->next));
	pthread_mutex_unlock(&serving->lock);
	free_ring(same);
	if (!ring)
		return ring_failed("stop draining the ring of", fd, ENOENT,
			      "it was not added");
	mregion_sections_wait(&serving->sections);
	/* What came meanwhile, of a rule that is still there. */
	mregion_section_begin(&section, &serving->sections);
	drain_ring(serving, ring);
	mregion_section_end(&section);
	free_ring(ring);
	return 0;
}
