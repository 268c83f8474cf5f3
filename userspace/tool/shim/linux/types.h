/* SPDX-License-Identifier: GPL-2.0 */
/* Types that the kernel's own headers have, and those for programs have not. */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;

#define U64_MAX	((u64)~0ull)

#endif /* SHIM_LINUX_TYPES_H */
