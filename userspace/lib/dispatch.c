// SPDX-License-Identifier: MIT
/* Bring a resolved access to the memory or the device that it is for. */
#include <string.h>

#include "dispatch.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"

int mregion_dispatch(const struct mregion_piece *piece, unsigned int unassigned,
		     bool write, uint64_t at, uint8_t *buf, uint64_t *step)
{
	uint8_t *memory = mregion_piece_memory(piece, write);
	struct mregion_device device;
	uint64_t left = piece->len - at;
	unsigned int policy = unassigned;

	*step = left;
	if (memory && write)
		memcpy(memory + at, buf, left);
	else if (memory)
		memcpy(buf, memory + at, left);
	if (memory)
		return 0;
	if (mregion_piece_device(piece, write, &device))
		return mregion_access_step(&device, piece->offset + at, buf,
					   left, write, step);
	if (piece->region)
		policy = mregion_region_constraints(piece->region).refused;
	return mregion_policy_answer(policy, buf, left, write);
}
