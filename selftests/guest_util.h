/* SPDX-License-Identifier: GPL-2.0 */
/* A guest with a device on each bus, and a ring. */
#ifndef GUEST_UTIL_H
#define GUEST_UTIL_H

#include "kvm_util.h"

#define SPACE		1
#define PIO		2
#define RING		1
#define DEVICE		3
#define PIO_DEVICE	5
#define MMIO_BASE	0x10000000u
#define MMIO_AWAY	0x10010000u
#define PIO_BASE	0x400u
#define PIO_AWAY	0x800u

struct guest {
	struct vm vm;
	struct mr_ring ring;
	int fd;
};

static inline int guest_open(struct guest *guest, int nr_vcpus, uint32_t nr_entries)
{
	struct mregion_op device = mr_mmio(DEVICE, 0x1000);
	int err;

	device.create.constraints.valid_max = 8;
	guest->fd = mr_open();
	if (guest->fd < 0)
		return guest->fd;
	err = vm_create(&guest->vm, nr_vcpus);
	if (!err)
		err = mr_ring_create(guest->fd, RING, nr_entries, -1, 0, 0,
				     &guest->ring);
	if (!err)
		err = COMMIT(guest->fd, mr_container(1, 0), device,
			     mr_map(DEVICE, 1, MMIO_BASE, 0),
			     mr_container(4, 0x10000), mr_mmio(PIO_DEVICE, 0x80),
			     mr_map(PIO_DEVICE, 4, PIO_BASE, 0),
			     mr_space(SPACE, 1), mr_pio_space(PIO, 4));
	if (!err)
		err = mr_attach(guest->fd, guest->vm.fd, SPACE, PIO, NULL);
	return err;
}

static inline void guest_close(struct guest *guest)
{
	if (guest->ring.header)
		mr_ring_unmap(&guest->ring);
	vm_free(&guest->vm);
	close(guest->fd);
}

#endif /* GUEST_UTIL_H */
