// SPDX-License-Identifier: GPL-2.0
#include <linux/interval_tree_generic.h>
#include <linux/minmax.h>
#include <linux/mregion.h>
#include <linux/string.h>

#include "tree.h"

/* The last address that a region has in its parent; what is behind 2^64 is nowhere. */
static u64 mregion_node_last(const struct mregion_node *node)
{
	u64 last = node->state.addr + node->state.last;

	return last < node->state.addr ? ~0ull : last;
}

static u64 mregion_node_start(const struct mregion_node *node)
{
	return node->state.addr;
}

INTERVAL_TREE_DEFINE(struct mregion_node, addr_sibling, u64, addr_last,
		     mregion_node_start, mregion_node_last, static,
		     mregion_by_addr)

/**
 * mregion_node_init() - make a region that is mapped nowhere
 * @node: the region; its @state.last is left to the caller
 * @kind: enum mregion_kind
 * @target: for an alias, the region it shows
 */
void mregion_node_init(struct mregion_node *node, u32 kind,
		       struct mregion_node *target)
{
	*node = (struct mregion_node) {
		.kind = kind,
		.target = target,
		.subregions = RB_ROOT,
		.by_addr = RB_ROOT_CACHED,
	};
	INIT_LIST_HEAD(&node->aliases);
	INIT_LIST_HEAD(&node->alias);
	INIT_LIST_HEAD(&node->touched);
	INIT_LIST_HEAD(&node->walk);
	if (target)
		list_add_tail(&node->alias, &target->aliases);
}

/**
 * mregion_node_detach() - take a region that is not busy out of the hierarchy
 * @node: the region
 */
void mregion_node_detach(struct mregion_node *node)
{
	list_del_init(&node->alias);
	list_del_init(&node->touched);
}

/**
 * mregion_node_reattach() - undo mregion_node_detach()
 * @node: the region
 */
void mregion_node_reattach(struct mregion_node *node)
{
	if (node->target)
		list_add_tail(&node->alias, &node->target->aliases);
}

/**
 * mregion_node_busy() - whether others depend on a region
 * @node: the region
 *
 * Return: true if it is mapped, has subregions or aliases, or is a root.
 */
bool mregion_node_busy(const struct mregion_node *node)
{
	return node->state.parent || !RB_EMPTY_ROOT(&node->subregions) ||
	       !list_empty(&node->aliases) || node->roots;
}

static bool mregion_node_less(struct rb_node *a, const struct rb_node *b)
{
	return mregion_node_above(rb_entry(a, struct mregion_node, sibling),
				  rb_entry(b, struct mregion_node, sibling));
}

/* The topmost of all are where most regions come to be: that is looked at first. */
static void mregion_subregions_add(struct rb_root *subregions,
				   struct mregion_node *node)
{
	struct rb_node *top = rb_first(subregions);

	if (!top || !mregion_node_less(&node->sibling, top)) {
		rb_add(&node->sibling, subregions, mregion_node_less);
		return;
	}
	rb_link_node(&node->sibling, top, &top->rb_left);
	rb_insert_color(&node->sibling, subregions);
}

/* Whether a state leaves a region where it is among its siblings. */
static bool mregion_node_stays(const struct mregion_node *node,
			       const struct mregion_node_state *state)
{
	const struct mregion_node_state *old = &node->state;

	return old->parent == state->parent && old->addr == state->addr &&
	       old->last == state->last && old->order == state->order &&
	       old->priority == state->priority;
}

/**
 * mregion_node_set_state() - change a region
 * @node: the region
 * @state: its new state
 *
 * Cannot fail, so that it serves to undo as well. The caller has checked that
 * the change is possible.
 */
void mregion_node_set_state(struct mregion_node *node,
			    const struct mregion_node_state *state)
{
	struct mregion_node *parent = node->state.parent;

	if (mregion_node_stays(node, state)) {
		node->state = *state;
		return;
	}
	if (parent) {
		rb_erase(&node->sibling, &parent->subregions);
		mregion_by_addr_remove(node, &parent->by_addr);
		parent->nr_subregions--;
	}
	node->state = *state;
	parent = state->parent;
	if (parent) {
		mregion_subregions_add(&parent->subregions, node);
		mregion_by_addr_insert(node, &parent->by_addr);
		parent->nr_subregions++;
	}
}

/**
 * mregion_subregion_first() - begin to find subregions by address
 * @node: the region that they are mapped into
 * @start: first address, in @node
 * @last: last address
 *
 * Return: the first by address that has something there, or NULL.
 */
