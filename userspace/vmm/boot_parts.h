/* SPDX-License-Identifier: MIT */
/* Parts that loading a kernel is made of on all architectures */
#ifndef VMM_BOOT_PARTS_H
#define VMM_BOOT_PARTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A kernel that panics resets, and so ends. The user's parameters come later, and the
 * last of several counts.
 */
#define BOOT_PARAMETERS		"panic=-1 "

/* Of the smallest pages that kernels have here, in bytes */
#define PAGE_SIZE		4096ULL

/* No processor has a higher address. */
#define ADDRESS_MAX		((1ULL << 52) - 1)

/** align_up() - the next multiple of @to, a power of two */
static inline uint64_t align_up(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) & ~(to - 1);
}

/** boot_in_mib() - so many MiB, rounded up, for people */
uint64_t boot_in_mib(uint64_t bytes);

/**
 * boot_map_file() - map a file into memory; reports what is wrong
 * @what: it is, for people
 * @path: of the file
 * @data: set to where it is mapped, for munmap()
 * @size: set to its size in bytes, not 0
 *
 * Return: 0 or a negative errno.
 */
int boot_map_file(const char *what, const char *path, const uint8_t **data,
		  size_t *size);

/**
 * struct boot_initrd - an initial RAM disk, and where it goes
 * @path: of its file
 * @lowest: no byte of it may be lower; a multiple of the page size, as @top is
 * @top: nor as high as this
 * @at: set to where it is
 * @size: set to its size in bytes
 *
 * All places are offsets in memory.
 */
struct boot_initrd {
	const char *path;
	uint64_t lowest;
	uint64_t top;
	uint64_t at;
	uint64_t size;
};

/** boot_load_initrd() - put it into memory, as high as allowed; reports what is wrong */
int boot_load_initrd(struct boot_initrd *initrd, uint8_t *ram);

#endif /* VMM_BOOT_PARTS_H */
