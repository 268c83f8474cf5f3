/* SPDX-License-Identifier: MIT */
/* What is wrong with an operation that the kernel calls invalid, in words. */
#ifndef MREGION_LIB_INVALID_H
#define MREGION_LIB_INVALID_H

struct mregion_op;
struct mregion_region;

/**
 * mregion_invalid_reason() - why an operation fails with EINVAL
 * @op: the operation
 * @region: the region that it is about, or NULL if that is not known
 *
 * Return: a clause, or NULL where it cannot be told which of several reasons it
 * is.
 */
const char *mregion_invalid_reason(const struct mregion_op *op,
				   const struct mregion_region *region);

#endif
