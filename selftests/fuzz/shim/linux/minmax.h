/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's tools have these too, but there u64 is unsigned long, which they
 * take for another type than unsigned long long.
 */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

#include <linux/kernel.h>

#undef min
#undef max

#define min(x, y) ({			\
	__auto_type min_x = (x);	\
	__auto_type min_y = (y);	\
	min_x < min_y ? min_x : min_y; })

#define max(x, y) ({			\
	__auto_type max_x = (x);	\
	__auto_type max_y = (y);	\
	max_x > max_y ? max_x : max_y; })

#endif /* SHIM_LINUX_MINMAX_H */
