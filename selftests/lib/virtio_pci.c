// SPDX-License-Identifier: GPL-2.0
/* mregion-vmm's virtio devices on PCI: what Bus Master Enable is for. */
#include <kselftest_harness.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/eventfd.h>

#include "fixture.h"
#include "irqfd.h"
#include "kvm.h"
#include "report.h"
#include "virtio_pci.h"
#include "virtio_rng.h"

/* The queue's vector, and where its control register is */
#define VECTOR		1
#define CONTROL		(VECTOR * PCI_MSIX_ENTRY_SIZE + \
			 PCI_MSIX_ENTRY_VECTOR_CTRL)

void report(const char *format, ...)
{
	(void)format;
}

int kvm_set_routes(struct kvm *kvm, const struct kvm_irq_routing_entry *entries,
		   unsigned int nr)
{
	(void)kvm;
	(void)entries;
	(void)nr;
	return 0;
}

FIXTURE(virtio_pci)
{
	struct mregion_machine machine;
	struct kvm kvm;
	struct irqfds irqfds;
	struct pci_bus bus;
	struct virtio virtio;
	struct virtio_pci pci;
	atomic_bool copy;
};

FIXTURE_SETUP(virtio_pci)
{
	const struct virtio_face face = { 0 };
	const struct virtio_pci_params params = {
		.type = &virtio_rng_type,
		.face = &face,
		.virtio = &self->virtio,
		.master = &self->copy,
	};
	struct mregion_region *memory;

	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	fixture_ioctl = fixture_kernel;
	irqfds_init(&self->irqfds, &self->kvm);
	memory = mregion_new_container(&self->machine, "pci", 0);
	ASSERT_NE(NULL, memory);
	pci_bus_init(&self->bus, &self->machine, memory, memory);
	virtio_init(&self->virtio, params.type, &face, NULL);
	ASSERT_EQ(0, virtio_pci_init(&self->pci, &self->bus, &self->irqfds,
				     &params));
}

FIXTURE_TEARDOWN(virtio_pci)
{
	virtio_stop(&self->virtio);
	virtio_pci_exit(&self->pci);
	irqfds_exit(&self->irqfds);
	pci_bus_exit(&self->bus);
	fixture_destroy(&self->machine);
}

static void set_command(struct pci_bus *bus, uint16_t value)
{
	pci_config_write(bus, 0, PCI_COMMAND, value, 2);
}

/* The device learns of it, wherever it is, and looks at its queues. */
TEST_F(virtio_pci, master)
{
	eventfd_t count;

	set_command(&self->bus, PCI_COMMAND_MEMORY);
	EXPECT_FALSE(atomic_load(&self->pci.master));
	EXPECT_NE(0, eventfd_read(self->pci.kicks[0], &count));
	set_command(&self->bus, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	EXPECT_TRUE(atomic_load(&self->pci.master));
	EXPECT_TRUE(atomic_load(&self->copy));
	EXPECT_EQ(0, eventfd_read(self->pci.kicks[0], &count));
	/* Once. */
	set_command(&self->bus, PCI_COMMAND_MASTER);
	EXPECT_NE(0, eventfd_read(self->pci.kicks[0], &count));
	set_command(&self->bus, 0);
	EXPECT_FALSE(atomic_load(&self->pci.master));
	EXPECT_FALSE(atomic_load(&self->copy));
	EXPECT_NE(0, eventfd_read(self->pci.kicks[0], &count));
}

/* Messages are writes to memory: they wait, as if they were masked. */
TEST_F(virtio_pci, messages)
{
	unsigned int flags = self->pci.msix.capability + PCI_MSIX_FLAGS;
	struct mregion_region *table = self->pci.msix.table_region;
	unsigned int irq = self->pci.msix.irqs[VECTOR];

	table->ops->write(table->opaque, CONTROL, 0, 4);
	pci_config_write(&self->bus, 0, flags, PCI_MSIX_FLAGS_ENABLE, 2);
	EXPECT_FALSE(self->irqfds.irqs[irq].connected);
	set_command(&self->bus, PCI_COMMAND_MASTER);
	EXPECT_TRUE(self->irqfds.irqs[irq].connected);
	set_command(&self->bus, 0);
	EXPECT_FALSE(self->irqfds.irqs[irq].connected);
	ASSERT_EQ(0, eventfd_write(msix_fd(&self->pci.msix, VECTOR), 1));
	EXPECT_TRUE(irqfd_pending(&self->irqfds, irq));
	/* In one write with what is before and after it. */
	pci_config_write(&self->bus, 0, PCI_COMMAND, PCI_COMMAND_MASTER, 4);
	EXPECT_TRUE(self->irqfds.irqs[irq].connected);
	EXPECT_FALSE(irqfd_pending(&self->irqfds, irq));
	/* Masked is masked. */
	table->ops->write(table->opaque, CONTROL, 1, 4);
	EXPECT_FALSE(self->irqfds.irqs[irq].connected);
}

TEST_HARNESS_MAIN
