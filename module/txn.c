// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mregion.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "behaviour.h"
#include "budget.h"
#include "region.h"
#include "retire.h"
#include "rule.h"
#include "server.h"
#include "share.h"
#include "txn.h"
#include "watch.h"

/* A commit changes a space at some addresses. */
static void mregion_txn_seen(void *to, const struct mregion_node *root,
			     u64 start, u64 last)
{
	struct mregion_txn *txn = to;
	struct mregion_space *space;
	u32 left = root->roots;

	list_for_each_entry(space, &txn->machine->all_spaces, list) {
		if (&space->state.root->node != root)
			continue;
		mregion_delta_add(&space->delta, start, last);
		if (!--left)
			break;
	}
}

/* Set a region's state, and find where that can be seen. */
static void mregion_set_state(struct mregion_txn *txn, struct mregion_node *node,
			      const struct mregion_node_state *state)
{
	u32 steps = min(txn->climb, MREGION_MAX_CLIMB_STEP);
	struct mregion_node *parent = node->state.parent;

	if (list_empty(&txn->machine->all_spaces)) {
		mregion_node_set_state(node, state);
		return;
	}
	txn->climb -= steps;
	if (!mregion_tree_change(&txn->machine->tree, node, state, &steps,
				 mregion_txn_seen, txn)) {
		list_move_tail(&node->touched, &txn->touched);
		/* a region that leaves changes the look of where it was */
		if (parent)
			list_move_tail(&parent->touched, &txn->touched);
	}
	txn->climb += steps;
}

static struct mregion_undo *mregion_note(struct mregion_txn *txn,
					 enum mregion_undo_kind kind)
{
	struct mregion_undo *undo = &txn->undo[txn->nr_undo++];

	undo->kind = kind;
	undo->replaced = NULL;
	undo->added = NULL;
	undo->deleted = NULL;
	return undo;
}

static struct mregion_region *mregion_txn_region(struct mregion_txn *txn,
						 u32 id)
{
	return xa_load(&txn->machine->regions, id);
}

/*
 * An ID that a commit frees stays reserved in the table until it ends, so that
 * putting the object back takes no memory.
 */
static void mregion_vacate(struct xarray *xa, u32 id)
{
	xa_store(xa, id, XA_ZERO_ENTRY, GFP_KERNEL_ACCOUNT);
}

static u32 mregion_nr_rules(const struct mregion_node_state *state)
{
	return state->behaviour ? state->behaviour->nr_rules : 0;
}

static u32 mregion_nr_fast(const struct mregion_node_state *state)
{
	return state->behaviour ? state->behaviour->nr_fast : 0;
}

/* Account for the rules of a region whose state changes; NULL: it comes or goes. */
static void mregion_count_rules(struct mregion_machine *machine,
				const struct mregion_node_state *old,
				const struct mregion_node_state *new)
{
	if (old) {
		machine->nr_rules -= mregion_nr_rules(old);
		machine->nr_fast -= mregion_nr_fast(old);
	}
	if (new) {
		machine->nr_rules += mregion_nr_rules(new);
		machine->nr_fast += mregion_nr_fast(new);
	}
}

static void mregion_change(struct mregion_txn *txn,
			   struct mregion_region *region,
			   const struct mregion_node_state *state)
{
	struct mregion_behaviour *unseen = NULL;
	struct mregion_undo *undo;

	undo = mregion_note(txn, MREGION_UNDO_REGION_CHANGE);
	undo->region = region;
	undo->node = region->node.state;
	if (undo->node.behaviour != state->behaviour) {
		/* what nobody has seen is needed no more, also not to undo */
		if (region->fresh)
			unseen = undo->node.behaviour;
		else
			undo->replaced = undo->node.behaviour;
		region->fresh = true;
	}
	mregion_count_rules(txn->machine, &undo->node, state);
	mregion_set_state(txn, &region->node, state);
	mregion_behaviour_free(unseen);
}

