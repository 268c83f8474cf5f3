// SPDX-License-Identifier: MIT
/* What follows a commit: copies of views, and memory slots. */
#include <stdlib.h>

#include "flat.h"
#include "follow.h"
#include "kernel.h"
#include "machine.h"
#include "space.h"
#include "vm.h"

/* Room for more ranges than a commit changes as a rule is not kept. */
#define KEPT_ROOM	1024

static void follow_view(struct mregion_machine *machine,
			struct mregion_space *space)
{
	struct mregion_changed *changed = &space->changed;
	int ret;

	changed->nr_intervals = 0;
	if (!space->live)
		return;
	if (machine->info.features & MREGION_FEATURE_CHANGES)
		ret = mregion_kernel_changes(machine->fd, space->id,
					     space->flat.generation, changed);
	else
		ret = mregion_kernel_changes_all(machine->fd, space->id,
						 space->flat.generation,
						 changed);
	mregion_flat_follow(&space->flat, machine, ret ? NULL : changed);
	if (changed->room > KEPT_ROOM) {
		free(changed->ranges);
		changed->ranges = NULL;
		changed->room = 0;
	}
}

void mregion_follow_views(struct mregion_machine *machine)
{
	struct mregion_space *space;

	for (space = machine->spaces; space; space = space->next)
		follow_view(machine, space);
}

void mregion_follow_slots(struct mregion_machine *machine)
{
	struct mregion_vm *vm;

	for (vm = machine->vms; vm; vm = vm->next)
		if (vm->memory)
			mregion_memslots_follow(&vm->memslots, vm->memory);
}
