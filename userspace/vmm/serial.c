// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "../array.h"
#include "serial.h"

/* Registers; what 0 and 1 are depends on LCR_DIVISOR. */
#define REG_DATA		0
#define REG_DIVISOR_LOW		0
#define REG_IER			1
#define REG_DIVISOR_HIGH	1
#define REG_IIR			2	/* read */
#define REG_FCR			2	/* write */
#define REG_LCR			3
#define REG_MCR			4
#define REG_LSR			5
#define REG_MSR			6
#define REG_SCRATCH		7

#define IER_RECEIVE		0x01
#define IER_TRANSMIT		0x02
#define IER_MODEM		0x08
#define IER_BITS		0x0f

#define IIR_NONE		0x01
#define IIR_MODEM		0x00
#define IIR_TRANSMIT		0x02
#define IIR_RECEIVE		0x04
#define IIR_TIMEOUT		0x0c
#define IIR_FIFOS		0xc0

#define FCR_ENABLE		0x01
#define FCR_CLEAR_RECEIVER	0x02
#define FCR_KEPT		0xc9
#define FCR_TRIGGER(fcr)	((fcr) >> 6)

#define LCR_DIVISOR		0x80

#define MCR_DTR			0x01
#define MCR_RTS			0x02
#define MCR_OUT1		0x04
#define MCR_OUT2		0x08
#define MCR_LOOP		0x10
#define MCR_BITS		0x1f

#define LSR_DATA		0x01
#define LSR_THR_EMPTY		0x20
#define LSR_IDLE		0x40

#define MSR_DELTAS		0x0f
#define MSR_RING_ENDED		0x04
#define MSR_CTS			0x10
#define MSR_DSR			0x20
#define MSR_RING		0x40
#define MSR_DCD			0x80

static bool fifos_enabled(const struct serial *serial)
{
	return serial->fcr & FCR_ENABLE;
}

static unsigned int fifo_size(const struct serial *serial)
{
	return fifos_enabled(serial) ? SERIAL_FIFO_SIZE : 1;
}

static unsigned int fifo_trigger(const struct serial *serial)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return fifos_enabled(serial) ? levels[FCR_TRIGGER(serial->fcr)] : 1;
}

static void fifo_clear(struct serial *serial)
{
	serial->fifo_head = 0;
	serial->fifo_len = 0;
}

/*
 * A byte for which there is no room is lost, and LSR does not tell: reading LSR
 * would have to clear that bit, which reading memory does not do. It happens in
 * loopback only, since serial_room() tells the cable how much there is.
 */
static void fifo_put(struct serial *serial, uint8_t byte)
{
	if (serial->fifo_len == fifo_size(serial))
		return;
	serial->fifo[(serial->fifo_head + serial->fifo_len++) %
		     SERIAL_FIFO_SIZE] = byte;
}

static uint8_t fifo_get(struct serial *serial)
{
	uint8_t byte;

	if (!serial->fifo_len)
		return 0;
	byte = serial->fifo[serial->fifo_head];
	serial->fifo_head = (serial->fifo_head + 1) % SERIAL_FIFO_SIZE;
	serial->fifo_len--;
	return byte;
}