static int mregion_op_create(struct mregion_txn *txn, u32 id,
			     const struct mregion_op_create *args)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_region *region, *target = NULL;
	int ret;

	if (mregion_txn_region(txn, id))
		return -EEXIST;
	if (machine->nr_regions == MREGION_MAX_REGIONS)
		return -ENOSPC;
	if (args->kind == MREGION_ALIAS) {
		target = mregion_txn_region(txn, args->target);
		if (!target)
			return -ENOENT;
	} else if (args->target) {
		return -EINVAL;
	}

	region = mregion_region_alloc(machine->budget, id, args, target);
	if (IS_ERR(region))
		return PTR_ERR(region);
	ret = xa_err(xa_store(&machine->regions, id, region,
			      GFP_KERNEL_ACCOUNT));
	if (ret) {
		mregion_node_detach(&region->node);
		mregion_region_free(region);
		return ret;
	}
	machine->nr_regions++;
	mregion_note(txn, MREGION_UNDO_REGION_CREATE)->region = region;
	return 0;
}

static int mregion_op_free(struct mregion_txn *txn,
			   struct mregion_region *region)
{
	if (mregion_node_busy(&region->node))
		return -EBUSY;
	mregion_node_detach(&region->node);
	mregion_vacate(&txn->machine->regions, region->id);
	txn->machine->nr_regions--;
	mregion_count_rules(txn->machine, &region->node.state, NULL);
	mregion_note(txn, MREGION_UNDO_REGION_FREE)->region = region;
	return 0;
}

static int mregion_op_map(struct mregion_txn *txn,
			  struct mregion_region *region,
			  const struct mregion_op_map *args)
{
	struct mregion_region *parent = mregion_txn_region(txn, args->parent);
	struct mregion_node_state state = region->node.state;
	struct mregion_node *occupant;
	int ret;

	if (args->reserved)
		return -EINVAL;
	if (args->flags & ~MREGION_MAP_EXCLUSIVE)
		return -EOPNOTSUPP;
	if (!parent)
		return -ENOENT;
	ret = mregion_tree_check_map(&parent->node, &region->node, &txn->work);
	if (!ret && args->flags & MREGION_MAP_EXCLUSIVE) {
		ret = mregion_tree_check_room(&parent->node, &region->node,
					      args->offset, args->priority,
					      &txn->work, &occupant);
		if (ret == -EEXIST)
			txn->occupant = mregion_region_of(occupant)->id;
	}
	if (ret)
		return ret;
	state.parent = &parent->node;
	state.addr = args->offset;
	state.priority = args->priority;
	state.order = ++txn->machine->tree.order;
	mregion_change(txn, region, &state);
	return 0;
}

static int mregion_op_unmap(struct mregion_txn *txn,
			    struct mregion_region *region)
{
	struct mregion_node_state state = region->node.state;

	if (!state.parent)
		return -ENOENT;
	state.parent = NULL;
	state.addr = 0;
	state.priority = 0;
	state.order = 0;
	mregion_change(txn, region, &state);
	return 0;
}

static int mregion_op_move(struct mregion_txn *txn,
			   struct mregion_region *region, u64 offset)
{
	struct mregion_node_state state = region->node.state;

	if (!state.parent)
		return -ENOENT;
	if (state.addr == offset)
		return 0;
	state.addr = offset;
	state.order = ++txn->machine->tree.order;
	mregion_change(txn, region, &state);
	return 0;
}

static int mregion_op_resize(struct mregion_txn *txn,
			     struct mregion_region *region, u64 len)
{
	struct mregion_node_state state = region->node.state;
	int ret = mregion_region_check_len(region, len);

	if (ret)
		return ret;
	state.last = len - 1;
	mregion_change(txn, region, &state);
	return 0;
}

static int mregion_op_set_flags(struct mregion_txn *txn,
				struct mregion_region *region,
				const struct mregion_op_set_flags *args)
{
	struct mregion_node_state state = region->node.state;
	int ret = mregion_region_check_flags(region, args->mask);

	if (ret)
		return ret;
	if (args->flags & ~args->mask)
		return -EINVAL;
	state.flags = (state.flags & ~args->mask) | args->flags;
	mregion_change(txn, region, &state);
	return 0;
}

static int mregion_op_set_alias(struct mregion_txn *txn,
				struct mregion_region *region, u64 offset)
{
	struct mregion_node_state state = region->node.state;

	if (!region->node.target)
		return -EINVAL;
	state.target_offset = offset;
	mregion_change(txn, region, &state);
	return 0;
}

static int mregion_change_behaviour(struct mregion_txn *txn,
				    struct mregion_region *region,
				    struct mregion_behaviour *behaviour)
{
	struct mregion_node_state state = region->node.state;
	int ret;

