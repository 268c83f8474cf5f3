/* SPDX-License-Identifier: MIT */
/* What a commit has failed at, and why, for mregion_error(). */
#ifndef MREGION_LIB_DESCRIBE_FAILURE_H
#define MREGION_LIB_DESCRIBE_FAILURE_H

struct mregion_commit;
struct mregion_machine;

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
