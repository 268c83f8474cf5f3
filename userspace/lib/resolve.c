// SPDX-License-Identifier: MIT
/* What is at an address, how to get at it, and getting there. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "access.h"
#include "constraints.h"
#include "error.h"
#include "flat_copy.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "space.h"

/* Whether accesses go to a device, as QEMU's memory_region_is_ram() has it. */
static bool is_registers(const struct mregion_piece *piece, bool write)
{
	if (piece->kind == MREGION_ROMD)
		return write || !(piece->flags & MREGION_RANGE_ROMD);
	return piece->kind == MREGION_MMIO;
}

/*
 * How many bytes of an access of @len bytes the region has; @room is what its range
 * has. As in QEMU (address_space_translate_internal()), an access to registers is
 * not cut where their range ends: on a PC's port 0xcf8 the device is to see all four
 * bytes, though another's range begins at 0xcf9. But it is where the region ends,
 * unless the device says otherwise.
 */
static uint64_t region_room(const struct mregion_piece *piece,
			    const struct mregion_constraints *constraints,
			    uint64_t len, uint64_t room)
{
	/* A length of 0 is 2^64, and wraps to what it stands for. */
	uint64_t left = atomic_load(&piece->region->len) - piece->offset;

	if (constraints->flags & MREGION_VALID_BEYOND)
		return len;
	if (left < room)
		left = room;
	return len < left ? len : left;
}

/*
 * How far an access of @len bytes goes in a gap of @room bytes: as QEMU's device for
 * what is not there has it, which says nothing of what it takes.
 */
static uint64_t gap_room(uint64_t addr, uint64_t len, uint64_t room)
{
	const struct mregion_constraints constraints = { 0 };
	uint64_t at = 0, step;

	/* Far from the end: somewhere before it, where surely a step ends. */
	if (room > 8)
		return ((addr + room) & ~7ull) - addr;
	do {
		step = mregion_access_size(&constraints, addr + at, len - at);
		at += step;
	} while (at < room);
	return at;
}

/* What is at @addr: as far as it goes if it is memory, and one step of a device. */
static void fill_piece(struct mregion_piece *piece, const struct mregion_range *range,
		       struct mregion_region *region, uint64_t len, bool write)
{
	uint64_t room = range->last - range->start + 1;
	struct mregion_constraints constraints;

	piece->region = region;
	piece->kind = range->kind;
	piece->flags = range->flags;
	piece->offset = range->offset;
	piece->len = len;
	if (len - 1 > range->last - range->start)
		piece->len = room;
	if (!piece->kind) {
		if (piece->len < len)
			piece->len = gap_room(range->start, len, room);
	} else if (region && region->ops &&
		   !mregion_piece_memory(piece, write)) {
		constraints = mregion_region_constraints(region);
		if (piece->len < len && is_registers(piece, write))
			piece->len = region_room(piece, &constraints, len,
						 room);
		piece->len = mregion_access_size(&constraints, piece->offset,
						 piece->len);
	}
}

static void fill_gap(struct mregion_piece *piece, uint64_t len)
{
	*piece = (struct mregion_piece){ .len = len };
}

/* As MREGION_TRANSLATE does it. */
static struct mregion_region *look_up_in_copy(const struct mregion_flat *flat,
					      uint64_t addr, uint64_t last,
					      struct mregion_range *range)
{
	const struct mregion_flat_range *there;

	there = mregion_btree_bound(&flat->tree, addr);
	*range = (struct mregion_range){ .start = addr, .last = last };
	if (!there || there->range.last < addr)
		return NULL;
	if (there->range.start > addr) {
		if (there->range.start - 1 < last)
			range->last = there->range.start - 1;
		return NULL;
	}
	*range = there->range;
	range->start = addr;
	range->offset += addr - there->range.start;
	if (range->last > last)
		range->last = last;
	if (there->region)
		mregion_region_get(there->region);
	return there->region;
}

static int look_up_in_kernel(struct mregion_space *space, uint64_t addr,
			     uint64_t last, struct mregion_range *range,
			     uint64_t *generation)
{
	struct mregion_translate translate = {
		.size = sizeof(translate),
		.space = space->id,
		.addr = addr,
		.len = last - addr + 1,
	};

	*generation = 0;
	*range = (struct mregion_range){ .start = addr, .last = last };
	if (ioctl(space->machine->fd, MREGION_TRANSLATE, &translate))
		return -errno;
	*range = translate.range;
	*generation = translate.generation;
	return 0;
}

/* From @flat, or from the kernel if that is NULL. On an error, nothing is there. */
static int look_up_range(struct mregion_space *space, const struct mregion_flat *flat,
			 uint64_t addr, uint64_t last, struct mregion_range *range,
			 struct mregion_region **region, uint64_t *generation)
{
	int ret;

	if (flat) {
		*region = look_up_in_copy(flat, addr, last, range);
		*generation = flat->generation;
		return 0;
	}
	ret = look_up_in_kernel(space, addr, last, range, generation);
	*region = mregion_table_get(&space->machine->regions, range->region);
	return ret;
}

