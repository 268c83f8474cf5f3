/* SPDX-License-Identifier: MIT */
/*
 * Where things are in the guest's memory
 *
 * All that is no RAM lies in the first GiB, as in QEMU's machine "virt", and PCI's
 * memory wherever else RAM is not.
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

/* KVM's: interrupt distributor, translation service, and a redistributor for each vCPU */
#define GICD_ADDR		0x08000000ULL
#define GICD_SIZE		0x10000ULL
#define ITS_ADDR		0x08080000ULL
#define ITS_SIZE		0x20000ULL
#define GICR_ADDR		0x0a000000ULL
#define GICR_SIZE		0x20000ULL

#define UART_ADDR		0x09000000ULL
#define RTC_ADDR		0x09010000ULL

/* For PCI: memory, then configuration space (1 MiB a bus) */
#define PCI_HOLE_ADDR		0x10000000ULL
#define PCI_HOLE_END		0x3f000000ULL
#define ECAM_ADDR		0x3f000000ULL
#define ECAM_SIZE		0x100000ULL

#define RAM_ADDR		0x40000000ULL

/*
 * Interrupts as the GIC numbers them: those of one processor alone are below 32, then
 * those of devices, which a device tree counts from 0.
 */
#define GIC_FIRST_SPI		32
#define GIC_NR_IRQS		64
#define GSI_UART		33

/* KVM's routes for messages begin there. Lines have none here, so any number would do. */
#define FIRST_MSI_GSI		GIC_NR_IRQS

#endif /* VMM_LAYOUT_H */
