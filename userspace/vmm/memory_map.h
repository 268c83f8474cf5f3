/* SPDX-License-Identifier: MIT */
/* The regions that are not devices: RAM, ROM, holes, and what is KVM's */
#ifndef VMM_MEMORY_MAP_H
#define VMM_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

/**
 * memory_map_build() - create the machine's spaces, with memory in them
 * @machine: with machine->mregion opened
 * @size: RAM in bytes
 * @framebuffer: there is one
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int memory_map_build(struct machine *machine, uint64_t size,
		     bool framebuffer);

#endif /* VMM_MEMORY_MAP_H */
