// SPDX-License-Identifier: MIT
/*
 * What a machine has and tells: features, counters, IDs. It is opened and closed in
 * machine_open.c, which knows all that belongs to it.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "names.h"

#define TEXT_OF(major, minor, patch)	(#major "." #minor "." #patch)
#define TEXT(major, minor, patch)	TEXT_OF(major, minor, patch)

const char *mregion_version(void)
{
	return TEXT(MREGION_LIB_VERSION_MAJOR, MREGION_LIB_VERSION_MINOR,
		    MREGION_LIB_VERSION_PATCH);
}

int mregion_machine_fd(const struct mregion_machine *machine)
{
	return machine->fd;
}

const struct mregion_info *
mregion_machine_info(const struct mregion_machine *machine)
{
	return &machine->info;
}

int mregion_need(const struct mregion_machine *machine, uint64_t features,
		 const char *what)
{
	uint64_t missing = features & ~machine->info.features;
	char names[MREGION_FEATURES_SIZE];

	if (!missing)
		return 0;
	mregion_feature_names(missing, names);
	return mregion_fail_why(EOPNOTSUPP,
		"%s: the mregion module that is loaded lacks: %s", what, names);
}

int mregion_require(const struct mregion_machine *machine, uint64_t features)
{
	return mregion_need(machine, features, "require features");
}

uint32_t mregion_next_id(struct mregion_machine *machine, uint32_t *last)
{
	uint32_t id;

	pthread_mutex_lock(&machine->transaction.lock);
	id = *last == UINT32_MAX ? 0 : ++*last;
	pthread_mutex_unlock(&machine->transaction.lock);
	return id;
}

uint64_t mregion_reentries(const struct mregion_machine *machine)
{
	return atomic_load(&machine->reentries);
}

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
