/* SPDX-License-Identifier: MIT */
/* What of a KVM virtual machine depends on the architecture */
#ifndef VMM_KVM_BOARD_H
#define VMM_KVM_BOARD_H

#include <stddef.h>

struct kvm;

/** struct kvm_needed - a capability without which nothing goes */
struct kvm_needed {
	int capability;
	const char *name;
};

/**
 * struct kvm_board - an architecture's part
 * @how_to_get: what may help if there is no KVM, for people
 * @needed: capabilities, besides those that all architectures need
 * @nr_needed: how many
 * @vm_type: what to tell KVM_CREATE_VM
 * @init_vm: do to a new virtual machine what has to be done before there are vCPUs;
 *	reports what is wrong. Return: 0 or a negative errno
 */
struct kvm_board {
	const char *how_to_get;
	const struct kvm_needed *needed;
	size_t nr_needed;
	unsigned long (*vm_type)(const struct kvm *kvm);
	int (*init_vm)(struct kvm *kvm);
};

extern const struct kvm_board kvm_board;

#endif /* VMM_KVM_BOARD_H */