	if (IS_ERR(behaviour))
		return PTR_ERR(behaviour);
	ret = mregion_behaviour_charge(behaviour, txn->machine->budget);
	if (ret) {
		mregion_behaviour_free(behaviour);
		return ret;
	}
	state.behaviour = behaviour;
	mregion_change(txn, region, &state);
	return 0;
}

/* How many rules count as much as a region that is visited. */
#define MREGION_RULES_A_STEP	16

/* All rules of a behaviour are going to be looked at, and copied. */
static int mregion_rules_step(struct mregion_txn *txn,
			      const struct mregion_behaviour *behaviour)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < behaviour->nr_rules && !ret; i += MREGION_RULES_A_STEP)
		ret = mregion_work_step(&txn->work);
	return ret;
}

static int
mregion_op_set_constraints(struct mregion_txn *txn,
			   struct mregion_region *region,
			   const struct mregion_constraints *constraints)
{
	struct mregion_behaviour *old = region->node.state.behaviour;
	int ret;

	if (!old)
		return -EINVAL;
	ret = mregion_rules_step(txn, old);
	if (ret)
		return ret;
	return mregion_change_behaviour(txn, region,
			mregion_behaviour_constrain(old, constraints));
}

/* A guest may read a ROM device's memory, and what is fast does not tell reads. */
static bool mregion_takes_rule(const struct mregion_region *region,
			       const struct mregion_rule *args)
{
	return !(args->flags & MREGION_RULE_FAST) ||
	       region->node.kind == MREGION_MMIO;
}

static bool mregion_has_rules(const struct mregion_region *region)
{
	return region->node.kind == MREGION_MMIO ||
	       region->node.kind == MREGION_ROMD;
}

static int mregion_op_rule(struct mregion_txn *txn,
			   struct mregion_region *region,
			   const struct mregion_rule *args, bool add)
{
	struct mregion_behaviour *old = region->node.state.behaviour;
	struct mregion_behaviour_rule *rule, *deleted = NULL;
	struct mregion_undo *undo;
	int ret;

	if (!mregion_has_rules(region))
		return add ? -EINVAL : -ENOENT;
	if (add && args->offset > region->node.state.last)
		return -EINVAL;
	if (add && !mregion_takes_rule(region, args))
		return -EINVAL;
	if (add && txn->machine->nr_rules == MREGION_MAX_MACHINE_RULES)
		return -ENOSPC;
	ret = mregion_rules_step(txn, old);
	if (ret)
		return ret;
	rule = mregion_rule_alloc(txn->machine, args, !add);
	if (IS_ERR(rule))
		return PTR_ERR(rule);
	ret = mregion_change_behaviour(txn, region,
			add ? mregion_behaviour_add(old, rule) :
			      mregion_behaviour_del(old, rule, &deleted));
	if (ret || !add)
		mregion_rule_free(rule);
	if (ret)
		return ret;
	undo = &txn->undo[txn->nr_undo - 1];
	undo->added = add ? rule : NULL;
	undo->deleted = deleted;
	return 0;
}

static int mregion_op_set_server(struct mregion_txn *txn,
				 struct mregion_region *region,
				 const struct mregion_op_set_server *args)
{
	struct mregion_behaviour *old = region->node.state.behaviour;
	struct mregion_server *server = NULL;
	int ret;

	if (args->reserved || !mregion_has_rules(region))
		return -EINVAL;
	ret = mregion_rules_step(txn, old);
	if (ret)
		return ret;
	if (args->server) {
		server = xa_load(&txn->machine->servers, args->server);
		if (!server)
			return -ENOENT;
	}
	return mregion_change_behaviour(txn, region,
					mregion_behaviour_serve(old, server));
}

static int mregion_op_share(struct mregion_txn *txn,
			    struct mregion_region *region,
			    const struct mregion_op_share *args)
{
	int ret = mregion_share(region, args, txn->machine->last_serial + 1);

	if (ret)
		return ret;
	/* never again, also if it is undone */
	txn->machine->last_serial++;
	mregion_note(txn, MREGION_UNDO_REGION_SHARE)->region = region;
	return 0;
}

