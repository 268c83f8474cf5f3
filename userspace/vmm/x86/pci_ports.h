/* SPDX-License-Identifier: MIT */
/*
 * PCI's configuration mechanism 1: an address and a data port
 *
 * Another way to what the ECAM shows, see pci_host.h.
 */
#ifndef VMM_PCI_PORTS_H
#define VMM_PCI_PORTS_H

#include <stdatomic.h>

struct mregion_region;
struct mregion_ring;
struct pci_bus;
struct reset;

struct pci_ports {
	struct pci_bus *bus;
	struct mregion_region *region;
	struct reset *reset;		/* has a port of its own among them */
	atomic_uint address;		/* what was written to the address port */
};

/**
 * pci_ports_init() - create the ports and map them
 * @ports: zeroed
 * @io: region of the I/O ports
 * @bus: the bus
 * @reset: the device that has port 0xcf9
 * @ring: where what is written to the address port is coalesced, or NULL
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_ports_init(struct pci_ports *ports, struct mregion_region *io,
		   struct pci_bus *bus, struct reset *reset,
		   struct mregion_ring *ring);

#endif /* VMM_PCI_PORTS_H */
