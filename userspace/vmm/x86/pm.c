// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "pm.h"

#define REG_STATUS		PM1_EVENT
#define REG_ENABLE		(PM1_EVENT + PM1_EVENT_SIZE / 2)
#define REG_CONTROL		PM1_CONTROL

#define CONTROL_SCI_ENABLED	(1u << 0)
#define CONTROL_SLEEP_TYPE(v)	((v) >> 10 & 7)
#define CONTROL_SLEEP		(1u << 13)

static uint64_t pm_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pm *pm = opaque;

	(void)len;
	switch (offset) {
	case REG_ENABLE:
		return atomic_load(&pm->enable);
	case REG_CONTROL:
		/* There is no other mode than ACPI's. */
		return atomic_load(&pm->control) | CONTROL_SCI_ENABLED;
	default:
		/* No button, no timer and no wake-up: no event ever. */
		return 0;
	}
}

static void pm_write(void *opaque, uint64_t offset, uint64_t data,
		     unsigned int len)
{
	struct pm *pm = opaque;

	(void)len;
	switch (offset) {
	case REG_ENABLE:
		atomic_store(&pm->enable, data);
		break;
	case REG_CONTROL:
		/* The bit that starts to sleep reads as zero. */
		atomic_store(&pm->control, data & ~CONTROL_SLEEP);
		if ((data & CONTROL_SLEEP) &&
		    CONTROL_SLEEP_TYPE(data) == SLEEP_TYPE_OFF)
			end_line_pull(&pm->end, END_POWER_OFF);
		break;
	}
}

static const struct mregion_ops pm_ops = {
	.read = pm_read,
	.write = pm_write,
	.constraints = {
		.valid_min = 2,
		.valid_max = 4,
		.impl_min = 2,
		.impl_max = 2,
	},
};

int pm_init(struct pm *pm, struct mregion_machine *machine,
	    struct mregion_region *parent, uint16_t port, struct end_line end)
{
	pm->end = end;
	pm->region = mregion_new_mmio(machine, "acpi-pm", PM_SIZE, &pm_ops, pm);
	if (!pm->region)
		return -errno;
	return mregion_map(parent, pm->region, port, 0);
}
