// SPDX-License-Identifier: MIT
/* Counters. */
#include <errno.h>
#include <sys/ioctl.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"

int mregion_stats(struct mregion_machine *machine, enum mregion_object object,
		  uint32_t id, struct mregion_stats *stats)
{
	*stats = (struct mregion_stats){
		.size = sizeof(*stats),
		.object = object,
		.id = id,
	};
	if (ioctl(machine->fd, MREGION_STATS, stats))
		return mregion_fail(errno, "read counters of object %u", id);
	return 0;
}