/* Modem lines: the other end is always ready; in loopback it is this end. */
static uint8_t modem_lines(uint8_t mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	       (mcr & MCR_OUT1 ? MSR_RING : 0) |
	       (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* The interrupt of the highest priority, as IIR tells it. */
static uint8_t pending_interrupt(const struct serial *serial)
{
	/* Nothing is ever wrong with the line: no interrupt for that. */
	if ((serial->ier & IER_RECEIVE) && serial->fifo_len)
		/* Below the level it is a time-out, which is over at once. */
		return serial->fifo_len >= fifo_trigger(serial) ?
		       IIR_RECEIVE : IIR_TIMEOUT;
	if ((serial->ier & IER_TRANSMIT) && serial->thre_pending)
		return IIR_TRANSMIT;
	if ((serial->ier & IER_MODEM) && serial->msr_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

/*
 * Some registers can be read without a call of ours, since nothing changes by
 * that. LSR is one: the transmitter is empty always, and no error bit is ever
 * set that a read would have to clear.
 */
static void update_mirror(struct serial *serial)
{
	bool divisor = serial->lcr & LCR_DIVISOR;
	const struct {
		unsigned int reg;
		uint8_t value;
	} values[] = {
		{ REG_IER, divisor ? serial->divisor >> 8 : serial->ier },
		{ REG_LCR, serial->lcr },
		{ REG_MCR, serial->mcr },
		{ REG_LSR, LSR_THR_EMPTY | LSR_IDLE |
			   (serial->fifo_len ? LSR_DATA : 0) },
		{ REG_SCRATCH, serial->scratch },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		__atomic_store_n(&serial->mirror[values[i].reg],
				 values[i].value, __ATOMIC_RELEASE);
}

static void update(struct serial *serial)
{
	/* OUT2 gates the interrupt on a PC; in loopback it does not get out. */
	bool raised = pending_interrupt(serial) != IIR_NONE &&
		      (serial->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	update_mirror(serial);
	if (raised != serial->raised)
		irq_line_set(&serial->irq, raised);
	serial->raised = raised;
}

static void write_ier(struct serial *serial, uint8_t value)
{
	uint8_t changed = serial->ier ^ value;

	serial->ier = value & IER_BITS;
	/* The transmitter is empty always: say so as soon as it is asked. */
	if (changed & IER_TRANSMIT)
		serial->thre_pending = value & IER_TRANSMIT;
}

static void write_fcr(struct serial *serial, uint8_t value)
{
	uint8_t changed = serial->fcr ^ value;

	/* Other bits are only taken together with this one. */
	if (!(value & FCR_ENABLE))
		value = 0;
	if ((changed & FCR_ENABLE) || (value & FCR_CLEAR_RECEIVER))
		fifo_clear(serial);
	serial->fcr = value & FCR_KEPT;
}

static void write_mcr(struct serial *serial, uint8_t value)
{
	uint8_t before = modem_lines(serial->mcr);
	uint8_t after, changed;

	serial->mcr = value & MCR_BITS;
	after = modem_lines(serial->mcr);
	changed = (before ^ after) >> 4;
	/* The ring indicator's bit is about the end of ringing only. */
	if (after & MSR_RING)
		changed &= ~MSR_RING_ENDED;
	serial->msr_delta |= changed;
}

/* Whether @byte is to be sent: no, in loopback it is received. */
static bool write_data(struct serial *serial, uint8_t byte)
{
	if (serial->mcr & MCR_LOOP) {
		fifo_put(serial, byte);
		serial->thre_pending = true;
		return false;
	}
	return true;
}

static uint8_t read_register(struct serial *serial, unsigned int reg)
{
	uint8_t value;

	switch (reg) {
	case REG_DATA:
		if (serial->lcr & LCR_DIVISOR)
			return serial->divisor;
		return fifo_get(serial);
	case REG_IIR:
		value = pending_interrupt(serial);
		if (value == IIR_TRANSMIT)
			serial->thre_pending = false;
		return value | (fifos_enabled(serial) ? IIR_FIFOS : 0);
	case REG_MSR:
		value = modem_lines(serial->mcr) | serial->msr_delta;
		serial->msr_delta = 0;
		return value;
	default:
		return serial->mirror[reg];
	}
}

static uint64_t serial_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct serial *serial = opaque;
	uint8_t value;

	(void)len;
	pthread_mutex_lock(&serial->lock);
	value = read_register(serial, offset);
	update(serial);
	pthread_mutex_unlock(&serial->lock);

	if (offset == REG_DATA)
		serial->cable.ready(serial->cable.opaque);
	return value;
}

static void serial_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct serial *serial = opaque;
	bool send = false;

	(void)len;
	pthread_mutex_lock(&serial->lock);
	switch (offset) {
	case REG_DATA:
		if (serial->lcr & LCR_DIVISOR)
			serial->divisor = (serial->divisor & 0xff00) | data;
		else
			send = write_data(serial, data);
		break;
	case REG_IER:
		if (serial->lcr & LCR_DIVISOR)
			serial->divisor = (serial->divisor & 0xff) | data << 8;
		else
			write_ier(serial, data);
		break;
	case REG_FCR:
		write_fcr(serial, data);
		break;
	case REG_LCR:
		serial->lcr = data;
		break;
	case REG_MCR:
		write_mcr(serial, data);
		break;
	case REG_SCRATCH:
		serial->scratch = data;
		break;
	}
	update(serial);
	pthread_mutex_unlock(&serial->lock);

	if (offset == REG_MCR || offset == REG_FCR)
		serial->cable.ready(serial->cable.opaque);
	if (!send)
		return;

	/*
	 * Sending may take as long as it likes, as it may on a wire; then the
	 * transmitter is empty again. A guest that has not asked yet about the
	 * last time needs no new edge for this one.
	 */
	serial->cable.sent(serial->cable.opaque, data);
	pthread_mutex_lock(&serial->lock);
	serial->thre_pending = true;
	update(serial);
	pthread_mutex_unlock(&serial->lock);
}

static const struct mregion_ops serial_ops = {
	.read = serial_read,
	.write = serial_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

/* Each register at its own offset in shadow memory. */
static int add_shadow(struct serial *serial, struct mregion_machine *machine)
{
	static const unsigned int mirrored[] = {
		REG_IER, REG_LCR, REG_MCR, REG_LSR, REG_SCRATCH,
	};
	struct mregion_shadow *shadow;
	int error = 0;
	size_t i;

	shadow = mregion_new_shadow(machine, SERIAL_NR_REGISTERS);
	if (!shadow)
		return -errno;
	serial->mirror = mregion_shadow_ptr(shadow);
	update_mirror(serial);
	for (i = 0; i < ARRAY_SIZE(mirrored) && !error; i++)
		error = mregion_add_shadow(serial->region, mirrored[i], 1,
					   shadow, mirrored[i],
					   MREGION_RULE_READ, -1);
	return error;
}

int serial_init(struct serial *serial, struct mregion_machine *machine,
		struct mregion_region *parent, uint64_t addr,
		struct irq_line irq, const struct serial_cable *cable,
		struct mregion_ring *ring)
{
	int error;

	pthread_mutex_init(&serial->lock, NULL);
	serial->irq = irq;
	serial->cable = *cable;
	/* 9600 baud, which is of no consequence here. */
	serial->divisor = 12;
	serial->mirror = serial->own_mirror;
	update_mirror(serial);

	serial->region = mregion_new_mmio(machine, "serial",
					  SERIAL_NR_REGISTERS, &serial_ops,
					  serial);
	if (!serial->region)
		return -errno;
	error = mregion_map(parent, serial->region, addr, 0);
	if (error || !ring)
		return error;

	/*
	 * The low byte of the divisor comes this way, too. That is in order:
	 * LCR, which tells the two apart, is written by an exit, and the ring
	 * is drained before that is resolved.
	 */
	error = mregion_coalesce(serial->region, REG_DATA, 1, ring);
	return error ? error : add_shadow(serial, machine);
}

void serial_exit(struct serial *serial)
{
	pthread_mutex_destroy(&serial->lock);
}

size_t serial_room(struct serial *serial)
{
	size_t room = 0;

	pthread_mutex_lock(&serial->lock);
	if ((serial->mcr & (MCR_RTS | MCR_LOOP)) == MCR_RTS)
		room = fifo_size(serial) - serial->fifo_len;
	pthread_mutex_unlock(&serial->lock);
	return room;
}

void serial_receive(struct serial *serial, const uint8_t *bytes, size_t len)
{
	pthread_mutex_lock(&serial->lock);
	while (len--)
		fifo_put(serial, *bytes++);
	update(serial);
	pthread_mutex_unlock(&serial->lock);
}
