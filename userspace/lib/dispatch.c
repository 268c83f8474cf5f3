// SPDX-License-Identifier: MIT
/* Bring a resolved access to the memory or the device that it is for. */
#include <string.h>

#include "dispatch.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "space.h"

static int to_device(struct mregion_device *device,
		     const struct mregion_origin *origin,
		     const struct mregion_piece *piece, uint64_t addr,
		     bool accepted, bool write, uint8_t *buf)
{
	device->current.space = origin->space;
	device->current.vm = origin->vm;
	device->current.vcpu = origin->vcpu;
	device->current.source = origin->source;
	device->current.addr = addr - piece->offset;
	if (!accepted)
		return mregion_access_all(device, piece->offset, buf,
					  piece->len, write);
	if (write)
		return mregion_device_write(device, piece->offset, buf,
					    piece->len);
	return mregion_device_read(device, piece->offset, buf, piece->len);
}

int mregion_dispatch(const struct mregion_origin *origin,
		     const struct mregion_piece *piece, uint64_t addr,
		     bool accepted, bool write, uint8_t *buf)
{
	uint8_t *memory = mregion_piece_memory(piece, write);
	unsigned int policy = atomic_load(&origin->space->unassigned);
	struct mregion_device device;

	if (memory && write)
		memcpy(memory, buf, piece->len);
	else if (memory)
		memcpy(buf, memory, piece->len);
	if (memory)
		return 0;
	if (mregion_piece_device(piece, write, &device))
		return to_device(&device, origin, piece, addr, accepted, write,
				 buf);
	if (piece->region)
		policy = mregion_region_constraints(piece->region).refused;
	return mregion_policy_answer(policy, buf, piece->len, write);
}
