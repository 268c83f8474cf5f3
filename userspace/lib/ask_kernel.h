/* SPDX-License-Identifier: MIT */
/*
 * Parts of accesses that the kernel is asked to make, since it alone applies rules
 * and knows servers.
 */
#ifndef MREGION_LIB_ASK_KERNEL_H
#define MREGION_LIB_ASK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve.h"

struct mregion_space;
struct mregion_vm;

/**
 * struct mregion_ask - an access, of which the kernel makes the first part
 * @space: that it is made in
 * @vm: the virtual machine that makes it, or NULL
 * @vcpu: index of its vCPU, or %MREGION_NO_VCPU
 * @write: whether it is a write
 * @addr: first address
 * @data: what is written, or where what is read goes
 * @len: 1 to 8 bytes
 * @part: set to the length of the first part
 * @outcome: set to enum mregion_outcome: why the part is left to the VMM
 * @region: set to the ID of the region that it is to, or 0
 * @offset: set to where in the region
 * @range_flags: set to enum mregion_range_flags there
 * @again: set if the answer is no longer about what is there now: the kernel is to
 *	be asked again
 * @commits: set to the machine's counter before
 */
struct mregion_ask {
	struct mregion_space *space;
	struct mregion_vm *vm;
	uint16_t vcpu;
	bool write;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	unsigned int part;
	uint32_t outcome;
	uint32_t region;
	uint64_t offset;
	uint32_t range_flags;
	bool again;
	unsigned int commits;
};

/** mregion_piece_asked() - is it the kernel that knows what an access does */
bool mregion_piece_asked(const struct mregion_piece *piece, bool write);

/**
 * mregion_ask() - have the kernel make the first part of an access
 * @ask: the access; results are set
 *
 * Waits for a server; not to be called in a section, for which the server may
 * wait in turn. The machine's rings were drained before. If the server is found
 * dead its rings become the VMM's, and are drained here. The kernel may also speak of
 * an earlier server, which the region had when the vCPU left the access there; then
 * the one that it has now is to be asked.
 *
 * Return: 1: it is done. 0: it is the VMM's. -EINTR, or another negative errno of
 * %MREGION_ACCESS: a server may have it; call again with @ask->part as @ask->len.
 */
int mregion_ask(struct mregion_ask *ask);

/**
 * mregion_ask_piece() - what the kernel has left to the VMM
 * @ask: after mregion_ask() has returned 0
 * @piece: set to the part, for mregion_piece_put()
 *
 * Called in the section in which the part is made. Return: false if @ask->again, or
 * if the map may have changed since: then the kernel is to be asked again.
 */
bool mregion_ask_piece(const struct mregion_ask *ask,
		       struct mregion_piece *piece);

#endif
