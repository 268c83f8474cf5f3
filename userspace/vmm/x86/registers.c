// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "boot.h"
#include "cpuid.h"
#include "kvm.h"
#include "layout.h"
#include "registers.h"
#include "report.h"
#include "vcpu.h"
#include "vcpu_board.h"

#define MSR_MISC_ENABLE		0x1a0
#define MISC_ENABLE_FAST_STRING	(1u << 0)
#define MSR_MTRR_PHYS_BASE0	0x200
#define MSR_MTRR_PHYS_MASK0	0x201
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_TYPE_UNCACHED	0u
#define MTRR_TYPE_WRITE_BACK	6u
#define MTRR_MASK_VALID		(1u << 11)
#define MTRR_DEF_ENABLED	(1u << 11)

#define CR0_PE			(1u << 0)
#define CR0_ET			(1u << 4)
#define RFLAGS_ALWAYS_ONE	(1u << 1)

/* Read or write a register, by @request. Returns whether KVM knows it. */
static bool msr_access(struct vcpu *vcpu, unsigned long request,
		       uint32_t index, uint64_t *data)
{
	struct kvm_msrs *msrs;
	bool done;

	msrs = calloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	if (!msrs)
		return false;
	msrs->nmsrs = 1;
	msrs->entries[0].index = index;
	msrs->entries[0].data = *data;
	errno = EINVAL;
	done = ioctl(vcpu->fd, request, msrs) == 1;
	*data = msrs->entries[0].data;
	free(msrs);
	return done;
}

static bool set_msr(struct vcpu *vcpu, uint32_t index, uint64_t data)
{
	return msr_access(vcpu, KVM_SET_MSRS, index, &data);
}

/*
 * What firmware leaves behind: memory is write-back, the upper half of the
 * first 4 GiB, where registers are, is not cached.
 */
static int set_msrs(struct vcpu *vcpu, unsigned int phys_bits)
{
	uint64_t all = phys_bits < 64 ? (1ULL << phys_bits) - 1 : ~0ULL;
	uint64_t misc = 0;

	if (!set_msr(vcpu, MSR_MTRR_PHYS_BASE0,
		     LOW_RAM_MAX | MTRR_TYPE_UNCACHED) ||
	    !set_msr(vcpu, MSR_MTRR_PHYS_MASK0,
		     (all & ~(HIGH_RAM_ADDR - LOW_RAM_MAX - 1)) |
		     MTRR_MASK_VALID) ||
	    !set_msr(vcpu, MSR_MTRR_DEF_TYPE,
		     MTRR_DEF_ENABLED | MTRR_TYPE_WRITE_BACK))
		return vcpu_failed(vcpu, "cannot set its memory types");

	/* Only a hint that rep movs is fast: do without where it fails. */
	if (msr_access(vcpu, KVM_GET_MSRS, MSR_MISC_ENABLE, &misc))
		set_msr(vcpu, MSR_MISC_ENABLE, misc | MISC_ENABLE_FAST_STRING);
	return 0;
}

int vcpu_reset(struct vcpu *vcpu)
{
	int phys_bits = cpuid_set(vcpu->all->kvm, vcpu->fd, vcpu->index,
				  vcpu->all->nr);

	if (phys_bits < 0)
		return phys_bits;
	return set_msrs(vcpu, phys_bits);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

int vcpus_set_entry(struct vcpus *vcpus, uint32_t entry, uint32_t boot_params,
		    uint32_t gdt)
{
	struct vcpu *vcpu = &vcpus->vcpu[0];
	struct kvm_segment data = flat_segment(BOOT_DS, 0x3);
	struct kvm_regs regs = {
		.rip = entry,
		.rsi = boot_params,
		.rflags = RFLAGS_ALWAYS_ONE,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return vcpu_failed(vcpu, "KVM_GET_SREGS");
	sregs.cs = flat_segment(BOOT_CS, 0xb);
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.gdt.base = gdt;
	sregs.gdt.limit = BOOT_GDT_SIZE - 1;
	sregs.cr0 = CR0_PE | CR0_ET;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return vcpu_failed(vcpu, "KVM_SET_SREGS");
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return vcpu_failed(vcpu, "KVM_SET_REGS");
	return 0;
}

void vcpu_print_registers(const struct vcpu *vcpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
		vcpu_failed(vcpu, "cannot read its registers");
		return;
	}

	report("  rip %016llx rsp %016llx rflags %08llx", regs.rip, regs.rsp,
	       regs.rflags);
	report("  rax %016llx rbx %016llx rcx %016llx", regs.rax, regs.rbx,
	       regs.rcx);
	report("  rdx %016llx rsi %016llx rdi %016llx", regs.rdx, regs.rsi,
	       regs.rdi);
	report("  rbp %016llx r8  %016llx r9  %016llx", regs.rbp, regs.r8,
	       regs.r9);
	report("  r10 %016llx r11 %016llx r12 %016llx", regs.r10, regs.r11,
	       regs.r12);
	report("  r13 %016llx r14 %016llx r15 %016llx", regs.r13, regs.r14,
	       regs.r15);
	report("  cr0 %016llx cr2 %016llx cr3 %016llx", sregs.cr0, sregs.cr2,
	       sregs.cr3);
	report("  cr4 %016llx efer %016llx cs %04x base %016llx", sregs.cr4,
	       sregs.efer, sregs.cs.selector, sregs.cs.base);
}

bool vcpu_exit_of_board(struct vcpu *vcpu, enum machine_end *why)
{
	(void)vcpu;
	(void)why;
	return false;
}
