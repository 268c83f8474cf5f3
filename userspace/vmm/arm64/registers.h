/* SPDX-License-Identifier: MIT */
/* Registers of an arm64 machine's vCPUs */
#ifndef VMM_REGISTERS_H
#define VMM_REGISTERS_H

#include <stdint.h>

#include "boot.h"

struct vcpu;
struct vcpus;

/**
 * vcpus_set_entry() - where the first vCPU begins
 * @vcpus: the vCPUs
 * @entry: address of its first instruction
 * @device_tree: what it finds in x0
 *
 * At EL1 without MMU, as Documentation/arm64/booting.rst of the kernel has it. The
 * others wait for the first one to start them, by PSCI. Reports what is wrong.
 */
int vcpus_set_entry(struct vcpus *vcpus, uint64_t entry, uint64_t device_tree);

/**
 * vcpu_affinity() - what a device tree calls a vCPU; reports what is wrong
 * @affinity: set to that
 */
int vcpu_affinity(const struct vcpu *vcpu, uint64_t *affinity);

/**
 * vcpu_has_pages() - whether a vCPU knows pages of a size; reports what is wrong
 *
 * Return: 1 or 0, or a negative errno.
 */
int vcpu_has_pages(const struct vcpu *vcpu, enum boot_pages pages);

#endif /* VMM_REGISTERS_H */
