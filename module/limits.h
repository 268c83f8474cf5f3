/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The limits of a machine; MREGION_INFO reports them.
 *
 * They keep requests of userspace from making the kernel recurse, loop or
 * allocate without bound. They are far above the needs of machines: QEMU's q35
 * with dozens of devices has some 1,500 regions.
 */
#ifndef MREGION_LIMITS_H
#define MREGION_LIMITS_H

#include <linux/types.h>

#define MREGION_MAX_REGIONS		131072u
#define MREGION_MAX_SPACES		1024u
#define MREGION_MAX_DEPTH		64u
#define MREGION_MAX_RANGES		262144u
#define MREGION_MAX_OPS			65536u
#define MREGION_MAX_WORK		16777216ull
#define MREGION_MAX_RINGS		256u
#define MREGION_MAX_RING_ENTRIES	65536u
#define MREGION_MAX_RULES		4096u
#define MREGION_MAX_INDICES		16u
#define MREGION_MAX_MACHINE_RULES	131072u
#define MREGION_MAX_SHADOWS		256u
#define MREGION_MAX_SHADOW_LEN		16777216ull
#define MREGION_MAX_SERVERS		256u
#define MREGION_MAX_SPIN_USECS		1000u
#define MREGION_MAX_TIMEOUT_USECS	(3600ull * 1000 * 1000)
#define MREGION_MAX_NOTIFY_USECS	(10u * 1000 * 1000)

/* on one bus; where devices of others cut them, there can be more pieces */
#define MREGION_MAX_WINDOWS		1024u

/* fast doorbells on the bus of a virtual machine, which is memory in one piece */
#define MREGION_MAX_FAST		4096u

#endif /* MREGION_LIMITS_H */
