/* SPDX-License-Identifier: MIT */
/* The interrupt controller that KVM emulates: a GICv3, with an ITS for messages */
#ifndef VMM_GIC_H
#define VMM_GIC_H

struct kvm;

/**
 * gic_create() - give a virtual machine one
 * @kvm: the virtual machine, with all its vCPUs; none has run
 *
 * Its messages are told apart by devices from then on. Reports what is wrong.
 * Return: 0 or a negative errno.
 */
int gic_create(struct kvm *kvm);

#endif /* VMM_GIC_H */
