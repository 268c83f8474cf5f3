// SPDX-License-Identifier: MIT
/* Rings of posted writes, in the process that serves. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "mregion.h"
#include "serving.h"

static bool consume(void *opaque, const struct mregion_ring_entry *entry)
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
static void drain(struct mregion_serving *serving,
		  struct mregion_serving_ring *ring)
{
	if (mregion_ring_memory_begin(&ring->memory, MREGION_RING_FOR_EVER))
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

static void free_ring(struct mregion_serving_ring *ring)
{
	mregion_ring_memory_unmap(&ring->memory);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring);
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
find(struct mregion_serving *serving, struct mregion_ring_memory *memory)
{
	_Atomic(struct mregion_serving_ring *) *link = &serving->rings;
	struct mregion_serving_ring *ring;

	while ((ring = atomic_load(link)) &&
	       !mregion_ring_memory_same(&ring->memory, memory))
		link = &ring->next;
	return link;
}

static int failed(const char *what, int fd, int err, const char *reason)
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
		return failed("add the ring of", fd, err, NULL);
	ring->memory.claims = true;
	pthread_mutex_lock(&serving->lock);
	if (atomic_load(find(serving, &ring->memory))) {
		err = EEXIST;
	} else {
		atomic_store(&ring->next, atomic_load(&serving->rings));
		atomic_store(&serving->rings, ring);
	}
	pthread_mutex_unlock(&serving->lock);
	if (!err)
		return 0;
	free_ring(ring);
	return failed("add the ring of", fd, err, "it was added before");
}

/*
 * While others see it, too: once it is out of the list, no access of theirs waits
 * for what was posted before it.
 */
static void drain_listed(struct mregion_serving *serving,
			 struct mregion_ring_memory *memory)
{
	struct mregion_serving_ring *ring;
	struct mregion_section section;

	mregion_section_begin(&section, &serving->sections);
	pthread_mutex_lock(&serving->lock);
	ring = atomic_load(find(serving, memory));
	pthread_mutex_unlock(&serving->lock);
	if (ring)
		drain(serving, ring);
	mregion_section_end(&section);
}

int mregion_serving_del_ring(struct mregion_serving *serving, int fd)
{
	_Atomic(struct mregion_serving_ring *) *link;
	struct mregion_serving_ring *same, *ring;
	struct mregion_section section;
	int err;

	err = -mregion_serving_may_remove(serving, "stop draining a ring");
	if (err)
		return -err;
	err = open_ring(&same, fd);
	if (err)
		return failed("stop draining the ring of", fd, err, NULL);
	drain_listed(serving, &same->memory);
	pthread_mutex_lock(&serving->lock);
	link = find(serving, &same->memory);
	ring = atomic_load(link);
	if (ring)
		atomic_store(link, atomic_load(&ring->next));
	pthread_mutex_unlock(&serving->lock);
	free_ring(same);
	if (!ring)
		return failed("stop draining the ring of", fd, ENOENT,
			      "it was not added");
	mregion_sections_wait(&serving->sections);
	/* What came meanwhile, of a rule that is still there. */
	mregion_section_begin(&section, &serving->sections);
	drain(serving, ring);
	mregion_section_end(&section);
	free_ring(ring);
	return 0;
}

void mregion_serving_free_rings(struct mregion_serving *serving)
{
	struct mregion_serving_ring *ring, *next;

	for (ring = atomic_load(&serving->rings); ring; ring = next) {
		next = ring->next;
		free_ring(ring);
	}
}
