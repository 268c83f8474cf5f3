/* SPDX-License-Identifier: MIT */
/*
 * A virtio device on PCI: virtio 1.0, section 4.1
 *
 * Its registers are four regions in one BAR, beside those of MSI-X; a window in
 * configuration space leads to them, too. The driver's
 * notifications are doorbells, and its reads of the configuration come from
 * shadow memory; so all that is left to be answered are a few accesses while
 * the driver sets the device up. They are answered here, or by a server.
 */
#ifndef VMM_VIRTIO_PCI_H
#define VMM_VIRTIO_PCI_H

#include <stdatomic.h>
#include <stdint.h>

#include "msix.h"
#include "pci.h"
#include "pci_master.h"
#include "virtio.h"
#include "virtio_window.h"

struct mregion_server;
struct mregion_shadow;

enum virtio_part {
	VIRTIO_PART_COMMON,
	VIRTIO_PART_ISR,
	VIRTIO_PART_CONFIG,
	VIRTIO_PART_NOTIFY,
	VIRTIO_NR_PARTS,
};

/** virtio_pci_ops - the functions that answer for each part */
extern const struct mregion_ops *const virtio_pci_ops[VIRTIO_NR_PARTS];

struct virtio_pci {
	struct pci_function function;
	struct msix msix;
	struct mregion_region *bar;
	struct mregion_region *registers;	/* all that is in @bar */
	struct virtio_window window;
	struct mregion_region *parts[VIRTIO_NR_PARTS];
	struct mregion_shadow *shadow;
	struct pci_master dma;
	int kicks[VIRTIO_MAX_QUEUES];
	unsigned int nr_kicks;
	atomic_bool master;		/* the guest has set Bus Master Enable */
	atomic_bool *master_copy;	/* for another process, or NULL */
};

/**
 * struct virtio_pci_params - what to put on the bus
 * @type: what the device is
 * @face: what the driver sees of it
 * @virtio: the device
 * @server: if not NULL, answers instead, as long as it lives
 * @master: if not NULL, where to say whether the device is a bus master
 */
struct virtio_pci_params {
	const struct virtio_type *type;
	const struct virtio_face *face;
	struct virtio *virtio;
	struct mregion_server *server;
	atomic_bool *master;
};

/**
 * virtio_pci_init() - put a virtio device on a PCI bus
 * @pci: zeroed
 * @bus: the bus
 * @irqfds: where its interrupts are created
 * @params: see there; all must stay as long as the device
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int virtio_pci_init(struct virtio_pci *pci, struct pci_bus *bus,
		    struct irqfds *irqfds,
		    const struct virtio_pci_params *params);

/** virtio_pci_exit() - after the machine is closed */
void virtio_pci_exit(struct virtio_pci *pci);

#endif /* VMM_VIRTIO_PCI_H */
