/* SPDX-License-Identifier: MIT */
/*
 * Copies of flat views, as the threads that resolve accesses use them. After a commit
 * a copy follows by what the commit has changed, and costs no more than that.
 */
#ifndef MREGION_LIB_FLAT_COPY_H
#define MREGION_LIB_FLAT_COPY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "btree.h"

struct mregion_changed;
struct mregion_machine;
struct mregion_region;

/**
 * struct mregion_flat_range - a range of a copy
 * @range: what the kernel told
 * @region: its region, with a reference; NULL if it is not the library's
 * @opaque: NULL at first; this and all below are the owner's of the copy
 * @ptr: NULL at first
 * @known: false at first
 * @writable: false at first
 */
struct mregion_flat_range {
	struct mregion_range range;
	struct mregion_region *region;
	void *opaque;
	uint8_t *ptr;
	bool known;
	bool writable;
};

/**
 * struct mregion_flat - copy of a flat view
 * @lock: held by readers for no longer than it takes to look something up
 * @tree: its struct mregion_flat_range
 * @edit: of the tree; nodes are used again at once, as nobody looks meanwhile
 * @memory: where nodes come from
 * @generation: of the view
 * @valid: there is a copy
 * @release: called for struct mregion_flat_range.opaque as a range goes; or NULL
 */
struct mregion_flat {
	pthread_rwlock_t lock;
	struct mregion_btree tree;
	struct mregion_btree_edit edit;
	struct mregion_btree_memory memory;
	uint64_t generation;
	bool valid;
	void (*release)(void *opaque);
};

void mregion_flat_init(struct mregion_flat *flat);
void mregion_flat_destroy(struct mregion_flat *flat);

/**
 * mregion_flat_follow() - put what a commit has changed into a copy
 * @flat: the copy
 * @machine: the machine; its transaction is locked. NULL: it is another process's
 * @changed: what has changed since @flat's generation; NULL: that is not known, and
 *	better no copy than an old one
 *
 * Return: 0; -ENOMEM, with no copy.
 */
int mregion_flat_follow(struct mregion_flat *flat,
			struct mregion_machine *machine,
			const struct mregion_changed *changed);

/**
 * mregion_flat_lock() - keep a copy as it is
 * @flat: the copy
 *
 * Return: @flat, for mregion_flat_unlock(); NULL if there is no copy.
 */
const struct mregion_flat *mregion_flat_lock(struct mregion_flat *flat);

/** mregion_flat_unlock() - undo mregion_flat_lock(); @flat may be NULL */
void mregion_flat_unlock(const struct mregion_flat *flat);

#endif
