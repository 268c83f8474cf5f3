// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <mregion.h>

#include "../../array.h"
#include "loop.h"
#include "report.h"
#include "rtc.h"

#define REG_SECONDS		0x00
#define REG_SECONDS_ALARM	0x01
#define REG_MINUTES		0x02
#define REG_MINUTES_ALARM	0x03
#define REG_HOURS		0x04
#define REG_HOURS_ALARM		0x05
#define REG_WEEKDAY		0x06
#define REG_DAY			0x07
#define REG_MONTH		0x08
#define REG_YEAR		0x09
#define REG_A			0x0a
#define REG_B			0x0b
#define REG_C			0x0c
#define REG_D			0x0d

#define A_UPDATING		0x80
#define A_RATE			0x0f
#define A_32768_HZ		0x20

#define B_SET			0x80
#define B_PERIODIC		0x40
#define B_ALARM			0x20
#define B_UPDATE		0x10
#define B_BINARY		0x04
#define B_24_HOURS		0x02

#define C_IRQ			0x80
#define C_PERIODIC		0x40
#define C_ALARM			0x20
#define C_UPDATE		0x10

#define D_POWER_GOOD		0x80

#define HOUR_PM			0x80
#define ALARM_ANY		0xc0

/* In shadow memory: the registers, and then their index */
#define SHADOW_INDEX		RTC_NR_REGISTERS
#define SHADOW_SIZE		(RTC_NR_REGISTERS + 1)

#define NSEC_PER_SEC		1000000000ULL
/* The chip announces an update so long before: 244 us. */
#define UPDATE_NSEC		244000ULL

/* Registers that change by nothing but a write */
static const struct {
	uint8_t first, last;
} quiet[] = {
	{ REG_SECONDS_ALARM, REG_SECONDS_ALARM },
	{ REG_MINUTES_ALARM, REG_MINUTES_ALARM },
	{ REG_HOURS_ALARM, REG_HOURS_ALARM },
	{ REG_B, REG_B },
	{ REG_D, RTC_CENTURY - 1 },
	{ RTC_CENTURY + 1, RTC_NR_REGISTERS - 1 },
};

static uint64_t host_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static int64_t guest_second(const struct rtc *rtc)
{
	return (int64_t)(host_nsec() / NSEC_PER_SEC) + rtc->offset;
}

static uint8_t encode(const struct rtc *rtc, unsigned int value)
{
	if (rtc->registers[REG_B] & B_BINARY)
		return value;
	return (value / 10) << 4 | value % 10;
}

