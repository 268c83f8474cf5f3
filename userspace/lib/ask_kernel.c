// SPDX-License-Identifier: MIT
/* Parts of accesses that the kernel is asked to make. */
#include <errno.h>
#include <sys/ioctl.h>

#include "access.h"
#include "ask_kernel.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "ring_drain.h"
#include "server_in_vmm.h"
#include "space.h"
#include "vm.h"

/* How long a server that has just died takes to tell so, if nothing is slow. */
#define GRACE_MSECS	1

/* What the open transaction will change counts: it may be committed just now. */
bool mregion_piece_asked(const struct mregion_piece *piece, bool write)
{
	struct mregion_region *region = piece->region;

	return region && (atomic_load(&region->nr_asked) ||
			  atomic_load(&region->server) ||
			  atomic_load(&region->next_server)) &&
	       !mregion_piece_memory(piece, write) &&
	       !mregion_piece_readonly(piece, write);
}

/*
 * The kernel says that a server is dead: the region's, or an earlier one that the
 * vCPU had left the access with. The server itself tells which, once all that was
 * posted to it is in its rings. What it has not taken any more is the VMM's.
 *
 * While a commit is under way, the region may have another server than is known here.
 *
 * Return: whether it is the region's, or that has none any more.
 */
static bool found_dead(const struct mregion_ask *ask)
{
	struct mregion_machine *machine = ask->space->machine;
	struct mregion_server *server = NULL;
	struct mregion_region *region;
	bool dead;

	region = mregion_table_get(&machine->regions, ask->region);
	if (region) {
		server = atomic_load(&region->server);
		mregion_region_put(region);
	}
	dead = !server || mregion_server_await_death(server, GRACE_MSECS);
	mregion_rings_drain(&machine->rings);
	return dead && !atomic_load(&machine->committing);
}

int mregion_ask(struct mregion_ask *ask)
{
	struct mregion_machine *machine = ask->space->machine;
	struct mregion_access arg = {
		.size = sizeof(arg),
		.space = ask->space->id,
		.addr = ask->addr,
		.len = ask->len,
		.flags = MREGION_ACCESS_PART,
		.vcpu = ask->vcpu,
		.vm_fd = ask->vm ? ask->vm->fd : 0,
	};
	int err = 0;

	ask->again = false;
	ask->commits = atomic_load(&machine->commits);
	if (ask->write) {
		arg.flags |= MREGION_ACCESS_WRITE;
		arg.data = mregion_from_bytes(ask->data, ask->len);
	}
	if (ioctl(machine->fd, MREGION_ACCESS, &arg))
		err = errno;
	ask->part = arg.part ? arg.part : ask->len;
	if (err)
		return err == EINTR ? -EINTR :
		       mregion_fail(err, "access address %#llx of space %u",
				    (unsigned long long)ask->addr,
				    ask->space->id);
	if (arg.handled) {
		if (!ask->write)
			mregion_to_bytes(ask->data, arg.data, ask->part);
		return 1;
	}
	ask->outcome = arg.outcome;
	ask->region = arg.region;
	ask->offset = arg.offset;
	ask->range_flags = arg.range_flags;
	if (arg.outcome == MREGION_OUTCOME_SERVER_EXIT)
		ask->again = !found_dead(ask);
	return 0;
}

/*
 * Whoever has freed a region, or bound it to a server, waits for the sections that
 * have begun by then. This one may have begun later than that, and not know of it.
 */
bool mregion_ask_piece(const struct mregion_ask *ask,
		       struct mregion_piece *piece)
{
	struct mregion_machine *machine = ask->space->machine;

	*piece = (struct mregion_piece){
		.flags = ask->range_flags,
		.offset = ask->offset,
		.len = ask->part,
	};
	if (ask->again || atomic_load(&machine->commits) != ask->commits)
		return false;
	piece->region = mregion_table_get(&machine->regions, ask->region);
	if (piece->region)
		piece->kind = piece->region->kind;
	else if (ask->region)	/* not one that the library has made */
		piece->kind = MREGION_MMIO;
	return true;
}
