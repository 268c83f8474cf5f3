// SPDX-License-Identifier: GPL-2.0
/*
 * A device on KVM's buses that does nothing: what an access costs before
 * anybody has done anything about it. Or nothing but signal an eventfd: what a
 * doorbell costs before anybody has found it. For measuring; of no other use.
 *
 * KVM does not export kvm_io_bus_register_dev(). What is done here instead is
 * explained in module/kvm_bus.c.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <kvm/iodev.h>

#include "compat.h"
#include "floor.h"

struct floor_device {
	struct kvm_io_device dev;
	struct eventfd_ctx *eventfd;
};

static int floor_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
		      gpa_t addr, int len, void *val)
{
	return 0;
}

static int floor_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
		       gpa_t addr, int len, const void *val)
{
	return 0;
}

static int floor_signal(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
			gpa_t addr, int len, const void *val)
{
	mregion_eventfd_signal(container_of(dev, struct floor_device,
					    dev)->eventfd);
	return 0;
}

static void floor_free(struct floor_device *device)
{
	if (device->eventfd)
		eventfd_ctx_put(device->eventfd);
	kfree(device);
}

static void floor_destructor(struct kvm_io_device *dev)
{
	floor_free(container_of(dev, struct floor_device, dev));
	module_put(THIS_MODULE);
}

static const struct kvm_io_device_ops floor_ops = {
	.read		= floor_read,
	.write		= floor_write,
	.destructor	= floor_destructor,
};

static const struct kvm_io_device_ops floor_signal_ops = {
	.read		= floor_read,
	.write		= floor_signal,
	.destructor	= floor_destructor,
};

/* Whether a range of the bus has an address that is to be claimed. */
static bool floor_overlaps(const struct kvm_io_range *range,
			   const struct floor_claim *claim)
{
	return range->addr < claim->addr + claim->len &&
	       claim->addr < range->addr + range->len;
}

static int floor_insert(struct kvm *kvm, const struct floor_claim *claim,
			struct kvm_io_device *dev)
{
	enum kvm_bus index = claim->bus ? KVM_PIO_BUS : KVM_MMIO_BUS;
	struct kvm_io_bus *old, *new;
	bool placed = false;
	int i;

	lockdep_assert_held(&kvm->slots_lock);
	old = rcu_dereference_protected(kvm->buses[index],
					lockdep_is_held(&kvm->slots_lock));
	if (!old)
		return -ENOMEM;
	for (i = 0; i < old->dev_count; i++)
		if (floor_overlaps(&old->range[i], claim))
			return -EBUSY;
	new = kzalloc(struct_size(new, range, old->dev_count + 1),
		      GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->ioeventfd_count = old->ioeventfd_count;
	for (i = 0; i <= old->dev_count; i++) {
		if (!placed && (i == old->dev_count ||
				old->range[i].addr > claim->addr)) {
			new->range[new->dev_count++] = (struct kvm_io_range) {
				.addr = claim->addr,
				.len = claim->len,
				.dev = dev,
			};
			placed = true;
		}
		if (i < old->dev_count)
			new->range[new->dev_count++] = old->range[i];
	}
	rcu_assign_pointer(kvm->buses[index], new);
	synchronize_srcu_expedited(&kvm->srcu);
	kfree(old);
	return 0;
}

static struct floor_device *floor_alloc(const struct floor_claim *claim)
{
	struct floor_device *device;

	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return ERR_PTR(-ENOMEM);
	kvm_iodevice_init(&device->dev, &floor_ops);
	if (claim->eventfd >= 0) {
		struct eventfd_ctx *eventfd = eventfd_ctx_fdget(claim->eventfd);

		if (IS_ERR(eventfd)) {
			kfree(device);
			return ERR_CAST(eventfd);
		}
		device->eventfd = eventfd;
		kvm_iodevice_init(&device->dev, &floor_signal_ops);
	}
	return device;
}

static int floor_claim(struct kvm *kvm, const struct floor_claim *claim)
{
	struct floor_device *device;
	int ret;

	if (kvm->mm != current->mm)
		return -EPERM;
	if (!claim->len || claim->len > INT_MAX || claim->bus > 1)
		return -EINVAL;
	device = floor_alloc(claim);
	if (IS_ERR(device))
		return PTR_ERR(device);
	mutex_lock(&kvm->slots_lock);
	ret = floor_insert(kvm, claim, &device->dev);
	if (!ret)
		__module_get(THIS_MODULE);
	mutex_unlock(&kvm->slots_lock);
	if (ret)
		floor_free(device);
	return ret;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct floor_claim claim;
	struct file *vm;
	int ret = -EINVAL;

	if (cmd != FLOOR_CLAIM)
		return -ENOTTY;
	if (copy_from_user(&claim, (void __user *)arg, sizeof(claim)))
		return -EFAULT;
	vm = fget(claim.vm_fd);
	if (!vm)
		return -EBADF;
	if (mregion_file_is_kvm(vm))
		ret = floor_claim(vm->private_data, &claim);
	fput(vm);
	return ret;
}

static const struct file_operations floor_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= floor_ioctl,
};

static struct miscdevice floor_miscdev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "mregion-floor",
	.fops	= &floor_fops,
	.mode	= 0600,
};
module_misc_device(floor_miscdev);

MODULE_DESCRIPTION("A device on KVM's buses that does nothing");
MODULE_LICENSE("GPL");
