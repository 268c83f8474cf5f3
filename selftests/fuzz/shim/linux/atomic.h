/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ATOMIC_H
#define SHIM_ATOMIC_H

/* A full barrier, as the kernel's. */
#define cmpxchg(ptr, old, new)	__sync_val_compare_and_swap(ptr, old, new)

#endif /* SHIM_ATOMIC_H */
