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

/* In shadow memory: the registers, and what is written to the first one */
#define SHADOW_DROPPED		8
#define SHADOW_SIZE		10

static void set(struct pm *pm, uint64_t offset, uint16_t value)
{
	atomic_store(&pm->registers[offset / 2], value);
}

static uint64_t pm_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pm *pm = opaque;

	(void)len;
	return atomic_load(&pm->registers[offset / 2]);
}

static void pm_write(void *opaque, uint64_t offset, uint64_t data,
		     unsigned int len)
{
	struct pm *pm = opaque;

	(void)len;
	switch (offset) {
	case REG_STATUS:
		/* No button, no timer and no wake-up: no event ever to clear. */
		break;
	case REG_ENABLE:
		set(pm, REG_ENABLE, data);
		break;
	case REG_CONTROL:
		/*
		 * The bit that starts to sleep reads as zero, and there is no
		 * other mode than ACPI's.
		 */
		set(pm, REG_CONTROL,
		    (data & ~CONTROL_SLEEP) | CONTROL_SCI_ENABLED);
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

/* All but writes to the control register, which switches off. */
static int add_shadow(struct pm *pm, struct mregion_machine *machine)
{
	struct mregion_shadow *shadow;
	int error;

	shadow = mregion_new_shadow(machine, SHADOW_SIZE);
	if (!shadow)
		return -errno;
	pm->registers = mregion_shadow_ptr(shadow);
	error = mregion_add_shadow(pm->region, 0, PM_SIZE, shadow, 0,
				   MREGION_RULE_READ, -1);
	if (!error)
		error = mregion_add_shadow(pm->region, REG_STATUS, 2, shadow,
					   SHADOW_DROPPED, MREGION_RULE_WRITE,
					   -1);
	if (!error)
		error = mregion_add_shadow(pm->region, REG_ENABLE, 2, shadow,
					   REG_ENABLE, MREGION_RULE_WRITE, -1);
	return error;
}

int pm_init(struct pm *pm, struct mregion_machine *machine,
	    struct mregion_region *parent, uint16_t port, struct end_line end,
	    bool shadow)
{
	int error = 0;

	pm->end = end;
	pm->registers = pm->own_registers;
	pm->region = mregion_new_mmio(machine, "acpi-pm", PM_SIZE, &pm_ops, pm);
	if (!pm->region)
		return -errno;
	if (shadow)
		error = add_shadow(pm, machine);
	if (error)
		return error;
	set(pm, REG_CONTROL, CONTROL_SCI_ENABLED);
	return mregion_map(parent, pm->region, port, 0);
}
