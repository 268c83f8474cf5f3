/* SPDX-License-Identifier: GPL-2.0 */
/* vCPUs in S-mode, without interrupts or address translation of their own. */
#ifndef ARCH_RISCV64_H
#define ARCH_RISCV64_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "../mregion_util.h"
#include "no_ports.h"
#include "riscv64_guests.h"

/* A guest ends by EBREAK, for which KVM_SET_GUEST_DEBUG has to be there: from 6.10 on. */
#define VCPU_ENDED	KVM_EXIT_DEBUG

#define VM_HAS_IOAPIC		0
#define VM_HAS_SMM		0
/* KVM_RUN fails with EIO. */
#define VM_HAS_UNALIGNED	0
#define VM_SPLITS_PAGES		0

/*
 * There is no page table. What takes a trap ends by a call of SBI's experimental
 * extensions, which KVM leaves to userspace.
 */
static inline void arch_tables(uint8_t *ram, uint64_t addr)
{
	static const uint32_t trap[] = {
		0x080008b7,		/* lui a7, 0x8000 */
		0x00000073,		/* ecall */
	};

	memcpy(ram + addr, trap, sizeof(trap));
	__builtin___clear_cache((char *)ram + addr,
				(char *)ram + addr + sizeof(trap));
}

static inline void arch_vm_init(int vm)
{
	(void)vm;
}

/* KVM has no device here that comes after vCPUs. */
static inline void arch_vm_add_device(int vm)
{
	(void)vm;
}

#define ARCH_CSR(reg)							\
	(KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CSR |		\
	 KVM_REG_RISCV_CSR_REG(reg))

static inline int arch_vcpu_init(int kvm, int vm, int vcpu, uint64_t tables)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_one_reg stvec = {
		.id = ARCH_CSR(stvec),
		.addr = (uintptr_t)&tables,
	};
	int err;

	(void)kvm;
	(void)vm;
	err = mr_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
	if (!err)
		err = mr_ioctl(vcpu, KVM_SET_ONE_REG, &stvec);
	/* All but the first one are stopped at first. */
	if (!err)
		err = mr_ioctl(vcpu, KVM_SET_MP_STATE, &state);
	return err;
}

#define ARCH_CORE(reg)							\
	(KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE |	\
	 KVM_REG_RISCV_CORE_REG(regs.reg))

static const struct {
	uint64_t id;
	size_t offset;
} arch_regs[] = {
	{ ARCH_CORE(pc), offsetof(struct guest_regs, pc) },
	{ ARCH_CORE(a0), offsetof(struct guest_regs, addr) },
	{ ARCH_CORE(a1), offsetof(struct guest_regs, number) },
	{ ARCH_CORE(a2), offsetof(struct guest_regs, end) },
	{ ARCH_CORE(a3), offsetof(struct guest_regs, value) },
	{ ARCH_CORE(a4), offsetof(struct guest_regs, count) },
	{ ARCH_CORE(a5), offsetof(struct guest_regs, arg[0]) },
	{ ARCH_CORE(a6), offsetof(struct guest_regs, arg[1]) },
	{ ARCH_CORE(a7), offsetof(struct guest_regs, arg[2]) },
};

#include "one_reg.h"

static inline bool arch_vcpu_ended(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_DEBUG;
}

/* Processors fetch instructions as they were before FENCE.I. */
static inline void arch_code_written(void *code, size_t len)
{
	__builtin___clear_cache((char *)code, (char *)code + len);
}

#endif /* ARCH_RISCV64_H */
