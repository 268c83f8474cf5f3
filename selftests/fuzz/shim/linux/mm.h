/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MM_H
#define SHIM_LINUX_MM_H

#include <linux/sched.h>
#include <linux/slab.h>

#ifndef U64_MAX
#define U64_MAX	((u64)~0ull)
#endif

#endif /* SHIM_LINUX_MM_H */
