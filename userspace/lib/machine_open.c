// SPDX-License-Identifier: MIT
/* Machines, as a whole: their begin, and their end, with all that belongs to them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "commit.h"
#include "error.h"
#include "holder.h"
#include "kernel.h"
#include "machine.h"
#include "machine_open.h"
#include "mregion.h"
#include "region_changes.h"
#include "region_log.h"
#include "ring_drain.h"
#include "server_in_vmm.h"
#include "shadow.h"
#include "space.h"
#include "vm.h"

static const struct mregion_followers followers = {
	.views = mregion_spaces_follow,
	.slots = mregion_vms_follow,
};

int mregion_machine_init(struct mregion_machine *machine)
{
	if (mregion_table_init(&machine->regions))
		return -ENOMEM;
	machine->followers = &followers;
	mregion_transaction_init(&machine->transaction);
	mregion_sections_init(&machine->sections);
	machine->sections.transaction = &machine->transaction;
	mregion_rings_init(&machine->rings);
	return 0;
}

void mregion_machine_destroy(struct mregion_machine *machine)
{
	mregion_rings_destroy(&machine->rings);
	mregion_sections_destroy(&machine->sections);
	mregion_transaction_destroy(&machine->transaction);
	mregion_table_destroy(&machine->regions);
}

struct mregion_machine *mregion_machine_open(const char *path)
{
	struct mregion_machine *machine;

	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return mregion_fail_ptr(ENOMEM, "open a machine");
	machine->fd = mregion_kernel_open(path, &machine->info);
	if (machine->fd < 0)
		goto free_machine;
	if (mregion_machine_init(machine)) {
		mregion_fail(ENOMEM, "open a machine");
		goto close_fd;
	}
	machine->page_size = sysconf(_SC_PAGESIZE);
	return machine;

close_fd:
	close(machine->fd);
free_machine:
	free(machine);
	return NULL;
}

int mregion_machine_set_lock(struct mregion_machine *machine,
			     bool (*lock)(void *opaque),
			     void (*unlock)(void *opaque), void *opaque)
{
	if (!lock || !unlock)
		return mregion_fail_why(EINVAL,
			"set the lock of a machine: a function is NULL");
	if (mregion_rings_any(&machine->rings) || machine->vms)
		return mregion_fail_why(EBUSY,
			"set the lock of a machine: it has a ring already, or is attached");
	machine->sections.vmm_lock = (struct mregion_vmm_lock){
		.lock = lock,
		.unlock = unlock,
		.opaque = opaque,
	};
	return 0;
}

/*
 * How often to look again for what devices have added to rings upon what was
 * brought to them. It could go on for ever, by the will of the guest that was.
 */
#define ROUNDS	8

/*
 * Bring to the devices what guests have left. What waits for a server is its
 * process's, unless that is dead.
 */
static void drain_all(struct mregion_machine *machine)
{
	struct mregion_server *server = atomic_load(&machine->servers);
	unsigned int i;

	for (; server; server = server->next)
		mregion_server_dead(server);
	for (i = 0; i < ROUNDS; i++)
		mregion_rings_drain(&machine->rings);
}

/*
 * The threads of rings may wait for the VMM's lock, so it is given up meanwhile if
 * this thread has it. There is no telling whether it has a recursive one.
 */
static void end_threads(struct mregion_machine *machine)
{
	const struct mregion_vmm_lock *lock = &machine->sections.vmm_lock;
	bool locked;

	mregion_rings_stop(&machine->rings);
	if (!lock->lock) {
		mregion_rings_join(&machine->rings);
		return;
	}
	locked = lock->lock(lock->opaque);
	lock->unlock(lock->opaque);
	mregion_rings_join(&machine->rings);
	if (!locked)
		lock->lock(lock->opaque);
}

void mregion_machine_close(struct mregion_machine *machine)
{
	struct mregion_region *region;

	if (!machine)
		return;
	/* What was collected still refers to all that is about to go. */
	mregion_transaction_drop(&machine->transaction);
	while (machine->vms)
		mregion_detach(machine->vms);
	drain_all(machine);
	end_threads(machine);
	mregion_logs_close(machine);
	mregion_holders_close(machine);
	while (machine->shadows)
		mregion_shadow_release(machine->shadows);
	close(machine->fd);
	while (machine->spaces)
		mregion_space_release(machine->spaces);
	mregion_sections_flush(&machine->sections);
	while ((region = mregion_table_pop(&machine->regions)))
		mregion_region_release(region);
	mregion_servers_release(machine);
	mregion_machine_destroy(machine);
	free(machine);
}

int mregion_synchronize(struct mregion_machine *machine)
{
	if (mregion_sections_inside(&machine->sections))
		return mregion_fail_why(EDEADLK,
			"synchronize: called within a device's function");
	/* A device that is waited for may itself wait to make a change. */
	if (mregion_transaction_inside(&machine->transaction))
		return mregion_fail_why(EDEADLK,
			"synchronize: called in a transaction");
	mregion_sections_wait(&machine->sections);
	mregion_sections_run(&machine->sections);
	return 0;
}
