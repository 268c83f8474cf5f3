// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>

#include <mregion.h>

#include "../../array.h"
#include "ipa.h"
#include "layout.h"
#include "machine.h"
#include "map_parts.h"
#include "memory_map.h"
#include "report.h"

static int map_ram(struct machine *machine, uint64_t size)
{
	uint64_t max = (1ULL << ipa_bits(&machine->kvm)) - RAM_ADDR;

	if (size > max) {
		report("--memory: %" PRIu64 " MiB are more than a guest can address here, %" PRIu64,
		       size >> 20, max >> 20);
		return -REPORTED;
	}
	machine->ram = mregion_new_ram(machine->mregion, MREGION_RAM, "ram",
				       size);
	return map_new(machine->system, machine->ram, RAM_ADDR, 0);
}

/* KVM answers for these. */
static int map_gic(struct machine *machine, unsigned int nr_vcpus)
{
	const struct map_part parts[] = {
		{ "gic-distributor", GICD_ADDR, GICD_SIZE },
		{ "gic-its", ITS_ADDR, ITS_SIZE },
		{ "gic-redistributors", GICR_ADDR, nr_vcpus * GICR_SIZE },
	};

	return map_reservations(machine->mregion, machine->system, parts,
				ARRAY_SIZE(parts));
}

int memory_map_build(struct machine *machine,
		     const struct machine_config *config)
{
	int error;

	machine->system = mregion_new_container(machine->mregion, "system", 0);
	if (!machine->system)
		return -errno;
	error = map_ram(machine, config->memory);
	if (error)
		return error;
	/* What nothing else takes is PCI's. */
	machine->pci = mregion_new_container(machine->mregion, "pci", 0);
	error = map_new(machine->system, machine->pci, 0, -1);
	if (!error)
		error = map_gic(machine, config->nr_vcpus);
	if (error)
		return error;

	machine->memory = mregion_new_space(machine->mregion,
					    MREGION_BUS_MEMORY,
					    machine->system,
					    MREGION_POLICY_ONES);
	return machine->memory ? 0 : -errno;
}
