// SPDX-License-Identifier: MIT
/* Processes that have the view of a space: what the VMM has of them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "commit.h"
#include "error.h"
#include "holder.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_log.h"
#include "share.h"
#include "space.h"
#include "written.h"

/* The lowest number that no holder has, or MREGION_MAX_HOLDERS. */
static unsigned int free_number(const struct mregion_machine *machine)
{
	const struct mregion_holder *holder;
	unsigned int number = 0;

	do {
		for (holder = machine->holders; holder; holder = holder->next)
			if (holder->number == number)
				break;
	} while (holder && ++number < MREGION_MAX_HOLDERS);
	return number;
}

/* Share all memory that there is, with the transaction locked. */
static int share_all(struct mregion_machine *machine)
{
	struct mregion_region **regions;
	size_t nr, i;
	int ret;

	regions = mregion_table_all(&machine->regions, &nr);
	if (!regions)
		return mregion_fail(ENOMEM, "share memory");
	mregion_transaction_begin(&machine->transaction);
	for (i = 0; i < nr; i++) {
		if (!atomic_load(&regions[i]->dead) &&
		    !atomic_load(&regions[i]->freed))
			mregion_region_share(regions[i]);
		mregion_region_put(regions[i]);
	}
	free(regions);
	ret = mregion_commit_inner(machine);
	machine->shared = !ret;
	return ret;
}

static int open_view(struct mregion_space *space, uint32_t flags,
		     unsigned int number)
{
	struct mregion_view_open open = {
		.size = sizeof(open),
		.space = space->id,
		.flags = flags,
		.holder = number,
	};

	if (ioctl(space->machine->fd, MREGION_VIEW_OPEN, &open))
		return -errno;
	return open.fd;
}

/* With the transaction locked. Return: the descriptor or a negative errno. */
static int add_holder(struct mregion_space *space, uint32_t flags,
		      struct mregion_holder *holder)
{
	struct mregion_machine *machine = space->machine;
	int ret = 0;

	if (machine->transaction.depth)
		return mregion_fail_why(EBUSY, "open a view: a transaction is open");
	holder->machine = machine;
	holder->number = free_number(machine);
	if (holder->number == MREGION_MAX_HOLDERS)
		return mregion_fail_why(ENOSPC, "open a view: there are %u holders",
					MREGION_MAX_HOLDERS);
	if (flags && !machine->shared)
		ret = share_all(machine);
	if (ret)
		return ret;
	ret = open_view(space, flags, holder->number);
	if (ret < 0)
		return mregion_fail(-ret, "open the view of space %u",
				    space->id);
	holder->next = machine->holders;
	machine->holders = holder;
	return ret;
}

struct mregion_holder *mregion_new_holder(struct mregion_space *space,
					  uint32_t flags, int *fd)
{
	struct mregion_machine *machine = space->machine;
	struct mregion_holder *holder;
	int ret;

	ret = mregion_need(machine, MREGION_FEATURE_VIEW_OPEN, "open a view");
	if (ret)
		return NULL;
	holder = calloc(1, sizeof(*holder));
	if (!holder)
		return mregion_fail_ptr(ENOMEM, "open a view");
	pthread_mutex_lock(&machine->transaction.lock);
	ret = add_holder(space, flags, holder);
	pthread_mutex_unlock(&machine->transaction.lock);
	if (ret < 0) {
		free(holder);
		errno = -ret;
		return NULL;
	}
	*fd = ret;
	return holder;
}

static void settle_region(struct mregion_region *region, unsigned int number)
{
	struct mregion_written *written = atomic_load(&region->logging.written);

	if (written)
		mregion_written_settle(written, number);
}

/*
 * A part of a write counts as a write. Return: false if not all could be looked at:
 * then nobody else may have the number.
 */
static bool settle(struct mregion_machine *machine, unsigned int number)
{
	struct mregion_region **regions, *region;
	size_t nr, i;

	/* Those that were freed may have logs. */
	for (region = machine->logged; region; region = region->logging.next)
		settle_region(region, number);
	regions = mregion_table_all(&machine->regions, &nr);
	if (!regions)
		return false;
	for (i = 0; i < nr; i++) {
		settle_region(regions[i], number);
		mregion_region_put(regions[i]);
	}
	free(regions);
	return true;
}

void mregion_holder_free(struct mregion_holder *holder)
{
	struct mregion_holder **link;
	struct mregion_machine *machine;
	bool settled;

	if (!holder)
		return;
	machine = holder->machine;
	pthread_mutex_lock(&machine->transaction.lock);
	for (link = &machine->holders; *link != holder; link = &(*link)->next)
		;
	settled = settle(machine, holder->number);
	if (settled)
		*link = holder->next;
	pthread_mutex_unlock(&machine->transaction.lock);
	if (settled)
		free(holder);
}

void mregion_holders_close(struct mregion_machine *machine)
{
	struct mregion_holder *holder;

	while ((holder = machine->holders)) {
		machine->holders = holder->next;
		free(holder);
	}
}
