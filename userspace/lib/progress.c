// SPDX-License-Identifier: MIT
/* How far exits have been resolved that a signal interrupted. */
#include <stdlib.h>

#include <linux/mregion.h>

#include "progress.h"

struct mregion_progress *mregion_progress_alloc(void)
{
	return calloc(MREGION_NO_VCPU, sizeof(struct mregion_progress));
}

void mregion_progress_resume(struct mregion_progress *saved,
			     struct mregion_progress *now)
{
	if (!saved->interrupted)
		return;
	/* If it is another exit, the VMM has not come back as it should. */
	if (saved->addr == now->addr && saved->len == now->len &&
	    saved->pio == now->pio && saved->write == now->write) {
		now->done = saved->done;
		now->part = saved->part;
		now->ret = saved->ret;
	}
	saved->interrupted = false;
}
