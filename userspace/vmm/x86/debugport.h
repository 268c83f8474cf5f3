/* SPDX-License-Identifier: MIT */
/*
 * Port 0x80, where firmware writes how far it got
 *
 * Nobody reads it here; Linux writes to it to let a little time pass.
 */
#ifndef VMM_DEBUGPORT_H
#define VMM_DEBUGPORT_H

#include <stdint.h>

struct mregion_machine;
struct mregion_region;
struct mregion_ring;

struct debugport {
	struct mregion_region *region;
};

/**
 * debugport_init() - create the port and map it
 * @debugport: the device
 * @machine: where its region is created
 * @parent: region of the I/O ports
 * @port: the port
 * @ring: where writes are coalesced, or NULL to let them exit
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int debugport_init(struct debugport *debugport, struct mregion_machine *machine,
		   struct mregion_region *parent, uint16_t port,
		   struct mregion_ring *ring);

#endif /* VMM_DEBUGPORT_H */
