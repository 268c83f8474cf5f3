// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <mregion.h>

#include "layout.h"
#include "pci_host.h"

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

int pci_host_add_ecam(struct pci_host *host)
{
	host->ecam = mregion_new_mmio(host->bus.machine, "pci-ecam", ECAM_SIZE,
				      &ecam_ops, host);
	if (!host->ecam)
		return -errno;
	return mregion_map(host->bus.memory, host->ecam, ECAM_ADDR, 0);
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
