/* SPDX-License-Identifier: MIT */
/* The real-time clock, a Motorola MC146818 as PCs have it */
#ifndef VMM_RTC_H
#define VMM_RTC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "wiring.h"

struct loop;
struct mregion_machine;
struct mregion_region;

#define RTC_NR_REGISTERS	128

/* Not the chip's, but where ACPI's FADT says that the century is. */
#define RTC_CENTURY		0x32

struct rtc {
	struct mregion_region *region;
	struct irq_line irq;
	int timer_fd;
	pthread_mutex_t lock;		/* of all below */
	uint8_t *index;			/* as the guest writes it, in shadow memory */
	uint8_t *registers;		/* likewise, as it reads them */
	uint8_t own_index, own_registers[RTC_NR_REGISTERS];	/* or here */
	int64_t offset;			/* guest's time - host's, in s */
	int64_t last_second;		/* guest's time of the last update */
	uint64_t last_tick;		/* periodic interrupts since 1970 */
	bool raised;
};

/**
 * rtc_init() - create the clock and map it
 * @rtc: the device
 * @machine: where its region is created
 * @parent: region of the I/O ports
 * @port: first of two ports
 * @irq: its interrupt line
 * @loop: that its timer is to run in
 * @shadow: have the index in shadow memory, and what does not change by itself, or else
 *	each access exits
 *
 * The clock shows the host's time, as UTC, until the guest sets it.
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int rtc_init(struct rtc *rtc, struct mregion_machine *machine,
	     struct mregion_region *parent, uint16_t port, struct irq_line irq,
	     struct loop *loop, bool shadow);

void rtc_exit(struct rtc *rtc);

#endif /* VMM_RTC_H */
