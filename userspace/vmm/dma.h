/* SPDX-License-Identifier: MIT */
/*
 * A device's way to the guest's memory
 *
 * In the VMM it leads through the memory space; in a process of its own, through
 * a mapping of the file that the guest's RAM is in.
 */
#ifndef VMM_DMA_H
#define VMM_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct dma - access to guest memory
 * @ptr: where @addr is in this process, or NULL if no memory is there. @len: in:
 *	how many bytes are wanted; out: how many are there in one piece, 1 at
 *	least. Any thread
 * @mark: @len bytes at @ptr were written; to be called after that. NULL: nobody
 *	wants to know. Any thread
 */
struct dma {
	void *(*ptr)(void *opaque, uint64_t addr, size_t *len, bool write);
	void *opaque;
	void (*mark)(void *opaque, const void *ptr, size_t len);
};

/** dma_ptr() - all @len bytes at @addr in one piece, or NULL */
static inline void *dma_ptr(const struct dma *dma, uint64_t addr, size_t len,
			    bool write)
{
	size_t there = len;
	void *ptr = dma->ptr(dma->opaque, addr, &there, write);

	return ptr && there == len ? ptr : NULL;
}

static inline void dma_mark(const struct dma *dma, const void *ptr, size_t len)
{
	if (dma->mark)
		dma->mark(dma->opaque, ptr, len);
}

#endif /* VMM_DMA_H */
