// SPDX-License-Identifier: MIT
/* Servers, as the VMM sees them: their creation, and which regions are theirs. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_changes.h"
#include "server_in_vmm.h"

/* Of the limits, this one is not in struct mregion_info. */
#define MAX_SPIN_USECS	1000

static struct mregion_server *new_server_handle(struct mregion_machine *machine)
{
	struct mregion_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->eventfd = eventfd(0, EFD_CLOEXEC);
	if (server->eventfd < 0) {
		free(server);
		return NULL;
	}
	server->machine = machine;
	server->id = mregion_next_id(machine, &machine->last_server_id);
	return server;
}

static void close_eventfd(struct mregion_server *server)
{
	int fd = atomic_exchange(&server->eventfd, -1);

	if (fd >= 0)
		close(fd);
}

static void free_handle(struct mregion_server *server)
{
	close_eventfd(server);
	free(server);
}

static void link_server(struct mregion_server *server)
{
	struct mregion_machine *machine = server->machine;

	pthread_mutex_lock(&machine->transaction.lock);
	server->next = atomic_load(&machine->servers);
	atomic_store(&machine->servers, server);
	pthread_mutex_unlock(&machine->transaction.lock);
}

/* The kernel has refused it: what for, if that can be told. */
static const char *create_reason(const struct mregion_info *info,
				 const struct mregion_server_create *arg,
				 int err)
{
	if (err == ENOSPC)
		return "the machine has max_servers servers";
	if (err != EINVAL)
		return NULL;
	if (!arg->nr_slots)
		return "nr_slots is 0";
	if (arg->nr_slots > info->max_slots)
		return "nr_slots is more than max_slots";
	if (arg->spin_usecs > MAX_SPIN_USECS)
		return "spin_usecs is more than 1000";
	return "timeout_usecs is more than one hour";
}

struct mregion_server *mregion_new_server(struct mregion_machine *machine,
					  uint32_t nr_slots,
					  uint32_t spin_usecs,
					  uint64_t timeout_usecs, int *fd)
{
	struct mregion_server_create arg = {
		.size = sizeof(arg),
		.nr_slots = nr_slots,
		.spin_usecs = spin_usecs,
		.timeout_usecs = timeout_usecs,
	};
	struct mregion_server *server = new_server_handle(machine);
	int err;

	if (!server)
		return mregion_fail_ptr(errno, "create a server");
	arg.id = server->id;
	arg.eventfd = server->eventfd;
	if (ioctl(machine->fd, MREGION_SERVER_CREATE, &arg)) {
		err = errno;
		free_handle(server);
		mregion_fail_reason(err, "create a server",
				    create_reason(&machine->info, &arg, err));
		return NULL;
	}
	link_server(server);
	*fd = arg.fd;
	return server;
}

int mregion_server_dead_fd(const struct mregion_server *server)
{
	return server->eventfd;
}

/* It has told of its death. Whether it is found dead: not while it is being freed. */
static bool is_found_dead(struct mregion_server *server)
{
	unsigned int fate = MREGION_SERVER_OPEN;

	return atomic_compare_exchange_strong(&server->fate, &fate,
					      MREGION_SERVER_FOUND_DEAD) ||
	       fate == MREGION_SERVER_FOUND_DEAD;
}

bool mregion_server_await_death(struct mregion_server *server, int msecs)
{
	struct pollfd told = {
		.fd = atomic_load(&server->eventfd),
		.events = POLLIN,
	};

	if (!atomic_load(&server->dead) && poll(&told, 1, msecs) == 1 &&
	    is_found_dead(server))
		atomic_store(&server->dead, true);
	return atomic_load(&server->dead);
}

bool mregion_server_dead(struct mregion_server *server)
{
	return mregion_server_await_death(server, 0);
}

/* Whether it was not known to be dead; then nobody finds it dead any more. */
static bool begin_free(struct mregion_server *server)
{
	unsigned int fate = MREGION_SERVER_OPEN;

	return !mregion_server_dead(server) &&
	       atomic_compare_exchange_strong(&server->fate, &fate,
					      MREGION_SERVER_FREEING);
}

int mregion_server_free(struct mregion_server *server)
{
	struct mregion_server_free arg = { .size = sizeof(arg) };
	bool alive;

	if (!server)
		return 0;
	/* The kernel has it tell of its death before it says that it has freed it. */
	alive = begin_free(server);
	arg.id = server->id;
	if (ioctl(server->machine->fd, MREGION_SERVER_FREE, &arg)) {
		if (alive)
			atomic_store(&server->fate, MREGION_SERVER_OPEN);
		if (errno == EBUSY)
			return mregion_fail_why(EBUSY,
				"free server %u: a region is bound to it",
				server->id);
		return mregion_fail(errno, "free server %u", server->id);
	}
	/* Its rings are the VMM's now, but perhaps for what it is just doing. */
	atomic_store(&server->alive, alive);
	atomic_store(&server->dead, true);
	close_eventfd(server);
	return 0;
}

uint32_t mregion_server_id(const struct mregion_server *server)
{
	return server->id;
}

void mregion_servers_release(struct mregion_machine *machine)
{
	struct mregion_server *server, *next;

	for (server = atomic_load(&machine->servers); server; server = next) {
		next = server->next;
		free_handle(server);
	}
	atomic_store(&machine->servers, NULL);
}

static struct mregion_server *find_server(struct mregion_machine *machine,
					  uint32_t id)
{
	struct mregion_server *server = atomic_load(&machine->servers);

	while (server && server->id != id)
		server = server->next;
	return server;
}

static void settle_server(void *object, const struct mregion_op *op, bool done)
{
	struct mregion_region *region = object;

	if (done)
		atomic_store(&region->server,
			     find_server(region->machine, op->set_server.server));
	atomic_store(&region->next_server, atomic_load(&region->server));
	mregion_region_put(region);
}

int mregion_set_server(struct mregion_region *region,
		       struct mregion_server *server)
{
	struct mregion_op op = {
		.code = MREGION_OP_SET_SERVER,
		.set_server.server = server ? server->id : 0,
	};
	pthread_mutex_t *lock;
	int ret;

	if (!region)
		return mregion_refuse_null("bind a region to a server");
	lock = &region->machine->transaction.lock;
	/* Who is in a transaction has looked at what there will be. */
	pthread_mutex_lock(lock);
	atomic_store(&region->next_server, server);
	ret = mregion_region_change(region, &op, settle_server,
				    "bind a region to a server");
	pthread_mutex_unlock(lock);
	return ret;
}
