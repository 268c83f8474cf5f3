// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mregion.h>

#include "report.h"
#include "virtio_pci.h"

#define VENDOR_VIRTIO		0x1af4
#define FIRST_MODERN_DEVICE	0x1040

/* All is in one BAR of eight pages; each part has a page of its own. */
#define BAR			0
#define BAR_SIZE		0x8000
#define PAGE			0x1000
#define MSIX_TABLE_OFFSET	0x4000
#define MSIX_PENDING_OFFSET	0x5000

static const struct {
	const char *name;
	uint8_t cfg_type;
} parts[VIRTIO_NR_PARTS] = {
	[VIRTIO_PART_COMMON] = { "common", VIRTIO_PCI_CAP_COMMON_CFG },
	[VIRTIO_PART_ISR] = { "isr", VIRTIO_PCI_CAP_ISR_CFG },
	[VIRTIO_PART_CONFIG] = { "config", VIRTIO_PCI_CAP_DEVICE_CFG },
	[VIRTIO_PART_NOTIFY] = { "notify", VIRTIO_PCI_CAP_NOTIFY_CFG },
};

const struct mregion_ops *const virtio_pci_ops[VIRTIO_NR_PARTS] = {
	[VIRTIO_PART_COMMON] = &virtio_common_ops,
	[VIRTIO_PART_ISR] = &virtio_isr_ops,
	[VIRTIO_PART_CONFIG] = &virtio_config_ops,
	[VIRTIO_PART_NOTIFY] = &virtio_notify_ops,
};

static uint32_t part_len(const struct virtio_pci_params *params,
			 enum virtio_part part)
{
	switch (part) {
	case VIRTIO_PART_COMMON:
		return sizeof(struct virtio_pci_common_cfg);
	case VIRTIO_PART_ISR:
		return 1;
	case VIRTIO_PART_CONFIG:
		return params->face->config_len;
	default:
		return params->type->nr_queues * VIRTIO_NOTIFY_STEP;
	}
}

/* Without it, a function neither accesses memory nor sends messages. */
static void update_master(struct virtio_pci *pci)
{
	bool on = pci_get16(&pci->function, PCI_COMMAND) & PCI_COMMAND_MASTER;
	unsigned int i;

	if (atomic_load(&pci->master) == on)
		return;
	/* It looks for work only while it sees memory. */
	if (on)
		pci_master_set(&pci->dma, true);
	atomic_store(&pci->master, on);
	if (pci->master_copy)
		atomic_store(pci->master_copy, on);
	if (!on)
		pci_master_set(&pci->dma, false);
	/* There may be something to do that the driver has told before. */
	for (i = 0; on && i < pci->nr_kicks; i++)
		eventfd_write(pci->kicks[i], 1);
}

static void written(struct pci_function *function, unsigned int offset,
		    unsigned int len)
{
	struct virtio_pci *pci = (struct virtio_pci *)
		((char *)function - offsetof(struct virtio_pci, function));

	update_master(pci);
	msix_written(&pci->msix, offset, len);
}

static int add_capability(struct virtio_pci *pci, enum virtio_part part,
			  uint32_t len)
{
	struct virtio_pci_notify_cap cap = {
		.cap = {
			.cap_vndr = PCI_CAP_ID_VNDR,
			.cap_len = sizeof(cap.cap),
			.cfg_type = parts[part].cfg_type,
			.bar = BAR,
			.offset = part * PAGE,
			.length = len,
		},
		.notify_off_multiplier = VIRTIO_NOTIFY_STEP,
	};
	int offset;

	if (part == VIRTIO_PART_NOTIFY)
		cap.cap.cap_len = sizeof(cap);
	offset = pci_add_capability(&pci->function, &cap, cap.cap.cap_len);
	return offset < 0 ? offset : 0;
}

