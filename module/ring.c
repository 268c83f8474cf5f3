// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "compat.h"
#include "event.h"
#include "limits.h"
#include "owner.h"
#include "ring.h"

/* Far from what can wait; a consumer that has it so gets signals in vain. */
#define MREGION_RING_NEVER	0x80000000u

/* Signal the consumer's eventfd. */
static void mregion_ring_wake(struct mregion_ring *ring)
{
	if (!ring->eventfd)
		return;
	atomic64_inc(&ring->wakeups);
	mregion_eventfd_signal(ring->eventfd);
}

/**
 * mregion_ring_notify() - tell the consumer of entries, or let the timer do so
 * @ring: a ring that was found due
 * @first: number of the first entry that was published
 * @nr: how many were
 */
void mregion_ring_notify(struct mregion_ring *ring, u32 first, u32 nr)
{
	u32 waiting = first + nr - READ_ONCE(ring->header->consumer);

	if (waiting - ring->notify_entries < nr)
		mregion_ring_wake(ring);
	/* one of those who see it set */
	if (READ_ONCE(ring->timed) && xchg(&ring->timed, 0))
		hrtimer_start(&ring->timer, ring->delay, HRTIMER_MODE_REL);
}

static void mregion_ring_tell_full(struct work_struct *work)
{
	struct mregion_ring *ring = container_of(work, struct mregion_ring,
						 full_work);

	mregion_event_ring_full(ring->owner, ring->id,
				atomic64_read(&ring->full));
	mregion_ring_put(ring);
}

/**
 * mregion_ring_overflow() - a write has found no room
 * @ring: the ring; it is counted, and told those who listen
 *
 * For callers with preemption off.
 */
void mregion_ring_overflow(struct mregion_ring *ring)
{
	atomic64_inc(&ring->full);
	if (!mregion_event_wanted(ring->owner))
		return;
	mregion_ring_get(ring);
	if (!mregion_event_later(&ring->full_work))
		/* not the last one: the work that waits has one, too */
		mregion_ring_put(ring);
}

/*
 * The timer is not stopped when entries are consumed, since nobody tells; so
 * what waits now may be younger than the delay. It is never older.
 */
static enum hrtimer_restart mregion_ring_timeout(struct hrtimer *timer)
{
	struct mregion_ring *ring = container_of(timer, struct mregion_ring,
						 timer);

	WRITE_ONCE(ring->timed, 1);
	/*
	 * Pairs with the barrier in mregion_ring_due(): either the entry is
	 * seen here, or @timed is seen there.
	 */
	smp_mb();
	if ((u32)READ_ONCE(ring->published) !=
	    READ_ONCE(ring->header->consumer))
		mregion_ring_wake(ring);
	return HRTIMER_NORESTART;
}

static int mregion_ring_alloc_memory(struct mregion_ring *ring, u32 nr_entries,
				     struct mregion_budget *budget)
{
	int ret = mregion_memory_alloc(&ring->memory, budget,
				       MREGION_RING_ENTRIES +
				       (size_t)nr_entries *
				       sizeof(struct mregion_ring_entry),
				       sizeof(*ring));

	if (ret)
		return ret;
	ring->header = ring->memory.addr;
	ring->entries = ring->memory.addr + MREGION_RING_ENTRIES;
	ring->header->nr_entries = nr_entries;
	ring->header->entry_size = sizeof(struct mregion_ring_entry);
	return 0;
}

/**
 * mregion_ring_alloc() - make a ring
 * @args: as userspace has given them
 * @budget: to charge it to
 * @owner: of the machine
 *
 * Return: the ring with one reference, or an ERR_PTR: -EINVAL, -EBADF, -ENOMEM,
 * -ENOBUFS.
 */
struct mregion_ring *mregion_ring_alloc(const struct mregion_ring_create *args,
					struct mregion_budget *budget,
					struct mregion_owner *owner)
{
	struct eventfd_ctx *eventfd = NULL;
	struct mregion_ring *ring;
	int ret;

