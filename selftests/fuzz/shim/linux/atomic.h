/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ATOMIC_H
#define SHIM_ATOMIC_H

/* A full barrier, as the kernel's; shim_cmpxchg_fails of them find another value. */
extern _Thread_local unsigned int shim_cmpxchg_fails;

#define cmpxchg(ptr, old, new)						\
	(shim_cmpxchg_fails ?						\
	 shim_cmpxchg_fails--, (old) ^ 1 :				\
	 __sync_val_compare_and_swap(ptr, old, new))

#define smp_store_release(ptr, val)					\
	__atomic_store_n(ptr, val, __ATOMIC_RELEASE)

#endif /* SHIM_ATOMIC_H */
