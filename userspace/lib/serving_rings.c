// SPDX-License-Identifier: MIT
/* Rings of posted writes, in the process that serves. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "mregion.h"
#include "serving.h"

static void consume(void *opaque, const struct mregion_ring_entry *entry)
{
	const struct mregion_device *device;

	device = mregion_serving_device(opaque, entry->region);
	if (device)
		mregion_device_post(device, entry);
}

/*
 * Others wait for the lock, also if they have taken nothing yet: an access must
 * not reach its device before the writes that somebody else is just bringing.
 */
static void drain(struct mregion_serving *serving,
		  struct mregion_serving_ring *ring)
{
	if (!mregion_ring_memory_begin(&ring->memory, true))
		return;
	mregion_ring_memory_consume(&ring->memory, consume, serving);
	mregion_ring_memory_end(&ring->memory);
}

void mregion_serving_drain(struct mregion_serving *serving)
{
	struct mregion_serving_ring *ring;

	for (ring = atomic_load(&serving->rings); ring; ring = ring->next)
		if (mregion_ring_memory_pending(&ring->memory))
			drain(serving, ring);
}

int mregion_serving_add_ring(struct mregion_serving *serving, int fd)
{
	struct mregion_serving_ring *ring = calloc(1, sizeof(*ring));
	int err = ENOMEM;

	if (!ring)
		goto fail;
	ring->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ring->fd < 0) {
		err = errno;
		goto free_ring;
	}
	err = -mregion_ring_memory_map(&ring->memory, ring->fd, 0);
	if (err)
		goto close_fd;
	ring->memory.claims = true;
	pthread_mutex_lock(&serving->lock);
	ring->next = atomic_load(&serving->rings);
	atomic_store(&serving->rings, ring);
	pthread_mutex_unlock(&serving->lock);
	return 0;

close_fd:
	close(ring->fd);
free_ring:
	free(ring);
fail:
	return mregion_fail(err, "drain the ring of descriptor %d", fd);
}

void mregion_serving_free_rings(struct mregion_serving *serving)
{
	struct mregion_serving_ring *ring, *next;

	for (ring = atomic_load(&serving->rings); ring; ring = next) {
		next = ring->next;
		mregion_ring_memory_unmap(&ring->memory);
		close(ring->fd);
		free(ring);
	}
}
