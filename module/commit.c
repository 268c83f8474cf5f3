// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "behaviour.h"
#include "commit.h"
#include "event.h"
#include "kvm_attachment.h"
#include "region.h"
#include "render.h"
#include "retire.h"
#include "rule.h"
#include "txn.h"
#include "watch.h"

/* Note in a range what the short way looks for. */
static void mregion_range_mark(struct mregion_view_range *range)
{
	const struct mregion_behaviour *behaviour = range->behaviour;

	range->first = &mregion_rule_none;
	range->plain = 0;
	if (!behaviour || !behaviour->nr_rules || range->flags)
		return;
	/* what other rules are for takes a longer way there */
	range->first = behaviour->nr_indices ? *behaviour->indices->rules :
					       behaviour->rules[0];
	range->plain = behaviour->plain;
}

static void mregion_view_mark(const struct mregion_update *update)
{
	struct mregion_view_range *range;

	list_for_each_entry(range, &update->fresh, list)
		mregion_range_mark(range);
}

/* Render what has changed of a space; leaves the view in @space->pending if it differs. */
static int mregion_render_space(struct mregion_txn *txn,
				struct mregion_space *space)
{
	struct mregion_machine *machine = txn->machine;
	const struct mregion_view *old = space->view;
	struct mregion_update *update = &space->update;
	struct mregion_view *view = mregion_view_alloc(&machine->store);
	int ret;

	if (!view)
		return -ENOMEM;
	if (old)
		view->tree = old->tree;
	view->id = ++machine->last_view;
	view->space = space;
	view->generation = machine->generation + 1;
	view->last = mregion_bus_last(space->bus);
	view->unassigned = space->state.unassigned;
	mregion_update_begin(update, &machine->store.memory, view->id);
	ret = mregion_update_view(update, view, &space->state.root->node,
				  &space->delta, &txn->work);
	if (!old || view->unassigned != old->unassigned)
		update->moved = true;
	else if (!ret && !space->delta.nr)
		goto undo;
	if (ret)
		goto undo;
	/* to userspace it is the same view */
	if (!update->moved)
		view->generation = old->generation;
	mregion_view_mark(update);
	space->pending = view;
	txn->remap = true;
	return 0;

undo:
	mregion_update_undo(update, view);
	mregion_view_free(&machine->store, view);
	return ret;
}

/* Of what was not looked for in detail: all that shows it has changed as a whole. */
static int mregion_render_coarsely(struct mregion_txn *txn)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_space *space;
	int ret;

	if (list_empty(&txn->touched))
		return 0;
	ret = mregion_tree_mark_up(&machine->tree, &txn->touched, &txn->work);
	if (ret)
		return ret;
	list_for_each_entry(space, &machine->all_spaces, list)
		if (space->state.root->node.mark == machine->tree.mark)
			mregion_delta_add(&space->delta, 0, U64_MAX);
	return 0;
}

static int mregion_render_spaces(struct mregion_txn *txn)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_space *space;
	int ret = mregion_render_coarsely(txn);

	if (ret)
		return ret;
	machine->store.error = 0;
	list_for_each_entry(space, &machine->all_spaces, list) {
		if (space->delta.nr)
			ret = mregion_render_space(txn, space);
		if (ret)
			return machine->store.error ?: ret;
	}
	return 0;
}

static void mregion_drop_pending(struct mregion_machine *machine)
{
	struct mregion_space *space;

	list_for_each_entry(space, &machine->all_spaces, list) {
		if (!space->pending)
			continue;
		mregion_update_undo(&space->update, space->pending);
		mregion_view_free(&machine->store, space->pending);
		space->pending = NULL;
	}
}

/* The map to be published, with the spaces as they are now. */
static struct mregion_map *mregion_map_make(struct mregion_machine *machine)
{
	struct mregion_space *space;
	struct mregion_map *map;
	u32 nr;

	/* no slot of the old map may be missing: readers do not check */
	nr = find_last_bit(machine->slots, MREGION_MAX_SPACES);
	nr = nr == MREGION_MAX_SPACES ? 0 : nr + 1;
	map = mregion_map_alloc(machine, nr);
	if (IS_ERR(map))
		return map;
	list_for_each_entry(space, &machine->all_spaces, list)
		map->views[space->slot] = space->pending ?: space->view;
	return map;
}

/* A space gets another view. */
static void mregion_retire_view(struct mregion_retired *retired,
				struct mregion_space *space)
{
	struct mregion_update *update = &space->update;

	mregion_update_end(update);
	if (space->view)
		list_add_tail(&space->view->retired, &retired->views);
	list_splice_tail(&update->replaced, &retired->ranges);
	mregion_btree_list_join(&retired->nodes, update->edit.replaced);
}

