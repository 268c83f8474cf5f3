// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of KVM's that have come after the windows, and are inside of them.
 *
 * KVM tries ranges one after the other as long as they match, beginning with the
 * first that does. Behind a window there may be others' that do not match, and
 * then the one that does is never reached. So a window looks for it itself, where
 * it has nothing better to do with an access.
 */
#include <linux/kvm_host.h>

#include <kvm/iodev.h>

#include "access.h"
#include "bytes.h"
#include "kvm_bus.h"

static bool mregion_pass_is_ours(const struct kvm_io_device *dev)
{
	const struct kvm_io_device_ops *ops = READ_ONCE(dev->ops);

	return ops == &mregion_bus_ops || ops == &mregion_bus_port_ops ||
	       ops == &mregion_bus_smm_ops || ops == &mregion_bus_inert_ops;
}

/* As KVM compares. */
static bool mregion_pass_matches(const struct kvm_io_range *range,
				 const struct mregion_request *request)
{
	if (!range->len)
		return range->addr == request->addr;
	return request->addr >= range->addr &&
	       request->addr + request->len <= range->addr + range->len;
}

static bool mregion_pass_to(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,
			    struct mregion_request *request)
{
	u64 val = 0;

	if (request->write) {
		mregion_save(&val, request->len, request->data);
		return !kvm_iodevice_write(vcpu, dev, request->addr,
					   request->len, &val);
	}
	if (kvm_iodevice_read(vcpu, dev, request->addr, request->len, &val))
		return false;
	request->data = mregion_load(&val, request->len);
	return true;
}

/**
 * mregion_bus_pass() - offer an access to devices that KVM may miss
 * @vcpu: whose access it is; in its SRCU section
 * @index: on which bus
 * @request: the access; has the data of a read on return
 *
 * Return: whether one of them has made it.
 */
bool mregion_bus_pass(struct kvm_vcpu *vcpu, enum kvm_bus index,
		      struct mregion_request *request)
{
	const struct kvm_io_bus *bus;
	int i;

	/* as only a guest with encrypted registers can make it */
	if (request->len > sizeof(u64))
		return false;
	bus = srcu_dereference(vcpu->kvm->buses[index], &vcpu->kvm->srcu);
	for (i = 0; bus && i < bus->dev_count; i++) {
		const struct kvm_io_range *range = &bus->range[i];

		if (!mregion_pass_is_ours(range->dev) &&
		    mregion_pass_matches(range, request) &&
		    mregion_pass_to(vcpu, range->dev, request))
			return true;
	}
	return false;
}
