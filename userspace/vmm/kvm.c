// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../array.h"
#include "kvm.h"
#include "layout.h"
#include "report.h"

static const struct {
	int capability;
	const char *name;
} needed[] = {
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_PIT2, "KVM_CAP_PIT2" },
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
};

static int kvm_open_device(struct kvm *kvm)
{
	kvm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->kvm_fd >= 0)
		return 0;

	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		report("cannot open /dev/kvm: KVM is not there (enable virtualization in the firmware; modprobe kvm-intel or kvm-amd)");
		break;
	case EACCES:
	case EPERM:
		report("cannot open /dev/kvm: no permission (it takes root, or membership of the group kvm)");
		break;
	default:
		report("cannot open /dev/kvm: %s", strerror(errno));
	}
	return -errno;
}

static int kvm_check(struct kvm *kvm)
{
	int value = ioctl(kvm->kvm_fd, KVM_GET_API_VERSION, 0);
	size_t i;

	if (value != KVM_API_VERSION) {
		report("/dev/kvm speaks API version %d, %d is needed", value,
		       KVM_API_VERSION);
		return -EPROTO;
	}

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		value = ioctl(kvm->kvm_fd, KVM_CHECK_EXTENSION,
			      needed[i].capability);
		if (value > 0)
			continue;
		report("this kernel's KVM lacks %s; a newer kernel is needed",
		       needed[i].name);
		return -EOPNOTSUPP;
	}

	value = ioctl(kvm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	kvm->max_vcpus = value > 0 ? value : 1;
	value = ioctl(kvm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	kvm->max_slots = value > 0 ? value : 32;

	value = ioctl(kvm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (value < (int)sizeof(struct kvm_run)) {
		report("KVM_GET_VCPU_MMAP_SIZE: %s",
		       value < 0 ? strerror(errno) : "too small");
		return value < 0 ? -errno : -EPROTO;
	}
	kvm->run_size = value;
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

static int kvm_create_vm(struct kvm *kvm)
{
	uint64_t identity_map = KVM_IDENTITY_MAP_ADDR;
	/* Port 0x61 is KVM's, too: Linux calibrates clocks with it. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	const char *step;

	do {
		/* An interrupted KVM_CREATE_VM has done nothing. */
		kvm->vm_fd = ioctl(kvm->kvm_fd, KVM_CREATE_VM, 0);
	} while (kvm->vm_fd < 0 && errno == EINTR);

	step = "KVM_CREATE_VM";
	if (kvm->vm_fd < 0)
		goto failed;
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

int kvm_open(struct kvm *kvm)
{
	int error;

	*kvm = (struct kvm){ .kvm_fd = -1, .vm_fd = -1 };
	error = kvm_open_device(kvm);
	if (!error)
		error = kvm_check(kvm);
	if (!error)
		error = kvm_create_vm(kvm);
	if (error)
		kvm_close(kvm);
	return error;
}

void kvm_close(struct kvm *kvm)
{
	if (kvm->vm_fd >= 0)
		close(kvm->vm_fd);
	if (kvm->kvm_fd >= 0)
		close(kvm->kvm_fd);
	kvm->vm_fd = -1;
	kvm->kvm_fd = -1;
}

void kvm_set_irq(struct kvm *kvm, unsigned int gsi, bool level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	if (ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line) < 0)
		report("cannot set interrupt %u: %s", gsi, strerror(errno));
}
