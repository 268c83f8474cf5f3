// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include <mregion.h>

#include "pci.h"
#include "pci_master.h"
#include "report.h"

int pci_master_init(struct pci_master *master, const struct pci_bus *bus,
		    const char *name)
{
	struct mregion_region *root;
	char text[MREGION_NAME_SIZE];
	int error;

	snprintf(text, sizeof(text), "%s-sees", name);
	root = mregion_new_container(bus->machine, text, 0);
	snprintf(text, sizeof(text), "%s-bus-master", name);
	master->enable = mregion_new_alias(bus->machine, text, bus->system, 0,
					   MREGION_WHOLE);
	if (!root || !master->enable)
		return -errno;
	error = mregion_set_enabled(master->enable, false);
	if (!error)
		error = mregion_map(root, master->enable, 0, 0);
	if (error)
		return error;
	master->space = mregion_new_space(bus->machine, MREGION_BUS_MEMORY,
					  root, MREGION_POLICY_DEFAULT);
	return master->space ? 0 : -errno;
}

void pci_master_set(struct pci_master *master, bool on)
{
	if (mregion_set_enabled(master->enable, on))
		report("cannot let a PCI device access memory, or keep it from that: %s",
		       mregion_error());
}
