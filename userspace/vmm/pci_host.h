/* SPDX-License-Identifier: MIT */
/*
 * The PCI host bridge: how the guest gets at the configuration of PCI devices
 *
 * By configuration mechanism 1, an address and a data port, and by ECAM, memory
 * in which each function has 4 KiB. There is one bus, number 0.
 */
#ifndef VMM_PCI_HOST_H
#define VMM_PCI_HOST_H

#include <stdatomic.h>
#include <stdint.h>

#include "pam.h"
#include "pci.h"

struct mregion_ring;
struct mregion_shadow;
struct reset;

struct pci_host {
	struct pci_bus bus;
	struct pci_function bridge;	/* the host bridge itself is 00:00.0 */
	struct pam pam;
	struct mregion_region *ports;
	struct reset *reset;		/* has a port of its own among them */
	struct mregion_region *ecam;
	struct mregion_shadow *shadow;	/* of @ecam, or NULL */
	atomic_uint address;		/* what was written to the address port */
};

/**
 * pci_host_init() - create the host bridge and its bus, and map them
 * @host: the host bridge, zeroed
 * @machine: where its regions are created
 * @io: region of the I/O ports
 * @memory: container that PCI's memory, and the ECAM, are in
 * @system: all that processors see, as bus masters do
 * @ram: of the machine
 * @reset: the device that has port 0xcf9
 * @ring: where what is written to the address port is coalesced, or NULL
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_host_init(struct pci_host *host, struct mregion_machine *machine,
		  struct mregion_region *io, struct mregion_region *memory,
		  struct mregion_region *system, struct mregion_region *ram,
		  struct reset *reset, struct mregion_ring *ring);

/**
 * pci_host_add_shadow() - serve reads of the ECAM from shadow memory
 * @host: the host bridge, with all functions on its bus
 */
int pci_host_add_shadow(struct pci_host *host);

void pci_host_exit(struct pci_host *host);

#endif /* VMM_PCI_HOST_H */
