// SPDX-License-Identifier: MIT
/* Coalescing rings: their creation, and bringing writes to their devices. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "access.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "ring.h"
#include "server.h"

void mregion_ring_get(struct mregion_ring *ring)
{
	atomic_fetch_add_explicit(&ring->refs, 1, memory_order_relaxed);
}

void mregion_ring_put(struct mregion_ring *ring)
{
	if (atomic_fetch_sub(&ring->refs, 1) != 1)
		return;
	mregion_ring_memory_unmap(&ring->memory);
	if (ring->fd >= 0)
		close(ring->fd);
	close(ring->eventfd);
	pthread_mutex_destroy(&ring->lock);
	free(ring);
}

static int free_in_kernel(const struct mregion_ring *ring)
{
	struct mregion_ring_free arg = {
		.size = sizeof(arg),
		.id = ring->id,
	};

	return ioctl(ring->machine->fd, MREGION_RING_FREE, &arg) ? errno : 0;
}

static struct mregion_ring *new_handle(struct mregion_machine *machine)
{
	pthread_mutexattr_t attr;
	struct mregion_ring *ring;

	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return NULL;
	ring->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ring->eventfd < 0) {
		free(ring);
		return NULL;
	}
	atomic_init(&ring->refs, 1);
	ring->machine = machine;
	ring->fd = -1;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&ring->lock, &attr);
	pthread_mutexattr_destroy(&attr);

	pthread_mutex_lock(&machine->transaction.lock);
	ring->id = mregion_next_id(&machine->last_ring_id);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ring;
}

struct mregion_ring *mregion_new_ring(struct mregion_machine *machine,
				      uint32_t nr_entries,
				      uint32_t notify_entries,
				      uint32_t notify_usecs)
{
	struct mregion_ring_create arg = {
		.size = sizeof(arg),
		.nr_entries = nr_entries,
		.notify_entries = notify_entries,
		.notify_usecs = notify_usecs,
	};
	struct mregion_ring *ring;
	int err;

	ring = new_handle(machine);
	if (!ring)
		return mregion_fail_ptr(errno, "create a ring");
	arg.id = ring->id;
	arg.eventfd = ring->eventfd;
	if (ioctl(machine->fd, MREGION_RING_CREATE, &arg)) {
		err = errno;
		goto put_ring;
	}
	ring->fd = arg.fd;
	err = -mregion_ring_memory_map(&ring->memory, ring->fd, nr_entries);
	if (err)
		goto free_ring;
	if (mregion_rings_add(&machine->rings, ring)) {
		err = ENOMEM;
		goto free_ring;
	}
	return ring;

free_ring:
	free_in_kernel(ring);
put_ring:
	mregion_ring_put(ring);
	return mregion_fail_ptr(err, "create a ring of %u entries", nr_entries);
}

int mregion_ring_eventfd(const struct mregion_ring *ring)
{
	return ring->eventfd;
}

int mregion_ring_fd(const struct mregion_ring *ring)
{
	return ring->fd;
}

uint32_t mregion_ring_id(const struct mregion_ring *ring)
{
	return ring->id;
}

bool mregion_ring_remote(const struct mregion_ring *ring)
{
	struct mregion_server *server = atomic_load(&ring->server);

	return server && !atomic_load(&server->dead);
}

/*
 * Bring one write to its device. The kernel has accepted it already. Its region
 * may be gone, or smaller, since; then so is the register it was for.
 */
static void dispatch(struct mregion_machine *machine,
		     const struct mregion_ring_entry *entry)
{
	struct mregion_section section;
	struct mregion_region *region;
	struct mregion_device device;

	mregion_section_begin(&section, &machine->sections);
	region = mregion_table_get(&machine->regions, entry->region);
	if (region) {
		/* A length of 0 is 2^64. */
		if (region->ops && !atomic_load(&region->freed) &&
		    entry->offset <= atomic_load(&region->len) - 1 &&
		    entry->len - 1u <=
		    atomic_load(&region->len) - 1 - entry->offset) {
			device.ops = region->ops;
			device.opaque = region->opaque;
			device.constraints = mregion_region_constraints(region);
			mregion_device_post(&device, entry);
		}
		mregion_region_put(region);
	}
	mregion_section_end(&section);
}

static bool consume(void *opaque, const struct mregion_ring_entry *entry)
{
	struct mregion_ring *ring = opaque;

	if (mregion_ring_remote(ring))
		return false;
	dispatch(ring->machine, entry);
	return true;
}

unsigned int mregion_ring_drain(struct mregion_ring *ring)
{
	unsigned int count = 0;

	mregion_ring_get(ring);
	pthread_mutex_lock(&ring->lock);
	if (!ring->draining) {
		ring->draining = true;
		count = mregion_ring_memory_consume(&ring->memory, consume,
						    ring);
		ring->draining = false;
	}
	pthread_mutex_unlock(&ring->lock);
	mregion_ring_put(ring);
	return count;
}

static void *drain_thread(void *arg)
{
	struct mregion_ring *ring = arg;
	struct pollfd poll_fd = { .fd = ring->eventfd, .events = POLLIN };
	uint64_t count;

	while (!atomic_load(&ring->stop)) {
		poll(&poll_fd, 1, -1);
		if (read(ring->eventfd, &count, sizeof(count)) < 0)
			continue;
		while (!atomic_load(&ring->stop) && mregion_ring_drain(ring))
			;
	}
	mregion_ring_put(ring);
	return NULL;
}

int mregion_ring_start_thread(struct mregion_ring *ring)
{
	sigset_t all, before;
	int err = EBUSY;

	pthread_mutex_lock(&ring->lock);
	if (!ring->has_thread) {
		/* Signals are for the threads that the VMM knows of. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		mregion_ring_get(ring);
		err = pthread_create(&ring->thread, NULL, drain_thread, ring);
		if (err)
			mregion_ring_put(ring);
		else
			ring->has_thread = true;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_mutex_unlock(&ring->lock);
	return err ? mregion_fail(err, "start a thread for ring %u", ring->id)
		   : 0;
}

static void stop_thread(struct mregion_ring *ring)
{
	uint64_t one = 1;

	if (!ring->has_thread)
		return;
	atomic_store(&ring->stop, true);
	/* Fails only when the counter is full, and so readable, anyway. */
	if (write(ring->eventfd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		mregion_fail(errno, "wake the thread of ring %u", ring->id);
	if (pthread_equal(ring->thread, pthread_self()))
		pthread_detach(ring->thread);
	else
		pthread_join(ring->thread, NULL);
}

void mregion_ring_release(struct mregion_ring *ring)
{
	stop_thread(ring);
	mregion_rings_remove(&ring->machine->rings, ring);
	mregion_ring_put(ring);
}

int mregion_ring_free(struct mregion_ring *ring)
{
	int err;

	if (!ring)
		return 0;
	err = free_in_kernel(ring);
	if (err)
		return mregion_fail(err, "free ring %u", ring->id);
	/* Nothing comes any more, but something may be there yet. */
	mregion_ring_drain(ring);
	mregion_ring_release(ring);
	return 0;
}
