/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#include <linux/compiler.h>

#define current		NULL
#define cond_resched()	do { } while (0)

#endif /* SHIM_LINUX_SCHED_H */
