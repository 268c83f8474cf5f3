// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>

#include <mregion.h>

#include "../../array.h"
#include "framebuffer.h"
#include "layout.h"
#include "machine.h"
#include "map_parts.h"
#include "memory_map.h"

/* KVM answers for these. */
static const struct map_part memory_reservations[] = {
	{ "ioapic", IOAPIC_ADDR, IOAPIC_SIZE },
	{ "lapic", LAPIC_ADDR, LAPIC_SIZE },
	{ "kvm-pages", KVM_IDENTITY_MAP_ADDR, KVM_PAGES_SIZE },
};

static const struct map_part pio_reservations[] = {
	{ "pic1", PORT_PIC1, 2 },
	{ "pit", PORT_PIT, 4 },
	{ "speaker", PORT_SPEAKER, 1 },
	{ "pic2", PORT_PIC2, 2 },
	{ "elcr", PORT_ELCR, 2 },
};

/* Registers that nobody has: reads give all-ones. */
static const struct mregion_ops hole_ops = {
	.constraints = MREGION_ANY_ACCESS,
};

static int map_alias(struct machine *machine, const char *name,
		     struct mregion_region *target, uint64_t offset,
		     uint64_t len, uint64_t addr, int priority)
{
	return map_new(machine->system,
		       mregion_new_alias(machine->mregion, name, target,
					 offset, len),
		       addr, priority);
}

/* One region, seen in two places: PCI's addresses are between them. */
static int map_ram(struct machine *machine, uint64_t size)
{
	struct board *board = &machine->board;
	int error;

	board->low_size = size < LOW_RAM_MAX ? size : LOW_RAM_MAX;
	board->high_size = size - board->low_size;

	machine->ram = mregion_new_ram(machine->mregion, MREGION_RAM, "pc.ram",
				       size);
	if (!machine->ram)
		return -errno;
	error = map_alias(machine, "ram-below-4g", machine->ram, 0,
			  board->low_size, 0, 0);
	if (error || !board->high_size)
		return error;
	return map_alias(machine, "ram-above-4g", machine->ram,
			 board->low_size, board->high_size, HIGH_RAM_ADDR, 0);
}

/*
 * What RAM leaves open is PCI's. Its video memory lies over RAM, so that part
 * is shown there by a window; what else is PCI's below 1 MiB, by pam.h.
 */
static int map_pci(struct machine *machine)
{
	int error;

	machine->pci = mregion_new_container(machine->mregion, "pci", 0);
	error = map_new(machine->system, machine->pci, 0, -1);
	if (error)
		return error;
	error = map_new(machine->pci,
			mregion_new_mmio(machine->mregion, "isa-hole",
					 HIMEM_ADDR - VIDEO_ADDR, &hole_ops,
					 machine),
			VIDEO_ADDR, -1);
	if (error)
		return error;
	return map_alias(machine, "video-window", machine->pci, VIDEO_ADDR,
			 VIDEO_SIZE, VIDEO_ADDR, 1);
}

/* The ROM is below 4 GiB, and seen below 1 MiB, too, where pam.h lets PCI be seen. */
static int map_bios(struct machine *machine)
{
	struct mregion_region *bios;
	int error;

	bios = mregion_new_ram(machine->mregion, MREGION_ROM, "pc.bios",
			       BIOS_SIZE);
	machine->board.bios = bios;
	error = map_new(machine->system, bios, FIRMWARE_ADDR, 0);
	if (error)
		return error;
	return map_new(machine->pci,
		       mregion_new_alias(machine->mregion, "isa-bios", bios,
					 0, BIOS_SIZE),
		       BIOS_ADDR, 1);
}

/* Memory of its own, so that it can be logged and passed on without the RAM. */
static int map_framebuffer(struct machine *machine)
{
	machine->framebuffer = mregion_new_ram(machine->mregion, MREGION_RAM,
					       "framebuffer", FRAMEBUFFER_SIZE);
	return map_new(machine->system, machine->framebuffer, FRAMEBUFFER_ADDR,
		       0);
}

static int map_memory(struct machine *machine, uint64_t size,
		      bool framebuffer)
{
	int error;

	machine->system = mregion_new_container(machine->mregion, "system", 0);
	if (!machine->system)
		return -errno;
	error = map_ram(machine, size);
	if (!error)
		error = map_pci(machine);
	if (!error)
		error = map_bios(machine);
	if (!error && framebuffer)
		error = map_framebuffer(machine);
	if (!error)
		error = map_reservations(machine->mregion, machine->system,
					 memory_reservations,
					 ARRAY_SIZE(memory_reservations));
	if (error)
		return error;

	machine->memory = mregion_new_space(machine->mregion,
					    MREGION_BUS_MEMORY,
					    machine->system,
					    MREGION_POLICY_ONES);
	return machine->memory ? 0 : -errno;
}

static int map_ports(struct machine *machine)
{
	int error;

	machine->io = mregion_new_container(machine->mregion, "io", 0x10000);
	if (!machine->io)
		return -errno;
	error = map_reservations(machine->mregion, machine->io, pio_reservations,
				 ARRAY_SIZE(pio_reservations));
	if (error)
		return error;

	machine->pio = mregion_new_space(machine->mregion, MREGION_BUS_PIO,
					 machine->io, MREGION_POLICY_ONES);
	return machine->pio ? 0 : -errno;
}

int memory_map_build(struct machine *machine,
		     const struct machine_config *config)
{
	int error = map_memory(machine, config->memory, config->framebuffer);

	return error ? error : map_ports(machine);
}
