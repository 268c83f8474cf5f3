/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of a guest, one by one: where KVM has them, says arch_regs. */
#ifndef ARCH_ONE_REG_H
#define ARCH_ONE_REG_H

static inline int arch_regs_each(int vcpu, unsigned long call, void *guest)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < sizeof(arch_regs) / sizeof(arch_regs[0]) && !err; i++) {
		struct kvm_one_reg reg = {
			.id = arch_regs[i].id,
			.addr = (uintptr_t)guest + arch_regs[i].offset,
		};

		err = mr_ioctl(vcpu, call, &reg);
	}
	return err;
}

static inline int arch_vcpu_set_regs(int vcpu, const struct guest_regs *guest)
{
	return arch_regs_each(vcpu, KVM_SET_ONE_REG, (void *)guest);
}

static inline int arch_vcpu_get_regs(int vcpu, struct guest_regs *guest)
{
	*guest = (struct guest_regs){ 0 };
	return arch_regs_each(vcpu, KVM_GET_ONE_REG, guest);
}

#endif /* ARCH_ONE_REG_H */
