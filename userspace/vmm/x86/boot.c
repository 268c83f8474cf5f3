// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "boot.h"
#include "boot_parts.h"
#include "framebuffer.h"
#include "layout.h"
#include "report.h"

#define SECTOR_SIZE		512ULL

/* Where a bzImage's protected-mode part goes, unless it is told to move. */
#define KERNEL_ADDR		HIMEM_ADDR

#define SETUP_HEADER		0x1f1
#define SETUP_HEADER_SIZE	0x201	/* holds: size beyond 0x202 */
#define BOOT_FLAG		0xaa55
#define HEADER_MAGIC		0x53726448	/* "HdrS" */
#define PROTOCOL_MIN		0x0206	/* the first with cmdline_size */
#define PROTOCOL_PREF_ADDRESS	0x020a
#define LOADER_UNREGISTERED	0xff

#define E820_RAM		1
#define E820_RESERVED		2

static int kernel_check(struct boot_kernel *kernel)
{
	struct setup_header *header = &kernel->header;
	uint64_t header_size;

	if (kernel->size > 4 && !memcmp(kernel->data, "\177ELF", 4)) {
		report("'%s' is an ELF file, not a bzImage (build it with 'make bzImage'; it is arch/x86/boot/bzImage then)",
		       kernel->path);
		return -ENOEXEC;
	}
	if (kernel->size < 2 * SECTOR_SIZE) {
		report("'%s' is not a bzImage: it is too short", kernel->path);
		return -ENOEXEC;
	}

	header_size = 0x202 + kernel->data[SETUP_HEADER_SIZE] - SETUP_HEADER;
	if (header_size > sizeof(*header))
		header_size = sizeof(*header);
	memcpy(header, kernel->data + SETUP_HEADER, header_size);

	if (header->boot_flag != BOOT_FLAG || header->header != HEADER_MAGIC) {
		report("'%s' is not a bzImage: it lacks the header of one",
		       kernel->path);
		return -ENOEXEC;
	}
	if (header->version < PROTOCOL_MIN ||
	    !(header->loadflags & LOADED_HIGH)) {
		report("'%s' is too old: boot protocol %u.%02u; a bzImage of 2.06 or later is needed",
		       kernel->path, header->version >> 8,
		       header->version & 0xff);
		return -ENOEXEC;
	}

	kernel->payload = (header->setup_sects ? header->setup_sects : 4) *
			  SECTOR_SIZE + SECTOR_SIZE;
	/* The file may end within the last of syssize's 16-byte units. */
	if (kernel->payload >= kernel->size ||
	    kernel->payload + header->syssize * 16ULL > kernel->size + 15) {
		report("'%s' is cut short: its header speaks of %llu bytes, it has %zu",
		       kernel->path, (unsigned long long)kernel->payload +
		       header->syssize * 16ULL, kernel->size);
		return -ENOEXEC;
	}
	/* init_size, of 32 bits, fits on top. */
	if (header->version >= PROTOCOL_PREF_ADDRESS &&
	    header->pref_address > ADDRESS_MAX) {
		report("'%s' is damaged: its header asks for address 0x%llx",
		       kernel->path,
		       (unsigned long long)header->pref_address);
		return -ENOEXEC;
	}
	return 0;
}

