/* SPDX-License-Identifier: MIT */
/* Bring a resolved access to the memory or the device that it is for. */
#ifndef MREGION_LIB_DISPATCH_H
#define MREGION_LIB_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

struct mregion_piece;

/**
 * mregion_dispatch() - make the next step of an access
 * @piece: what is there
 * @unassigned: enum mregion_policy, for where nothing is
 * @write: whether it is a write
 * @at: how much of @piece has been done before, in bytes
 * @buf: the bytes from @at on; of a write, they are left alone
 * @step: set to how many bytes this step has done: all that is left if it is
 *	memory, what makes one access if it is a device
 *
 * Return: 0, or -EFAULT if a policy makes it an error; what is read is all-ones
 * then.
 */
int mregion_dispatch(const struct mregion_piece *piece, unsigned int unassigned,
		     bool write, uint64_t at, uint8_t *buf, uint64_t *step);

#endif
