// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../array.h"
#include "kvm.h"
#include "kvm_board.h"
#include "report.h"

static const struct kvm_needed always_needed[] = {
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM" },
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
		report("cannot open /dev/kvm: KVM is not there (%s)",
		       kvm_board.how_to_get);
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

static int kvm_check_needed(struct kvm *kvm, const struct kvm_needed *needed,
			    size_t nr)
{
	for (; nr; nr--, needed++) {
		if (ioctl(kvm->kvm_fd, KVM_CHECK_EXTENSION,
			  needed->capability) > 0)
			continue;
		report("this kernel's KVM lacks %s; a newer kernel is needed",
		       needed->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int kvm_check(struct kvm *kvm)
{
	int value = ioctl(kvm->kvm_fd, KVM_GET_API_VERSION, 0);
	int error;

	if (value != KVM_API_VERSION) {
		report("/dev/kvm speaks API version %d, %d is needed", value,
		       KVM_API_VERSION);
		return -EPROTO;
	}

	error = kvm_check_needed(kvm, always_needed, ARRAY_SIZE(always_needed));
	if (!error)
		error = kvm_check_needed(kvm, kvm_board.needed,
					 kvm_board.nr_needed);
	if (error)
		return error;

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

static int kvm_create_vm(struct kvm *kvm)
{
	unsigned long type = kvm_board.vm_type(kvm);

	do {
		/* An interrupted KVM_CREATE_VM has done nothing. */
		kvm->vm_fd = ioctl(kvm->kvm_fd, KVM_CREATE_VM, type);
	} while (kvm->vm_fd < 0 && errno == EINTR);
	if (kvm->vm_fd < 0) {
		report("KVM_CREATE_VM: %s", strerror(errno));
		return -errno;
	}
	return kvm_board.init_vm(kvm);
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
