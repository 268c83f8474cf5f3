// SPDX-License-Identifier: MIT
/*
 * The set of a machine's rings. Every exit goes through it, so it is an array
 * that is copied when a ring comes or goes, and needs no lock to walk.
 */
#include <errno.h>
#include <stdlib.h>

#include "mregion.h"
#include "ring.h"

struct mregion_ring_set {
	atomic_uint refs;
	size_t nr;
	struct mregion_ring *rings[];
};

void mregion_rings_init(struct mregion_rings *rings)
{
	pthread_mutex_init(&rings->lock, NULL);
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

void mregion_rings_destroy(struct mregion_rings *rings)
{
	put_set(rings->set);
	pthread_mutex_destroy(&rings->lock);
}

/* Put a copy in place that has @add, and has not @remove. */
static int replace(struct mregion_rings *rings, struct mregion_ring *add,
		   const struct mregion_ring *remove)
{
	struct mregion_ring_set *old, *new;
	size_t i;

	pthread_mutex_lock(&rings->lock);
	old = rings->set;
	new = malloc(sizeof(*new) +
		     ((old ? old->nr : 0) + 1) * sizeof(new->rings[0]));
	if (!new) {
		pthread_mutex_unlock(&rings->lock);
		return -ENOMEM;
	}
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
	pthread_mutex_unlock(&rings->lock);
	put_set(old);
	return 0;
}

int mregion_rings_add(struct mregion_rings *rings, struct mregion_ring *ring)
{
	return replace(rings, ring, NULL);
}

int mregion_rings_remove(struct mregion_rings *rings,
			 const struct mregion_ring *ring)
{
	return replace(rings, NULL, ring);
}

struct mregion_ring *mregion_rings_first(struct mregion_rings *rings)
{
	return rings->set && rings->set->nr ? rings->set->rings[0] : NULL;
}

void mregion_rings_drain(struct mregion_rings *rings)
{
	struct mregion_ring_set *set = get_set(rings);
	size_t i;

	for (i = 0; set && i < set->nr; i++)
		if (!mregion_ring_remote(set->rings[i]) &&
		    mregion_ring_memory_pending(&set->rings[i]->memory))
			mregion_ring_drain(set->rings[i]);
	put_set(set);
}
