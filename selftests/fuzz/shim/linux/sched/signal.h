/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_SIGNAL_H
#define SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/types.h>

/** shim_signal - whether the caller is to believe that it is being killed */
extern bool shim_signal;

#define fatal_signal_pending(task)	((void)(task), shim_signal)

#endif /* SHIM_LINUX_SCHED_SIGNAL_H */
