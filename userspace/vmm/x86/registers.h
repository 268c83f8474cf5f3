/* SPDX-License-Identifier: MIT */
/* Where an x86 machine's vCPUs begin */
#ifndef VMM_REGISTERS_H
#define VMM_REGISTERS_H

#include <stdint.h>

struct vcpus;

/**
 * vcpus_set_entry() - where the first vCPU begins
 * @vcpus: the vCPUs
 * @entry: address of its first instruction
 * @boot_params: what it finds in ESI
 * @gdt: address of a descriptor table as boot.h writes it
 *
 * In protected mode without paging, as Linux's 32-bit boot protocol has it. The
 * others wait for the first one to start them.
 */
int vcpus_set_entry(struct vcpus *vcpus, uint32_t entry, uint32_t boot_params,
		    uint32_t gdt);

#endif /* VMM_REGISTERS_H */
