// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <mregion.h>

#include "pci.h"
#include "virtio_window.h"

/* Where the driver wants to read or write. False: nowhere that there is. */
static bool get_target(const struct virtio_window *window, uint64_t *addr,
		       uint32_t *len, uint8_t *data)
{
	const struct pci_function *function = window->function;
	struct virtio_pci_cfg_cap cap;

	pthread_mutex_lock(&function->bus->lock);
	memcpy(&cap, function->config + window->capability, sizeof(cap));
	pthread_mutex_unlock(&function->bus->lock);

	*addr = cap.cap.offset;
	*len = cap.cap.length;
	memcpy(data, cap.pci_cfg_data, sizeof(cap.pci_cfg_data));
	return cap.cap.bar == window->bar &&
	       (*len == 1 || *len == 2 || *len == 4) && *addr % *len == 0;
}

static void window_read(void *opaque)
{
	struct virtio_window *window = opaque;
	struct pci_function *function = window->function;
	uint8_t data[PCI_WINDOW_SIZE];
	uint64_t addr;
	uint32_t len;

	if (!get_target(window, &addr, &len, data))
		return;
	if (mregion_space_read(window->space, addr, data, len, NULL))
		memset(data, 0xff, len);
	pthread_mutex_lock(&function->bus->lock);
	memcpy(function->config + function->window.offset, data, len);
	pthread_mutex_unlock(&function->bus->lock);
}

static void window_write(void *opaque)
{
	struct virtio_window *window = opaque;
	uint8_t data[PCI_WINDOW_SIZE];
	uint64_t addr;
	uint32_t len;

	/* What is written where nothing is has no effect, here as elsewhere. */
	if (get_target(window, &addr, &len, data))
		mregion_space_write(window->space, addr, data, len, NULL);
}

static void set_writable(struct pci_function *function, unsigned int offset,
			 unsigned int len)
{
	memset(function->writable + offset, 0xff, len);
}

int virtio_window_init(struct virtio_window *window,
		       struct pci_function *function, unsigned int bar,
		       struct mregion_region *registers)
{
	const struct virtio_pci_cfg_cap cap = {
		.cap = {
			.cap_vndr = PCI_CAP_ID_VNDR,
			.cap_len = sizeof(cap),
			.cfg_type = VIRTIO_PCI_CAP_PCI_CFG,
		},
	};
	int offset;

	window->function = function;
	window->bar = bar;
	window->space = mregion_new_space(function->bus->machine,
					  MREGION_BUS_MEMORY, registers,
					  MREGION_POLICY_ONES);
	if (!window->space)
		return -errno;
	offset = pci_add_capability(function, &cap, sizeof(cap));
	if (offset < 0)
		return offset;
	window->capability = offset;
	set_writable(function, offset + VIRTIO_PCI_CAP_BAR, 1);
	set_writable(function, offset + VIRTIO_PCI_CAP_OFFSET, 4);
	set_writable(function, offset + VIRTIO_PCI_CAP_LENGTH, 4);
	set_writable(function, offset + sizeof(cap.cap), PCI_WINDOW_SIZE);

	function->window = (struct pci_window){
		.offset = offset + sizeof(cap.cap),
		.read = window_read,
		.write = window_write,
		.opaque = window,
	};
	return 0;
}
