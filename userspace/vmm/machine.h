/* SPDX-License-Identifier: MIT */
/* The machine: its memory map, its devices and its vCPUs, wired up */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "boot.h"
#include "irqfd.h"
#include "kvm.h"
#include "loop.h"
#include "pci_host.h"
#include "serial.h"
#include "terminal.h"
#include "vcpu.h"
#include "virtio_devices.h"
#include "wiring.h"

#define MACHINE_MIN_MEMORY	(16ULL << 20)

/**
 * struct machine_config - what to build
 * @kernel: what it boots
 * @initrd: path of an initial RAM disk, or NULL
 * @cmdline: kernel command line
 * @memory: RAM in bytes, a multiple of 1 MiB
 * @nr_vcpus: number of vCPUs
 * @coalesce: take writes that can wait in the kernel
 * @ring_entries: how many can, a power of two
 * @virtio: devices on the PCI bus
 * @framebuffer: there is one
 */
struct machine_config {
	const struct boot_kernel *kernel;
	const char *initrd;
	const char *cmdline;
	uint64_t memory;
	unsigned int nr_vcpus;
	bool coalesce;
	uint32_t ring_entries;
	struct virtio_options virtio;
	bool framebuffer;
};

struct machine {
	struct kvm kvm;
	struct vcpus vcpus;
	struct loop loop;
	struct terminal terminal;

	struct mregion_machine *mregion;
	struct mregion_region *system;	/* root of memory */
	struct mregion_region *io;	/* root of the I/O ports, or NULL */
	struct mregion_region *pci;	/* addresses of PCI, below all else */
	struct mregion_region *ram;
	struct mregion_region *framebuffer;	/* or NULL */
	struct mregion_space *memory;
	struct mregion_space *pio;	/* NULL: the architecture has no I/O ports */
	struct mregion_ring *ring;	/* NULL: nothing is coalesced */
	struct mregion_vm *vm;

	struct serial serial;
	struct board board;		/* what else the architecture's machine has */
	struct pci_host pci_host;
	struct irqfds irqfds;
	struct virtio_devices virtio;

	atomic_int end;			/* enum machine_end, the first */
};

/**
 * machine_init() - build a machine and load its kernel; reports what is wrong
 *
 * Call machine_exit() also after an error.
 */
int machine_init(struct machine *machine, const struct machine_config *config);

/** machine_run() - let it run until it is to end; reports what is wrong */
void machine_run(struct machine *machine);

/** machine_join() - wait until nothing of it runs any more. Return: why not */
enum machine_end machine_join(struct machine *machine);

/** machine_end() - let it end soon; any thread; the first reason counts */
void machine_end(struct machine *machine, enum machine_end why);

/** machine_irq_line() - one of its interrupt lines */
struct irq_line machine_irq_line(struct machine *machine, unsigned int gsi);

/** machine_end_line() - what devices end it by */
struct end_line machine_end_line(struct machine *machine);

void machine_exit(struct machine *machine);

#endif /* VMM_MACHINE_H */
