/* SPDX-License-Identifier: MIT */
/* A 16550A UART: the PC's serial port, and others' */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiring.h"

struct loop;
struct mregion_machine;
struct mregion_region;
struct mregion_ring;
struct mregion_shadow;

#define SERIAL_NR_REGISTERS	8
#define SERIAL_FIFO_SIZE	16

/** struct serial_cable - the other end of the line */
struct serial_cable {
	/* The guest sent a byte. May wait. Called with no lock of @serial. */
	void (*sent)(void *opaque, uint8_t byte);
	/* serial_room() may have grown. Must not wait or call back. */
	void (*ready)(void *opaque);
	void *opaque;
};

struct serial {
	struct mregion_region *region;
	struct irq_line irq;
	struct serial_cable cable;
	pthread_mutex_t lock;		/* of all below */
	uint8_t ier, lcr, mcr, fcr, scratch;
	uint8_t msr_delta;		/* MSR's lower half */
	uint16_t divisor;
	bool thre_pending;		/* the transmitter became empty */
	bool raised;
	uint8_t fifo[SERIAL_FIFO_SIZE];
	unsigned int fifo_head, fifo_len;
	uint8_t *mirror;		/* registers that the guest accesses there */
	uint8_t own_mirror[SERIAL_NR_REGISTERS];	/* or here */
	int ier_fd;			/* signalled when it has set IER there, or -1 */
};

#define SERIAL_INITIAL		{ .ier_fd = -1 }

/**
 * serial_init() - create a UART and map it
 * @serial: the device
 * @machine: where its region is created
 * @parent: region of the I/O ports, or of memory
 * @addr: of the first of its eight registers, a byte each
 * @irq: its interrupt line
 * @cable: the other end of the line
 * @ring: where what it sends is coalesced; what has no effect at once is done in
 *	shadow memory then. Or NULL: each access exits
 * @loop: that looks at what was done there
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int serial_init(struct serial *serial, struct mregion_machine *machine,
		struct mregion_region *parent, uint64_t addr,
		struct irq_line irq, const struct serial_cable *cable,
		struct mregion_ring *ring, struct loop *loop);

void serial_exit(struct serial *serial);

/**
 * serial_room() - how many bytes the UART can receive now
 *
 * None as long as the guest does not assert "request to send": the cable has
 * the wires for hardware flow control. So what is typed ahead waits until the
 * guest's driver listens, rather than being lost when it resets the FIFOs.
 */
size_t serial_room(struct serial *serial);

/** serial_receive() - receive bytes, at most serial_room() */
void serial_receive(struct serial *serial, const uint8_t *bytes, size_t len);

#endif /* VMM_SERIAL_H */
