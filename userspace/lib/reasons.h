/* SPDX-License-Identifier: MIT */
/*
 * Why the kernel refuses an operation, in words. This is pure: the mregion command, which
 * knows no handles of regions, is made of it as well.
 */
#ifndef MREGION_LIB_REASONS_H
#define MREGION_LIB_REASONS_H

#include <stdint.h>

#include <linux/mregion.h>

/**
 * struct mregion_reason_region - the region that an operation is about
 * @kind: enum mregion_kind
 * @len: length in bytes, 0 for 2^64
 * @constraints: the accesses it takes
 */
struct mregion_reason_region {
	uint32_t kind;
	uint64_t len;
	struct mregion_constraints constraints;
};

/**
 * mregion_reason() - why the kernel refuses an operation
 * @op: the operation, or NULL for a commit as a whole
 * @region: the region that @op is about, or NULL if that is not known
 * @err: positive errno
 *
 * Return: a clause such as "it is mapped already", or NULL if there is no more
 * to say than strerror() does.
 */
const char *mregion_reason(const struct mregion_op *op,
			   const struct mregion_reason_region *region, int err);

#endif
