/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing is counted here: what has references is only looked at. */
#ifndef SHIM_LINUX_KREF_H
#define SHIM_LINUX_KREF_H

struct kref {
	int refcount;
};

#endif /* SHIM_LINUX_KREF_H */
