/* SPDX-License-Identifier: MIT */
/*
 * Accesses to devices: how one is cut into what a device accepts and implements, and
 * which functions of devices a thread is in. What memory and regions are is not known
 * here.
 * The rules are those of QEMU's access_with_adjusted_size().
 */
#ifndef MREGION_LIB_ACCESS_H
#define MREGION_LIB_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "mregion.h"

/**
 * struct mregion_device - what answers the accesses to a region
 * @ops: its functions
 * @opaque: for them
 * @constraints: the accesses that it takes now; those in @ops may be outdated
 * @last: last byte of the region, as far as that is known
 * @current: what mregion_current() tells while a function runs; its @addr is here
 *	that of the region's first byte
 */
struct mregion_device {
	const struct mregion_ops *ops;
	void *opaque;
	struct mregion_constraints constraints;
	uint64_t last;
	struct mregion_current current;
};

/**
 * mregion_device_read() - make a part of a read, whether accepted or not
 * @device: the device
 * @offset: in the region
 * @buf: where the bytes go, in the order of their addresses
 * @len: 1, 2, 4 or 8
 *
 * What the device says that it is an error is answered by its policy. So is what is
 * smaller than it implements, and would be widened to reach beyond the region.
 *
 * Return: 0 or -EFAULT, as mregion_policy_answer().
 */
int mregion_device_read(const struct mregion_device *device, uint64_t offset,
			uint8_t *buf, unsigned int len);

/** mregion_device_write() - make a part of a write, whether accepted or not */
int mregion_device_write(const struct mregion_device *device, uint64_t offset,
			 const uint8_t *buf, unsigned int len);

/**
 * mregion_access_all() - make all parts of an access that are accepted, as QEMU does:
 * also those after one that is an error
 * @device: the device
 * @offset: in the region
 * @buf: the bytes, in the order of their addresses
 * @len: 1 to 8
 * @write: whether it is a write
 *
 * Return: 0, or -EFAULT if a part was an error: the device has said so, or it was
 * refused and the policy makes that one. What is read is filled in anyway.
 */
int mregion_access_all(const struct mregion_device *device, uint64_t offset,
		       uint8_t *buf, unsigned int len, bool write);

/**
 * mregion_device_post() - make a write that was put into a ring
 *
 * What the device does not accept, or not any more, is dropped, as is nonsense.
 */
void mregion_device_post(const struct mregion_device *device,
			 const struct mregion_ring_entry *entry);

/**
 * mregion_policy_answer() - what a policy answers
 * @policy: enum mregion_policy
 * @buf: of a read, filled
 * @len: its length in bytes
 * @write: whether it is a write
 *
 * Return: 0, or -EFAULT for %MREGION_POLICY_ERROR.
 */
int mregion_policy_answer(unsigned int policy, uint8_t *buf, uint64_t len,
			  bool write);

/** mregion_to_bytes() - lay out a little-endian value as in memory */
void mregion_to_bytes(uint8_t *buf, uint64_t value, unsigned int len);

/** mregion_from_bytes() - the little-endian value of up to 8 bytes */
uint64_t mregion_from_bytes(const uint8_t *buf, unsigned int len);

/** MREGION_MAX_CALLS - calls of one thread within one another, at most */
#define MREGION_MAX_CALLS	64

/** mregion_calls_inside() - is this thread in a function of a region's device */
bool mregion_calls_inside(const struct mregion_region *region);

/** mregion_calls_deep() - is it in as many functions as it may be */
bool mregion_calls_deep(void);

#endif
