// SPDX-License-Identifier: MIT
/* Machines, as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "server.h"
#include "shadow.h"
#include "space.h"

struct mregion_machine *mregion_machine_open(const char *path)
{
	struct mregion_machine *machine;

	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return mregion_fail_ptr(ENOMEM, "open a machine");
	machine->fd = mregion_kernel_open(path, &machine->info);
	if (machine->fd < 0)
		goto free_machine;
	if (mregion_table_init(&machine->regions)) {
		mregion_fail(ENOMEM, "open a machine");
		goto close_fd;
	}
	machine->page_size = sysconf(_SC_PAGESIZE);
	mregion_transaction_init(&machine->transaction);
	mregion_sections_init(&machine->sections);
	mregion_rings_init(&machine->rings);
	return machine;

close_fd:
	close(machine->fd);
free_machine:
	free(machine);
	return NULL;
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
	mregion_rings_stop(&machine->rings);
	while (machine->shadows)
		mregion_shadow_release(machine->shadows);
	close(machine->fd);
	while (machine->spaces)
		mregion_space_release(machine->spaces);
	while ((region = mregion_table_pop(&machine->regions)))
		mregion_region_put(region);
	mregion_servers_release(machine);
	mregion_rings_destroy(&machine->rings);
	mregion_sections_destroy(&machine->sections);
	mregion_transaction_destroy(&machine->transaction);
	mregion_table_destroy(&machine->regions);
	free(machine);
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

int mregion_synchronize(struct mregion_machine *machine)
{
	pthread_mutex_t *lock = &machine->transaction.lock;
	bool ours;

	if (mregion_sections_inside(&machine->sections))
		return mregion_fail_why(EDEADLK,
			"synchronize: called within a device's function");

	/* A device that is waited for may itself wait to make a change. */
	if (!pthread_mutex_trylock(lock)) {
		ours = machine->transaction.depth;
		pthread_mutex_unlock(lock);
		if (ours)
			return mregion_fail_why(EDEADLK,
				"synchronize: called in a transaction");
	}
	mregion_sections_wait(&machine->sections);
	return 0;
}
