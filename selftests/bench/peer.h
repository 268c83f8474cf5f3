/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other process of a round trip: a device that is asked over mregion's
 * server, and the same device asked over a socket, as vfio-user does it.
 */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>

/**
 * struct peer_message - a request over a socket, and its reply
 * @head: vfio-user's header: message ID, command, size, flags, errno
 * @offset: in the region, in bytes
 * @region: its number
 * @count: length of the access
 * @data: what was read; in a reply
 *
 * Of the form, and so of the size, of VFIO_USER_REGION_READ.
 */
struct peer_message {
	uint32_t head[4];
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint64_t data;
};

/** PEER_REQUEST_SIZE - a request has no data */
#define PEER_REQUEST_SIZE	(sizeof(struct peer_message) - 8)

/**
 * struct peer_counts - shared memory that the other process counts in
 * @served: accesses
 * @calls: system calls
 */
struct peer_counts {
	uint64_t served;
	uint64_t calls;
};

/* What register 0 is, was it read @n times before. */
static inline uint32_t peer_value(uint64_t n)
{
	return n * 2654435761u;
}

void peer_server(int fd, struct peer_counts *counts);
void peer_socket(int fd, struct peer_counts *counts);

#endif /* PEER_H */