int boot_open(struct boot_kernel *kernel, const char *path)
{
	int error;

	*kernel = (struct boot_kernel){ .path = path };
	error = boot_map_file("kernel", path, &kernel->data, &kernel->size);
	if (error)
		return error;
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

/* The end of the memory that the kernel wants for itself at its start. */
static uint64_t kernel_end(const struct boot_kernel *kernel)
{
	const struct setup_header *header = &kernel->header;
	uint64_t end = KERNEL_ADDR + kernel->size - kernel->payload;

	if (header->version >= PROTOCOL_PREF_ADDRESS) {
		uint64_t wanted = header->pref_address + header->init_size;

		/* It moves up to pref_address before it unpacks itself. */
		if (header->pref_address < KERNEL_ADDR)
			wanted = KERNEL_ADDR + header->init_size;
		if (end < wanted)
			end = wanted;
	}
	return align_up(end, PAGE_SIZE);
}

/* As high in low memory as the kernel allows, so as to be out of its way. */
static int load_initrd(const struct boot_target *target,
		       struct setup_header *header, uint64_t lowest)
{
	struct boot_initrd initrd = {
		.path = target->initrd,
		.lowest = lowest,
		.top = target->low_size,
	};
	int error;

	if (initrd.top > header->initrd_addr_max + 1ULL)
		initrd.top = header->initrd_addr_max + 1ULL;
	error = boot_load_initrd(&initrd, target->ram);
	if (error)
		return error;
	header->ramdisk_image = initrd.at;
	header->ramdisk_size = initrd.size;
	return 0;
}

static int load_cmdline(const struct boot_target *target,
			struct setup_header *header)
{
	size_t len = strlen(BOOT_PARAMETERS) + strlen(target->cmdline);
	char *cmdline = (char *)target->ram + CMDLINE_ADDR;
	size_t max = header->cmdline_size;

	if (max > CMDLINE_MAX - 1)
		max = CMDLINE_MAX - 1;
	if (len > max) {
		report("the command line is too long: with '%s' it has %zu characters, this kernel takes %zu",
		       BOOT_PARAMETERS, len, max);
		return -E2BIG;
	}
	stpcpy(stpcpy(cmdline, BOOT_PARAMETERS), target->cmdline);
	header->cmd_line_ptr = CMDLINE_ADDR;
	return 0;
}

static void add_e820(struct boot_params *params, uint64_t from, uint64_t to,
		     uint32_t type)
{
	struct boot_e820_entry *entry;

	if (from >= to)
		return;
	entry = &params->e820_table[params->e820_entries++];
	entry->addr = from;
	entry->size = to - from;
	entry->type = type;
}

static void fill_e820(struct boot_params *params,
		      const struct boot_target *target)
{
	add_e820(params, 0, EBDA_ADDR, E820_RAM);
	add_e820(params, EBDA_ADDR, EBDA_END, E820_RESERVED);
	add_e820(params, BIOS_ADDR, BIOS_ADDR + BIOS_SIZE, E820_RESERVED);
	add_e820(params, HIMEM_ADDR, target->low_size, E820_RAM);
	add_e820(params, KVM_IDENTITY_MAP_ADDR,
		 KVM_IDENTITY_MAP_ADDR + KVM_PAGES_SIZE, E820_RESERVED);
	add_e820(params, FIRMWARE_ADDR, FIRMWARE_ADDR + BIOS_SIZE,
		 E820_RESERVED);
	add_e820(params, HIGH_RAM_ADDR, HIGH_RAM_ADDR + target->high_size,
		 E820_RAM);
}

/*
 * As EFI's firmware leaves a screen: a framebuffer that needs no setting up. Linux has a
 * driver for it, efifb, that asks for nothing else of EFI.
 */
static void fill_screen_info(struct screen_info *screen)
{
	*screen = (struct screen_info){
		.orig_video_isVGA = VIDEO_TYPE_EFI,
		.lfb_base = FRAMEBUFFER_ADDR,
		.lfb_size = FRAMEBUFFER_SIZE,
		.lfb_width = FRAMEBUFFER_WIDTH,
		.lfb_height = FRAMEBUFFER_HEIGHT,
		.lfb_linelength = FRAMEBUFFER_STRIDE,
		.lfb_depth = 32,
		.blue_size = 8,
		.blue_pos = 0,
		.green_size = 8,
		.green_pos = 8,
		.red_size = 8,
		.red_pos = 16,
		.rsvd_size = 8,
		.rsvd_pos = 24,
		.pages = 1,
	};
}

static void write_gdt(uint8_t *ram)
{
	/* Flat 4 GiB segments, 32 bits: code to execute and read, data. */
	const uint64_t gdt[BOOT_GDT_SIZE / 8] = {
		[BOOT_CS / 8] = 0x00cf9b000000ffff,
		[BOOT_DS / 8] = 0x00cf93000000ffff,
	};

	memcpy(ram + GDT_ADDR, gdt, sizeof(gdt));
}

int boot_load(const struct boot_kernel *kernel,
	      const struct boot_target *target, uint32_t *entry)
{
	struct boot_params params = { .hdr = kernel->header };
	uint64_t end = kernel_end(kernel);
	int error;

	if (end > target->low_size) {
		report("the kernel '%s' needs %llu MiB of memory to start, the guest has %llu (give it more with --memory)",
		       kernel->path, (unsigned long long)boot_in_mib(end),
		       (unsigned long long)target->low_size >> 20);
		return -ENOMEM;
	}
	memcpy(target->ram + KERNEL_ADDR, kernel->data + kernel->payload,
	       kernel->size - kernel->payload);

	error = load_cmdline(target, &params.hdr);
	if (!error && target->initrd)
		error = load_initrd(target, &params.hdr, end);
	if (error)
		return error;

	params.hdr.type_of_loader = LOADER_UNREGISTERED;
	params.hdr.code32_start = KERNEL_ADDR;
	params.acpi_rsdp_addr = target->rsdp;
	fill_e820(&params, target);
	if (target->framebuffer)
		fill_screen_info(&params.screen_info);
	memcpy(target->ram + BOOT_PARAMS_ADDR, &params, sizeof(params));
	write_gdt(target->ram);
	*entry = KERNEL_ADDR;
	return 0;
}
