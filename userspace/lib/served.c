// SPDX-License-Identifier: MIT
/* Accesses that a server answers, asked for by the VMM. */
#include <errno.h>
#include <sys/ioctl.h>

#include "access.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "served.h"
#include "server.h"
#include "space.h"

bool mregion_piece_served(const struct mregion_piece *piece, bool write)
{
	struct mregion_region *region = piece->region;
	struct mregion_machine *machine;

	if (!region || mregion_piece_memory(piece, write) ||
	    mregion_piece_readonly(piece, write) ||
	    (region->kind != MREGION_MMIO && region->kind != MREGION_ROMD))
		return false;
	machine = region->machine;
	/* It may be bound already when the library does not know yet. */
	if (atomic_load(&machine->committing) &&
	    atomic_load(&machine->servers))
		return true;
	return atomic_load(&region->server);
}

void mregion_served_set(struct mregion_served *access,
			const struct mregion_piece *piece)
{
	access->region = piece->region;
	mregion_region_get(access->region);
	access->seen.region = access->region->id;
	access->seen.server = atomic_load(&access->region->server);
}

/*
 * Within one commit the map changes once, so what is the same region before and
 * after was there all the time. The library learns of servers a little later than
 * of the map, but before the commit ends.
 */
bool mregion_left_here(const struct mregion_seen *left,
		       const struct mregion_piece *piece)
{
	struct mregion_region *region = piece->region;

	return left->region && region && region->id == left->region &&
	       atomic_load(&region->server) == left->server &&
	       atomic_load(&region->machine->commits) == left->commits;
}

/*
 * The kernel says that the server is dead. Whose that is is certain only if no
 * commit came between the look at the view and now.
 */
static int found_dead(const struct mregion_served *access)
{
	struct mregion_machine *machine = access->space->machine;
	struct mregion_server *server;

	if (!access->region)
		return 0;
	server = atomic_load(&access->region->server);
	if (atomic_load(&machine->committing) ||
	    atomic_load(&machine->commits) != access->seen.commits)
		return -EAGAIN;
	if (server)
		atomic_store(&server->dead, true);
	return 0;
}

/* Whether the library knows already that nobody answers. */
static bool known_dead(const struct mregion_region *region)
{
	struct mregion_server *server;

	server = region ? atomic_load(&region->server) : NULL;
	return server && atomic_load(&server->dead);
}

int mregion_served_access(const struct mregion_served *access)
{
	struct mregion_access arg = {
		.size = sizeof(arg),
		.space = access->space->id,
		.addr = access->addr,
		.len = access->len,
		.vcpu = access->vcpu,
	};

	if (known_dead(access->region))
		return 0;
	if (access->write) {
		arg.flags = MREGION_ACCESS_WRITE;
		arg.data = mregion_from_bytes(access->data, access->len);
	}
	if (ioctl(access->space->machine->fd, MREGION_ACCESS, &arg))
		return errno == EINTR ? -EINTR :
		       mregion_fail(errno, "access address %#llx of space %u",
				    (unsigned long long)access->addr,
				    access->space->id);
	if (arg.handled) {
		if (!access->write)
			mregion_to_bytes(access->data, arg.data, access->len);
		return 1;
	}
	return arg.outcome == MREGION_OUTCOME_SERVER_EXIT ? found_dead(access)
							  : 0;
}
