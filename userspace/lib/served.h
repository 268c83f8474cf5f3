/* SPDX-License-Identifier: MIT */
/* Accesses that a server answers, asked for by the VMM. */
#ifndef MREGION_LIB_SERVED_H
#define MREGION_LIB_SERVED_H

#include <stdbool.h>
#include <stdint.h>

struct mregion_piece;
struct mregion_region;
struct mregion_server;
struct mregion_space;

/**
 * struct mregion_seen - what was found at an address
 * @region: ID of the region; 0: nothing is known
 * @server: that it had, or NULL
 * @commits: the machine's counter before
 */
struct mregion_seen {
	uint32_t region;
	struct mregion_server *server;
	unsigned int commits;
};

/**
 * struct mregion_served - an access to a region that may have a server
 * @space: that it is made in
 * @region: that it is to; the caller has a reference. NULL: whatever is there
 * @addr: first address
 * @data: what is written, or where what is read goes
 * @len: 1 to 8 bytes
 * @vcpu: index of the vCPU, or %MREGION_NO_VCPU
 * @write: whether it is a write
 * @seen: @region as it was found; @seen.commits even if @region is NULL
 */
struct mregion_served {
	struct mregion_space *space;
	struct mregion_region *region;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	uint16_t vcpu;
	bool write;
	struct mregion_seen seen;
};

/** mregion_piece_served() - may accesses to it be a server's to answer */
bool mregion_piece_served(const struct mregion_piece *piece, bool write);

/**
 * mregion_served_set() - an access is to what was found at its address
 * @access: its @seen.commits is set already
 * @piece: what was found; a region, of which @access gets a reference
 */
void mregion_served_set(struct mregion_served *access,
			const struct mregion_piece *piece);

/**
 * mregion_left_here() - is an access the VMM's, although there may be a server
 * @left: what was seen before the kernel left the access to the VMM
 * @piece: what is there now
 *
 * The kernel has left it by the map and for the server that were there then. What
 * is another region or has another server by now is to be asked for once more.
 */
bool mregion_left_here(const struct mregion_seen *left,
		       const struct mregion_piece *piece);

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
