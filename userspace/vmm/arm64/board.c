// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mregion.h>

#include "boot_parts.h"
#include "device_tree.h"
#include "gic.h"
#include "layout.h"
#include "machine.h"
#include "machine_board.h"
#include "registers.h"
#include "report.h"

/* The kernel's COMMAND_LINE_SIZE, with the zero at its end */
#define CMDLINE_SIZE		2048

int board_add_devices(struct machine *machine, const struct serial_cable *cable)
{
	struct mregion_machine *mregion = machine->mregion;
	int error;

	error = serial_init(&machine->serial, mregion, machine->system,
			    UART_ADDR, machine_irq_line(machine, GSI_UART),
			    cable, machine->ring, &machine->loop);
	if (!error)
		error = pl031_init(&machine->board.rtc, mregion,
				   machine->system, RTC_ADDR);
	return error ? error :
	       pci_host_init(&machine->pci_host, mregion, machine->pci,
			     machine->system);
}

int board_add_pci_ports(struct machine *machine)
{
	(void)machine;
	return 0;
}

static int get_affinities(const struct vcpus *vcpus, uint64_t *affinities)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < vcpus->nr && !error; i++)
		error = vcpu_affinity(&vcpus->vcpu[i], &affinities[i]);
	return error;
}

static int write_tree(const struct machine *machine,
		      const struct machine_config *config,
		      const struct boot_target *target)
{
	uint64_t affinities[MACHINE_MAX_VCPUS];
	char cmdline[CMDLINE_SIZE];
	const struct device_tree tree = {
		.cmdline = cmdline,
		.memory = config->memory,
		.initrd = RAM_ADDR + target->initrd_start,
		.initrd_size = target->initrd_size,
		.nr_cpus = config->nr_vcpus,
		.affinities = affinities,
	};
	size_t len = strlen(BOOT_PARAMETERS) + strlen(config->cmdline);
	int error;

	if (len >= CMDLINE_SIZE) {
		report("the command line is too long: with '%s' it has %zu characters, kernels take %u",
		       BOOT_PARAMETERS, len, CMDLINE_SIZE - 1);
		return -E2BIG;
	}
	stpcpy(stpcpy(cmdline, BOOT_PARAMETERS), config->cmdline);
	error = get_affinities(&machine->vcpus, affinities);
	if (error)
		return error;
	return device_tree_write(&tree, target->ram + target->device_tree,
				 BOOT_TREE_SIZE);
}

/* A kernel without its pages stands still, and says nothing. */
static int check_pages(const struct vcpus *vcpus,
		       const struct boot_kernel *kernel)
{
	int ret = vcpu_has_pages(&vcpus->vcpu[0], kernel->pages);

	if (ret < 0)
		return ret;
	if (ret)
		return 0;
	report("'%s' has pages of %u KiB, which this processor does not know",
	       kernel->path, 1u << 2 * kernel->pages);
	return -ENOEXEC;
}

int board_load(struct machine *machine, const struct machine_config *config)
{
	struct boot_target target = {
		.initrd = config->initrd,
		.ram = mregion_ram_ptr(machine->ram),
		.size = config->memory,
	};
	int error;

	error = check_pages(&machine->vcpus, config->kernel);
	if (!error)
		error = gic_create(&machine->kvm);
	if (!error)
		error = boot_load(config->kernel, &target);
	if (!error)
		error = write_tree(machine, config, &target);
	if (error)
		return error;
	return vcpus_set_entry(&machine->vcpus, RAM_ADDR + config->kernel->start,
			       RAM_ADDR + target.device_tree);
}

void board_exit(struct board *board)
{
	(void)board;
}
