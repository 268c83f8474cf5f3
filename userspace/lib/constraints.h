/* SPDX-License-Identifier: MIT */
/*
 * Which accesses a device accepts, by what it says of itself. The rules are those of
 * QEMU's memory_access_size() and memory_region_access_valid().
 */
#ifndef MREGION_LIB_CONSTRAINTS_H
#define MREGION_LIB_CONSTRAINTS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

/**
 * mregion_access_size() - how much of an access makes its first part
 * @constraints: of the device
 * @offset: in the region, in bytes
 * @len: of the access, at least 1
 *
 * Return: 1, 2, 4 or 8, at most @len.
 */
unsigned int mregion_access_size(const struct mregion_constraints *constraints,
				 uint64_t offset, uint64_t len);

/** mregion_access_valid() - does the device accept a part */
bool mregion_access_valid(const struct mregion_constraints *constraints,
			  uint64_t offset, unsigned int len);

#endif
