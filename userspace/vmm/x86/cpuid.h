/* SPDX-License-Identifier: MIT */
/* What the guest's CPUID instruction says */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

struct kvm;

/**
 * cpuid_set() - give a vCPU its CPUID
 * @kvm: the virtual machine
 * @vcpu_fd: the vCPU
 * @index: its index, and its APIC ID
 * @nr: number of vCPUs
 *
 * All that KVM can virtualize of the host's processor, as one package of @nr
 * cores without threads. Reports what is wrong.
 *
 * Return: the number of physical address bits, or a negative errno.
 */
int cpuid_set(const struct kvm *kvm, int vcpu_fd, unsigned int index,
	      unsigned int nr);

#endif /* VMM_CPUID_H */
