/* SPDX-License-Identifier: MIT */
/*
 * What a PCI function sees as bus master: a space of its own, in which all of the guest's
 * memory is while the guest lets the function access it
 */
#ifndef VMM_PCI_MASTER_H
#define VMM_PCI_MASTER_H

#include <stdbool.h>

struct mregion_region;
struct mregion_space;
struct pci_bus;

/**
 * struct pci_master - a function as bus master
 * @space: what it sees
 * @enable: alias of all that the processors see, in there
 */
struct pci_master {
	struct mregion_space *space;
	struct mregion_region *enable;
};

/**
 * pci_master_init() - make the space of a function, with nothing in it
 * @master: filled in
 * @bus: the bus
 * @name: of the function
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_master_init(struct pci_master *master, const struct pci_bus *bus,
		    const char *name);

/** pci_master_set() - by the function's Bus Master Enable; reports what is wrong */
void pci_master_set(struct pci_master *master, bool on);

#endif /* VMM_PCI_MASTER_H */
