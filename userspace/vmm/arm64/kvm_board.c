// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../array.h"
#include "ipa.h"
#include "kvm.h"
#include "kvm_board.h"
#include "report.h"

static const struct kvm_needed needed[] = {
	{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG" },
	{ KVM_CAP_DEVICE_CTRL, "KVM_CAP_DEVICE_CTRL" },
	{ KVM_CAP_ARM_PSCI_0_2, "KVM_CAP_ARM_PSCI_0_2" },
	{ KVM_CAP_ARM_VM_IPA_SIZE, "KVM_CAP_ARM_VM_IPA_SIZE" },
	{ KVM_CAP_ARM_NISV_TO_USER, "KVM_CAP_ARM_NISV_TO_USER" },
	{ KVM_CAP_ARM_INJECT_EXT_DABT, "KVM_CAP_ARM_INJECT_EXT_DABT" },
};

static unsigned long vm_type(const struct kvm *kvm)
{
	return KVM_VM_TYPE_ARM_IPA_SIZE(ipa_bits(kvm));
}

static int init_vm(struct kvm *kvm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	/* Else KVM_RUN fails where the guest can go on, see registers.c. */
	if (ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &cap) < 0) {
		report("KVM_CAP_ARM_NISV_TO_USER: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

/* Lines need no routes: KVM_IRQ_LINE names an interrupt of the GIC's. */
int kvm_set_routes(struct kvm *kvm, const struct kvm_irq_routing_entry *entries,
		   unsigned int nr)
{
	struct kvm_irq_routing *routing;
	int ret;

	routing = calloc(1, sizeof(*routing) + nr * sizeof(*entries));
	if (!routing)
		return -ENOMEM;
	memcpy(routing->entries, entries, nr * sizeof(*entries));
	routing->nr = nr;
	ret = ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, routing) < 0 ? -errno : 0;
	free(routing);
	return ret;
}

void kvm_set_irq(struct kvm *kvm, unsigned int gsi, bool level)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | gsi,
		.level = level,
	};

	if (ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line) < 0)
		report("cannot set interrupt %u: %s", gsi, strerror(errno));
}

const struct kvm_board kvm_board = {
	.how_to_get = "the kernel has to be started in EL2",
	.needed = needed,
	.nr_needed = ARRAY_SIZE(needed),
	.vm_type = vm_type,
	.init_vm = init_vm,
};
