// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdatomic.h>

#include "commit.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_log.h"
#include "share.h"
#include "written.h"

void mregion_region_share(struct mregion_region *region)
{
	struct mregion_op op = {
		.code = MREGION_OP_SHARE,
		.id = region->id,
		.share.log = -1,
	};
	struct mregion_written *written;

	if (region->ram.fd < 0 || region->kind == MREGION_RAMDEV)
		return;
	if (region->kind == MREGION_RAM) {
		written = mregion_logging_written(region);
		if (!written) {
			mregion_refuse(region->machine,
				       mregion_fail(errno, "share '%s'",
						    region->name));
			return;
		}
		op.share.log = written->fd;
	}
	/* The VMM's own file may be one that the kernel does not share. */
	mregion_may_fail(region->machine, NULL);
	mregion_change(region->machine, &op, NULL, NULL);
}
