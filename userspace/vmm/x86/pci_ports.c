// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <mregion.h>

#include "layout.h"
#include "pci_host.h"
#include "pci_ports.h"
#include "reset.h"

/* Ports: the address in the first four, then the data. */
#define PORT_ADDRESS		0
#define PORT_RESET_CONTROL	(PORT_RESET - PORT_PCI_CONFIG)
#define PORT_DATA		4
#define PORT_DATA_SIZE		4

/* In shadow memory: the address register, and data where no function is. */
#define SHADOW_ADDRESS		0
#define SHADOW_NOTHING		8
#define SHADOW_SIZE		(SHADOW_NOTHING + PORT_DATA_SIZE)

#define ADDRESS_ENABLE		(1u << 31)
#define ADDRESS_BUS(v)		((v) >> 16 & 0xff)
#define ADDRESS_DEVICE(v)	((v) >> 11 & 0x1f)
#define ADDRESS_FUNCTION(v)	((v) >> 8 & 7)
#define ADDRESS_REGISTER(v)	((v) & 0xfc)

/* The last address of a function begins so far behind the first. */
#define ADDRESS_LAST		(PCI_CONFIG_SIZE - 1)

static bool selected(uint32_t address)
{
	return (address & ADDRESS_ENABLE) && !ADDRESS_BUS(address) &&
	       !ADDRESS_FUNCTION(address);
}

static uint64_t ports_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pci_ports *ports = opaque;
	uint32_t address = atomic_load(ports->address);

	/* Narrower accesses are none of that register. */
	if (offset == PORT_ADDRESS && len == 4)
		return address;
	if (offset == PORT_RESET_CONTROL && len == 1)
		return reset_read(ports->reset);
	if (offset < PORT_DATA)
		return ~0u;
	if (!selected(address))
		return ~0u;
	return pci_config_read(&ports->host->bus, ADDRESS_DEVICE(address),
			       ADDRESS_REGISTER(address) + offset - PORT_DATA,
			       len);
}

static void ports_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct pci_ports *ports = opaque;
	uint32_t address = atomic_load(ports->address);

	if (offset == PORT_ADDRESS && len == 4)
		atomic_store(ports->address, data);
	else if (offset == PORT_RESET_CONTROL && len == 1)
		reset_write(ports->reset, data);
	else if (offset >= PORT_DATA && selected(address))
		pci_config_write(&ports->host->bus, ADDRESS_DEVICE(address),
				 ADDRESS_REGISTER(address) + offset -
				 PORT_DATA,
				 data, len);
}

static const struct mregion_ops ports_ops = {
	.read = ports_read,
	.write = ports_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

/* The mirror that the ECAM shows; a register's number is its offset in there. */
static int show_function(const struct pci_ports *ports,
			 const struct mregion_pair *pair,
			 const struct pci_function *function)
{
	const uint32_t index = mregion_pci_index(0, function->device, 0);
	struct pci_part parts[2];
	unsigned int i, nr;
	int error = 0;

	nr = pci_mirrored(function, PCI_CONFIG_SIZE, parts);
	for (i = 0; i < nr && !error; i++)
		error = mregion_show_in_pair(ports->region, pair,
					     index + parts[i].from,
					     index + parts[i].end - 1,
					     ADDRESS_LAST, ports->host->shadow,
					     PCI_HOST_MIRROR(function->device));
	return error;
}

/* Four bytes for all addresses, none of whose bits selects others. */
static int show_nothing(const struct pci_ports *ports,
			const struct mregion_pair *pair, uint32_t first,
			uint32_t last)
{
	return mregion_show_in_pair(ports->region, pair, first, last, 0,
				    pair->index, SHADOW_NOTHING);
}

static int show_bus(const struct pci_ports *ports,
		    const struct mregion_pair *pair)
{
	const struct pci_bus *bus = &ports->host->bus;
	uint32_t end = mregion_pci_index(0, 0, 0);
	unsigned int i;
	int error = 0;

	for (i = 0; i < bus->nr && !error; i++) {
		end = mregion_pci_index(0, i, 7) + PCI_CONFIG_SIZE;
		error = show_function(ports, pair, bus->functions[i]);
		if (!error)
			error = show_nothing(ports, pair,
					     mregion_pci_index(0, i, 1),
					     end - 1);
	}
	return error ? error :
	       show_nothing(ports, pair, end,
			    mregion_pci_index(255, 31, 7) + ADDRESS_LAST);
}

/*
 * The address and all that can be read without an effect are the kernel's. Writes of
 * data, and a function's window, come here.
 */
static int add_shadow(struct pci_ports *ports)
{
	struct mregion_pair pair = {
		.kind = MREGION_PAIR_PCI,
		.offset = PORT_ADDRESS,
		.index_offset = SHADOW_ADDRESS,
	};
	uint8_t *ptr;
	int error;

	pair.index = mregion_new_shadow(ports->host->bus.machine, SHADOW_SIZE);
	if (!pair.index)
		return -errno;
	ptr = mregion_shadow_ptr(pair.index);
	memset(ptr + SHADOW_NOTHING, 0xff, PORT_DATA_SIZE);
	ports->address = (atomic_uint *)(ptr + SHADOW_ADDRESS);
	error = mregion_add_pair(ports->region, &pair);
	return error ? error : show_bus(ports, &pair);
}

int pci_ports_init(struct pci_ports *ports, struct mregion_region *io,
		   struct pci_host *host, struct reset *reset)
{
	int error;

	ports->host = host;
	ports->reset = reset;
	ports->address = &ports->own_address;
	ports->region = mregion_new_mmio(host->bus.machine, "pci-config",
					 PCI_CONFIG_PORTS, &ports_ops, ports);
	if (!ports->region)
		return -errno;
	error = mregion_map(io, ports->region, PORT_PCI_CONFIG, 0);
	if (!error && host->shadow)
		error = add_shadow(ports);
	return error;
}
