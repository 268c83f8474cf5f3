/* SPDX-License-Identifier: MIT */
/* Bringing to devices what is in rings, the threads that do so, and the end of rings. */
#ifndef MREGION_LIB_RING_DRAIN_H
#define MREGION_LIB_RING_DRAIN_H

struct mregion_ring;
struct mregion_rings;

/**
 * mregion_rings_drain() - drain those rings that have something
 *
 * Waits for threads that are at it, as mregion_ring_bring() does.
 */
void mregion_rings_drain(struct mregion_rings *rings);

/**
 * mregion_ring_bring() - bring what is in a ring to the devices
 * @ring: the ring
 * @patience: as for mregion_ring_memory_begin(); no thread waits that has what a
 *	device may wait for
 * @thread: the number of the ring's thread that does so; it leaves what remains
 *	when it is told to end. 0: somebody else
 *
 * Return: how many entries there were, or -EBUSY.
 */
int mregion_ring_bring(struct mregion_ring *ring, int patience,
		       unsigned int thread);

/** MREGION_RING_PATIENCE - with a thread that does not get on, in ms */
#define MREGION_RING_PATIENCE	1000

/** mregion_ring_release() - end a ring whatever the kernel says */
void mregion_ring_release(struct mregion_ring *ring);

/** mregion_rings_stop() - release all rings; their threads end */
void mregion_rings_stop(struct mregion_rings *rings);

/** mregion_rings_join() - wait until all threads of rings have ended */
void mregion_rings_join(struct mregion_rings *rings);

#endif
