/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL_ACCOUNT	0

#define kmalloc(size, gfp)	((void)(gfp), malloc(size))
#define kmalloc_array(n, size, gfp) ((void)(gfp), malloc((n) * (size)))
#define kzalloc(size, gfp)	((void)(gfp), calloc(1, size))
#define kvzalloc(size, gfp)	((void)(gfp), calloc(1, size))
#define kvcalloc(n, size, gfp)	((void)(gfp), calloc(n, size))
#define kfree(p)		free(p)
#define kvfree(p)		free(p)

#endif /* SHIM_LINUX_SLAB_H */
