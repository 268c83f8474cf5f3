/* SPDX-License-Identifier: GPL-2.0 */
/* A signal that is fatal ends a program without its doing. */
#ifndef SHIM_LINUX_SCHED_SIGNAL_H
#define SHIM_LINUX_SCHED_SIGNAL_H

#define fatal_signal_pending(task)	((void)(task), false)

#endif /* SHIM_LINUX_SCHED_SIGNAL_H */
