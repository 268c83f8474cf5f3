/* SPDX-License-Identifier: GPL-2.0 */
/* Rings: shared memory that coalesced writes land in. */
#ifndef MREGION_RING_H
#define MREGION_RING_H

#include <linux/atomic.h>
#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mregion.h>
#include <linux/processor.h>

#include "memory.h"

/**
 * struct mregion_ring - a ring
 * @reserved: entries that producers ever took room for, modulo 2^32
 * @published: entries ever appended, modulo 2^32; header->producer is a copy for
 *	userspace
 * @mask: number of entries less one
 * @notify_entries: signal when so many wait; more than there are for never
 * @timed: signal when one has waited for @delay, and the timer is not running
 * @header: the shared memory; never read but for header->consumer
 * @entries: in the shared memory, never read
 * @eventfd: what to signal, or NULL
 * @timer: runs since the oldest entry that it knows of was appended
 * @delay: see @timed
 * @appended: entries appended
 * @full: writes that found no room; whoever appends in vain counts them
 * @wakeups: times that @eventfd was signalled
 * @kref: held by the machine, by each rule, and by the descriptor
 * @memory: the shared memory
 */
struct mregion_ring {
	u32 reserved;
	u32 published;
	u32 mask;
	u32 notify_entries;
	bool timed;
	struct mregion_ring_header *header;
	struct mregion_ring_entry *entries;
	struct eventfd_ctx *eventfd;
	struct hrtimer timer;
	ktime_t delay;
	atomic64_t appended;
	atomic64_t full;
	atomic64_t wakeups;
	struct kref kref;
	struct mregion_memory memory;
};

struct mregion_ring *
mregion_ring_alloc(const struct mregion_ring_create *args);
int mregion_ring_fd(struct mregion_ring *ring);
void mregion_ring_get(struct mregion_ring *ring);
void mregion_ring_put(struct mregion_ring *ring);
void mregion_ring_wake(struct mregion_ring *ring);
void mregion_ring_start_timer(struct mregion_ring *ring);
void mregion_ring_stats(struct mregion_ring *ring, struct mregion_stats *stats);

/**
 * mregion_ring_append() - append entries, all or none
 * @ring: the ring
 * @entry: the entries
 * @nr: how many; more than one where an access was split
 *
 * For callers with preemption off, from any context but interrupts: producers
 * take room in one order and then publish in the same, each waiting for those
 * before it, who thus must not be kept from running. There is no lock, since
 * its two function calls would be half of what a coalesced write costs.
 *
 * Return: false if there is no room, which is also what a consumer gets that
 * writes nonsense to the header.
 */
static __always_inline bool
mregion_ring_append(struct mregion_ring *ring,
		    const struct mregion_ring_entry *entry, u32 nr)
{
	u32 first = READ_ONCE(ring->reserved), waiting, i;

	do {
		waiting = first - READ_ONCE(ring->header->consumer);
		if (unlikely(waiting > ring->mask ||
			     (nr > 1 && nr > ring->mask + 1 - waiting)))
			return false;
	} while (unlikely(!try_cmpxchg(&ring->reserved, &first, first + nr)));

	for (i = 0; i < nr; i++) {
		struct mregion_ring_entry *to;

		/* by member: a single entry then never is in the caller's memory */
		to = &ring->entries[(first + i) & ring->mask];
		to->offset = entry[i].offset;
		to->data = entry[i].data;
		to->region = entry[i].region;
		to->vcpu = entry[i].vcpu;
		to->len = entry[i].len;
		to->reserved = 0;
	}

	/* pairs with the release below, of whoever came before */
	while (unlikely(smp_load_acquire(&ring->published) != first))
		cpu_relax();
	/* pairs with the consumer's acquire: it sees whole entries */
	smp_store_release(&ring->header->producer, first + nr);
	/* pairs with the acquire above, of whoever comes next */
	smp_store_release(&ring->published, first + nr);
	atomic64_add(nr, &ring->appended);
	/* pairs with mregion_ring_timeout()'s barrier, and with the consumer's */
	smp_mb__after_atomic();

	/*
	 * Only on crossing the threshold: waking it once is enough. What waits is
	 * to be looked at after publishing: a consumer that has taken the rest
	 * meanwhile and found nothing more is about to sleep.
	 */
	waiting = first + nr - READ_ONCE(ring->header->consumer);
	if (unlikely(waiting - ring->notify_entries < nr))
		mregion_ring_wake(ring);
	if (unlikely(READ_ONCE(ring->timed)))
		mregion_ring_start_timer(ring);
	return true;
}

#endif /* MREGION_RING_H */
