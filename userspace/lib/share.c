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

	if (region->ram.fd < 0)
		return;
	if (region->kind == MREGION_RAM || region->kind == MREGION_RAMDEV) {
		written = mregion_logging_written(region);
		if (!written) {
			mregion_refuse(region->machine,
				       mregion_fail(errno, "share '%s'",
						    region->name));
			return;
		}
		op.share.log = written->fd;
	}
	/* Of a file that may be read only, or none of a file system's. */
	mregion_may_fail(region->machine, NULL);
	mregion_change(region->machine, &op, NULL, NULL);
}
