// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/pci.h>
#include <string.h>

#include <mregion.h>

#include "irqfd.h"
#include "msix.h"
#include "pci.h"

#define WORD_ADDRESS_LOW	(PCI_MSIX_ENTRY_LOWER_ADDR / 4)
#define WORD_ADDRESS_HIGH	(PCI_MSIX_ENTRY_UPPER_ADDR / 4)
#define WORD_DATA		(PCI_MSIX_ENTRY_DATA / 4)
#define WORD_CONTROL		(PCI_MSIX_ENTRY_VECTOR_CTRL / 4)

static bool function_on(const struct msix *msix)
{
	uint16_t flags = pci_get16(msix->function,
				   msix->capability + PCI_MSIX_FLAGS);

	/* A message is a write to memory. */
	if (!(pci_get16(msix->function, PCI_COMMAND) & PCI_COMMAND_MASTER))
		return false;
	return (flags & (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL)) ==
	       PCI_MSIX_FLAGS_ENABLE;
}

static void update_vector(struct msix *msix, unsigned int vector)
{
	const uint32_t *entry = msix->table[vector];
	const struct irq_message message = {
		.address = entry[WORD_ADDRESS_LOW] |
			   (uint64_t)entry[WORD_ADDRESS_HIGH] << 32,
		.data = entry[WORD_DATA],
		.device = PCI_DEVFN(msix->function->device, 0),
	};

	/* On failure, reported, it stays disconnected: as if masked. */
	if (function_on(msix) &&
	    !(entry[WORD_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT))
		irqfd_connect(msix->irqfds, msix->irqs[vector], &message);
	else
		irqfd_disconnect(msix->irqfds, msix->irqs[vector]);
}

static uint64_t table_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct msix *msix = opaque;
	uint32_t value;

	(void)len;
	pthread_mutex_lock(&msix->function->bus->lock);
	value = msix->table[offset / PCI_MSIX_ENTRY_SIZE]
			   [offset / 4 % MSIX_ENTRY_WORDS];
	pthread_mutex_unlock(&msix->function->bus->lock);
	return value;
}

static void table_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct msix *msix = opaque;
	unsigned int vector = offset / PCI_MSIX_ENTRY_SIZE;
	unsigned int word = offset / 4 % MSIX_ENTRY_WORDS;

	(void)len;
	if (word == WORD_CONTROL)
		data &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
	pthread_mutex_lock(&msix->function->bus->lock);
	msix->table[vector][word] = data;
	update_vector(msix, vector);
	pthread_mutex_unlock(&msix->function->bus->lock);
}

static uint64_t pending_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct msix *msix = opaque;
	uint32_t bits = 0;
	unsigned int i;

	(void)len;
	pthread_mutex_lock(&msix->function->bus->lock);
	for (i = 0; !offset && i < msix->nr; i++)
		if (irqfd_pending(msix->irqfds, msix->irqs[i]))
			bits |= 1u << i;
	pthread_mutex_unlock(&msix->function->bus->lock);
	return bits;
}

/* Software accesses both by 4 or 8 bytes, says the PCI specification. */
static const struct mregion_ops table_ops = {
	.read = table_read,
	.write = table_write,
	.constraints = {
		.valid_min = 4,
		.valid_max = 8,
		.impl_min = 4,
		.impl_max = 4,
	},
};

static const struct mregion_ops pending_ops = {
	.read = pending_read,
	.constraints = {
		.valid_min = 4,
		.valid_max = 8,
		.impl_min = 4,
		.impl_max = 4,
	},
};

static int add_capability(struct msix *msix, unsigned int bar, uint32_t table,
			  uint32_t pending)
{
	uint8_t body[PCI_CAP_MSIX_SIZEOF] = { PCI_CAP_ID_MSIX };
	uint16_t flags = msix->nr - 1;
	uint16_t writable = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL;
	int offset;

	table |= bar;
	pending |= bar;
	memcpy(body + PCI_MSIX_FLAGS, &flags, sizeof(flags));
	memcpy(body + PCI_MSIX_TABLE, &table, sizeof(table));
	memcpy(body + PCI_MSIX_PBA, &pending, sizeof(pending));
	offset = pci_add_capability(msix->function, body, sizeof(body));
	if (offset < 0)
		return offset;
	memcpy(msix->function->writable + offset + PCI_MSIX_FLAGS, &writable,
	       sizeof(writable));
	msix->capability = offset;
	return 0;
}

int msix_init(struct msix *msix, struct pci_function *function,
	      struct irqfds *irqfds, unsigned int nr, unsigned int bar,
	      struct mregion_region *parent, uint32_t table, uint32_t pending)
{
	struct mregion_machine *machine = function->bus->machine;
	unsigned int i;
	int error;

	msix->function = function;
	msix->irqfds = irqfds;
	for (i = 0; i < nr; i++) {
		int irq = irqfd_new(irqfds);

		if (irq < 0)
			return irq;
		msix->irqs[i] = irq;
		msix->table[i][WORD_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	msix->nr = nr;
	error = add_capability(msix, bar, table, pending);
	if (error)
		return error;

	msix->table_region = mregion_new_mmio(machine, "msix-table",
					      nr * PCI_MSIX_ENTRY_SIZE,
					      &table_ops, msix);
	if (!msix->table_region)
		return -errno;
	error = mregion_map(parent, msix->table_region, table, 0);
	if (error)
		return error;
	msix->pending_region = mregion_new_mmio(machine, "msix-pending", 8,
						&pending_ops, msix);
	if (!msix->pending_region)
		return -errno;
	return mregion_map(parent, msix->pending_region, pending, 0);
}

int msix_fd(const struct msix *msix, unsigned int vector)
{
	return irqfd_fd(msix->irqfds, msix->irqs[vector]);
}

/* Whether @len bytes from @offset on touch the two at @what. */
static bool touches(unsigned int offset, unsigned int len, unsigned int what)
{
	return offset < what + 2 && what < offset + len;
}

void msix_written(struct msix *msix, unsigned int offset, unsigned int len)
{
	unsigned int i;

	if (!touches(offset, len, msix->capability + PCI_MSIX_FLAGS) &&
	    !touches(offset, len, PCI_COMMAND))
		return;
	for (i = 0; i < msix->nr; i++)
		update_vector(msix, i);
}
