// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "boot.h"
#include "boot_parts.h"
#include "report.h"
#include "units.h"
#include "unpack.h"

/* Before Linux 3.17 images did not say where they want to be, and how much they need. */
#define OLD_TEXT_OFFSET		0x80000ULL
#define OLD_BSS_SIZE		MIB(2)

/* The kernel goes less than this behind a multiple of it; RAM begins at one. */
#define MAX_TEXT_OFFSET		MIB(2)

/*
 * The initial RAM disk is in the same 32 GiB as the kernel, which begin at a multiple of
 * 1 GiB, as RAM does.
 */
#define INITRD_END_MAX		GIB(32)

/* Numbers are little-endian, as the host is. */
struct image_header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint64_t reserved[3];
	char magic[4];
	uint32_t pe_offset;
};

/* Of the header's flags: byte order, and the size of pages by its number */
#define FLAG_BIG_ENDIAN		1u
#define FLAG_PAGES(flags)	((flags) >> 1 & 3)

#define BZIMAGE_MAGIC		0x202

static int no_image(const struct boot_kernel *kernel)
{
	const uint8_t *data = kernel->data;

	if (kernel->size > 4 && !memcmp(data, "\177ELF", 4))
		report("'%s' is an ELF file, not an Image (build it with 'make Image'; it is arch/arm64/boot/Image then)",
		       kernel->path);
	else if (kernel->size > BZIMAGE_MAGIC + 4 &&
		 !memcmp(data + BZIMAGE_MAGIC, "HdrS", 4))
		report("'%s' is not an Image for arm64, but a bzImage for x86",
		       kernel->path);
	else if (kernel->size < sizeof(struct image_header))
		report("'%s' is not an Image: it is too short", kernel->path);
	else
		report("'%s' is not an Image: it lacks the header of one",
		       kernel->path);
	return -ENOEXEC;
}

static int kernel_check(struct boot_kernel *kernel)
{
	struct image_header header;

	if (kernel->size < sizeof(header))
		return no_image(kernel);
	memcpy(&header, kernel->data, sizeof(header));
	if (memcmp(header.magic, "ARM\x64", 4))
		return no_image(kernel);

	if (header.flags & FLAG_BIG_ENDIAN) {
		report("'%s' is for big-endian processors; here they are little-endian",
		       kernel->path);
		return -ENOEXEC;
	}
	if (!header.image_size) {
		header.text_offset = OLD_TEXT_OFFSET;
		header.image_size = kernel->size + OLD_BSS_SIZE;
	}
	if (header.text_offset >= MAX_TEXT_OFFSET) {
		report("'%s' is damaged: its header asks for offset 0x%llx",
		       kernel->path, (unsigned long long)header.text_offset);
		return -ENOEXEC;
	}
	if (header.image_size > ADDRESS_MAX) {
		report("'%s' is damaged: its header asks for 0x%llx bytes",
		       kernel->path, (unsigned long long)header.image_size);
		return -ENOEXEC;
	}
	if (header.image_size < kernel->size)
		header.image_size = kernel->size;
	kernel->pages = FLAG_PAGES(header.flags);
	kernel->start = header.text_offset;
	kernel->end = header.text_offset + header.image_size;
	return 0;
}

int boot_open(struct boot_kernel *kernel, const char *path)
{
	int error;

	*kernel = (struct boot_kernel){ .path = path };
	error = boot_map_file("kernel", path, &kernel->data, &kernel->size);
	if (error)
		return error;
	error = unpack_kernel(path, &kernel->data, &kernel->size);
	if (!error)
		error = kernel_check(kernel);
	if (error)
		boot_close(kernel);
	return error;
}

void boot_close(struct boot_kernel *kernel)
{
	if (kernel->data)
		munmap((void *)kernel->data, kernel->size);
	kernel->data = NULL;
}

static int load_initrd(struct boot_target *target, uint64_t lowest)
{
	struct boot_initrd initrd = {
		.path = target->initrd,
		.lowest = lowest,
		.top = target->size,
	};
	int error;

	if (initrd.top > INITRD_END_MAX)
		initrd.top = INITRD_END_MAX;
	error = boot_load_initrd(&initrd, target->ram);
	target->initrd_start = initrd.at;
	target->initrd_size = initrd.size;
	return error;
}

int boot_load(const struct boot_kernel *kernel, struct boot_target *target)
{
	uint64_t end;

	/* Near the kernel: before Linux 4.2 it finds it in the first 512 MiB alone. */
	target->device_tree = align_up(kernel->end, BOOT_TREE_SIZE);
	end = target->device_tree + BOOT_TREE_SIZE;
	if (end > target->size) {
		report("the kernel '%s' needs %llu MiB of memory to start, the guest has %llu (give it more with --memory)",
		       kernel->path, (unsigned long long)boot_in_mib(end),
		       (unsigned long long)target->size >> 20);
		return -ENOMEM;
	}
	memcpy(target->ram + kernel->start, kernel->data, kernel->size);
	return target->initrd ? load_initrd(target, end) : 0;
}
