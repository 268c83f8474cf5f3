// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "machine.h"
#include "watch.h"

/**
 * mregion_watch_alloc() - watch a space
 * @space: one that has a view and no watch; its machine is locked
 *
 * Return: the watch with one reference, or an ERR_PTR: -ENOMEM, -ENOBUFS.
 */
struct mregion_watch *mregion_watch_alloc(struct mregion_space *space)
{
	struct mregion_watch *watch = kzalloc(sizeof(*watch),
					      GFP_KERNEL_ACCOUNT);
	int ret;

	if (!watch)
		return ERR_PTR(-ENOMEM);
	ret = mregion_memory_alloc(&watch->memory, space->machine->budget,
				   sizeof(*watch->page), sizeof(*watch));
	if (ret) {
		kfree(watch);
		return ERR_PTR(ret);
	}
	kref_init(&watch->kref);
	spin_lock_init(&watch->lock);
	init_waitqueue_head(&watch->wait);
	watch->machine = space->machine;
	watch->space = space;
	watch->page = watch->memory.addr;
	watch->page->generation = space->view->generation;
	return watch;
}

static void mregion_watch_release(struct kref *kref)
{
	struct mregion_watch *watch = container_of(kref, struct mregion_watch,
						   kref);

	mregion_memory_free(&watch->memory);
	kfree(watch);
}

/** mregion_watch_get() - take a reference */
void mregion_watch_get(struct mregion_watch *watch)
{
	kref_get(&watch->kref);
}

/** mregion_watch_put() - drop a reference; may sleep */
void mregion_watch_put(struct mregion_watch *watch)
{
	kref_put(&watch->kref, mregion_watch_release);
}

/**
 * mregion_watch_tell() - a view has been published
 * @watch: the watch on its space; the machine is locked, or is being freed
 * @generation: of the view
 */
void mregion_watch_tell(struct mregion_watch *watch, u64 generation)
{
	if (generation == watch->page->generation)
		return;
	/* a thread that sees this, and asks for the view, gets it or a later one */
	smp_store_release(&watch->page->generation, generation);
	/*
	 * Has a full barrier, which pairs with that of poll(): either the thread
	 * is seen waiting here, or the generation is seen there.
	 */
	if (wq_has_sleeper(&watch->wait))
		wake_up_interruptible_poll(&watch->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * mregion_watch_end() - a space is gone for its watch
 * @watch: the watch, or NULL
 *
 * The space and the machine stay for those who use them already: see
 * mregion_watch_machine().
 */
void mregion_watch_end(struct mregion_watch *watch)
{
	if (!watch)
		return;
	spin_lock(&watch->lock);
	watch->machine = NULL;
	WRITE_ONCE(watch->space, NULL);
	spin_unlock(&watch->lock);
	mregion_watch_tell(watch, MREGION_VIEW_GONE);
	wake_up_all(&watch->wait);
}

/**
 * mregion_watch_machine() - keep a watch's machine
 * @watch: the watch
 *
 * Closing the machine waits for mregion_machine_put(). So the caller touches no
 * memory of userspace until then, which could keep it waiting for ever.
 *
 * Return: the machine, for mregion_machine_put(), or NULL if it or the space is gone.
 */
struct mregion_machine *mregion_watch_machine(struct mregion_watch *watch)
{
	struct mregion_machine *machine;

	spin_lock(&watch->lock);
	machine = watch->machine;
	if (machine)
		refcount_inc(&machine->users);
	spin_unlock(&watch->lock);
	return machine;
}