struct mregion_node *mregion_subregion_first(struct mregion_node *node,
					     u64 start, u64 last)
{
	return mregion_by_addr_iter_first(&node->by_addr, start, last);
}

/**
 * mregion_subregion_next() - go on
 * @subregion: what was returned last
 * @start: as for mregion_subregion_first()
 * @last: likewise
 *
 * Return: the next one, or NULL.
 */
struct mregion_node *mregion_subregion_next(struct mregion_node *subregion,
					    u64 start, u64 last)
{
	return mregion_by_addr_iter_next(subregion, start, last);
}

static void mregion_walk_visit(struct mregion_node *node, u64 mark,
			       struct list_head *walk)
{
	if (node->mark == mark)
		return;
	node->mark = mark;
	list_add_tail(&node->walk, walk);
}

/*
 * Visit all regions that show one of those on @walk, which have been marked.
 * A list instead of recursion: hierarchies that no space shows may be of any
 * depth. Marks end it where aliases show what holds them.
 */
static int mregion_walk_up(struct list_head *walk, u64 mark,
			   struct mregion_work *work)
{
	struct mregion_node *node, *alias;
	int ret = 0;

	list_for_each_entry(node, walk, walk) {
		ret = mregion_work_step(work);
		if (ret)
			break;
		if (node->state.parent)
			mregion_walk_visit(node->state.parent, mark, walk);
		list_for_each_entry(alias, &node->aliases, alias) {
			ret = mregion_work_step(work);
			if (ret)
				break;
			mregion_walk_visit(alias, mark, walk);
		}
		if (ret)
			break;
	}
	while (!list_empty(walk))
		list_del_init(walk->next);
	return ret;
}

/**
 * mregion_tree_check_map() - whether a region can be mapped into another
 * @parent: the region that is to hold it
 * @node: the region
 * @work: budget
 *
 * Only parents count. An alias may show a region that holds it: whether that
 * ends depends on its window, and is found when a space is rendered. Looking
 * upwards from @parent is cheap, since a region has one parent.
 *
 * Return: 0, -EINVAL if @parent is an alias, -EBUSY if @node is mapped, -ELOOP,
 * or the error of mregion_work_step().
 */
int mregion_tree_check_map(const struct mregion_node *parent,
			   const struct mregion_node *node,
			   struct mregion_work *work)
{
	int ret;

	if (parent->kind == MREGION_ALIAS)
		return -EINVAL;
	if (node->state.parent)
		return -EBUSY;
	if (node == parent)
		return -ELOOP;
	/* what holds nothing cannot hold its parent */
	if (RB_EMPTY_ROOT(&node->subregions))
		return 0;
	while ((parent = parent->state.parent)) {
		ret = mregion_work_step(work);
		if (ret)
			return ret;
		if (parent == node)
			return -ELOOP;
	}
	return 0;
}

/**
 * mregion_tree_check_room() - whether a region would be in a sibling's way
 * @parent: the region that is to hold it
 * @node: the region
 * @addr: offset in @parent
 * @priority: among siblings; those of another one are in nobody's way
 * @work: budget
 * @occupant: set to a sibling that is there, on -EEXIST
 *
 * Return: 0, -EEXIST, or the error of mregion_work_step().
 */
int mregion_tree_check_room(struct mregion_node *parent,
			    const struct mregion_node *node, u64 addr,
			    s32 priority, struct mregion_work *work,
			    struct mregion_node **occupant)
{
	u64 last = addr + node->state.last;
	struct mregion_node *sibling;
	int ret;

	if (last < addr)
		last = ~0ull;
	for (sibling = mregion_subregion_first(parent, addr, last); sibling;
	     sibling = mregion_subregion_next(sibling, addr, last)) {
		ret = mregion_work_step(work);
		if (ret)
			return ret;
		if (sibling->state.priority != priority ||
		    sibling->state.flags & MREGION_REGION_DISABLED)
			continue;
		*occupant = sibling;
		return -EEXIST;
	}
	return 0;
}

/**
 * mregion_tree_mark_up() - mark all regions that show one that has changed
 * @tree: the hierarchy
 * @touched: list of regions that have changed, by struct mregion_node.touched
 * @work: budget
 *
 * Afterwards the regions on @touched and all above them have their @mark equal
 * to @tree's.
 *
 * Return: 0, or the error of mregion_work_step().
 */
int mregion_tree_mark_up(struct mregion_tree *tree, struct list_head *touched,
			 struct mregion_work *work)
{
	struct mregion_node *node;
	LIST_HEAD(walk);

	tree->mark++;
	list_for_each_entry(node, touched, touched)
		mregion_walk_visit(node, tree->mark, &walk);
	return mregion_walk_up(&walk, tree->mark, work);
}

