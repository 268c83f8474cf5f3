/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct floor_claim - argument of FLOOR_CLAIM
 * @addr: first address to claim
 * @len: how many bytes, less than 2^31
 * @bus: 0 for guest-physical addresses, 1 for I/O ports
 * @vm_fd: the virtual machine, of the calling process
 * @eventfd: what the device signals on a write, or -1: it does nothing at all
 */
struct floor_claim {
	__u64 addr;
	__u32 len;
	__u32 bus;
	__s32 vm_fd;
	__s32 eventfd;
};

/*
 * Put a device that does nothing on a virtual machine's bus, until the virtual
 * machine ends. EBUSY: another device is there. EINVAL: not a virtual machine, or
 * not an eventfd.
 */
#define FLOOR_CLAIM	_IOW('f', 0, struct floor_claim)

#endif /* FLOOR_H */
