// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../array.h"
#include "kvm.h"
#include "registers.h"
#include "report.h"
#include "vcpu.h"
#include "vcpu_board.h"

/* Registers as KVM names them; of structures that it goes through by words of 32 bits */
#define CORE_REG(name)		(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | \
				 KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))
#define X_REG(n)		(CORE_REG(regs.regs[0]) + \
				 (n) * sizeof(uint64_t) / sizeof(uint32_t))
#define REG_MPIDR		ARM64_SYS_REG(3, 0, 0, 0, 5)
#define REG_MMFR0		ARM64_SYS_REG(3, 0, 0, 7, 0)
#define REG_ESR			ARM64_SYS_REG(3, 0, 5, 2, 0)
#define REG_FAR			ARM64_SYS_REG(3, 0, 6, 0, 0)

/* Affinity levels 3, 2, 1 and 0; what is between them is about other things. */
#define MPIDR_AFFINITY		0xff00ffffffULL

/* Its fields about sizes of pages; two of the three have a number of their own for no. */
#define MMFR0_FIELD(mmfr0, bit)	((mmfr0) >> (bit) & 15)
#define MMFR0_NONE		15

static int get(const struct vcpu *vcpu, uint64_t id, uint64_t *value)
{
	const struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);
}

static int set(const struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	const struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

int vcpu_reset(struct vcpu *vcpu)
{
	struct kvm_vcpu_init init;

	if (ioctl(vcpu->all->kvm->vm_fd, KVM_ARM_PREFERRED_TARGET, &init) < 0)
		return vcpu_failed(vcpu, "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (vcpu->index)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init) < 0)
		return vcpu_failed(vcpu, "KVM_ARM_VCPU_INIT");
	return 0;
}

int vcpus_set_entry(struct vcpus *vcpus, uint64_t entry, uint64_t device_tree)
{
	const struct vcpu *vcpu = &vcpus->vcpu[0];

	if (set(vcpu, CORE_REG(regs.pc), entry) < 0 ||
	    set(vcpu, X_REG(0), device_tree) < 0)
		return vcpu_failed(vcpu, "cannot set where it begins");
	return 0;
}

int vcpu_affinity(const struct vcpu *vcpu, uint64_t *affinity)
{
	uint64_t mpidr;

	if (get(vcpu, REG_MPIDR, &mpidr) < 0)
		return vcpu_failed(vcpu, "cannot read its affinity");
	*affinity = mpidr & MPIDR_AFFINITY;
	return 0;
}

int vcpu_has_pages(const struct vcpu *vcpu, enum boot_pages pages)
{
	uint64_t features;

	if (get(vcpu, REG_MMFR0, &features) < 0)
		return vcpu_failed(vcpu, "cannot read its features");
	switch (pages) {
	case BOOT_PAGES_4K:
		return MMFR0_FIELD(features, 28) != MMFR0_NONE;
	case BOOT_PAGES_16K:
		return MMFR0_FIELD(features, 20) != 0;
	case BOOT_PAGES_64K:
		return MMFR0_FIELD(features, 24) != MMFR0_NONE;
	default:
		return true;
	}
}

void vcpu_print_registers(const struct vcpu *vcpu)
{
	uint64_t x[31], pc, sp, pstate, esr, far;
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(x) && !error; i++)
		error = get(vcpu, X_REG(i), &x[i]);
	if (error || get(vcpu, CORE_REG(regs.pc), &pc) < 0 ||
	    get(vcpu, CORE_REG(sp_el1), &sp) < 0 ||
	    get(vcpu, CORE_REG(regs.pstate), &pstate) < 0 ||
	    get(vcpu, REG_ESR, &esr) < 0 || get(vcpu, REG_FAR, &far) < 0) {
		vcpu_failed(vcpu, "cannot read its registers");
		return;
	}

	report("  pc  %016llx sp_el1 %016llx pstate %08llx",
	       (unsigned long long)pc, (unsigned long long)sp,
	       (unsigned long long)pstate);
	report("  esr_el1 %08llx far_el1 %016llx", (unsigned long long)esr,
	       (unsigned long long)far);
	for (i = 0; i < 28; i += 4)
		report("  x%-2u %016llx %016llx %016llx %016llx", i,
		       (unsigned long long)x[i], (unsigned long long)x[i + 1],
		       (unsigned long long)x[i + 2],
		       (unsigned long long)x[i + 3]);
	report("  x28 %016llx %016llx %016llx", (unsigned long long)x[28],
	       (unsigned long long)x[29], (unsigned long long)x[30]);
}

static bool system_event(const struct vcpu *vcpu, enum machine_end *why)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		*why = END_POWER_OFF;
		return true;
	case KVM_SYSTEM_EVENT_RESET:
		*why = END_REBOOT;
		return true;
	default:
		return false;
	}
}

/*
 * Instructions that access two registers, or write one back, do not tell KVM what they
 * access. No bus has registers for them: the guest is told of an error there.
 */
static enum machine_end bus_error(const struct vcpu *vcpu)
{
	const struct kvm_vcpu_events events = {
		.exception.ext_dabt_pending = 1,
	};

	if (ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) == 0)
		return END_NONE;
	report("vCPU %u: cannot tell the guest of its access to 0x%llx: %s",
	       vcpu->index, vcpu->run->arm_nisv.fault_ipa, strerror(errno));
	vcpu_print_registers(vcpu);
	return END_FAILED;
}

bool vcpu_exit_of_board(struct vcpu *vcpu, enum machine_end *why)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_SYSTEM_EVENT:
		return system_event(vcpu, why);
	case KVM_EXIT_ARM_NISV:
		*why = bus_error(vcpu);
		return true;
	default:
		return false;
	}
}