static void mregion_publish(struct mregion_txn *txn, struct mregion_map *map,
			    struct mregion_event *event)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_retired *retired = txn->retired;
	struct mregion_space *space;

	if (map)
		retired->map = rcu_replace_pointer(machine->map, map,
						   lockdep_is_held(&machine->lock));
	list_for_each_entry(space, &machine->all_spaces, list) {
		if (!space->pending)
			continue;
		mregion_event_change(event, space, space->pending);
		if (!space->view)
			space->changes.since = space->pending->generation;
		else if (space->update.moved)
			mregion_changes_add(&space->changes,
					    space->pending->generation,
					    &space->delta);
		mregion_retire_view(retired, space);
		space->view = space->pending;
		space->pending = NULL;
		if (space->watch)
			mregion_watch_tell(space->watch,
					   space->view->generation);
	}
}

/* Spaces that are gone show nothing any more. */
static void mregion_tell_freed(const struct mregion_txn *txn,
			       struct mregion_event *event)
{
	u32 i;

	for (i = 0; i < txn->nr_undo; i++)
		if (txn->undo[i].kind == MREGION_UNDO_SPACE_FREE)
			mregion_event_change(event, txn->undo[i].space, NULL);
}

/* Whether an operation fails alone, as it may, or the commit does with it. */
static bool mregion_fails_alone(const struct mregion_op *op, int err)
{
	/* these are not about the operation */
	if (err == -ENOMEM || err == -EINTR || err == -EDQUOT ||
	    err == -ENOBUFS)
		return false;
	return op->code & MREGION_OP_MAY_FAIL;
}

static int mregion_apply_all(struct mregion_txn *txn,
			     const struct mregion_op *ops,
			     struct mregion_commit *args, s32 *results)
{
	u32 i;
	int ret;

	for (i = 0; i < args->nr_ops; i++) {
		txn->occupant = 0;
		ret = mregion_work_step(&txn->work) ?:
		      mregion_txn_apply(txn, &ops[i]);
		if (!ret)
			continue;
		if (!mregion_fails_alone(&ops[i], ret)) {
			args->failed = i;
			args->occupant = txn->occupant;
			return ret;
		}
		if (!args->nr_failed++)
			args->occupant = txn->occupant;
		if (results)
			results[i] = ret;
	}
	return mregion_render_spaces(txn);
}

/**
 * mregion_commit() - change a machine, all or nothing
 * @machine: the machine, locked
 * @ops: @args->nr_ops operations
 * @args: from userspace; what is "set on return" is set
 * @results: for the errnos of operations that fail alone, all 0 yet; or NULL
 *
 * Return: 0 or a negative errno, see MREGION_COMMIT.
 */
int mregion_commit(struct mregion_machine *machine,
		   const struct mregion_op *ops,
		   struct mregion_commit *args, s32 *results)
{
	bool dry_run = args->flags & MREGION_COMMIT_DRY_RUN;
	struct mregion_txn txn = {
		.machine = machine,
		.work.left = MREGION_MAX_WORK,
		.climb = MREGION_MAX_CLIMB,
		.touched = LIST_HEAD_INIT(txn.touched),
	};
	struct mregion_map *map = NULL;
	struct mregion_undo one;
	struct mregion_event event;
	int ret = -ENOMEM;

	args->failed = args->nr_ops;
	args->nr_failed = 0;
	args->occupant = 0;
	args->generation = machine->generation;
	/* a space is free as soon as its virtual machine is gone */
	mregion_attachments_reap(machine);

	txn.undo = &one;
	if (args->nr_ops > 1)
		txn.undo = kvmalloc_array(args->nr_ops, sizeof(*txn.undo),
					  GFP_KERNEL_ACCOUNT);
	txn.retired = mregion_retired_alloc(machine);
	if (!txn.undo || !txn.retired)
		goto out;

	ret = mregion_apply_all(&txn, ops, args, results);
	if (!ret && txn.remap) {
		map = mregion_map_make(machine);
		ret = PTR_ERR_OR_ZERO(map);
		if (ret)
			map = NULL;
	}
	if (!ret)
		ret = mregion_attachments_prepare(machine);
	if (ret || dry_run) {
		mregion_attachments_cancel(machine);
		mregion_drop_pending(machine);
		mregion_txn_undo(&txn);
		mregion_map_free(machine, map);
		goto out;
	}

	mregion_event_begin(&event, machine);
	mregion_tell_freed(&txn, &event);
	mregion_publish(&txn, map, &event);
	mregion_attachments_update(machine);
	mregion_txn_finish(&txn);
	args->generation = ++machine->generation;
	mregion_event_end(&event);
	mregion_retire(txn.retired);
	txn.retired = NULL;
out:
	mregion_view_store_settle(&machine->store);
	if (txn.retired)
		mregion_retired_free(txn.retired);
	if (txn.undo != &one)
		kvfree(txn.undo);
	return ret;
}
