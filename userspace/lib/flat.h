/* SPDX-License-Identifier: MIT */
/*
 * Copies of flat views, as the threads that resolve accesses use them: never
 * changed, replaced after a commit, freed with their last reference.
 */
#ifndef MREGION_LIB_FLAT_H
#define MREGION_LIB_FLAT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct mregion_machine;
struct mregion_range;
struct mregion_region;
struct mregion_space;
struct mregion_view;

/**
 * struct mregion_flat - copy of a flat view
 * @refs: who uses it
 * @view: what the kernel told
 * @regions: the region of each range, with a reference; NULL where it is not
 *	the library's
 */
struct mregion_flat {
	atomic_uint refs;
	struct mregion_view *view;
	struct mregion_region *regions[];
};

/**
 * mregion_flat_read() - read a view from the kernel
 * @machine: the machine
 * @space: ID of the space
 * @old: copy that is there already, or NULL
 * @flat: set to a new one, with one reference; to NULL if @old is still right
 */
int mregion_flat_read(struct mregion_machine *machine, uint32_t space,
		      const struct mregion_flat *old,
		      struct mregion_flat **flat);

/** mregion_flat_get() - a reference to a space's copy, NULL if it has none */
struct mregion_flat *mregion_flat_get(struct mregion_space *space);

void mregion_flat_put(struct mregion_flat *flat);

/** mregion_flat_find() - index of the first range that ends at or after @addr */
size_t mregion_flat_find(const struct mregion_flat *flat, uint64_t addr);

#endif
