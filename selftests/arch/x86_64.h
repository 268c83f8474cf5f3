/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vCPUs in 64-bit mode, without interrupts. Their page tables map the first 4 GiB to
 * themselves.
 */
#ifndef ARCH_X86_64_H
#define ARCH_X86_64_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "../mregion_util.h"
#include "x86_64_guests.h"

/* A guest ends by HLT. */
#define VCPU_ENDED	KVM_EXIT_HLT

#define VM_HAS_PORTS		1
#define VM_HAS_IOAPIC		1
#define VM_HAS_SMM		1
#define VM_HAS_UNALIGNED	1
#define VM_SPLITS_PAGES		1

/* Pages of 2 MiB. */
static inline void arch_tables(uint8_t *ram, uint64_t addr)
{
	uint64_t *pml4 = (void *)(ram + addr);
	uint64_t *pdpt = pml4 + 512, *pd = pdpt + 512;
	unsigned int i;

	pml4[0] = (addr + 0x1000) | 3;
	for (i = 0; i < 4; i++)
		pdpt[i] = (addr + 0x2000 + 0x1000 * i) | 3;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = 0x200000ull * i | 0x83;
}

/* Intel processors want three pages for themselves. */
static inline void arch_vm_init(int vm)
{
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000ul);
}

/* Some device of KVM's that may come late, beside KVM's own irqchip. */
static inline void arch_vm_add_device(int vm)
{
	struct kvm_pit_config pit = { 0 };

	ioctl(vm, KVM_CREATE_PIT2, &pit);
}

static inline int arch_vcpu_init(int kvm, int vm, int vcpu, uint64_t tables)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 *
					  sizeof(cpuid->entries[0]));
	struct kvm_segment code = {
		.limit = ~0u, .selector = 8, .type = 11, .present = 1,
		.s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = ~0u, .selector = 16, .type = 3, .present = 1,
		.s = 1, .db = 1, .g = 1,
	};
	struct kvm_sregs sregs;
	int err;

	(void)vm;
	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = 256;
	err = mr_ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (!err)
		err = mr_ioctl(vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	if (!err)
		err = mr_ioctl(vcpu, KVM_GET_SREGS, &sregs);
	if (err)
		return err;
	sregs.cr3 = tables;
	sregs.cr4 = 1 << 5;			/* PAE */
	sregs.cr0 = 1u << 31 | 1 << 5 | 1;	/* PG, NE, PE */
	sregs.efer = 1 << 10 | 1 << 8;		/* LMA, LME */
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	return mr_ioctl(vcpu, KVM_SET_SREGS, &sregs);
}

static inline int arch_vcpu_set_regs(int vcpu, const struct guest_regs *guest)
{
	struct kvm_regs regs = {
		.rip = guest->pc,
		.rdi = guest->addr,
		.rdx = guest->port,
		.rcx = guest->number,
		.rsi = guest->end,
		.rax = guest->value,
		.r8 = guest->count,
		.r9 = guest->arg[0],
		.r10 = guest->arg[1],
		.r11 = guest->arg[2],
		.rflags = 2,
	};

	return mr_ioctl(vcpu, KVM_SET_REGS, &regs);
}

static inline int arch_vcpu_get_regs(int vcpu, struct guest_regs *guest)
{
	struct kvm_regs regs = { 0 };
	int err = mr_ioctl(vcpu, KVM_GET_REGS, &regs);

	*guest = (struct guest_regs){
		.pc = regs.rip,
		.addr = regs.rdi,
		.port = regs.rdx,
		.number = regs.rcx,
		.end = regs.rsi,
		.value = regs.rax,
		.count = regs.r8,
		.arg = { regs.r9, regs.r10, regs.r11 },
	};
	return err;
}

/* Whether an exit is the end of a guest's code, also of one that ends by a port. */
static inline bool arch_vcpu_ended(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_HLT ||
	       (run->exit_reason == KVM_EXIT_IO && run->io.port == END_PORT);
}

/* Processors see what is written to memory. */
static inline void arch_code_written(void *code, size_t len)
{
	(void)code;
	(void)len;
}

#endif /* ARCH_X86_64_H */
