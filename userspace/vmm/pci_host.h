/* SPDX-License-Identifier: MIT */
/*
 * The PCI host bridge: how the guest gets at the configuration of PCI devices
 *
 * By ECAM, memory in which each function has 4 KiB. There is one bus, number 0.
 */
#ifndef VMM_PCI_HOST_H
#define VMM_PCI_HOST_H

#include "pci.h"

struct mregion_shadow;

struct pci_host {
	struct pci_bus bus;
	struct pci_function bridge;	/* the host bridge itself is 00:00.0 */
	struct mregion_region *ecam;
	struct mregion_shadow *shadow;	/* of @ecam, or NULL */
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
 * @host: the host bridge
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_host_add_ecam(struct pci_host *host);

/**
 * pci_host_add_shadow() - serve reads of the ECAM from shadow memory
 * @host: the host bridge, with all functions on its bus
 */
int pci_host_add_shadow(struct pci_host *host);

void pci_host_exit(struct pci_host *host);

#endif /* VMM_PCI_HOST_H */
