// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mregion.h>

#include "../array.h"
#include "loop.h"
#include "report.h"
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

/* The first four registers of the mirror, as an index of data registers */
#define INDEX_LEN		4
#define INDEX_IER(bits)		((uint32_t)(bits) << 8 * REG_IER)
#define INDEX_DIVISOR		((uint32_t)LCR_DIVISOR << 8 * REG_LCR)

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

static void set_mirror(struct serial *serial, unsigned int reg, uint8_t value)
{
	__atomic_store_n(&serial->mirror[reg], value, __ATOMIC_RELEASE);
}

/*
 * Some registers can be read without a call of ours, since nothing changes by
 * that. LSR is one: the transmitter is empty always, and no error bit is ever
 * set that a read would have to clear. IER is apart: the guest writes it, too.
 */
static void update_mirror(struct serial *serial)
{
	const struct {
		unsigned int reg;
		uint8_t value;
	} values[] = {
		{ REG_LCR, serial->lcr },
		{ REG_MCR, serial->mcr },
		{ REG_LSR, LSR_THR_EMPTY | LSR_IDLE |
			   (serial->fifo_len ? LSR_DATA : 0) },
		{ REG_MSR, modem_lines(serial->mcr) | serial->msr_delta },
		{ REG_SCRATCH, serial->scratch },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		set_mirror(serial, values[i].reg, values[i].value);
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
	set_mirror(serial, REG_IER, serial->ier);
	/* The transmitter is empty always: say so as soon as it is asked. */
	if (changed & IER_TRANSMIT)
		serial->thre_pending = value & IER_TRANSMIT;
}

/*
 * Take over what the guest has written to IER without a call of ours. Only a write to an
 * IER of 0 can be such: so there is one at most, and none is missed. To be called before
 * anything else is done.
 */
static void catch_up(struct serial *serial)
{
	uint8_t value = __atomic_load_n(&serial->mirror[REG_IER],
					__ATOMIC_ACQUIRE);

	if (value != serial->ier)
		write_ier(serial, value);
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
	case REG_IER:
		return serial->lcr & LCR_DIVISOR ? serial->divisor >> 8 :
		       serial->ier;
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
	catch_up(serial);
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
	catch_up(serial);
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
	catch_up(serial);
	serial->thre_pending = true;
	update(serial);
	pthread_mutex_unlock(&serial->lock);
}

static const struct mregion_ops serial_ops = {
	.read = serial_read,
	.write = serial_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

static void ier_written(void *opaque)
{
	struct serial *serial = opaque;
	eventfd_t count;

	if (eventfd_read(serial->ier_fd, &count))
		return;
	pthread_mutex_lock(&serial->lock);
	catch_up(serial);
	update(serial);
	pthread_mutex_unlock(&serial->lock);
}

/*
 * IER is read, and written while it is 0: drivers turn off what is off, around each
 * message of a console. What turns interrupts on has its effect when the loop gets to
 * it, or before the guest's next access that comes here, such as that to IIR. Other
 * writes may lower the interrupt line, so they come here at once. So do accesses
 * to the divisor, and to bits that IER does not have.
 */
static int share_ier(struct serial *serial, struct mregion_shadow *shadow)
{
	struct mregion_indexed ier = {
		.offset = REG_IER,
		.len = 1,
		.index = shadow,
		.index_len = INDEX_LEN,
		.bits = INDEX_DIVISOR | INDEX_IER(~IER_BITS & 0xff),
		.shadow = shadow,
		.shadow_offset = REG_IER,
		.flags = MREGION_RULE_READ,
		.eventfd = -1,
	};
	int error;

	error = mregion_add_indexed(serial->region, &ier);
	if (error)
		return error;
	ier.bits = INDEX_DIVISOR | INDEX_IER(0xff);
	ier.flags = MREGION_RULE_WRITE;
	ier.eventfd = serial->ier_fd;
	return mregion_add_indexed(serial->region, &ier);
}

/* MSR is read there while it says that nothing has changed, which a read takes back. */
static int share_msr(struct serial *serial, struct mregion_shadow *shadow)
{
	const struct mregion_indexed msr = {
		.offset = REG_MSR,
		.len = 1,
		.index = shadow,
		.index_offset = REG_MSR,
		.index_len = 1,
		.bits = MSR_DELTAS,
		.shadow = shadow,
		.shadow_offset = REG_MSR,
		.flags = MREGION_RULE_READ,
		.eventfd = -1,
	};

	return mregion_add_indexed(serial->region, &msr);
}

static int listen_for_ier(struct serial *serial, struct loop *loop)
{
	const struct loop_source source = {
		.ready = ier_written,
		.opaque = serial,
	};
	int error;

	serial->ier_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = serial->ier_fd < 0 ? -errno :
		loop_add(loop, serial->ier_fd, &source);
	if (!error)
		return 0;
	report("cannot create the serial port's eventfd: %s", strerror(-error));
	return -REPORTED;
}

/* Each register at its own offset in shadow memory. */
static int add_shadow(struct serial *serial, struct mregion_machine *machine,
		      struct loop *loop)
{
	static const unsigned int mirrored[] = {
		REG_LCR, REG_MCR, REG_LSR, REG_SCRATCH,
	};
	struct mregion_shadow *shadow;
	int error;
	size_t i;

	shadow = mregion_new_shadow(machine, SERIAL_NR_REGISTERS);
	if (!shadow)
		return -errno;
	serial->mirror = mregion_shadow_ptr(shadow);
	update_mirror(serial);
	error = listen_for_ier(serial, loop);
	for (i = 0; i < ARRAY_SIZE(mirrored) && !error; i++)
		error = mregion_add_shadow(serial->region, mirrored[i], 1,
					   shadow, mirrored[i],
					   MREGION_RULE_READ, -1);
	if (!error)
		error = share_ier(serial, shadow);
	return error ? error : share_msr(serial, shadow);
}

int serial_init(struct serial *serial, struct mregion_machine *machine,
		struct mregion_region *parent, uint64_t addr,
		struct irq_line irq, const struct serial_cable *cable,
		struct mregion_ring *ring, struct loop *loop)
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
	return error ? error : add_shadow(serial, machine, loop);
}

void serial_exit(struct serial *serial)
{
	if (serial->ier_fd >= 0)
		close(serial->ier_fd);
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
	catch_up(serial);
	while (len--)
		fifo_put(serial, *bytes++);
	update(serial);
	pthread_mutex_unlock(&serial->lock);
}
