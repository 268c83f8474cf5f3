// SPDX-License-Identifier: MIT
/* Which accesses a device accepts, by what it says of itself. */
#include "constraints.h"

unsigned int mregion_access_size(const struct mregion_constraints *constraints,
				 uint64_t offset, uint64_t len)
{
	uint64_t max = constraints->valid_max ?: 4;
	unsigned int size = 1;

	/* Offset 0 is aligned to anything. */
	if (!(constraints->flags & MREGION_IMPL_UNALIGNED) && offset &&
	    (offset & -offset) < max)
		max = offset & -offset;
	if (len < max)
		max = len;
	while (size * 2 <= max)
		size *= 2;
	return size;
}

bool mregion_access_valid(const struct mregion_constraints *constraints,
			  uint64_t offset, unsigned int len)
{
	if (!(constraints->flags & MREGION_VALID_UNALIGNED) &&
	    (offset & (len - 1)))
		return false;
	/* As in QEMU, whoever names no maximum accepts all that gets here. */
	if (!constraints->valid_max)
		return true;
	return len >= constraints->valid_min && len <= constraints->valid_max;
}
