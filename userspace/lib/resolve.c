// SPDX-License-Identifier: MIT
/* What is at an address, and how to get at it. */
#include <sys/ioctl.h>

#include "access.h"
#include "flat.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "space.h"

/*
 * As in QEMU (address_space_translate_internal()), an access to registers is not
 * cut where their range ends: on a PC's port 0xcf8 the device is to see all four
 * bytes, though another's range begins at 0xcf9. So the last piece of a range
 * is as long as the access that it makes.
 */
static uint64_t last_step(const struct mregion_piece *piece, uint64_t len)
{
	struct mregion_constraints constraints;

	if (piece->kind != MREGION_MMIO || !piece->region)
		return 0;
	constraints = mregion_region_constraints(piece->region);
	return mregion_access_size(&constraints, piece->offset, len);
}

/* A piece that is all, or the beginning, of a range. */
static void fill(struct mregion_piece *piece, const struct mregion_range *range,
		 uint64_t addr, uint64_t len, struct mregion_region *region)
{
	piece->region = region;
	piece->kind = range->kind;
	piece->flags = range->flags;
	piece->offset = range->offset + (addr - range->start);
	piece->len = len;
	if (len - 1 > range->last - addr) {
		uint64_t step = last_step(piece, len);

		piece->len = range->last - addr + 1;
		if (step > piece->len)
			piece->len = step;
	}
}

static void fill_gap(struct mregion_piece *piece, uint64_t len)
{
	*piece = (struct mregion_piece){ .len = len };
}

static void from_flat(const struct mregion_flat *flat, uint64_t addr,
		      uint64_t len, struct mregion_piece *piece)
{
	size_t i = mregion_flat_find(flat, addr);
	const struct mregion_range *range = &flat->view->ranges[i];

	if (i == flat->view->nr) {
		fill_gap(piece, len);
	} else if (range->start > addr) {
		fill_gap(piece, len < range->start - addr ? len :
						range->start - addr);
	} else {
		fill(piece, range, addr, len, flat->regions[i]);
		if (piece->region)
			mregion_region_get(piece->region);
	}
}

/* The same from the kernel. Return: the generation of its view. */
static uint64_t from_kernel(struct mregion_space *space, uint64_t addr,
			    uint64_t len, struct mregion_piece *piece)
{
	struct mregion_translate translate = {
		.size = sizeof(translate),
		.space = space->id,
		.addr = addr,
		.len = len,
	};
	struct mregion_machine *machine = space->machine;

	if (ioctl(machine->fd, MREGION_TRANSLATE, &translate))
		fill_gap(piece, len);
	else
		fill(piece, &translate.range, addr, len,
		     mregion_table_get(&machine->regions,
				       translate.range.region));
	return translate.generation;
}

/* How much of @len bytes at @addr is within the space; 0: nothing. */
static uint64_t clip(const struct mregion_space *space, uint64_t addr,
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
static struct mregion_flat *current_flat(struct mregion_space *space)
{
	if (atomic_load(&space->machine->committing))
		return NULL;
	return mregion_flat_get(space);
}

static void put_all(struct mregion_piece *pieces, unsigned int nr)
{
	while (nr)
		mregion_piece_put(&pieces[--nr]);
}

unsigned int mregion_resolve_access(struct mregion_space *space, uint64_t addr,
				    unsigned int len,
				    struct mregion_piece *pieces)
{
	struct mregion_flat *flat = current_flat(space);
	unsigned int within = clip(space, addr, len);
	uint64_t generation = 0, first = 0;
	unsigned int nr, done;

again:
	for (nr = 0, done = 0; done < within; done += pieces[nr++].len) {
		if (flat) {
			from_flat(flat, addr + done, within - done,
				  &pieces[nr]);
			continue;
		}
		generation = from_kernel(space, addr + done, within - done,
					 &pieces[nr]);
		if (!nr)
			first = generation;
		if (generation != first) {
			put_all(pieces, nr + 1);
			goto again;
		}
	}
	mregion_flat_put(flat);
	if (within < len)
		fill_gap(&pieces[nr++], len - within);
	return nr;
}

void mregion_resolve(struct mregion_space *space, uint64_t addr, uint64_t len,
		     struct mregion_piece *piece)
{
	struct mregion_flat *flat = current_flat(space);
	uint64_t within = clip(space, addr, len);

	if (!within)
		fill_gap(piece, len);
	else if (flat)
		from_flat(flat, addr, within, piece);
	else
		from_kernel(space, addr, within, piece);
	mregion_flat_put(flat);
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

bool mregion_piece_device(const struct mregion_piece *piece, bool write,
			  struct mregion_device *device)
{
	struct mregion_region *region = piece->region;

	if (!region || !region->ops)
		return false;
	/* Read-only is said of memory; registers look after themselves. */
	if (write && piece->kind == MREGION_RAMDEV &&
	    piece->flags & MREGION_RANGE_READONLY)
		return false;
	device->ops = region->ops;
	device->opaque = region->opaque;
	device->constraints = mregion_region_constraints(region);
	return true;
}
