// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../array.h"
#include "kvm.h"
#include "kvm_board.h"
#include "layout.h"
#include "report.h"

static const struct kvm_needed needed[] = {
	{ KVM_CAP_PIT2, "KVM_CAP_PIT2" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
};

static unsigned long vm_type(const struct kvm *kvm)
{
	(void)kvm;
	return 0;
}

/*
 * As on a PC: interrupt 0, the PIT's, is at pin 2 of the IOAPIC (the ACPI
 * tables say so), and the others are where their numbers are.
 */
int kvm_set_routes(struct kvm *kvm, const struct kvm_irq_routing_entry *entries,
		   unsigned int nr)
{
	struct kvm_irq_routing *routing;
	struct kvm_irq_routing_entry *entry;
	unsigned int gsi;
	int ret;

	/* Those of the ISA bus go to a PIC as well. */
	routing = calloc(1, sizeof(*routing) +
			 (16 + NR_IOAPIC_PINS + nr) * sizeof(*entry));
	if (!routing)
		return -ENOMEM;

	entry = routing->entries;
	for (gsi = 0; gsi < NR_IOAPIC_PINS; gsi++) {
		/* The PICs are cascaded there, and interrupt 0 comes in. */
		if (gsi == GSI_PIT)
			continue;
		if (gsi < 16) {
			entry->gsi = gsi;
			entry->type = KVM_IRQ_ROUTING_IRQCHIP;
			entry->u.irqchip.irqchip = gsi < 8 ?
				KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
			entry->u.irqchip.pin = gsi % 8;
			entry++;
		}
		entry->gsi = gsi;
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		entry->u.irqchip.pin = gsi ? gsi : GSI_PIT;
		entry++;
	}
	for (; nr; nr--)
		*entry++ = *entries++;
	routing->nr = entry - routing->entries;

	ret = ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, routing) < 0 ? -errno : 0;
	free(routing);
	return ret;
}

static int init_vm(struct kvm *kvm)
{
	uint64_t identity_map = KVM_IDENTITY_MAP_ADDR;
	/* Port 0x61 is KVM's, too: Linux calibrates clocks with it. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	const char *step;

	step = "KVM_SET_IDENTITY_MAP_ADDR";
	if (ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
		goto failed;
	step = "KVM_SET_TSS_ADDR";
	if (ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, KVM_TSS_ADDR) < 0)
		goto failed;
	step = "KVM_CREATE_IRQCHIP";
	if (ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, 0) < 0)
		goto failed;
	step = "KVM_CREATE_PIT2";
	if (ioctl(kvm->vm_fd, KVM_CREATE_PIT2, &pit) < 0)
		goto failed;
	step = "KVM_SET_GSI_ROUTING";
	if (kvm_set_routes(kvm, NULL, 0) < 0)
		goto failed;
	return 0;

failed:
	report("%s: %s", step, strerror(errno));
	return -errno;
}

void kvm_set_irq(struct kvm *kvm, unsigned int gsi, bool level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	if (ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line) < 0)
		report("cannot set interrupt %u: %s", gsi, strerror(errno));
}

const struct kvm_board kvm_board = {
	.how_to_get = "enable virtualization in the firmware; modprobe kvm-intel or kvm-amd",
	.needed = needed,
	.nr_needed = ARRAY_SIZE(needed),
	.vm_type = vm_type,
	.init_vm = init_vm,
};
