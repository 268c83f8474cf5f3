/* SPDX-License-Identifier: MIT */
/* Rules of index registers and data registers, with modules that know none, too. */
#ifndef MREGION_LIB_INDEXED_H
#define MREGION_LIB_INDEXED_H

struct mregion_op;
struct mregion_region;

/**
 * mregion_change_indexed() - add, or delete, a rule that needs %MREGION_FEATURE_INDEXED
 * @region: the region; NULL is refused
 * @op: the operation, but for the region's ID
 * @what: the change in words
 *
 * Nothing changes without the feature.
 */
int mregion_change_indexed(struct mregion_region *region, struct mregion_op *op,
			   const char *what);

#endif
