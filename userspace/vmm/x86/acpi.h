/* SPDX-License-Identifier: MIT */
/* The ACPI tables, by which the guest learns what machine it is on */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include <stddef.h>
#include <stdint.h>

/**
 * acpi_write_tables() - write the tables as firmware would
 * @rom: where to, as the VMM has it mapped
 * @size: how much room there is, in bytes
 * @addr: where the guest sees @rom, below 4 GiB, a multiple of 16
 * @nr_vcpus: number of vCPUs; their APIC IDs are 0 and up
 *
 * Return: the address of the root pointer, or 0 if there is too little room.
 */
uint64_t acpi_write_tables(uint8_t *rom, size_t size, uint64_t addr,
			   unsigned int nr_vcpus);

/** acpi_write_facs() - write the FACS, 64 bytes that the guest can change */
void acpi_write_facs(uint8_t *ram);

#endif /* VMM_ACPI_H */
