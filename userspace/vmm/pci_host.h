/* SPDX-License-Identifier: MIT */
/*
 * The PCI host bridge: how the guest gets at the configuration of PCI devices
 *
 * By ECAM, memory in which each function has 4 KiB. There is one bus, number 0.
 *
 * The ECAM has a region for each function that there is. Where there is none, the kernel
 * answers with the memory space's policy, which is all-ones, too: without an exit, and
 * without memory that says so.
 */
#ifndef VMM_PCI_HOST_H
#define VMM_PCI_HOST_H

#include <stdbool.h>

#include "pci.h"

struct mregion_shadow;

/* With extended configuration; so far are functions apart in the mirrors, too. */
#define PCI_EXTENDED_SIZE	4096

/* Where the mirror of a device's function is in the shadow memory */
#define PCI_HOST_MIRROR(device)	((device) * PCI_EXTENDED_SIZE)

/**
 * struct pci_host - the host bridge
 * @bus: the bus behind it
 * @bridge: the host bridge itself is 00:00.0
 * @ecam: container of the functions' regions
 * @shadow: mirrors of all functions on the bus, for all ways to read them, or NULL: all
 *	accesses exit
 */
struct pci_host {
	struct pci_bus bus;
	struct pci_function bridge;
	struct mregion_region *ecam;
	struct mregion_shadow *shadow;
};

/**
 * pci_host_init() - create the host bridge and its bus
 * @host: the host bridge, zeroed
 * @machine: where its regions are created
 * @memory: container that PCI's memory, and the ECAM, are in
 * @system: all that processors see, as bus masters do
 *
 * Reports what is wrong. Return: 0 or -REPORTED.
 */
int pci_host_init(struct pci_host *host, struct mregion_machine *machine,
		  struct mregion_region *memory,
		  struct mregion_region *system);

/**
 * pci_host_add_ecam() - map the ECAM, at ECAM_ADDR
 * @host: the host bridge, with all functions on its bus
 * @shadow: serve reads from shadow memory
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_host_add_ecam(struct pci_host *host, bool shadow);

void pci_host_exit(struct pci_host *host);

#endif /* VMM_PCI_HOST_H */
