/* SPDX-License-Identifier: MIT */
/* Operations and the reasons to refuse them, in words. */
#ifndef MREGION_LIB_DESCRIBE_H
#define MREGION_LIB_DESCRIBE_H

#include <stddef.h>

struct mregion_commit;
struct mregion_machine;
struct mregion_op;
struct mregion_region;

/**
 * mregion_describe_reason() - why the kernel refuses an operation
 * @op: the operation, or NULL for a commit as a whole
 * @region: the region that @op is about, or NULL if that is not known
 * @err: positive errno
 *
 * Return: a clause such as "it is mapped already", or NULL if there is no more
 * to say than strerror() does.
 */
const char *mregion_describe_reason(const struct mregion_op *op,
				    const struct mregion_region *region,
				    int err);

/**
 * mregion_describe_failure() - let mregion_error() tell of a commit
 * @machine: the machine
 * @commit: what has come back, with its operations
 * @err: positive errno that it has failed with; or 0, where some operations
 *	have failed alone: the first of these is told then
 *
 * To be called before the fate of anything is settled.
 */
void mregion_describe_failure(struct mregion_machine *machine,
			      const struct mregion_commit *commit, int err);

#endif
