/* SPDX-License-Identifier: MIT */
/* The memory behind a region: a file, and what is mapped of it. */
#ifndef MREGION_LIB_RAM_H
#define MREGION_LIB_RAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mregion_mapping;

/**
 * struct mregion_ram - memory of a region
 * @page_size: of the host, in bytes
 * @rom: only the VMM may write it, and need not: its file may be read-only
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
	uint64_t page_size;
	bool rom;
	int fd;
	uint64_t fd_offset;
	bool grows;
	_Atomic(uint8_t *) ptr;
	uint64_t len;
	struct mregion_mapping *mappings;
};

void mregion_ram_init(struct mregion_ram *ram, uint64_t page_size, bool rom);
void mregion_ram_release(struct mregion_ram *ram);

/** mregion_ram_create_file() - make a file of its own for it; 0 or a negative errno */
int mregion_ram_create_file(struct mregion_ram *ram, const char *name,
			    uint64_t len);

/**
 * mregion_ram_map() - use a mapping of its first bytes from now on
 * @ram: the memory, with a file
 * @len: how many bytes
 *
 * One that is there already, or a new one. Return: 0 or a negative errno.
 */
int mregion_ram_map(struct mregion_ram *ram, uint64_t len);

/**
 * mregion_ram_grow() - have more of its file mapped
 * @ram: the memory
 * @len: how many bytes
 *
 * The file is made larger if it is the library's own, and stays so whatever becomes of
 * the change. Return: 0; a negative errno; -EINVAL: there is no file.
 */
int mregion_ram_grow(struct mregion_ram *ram, uint64_t len);

#endif
