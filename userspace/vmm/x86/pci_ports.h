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
struct pci_host;
struct reset;

struct pci_ports {
	struct pci_host *host;
	struct mregion_region *region;
	struct reset *reset;		/* has a port of its own among them */
	atomic_uint *address;		/* the address port, in shadow memory */
	atomic_uint own_address;	/* or here */
};

/**
 * pci_ports_init() - create the ports and map them
 * @ports: zeroed
 * @io: region of the I/O ports
 * @host: the host bridge, with its ECAM; what that serves from shadow memory, the ports
 *	do, too
 * @reset: the device that has port 0xcf9
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_ports_init(struct pci_ports *ports, struct mregion_region *io,
		   struct pci_host *host, struct reset *reset);

#endif /* VMM_PCI_PORTS_H */
