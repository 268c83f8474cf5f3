/* SPDX-License-Identifier: GPL-2.0 */
/* Watches: what the view descriptors of a space share, and what outlives it. */
#ifndef MREGION_WATCH_H
#define MREGION_WATCH_H

#include <linux/kref.h>
#include <linux/mregion.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "memory.h"

struct mregion_machine;
struct mregion_space;
struct mregion_view_open;

/**
 * struct mregion_watch - a watch on a space's view
 * @kref: held by the space, and by each descriptor
 * @lock: protects @machine
 * @machine: that can be used by taking a reference under @lock; NULL once the space or
 *	the machine is gone
 * @space: the space; NULL when @machine is. It stays for a thread that has a reference
 *	to the machine, and found it not NULL under the machine's lock or RCU
 * @page: in the shared memory, which userspace only reads
 * @memory: the shared memory
 * @wait: for another generation
 *
 * Lock order: the machine's lock, then @lock.
 */
struct mregion_watch {
	struct kref kref;
	spinlock_t lock;	/* of @machine */
	struct mregion_machine *machine;
	struct mregion_space *space;
	struct mregion_view_page *page;
	struct mregion_memory memory;
	wait_queue_head_t wait;
};

/** mregion_watch_generation() - what a watch's page says */
static inline u64 mregion_watch_generation(const struct mregion_watch *watch)
{
	return READ_ONCE(watch->page->generation);
}

struct mregion_watch *mregion_watch_alloc(struct mregion_space *space);
void mregion_watch_get(struct mregion_watch *watch);
void mregion_watch_put(struct mregion_watch *watch);
void mregion_watch_tell(struct mregion_watch *watch, u64 generation);
void mregion_watch_end(struct mregion_watch *watch);
struct mregion_machine *mregion_watch_machine(struct mregion_watch *watch);

int mregion_view_open(struct mregion_machine *machine,
		      struct mregion_view_open *args);

#endif /* MREGION_WATCH_H */
