// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "reset.h"

/* A change of this bit from 0 to 1 resets; the next lower one says how far. */
#define CONTROL_RESET		(1u << 2)
#define CONTROL_KEPT		(1u << 1)

#define PORT92_RESET		(1u << 0)
#define PORT92_A20		(1u << 1)

uint8_t reset_read(struct reset *reset)
{
	return atomic_load(&reset->control);
}

void reset_write(struct reset *reset, uint8_t data)
{
	atomic_store(&reset->control, data & CONTROL_KEPT);
	if (data & CONTROL_RESET)
		end_line_pull(&reset->end, END_REBOOT);
}

static uint64_t port92_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct reset *reset = opaque;

	(void)offset;
	(void)len;
	/* Address line 20 is always on. */
	return atomic_load(&reset->port92) | PORT92_A20;
}

static void port92_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct reset *reset = opaque;

	(void)offset;
	(void)len;
	atomic_store(&reset->port92, data & ~PORT92_RESET);
	if (data & PORT92_RESET)
		end_line_pull(&reset->end, END_REBOOT);
}

static const struct mregion_ops port92_ops = {
	.read = port92_read,
	.write = port92_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

int reset_init(struct reset *reset, struct mregion_machine *machine,
	       struct mregion_region *parent, uint16_t port92,
	       struct end_line end)
{
	reset->end = end;
	reset->port92_region = mregion_new_mmio(machine, "port92", 1,
						&port92_ops, reset);
	if (!reset->port92_region)
		return -errno;
	return mregion_map(parent, reset->port92_region, port92, 0);
}
