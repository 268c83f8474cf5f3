/* SPDX-License-Identifier: MIT */
/*
 * Loading a Linux kernel for arm64
 *
 * Documentation/arm64/booting.rst in the kernel's source says what a loader has to do.
 * The kernel is an Image, or one that is compressed by gzip, on its own or within a
 * program for EFI that unpacks it ("zboot").
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include <stddef.h>
#include <stdint.h>

/** enum boot_pages - size of a kernel's pages, as its header has it */
enum boot_pages {
	BOOT_PAGES_UNKNOWN,
	BOOT_PAGES_4K,
	BOOT_PAGES_16K,
	BOOT_PAGES_64K,
};

/** struct boot_kernel - a kernel image, checked; @start and @end are offsets in RAM */
struct boot_kernel {
	const char *path;
	const uint8_t *data;
	size_t size;
	enum boot_pages pages;
	uint64_t start;
	uint64_t end;		/* of what it wants for itself at its start */
};

/**
 * struct boot_target - where to boot it, and with what
 * @initrd: path of an initial RAM disk, or NULL
 * @ram: the guest's memory, as the VMM has it mapped
 * @size: of that in bytes, whole pages
 * @device_tree: set to where the device tree goes, as an offset in RAM
 * @initrd_start: set to where the initial RAM disk is, likewise
 * @initrd_size: set to its size in bytes; 0: there is none
 */
struct boot_target {
	const char *initrd;
	uint8_t *ram;
	uint64_t size;
	uint64_t device_tree;
	uint64_t initrd_start;
	uint64_t initrd_size;
};

/* As large as a device tree may be; it does not cross a multiple of this. */
#define BOOT_TREE_SIZE		0x200000ULL

/** boot_open() - open a kernel and check it; reports what is wrong */
int boot_open(struct boot_kernel *kernel, const char *path);
void boot_close(struct boot_kernel *kernel);

/**
 * boot_load() - put a kernel and its initial RAM disk into memory
 *
 * It begins with its first byte. Reports what is wrong. Return: 0 or a negative errno.
 */
int boot_load(const struct boot_kernel *kernel, struct boot_target *target);

#endif /* VMM_BOOT_H */
