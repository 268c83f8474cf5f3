// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "irqfd.h"
#include "kvm.h"
#include "layout.h"
#include "report.h"

void irqfds_init(struct irqfds *irqfds, struct kvm *kvm)
{
	pthread_mutex_init(&irqfds->lock, NULL);
	irqfds->kvm = kvm;
}

void irqfds_exit(struct irqfds *irqfds)
{
	while (irqfds->nr)
		close(irqfds->irqs[--irqfds->nr].fd);
	if (irqfds->kvm)
		pthread_mutex_destroy(&irqfds->lock);
	irqfds->kvm = NULL;
}

int irqfd_new(struct irqfds *irqfds)
{
	unsigned int index = irqfds->nr;
	int fd;

	if (index == IRQFD_MAX) {
		report("the devices have too many interrupts: %u are possible",
		       IRQFD_MAX);
		return -REPORTED;
	}
	/* Not to be waited for by a device that signals it too often. */
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		report("cannot create an eventfd: %s", strerror(errno));
		return -REPORTED;
	}
	irqfds->irqs[index].fd = fd;
	irqfds->nr++;
	return index;
}

int irqfd_fd(const struct irqfds *irqfds, unsigned int index)
{
	return irqfds->irqs[index].fd;
}

static int set_routes(struct irqfds *irqfds)
{
	struct kvm_irq_routing_entry entries[IRQFD_MAX] = {};
	unsigned int i, nr = 0;

	for (i = 0; i < irqfds->nr; i++) {
		if (!irqfds->irqs[i].connected)
			continue;
		entries[nr].gsi = FIRST_MSI_GSI + i;
		entries[nr].type = KVM_IRQ_ROUTING_MSI;
		if (irqfds->kvm->msi_devid)
			entries[nr].flags = KVM_MSI_VALID_DEVID;
		entries[nr].u.msi = irqfds->irqs[i].message;
		nr++;
	}
	return kvm_set_routes(irqfds->kvm, entries, nr);
}

static int assign(struct irqfds *irqfds, unsigned int index, bool on)
{
	struct kvm_irqfd irqfd = {
		.fd = irqfds->irqs[index].fd,
		.gsi = FIRST_MSI_GSI + index,
		.flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return ioctl(irqfds->kvm->vm_fd, KVM_IRQFD, &irqfd) < 0 ? -errno : 0;
}

/*
 * KVM sends what was signalled before, but leaves the count where it is: it would
 * be pending for ever. What is signalled from now on KVM takes at once.
 */
static void forget_signals(struct irqfds *irqfds, unsigned int index)
{
	eventfd_t count;

	/* It fails if there were none. */
	if (eventfd_read(irqfds->irqs[index].fd, &count))
		return;
}

int irqfd_connect(struct irqfds *irqfds, unsigned int index,
		  const struct irq_message *message)
{
	const struct kvm_irq_routing_msi route = {
		.address_lo = message->address,
		.address_hi = message->address >> 32,
		.data = message->data,
		.devid = irqfds->kvm->msi_devid ? message->device : 0,
	};
	bool was, same;
	int error = 0;

	pthread_mutex_lock(&irqfds->lock);
	was = irqfds->irqs[index].connected;
	same = !memcmp(&irqfds->irqs[index].message, &route, sizeof(route));
	if (!was || !same) {
		irqfds->irqs[index].message = route;
		irqfds->irqs[index].connected = true;
		error = set_routes(irqfds);
	}
	if (!error && !was)
		error = assign(irqfds, index, true);
	if (!error && !was)
		forget_signals(irqfds, index);
	if (error) {
		report("cannot route an interrupt: %s", strerror(-error));
		/* Signals shall wait, not go where the old route leads. */
		if (was)
			assign(irqfds, index, false);
		irqfds->irqs[index].connected = false;
	}
	pthread_mutex_unlock(&irqfds->lock);
	return error;
}

void irqfd_disconnect(struct irqfds *irqfds, unsigned int index)
{
	/* Its route may stay: nobody takes it any more. */
	pthread_mutex_lock(&irqfds->lock);
	if (irqfds->irqs[index].connected)
		assign(irqfds, index, false);
	irqfds->irqs[index].connected = false;
	pthread_mutex_unlock(&irqfds->lock);
}

bool irqfd_pending(const struct irqfds *irqfds, unsigned int index)
{
	struct pollfd polled = {
		.fd = irqfds->irqs[index].fd,
		.events = POLLIN,
	};

	return poll(&polled, 1, 0) > 0;
}
