// SPDX-License-Identifier: MIT
/* Address spaces, and the copies of their views, which follow commits. */
#include <errno.h>
#include <stdlib.h>

#include "commit.h"
#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "space.h"

static void put_space(struct mregion_space *space)
{
	if (--space->refs)
		return;
	mregion_flat_destroy(&space->flat);
	mregion_changed_free(&space->changed);
	free(space);
}

/* The handle may be freed before the fate of the change is known. */
static int change_space(struct mregion_space *space, struct mregion_op *op,
			mregion_settle_t *settle)
{
	op->id = space->id;
	space->refs++;
	return mregion_change(space->machine, op, settle, space);
}

static void settle_create(void *object, const struct mregion_op *op,
			  bool done)
{
	struct mregion_space *space = object;

	(void)op;
	space->live = done;
	space->dead = !done;
	put_space(space);
}

struct mregion_space *mregion_new_space(struct mregion_machine *machine,
					enum mregion_bus bus,
					struct mregion_region *root,
					enum mregion_policy unassigned)
{
	struct mregion_op op = {
		.code = MREGION_OP_SPACE_CREATE,
		.space = {
			.bus = bus,
			.unassigned = unassigned,
		},
	};
	struct mregion_space *space;
	int ret;

	if (!root) {
		mregion_refuse_null("create a space");
		return NULL;
	}
	op.space.root = root->id;
	pthread_mutex_lock(&machine->transaction.lock);
	space = calloc(1, sizeof(*space));
	if (!space) {
		ret = mregion_refuse(machine,
				     mregion_fail(ENOMEM, "create a space"));
		goto unlock;
	}
	space->refs = 1;
	space->machine = machine;
	space->bus = bus;
	space->root = root->id;
	space->next_root = root->id;
	atomic_init(&space->unassigned, unassigned);
	space->next_unassigned = unassigned;
	mregion_flat_init(&space->flat);
	space->id = mregion_next_id(machine, &machine->last_space_id);
	space->next = machine->spaces;
	machine->spaces = space;
	if (space->id)
		ret = change_space(space, &op, settle_create);
	else
		ret = mregion_refuse(machine, mregion_fail_why(ENOSPC,
			"create a space: all IDs are used up"));
	if (ret) {
		mregion_space_release(space);
		goto unlock;
	}
	pthread_mutex_unlock(&machine->transaction.lock);
	return space;

unlock:
	pthread_mutex_unlock(&machine->transaction.lock);
	errno = -ret;
	return NULL;
}

void mregion_space_release(struct mregion_space *space)
{
	struct mregion_machine *machine = space->machine;
	struct mregion_space **link;

	pthread_mutex_lock(&machine->transaction.lock);
	for (link = &machine->spaces; *link != space; link = &(*link)->next)
		;
	*link = space->next;
	put_space(space);
	pthread_mutex_unlock(&machine->transaction.lock);
}

static void settle_set(void *object, const struct mregion_op *op, bool done)
{
	struct mregion_space *space = object;

	if (done) {
		space->root = op->space.root;
		atomic_store(&space->unassigned, op->space.unassigned);
	}
	space->next_root = space->root;
	space->next_unassigned = atomic_load(&space->unassigned);
	put_space(space);
}

/* The kernel changes both at once, so one of them is what it was. */
static int set_space(struct mregion_space *space)
{
	struct mregion_op op = {
		.code = MREGION_OP_SPACE_SET,
		.space = {
			.root = space->next_root,
			.bus = space->bus,
			.unassigned = space->next_unassigned,
		},
	};

	return change_space(space, &op, settle_set);
}

int mregion_space_set_root(struct mregion_space *space,
			   struct mregion_region *root)
{
	int ret;

	if (!space || !root)
		return mregion_refuse_null("set the root of a space");
	pthread_mutex_lock(&space->machine->transaction.lock);
	space->next_root = root->id;
	ret = set_space(space);
	pthread_mutex_unlock(&space->machine->transaction.lock);
	return ret;
}

int mregion_space_set_unassigned(struct mregion_space *space,
				 enum mregion_policy unassigned)
{
	int ret;

	if (!space)
		return mregion_refuse_null("set the policy of a space");
	pthread_mutex_lock(&space->machine->transaction.lock);
	space->next_unassigned = unassigned;
	ret = set_space(space);
	pthread_mutex_unlock(&space->machine->transaction.lock);
	return ret;
}

static void settle_free(void *object, const struct mregion_op *op, bool done)
{
	(void)op;
	if (done)
		mregion_space_release(object);
	put_space(object);
}

int mregion_space_free(struct mregion_space *space)
{
	struct mregion_op op = { .code = MREGION_OP_SPACE_FREE };
	struct mregion_machine *machine;
	int ret = 0;

	if (!space) {
		mregion_no_change(NULL);
		return 0;
	}
	machine = space->machine;
	pthread_mutex_lock(&machine->transaction.lock);
	if (space->dead) {
		mregion_no_change(machine);
		mregion_space_release(space);
	} else {
		ret = change_space(space, &op, settle_free);
	}
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}

/* Room for more ranges than a commit changes as a rule is not kept. */
#define KEPT_ROOM	1024

static void follow_commit(struct mregion_machine *machine,
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

void mregion_spaces_follow(struct mregion_machine *machine)
{
	struct mregion_space *space;

	for (space = machine->spaces; space; space = space->next)
		follow_commit(machine, space);
}

uint32_t mregion_space_id(const struct mregion_space *space)
{
	return space->id;
}

struct mregion_view *mregion_space_view(struct mregion_space *space)
{
	struct mregion_view *view;
	int ret;

	ret = mregion_kernel_view(space->machine->fd, space->id, NULL, &view);
	if (ret)
		return mregion_fail_ptr(-ret, "read the view of space %u",
					space->id);
	return view;
}