static int mregion_space_parse(struct mregion_txn *txn,
			       const struct mregion_op_space *args,
			       struct mregion_space_state *state)
{
	if (args->reserved || args->bus > MREGION_BUS_PIO ||
	    args->unassigned > MREGION_POLICY_EXIT)
		return -EINVAL;
	state->root = mregion_txn_region(txn, args->root);
	if (!state->root)
		return -ENOENT;
	state->unassigned = args->unassigned ?: MREGION_POLICY_EXIT;
	return 0;
}

static void mregion_space_set_state(struct mregion_space *space,
				    const struct mregion_space_state *state)
{
	if (space->state.root)
		space->state.root->node.roots--;
	space->state = *state;
	if (state->root)
		state->root->node.roots++;
	mregion_delta_add(&space->delta, 0, U64_MAX);
}

static int mregion_op_space_create(struct mregion_txn *txn, u32 id,
				   const struct mregion_op_space *args)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_space_state state;
	struct mregion_space *space;
	int ret;

	if (xa_load(&machine->spaces, id))
		return -EEXIST;
	ret = mregion_space_parse(txn, args, &state);
	if (ret)
		return ret;
	if (machine->nr_spaces == MREGION_MAX_SPACES)
		return -ENOSPC;

	space = mregion_space_alloc(machine);
	if (IS_ERR(space))
		return PTR_ERR(space);
	space->id = id;
	space->bus = args->bus;
	space->slot = find_first_zero_bit(machine->slots, MREGION_MAX_SPACES);
	ret = xa_err(xa_store(&machine->spaces, id, space,
			      GFP_KERNEL_ACCOUNT));
	if (ret) {
		mregion_space_free(space);
		return ret;
	}
	list_add_tail(&space->list, &machine->all_spaces);
	__set_bit(space->slot, machine->slots);
	machine->nr_spaces++;
	mregion_space_set_state(space, &state);
	mregion_note(txn, MREGION_UNDO_SPACE_CREATE)->space = space;
	return 0;
}

static int mregion_op_space_set(struct mregion_txn *txn,
				struct mregion_space *space,
				const struct mregion_op_space *args)
{
	struct mregion_space_state state;
	struct mregion_undo *undo;
	int ret = mregion_space_parse(txn, args, &state);

	if (ret)
		return ret;
	if (args->bus != space->bus)
		return -EINVAL;
	undo = mregion_note(txn, MREGION_UNDO_SPACE_CHANGE);
	undo->space = space;
	undo->state = space->state;
	mregion_space_set_state(space, &state);
	return 0;
}

static void mregion_space_leave(struct mregion_machine *machine,
				struct mregion_space *space)
{
	space->state.root->node.roots--;
	list_del(&space->list);
	__clear_bit(space->slot, machine->slots);
	machine->nr_spaces--;
	mregion_vacate(&machine->spaces, space->id);
}

static int mregion_op_space_free(struct mregion_txn *txn,
				 struct mregion_space *space)
{
	if (space->nr_vms)
		return -EBUSY;
	mregion_space_leave(txn->machine, space);
	txn->remap = true;
	mregion_note(txn, MREGION_UNDO_SPACE_FREE)->space = space;
	return 0;
}

/* How much of an operation's argument is in use, by its code. */
static const size_t mregion_op_used[] = {
	[MREGION_OP_CREATE] = sizeof(struct mregion_op_create),
	[MREGION_OP_FREE] = 0,
	[MREGION_OP_MAP] = sizeof(struct mregion_op_map),
	[MREGION_OP_UNMAP] = 0,
	[MREGION_OP_MOVE] = sizeof(__u64),
	[MREGION_OP_RESIZE] = sizeof(__u64),
	[MREGION_OP_SET_FLAGS] = sizeof(struct mregion_op_set_flags),
	[MREGION_OP_SET_ALIAS] = sizeof(__u64),
	[MREGION_OP_SET_CONSTRAINTS] = sizeof(struct mregion_constraints),
	[MREGION_OP_RULE_ADD] = sizeof(struct mregion_rule),
	[MREGION_OP_RULE_DEL] = sizeof(struct mregion_rule),
	[MREGION_OP_SPACE_CREATE] = sizeof(struct mregion_op_space),
	[MREGION_OP_SPACE_SET] = sizeof(struct mregion_op_space),
	[MREGION_OP_SPACE_FREE] = 0,
	[MREGION_OP_SET_SERVER] = sizeof(struct mregion_op_set_server),
	[MREGION_OP_SHARE] = sizeof(struct mregion_op_share),
};