static int add_part(struct virtio_pci *pci, enum virtio_part part,
		    const struct virtio_pci_params *params)
{
	uint32_t len = part_len(params, part);
	char name[MREGION_NAME_SIZE];
	int error;

	/* An entropy device has no configuration. */
	if (!len)
		return 0;
	snprintf(name, sizeof(name), "%s-%s", params->type->name,
		 parts[part].name);
	pci->parts[part] = mregion_new_mmio(pci->function.bus->machine, name,
					    len, virtio_pci_ops[part],
					    params->virtio);
	if (!pci->parts[part])
		return -errno;
	error = mregion_map(pci->registers, pci->parts[part], part * PAGE, 0);
	if (!error && params->server)
		error = mregion_set_server(pci->parts[part], params->server);
	if (!error)
		error = add_capability(pci, part, len);
	return error;
}

static int add_doorbells(struct virtio_pci *pci,
			 const struct virtio_pci_params *params)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < params->type->nr_queues && !error; i++) {
		/* Where it is written tells the queue, so the value may get lost. */
		struct mregion_doorbell doorbell = {
			.offset = i * VIRTIO_NOTIFY_STEP,
			.any_len = true,
			.fast = true,
		};

		doorbell.eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (doorbell.eventfd < 0) {
			report("cannot create an eventfd: %s",
			       strerror(errno));
			return -REPORTED;
		}
		pci->kicks[i] = doorbell.eventfd;
		pci->nr_kicks++;
		error = mregion_add_doorbell(pci->parts[VIRTIO_PART_NOTIFY],
					     &doorbell);
	}
	return error;
}

/* The configuration never changes, so it can be read without an exit. */
static int add_shadow(struct virtio_pci *pci,
		      const struct virtio_pci_params *params)
{
	const struct virtio_face *face = params->face;

	if (!face->config_len)
		return 0;
	pci->shadow = mregion_new_shadow(pci->function.bus->machine,
					 face->config_len);
	if (!pci->shadow)
		return -errno;
	memcpy(mregion_shadow_ptr(pci->shadow), face->config,
	       face->config_len);
	return mregion_add_shadow(pci->parts[VIRTIO_PART_CONFIG], 0,
				  face->config_len, pci->shadow, 0,
				  MREGION_RULE_READ, -1);
}

int virtio_pci_init(struct virtio_pci *pci, struct pci_bus *bus,
		    struct irqfds *irqfds,
		    const struct virtio_pci_params *params)
{
	const struct pci_identity identity = {
		.vendor = VENDOR_VIRTIO,
		.device = FIRST_MODERN_DEVICE + params->type->id,
		.subsystem_vendor = VENDOR_VIRTIO,
		.subsystem = FIRST_MODERN_DEVICE + params->type->id,
		.class = params->type->class,
		.revision = 1,
	};
	struct mregion_machine *machine = bus->machine;
	unsigned int part;
	int error;

	pci->master_copy = params->master;
	pci->function.written = written;
	error = pci_function_add(bus, &pci->function, &identity);
	if (error)
		return error;
	error = pci_master_init(&pci->dma, bus, params->type->name);
	if (error)
		return error;
	pci->bar = mregion_new_container(machine, params->type->name,
					 BAR_SIZE);
	/* Apart from the BAR, which the guest can disable. */
	pci->registers = mregion_new_container(machine, "registers", BAR_SIZE);
	if (!pci->bar || !pci->registers)
		return -errno;
	error = mregion_map(pci->bar, pci->registers, 0, 0);
	if (!error)
		error = pci_add_bar(&pci->function, BAR, pci->bar, BAR_SIZE);
	for (part = 0; part < VIRTIO_NR_PARTS && !error; part++)
		error = add_part(pci, part, params);
	if (!error)
		error = msix_init(&pci->msix, &pci->function, irqfds,
				  params->type->nr_queues + 1, BAR,
				  pci->registers, MSIX_TABLE_OFFSET,
				  MSIX_PENDING_OFFSET);
	if (!error)
		error = virtio_window_init(&pci->window, &pci->function, BAR,
					   pci->registers);
	if (!error)
		error = add_doorbells(pci, params);
	if (!error)
		error = add_shadow(pci, params);
	return error;
}

void virtio_pci_exit(struct virtio_pci *pci)
{
	while (pci->nr_kicks)
		close(pci->kicks[--pci->nr_kicks]);
}
