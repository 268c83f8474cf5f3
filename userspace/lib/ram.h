/* SPDX-License-Identifier: MIT */
/* The memory behind RAM, ROM, ROM device and RAM device regions. */
#ifndef MREGION_LIB_RAM_H
#define MREGION_LIB_RAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mregion_mapping;

/**
 * struct mregion_ram - memory of a region
 * @fd: the file it is in, or -1
 * @fd_offset: of the region's first byte in the file
 * @grows: the file is the library's own: it may be made larger
 * @ptr: where the VMM has it mapped, or NULL if the region is no memory
 * @len: how many bytes of it are mapped there
 * @mappings: all mappings that the library has made of it. Those before the
 *	last resize stay, since others may still have a pointer; so do those of
 *	a resize that was undone
 */
struct mregion_ram {
	int fd;
	uint64_t fd_offset;
	bool grows;
	_Atomic(uint8_t *) ptr;
	uint64_t len;
	struct mregion_mapping *mappings;
};

void mregion_ram_init(struct mregion_ram *ram);
void mregion_ram_release(struct mregion_ram *ram);

#endif
