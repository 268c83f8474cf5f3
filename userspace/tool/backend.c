// SPDX-License-Identifier: MIT
/* Where a topology becomes a machine: in the module, or in this program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "device.h"
#include "mregion.h"
#include "offline.h"
#include "tool.h"

static bool is_missing(int err)
{
	return err == ENOENT || err == ENXIO || err == ENODEV;
}

bool backend_open(struct backend *backend, bool offline)
{
	backend->offline = NULL;
	backend->machine = NULL;
	if (!offline) {
		backend->machine = mregion_machine_open(NULL);
		if (backend->machine) {
			backend->info = *mregion_machine_info(backend->machine);
			return true;
		}
		if (!is_missing(errno)) {
			tool_error("%s", mregion_error());
			return false;
		}
		tool_note("there is no /dev/mregion: rendered without the module");
	}
	backend->offline = offline_open(&backend->info);
	if (!backend->offline)
		tool_error("out of memory");
	return backend->offline;
}

void backend_close(struct backend *backend)
{
	if (backend->offline)
		offline_close(backend->offline);
	else
		mregion_machine_close(backend->machine);
}

int backend_commit(const struct backend *backend, const struct mregion_op *ops,
		   size_t nr, struct mregion_commit *commit)
{
	if (backend->offline)
		return offline_commit(backend->offline, ops, nr, commit);
	return device_commit(mregion_machine_fd(backend->machine), ops, nr,
			     commit);
}

int backend_view(const struct backend *backend, uint32_t space,
		 struct mregion_view **view)
{
	struct mregion_range *ranges;
	size_t nr, size;
	int ret;

	if (!backend->offline)
		return device_view(mregion_machine_fd(backend->machine), space,
				   view);
	ret = offline_view(backend->offline, space, &ranges, &nr);
	if (ret)
		return ret;
	size = nr * sizeof(*ranges);
	*view = malloc(sizeof(**view) + size);
	if (*view) {
		(*view)->generation = 0;
		(*view)->nr = nr;
		memcpy((*view)->ranges, ranges, size);
	}
	free(ranges);
	return *view ? 0 : -ENOMEM;
}