	if (args->flags)
		return ERR_PTR(-EOPNOTSUPP);
	if (!is_power_of_2(args->nr_entries) ||
	    args->nr_entries < 2 ||
	    args->nr_entries > MREGION_MAX_RING_ENTRIES ||
	    args->notify_entries > args->nr_entries ||
	    args->notify_usecs > MREGION_MAX_NOTIFY_USECS)
		return ERR_PTR(-EINVAL);
	if (args->eventfd != -1) {
		eventfd = eventfd_ctx_fdget(args->eventfd);
		if (IS_ERR(eventfd))
			return ERR_CAST(eventfd);
	} else if (args->notify_entries || args->notify_usecs) {
		return ERR_PTR(-EINVAL);
	}

	ret = -ENOMEM;
	ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	if (!ring)
		goto err_eventfd;
	ret = mregion_ring_alloc_memory(ring, args->nr_entries, budget);
	if (ret)
		goto err_ring;

	kref_init(&ring->kref);
	ring->id = args->id;
	ring->owner = mregion_owner_get(owner);
	INIT_WORK(&ring->full_work, mregion_ring_tell_full);
	ring->mask = args->nr_entries - 1;
	ring->notify_entries = args->notify_entries ?: MREGION_RING_NEVER;
	ring->eventfd = eventfd;
	ring->delay = ns_to_ktime((u64)args->notify_usecs * NSEC_PER_USEC);
	ring->timed = !!args->notify_usecs;
	mregion_hrtimer_setup(&ring->timer, mregion_ring_timeout);
	return ring;

err_ring:
	kfree(ring);
err_eventfd:
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return ERR_PTR(ret);
}

static void mregion_ring_release(struct kref *kref)
{
	struct mregion_ring *ring = container_of(kref, struct mregion_ring,
						 kref);

	hrtimer_cancel(&ring->timer);
	if (ring->eventfd)
		eventfd_ctx_put(ring->eventfd);
	mregion_memory_free(&ring->memory);
	mregion_owner_put(ring->owner);
	kfree(ring);
}

/** mregion_ring_get() - take a reference */
void mregion_ring_get(struct mregion_ring *ring)
{
	kref_get(&ring->kref);
}

/**
 * mregion_ring_put() - drop a reference; may sleep
 * @ring: the ring, which no vCPU can reach by what held the reference any more
 */
void mregion_ring_put(struct mregion_ring *ring)
{
	kref_put(&ring->kref, mregion_ring_release);
}

/**
 * mregion_ring_stats() - fill in a ring's counters
 * @ring: the ring
 * @stats: where to
 */
void mregion_ring_stats(struct mregion_ring *ring, struct mregion_stats *stats)
{
	stats->outcomes[MREGION_OUTCOME_COALESCED] =
		READ_ONCE(ring->published);
	stats->outcomes[MREGION_OUTCOME_RING_FULL] = atomic64_read(&ring->full);
	stats->wakeups = atomic64_read(&ring->wakeups);
}

static int mregion_ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mregion_ring *ring = file->private_data;

	return mregion_memory_mmap(&ring->memory, vma);
}

static int mregion_ring_close(struct inode *inode, struct file *file)
{
	mregion_ring_put(file->private_data);
	return 0;
}

static const struct file_operations mregion_ring_fops = {
	.owner		= THIS_MODULE,
	.mmap		= mregion_ring_mmap,
	.release	= mregion_ring_close,
	.llseek		= noop_llseek,
};

/**
 * mregion_ring_fd() - a descriptor for a ring
 * @ring: the ring
 *
 * Return: the descriptor, installed, or a negative errno.
 */
int mregion_ring_fd(struct mregion_ring *ring)
{
	int fd;

	mregion_ring_get(ring);
	fd = anon_inode_getfd("[mregion-ring]", &mregion_ring_fops, ring,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		mregion_ring_put(ring);
	return fd;
}
