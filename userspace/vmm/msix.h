/* SPDX-License-Identifier: MIT */
/*
 * MSI-X: a PCI function's table of messages that it interrupts with
 *
 * While a vector is masked, what the device signals waits in its eventfd; the
 * table of pending bits tells which do.
 */
#ifndef VMM_MSIX_H
#define VMM_MSIX_H

#include <stdbool.h>
#include <stdint.h>

struct irqfds;
struct mregion_machine;
struct mregion_region;
struct pci_function;

#define MSIX_MAX_VECTORS	8
/* A vector's four registers of 32 bits */
#define MSIX_ENTRY_WORDS	4

struct msix {
	struct pci_function *function;
	struct irqfds *irqfds;
	struct mregion_region *table_region;
	struct mregion_region *pending_region;
	unsigned int capability;	/* its offset in configuration space */
	unsigned int nr;
	unsigned int irqs[MSIX_MAX_VECTORS];	/* indices in @irqfds */
	/* Under the bus's lock, as configuration is */
	uint32_t table[MSIX_MAX_VECTORS][MSIX_ENTRY_WORDS];
};

/**
 * msix_init() - give a function MSI-X
 * @msix: zeroed
 * @function: the function
 * @irqfds: where its interrupts are created
 * @nr: number of vectors, at most MSIX_MAX_VECTORS
 * @bar: index of the BAR that table and pending bits are in
 * @parent: region of that BAR
 * @table: offset of the table in it
 * @pending: offset of the pending bits in it
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int msix_init(struct msix *msix, struct pci_function *function,
	      struct irqfds *irqfds, unsigned int nr, unsigned int bar,
	      struct mregion_region *parent, uint32_t table, uint32_t pending);

/** msix_fd() - what a device signals to send @vector; stays the table's */
int msix_fd(const struct msix *msix, unsigned int vector);

/** msix_written() - to be called by the function's written() */
void msix_written(struct msix *msix, unsigned int offset, unsigned int len);

#endif /* VMM_MSIX_H */