static int mregion_op_check(const struct mregion_op *op, u32 code)
{
	size_t used;

	if (!code || code >= ARRAY_SIZE(mregion_op_used))
		return -EOPNOTSUPP;
	used = mregion_op_used[array_index_nospec(code,
						  ARRAY_SIZE(mregion_op_used))];
	if (!op->id || memchr_inv((const char *)op->reserved + used, 0,
				  sizeof(op->reserved) - used))
		return -EINVAL;
	return 0;
}

/**
 * mregion_txn_apply() - carry out an operation
 * @txn: the commit, with room for a note
 * @op: the operation
 *
 * Return: 0, or a negative errno as struct mregion_op documents it, with
 * nothing changed.
 */
int mregion_txn_apply(struct mregion_txn *txn, const struct mregion_op *op)
{
	u32 code = op->code & ~MREGION_OP_MAY_FAIL;
	struct mregion_region *region;
	struct mregion_space *space;
	int ret = mregion_op_check(op, code);

	if (ret)
		return ret;

	switch (code) {
	case MREGION_OP_CREATE:
		return mregion_op_create(txn, op->id, &op->create);
	case MREGION_OP_SPACE_CREATE:
		return mregion_op_space_create(txn, op->id, &op->space);
	case MREGION_OP_SPACE_SET:
	case MREGION_OP_SPACE_FREE:
		space = xa_load(&txn->machine->spaces, op->id);
		if (!space)
			return -ENOENT;
		if (code == MREGION_OP_SPACE_SET)
			return mregion_op_space_set(txn, space, &op->space);
		return mregion_op_space_free(txn, space);
	}

	region = mregion_txn_region(txn, op->id);
	if (!region)
		return -ENOENT;
	switch (code) {
	case MREGION_OP_FREE:
		return mregion_op_free(txn, region);
	case MREGION_OP_MAP:
		return mregion_op_map(txn, region, &op->map);
	case MREGION_OP_UNMAP:
		return mregion_op_unmap(txn, region);
	case MREGION_OP_MOVE:
		return mregion_op_move(txn, region, op->offset);
	case MREGION_OP_RESIZE:
		return mregion_op_resize(txn, region, op->len);
	case MREGION_OP_SET_FLAGS:
		return mregion_op_set_flags(txn, region, &op->set_flags);
	case MREGION_OP_SET_ALIAS:
		return mregion_op_set_alias(txn, region, op->offset);
	case MREGION_OP_SET_CONSTRAINTS:
		return mregion_op_set_constraints(txn, region,
						  &op->constraints);
	case MREGION_OP_RULE_ADD:
		return mregion_op_rule(txn, region, &op->rule, true);
	case MREGION_OP_RULE_DEL:
		return mregion_op_rule(txn, region, &op->rule, false);
	case MREGION_OP_SET_SERVER:
		return mregion_op_set_server(txn, region, &op->set_server);
	case MREGION_OP_SHARE:
		return mregion_op_share(txn, region, &op->share);
	}
	return -EOPNOTSUPP;
}

static void mregion_untouch(struct mregion_txn *txn)
{
	while (!list_empty(&txn->touched))
		list_del_init(txn->touched.next);
}

static void mregion_retire_behaviour(struct mregion_txn *txn,
				     struct mregion_behaviour *behaviour)
{
	list_add_tail(&behaviour->retired, &txn->retired->behaviours);
}

static void mregion_undo_one(struct mregion_txn *txn,
			     struct mregion_undo *undo)
{
	struct mregion_machine *machine = txn->machine;
	struct mregion_region *region = undo->region;
	struct mregion_space *space = undo->space;

