// SPDX-License-Identifier: MIT
/* Bringing to devices what is in rings, the threads that do so, and the end of rings. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "access.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "ring.h"
#include "ring_drain.h"
#include "server_in_vmm.h"

void mregion_rings_join(struct mregion_rings *rings)
{
	pthread_mutex_lock(&rings->lock);
	while (rings->nr_threads)
		pthread_cond_wait(&rings->no_threads, &rings->lock);
	pthread_mutex_unlock(&rings->lock);
}

/* A thread begins (1), or has ended (-1). */
static void count_threads(struct mregion_rings *rings, int change)
{
	pthread_mutex_lock(&rings->lock);
	rings->nr_threads += change;
	if (!rings->nr_threads)
		pthread_cond_broadcast(&rings->no_threads);
	pthread_mutex_unlock(&rings->lock);
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
static bool region_takes(const struct mregion_region *region,
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
static bool must_leave(const struct mregion_ring *ring,
		       const struct mregion_region *region)
{
	return !mregion_region_callable(region) && !atomic_load(&ring->freed);
}

/* A server's process may have written whose it is. */
static void call_device(const struct mregion_ring *ring,
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
static bool bring_entry(const struct mregion_ring *ring,
			const struct mregion_ring_entry *entry)
{
	struct mregion_region *region;
	bool brought = true;

	region = mregion_table_get(&ring->machine->regions, entry->region);
	if (!region)
		return true;
	if (region_takes(region, entry)) {
		if (must_leave(ring, region))
			brought = false;
		else if (mregion_region_may_call(region))
			call_device(ring, region, entry);
	}
	mregion_region_put(region);
	return brought;
}

/*
 * Bring one write to its device. A thread that is told to end leaves it, unless
 * the ring is freed; who tells it so, and then waits for sections, knows that it
 * does not come again.
 */
static bool consume_entry(void *opaque, const struct mregion_ring_entry *entry)
{
	const struct drainer *drainer = opaque;
	struct mregion_ring *ring = drainer->ring;
	struct mregion_section section;
	bool go_on;

	mregion_section_begin(&section, &ring->machine->sections);
	go_on = !drainer->thread || goes_on(ring, drainer->thread) ||
		atomic_load(&ring->freed);
	if (go_on && mregion_ring_may_hold(ring, entry))
		go_on = bring_entry(ring, entry);
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

static unsigned int drain_claimed(struct drainer *drainer)
{
	struct mregion_ring *ring = drainer->ring;
	const struct mregion_server *server = atomic_load(&ring->server);
	unsigned int count;

	if (server && !ring->taken) {
		ring->taken = true;
		mregion_ring_memory_take(&ring->memory,
					 atomic_load(&server->alive));
	}
	count = mregion_ring_memory_consume(&ring->memory, consume_entry, drainer);
	/* It may have stopped before the last one. */
	if (server && !mregion_ring_memory_pending(&ring->memory))
		mregion_ring_forget_posted(ring);
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
			count += drain_claimed(&drainer);
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
	count_threads(rings, -1);
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
	count_threads(rings, 1);
	err = create_detached(drainer);
	if (err) {
		count_threads(rings, -1);
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

static void stop_ring(struct mregion_ring *ring)
{
	atomic_store(&ring->freed, true);
	pthread_mutex_lock(&ring->lock);
	atomic_store(&ring->thread, 0);
	pthread_mutex_unlock(&ring->lock);
	signal_ring(ring);
}

void mregion_ring_release(struct mregion_ring *ring)
{
	stop_ring(ring);
	mregion_rings_remove(&ring->machine->rings, ring);
	mregion_ring_put(ring);
}

int mregion_ring_free(struct mregion_ring *ring)
{
	int err;

	if (!ring)
		return 0;
	err = mregion_ring_free_in_kernel(ring);
	if (err == EBUSY)
		return mregion_fail_why(err,
			"free ring %u: a region coalesces into it, or is posted to it",
			ring->id);
	if (err)
		return mregion_fail(err, "free ring %u", ring->id);
	/* Nothing comes any more, but something may be there yet. */
	stop_ring(ring);
	mregion_ring_bring(ring, MREGION_RING_PATIENCE, 0);
	mregion_ring_release(ring);
	return 0;
}

void mregion_rings_stop(struct mregion_rings *rings)
{
	while (mregion_rings_any(rings))
		mregion_ring_release(rings->set->rings[0]);
}

/* Return: how many entries there were, or -EBUSY if there may be more. */
static int drain_set(struct mregion_rings *rings, int patience)
{
	struct mregion_ring_set *set = mregion_rings_get_set(rings);
	int count = 0, ret = 0;
	size_t i;

	for (i = 0; set && i < set->nr; i++) {
		if (mregion_ring_remote(set->rings[i]) ||
		    !mregion_ring_memory_pending(&set->rings[i]->memory))
			continue;
		ret = mregion_ring_bring(set->rings[i], patience, 0);
		count = ret < 0 || count < 0 ? -EBUSY : count + ret;
	}
	mregion_ring_set_put(set);
	return count;
}

void mregion_rings_drain(struct mregion_rings *rings)
{
	drain_set(rings, MREGION_RING_FOR_EVER);
}

int mregion_drain(struct mregion_machine *machine)
{
	int ret = drain_set(&machine->rings, MREGION_RING_PATIENCE);

	if (ret == -EBUSY)
		mregion_fail_why(EBUSY,
			"drain: another thread is at an entry of a ring");
	return ret;
}
