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

/* Note in a range what the short way looks for. */
static void mregion_range_mark(struct mregion_view_range *range)
{
	const struct mregion_behaviour *behaviour = range->behaviour;

	range->delta = range->offset - range->start;
	range->first = &mregion_rule_none;
	range->plain = 0;
	if (!behaviour || !behaviour->nr_rules || range->flags)
		return;
	range->first = behaviour->rules[0];
	range->plain = behaviour->plain;
}

static void mregion_view_mark(struct mregion_view *view)
{
	struct mregion_view_range *range = view->ranges;
	const struct mregion_view_range *end = range + view->nr;

	for (; range < end; range++)
		mregion_range_mark(range);
}

/*
 * A copy of a space's view, with the behaviours that regions have now. To userspace
 * it is the same view.
 */
static int mregion_copy_space(struct mregion_txn *txn,
			      struct mregion_space *space)
{
	const struct mregion_view *old = space->view;
	struct mregion_view_range *range;
	/* bounded by the size of the views; but it may take long */
	struct mregion_work work = { .left = U64_MAX };
	size_t size = mregion_view_size(old->nr);
	struct mregion_view *view;
	int ret;

	view = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!view)
		return -ENOMEM;
	memcpy(view, old, size);
	view->size = size;
	ret = mregion_machine_charge_view(txn->machine, view);
	if (ret)
		return ret;
	view->keys = (u64 *)(view->ranges + view->nr);
	space->pending = view;
	space->copied = true;
	for (range = view->ranges; range < view->ranges + view->nr; range++) {
		ret = mregion_work_step(&work);
		if (ret)
			return ret;
		range->view = view;
		if (range->behaviour == range->node->state.behaviour)
			continue;
		range->behaviour = range->node->state.behaviour;
		mregion_range_mark(range);
	}
	return 0;
}

/* Render a space; leaves the view in @space->pending if it differs. */
static int mregion_render_space(struct mregion_txn *txn,
				struct mregion_space *space)
{
	struct mregion_view *view;
	int ret;

	view = mregion_render(&space->state.root->node,
			      mregion_bus_last(space->bus), &txn->work);
	if (IS_ERR(view))
		return PTR_ERR(view);
	ret = mregion_machine_charge_view(txn->machine, view);
	if (ret)
		return ret;
	view->space = space;
	view->unassigned = space->state.unassigned;
	view->generation = txn->machine->generation + 1;
	if (mregion_view_equal(space->view, view)) {
		mregion_machine_free_view(txn->machine, view);
	} else {
		mregion_view_mark(view);
		space->pending = view;
		space->copied = false;
	}
	return 0;
}

static bool mregion_space_marked(const struct mregion_space *space)
{
	return space->state.root->node.mark == space->machine->tree.mark;
}

/* Where no more than behaviours has changed, views keep their shape. */
static int mregion_render_spaces(struct mregion_txn *txn)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_space *space;
	unsigned long id;
	int ret;

	ret = mregion_tree_mark_up(&machine->tree, &txn->touched, &txn->work);
	if (ret)
		return ret;
	xa_for_each(&machine->spaces, id, space)
		if (mregion_space_marked(space))
			space->dirty = true;
	ret = mregion_tree_mark_up(&machine->tree, &txn->ruled, &txn->work);
	if (ret)
		return ret;
	xa_for_each(&machine->spaces, id, space) {
		if (space->dirty)
			ret = mregion_render_space(txn, space);
		else if (mregion_space_marked(space))
			ret = mregion_copy_space(txn, space);
		if (ret)
			return ret;
	}
	return 0;
}

static void mregion_drop_pending(struct mregion_machine *machine)
{
	struct mregion_space *space;
	unsigned long id;

	xa_for_each(&machine->spaces, id, space) {
		mregion_machine_free_view(machine, space->pending);
		space->pending = NULL;
	}
}

/* The map to be published, with the spaces as they are now. */
static struct mregion_map *mregion_map_make(struct mregion_machine *machine)
{
	struct mregion_space *space;
	struct mregion_map *map;
	unsigned long id;
	u32 nr;

	/* no slot of the old map may be missing: readers do not check */
	nr = find_last_bit(machine->slots, MREGION_MAX_SPACES);
	nr = nr == MREGION_MAX_SPACES ? 0 : nr + 1;
	map = mregion_map_alloc(machine, nr);
	if (IS_ERR(map))
		return map;
	xa_for_each(&machine->spaces, id, space)
		map->views[space->slot] = space->pending ?: space->view;
	return map;
}

static void mregion_publish(struct mregion_txn *txn, struct mregion_map *map,
			    struct mregion_event *event)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_retired *retired = txn->retired;
	struct mregion_space *space;
	unsigned long id;

	retired->map = rcu_replace_pointer(machine->map, map,
					   lockdep_is_held(&machine->lock));
	xa_for_each(&machine->spaces, id, space) {
		if (!space->pending)
			continue;
		mregion_event_change(event, space, space->pending);
		if (space->view)
			list_add_tail(&space->view->retired, &retired->views);
		space->view = space->pending;
		space->pending = NULL;
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
		.touched = LIST_HEAD_INIT(txn.touched),
		.ruled = LIST_HEAD_INIT(txn.ruled),
	};
	struct mregion_map *map = NULL;
	struct mregion_event event;
	int ret = -ENOMEM;

	args->failed = args->nr_ops;
	args->nr_failed = 0;
	args->occupant = 0;
	args->generation = machine->generation;
	/* a space is free as soon as its virtual machine is gone */
	mregion_attachments_reap(machine);

	txn.undo = kvmalloc_array(args->nr_ops, sizeof(*txn.undo),
				  GFP_KERNEL_ACCOUNT);
	txn.retired = mregion_retired_alloc(machine);
	if (!txn.undo || !txn.retired)
		goto out;

	ret = mregion_apply_all(&txn, ops, args, results);
	if (!ret) {
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
	if (txn.retired)
		mregion_retired_free(txn.retired);
	kvfree(txn.undo);
	return ret;
}
