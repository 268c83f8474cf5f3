/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts that are sent by signalling an eventfd
 *
 * Who has the eventfd can interrupt the guest, in whatever process it is,
 * without knowing where to: that is KVM's table of routes.
 */
#ifndef VMM_IRQFD_H
#define VMM_IRQFD_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm;

#define IRQFD_MAX		64

/** struct irqfds - the message-signalled interrupts of a virtual machine */
struct irqfds {
	struct kvm *kvm;
	pthread_mutex_t lock;		/* of all below */
	struct {
		int fd;
		bool connected;
		struct kvm_irq_routing_msi message;
	} irqs[IRQFD_MAX];
	unsigned int nr;
};

/**
 * struct irq_message - what a message-signalled interrupt writes, and where
 * @address: where
 * @data: what
 * @device: who: bus, device and function, as PCI numbers them; of no consequence where
 *	the interrupt controller does not look at that
 */
struct irq_message {
	uint64_t address;
	uint32_t data;
	uint32_t device;
};

void irqfds_init(struct irqfds *irqfds, struct kvm *kvm);
void irqfds_exit(struct irqfds *irqfds);

/**
 * irqfd_new() - a new interrupt, not connected; reports what is wrong
 *
 * Return: its index, or -REPORTED.
 */
int irqfd_new(struct irqfds *irqfds);

/** irqfd_fd() - what to signal; stays the table's */
int irqfd_fd(const struct irqfds *irqfds, unsigned int index);

/**
 * irqfd_connect() - let it reach the guest as @message; any thread
 *
 * If it was signalled since it was disconnected, it does so at once.
 */
int irqfd_connect(struct irqfds *irqfds, unsigned int index,
		  const struct irq_message *message);

/** irqfd_disconnect() - let signals wait in the eventfd */
void irqfd_disconnect(struct irqfds *irqfds, unsigned int index);

/** irqfd_pending() - whether one waits */
bool irqfd_pending(const struct irqfds *irqfds, unsigned int index);

#endif /* VMM_IRQFD_H */
