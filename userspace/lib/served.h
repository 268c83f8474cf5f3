/* SPDX-License-Identifier: MIT */
/* Accesses that a server answers, asked for by the VMM. */
#ifndef MREGION_LIB_SERVED_H
#define MREGION_LIB_SERVED_H

#include <stdbool.h>
#include <stdint.h>

struct mregion_piece;
struct mregion_region;
struct mregion_space;

/**
 * struct mregion_served - an access to a region that may have a server
 * @space: that it is made in
 * @region: that it is to; the caller has a reference. NULL: whatever is there
 * @addr: first address
 * @data: what is written, or where what is read goes
 * @len: 1 to 8 bytes
 * @vcpu: index of the vCPU, or %MREGION_NO_VCPU
 * @write: whether it is a write
 * @commits: the machine's counter before @region was looked up
 */
struct mregion_served {
	struct mregion_space *space;
	struct mregion_region *region;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	uint16_t vcpu;
	bool write;
	unsigned int commits;
};

/** mregion_piece_served() - may accesses to it be a server's to answer */
bool mregion_piece_served(const struct mregion_piece *piece, bool write);

/**
 * mregion_served_access() - have the kernel make an access
 * @access: the access
 *
 * Waits for the server; not to be called in a section, for which a server may
 * wait in turn. If it finds that the server is dead, its rings become the VMM's,
 * which has to drain them before it calls the region's functions.
 *
 * Return: 1: it is done. 0: it is the VMM's. -EAGAIN: the map has changed; look
 * up what is there again. -EINTR, or any other error of %MREGION_ACCESS: a server
 * may have it; call again.
 */
int mregion_served_access(const struct mregion_served *access);

#endif
