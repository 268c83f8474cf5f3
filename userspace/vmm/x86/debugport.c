// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "debugport.h"

/* Nothing to read, and nothing happens on a write. */
static const struct mregion_ops debugport_ops = {
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

int debugport_init(struct debugport *debugport, struct mregion_machine *machine,
		   struct mregion_region *parent, uint16_t port,
		   struct mregion_ring *ring)
{
	int error;

	debugport->region = mregion_new_mmio(machine, "debug-port", 1,
					     &debugport_ops, debugport);
	if (!debugport->region)
		return -errno;
	error = mregion_map(parent, debugport->region, port, 0);
	if (error || !ring)
		return error;
	return mregion_coalesce(debugport->region, 0, 1, ring);
}
