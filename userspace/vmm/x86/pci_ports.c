// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "layout.h"
#include "pci.h"
#include "pci_ports.h"
#include "reset.h"

/* Ports: the address in the first four, then the data. */
#define PORT_ADDRESS		0
#define PORT_RESET_CONTROL	(PORT_RESET - PORT_PCI_CONFIG)
#define PORT_DATA		4

#define ADDRESS_ENABLE		(1u << 31)
#define ADDRESS_BUS(v)		((v) >> 16 & 0xff)
#define ADDRESS_DEVICE(v)	((v) >> 11 & 0x1f)
#define ADDRESS_FUNCTION(v)	((v) >> 8 & 7)
#define ADDRESS_REGISTER(v)	((v) & 0xfc)
#define ADDRESS_BITS		0x80fffffcu

static bool selected(uint32_t address)
{
	return (address & ADDRESS_ENABLE) && !ADDRESS_BUS(address) &&
	       !ADDRESS_FUNCTION(address);
}

static uint64_t ports_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pci_ports *ports = opaque;
	uint32_t address = atomic_load(&ports->address);

	/* Narrower accesses are none of that register. */
	if (offset == PORT_ADDRESS && len == 4)
		return address;
	if (offset == PORT_RESET_CONTROL && len == 1)
		return reset_read(ports->reset);
	if (offset < PORT_DATA)
		return ~0u;
	if (!selected(address))
		return ~0u;
	return pci_config_read(ports->bus, ADDRESS_DEVICE(address),
			       ADDRESS_REGISTER(address) + offset - PORT_DATA,
			       len);
}

static void ports_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct pci_ports *ports = opaque;
	uint32_t address = atomic_load(&ports->address);

	if (offset == PORT_ADDRESS && len == 4)
		atomic_store(&ports->address, data & ADDRESS_BITS);
	else if (offset == PORT_RESET_CONTROL && len == 1)
		reset_write(ports->reset, data);
	else if (offset >= PORT_DATA && selected(address))
		pci_config_write(ports->bus, ADDRESS_DEVICE(address),
				 ADDRESS_REGISTER(address) + offset -
				 PORT_DATA,
				 data, len);
}

static const struct mregion_ops ports_ops = {
	.read = ports_read,
	.write = ports_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

int pci_ports_init(struct pci_ports *ports, struct mregion_region *io,
		   struct pci_bus *bus, struct reset *reset,
		   struct mregion_ring *ring)
{
	int error;

	ports->bus = bus;
	ports->reset = reset;
	ports->region = mregion_new_mmio(bus->machine, "pci-config",
					 PCI_CONFIG_PORTS, &ports_ops, ports);
	if (!ports->region)
		return -errno;
	error = mregion_map(io, ports->region, PORT_PCI_CONFIG, 0);
	if (error || !ring)
		return error;
	/*
	 * An address is of no consequence until the data port is accessed,
	 * which exits, and drains the ring before. A reset may come a little
	 * later.
	 */
	return mregion_coalesce(ports->region, PORT_ADDRESS, 4, ring);
}
