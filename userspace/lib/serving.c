// SPDX-License-Identifier: MIT
/* Servers, as the process that serves sees them: what it serves. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "mregion.h"
#include "serving.h"

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

void mregion_serving_close(struct mregion_serving *serving)
{
	struct mregion_serving_region *region, *next;
	unsigned int i;

	if (!serving)
		return;
	mregion_serving_free_rings(serving);
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

int mregion_serving_may_remove(const struct mregion_serving *serving,
			       const char *what)
{
	return mregion_sections_inside(&serving->sections) ?
	       mregion_fail_why(EDEADLK,
				"%s: called within a device's function",
				what) : 0;
}

int mregion_serving_del(struct mregion_serving *serving, uint32_t id)
{
	_Atomic(struct mregion_serving_region *) *link = bucket(serving, id);
	struct mregion_serving_region *region;
	int ret = mregion_serving_may_remove(serving, "stop serving a region");

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
