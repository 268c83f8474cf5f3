// SPDX-License-Identifier: MIT
/* The memory behind a region: a file, and what is mapped of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "ram.h"

struct mregion_mapping {
	void *ptr;
	size_t len;
	struct mregion_mapping *next;
};

void mregion_ram_init(struct mregion_ram *ram, uint64_t page_size, bool rom)
{
	ram->page_size = page_size;
	ram->rom = rom;
	ram->fd = -1;
	atomic_init(&ram->ptr, NULL);
}

void mregion_ram_release(struct mregion_ram *ram)
{
	struct mregion_mapping *mapping;

	while ((mapping = ram->mappings)) {
		ram->mappings = mapping->next;
		munmap(mapping->ptr, mapping->len);
		free(mapping);
	}
	if (ram->fd >= 0)
		close(ram->fd);
}

static uint64_t round_up(uint64_t len, uint64_t unit)
{
	return (len + unit - 1) / unit * unit;
}

/* The unit of mappings of a file: hugetlbfs has pages of its own. */
static uint64_t unit_of(const struct mregion_ram *ram)
{
	struct statfs fs;

	if (fstatfs(ram->fd, &fs) || fs.f_type != HUGETLBFS_MAGIC)
		return ram->page_size;
	return fs.f_bsize;
}

/* Map the first bytes of a file's part; a NULL mapping with errno set. */
static struct mregion_mapping *map_file(const struct mregion_ram *ram,
					uint64_t len)
{
	struct mregion_mapping *mapping;

	/* Neither 0, which is 2^64, nor what wraps when rounded up. */
	if (len == 0 || len > SIZE_MAX / 2 || ram->fd_offset > INT64_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	mapping = malloc(sizeof(*mapping));
	if (!mapping)
		return NULL;
	mapping->len = round_up(len, unit_of(ram));
	mapping->ptr = mmap(NULL, mapping->len, PROT_READ | PROT_WRITE,
			    MAP_SHARED, ram->fd, ram->fd_offset);
	if (mapping->ptr == MAP_FAILED && errno == EACCES && ram->rom)
		mapping->ptr = mmap(NULL, mapping->len, PROT_READ, MAP_SHARED,
				    ram->fd, ram->fd_offset);
	if (mapping->ptr == MAP_FAILED) {
		free(mapping);
		return NULL;
	}
	return mapping;
}

int mregion_ram_map(struct mregion_ram *ram, uint64_t len)
{
	struct mregion_mapping *mapping = ram->mappings;

	while (mapping && mapping->len - 1 < len - 1)
		mapping = mapping->next;
	if (!mapping) {
		mapping = map_file(ram, len);
		if (!mapping)
			return -errno;
		mapping->next = ram->mappings;
		ram->mappings = mapping;
	}
	ram->len = mapping->len;
	atomic_store(&ram->ptr, mapping->ptr);
	return 0;
}

int mregion_ram_create_file(struct mregion_ram *ram, const char *name,
			    uint64_t len)
{
	uint64_t size = round_up(len, ram->page_size);

	ram->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ram->fd < 0 || ftruncate(ram->fd, size))
		return -errno;
	/* A process that may only read does not open it anew for writing. */
	if (fchmod(ram->fd, 0600))
		return -errno;
	/*
	 * Other processes get the descriptor. Should one make the file smaller,
	 * the VMM would die of SIGBUS; should it seal more, it could not grow.
	 */
	if (fcntl(ram->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL))
		return -errno;
	ram->grows = true;
	return 0;
}

/* Make the library's own file larger; never smaller, for it is mapped. */
static int grow_file(int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	return (uint64_t)st.st_size < size ? ftruncate(fd, size) : 0;
}

int mregion_ram_grow(struct mregion_ram *ram, uint64_t len)
{
	if (ram->fd < 0)
		return -EINVAL;
	if (ram->grows && grow_file(ram->fd, round_up(len, ram->page_size)))
		return -errno;
	return mregion_ram_map(ram, len);
}
