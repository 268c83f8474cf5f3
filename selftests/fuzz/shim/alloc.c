// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include <linux/slab.h>

unsigned long shim_fail_nth;
unsigned long shim_allocations;
unsigned long shim_live;

void *shim_zalloc(size_t size)
{
	void *p;

	if (shim_fail_nth && !--shim_fail_nth)
		return NULL;
	p = calloc(1, size);
	if (!p)
		abort();
	shim_allocations++;
	shim_live++;
	return p;
}

void shim_free(const void *p)
{
	if (!p)
		return;
	shim_live--;
	free((void *)p);
}
