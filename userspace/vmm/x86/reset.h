/* SPDX-License-Identifier: MIT */
/* The two ports by which a PC's chipset is reset: 0xcf9 and 0x92 */
#ifndef VMM_RESET_H
#define VMM_RESET_H

#include <stdatomic.h>
#include <stdint.h>

#include "wiring.h"

struct mregion_machine;
struct mregion_region;

/* Written to port 0xcf9: reset all of the system. */
#define RESET_HARD		0x06

struct reset {
	struct mregion_region *port92_region;
	struct end_line end;
	atomic_uchar control;
	atomic_uchar port92;
};

/**
 * reset_init() - create port 0x92 and map it
 * @reset: the device
 * @machine: where its regions are created
 * @parent: region of the I/O ports
 * @port92: the port of system control A
 * @end: pulled when the guest resets
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int reset_init(struct reset *reset, struct mregion_machine *machine,
	       struct mregion_region *parent, uint16_t port92,
	       struct end_line end);

/*
 * Port 0xcf9 is the second byte of a 32-bit register of the PCI host bridge's,
 * which passes on what is meant for it: an access of one byte.
 */
uint8_t reset_read(struct reset *reset);
void reset_write(struct reset *reset, uint8_t data);

#endif /* VMM_RESET_H */