	switch (undo->kind) {
	case MREGION_UNDO_REGION_CREATE:
		mregion_node_detach(&region->node);
		mregion_vacate(&machine->regions, region->id);
		machine->nr_regions--;
		list_add_tail(&region->retired, &txn->retired->regions);
		break;
	case MREGION_UNDO_REGION_FREE:
		xa_store(&machine->regions, region->id, region,
			 GFP_KERNEL_ACCOUNT);
		machine->nr_regions++;
		mregion_count_rules(machine, NULL, &region->node.state);
		mregion_node_reattach(&region->node);
		break;
	case MREGION_UNDO_REGION_CHANGE:
		region->fresh = false;
		if (undo->replaced)
			mregion_retire_behaviour(txn,
						 region->node.state.behaviour);
		else
			undo->node.behaviour = region->node.state.behaviour;
		if (undo->added)
			list_add_tail(&undo->added->retired,
				      &txn->retired->rules);
		mregion_count_rules(machine, &region->node.state, &undo->node);
		mregion_node_set_state(&region->node, &undo->node);
		break;
	case MREGION_UNDO_REGION_SHARE:
		mregion_unshare(region);
		break;
	case MREGION_UNDO_SPACE_CREATE:
		mregion_space_leave(machine, space);
		list_add_tail(&space->retired, &txn->retired->spaces);
		break;
	case MREGION_UNDO_SPACE_FREE:
		xa_store(&machine->spaces, space->id, space,
			 GFP_KERNEL_ACCOUNT);
		list_add_tail(&space->list, &machine->all_spaces);
		__set_bit(space->slot, machine->slots);
		machine->nr_spaces++;
		space->state.root->node.roots++;
		break;
	case MREGION_UNDO_SPACE_CHANGE:
		mregion_space_set_state(space, &undo->state);
		break;
	}
}

/* Give up the IDs that were kept for undoing; see mregion_vacate(). */
static void mregion_release_ids(struct mregion_txn *txn)
{
	struct mregion_machine *machine = txn->machine;
	u32 i;

	for (i = 0; i < txn->nr_undo; i++) {
		const struct mregion_undo *undo = &txn->undo[i];

		switch (undo->kind) {
		case MREGION_UNDO_REGION_CREATE:
		case MREGION_UNDO_REGION_FREE:
			xa_release(&machine->regions, undo->region->id);
			break;
		case MREGION_UNDO_SPACE_CREATE:
		case MREGION_UNDO_SPACE_FREE:
			xa_release(&machine->spaces, undo->space->id);
			break;
		default:
			break;
		}
	}
}

static void mregion_clean_spaces(struct mregion_machine *machine)
{
	struct mregion_space *space;

	list_for_each_entry(space, &machine->all_spaces, list)
		space->delta.nr = 0;
}

/**
 * mregion_txn_undo() - put the machine back as it was
 * @txn: the commit; what it made goes to @txn->retired
 */
void mregion_txn_undo(struct mregion_txn *txn)
{
	u32 i;

	mregion_untouch(txn);
	for (i = txn->nr_undo; i--;) {
		mregion_undo_one(txn, &txn->undo[i]);
		cond_resched();
	}
	mregion_release_ids(txn);
	mregion_clean_spaces(txn->machine);
}

/**
 * mregion_txn_finish() - forget how to undo
 * @txn: the commit; what it replaced goes to @txn->retired
 */
void mregion_txn_finish(struct mregion_txn *txn)
{
	struct mregion_machine *machine = txn->machine;
	u32 i;

	mregion_untouch(txn);
	mregion_release_ids(txn);
	for (i = 0; i < txn->nr_undo; i++) {
		const struct mregion_undo *undo = &txn->undo[i];
		struct mregion_region *region = undo->region;
		struct mregion_space *space = undo->space;

		switch (undo->kind) {
		case MREGION_UNDO_REGION_FREE:
			mregion_counters_fold(&machine->counters,
					      &region->counters);
			list_add_tail(&region->retired,
				      &txn->retired->regions);
			break;
		case MREGION_UNDO_REGION_CHANGE:
			region->fresh = false;
			if (undo->replaced)
				mregion_retire_behaviour(txn, undo->replaced);
			if (undo->deleted)
				list_add_tail(&undo->deleted->retired,
					      &txn->retired->rules);
			break;
		case MREGION_UNDO_SPACE_FREE:
			mregion_watch_end(space->watch);
			mregion_counters_fold(&machine->counters,
					      &space->counters);
			if (space->view) {
				space->view->whole = true;
				list_add_tail(&space->view->retired,
					      &txn->retired->views);
			}
			list_add_tail(&space->retired, &txn->retired->spaces);
			break;
		default:
			break;
		}
		cond_resched();
	}
	mregion_clean_spaces(machine);
}
