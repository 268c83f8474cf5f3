/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#define unlikely(x)	__builtin_expect(!!(x), 0)
#define current		NULL
#define cond_resched()	do { } while (0)

#endif /* SHIM_LINUX_SCHED_H */
