/* SPDX-License-Identifier: MIT */
/*
 * A device's way to the guest's memory
 *
 * In the VMM it leads through the memory space; in a process of its own, through a
 * mirror of it.
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
 * @begin: @len bytes at @ptr will be written. NULL: it is not asked for
 * @mark: they were written. NULL: nobody wants to know
 * @end: all that was said to be written is written, and marked. NULL as @begin
 */
struct dma {
	void *(*ptr)(void *opaque, uint64_t addr, size_t *len, bool write);
	void *opaque;
	void (*begin)(void *opaque, const void *ptr, size_t len);
	void (*mark)(void *opaque, const void *ptr, size_t len);
	void (*end)(void *opaque);
};

/** dma_ptr() - all @len bytes at @addr in one piece, or NULL */
static inline void *dma_ptr(const struct dma *dma, uint64_t addr, size_t len,
			    bool write)
{
	size_t there = len;
	void *ptr = dma->ptr(dma->opaque, addr, &there, write);

	return ptr && there == len ? ptr : NULL;
}

static inline void dma_begin(const struct dma *dma, const void *ptr, size_t len)
{
	if (dma->begin)
		dma->begin(dma->opaque, ptr, len);
}

static inline void dma_end(const struct dma *dma)
{
	if (dma->end)
		dma->end(dma->opaque);
}

static inline void dma_mark(const struct dma *dma, const void *ptr, size_t len)
{
	if (dma->mark)
		dma->mark(dma->opaque, ptr, len);
}

#endif /* VMM_DMA_H */
