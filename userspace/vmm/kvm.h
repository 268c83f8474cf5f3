/* SPDX-License-Identifier: MIT */
/* A KVM virtual machine, and the interrupt controllers that KVM emulates */
#ifndef VMM_KVM_H
#define VMM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>

struct kvm {
	int kvm_fd;
	int vm_fd;
	unsigned int max_vcpus;
	unsigned int max_slots;
	size_t run_size;	/* of a vCPU's shared struct kvm_run, in bytes */
	bool msi_devid;		/* messages are told apart by who sends them */
};

/**
 * kvm_open() - open /dev/kvm and create a virtual machine
 *
 * Its interrupt controllers are in the kernel. Those that KVM wants to be created after
 * the vCPUs are not there yet: arm64's, see gic.h. Reports what is wrong.
 *
 * Return: 0 or a negative errno.
 */
int kvm_open(struct kvm *kvm);
void kvm_close(struct kvm *kvm);

/** kvm_set_irq() - set the level of an interrupt line; any thread */
void kvm_set_irq(struct kvm *kvm, unsigned int gsi, bool level);

/**
 * kvm_set_routes() - set the routes of interrupts from FIRST_MSI_GSI on
 * @kvm: the virtual machine
 * @entries: all of them
 * @nr: how many
 *
 * Return: 0 or a negative errno.
 */
int kvm_set_routes(struct kvm *kvm, const struct kvm_irq_routing_entry *entries,
		   unsigned int nr);

#endif /* VMM_KVM_H */
