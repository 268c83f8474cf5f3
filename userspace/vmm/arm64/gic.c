// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gic.h"
#include "kvm.h"
#include "layout.h"
#include "report.h"

/* Return: a descriptor, or a negative errno. The device stays when it is closed. */
static int create(struct kvm *kvm, uint32_t type, const char *name)
{
	struct kvm_create_device device = { .type = type };

	if (ioctl(kvm->vm_fd, KVM_CREATE_DEVICE, &device) == 0)
		return device.fd;
	report("this host's KVM cannot emulate a %s: %s", name, strerror(errno));
	return -errno;
}

static int set(int fd, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr device_attr = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &device_attr) < 0 ? -errno : 0;
}

static int set_addr(int fd, uint64_t type, uint64_t addr)
{
	return set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, type, &addr);
}

static int init(int fd)
{
	return set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
		   NULL);
}

static int create_gic(struct kvm *kvm)
{
	int fd = create(kvm, KVM_DEV_TYPE_ARM_VGIC_V3, "GICv3");
	uint32_t nr_irqs = GIC_NR_IRQS;
	int error;

	if (fd < 0)
		return fd;
	error = set_addr(fd, KVM_VGIC_V3_ADDR_TYPE_DIST, GICD_ADDR);
	if (!error)
		error = set_addr(fd, KVM_VGIC_V3_ADDR_TYPE_REDIST, GICR_ADDR);
	if (!error)
		error = set(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	if (!error)
		error = init(fd);
	if (error)
		report("cannot set the GICv3 up: %s", strerror(-error));
	close(fd);
	return error;
}

static int create_its(struct kvm *kvm)
{
	int fd = create(kvm, KVM_DEV_TYPE_ARM_VGIC_ITS, "GICv3's ITS");
	int error;

	if (fd < 0)
		return fd;
	error = set_addr(fd, KVM_VGIC_ITS_ADDR_TYPE, ITS_ADDR);
	if (!error)
		error = init(fd);
	if (error)
		report("cannot set the GICv3's ITS up: %s", strerror(-error));
	else
		kvm->msi_devid = true;
	close(fd);
	return error;
}

int gic_create(struct kvm *kvm)
{
	int error = create_gic(kvm);

	return error ? error : create_its(kvm);
}
