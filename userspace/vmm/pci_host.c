// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include <mregion.h>

#include "layout.h"
#include "pci_host.h"
#include "units.h"

/* A device has eight functions, and here the first one at most. */
#define ECAM_DEVICE_SIZE	KIB(32)

/* The generic PCIe host bridge of the Red Hat ID list: no quirks, no driver. */
static const struct pci_identity bridge_identity = {
	.vendor = 0x1b36,
	.device = 0x0008,
	.class = 0x060000,
};

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned int len)
{
	const struct pci_function *function = opaque;

	/* No function has extended configuration: it reads as 0. */
	if (offset >= PCI_CONFIG_SIZE)
		return 0;
	return pci_config_read(function->bus, function->device, offset, len);
}

static void ecam_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	const struct pci_function *function = opaque;

	pci_config_write(function->bus, function->device, offset, data, len);
}

static const struct mregion_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

int pci_host_init(struct pci_host *host, struct mregion_machine *machine,
		  struct mregion_region *memory, struct mregion_region *system)
{
	pci_bus_init(&host->bus, machine, memory, system);
	return pci_function_add(&host->bus, &host->bridge, &bridge_identity);
}

static int add_shadow(struct pci_host *host)
{
	uint8_t *ptr;
	unsigned int i;

	host->shadow = mregion_new_shadow(host->bus.machine,
					  host->bus.nr * PCI_EXTENDED_SIZE);
	if (!host->shadow)
		return -errno;
	ptr = mregion_shadow_ptr(host->shadow);
	for (i = 0; i < host->bus.nr; i++)
		pci_mirror(host->bus.functions[i], ptr + PCI_HOST_MIRROR(i));
	return 0;
}

static int serve(const struct pci_host *host, struct mregion_region *region,
		 const struct pci_function *function)
{
	const uint64_t mirror = PCI_HOST_MIRROR(function->device);
	struct pci_part parts[2];
	unsigned int i, nr;
	int error = 0;

	nr = pci_mirrored(function, PCI_EXTENDED_SIZE, parts);
	for (i = 0; i < nr && !error; i++)
		error = mregion_add_shadow(region, parts[i].from,
					   parts[i].end - parts[i].from,
					   host->shadow, mirror + parts[i].from,
					   MREGION_RULE_READ, -1);
	return error;
}

static int add_function(struct pci_host *host, struct pci_function *function)
{
	struct mregion_region *region;
	char name[MREGION_NAME_SIZE];
	int error;

	snprintf(name, sizeof(name), "pci-ecam-%02x.0", function->device);
	region = mregion_new_mmio(host->bus.machine, name, PCI_EXTENDED_SIZE,
				  &ecam_ops, function);
	if (!region)
		return -errno;
	error = mregion_map(host->ecam, region,
			    function->device * ECAM_DEVICE_SIZE, 0);
	if (!error && host->shadow)
		error = serve(host, region, function);
	return error;
}

int pci_host_add_ecam(struct pci_host *host, bool shadow)
{
	unsigned int i;
	int error = 0;

	host->ecam = mregion_new_container(host->bus.machine, "pci-ecam",
					   ECAM_SIZE);
	if (!host->ecam)
		return -errno;
	if (shadow)
		error = add_shadow(host);
	for (i = 0; i < host->bus.nr && !error; i++)
		error = add_function(host, host->bus.functions[i]);
	if (!error)
		error = mregion_map(host->bus.memory, host->ecam, ECAM_ADDR, 0);
	return error;
}

void pci_host_exit(struct pci_host *host)
{
	pci_bus_exit(&host->bus);
}
