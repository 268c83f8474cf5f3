// SPDX-License-Identifier: GPL-2.0
/* mregion-vmm's interrupts: what is pending while they are not connected. */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "irqfd.h"
#include "kvm.h"
#include "report.h"

/* Interrupts that KVM has sent; like it, this does not change the count. */
static unsigned int sent;
static bool connected;

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct kvm_irqfd *irqfd;
	struct irqfds there;
	va_list args;

	(void)fd;
	va_start(args, request);
	irqfd = va_arg(args, void *);
	va_end(args);
	if (request != KVM_IRQFD) {
		errno = ENOTTY;
		return -1;
	}
	connected = !(irqfd->flags & KVM_IRQFD_FLAG_DEASSIGN);
	there.irqs[0].fd = irqfd->fd;
	sent += connected && irqfd_pending(&there, 0);
	return 0;
}

/* What KVM was told last */
static struct kvm_irq_routing_entry routes[IRQFD_MAX];
static unsigned int nr_routes;

int kvm_set_routes(struct kvm *kvm, const struct kvm_irq_routing_entry *entries,
		   unsigned int nr)
{
	(void)kvm;
	memcpy(routes, entries, nr * sizeof(*entries));
	nr_routes = nr;
	return 0;
}

void report(const char *format, ...)
{
	(void)format;
}

/* What waited is sent once, and does not wait any more. */
TEST(pending)
{
	const struct irq_message message = { .address = 0xfee00000 };
	struct kvm kvm = { .vm_fd = -1 };
	struct irqfds irqfds = { 0 };
	int index;

	irqfds_init(&irqfds, &kvm);
	index = irqfd_new(&irqfds);
	ASSERT_EQ(0, index);
	EXPECT_FALSE(irqfd_pending(&irqfds, index));
	ASSERT_EQ(0, eventfd_write(irqfd_fd(&irqfds, index), 3));
	EXPECT_TRUE(irqfd_pending(&irqfds, index));
	ASSERT_EQ(0, irqfd_connect(&irqfds, index, &message));
	EXPECT_TRUE(connected);
	EXPECT_EQ(1, sent);
	EXPECT_FALSE(irqfd_pending(&irqfds, index));

	irqfd_disconnect(&irqfds, index);
	EXPECT_FALSE(connected);
	ASSERT_EQ(0, irqfd_connect(&irqfds, index, &message));
	EXPECT_EQ(1, sent);

	/* Nor when a hostile process has filled the counter. */
	irqfd_disconnect(&irqfds, index);
	ASSERT_EQ(0, eventfd_write(irqfd_fd(&irqfds, index), UINT64_MAX - 1));
	ASSERT_EQ(0, irqfd_connect(&irqfds, index, &message));
	EXPECT_EQ(2, sent);
	EXPECT_EQ(0, eventfd_write(irqfd_fd(&irqfds, index), 1));
	irqfds_exit(&irqfds);
}

/* Who sends a message is told where KVM looks at that, and nowhere else. */
TEST(device)
{
	const struct irq_message message = {
		.address = 0x108080040, .data = 5, .device = 0x18,
	};
	struct kvm kvm = { .vm_fd = -1 };
	struct irqfds irqfds = { 0 };
	unsigned int devid;

	for (devid = 0; devid < 2; devid++) {
		kvm.msi_devid = devid;
		memset(&irqfds, 0, sizeof(irqfds));
		irqfds_init(&irqfds, &kvm);
		ASSERT_EQ(0, irqfd_new(&irqfds));
		ASSERT_EQ(0, irqfd_connect(&irqfds, 0, &message));
		EXPECT_EQ(1, nr_routes);
		EXPECT_EQ(KVM_IRQ_ROUTING_MSI, routes[0].type);
		EXPECT_EQ(0x08080040, routes[0].u.msi.address_lo);
		EXPECT_EQ(1, routes[0].u.msi.address_hi);
		EXPECT_EQ(5, routes[0].u.msi.data);
		EXPECT_EQ(devid ? KVM_MSI_VALID_DEVID : 0, routes[0].flags);
		EXPECT_EQ(devid ? 0x18 : 0, routes[0].u.msi.devid);
		irqfds_exit(&irqfds);
	}
}

TEST_HARNESS_MAIN
