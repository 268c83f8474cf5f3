// SPDX-License-Identifier: MIT
/*
 * Rings: what one is, and what is posted to it; and the set of all of a machine. Who
 * brings to devices what is in them: see ring_drain.c.
 *
 * Every exit goes through the set, so it is an array that is copied when a ring comes or
 * goes, and needs no lock to walk.
 *
 * A ring must be able to go when there is no memory left. So each brings the
 * room for a set without it along: the spares are a stack, and the one that came
 * as number n has room for n rings.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "ring.h"
#include "server_in_vmm.h"

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

void mregion_ring_forget_posted(struct mregion_ring *ring)
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

bool mregion_ring_may_hold(struct mregion_ring *ring,
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

void mregion_rings_init(struct mregion_rings *rings)
{
	pthread_mutex_init(&rings->lock, NULL);
	pthread_cond_init(&rings->no_threads, NULL);
}

struct mregion_ring_set *mregion_rings_get_set(struct mregion_rings *rings)
{
	struct mregion_ring_set *set;

	pthread_mutex_lock(&rings->lock);
	set = rings->set;
	if (set)
		atomic_fetch_add(&set->refs, 1);
	pthread_mutex_unlock(&rings->lock);
	return set;
}

void mregion_ring_set_put(struct mregion_ring_set *set)
{
	size_t i;

	if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
		return;
	for (i = 0; i < set->nr; i++)
		mregion_ring_put(set->rings[i]);
	free(set);
}

static struct mregion_ring_set *pop_spare(struct mregion_rings *rings)
{
	struct mregion_ring_set *spare = rings->spares;

	if (spare)
		rings->spares = spare->below;
	return spare;
}

void mregion_rings_destroy(struct mregion_rings *rings)
{
	struct mregion_ring_set *spare;

	while ((spare = pop_spare(rings)))
		free(spare);
	mregion_ring_set_put(rings->set);
	pthread_cond_destroy(&rings->no_threads);
	pthread_mutex_destroy(&rings->lock);
}

/* Make @new a copy that has @add, and has not @remove, and put it in place. */
static struct mregion_ring_set *replace_set(struct mregion_rings *rings,
					    struct mregion_ring_set *new,
					    struct mregion_ring *add,
					    const struct mregion_ring *remove)
{
	struct mregion_ring_set *old = rings->set;
	size_t i;

	atomic_init(&new->refs, 1);
	new->nr = 0;
	for (i = 0; old && i < old->nr; i++)
		if (old->rings[i] != remove)
			new->rings[new->nr++] = old->rings[i];
	if (add)
		new->rings[new->nr++] = add;
	for (i = 0; i < new->nr; i++)
		mregion_ring_get(new->rings[i]);
	rings->set = new;
	return old;
}

static struct mregion_ring_set *alloc_set(size_t nr)
{
	return malloc(sizeof(struct mregion_ring_set) +
		      nr * sizeof(struct mregion_ring *));
}

int mregion_rings_add(struct mregion_rings *rings, struct mregion_ring *ring)
{
	struct mregion_ring_set *new, *spare, *old;
	size_t nr;

	pthread_mutex_lock(&rings->lock);
	nr = (rings->set ? rings->set->nr : 0) + 1;
	new = alloc_set(nr);
	spare = alloc_set(nr);
	if (!new || !spare) {
		pthread_mutex_unlock(&rings->lock);
		free(new);
		free(spare);
		return -ENOMEM;
	}
	spare->below = rings->spares;
	rings->spares = spare;
	old = replace_set(rings, new, ring, NULL);
	pthread_mutex_unlock(&rings->lock);
	mregion_ring_set_put(old);
	return 0;
}

static bool set_has(const struct mregion_ring_set *set,
		    const struct mregion_ring *ring)
{
	size_t i;

	for (i = 0; set && i < set->nr; i++)
		if (set->rings[i] == ring)
			return true;
	return false;
}

void mregion_rings_remove(struct mregion_rings *rings,
			  const struct mregion_ring *ring)
{
	struct mregion_ring_set *old = NULL;

	pthread_mutex_lock(&rings->lock);
	if (set_has(rings->set, ring))
		old = replace_set(rings, pop_spare(rings), NULL, ring);
	pthread_mutex_unlock(&rings->lock);
	mregion_ring_set_put(old);
}

bool mregion_rings_any(const struct mregion_rings *rings)
{
	return rings->set && rings->set->nr;
}

int mregion_ring_free_in_kernel(const struct mregion_ring *ring)
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

static struct mregion_ring *new_ring_handle(struct mregion_machine *machine)
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

	ring = new_ring_handle(machine);
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
	mregion_ring_free_in_kernel(ring);
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
