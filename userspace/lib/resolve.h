/* SPDX-License-Identifier: MIT */
/* What is at an address, and how to get at it. */
#ifndef MREGION_LIB_RESOLVE_H
#define MREGION_LIB_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "access.h"

struct mregion_region;
struct mregion_space;

/** MREGION_MAX_PIECES - an access of 8 bytes may touch as many ranges */
#define MREGION_MAX_PIECES	8

/**
 * struct mregion_piece - part of an access or a transfer, within one range
 * @region: what is there, with a reference; NULL: nothing
 * @kind: enum mregion_kind
 * @flags: enum mregion_range_flags
 * @offset: in the region, in bytes
 * @len: length in bytes, never 0
 */
struct mregion_piece {
	struct mregion_region *region;
	uint32_t kind;
	uint32_t flags;
	uint64_t offset;
	uint64_t len;
};

/**
 * mregion_resolve_access() - cut an access at the ranges of a view
 * @space: the space
 * @addr: first address
 * @len: 1 to 8; what is beyond the space's end is a piece with nothing in it
 * @pieces: filled; mregion_piece_put() each of them
 *
 * All pieces are of one view, and never of one older than the view the access
 * began in. Call it in a section. Return: the number of pieces.
 */
unsigned int mregion_resolve_access(struct mregion_space *space, uint64_t addr,
				    unsigned int len,
				    struct mregion_piece *pieces);

/** mregion_resolve() - the first piece of a transfer of @len bytes */
void mregion_resolve(struct mregion_space *space, uint64_t addr, uint64_t len,
		     struct mregion_piece *piece);

void mregion_piece_put(struct mregion_piece *piece);

/** mregion_piece_memory() - where it is if reads, or writes, go to memory */
uint8_t *mregion_piece_memory(const struct mregion_piece *piece, bool write);

/**
 * mregion_piece_device() - the device that reads, or writes, go to
 *
 * Return: false if there is none.
 */
bool mregion_piece_device(const struct mregion_piece *piece, bool write,
			  struct mregion_device *device);

#endif
