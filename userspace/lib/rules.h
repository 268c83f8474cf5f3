/* SPDX-License-Identifier: MIT */
/* Rules that the kernel is asked about, as all that adds or deletes them does so. */
#ifndef MREGION_LIB_RULES_H
#define MREGION_LIB_RULES_H

struct mregion_op;
struct mregion_region;

/**
 * mregion_change_asked() - add, or delete, a doorbell or a shadow
 * @region: the region; NULL is refused
 * @op: the operation, but for the region's ID
 * @what: the change in words
 *
 * From now on, or until the deletion is committed, the kernel is asked what accesses do.
 */
int mregion_change_asked(struct mregion_region *region, struct mregion_op *op,
			 const char *what);

#endif