static unsigned int decode(const struct rtc *rtc, uint8_t value)
{
	if (rtc->registers[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned int hour)
{
	if (rtc->registers[REG_B] & B_24_HOURS)
		return encode(rtc, hour);
	return encode(rtc, (hour + 11) % 12 + 1) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned int decode_hour(const struct rtc *rtc, uint8_t value)
{
	unsigned int hour;

	if (rtc->registers[REG_B] & B_24_HOURS)
		return decode(rtc, value);
	hour = decode(rtc, value & ~HOUR_PM) % 12;
	return value & HOUR_PM ? hour + 12 : hour;
}

/* Let the registers show the time, unless the guest is setting it. */
static void show_time(struct rtc *rtc)
{
	uint8_t *reg = rtc->registers;
	time_t now = guest_second(rtc);
	struct tm tm;

	if (reg[REG_B] & B_SET)
		return;
	gmtime_r(&now, &tm);
	reg[REG_SECONDS] = encode(rtc, tm.tm_sec);
	reg[REG_MINUTES] = encode(rtc, tm.tm_min);
	reg[REG_HOURS] = encode_hour(rtc, tm.tm_hour);
	reg[REG_WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	reg[REG_DAY] = encode(rtc, tm.tm_mday);
	reg[REG_MONTH] = encode(rtc, tm.tm_mon + 1);
	reg[REG_YEAR] = encode(rtc, tm.tm_year % 100);
	reg[RTC_CENTURY] = encode(rtc, tm.tm_year / 100 + 19);
}

/* The guest has set the registers: take the time from them. */
static void take_time(struct rtc *rtc)
{
	const uint8_t *reg = rtc->registers;
	struct tm tm = {
		.tm_sec = decode(rtc, reg[REG_SECONDS]),
		.tm_min = decode(rtc, reg[REG_MINUTES]),
		.tm_hour = decode_hour(rtc, reg[REG_HOURS]),
		.tm_mday = decode(rtc, reg[REG_DAY]),
		.tm_mon = decode(rtc, reg[REG_MONTH]) - 1,
		.tm_year = decode(rtc, reg[REG_YEAR]) +
			   decode(rtc, reg[RTC_CENTURY]) * 100 - 1900,
	};

	rtc->offset = timegm(&tm) - (int64_t)(host_nsec() / NSEC_PER_SEC);
	rtc->last_second = guest_second(rtc);
}

static bool alarm_field(const struct rtc *rtc, unsigned int alarm,
			unsigned int field)
{
	return rtc->registers[alarm] >= ALARM_ANY ||
	       rtc->registers[alarm] == rtc->registers[field];
}

/* Whether the alarm went off in one of the seconds (@from, @to]. */
static bool alarm_since(struct rtc *rtc, int64_t from, int64_t to)
{
	int64_t offset = rtc->offset;
	bool hit = false;

	/* A day is enough: the alarm has no date. */
	if (to - from > 86400)
		from = to - 86400;
	for (; from < to && !hit; to--, rtc->offset--) {
		show_time(rtc);
		hit = alarm_field(rtc, REG_SECONDS_ALARM, REG_SECONDS) &&
		      alarm_field(rtc, REG_MINUTES_ALARM, REG_MINUTES) &&
		      alarm_field(rtc, REG_HOURS_ALARM, REG_HOURS);
	}
	rtc->offset = offset;
	show_time(rtc);
	return hit;
}

/* The period of the periodic interrupt in ns, or 0. */
static uint64_t period(const struct rtc *rtc)
{
	unsigned int rate = rtc->registers[REG_A] & A_RATE;

	if (!rate || !(rtc->registers[REG_B] & B_PERIODIC))
		return 0;
	/* The two fastest are those of rates 8 and 9 again. */
	if (rate < 3)
		rate += 7;
	return (NSEC_PER_SEC << (rate - 1)) / 32768;
}

static void update_irq(struct rtc *rtc)
{
	uint8_t *reg = rtc->registers;
	bool raised = reg[REG_B] & reg[REG_C] &
		      (C_PERIODIC | C_ALARM | C_UPDATE);

	if (raised)
		reg[REG_C] |= C_IRQ;
	if (raised != rtc->raised)
		irq_line_set(&rtc->irq, raised);
	rtc->raised = raised;
}

/* Set the flags of what has happened since this was called last. */
static void catch_up(struct rtc *rtc)
{
	uint8_t *reg = rtc->registers;
	int64_t second = guest_second(rtc);
	uint64_t nsec = period(rtc);

	if (second != rtc->last_second && !(reg[REG_B] & B_SET)) {
		reg[REG_C] |= C_UPDATE;
		if (alarm_since(rtc, rtc->last_second, second))
			reg[REG_C] |= C_ALARM;
		rtc->last_second = second;
	}
	if (nsec && host_nsec() / nsec != rtc->last_tick) {
		reg[REG_C] |= C_PERIODIC;
		rtc->last_tick = host_nsec() / nsec;
	}
	update_irq(rtc);
}

/* Arm the timer for the next moment at which an interrupt may be due. */
static void set_timer(struct rtc *rtc)
{
	struct itimerspec timer = {};
	uint64_t now = host_nsec();
	uint64_t next = 0;
	uint64_t nsec = period(rtc);

	if (rtc->registers[REG_B] & (B_ALARM | B_UPDATE))
		next = (now / NSEC_PER_SEC + 1) * NSEC_PER_SEC;
	if (nsec && (!next || (now / nsec + 1) * nsec < next))
		next = (now / nsec + 1) * nsec;

	timer.it_value.tv_sec = next / NSEC_PER_SEC;
	timer.it_value.tv_nsec = next % NSEC_PER_SEC;
	timerfd_settime(rtc->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void rtc_timer(void *opaque)
{
	struct rtc *rtc = opaque;
	uint64_t count;

	/* Not an error: another setting of the timer took it back. */
	if (read(rtc->timer_fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&rtc->lock);
	catch_up(rtc);
	set_timer(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

static uint8_t read_register(struct rtc *rtc, uint8_t index)
{
	uint64_t to_update = NSEC_PER_SEC - host_nsec() % NSEC_PER_SEC;
	uint8_t *reg = rtc->registers;
	uint8_t value;

	switch (index) {
	case REG_A:
		value = reg[REG_A];
		if (to_update <= UPDATE_NSEC && !(reg[REG_B] & B_SET))
			value |= A_UPDATING;
		return value;
	case REG_C:
		catch_up(rtc);
		value = reg[REG_C];
		reg[REG_C] = 0;
		update_irq(rtc);
		return value;
	default:
		show_time(rtc);
		return reg[index];
	}
}

/* One store: the guest may be reading the register. */
static void set_register(struct rtc *rtc, uint8_t index, uint8_t value)
{
	__atomic_store_n(&rtc->registers[index], value, __ATOMIC_RELEASE);
}

static void write_register(struct rtc *rtc, uint8_t index, uint8_t value)
{
	uint8_t *reg = rtc->registers;
	uint8_t before;

	switch (index) {
	case REG_SECONDS:
	case REG_MINUTES:
	case REG_HOURS:
	case REG_WEEKDAY:
	case REG_DAY:
	case REG_MONTH:
	case REG_YEAR:
	case RTC_CENTURY:
		show_time(rtc);
		reg[index] = value;
		if (!(reg[REG_B] & B_SET))
			take_time(rtc);
		break;
	case REG_A:
		reg[REG_A] = value & ~A_UPDATING;
		break;
	case REG_B:
		/* The format may change: write the time in the new one. */
		catch_up(rtc);
		before = reg[REG_B];
		show_time(rtc);
		set_register(rtc, REG_B, value);
		if ((before & B_SET) && !(value & B_SET))
			take_time(rtc);
		if (!(before & B_PERIODIC) && period(rtc))
			rtc->last_tick = host_nsec() / period(rtc);
		break;
	case REG_C:
	case REG_D:
		return;
	default:
		set_register(rtc, index, value);
	}
	update_irq(rtc);
	set_timer(rtc);
}

/* The index port's top bit masks NMIs, of which there are none. */
static uint8_t selected(const struct rtc *rtc)
{
	return __atomic_load_n(rtc->index, __ATOMIC_ACQUIRE) %
	       RTC_NR_REGISTERS;
}

static uint64_t rtc_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct rtc *rtc = opaque;
	uint8_t value;

	(void)len;
	/* The index cannot be read back on a PC. */
	if (offset == 0)
		return 0xff;
	pthread_mutex_lock(&rtc->lock);
	value = read_register(rtc, selected(rtc));
	pthread_mutex_unlock(&rtc->lock);
	return value;
}

static void rtc_write(void *opaque, uint64_t offset, uint64_t data,
		      unsigned int len)
{
	struct rtc *rtc = opaque;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (offset == 0)
		__atomic_store_n(rtc->index, data, __ATOMIC_RELEASE);
	else
		write_register(rtc, selected(rtc), data);
	pthread_mutex_unlock(&rtc->lock);
}

static const struct mregion_ops rtc_ops = {
	.read = rtc_read,
	.write = rtc_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

static int add_shadow(struct rtc *rtc, struct mregion_machine *machine)
{
	struct mregion_pair pair = {
		.kind = MREGION_PAIR_CMOS,
		.index_offset = SHADOW_INDEX,
	};
	int error;
	size_t i;

	pair.index = mregion_new_shadow(machine, SHADOW_SIZE);
	if (!pair.index)
		return -errno;
	rtc->registers = mregion_shadow_ptr(pair.index);
	rtc->index = rtc->registers + SHADOW_INDEX;
	error = mregion_add_pair(rtc->region, &pair);
	for (i = 0; i < ARRAY_SIZE(quiet) && !error; i++)
		error = mregion_show_in_pair(rtc->region, &pair, quiet[i].first,
					     quiet[i].last,
					     RTC_NR_REGISTERS - 1, pair.index,
					     0);
	return error;
}

int rtc_init(struct rtc *rtc, struct mregion_machine *machine,
	     struct mregion_region *parent, uint16_t port, struct irq_line irq,
	     struct loop *loop, bool shadow)
{
	const struct loop_source timer = {
		.ready = rtc_timer,
		.opaque = rtc,
	};
	int error;

	pthread_mutex_init(&rtc->lock, NULL);
	rtc->irq = irq;
	rtc->registers = rtc->own_registers;
	rtc->index = &rtc->own_index;
	rtc->last_second = guest_second(rtc);

	rtc->timer_fd = timerfd_create(CLOCK_REALTIME,
				       TFD_CLOEXEC | TFD_NONBLOCK);
	error = rtc->timer_fd < 0 ? -errno :
		loop_add(loop, rtc->timer_fd, &timer);
	if (error) {
		report("cannot create the clock's timer: %s",
		       strerror(-error));
		return -REPORTED;
	}

	rtc->region = mregion_new_mmio(machine, "rtc", 2, &rtc_ops, rtc);
	if (!rtc->region)
		return -errno;
	error = shadow ? add_shadow(rtc, machine) : 0;
	if (error)
		return error;
	rtc->registers[REG_A] = A_32768_HZ | 6;
	rtc->registers[REG_B] = B_24_HOURS;
	rtc->registers[REG_D] = D_POWER_GOOD;
	return mregion_map(parent, rtc->region, port, 0);
}

void rtc_exit(struct rtc *rtc)
{
	if (rtc->timer_fd >= 0)
		close(rtc->timer_fd);
	pthread_mutex_destroy(&rtc->lock);
}
