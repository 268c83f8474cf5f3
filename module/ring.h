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
#include <linux/workqueue.h>

#include "memory.h"

/**
 * struct mregion_ring - a ring
 * @id: its ID
 * @owner: of its machine; a reference
 * @reserved: entries that producers ever took room for
 * @published: entries ever appended; header->producer is a copy for userspace,
 *	modulo 2^32
 * @mask: number of entries less one
 * @notify_entries: signal when so many wait; more than there are for never
 * @timed: signal when one has waited for @delay, and the timer is not running; a word,
 *	since xchg() of less is not to be had everywhere
 * @header: the shared memory; never read but for header->consumer
 * @entries: in the shared memory, never read
 * @eventfd: the eventfd to signal, or NULL
 * @timer: runs since the oldest entry that it knows of was appended
 * @delay: see @timed
 * @full: writes that found no room
 * @full_work: sends the event of it
 * @wakeups: times that @eventfd was signalled
 * @kref: held by the machine, by each rule, and by the descriptor
 * @memory: the shared memory
 */
struct mregion_ring {
	u32 id;
	struct mregion_owner *owner;
	u64 reserved;
	u64 published;
	u32 mask;
	u32 notify_entries;
	u32 timed;
	struct mregion_ring_header *header;
	struct mregion_ring_entry *entries;
	struct eventfd_ctx *eventfd;
	struct hrtimer timer;
	ktime_t delay;
	atomic64_t full;
	struct work_struct full_work;
	atomic64_t wakeups;
	struct kref kref;
	struct mregion_memory memory;
};

struct mregion_owner;

struct mregion_ring *
mregion_ring_alloc(const struct mregion_ring_create *args,
		   struct mregion_budget *budget, struct mregion_owner *owner);
int mregion_ring_fd(struct mregion_ring *ring);
void mregion_ring_get(struct mregion_ring *ring);
void mregion_ring_put(struct mregion_ring *ring);
void mregion_ring_overflow(struct mregion_ring *ring);
void mregion_ring_notify(struct mregion_ring *ring, u32 first, u32 nr);
void mregion_ring_stats(struct mregion_ring *ring, struct mregion_stats *stats);

/**
 * mregion_ring_reserve() - take room for entries, all or none
 * @ring: the ring
 * @nr: how many; more than one where an access was split
 * @first: set to the number of the first
 *
 * For callers with preemption off, from any context but interrupts: producers
 * take room in one order and then publish in the same, each waiting for those
 * before it, which must not be preempted. There is no lock, since
 * its two function calls would be half of the cost of a coalesced write.
 *
 * When this is true the entries are filled in, published by
 * mregion_ring_publish(), and counted; then mregion_ring_due() is asked.
 *
 * Return: false if there is no room, or the consumer has written nonsense to the
 * header.
 */
static __always_inline bool mregion_ring_reserve(struct mregion_ring *ring,
						 u32 nr, u64 *first)
{
	u32 waiting;

	*first = READ_ONCE(ring->reserved);
	do {
		waiting = (u32)*first - READ_ONCE(ring->header->consumer);
		if (unlikely(waiting > ring->mask ||
			     (nr > 1 && nr > ring->mask + 1 - waiting)))
			return false;
	} while (unlikely(!try_cmpxchg(&ring->reserved, first, *first + nr)));
	return true;
}

/**
 * mregion_ring_fill() - fill in an entry
 * @ring: the ring
 * @i: number of the entry, which is reserved
 * @region: ID of the region that was written to
 * @offset: in the region
 * @vcpu: index of the vCPU, or MREGION_NO_VCPU
 * @len: length of the write
 * @data: the value written
 */
static __always_inline void mregion_ring_fill(const struct mregion_ring *ring,
					      u32 i, u32 region, u64 offset,
					      u16 vcpu, u8 len, u64 data)
{
	struct mregion_ring_entry *entry = &ring->entries[i & ring->mask];

	entry->offset = offset;
	entry->data = data;
	entry->region = region;
	entry->vcpu = vcpu;
	entry->len = len;
	entry->reserved = 0;
}

/**
 * mregion_ring_publish() - show reserved entries to the consumer
 * @ring: the ring
 * @first: number of the first
 * @nr: how many
 */
static __always_inline void mregion_ring_publish(struct mregion_ring *ring,
						 u64 first, u32 nr)
{
	/* pairs with the release below, of whoever came before */
	while (unlikely(smp_load_acquire(&ring->published) != first))
		cpu_relax();
	/* pairs with the consumer's acquire: it sees whole entries */
	smp_store_release(&ring->header->producer, (u32)(first + nr));
	/* pairs with the acquire above, of whoever comes next */
	smp_store_release(&ring->published, first + nr);
}

/**
 * mregion_ring_due() - whether mregion_ring_notify() has anything to do
 * @ring: the ring
 * @first: number of the first entry that was published
 * @nr: how many were
 *
 * To be asked after an atomic operation that follows the publishing, such as
 * counting: a consumer that has taken the rest meanwhile, and found nothing more,
 * is about to sleep, so the entries that wait are counted after publishing.
 */
static __always_inline bool mregion_ring_due(const struct mregion_ring *ring,
					     u32 first, u32 nr)
{
	/* pairs with mregion_ring_timeout()'s barrier, and with the consumer's */
	smp_mb__after_atomic();
	/* only on crossing the threshold: waking it once is enough */
	return unlikely(first + nr - READ_ONCE(ring->header->consumer) -
			ring->notify_entries < nr || READ_ONCE(ring->timed));
}

#endif /* MREGION_RING_H */
