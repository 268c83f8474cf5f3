/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that a test can make run out, and that is counted, so that a leak
 * shows at once and without LeakSanitizer.
 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <linux/overflow.h>
#include <linux/types.h>

#ifndef GFP_KERNEL_ACCOUNT
#define GFP_KERNEL_ACCOUNT	0
#endif

/**
 * shim_fail_nth - let the nth allocation from now on fail; 0: none
 *
 * Counts down, and stays at 0 once it has struck.
 */
extern unsigned long shim_fail_nth;

/** shim_allocations - how many allocations succeeded so far */
extern unsigned long shim_allocations;

/** shim_live - how many of them have not been freed */
extern unsigned long shim_live;

void *shim_zalloc(size_t size);
void shim_free(const void *p);

#define kmalloc(size, gfp)	((void)(gfp), shim_zalloc(size))
#define kmalloc_array(n, size, gfp) ((void)(gfp), shim_zalloc((n) * (size)))
#define kzalloc(size, gfp)	((void)(gfp), shim_zalloc(size))
#define kvzalloc(size, gfp)	((void)(gfp), shim_zalloc(size))
#define kvcalloc(n, size, gfp)	((void)(gfp), shim_zalloc((n) * (size)))
#define kfree(p)		shim_free(p)
#define kvfree(p)		shim_free(p)

#endif /* SHIM_LINUX_SLAB_H */
