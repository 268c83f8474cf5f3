/* SPDX-License-Identifier: MIT */
/* Guest memory for a process that has nothing of the guest but its RAM's file */
#ifndef VMM_DMA_FILE_H
#define VMM_DMA_FILE_H

#include <stdint.h>

#include "dma.h"

/**
 * struct dma_file - a mapping of the file
 * @low_size: bytes of it that are at address 0 and up
 * @high_size: bytes after those that are at 4 GiB and up
 */
struct dma_file {
	uint8_t *memory;
	uint64_t low_size, high_size;
};

/** dma_file_map() - map @fd; -errno. The mapping stays with the process */
int dma_file_map(struct dma_file *file, int fd, uint64_t low_size,
		 uint64_t high_size);

/** dma_file_ptr() - for struct dma, with the struct dma_file as @opaque */
void *dma_file_ptr(void *opaque, uint64_t addr, size_t *len, bool write);

#endif /* VMM_DMA_FILE_H */
