/* SPDX-License-Identifier: MIT */
/* The regions that are not devices: RAM, ROM, holes, and what is KVM's */
#ifndef VMM_MEMORY_MAP_H
#define VMM_MEMORY_MAP_H

struct machine;
struct machine_config;

/**
 * memory_map_build() - create the machine's spaces, with memory in them
 * @machine: with machine->mregion opened
 * @config: how much memory, and what else there is
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int memory_map_build(struct machine *machine,
		     const struct machine_config *config);

#endif /* VMM_MEMORY_MAP_H */
