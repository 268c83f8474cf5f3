/* SPDX-License-Identifier: MIT */
/* ACPI's fixed power management registers: by them the guest switches off */
#ifndef VMM_PM_H
#define VMM_PM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "wiring.h"

struct mregion_machine;
struct mregion_region;

/* Blocks of registers: offsets in the region, and lengths in bytes. */
#define PM1_EVENT		0
#define PM1_EVENT_SIZE		4
#define PM1_CONTROL		4
#define PM1_CONTROL_SIZE	2
#define PM_SIZE			6

/* What \_S5 in dsdt.asl says. */
#define SLEEP_TYPE_OFF		5

struct pm {
	struct mregion_region *region;
	struct end_line end;
	atomic_ushort *registers;	/* what guests read, in shadow memory */
	atomic_ushort own_registers[PM_SIZE / 2];	/* or here */
};

/**
 * pm_init() - create the registers and map them
 * @pm: the device
 * @machine: where its region is created
 * @parent: region of the I/O ports
 * @port: first port
 * @end: pulled when the guest switches off
 * @shadow: have in shadow memory what needs no call, or else each access exits
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pm_init(struct pm *pm, struct mregion_machine *machine,
	    struct mregion_region *parent, uint16_t port, struct end_line end,
	    bool shadow);

#endif /* VMM_PM_H */
