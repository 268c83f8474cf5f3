/* SPDX-License-Identifier: MIT */
/* What is at an address, how to get at it, and getting there. */
#ifndef MREGION_LIB_RESOLVE_H
#define MREGION_LIB_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "access.h"
#include "mregion.h"

struct mregion_region;
struct mregion_space;

/** MREGION_MAX_PIECES - an access of 8 bytes may touch as many ranges */
#define MREGION_MAX_PIECES	8

/**
 * struct mregion_piece - part of an access or a transfer, to one range
 * @region: what is there, with a reference; NULL: nothing
 * @kind: enum mregion_kind
 * @flags: enum mregion_range_flags
 * @offset: in the region, in bytes
 * @len: length in bytes, never 0; beyond the range's end only if it is a single
 *	step to registers, or nothing is there
 */
struct mregion_piece {
	struct mregion_region *region;
	uint32_t kind;
	uint32_t flags;
	uint64_t offset;
	uint64_t len;
};

/**
 * mregion_look_up() - what is at an address, and how far it reaches
 * @space: the space
 * @addr: an address of it
 * @last: how far to look, at most to the space's end
 * @range: set as %MREGION_TRANSLATE sets it
 * @region: set to its region, with a reference; to NULL where nothing is
 * @generation: set to that of the view
 *
 * Return: 0, or a negative errno of %MREGION_TRANSLATE; then @range says that
 * nothing is there.
 */
int mregion_look_up(struct mregion_space *space, uint64_t addr, uint64_t last,
		    struct mregion_range *range, struct mregion_region **region,
		    uint64_t *generation);

/**
 * mregion_resolve_access() - cut an access by what is there, as QEMU does
 * @space: the space
 * @addr: first address
 * @len: 1 to 8; what is beyond the space's end is a piece with nothing in it
 * @write: whether it is a write
 * @pieces: filled; mregion_piece_put() each of them
 *
 * All pieces are of one view, and never of one older than the view the access
 * began in. Call it in a section. Return: the number of pieces.
 */
unsigned int mregion_resolve_access(struct mregion_space *space, uint64_t addr,
				    unsigned int len, bool write,
				    struct mregion_piece *pieces);

/** mregion_resolve() - the first piece of a transfer of @len bytes */
void mregion_resolve(struct mregion_space *space, uint64_t addr, uint64_t len,
		     bool write, struct mregion_piece *piece);

void mregion_piece_put(struct mregion_piece *piece);

/** mregion_piece_memory() - where it is if reads, or writes, go to memory */
uint8_t *mregion_piece_memory(const struct mregion_piece *piece, bool write);

/** mregion_piece_readonly() - is it a write to what is shown read-only */
bool mregion_piece_readonly(const struct mregion_piece *piece, bool write);

/**
 * mregion_piece_device() - the device that reads, or writes, go to
 *
 * Return: false if there is none.
 */
bool mregion_piece_device(const struct mregion_piece *piece, bool write,
			  struct mregion_device *device);

/**
 * mregion_piece_is_device() - do reads, or writes, go to a device, and not to memory
 *
 * Also if its functions are called elsewhere, by a server.
 */
bool mregion_piece_is_device(const struct mregion_piece *piece, bool write);

/**
 * struct mregion_origin - who makes an access
 * @space: that it is made in
 * @vm: the virtual machine, or NULL
 * @vcpu: index of its vCPU, or %MREGION_NO_VCPU
 * @source: what kind of access it is
 */
struct mregion_origin {
	struct mregion_space *space;
	struct mregion_vm *vm;
	uint16_t vcpu;
	enum mregion_source source;
};

/**
 * mregion_dispatch() - make (a part of) an access
 * @origin: who makes it
 * @piece: what is there: memory, or at most 8 bytes of a device
 * @addr: its first address
 * @accepted: the kernel has cut it by what the device accepts: it is one access. Else
 *	it is cut here, and each part accepted or refused
 * @write: whether it is a write
 * @buf: the bytes; of a write, they are left alone
 *
 * Where nothing is, the space's policy answers.
 *
 * Return: 0, or -EFAULT if a policy makes it an error; what is read is all-ones
 * then.
 */
int mregion_dispatch(const struct mregion_origin *origin,
		     const struct mregion_piece *piece, uint64_t addr,
		     bool accepted, bool write, uint8_t *buf);

#endif

