/* SPDX-License-Identifier: MIT */
/*
 * Loading a Linux kernel by the 32-bit boot protocol of x86
 *
 * Documentation/arch/x86/boot.rst in the kernel's source says what a loader
 * has to do; every bzImage since 2.6.20 can be booted like this.
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The descriptor table that boot_load() writes to GDT_ADDR. */
#define BOOT_CS			0x10
#define BOOT_DS			0x18
#define BOOT_GDT_SIZE		32

/** struct boot_kernel - a kernel image, checked */
struct boot_kernel {
	const char *path;
	const uint8_t *data;
	size_t size;
	struct setup_header header;
	uint64_t payload;	/* offset of the protected-mode part */
};

/**
 * struct boot_target - where to boot it, and with what
 * @initrd: path of an initial RAM disk, or NULL
 * @cmdline: kernel command line
 * @rsdp: address of the ACPI root pointer
 * @ram: the guest's memory, as the VMM has it mapped
 * @low_size: bytes of it that are at address 0 and up; whole pages
 * @high_size: bytes of it that are at HIGH_RAM_ADDR and up
 * @framebuffer: there is one at FRAMEBUFFER_ADDR
 */
struct boot_target {
	const char *initrd;
	const char *cmdline;
	uint64_t rsdp;
	uint8_t *ram;
	uint64_t low_size;
	uint64_t high_size;
	bool framebuffer;
};

/** boot_open() - open a bzImage and check it; reports what is wrong */
int boot_open(struct boot_kernel *kernel, const char *path);
void boot_close(struct boot_kernel *kernel);

/**
 * boot_load() - put a kernel and what it is handed into memory
 * @kernel: the kernel
 * @target: where and with what
 * @entry: set to the address of its first instruction
 *
 * Reports what is wrong. Return: 0 or a negative errno.
 */
int boot_load(const struct boot_kernel *kernel,
	      const struct boot_target *target, uint32_t *entry);

#endif /* VMM_BOOT_H */
