/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vCPUs at EL1, without interrupts. Their page table maps the first 512 GiB to
 * themselves as normal memory: without it all is device memory, where the processor
 * itself refuses what is not aligned.
 */
#ifndef ARCH_AARCH64_H
#define ARCH_AARCH64_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "../mregion_util.h"
#include "no_ports.h"
#include "aarch64_guests.h"

/* A guest ends by BRK: WFI waits in KVM, and PSCI ends all vCPUs or none. */
#define VCPU_ENDED	KVM_EXIT_DEBUG

#define VM_HAS_IOAPIC		0
#define VM_HAS_SMM		0
#define VM_HAS_UNALIGNED	1
#define VM_SPLITS_PAGES		0

#define ARCH_VECTORS	0x1000u		/* behind the page table */

/*
 * Blocks of 1 GiB: valid, accessed, inner shareable, attributes 0. What takes an
 * exception ends by another BRK, whose number is no guest's.
 */
static inline void arch_tables(uint8_t *ram, uint64_t addr)
{
	uint32_t *vectors = (void *)(ram + addr + ARCH_VECTORS);
	uint64_t *table = (void *)(ram + addr);
	uint64_t i;

	for (i = 0; i < 512; i++)
		table[i] = i << 30 | 1 << 10 | 3 << 8 | 1;
	for (i = 0; i < 16; i++)
		vectors[32 * i] = 0xd4200020;	/* brk #1 */
	__builtin___clear_cache((char *)vectors, (char *)vectors + 0x800);
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

static inline int arch_reg_set(int vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return mr_ioctl(vcpu, KVM_SET_ONE_REG, &reg);
}

#define ARCH_TTBR0	ARM64_SYS_REG(3, 0, 2, 0, 0)
#define ARCH_TCR	ARM64_SYS_REG(3, 0, 2, 0, 2)
#define ARCH_MAIR	ARM64_SYS_REG(3, 0, 10, 2, 0)
#define ARCH_VBAR	ARM64_SYS_REG(3, 0, 12, 0, 0)
#define ARCH_SCTLR	ARM64_SYS_REG(3, 0, 1, 0, 0)

static inline int arch_vcpu_init(int kvm, int vm, int vcpu, uint64_t tables)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP,
	};
	struct kvm_vcpu_init init;
	int err;

	(void)kvm;
	err = mr_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	if (!err)
		err = mr_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
	if (!err)
		err = mr_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
	if (!err)
		err = arch_reg_set(vcpu, ARCH_TTBR0, tables);
	/* 39 bits by 4 KiB; tables write-back, inner shareable; no TTBR1; 40 bits out */
	if (!err)
		err = arch_reg_set(vcpu, ARCH_TCR, 2ull << 32 | 1 << 23 |
				   3 << 12 | 1 << 10 | 1 << 8 | 25);
	/* attributes 0: normal memory, write-back */
	if (!err)
		err = arch_reg_set(vcpu, ARCH_MAIR, 0xff);
	if (!err)
		err = arch_reg_set(vcpu, ARCH_VBAR, tables + ARCH_VECTORS);
	/* what is always 1, with caches and the MMU */
	if (!err)
		err = arch_reg_set(vcpu, ARCH_SCTLR,
				   0x30d00800 | 1 << 12 | 1 << 2 | 1);
	return err;
}

#define ARCH_CORE(reg)							\
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |		\
	 KVM_REG_ARM_CORE_REG(regs.reg))

static const struct {
	uint64_t id;
	size_t offset;
} arch_regs[] = {
	{ ARCH_CORE(pc), offsetof(struct guest_regs, pc) },
	{ ARCH_CORE(regs[0]), offsetof(struct guest_regs, addr) },
	{ ARCH_CORE(regs[1]), offsetof(struct guest_regs, number) },
	{ ARCH_CORE(regs[2]), offsetof(struct guest_regs, end) },
	{ ARCH_CORE(regs[3]), offsetof(struct guest_regs, value) },
	{ ARCH_CORE(regs[4]), offsetof(struct guest_regs, count) },
	{ ARCH_CORE(regs[5]), offsetof(struct guest_regs, arg[0]) },
	{ ARCH_CORE(regs[6]), offsetof(struct guest_regs, arg[1]) },
	{ ARCH_CORE(regs[7]), offsetof(struct guest_regs, arg[2]) },
};

#include "one_reg.h"

static inline bool arch_vcpu_ended(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_DEBUG &&
	       !(run->debug.arch.hsr & 0xffff);
}

/* Processors fetch instructions past their data caches. */
static inline void arch_code_written(void *code, size_t len)
{
	__builtin___clear_cache((char *)code, (char *)code + len);
}

#endif /* ARCH_AARCH64_H */
