/* SPDX-License-Identifier: MIT */
/*
 * Where things are in the guest's two address spaces
 *
 * The memory layout is that of a PC with Intel's Q35 chipset, as QEMU lays it
 * out: RAM from 0 up to at most LOW_RAM_MAX, then addresses for PCI, then the
 * rest of the RAM from 4 GiB on.
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

/*
 * Low memory. The structures that the kernel is handed at its start lie in the
 * first 640 KiB, in pages that it takes over once it has read them.
 */
#define GDT_ADDR		0x1000ULL
#define BOOT_PARAMS_ADDR	0x10000ULL
#define CMDLINE_ADDR		0x20000ULL
#define CMDLINE_MAX		0x10000ULL

/* The extended BIOS data area: memory that the firmware keeps for itself. */
#define EBDA_ADDR		0x9fc00ULL
#define EBDA_END		0xa0000ULL
#define FACS_ADDR		EBDA_ADDR

#define VIDEO_ADDR		0xa0000ULL
#define VIDEO_SIZE		0x20000ULL
#define BIOS_ADDR		0xe0000ULL
#define BIOS_SIZE		0x20000ULL
#define HIMEM_ADDR		0x100000ULL

#define LOW_RAM_MAX		0x80000000ULL

/* The framebuffer, if there is one: where neither RAM nor PCI gets to */
#define FRAMEBUFFER_ADDR	0xa0000000ULL

/* For PCI: configuration space (1 MiB a bus), then memory up to the IOAPIC. */
#define ECAM_ADDR		0xb0000000ULL
#define ECAM_SIZE		0x100000ULL
#define PCI_HOLE_ADDR		0xc0000000ULL
#define PCI_HOLE_END		0xfec00000ULL

#define IOAPIC_ADDR		0xfec00000ULL
#define IOAPIC_SIZE		0x1000ULL
#define LAPIC_ADDR		0xfee00000ULL
#define LAPIC_SIZE		0x1000ULL

/* Pages that KVM needs on Intel's processors: an identity map, and a TSS. */
#define KVM_IDENTITY_MAP_ADDR	0xfeffc000ULL
#define KVM_TSS_ADDR		0xfeffd000ULL
#define KVM_PAGES_SIZE		0x4000ULL

#define FIRMWARE_ADDR		0xfffe0000ULL
#define HIGH_RAM_ADDR		0x100000000ULL

/* I/O ports */
#define PORT_PIC1		0x20
#define PORT_PIT		0x40
#define PORT_I8042_DATA		0x60
#define PORT_SPEAKER		0x61
#define PORT_I8042_COMMAND	0x64
#define PORT_RTC		0x70
#define PORT_DEBUG		0x80
#define PORT_92			0x92
#define PORT_PIC2		0xa0
#define PORT_COM1		0x3f8
#define PORT_ELCR		0x4d0
#define PORT_PM			0x600
#define PORT_PCI_CONFIG		0xcf8
#define PCI_CONFIG_PORTS	8
#define PORT_RESET		0xcf9

/* Global system interrupts; those below 16 are the ISA bus's */
#define GSI_PIT			2
#define GSI_COM1		4
#define GSI_RTC			8
#define GSI_SCI			9
#define NR_IOAPIC_PINS		24
/* Message-signalled interrupts follow. */
#define FIRST_MSI_GSI		NR_IOAPIC_PINS

#endif /* VMM_LAYOUT_H */
