// SPDX-License-Identifier: MIT
/* Bring a resolved access to the memory or the device that it is for. */
#include <string.h>

#include "dispatch.h"
#include "mregion.h"
#include "resolve.h"

int mregion_dispatch_read(const struct mregion_piece *piece,
			  unsigned int unassigned, uint64_t at, uint8_t *buf,
			  uint64_t *step)
{
	struct mregion_device device;
	const uint8_t *memory;
	unsigned int len;

	memory = mregion_piece_memory(piece, false);
	if (memory) {
		*step = piece->len - at;
		memcpy(buf, memory + at, *step);
		return 0;
	}
	if (mregion_piece_device(piece, false, &device)) {
		len = mregion_access_size(&device.constraints,
					  piece->offset + at, piece->len - at);
		*step = len;
		return mregion_access_read(&device, piece->offset + at, buf,
					   len);
	}
	*step = piece->len - at;
	return mregion_policy_read(piece->region ? MREGION_POLICY_DEFAULT :
						   unassigned, buf, *step);
}

int mregion_dispatch_write(const struct mregion_piece *piece,
			   unsigned int unassigned, uint64_t at,
			   const uint8_t *buf, uint64_t *step)
{
	struct mregion_device device;
	unsigned int len;
	uint8_t *memory;

	memory = mregion_piece_memory(piece, true);
	if (memory) {
		*step = piece->len - at;
		memcpy(memory + at, buf, *step);
		return 0;
	}
	if (mregion_piece_device(piece, true, &device)) {
		len = mregion_access_size(&device.constraints,
					  piece->offset + at, piece->len - at);
		*step = len;
		return mregion_access_write(&device, piece->offset + at, buf,
					    len);
	}
	*step = piece->len - at;
	return mregion_policy_write(piece->region ? MREGION_POLICY_DEFAULT :
						    unassigned);
}
