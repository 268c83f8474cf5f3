/* SPDX-License-Identifier: GPL-2.0 */
/* Properties of the kinds of regions; as tree.h, for all programs. */
#ifndef MREGION_KIND_H
#define MREGION_KIND_H

#include <linux/mregion.h>
#include <linux/types.h>

/**
 * mregion_kind_is_memory() - whether the guest can have such a region mapped
 * @kind: enum mregion_kind
 */
static inline bool mregion_kind_is_memory(u32 kind)
{
	return kind == MREGION_RAM || kind == MREGION_ROM ||
	       kind == MREGION_ROMD || kind == MREGION_RAMDEV;
}

/**
 * mregion_kind_is_device() - whether accesses to it can reach a device
 * @kind: enum mregion_kind
 */
static inline bool mregion_kind_is_device(u32 kind)
{
	return kind == MREGION_MMIO || kind == MREGION_ROMD ||
	       kind == MREGION_RAMDEV;
}

#endif /* MREGION_KIND_H */
