// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <mregion.h>

#include "acpi.h"
#include "layout.h"
#include "machine.h"
#include "machine_board.h"
#include "registers.h"
#include "report.h"

static void bridge_written(struct pci_function *bridge, unsigned int offset,
			   unsigned int len)
{
	struct machine *machine = (struct machine *)
		((char *)bridge - offsetof(struct machine, pci_host.bridge));

	pam_written(&machine->board.pam, offset, len);
}

static int add_pci(struct machine *machine)
{
	struct pci_host *host = &machine->pci_host;
	struct board *board = &machine->board;
	int error;

	error = pci_host_init(host, machine->mregion, machine->pci,
			      machine->system);
	if (error)
		return error;
	host->bridge.written = bridge_written;
	board->pam = (struct pam){
		.machine = machine->mregion,
		.bridge = &host->bridge,
		.system = machine->system,
		.ram = machine->ram,
		.pci = machine->pci,
	};
	return pam_init(&board->pam);
}

int board_add_devices(struct machine *machine, const struct serial_cable *cable)
{
	const struct end_line end = machine_end_line(machine);
	struct mregion_machine *mregion = machine->mregion;
	struct board *board = &machine->board;
	int error;

	error = serial_init(&machine->serial, mregion, machine->io, PORT_COM1,
			    machine_irq_line(machine, GSI_COM1), cable,
			    machine->ring, &machine->loop);
	if (!error)
		error = rtc_init(&board->rtc, mregion, machine->io, PORT_RTC,
				 machine_irq_line(machine, GSI_RTC),
				 &machine->loop, machine->ring != NULL);
	if (!error)
		error = i8042_init(&board->i8042, mregion, machine->io,
				   PORT_I8042_DATA, PORT_I8042_COMMAND, end);
	if (!error)
		error = reset_init(&board->reset, mregion, machine->io,
				   PORT_92, end);
	if (!error)
		error = pm_init(&board->pm, mregion, machine->io, PORT_PM, end,
				machine->ring != NULL);
	if (!error)
		error = debugport_init(&board->debugport, mregion, machine->io,
				       PORT_DEBUG, machine->ring);
	return error ? error : add_pci(machine);
}

int board_add_pci_ports(struct machine *machine)
{
	return pci_ports_init(&machine->board.pci_ports, machine->io,
			      &machine->pci_host, &machine->board.reset);
}

int board_load(struct machine *machine, const struct machine_config *config)
{
	uint8_t *bios = mregion_ram_ptr(machine->board.bios);
	struct boot_target target = {
		.initrd = config->initrd,
		.cmdline = config->cmdline,
		.ram = mregion_ram_ptr(machine->ram),
		.low_size = machine->board.low_size,
		.high_size = machine->board.high_size,
		.framebuffer = config->framebuffer,
	};
	uint32_t entry;
	int error;

	/* What is not programmed is all-ones in a ROM. */
	memset(bios, 0xff, BIOS_SIZE);
	target.rsdp = acpi_write_tables(bios, BIOS_SIZE, BIOS_ADDR,
					config->nr_vcpus);
	if (!target.rsdp) {
		report("the ACPI tables of %u vCPUs do not fit the ROM",
		       config->nr_vcpus);
		return -E2BIG;
	}
	acpi_write_facs(target.ram + FACS_ADDR);

	error = boot_load(config->kernel, &target, &entry);
	if (error)
		return error;
	return vcpus_set_entry(&machine->vcpus, entry, BOOT_PARAMS_ADDR,
			       GDT_ADDR);
}

void board_exit(struct board *board)
{
	rtc_exit(&board->rtc);
	i8042_exit(&board->i8042);
}