/* Go on to a region, of which bytes @start to @last have to do with the change. */
static bool mregion_climb_to(struct mregion_tree *tree, u32 *depth,
			     struct mregion_node *node, u64 start, u64 last,
			     mregion_climb_tell *tell, void *to)
{
	struct mregion_climb *climb = &tree->climb[*depth];

	if (node->state.flags & MREGION_REGION_DISABLED ||
	    start > node->state.last)
		return true;
	if (*depth == MREGION_MAX_DEPTH)
		return false;
	++*depth;
	last = min(last, node->state.last);
	if (node->roots)
		tell(to, node, start, last);
	*climb = (struct mregion_climb) {
		.node = node,
		.parent = node->state.parent,
		.alias = node->aliases.next,
		.start = start,
		.last = last,
	};
	return true;
}

/* Go on from a region to the one it is mapped into. */
static bool mregion_climb_parent(struct mregion_tree *tree, u32 *depth,
				 struct mregion_climb *climb,
				 mregion_climb_tell *tell, void *to)
{
	struct mregion_node *parent = climb->parent;
	u64 addr = climb->node->state.addr;
	u64 start = climb->start + addr, last = climb->last + addr;

	climb->parent = NULL;
	if (start < addr)
		return true;
	if (last < addr)
		last = ~0ull;
	return mregion_climb_to(tree, depth, parent, start, last, tell, to);
}

/* Go on from a region to the next alias that shows it. */
static bool mregion_climb_alias(struct mregion_tree *tree, u32 *depth,
				struct mregion_climb *climb,
				mregion_climb_tell *tell, void *to)
{
	struct mregion_node *alias = list_entry(climb->alias,
						struct mregion_node, alias);
	u64 offset = alias->state.target_offset;
	u64 end = offset + alias->state.last;

	climb->alias = climb->alias->next;
	if (end < offset)
		end = ~0ull;
	if (climb->start > end || climb->last < offset)
		return true;
	return mregion_climb_to(tree, depth, alias,
				max(climb->start, offset) - offset,
				min(climb->last, end) - offset, tell, to);
}

/* Find where bytes of a region can be seen as it is now, as if nothing covered them. */
static bool mregion_tree_climb(struct mregion_tree *tree,
			       struct mregion_node *node, u64 start, u64 last,
			       u32 *steps, mregion_climb_tell *tell, void *to)
{
	u32 depth = 0;
	bool ok;

	ok = mregion_climb_to(tree, &depth, node, start, last, tell, to);
	while (ok && depth) {
		struct mregion_climb *climb = &tree->climb[depth - 1];

		if (!*steps)
			return false;
		--*steps;
		if (climb->parent)
			ok = mregion_climb_parent(tree, &depth, climb, tell,
						  to);
		else if (climb->alias != &climb->node->aliases)
			ok = mregion_climb_alias(tree, &depth, climb, tell, to);
		else
			depth--;
	}
	return ok;
}

/**
 * mregion_tree_change() - change a region, and find where that can be seen
 * @tree: the hierarchy
 * @node: the region
 * @state: its new state, as for mregion_node_set_state()
 * @steps: how many regions may be looked at; what is left of it
 * @tell: called with the root region and the addresses of each place
 * @to: passed to it
 *
 * Before the change and, unless it is of behaviour only, after it; through parents and
 * aliases, as rendering comes down by them; so no deeper than rendering goes.
 *
 * Return: false if not all places were told, as they are more than @steps allow for,
 * or deeper than anything can be seen. The region is changed either way.
 */
bool mregion_tree_change(struct mregion_tree *tree, struct mregion_node *node,
			 const struct mregion_node_state *state, u32 *steps,
			 mregion_climb_tell *tell, void *to)
{
	struct mregion_node_state resized = node->state;
	struct mregion_node_state behaves = node->state;
	u64 start = 0;
	bool ok, stays;

	resized.last = state->last;
	behaves.behaviour = state->behaviour;
	stays = !memcmp(&behaves, state, sizeof(behaves));
	/* that it ends is seen by accesses that begin up to 7 bytes before */
	if (!memcmp(&resized, state, sizeof(resized))) {
		start = min(node->state.last, state->last);
		start -= min_t(u64, start, 7);
	}
	ok = mregion_tree_climb(tree, node, start, node->state.last, steps,
				tell, to);
	mregion_node_set_state(node, state);
	/* another behaviour is seen where the one before was */
	if (stays)
		return ok;
	return mregion_tree_climb(tree, node, start, state->last, steps, tell,
				  to) && ok;
}