/* How much of @len bytes at @addr is within the space; 0: nothing. */
static uint64_t clip_to_space(const struct mregion_space *space, uint64_t addr,
			      uint64_t len)
{
	uint64_t last = mregion_space_last(space);

	if (addr > last)
		return 0;
	return len - 1 < last - addr ? len : last - addr + 1;
}

/*
 * A copy that was taken while no commit was under way is not older than any
 * access that the caller knows of. During a commit the guest may have seen the
 * new view already, so the kernel is asked; waiting for the commit to end
 * instead would let one slow commit stop all vCPUs.
 */
static const struct mregion_flat *current_flat(struct mregion_space *space)
{
	if (atomic_load(&space->machine->committing))
		return NULL;
	return mregion_flat_lock(&space->flat);
}

int mregion_look_up(struct mregion_space *space, uint64_t addr, uint64_t last,
		    struct mregion_range *range, struct mregion_region **region,
		    uint64_t *generation)
{
	const struct mregion_flat *flat = current_flat(space);
	int ret = look_up_range(space, flat, addr, last, range, region, generation);

	mregion_flat_unlock(flat);
	return ret;
}

static uint64_t next_piece(struct mregion_space *space,
			   const struct mregion_flat *flat, uint64_t addr,
			   uint64_t len, bool write,
			   struct mregion_piece *piece)
{
	struct mregion_region *region;
	struct mregion_range range;
	uint64_t generation;

	look_up_range(space, flat, addr, addr + (len - 1), &range, &region,
		      &generation);
	fill_piece(piece, &range, region, len, write);
	return generation;
}

static void put_pieces(struct mregion_piece *pieces, unsigned int nr)
{
	while (nr)
		mregion_piece_put(&pieces[--nr]);
}

unsigned int mregion_resolve_access(struct mregion_space *space, uint64_t addr,
				    unsigned int len, bool write,
				    struct mregion_piece *pieces)
{
	const struct mregion_flat *flat = current_flat(space);
	unsigned int within = clip_to_space(space, addr, len);
	uint64_t generation = 0, first = 0;
	unsigned int nr, done;

again:
	for (nr = 0, done = 0; done < within; done += pieces[nr++].len) {
		generation = next_piece(space, flat, addr + done, within - done,
					write, &pieces[nr]);
		if (!nr)
			first = generation;
		if (generation != first) {
			put_pieces(pieces, nr + 1);
			goto again;
		}
	}
	mregion_flat_unlock(flat);
	if (within < len)
		fill_gap(&pieces[nr++], len - within);
	return nr;
}

void mregion_resolve(struct mregion_space *space, uint64_t addr, uint64_t len,
		     bool write, struct mregion_piece *piece)
{
	const struct mregion_flat *flat = current_flat(space);
	uint64_t within = clip_to_space(space, addr, len);

	if (within)
		next_piece(space, flat, addr, within, write, piece);
	else
		fill_gap(piece, len);
	mregion_flat_unlock(flat);
}

void mregion_piece_put(struct mregion_piece *piece)
{
	if (piece->region)
		mregion_region_put(piece->region);
}

uint8_t *mregion_piece_memory(const struct mregion_piece *piece, bool write)
{
	uint8_t *ptr;
	bool memory;

	if (!piece->region)
		return NULL;
	if (write)
		memory = piece->kind == MREGION_RAM &&
			 !(piece->flags & MREGION_RANGE_READONLY);
	else
		memory = piece->kind == MREGION_RAM ||
			 piece->kind == MREGION_ROM ||
			 piece->flags & MREGION_RANGE_ROMD;
	ptr = memory ? atomic_load(&piece->region->ram.ptr) : NULL;
	return ptr ? ptr + piece->offset : NULL;
}

bool mregion_piece_readonly(const struct mregion_piece *piece, bool write)
{
	return write && piece->flags & MREGION_RANGE_READONLY;
}

bool mregion_piece_device(const struct mregion_piece *piece, bool write,
			  struct mregion_device *device)
{
	struct mregion_region *region = piece->region;

	if (!region || !region->ops)
		return false;
	/* As in the kernel, whatever kind it is. */
	if (mregion_piece_readonly(piece, write))
		return false;
	mregion_region_device(region, device);
	return true;
}

bool mregion_piece_is_device(const struct mregion_piece *piece, bool write)
{
	struct mregion_device device;

	return !mregion_piece_memory(piece, write) &&
	       mregion_piece_device(piece, write, &device);
}

static int dispatch_to_device(struct mregion_device *device,
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

	if (memory && write) {
		memcpy(memory, buf, piece->len);
		mregion_mark(piece->region, piece->offset, piece->len);
	} else if (memory) {
		memcpy(buf, memory, piece->len);
	}
	if (memory)
		return 0;
	if (mregion_piece_device(piece, write, &device))
		return dispatch_to_device(&device, origin, piece, addr,
					  accepted, write, buf);
	if (piece->region)
		policy = mregion_region_constraints(piece->region).refused;
	return mregion_policy_answer(policy, buf, piece->len, write);
}

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
