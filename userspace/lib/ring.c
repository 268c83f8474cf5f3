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
#include "call.h"
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
	while (ring->posted)
		mregion_ring_del_posted(ring, ring->posted);
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

/* The kernel has refused it: what for, if that can be told. */
static const char *create_reason(const struct mregion_info *info,
				 const struct mregion_ring_create *arg, int err)
{
	if (err == ENOSPC)
		return "the machine has max_rings rings";
	if (err != EINVAL)
		return NULL;
	if (arg->nr_entries < 2 || arg->nr_entries & (arg->nr_entries - 1))
		return "the number is no power of two from 2 on";
	if (arg->nr_entries > info->max_ring_entries)
		return "the number is more than max_ring_entries";
	if (arg->notify_entries > arg->nr_entries)
		return "notify_entries is more than it has";
	return "notify_usecs is more than 10 seconds";
}

static struct mregion_ring *new_handle(struct mregion_machine *machine)
{
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
	pthread_mutex_init(&ring->lock, NULL);
	ring->id = mregion_next_id(machine, &machine->last_ring_id);
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
	const char *reason = NULL;
	struct mregion_ring *ring;
	char what[64];
	int err;

	ring = new_handle(machine);
	if (!ring)
		return mregion_fail_ptr(errno, "create a ring");
	arg.id = ring->id;
	arg.eventfd = ring->eventfd;
	if (ioctl(machine->fd, MREGION_RING_CREATE, &arg)) {
		err = errno;
		reason = create_reason(&machine->info, &arg, err);
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
	snprintf(what, sizeof(what), "create a ring of %u entries", nr_entries);
	mregion_fail_reason(err, what, reason);
	return NULL;
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

void mregion_ring_add_posted(struct mregion_ring *ring,
			     struct mregion_posted *posted)
{
	pthread_mutex_lock(&ring->lock);
	posted->next = ring->posted;
	ring->posted = posted;
	pthread_mutex_unlock(&ring->lock);
}

void mregion_ring_del_posted(struct mregion_ring *ring,
			     struct mregion_posted *posted)
{
	struct mregion_posted **link;

	pthread_mutex_lock(&ring->lock);
	for (link = &ring->posted; *link != posted; link = &(*link)->next)
		;
	*link = posted->next;
	pthread_mutex_unlock(&ring->lock);
	free(posted);
}

void mregion_ring_end_posted(struct mregion_ring *ring, uint32_t region,
			     uint64_t offset, uint64_t last)
{
	struct mregion_posted *posted, *oldest = NULL;

	pthread_mutex_lock(&ring->lock);
	/* An equal one that is newer may be for a rule that is yet to come. */
	for (posted = ring->posted; posted; posted = posted->next)
		if (posted->region == region && !posted->gone &&
		    posted->offset == offset && posted->last == last)
			oldest = posted;
	if (oldest)
		oldest->gone = true;
	pthread_mutex_unlock(&ring->lock);
}

/* Everything was brought that there can be of rules that are gone. */
static void forget_gone(struct mregion_ring *ring)
{
	struct mregion_posted **link = &ring->posted, *posted;

	pthread_mutex_lock(&ring->lock);
	while ((posted = *link)) {
		if (posted->gone) {
			*link = posted->next;
			free(posted);
		} else {
			link = &posted->next;
		}
	}
	pthread_mutex_unlock(&ring->lock);
}

/*
 * A server's process can write what it likes into its ring. What it left there
 * must be for parts of regions that were posted to it.
 */
static bool may_hold(struct mregion_ring *ring,
		     const struct mregion_ring_entry *entry)
{
	const struct mregion_posted *posted;

	if (!atomic_load(&ring->server))
		return true;
	pthread_mutex_lock(&ring->lock);
	for (posted = ring->posted; posted; posted = posted->next)
		if (posted->region == entry->region &&
		    entry->offset >= posted->offset &&
		    entry->offset <= posted->last &&
		    entry->len - 1u <= posted->last - entry->offset)
			break;
	pthread_mutex_unlock(&ring->lock);
	return posted;
}

/* Whether a ring's thread is to go on with what it has begun. */
static bool goes_on(const struct mregion_ring *ring, unsigned int thread)
{
	return atomic_load(&ring->thread) == thread;
}

/**
 * struct drainer - who drains
 * @ring: the ring
 * @thread: as for mregion_ring_bring()
 */
struct drainer {
	struct mregion_ring *ring;
	unsigned int thread;
};

/* Its region may be gone, or smaller, since it was written. */
static bool is_there(const struct mregion_region *region,
		     const struct mregion_ring_entry *entry)
{
	/* A length of 0 is 2^64. */
	uint64_t last = atomic_load(&region->len) - 1;

	return region->ops && !atomic_load(&region->freed) &&
	       entry->offset <= last && entry->len - 1u <= last - entry->offset;
}

/*
 * What this thread cannot bring now, since it is in functions of devices, stays in the
 * ring for another one, or for later. If the ring is freed, there is no later.
 */
static bool is_for_later(const struct mregion_ring *ring,
			 const struct mregion_region *region)
{
	return !mregion_call_possible(region) && !atomic_load(&ring->freed);
}

/* A server's process may have written whose it is. */
static void post(const struct mregion_ring *ring,
		 struct mregion_region *region,
		 const struct mregion_ring_entry *entry)
{
	struct mregion_ring_entry its = *entry;
	struct mregion_device device;

	if (atomic_load(&ring->server))
		its.vcpu = MREGION_NO_VCPU;
	mregion_region_device(region, &device);
	mregion_device_post(&device, &its);
}

/* Return: false if it stays in the ring. */
static bool bring(const struct mregion_ring *ring,
		  const struct mregion_ring_entry *entry)
{
	struct mregion_region *region;
	bool brought = true;

	region = mregion_table_get(&ring->machine->regions, entry->region);
	if (!region)
		return true;
	if (is_there(region, entry)) {
		if (is_for_later(ring, region))
			brought = false;
		else if (mregion_call_allowed(region))
			post(ring, region, entry);
	}
	mregion_region_put(region);
	return brought;
}

/*
 * Bring one write to its device. A thread that is told to end leaves it, unless
 * the ring is freed; who tells it so, and then waits for sections, knows that it
 * does not come again.
 */
static bool consume(void *opaque, const struct mregion_ring_entry *entry)
{
	const struct drainer *drainer = opaque;
	struct mregion_ring *ring = drainer->ring;
	struct mregion_section section;
	bool go_on;

	mregion_section_begin(&section, &ring->machine->sections);
	go_on = !drainer->thread || goes_on(ring, drainer->thread) ||
		atomic_load(&ring->freed);
	if (go_on && may_hold(ring, entry))
		go_on = bring(ring, entry);
	mregion_section_end(&section);
	return go_on;
}

/*
 * Whether this thread may wait for one that is bringing writes to their devices:
 * not if a device may in turn wait for what this thread has.
 */
static bool may_wait(const struct mregion_ring *ring)
{
	const struct mregion_machine *machine = ring->machine;

	return !mregion_sections_inside(&machine->sections) &&
	       !mregion_transaction_inside(&machine->transaction);
}

static unsigned int drain(struct drainer *drainer)
{
	struct mregion_ring *ring = drainer->ring;
	const struct mregion_server *server = atomic_load(&ring->server);
	unsigned int count;

	if (server && !ring->taken) {
		ring->taken = true;
		mregion_ring_memory_take(&ring->memory,
					 atomic_load(&server->alive));
	}
	count = mregion_ring_memory_consume(&ring->memory, consume, drainer);
	/* It may have stopped before the last one. */
	if (server && !mregion_ring_memory_pending(&ring->memory))
		forget_gone(ring);
	return count;
}

static bool has_work(const struct mregion_ring *ring)
{
	return !mregion_ring_remote(ring) &&
	       mregion_ring_memory_pending(&ring->memory);
}

int mregion_ring_bring(struct mregion_ring *ring, int patience,
		       unsigned int thread)
{
	struct mregion_ring_memory *memory = &ring->memory;
	struct drainer drainer = { ring, thread };
	struct mregion_section around;
	int ret, count = 0;
	bool freed;

	mregion_ring_get(ring);
	if (!may_wait(ring))
		patience = 0;
	/* The VMM's lock before the ring: who has it waits for nobody below. */
	mregion_section_around(&around, &ring->machine->sections);
	do {
		freed = atomic_load(&ring->freed);
		ret = mregion_ring_memory_begin(memory, patience);
		if (ret)
			break;
		if (has_work(ring))
			count += drain(&drainer);
		mregion_ring_memory_end(memory);
		/* Who frees a ring leaves the rest to who is at it. */
	} while (!freed && atomic_load(&ring->freed));
	mregion_section_end(&around);
	mregion_ring_put(ring);
	return ret == -EBUSY ? ret : count;
}

int mregion_ring_drain(struct mregion_ring *ring)
{
	int ret = mregion_ring_bring(ring, MREGION_RING_PATIENCE, 0);

	if (ret == -EBUSY)
		mregion_fail_why(EBUSY,
			"drain ring %u: another thread is at an entry of it",
			ring->id);
	return ret;
}

static void signal_ring(const struct mregion_ring *ring)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and so readable, anyway. */
	if (write(ring->eventfd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		mregion_fail(errno, "wake the thread of ring %u", ring->id);
}

static void drain_until_told(struct mregion_ring *ring, unsigned int thread)
{
	struct pollfd poll_fd = { .fd = ring->eventfd, .events = POLLIN };
	uint64_t count;

	while (goes_on(ring, thread)) {
		poll(&poll_fd, 1, -1);
		if (read(ring->eventfd, &count, sizeof(count)) < 0)
			continue;
		while (goes_on(ring, thread) &&
		       mregion_ring_bring(ring, MREGION_RING_FOR_EVER,
					  thread) > 0)
			;
	}
	/* It may have been woken for what another one is to do. */
	signal_ring(ring);
}

static void *drain_thread(void *arg)
{
	struct drainer *drainer = arg;
	struct mregion_ring *ring = drainer->ring;
	struct mregion_rings *rings = &ring->machine->rings;

	drain_until_told(ring, drainer->thread);
	free(drainer);
	mregion_ring_put(ring);
	mregion_rings_thread(rings, -1);
	return NULL;
}

/*
 * Nobody joins the thread: a device's function that frees the ring would wait
 * for what may be waiting for that very function.
 */
static int create_detached(struct drainer *drainer)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	/* Signals are for the threads that the VMM knows of. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, drain_thread, drainer);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static int create_thread(struct mregion_ring *ring, unsigned int number)
{
	struct mregion_rings *rings = &ring->machine->rings;
	struct drainer *drainer = malloc(sizeof(*drainer));
	int err;

	if (!drainer)
		return ENOMEM;
	*drainer = (struct drainer){ ring, number };
	mregion_ring_get(ring);
	mregion_rings_thread(rings, 1);
	err = create_detached(drainer);
	if (err) {
		mregion_rings_thread(rings, -1);
		mregion_ring_put(ring);
		free(drainer);
	}
	return err;
}

int mregion_ring_start_thread(struct mregion_ring *ring)
{
	int err = EBUSY;

	pthread_mutex_lock(&ring->lock);
	if (!atomic_load(&ring->thread)) {
		atomic_store(&ring->thread, ++ring->last_thread);
		err = create_thread(ring, ring->last_thread);
		if (err)
			atomic_store(&ring->thread, 0);
	}
	pthread_mutex_unlock(&ring->lock);
	if (err == EBUSY)
		return mregion_fail_why(err,
			"start a thread for ring %u: it has one already",
			ring->id);
	return err ? mregion_fail(err, "start a thread for ring %u", ring->id)
		   : 0;
}

int mregion_ring_stop_thread(struct mregion_ring *ring)
{
	bool had;

	pthread_mutex_lock(&ring->lock);
	had = atomic_exchange(&ring->thread, 0);
	pthread_mutex_unlock(&ring->lock);
	if (!had)
		return mregion_fail_why(ENOENT,
			"stop the thread of ring %u: it has none", ring->id);
	signal_ring(ring);
	return 0;
}

static void stop(struct mregion_ring *ring)
{
	atomic_store(&ring->freed, true);
	pthread_mutex_lock(&ring->lock);
	atomic_store(&ring->thread, 0);
	pthread_mutex_unlock(&ring->lock);
	signal_ring(ring);
}

void mregion_ring_release(struct mregion_ring *ring)
{
	stop(ring);
	mregion_rings_remove(&ring->machine->rings, ring);
	mregion_ring_put(ring);
}

int mregion_ring_free(struct mregion_ring *ring)
{
	int err;

	if (!ring)
		return 0;
	err = free_in_kernel(ring);
	if (err == EBUSY)
		return mregion_fail_why(err,
			"free ring %u: a region coalesces into it, or is posted to it",
			ring->id);
	if (err)
		return mregion_fail(err, "free ring %u", ring->id);
	/* Nothing comes any more, but something may be there yet. */
	stop(ring);
	mregion_ring_bring(ring, MREGION_RING_PATIENCE, 0);
	mregion_ring_release(ring);
	return 0;
}
