// SPDX-License-Identifier: MIT
/*
 * The set of a machine's rings. Every exit goes through it, so it is an array
 * that is copied when a ring comes or goes, and needs no lock to walk.
 *
 * A ring must be able to go when there is no memory left. So each brings the
 * room for a set without it along: the spares are a stack, and the one that came
 * as number n has room for n rings.
 */
#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "ring.h"

struct mregion_ring_set {
	atomic_uint refs;
	struct mregion_ring_set *below;
	size_t nr;
	struct mregion_ring *rings[];
};

void mregion_rings_init(struct mregion_rings *rings)
{
	pthread_mutex_init(&rings->lock, NULL);
	pthread_cond_init(&rings->no_threads, NULL);
}

static struct mregion_ring_set *get_set(struct mregion_rings *rings)
{
	struct mregion_ring_set *set;

	pthread_mutex_lock(&rings->lock);
	set = rings->set;
	if (set)
		atomic_fetch_add(&set->refs, 1);
	pthread_mutex_unlock(&rings->lock);
	return set;
}

static void put_set(struct mregion_ring_set *set)
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
	put_set(rings->set);
	pthread_cond_destroy(&rings->no_threads);
	pthread_mutex_destroy(&rings->lock);
}

/* Make @new a copy that has @add, and has not @remove, and put it in place. */
static struct mregion_ring_set *replace(struct mregion_rings *rings,
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
	old = replace(rings, new, ring, NULL);
	pthread_mutex_unlock(&rings->lock);
	put_set(old);
	return 0;
}

static bool has(const struct mregion_ring_set *set,
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
	if (has(rings->set, ring))
		old = replace(rings, pop_spare(rings), NULL, ring);
	pthread_mutex_unlock(&rings->lock);
	put_set(old);
}

bool mregion_rings_any(const struct mregion_rings *rings)
{
	return rings->set && rings->set->nr;
}

void mregion_rings_stop(struct mregion_rings *rings)
{
	while (mregion_rings_any(rings))
		mregion_ring_release(rings->set->rings[0]);
}

void mregion_rings_join(struct mregion_rings *rings)
{
	pthread_mutex_lock(&rings->lock);
	while (rings->nr_threads)
		pthread_cond_wait(&rings->no_threads, &rings->lock);
	pthread_mutex_unlock(&rings->lock);
}

void mregion_rings_thread(struct mregion_rings *rings, int change)
{
	pthread_mutex_lock(&rings->lock);
	rings->nr_threads += change;
	if (!rings->nr_threads)
		pthread_cond_broadcast(&rings->no_threads);
	pthread_mutex_unlock(&rings->lock);
}

/* Return: how many entries there were, or -EBUSY if there may be more. */
static int drain(struct mregion_rings *rings, int patience)
{
	struct mregion_ring_set *set = get_set(rings);
	int count = 0, ret = 0;
	size_t i;

	for (i = 0; set && i < set->nr; i++) {
		if (mregion_ring_remote(set->rings[i]) ||
		    !mregion_ring_memory_pending(&set->rings[i]->memory))
			continue;
		ret = mregion_ring_bring(set->rings[i], patience, 0);
		count = ret < 0 || count < 0 ? -EBUSY : count + ret;
	}
	put_set(set);
	return count;
}

void mregion_rings_drain(struct mregion_rings *rings)
{
	drain(rings, MREGION_RING_FOR_EVER);
}

int mregion_drain(struct mregion_machine *machine)
{
	int ret = drain(&machine->rings, MREGION_RING_PATIENCE);

	if (ret == -EBUSY)
		mregion_fail_why(EBUSY,
			"drain: another thread is at an entry of a ring");
	return ret;
}
