// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sys/mman.h>

#include "dma_file.h"
#include "layout.h"

int dma_file_map(struct dma_file *file, int fd, uint64_t low_size,
		 uint64_t high_size)
{
	void *memory = mmap(NULL, low_size + high_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*file = (struct dma_file){ memory, low_size, high_size };
	return 0;
}

void *dma_file_ptr(void *opaque, uint64_t addr, size_t *len, bool write)
{
	const struct dma_file *file = opaque;
	uint64_t offset, left;

	/* Nothing of the guest's RAM is read-only. */
	(void)write;
	if (addr < file->low_size) {
		offset = addr;
		left = file->low_size - addr;
	} else if (addr >= HIGH_RAM_ADDR &&
		   addr - HIGH_RAM_ADDR < file->high_size) {
		offset = file->low_size + (addr - HIGH_RAM_ADDR);
		left = file->high_size - (addr - HIGH_RAM_ADDR);
	} else {
		return NULL;
	}
	if (*len > left)
		*len = left;
	return file->memory + offset;
}
