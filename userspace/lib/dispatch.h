/* SPDX-License-Identifier: MIT */
/* Bring a resolved access to the memory or the device that it is for. */
#ifndef MREGION_LIB_DISPATCH_H
#define MREGION_LIB_DISPATCH_H

#include <stdint.h>

struct mregion_piece;

/**
 * mregion_dispatch_read() - make the next step of a read
 * @piece: what is there
 * @unassigned: enum mregion_policy, for where nothing is
 * @at: how much of @piece has been read before, in bytes
 * @buf: where the bytes from @at on go
 * @step: set to how many bytes this step has read: all that is left if it is
 *	memory, what makes one access if it is a device
 *
 * Return: 0, or -EFAULT if a policy makes it an error; the bytes are all-ones
 * then.
 */
int mregion_dispatch_read(const struct mregion_piece *piece,
			  unsigned int unassigned, uint64_t at, uint8_t *buf,
			  uint64_t *step);

/** mregion_dispatch_write() - make the next step of a write */
int mregion_dispatch_write(const struct mregion_piece *piece,
			   unsigned int unassigned, uint64_t at,
			   const uint8_t *buf, uint64_t *step);

#endif
