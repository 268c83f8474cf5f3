// SPDX-License-Identifier: MIT
/* What is at an address, for those who do not want to access it just now. */
#include <errno.h>

#include "error.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "space.h"

static bool is_memory(const struct mregion_piece *piece, bool write)
{
	return mregion_piece_memory(piece, write);
}

int mregion_space_translate(struct mregion_space *space, uint64_t addr,
			    uint64_t len, struct mregion_translation *there)
{
	uint64_t last = addr + (len - 1), end = mregion_space_last(space);
	struct mregion_region *region;
	struct mregion_range range;
	struct mregion_piece piece;
	uint64_t generation;
	int ret;

	/* With a length of 0 this is all right for address 0 alone. */
	if (addr > end || last < addr)
		return mregion_fail(EINVAL, "translate address %#llx of space %u",
				    (unsigned long long)addr, space->id);
	ret = mregion_look_up(space, addr, last < end ? last : end, &range,
			      &region, &generation);
	if (ret)
		return mregion_fail(-ret, "translate address %#llx of space %u",
				    (unsigned long long)addr, space->id);
	piece = (struct mregion_piece){
		.region = region,
		.kind = range.kind,
		.flags = range.flags,
		.offset = range.offset,
	};
	*there = (struct mregion_translation){
		.region = region,
		.kind = range.kind,
		.offset = range.offset,
		.len = range.last - addr + 1,
		.readable = is_memory(&piece, false),
		.writable = is_memory(&piece, true),
		.device = mregion_piece_is_device(&piece, false) ||
			  mregion_piece_is_device(&piece, true),
		.ptr = mregion_piece_memory(&piece, false),
		.generation = generation,
	};
	mregion_piece_put(&piece);
	return 0;
}
