// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <mregion.h>

#include "layout.h"
#include "pci_host.h"
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

#define ECAM_BUS(v)		((v) >> 20)
#define ECAM_DEVICE(v)		((v) >> 15 & 0x1f)
#define ECAM_FUNCTION(v)	((v) >> 12 & 7)
#define ECAM_OFFSET(device)	((device) << 15)
#define ECAM_FUNCTION_SIZE	0x1000
#define ECAM_REGISTER(v)	((v) & 0xfff)

/* The generic PCIe host bridge of the Red Hat ID list: no quirks, no driver. */
static const struct pci_identity bridge_identity = {
	.vendor = 0x1b36,
	.device = 0x0008,
	.class = 0x060000,
};

static void bridge_written(struct pci_function *bridge, unsigned int offset,
			   unsigned int len)
{
	struct pci_host *host = (struct pci_host *)
		((char *)bridge - offsetof(struct pci_host, bridge));

	pam_written(&host->pam, offset, len);
}

static bool selected(uint32_t address)
{
	return (address & ADDRESS_ENABLE) && !ADDRESS_BUS(address) &&
	       !ADDRESS_FUNCTION(address);
}

static uint64_t ports_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pci_host *host = opaque;
	uint32_t address = atomic_load(&host->address);

	/* Narrower accesses are none of that register. */
	if (offset == PORT_ADDRESS && len == 4)
		return address;
	if (offset == PORT_RESET_CONTROL && len == 1)
		return reset_read(host->reset);
	if (offset < PORT_DATA)
		return ~0u;
	if (!selected(address))
		return ~0u;
	return pci_config_read(&host->bus, ADDRESS_DEVICE(address),
			       ADDRESS_REGISTER(address) + offset - PORT_DATA,
			       len);
}

static void ports_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct pci_host *host = opaque;
	uint32_t address = atomic_load(&host->address);

	if (offset == PORT_ADDRESS && len == 4)
		atomic_store(&host->address, data & ADDRESS_BITS);
	else if (offset == PORT_RESET_CONTROL && len == 1)
		reset_write(host->reset, data);
	else if (offset >= PORT_DATA && selected(address))
		pci_config_write(&host->bus, ADDRESS_DEVICE(address),
				 ADDRESS_REGISTER(address) + offset -
				 PORT_DATA,
				 data, len);
}

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pci_host *host = opaque;
	unsigned int reg = ECAM_REGISTER(offset);

	if (ECAM_BUS(offset) || ECAM_FUNCTION(offset))
		return ~0u;
	/* A function that has no extended configuration reads as 0 there. */
	if (reg >= PCI_CONFIG_SIZE)
		return host->bus.functions[ECAM_DEVICE(offset)] ? 0 : ~0u;
	return pci_config_read(&host->bus, ECAM_DEVICE(offset), reg, len);
}

static void ecam_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct pci_host *host = opaque;

	if (!ECAM_BUS(offset) && !ECAM_FUNCTION(offset))
		pci_config_write(&host->bus, ECAM_DEVICE(offset),
				 ECAM_REGISTER(offset), data, len);
}

static const struct mregion_ops ports_ops = {
	.read = ports_read,
	.write = ports_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

static const struct mregion_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

int pci_host_init(struct pci_host *host, struct mregion_machine *machine,
		  struct mregion_region *io, struct mregion_region *memory,
		  struct mregion_region *system, struct mregion_region *ram,
		  struct reset *reset, struct mregion_ring *ring)
{
	int error;

	host->reset = reset;
	pci_bus_init(&host->bus, machine, memory, system);
	error = pci_function_add(&host->bus, &host->bridge, &bridge_identity);
	if (error)
		return error;
	host->bridge.written = bridge_written;
	host->pam = (struct pam){
		.machine = machine,
		.bridge = &host->bridge,
		.system = system,
		.ram = ram,
		.pci = memory,
	};
	error = pam_init(&host->pam);
	if (error)
		return error;

	host->ports = mregion_new_mmio(machine, "pci-config", PCI_CONFIG_PORTS,
				       &ports_ops, host);
	if (!host->ports)
		return -errno;
	error = mregion_map(io, host->ports, PORT_PCI_CONFIG, 0);
	/*
	 * An address is of no consequence until the data port is accessed,
	 * which exits, and drains the ring before. A reset may come a little
	 * later.
	 */
	if (!error && ring)
		error = mregion_coalesce(host->ports, PORT_ADDRESS, 4, ring);
	if (error)
		return error;

	host->ecam = mregion_new_mmio(machine, "pci-ecam", ECAM_SIZE,
				      &ecam_ops, host);
	if (!host->ecam)
		return -errno;
	return mregion_map(memory, host->ecam, ECAM_ADDR, 0);
}

/* Serve ECAM's bytes from @from up to @end, the same ones of the shadow. */
static int serve(struct pci_host *host, uint64_t from, uint64_t end)
{
	return mregion_add_shadow(host->ecam, from, end - from, host->shadow,
				  from, MREGION_RULE_READ, -1);
}

int pci_host_add_shadow(struct pci_host *host)
{
	unsigned int device;
	uint64_t from = 0;
	uint8_t *ptr;
	int error;

	host->shadow = mregion_new_shadow(host->bus.machine, ECAM_SIZE);
	if (!host->shadow)
		return -errno;
	ptr = mregion_shadow_ptr(host->shadow);
	memset(ptr, 0xff, ECAM_SIZE);
	for (device = 0; device < host->bus.nr; device++) {
		struct pci_function *function = host->bus.functions[device];
		uint64_t window = ECAM_OFFSET(device) + function->window.offset;
		uint8_t *config = ptr + ECAM_OFFSET(device);

		memset(config, 0, ECAM_FUNCTION_SIZE);
		pci_mirror(function, config);
		if (!function->window.offset)
			continue;
		error = serve(host, from, window);
		if (error)
			return error;
		from = window + PCI_WINDOW_SIZE;
	}
	return serve(host, from, ECAM_SIZE);
}

void pci_host_exit(struct pci_host *host)
{
	pci_bus_exit(&host->bus);
}
