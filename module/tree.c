// SPDX-License-Identifier: GPL-2.0
#include <linux/mregion.h>

#include "tree.h"

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

static bool mregion_node_above(const struct rb_node *a,
			       const struct rb_node *b)
{
	const struct mregion_node *x = rb_entry(a, struct mregion_node, sibling);
	const struct mregion_node *y = rb_entry(b, struct mregion_node, sibling);

	if (x->state.priority != y->state.priority)
		return x->state.priority > y->state.priority;
	return x->state.order > y->state.order;
}

static bool mregion_node_less(struct rb_node *a, const struct rb_node *b)
{
	return mregion_node_above(a, b);
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
	if (node->state.parent)
		rb_erase(&node->sibling, &node->state.parent->subregions);
	node->state = *state;
	if (state->parent)
		rb_add(&node->sibling, &state->parent->subregions,
		       mregion_node_less);
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

/* Whether two regions of one parent overlap; what is behind 2^64 is nowhere. */
static bool mregion_overlap(u64 a, u64 a_last, u64 b, u64 b_last)
{
	return a < b ? b - a <= a_last : a - b <= b_last;
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
	struct rb_node *rb;
	int ret;

	for (rb = rb_first(&parent->subregions); rb; rb = rb_next(rb)) {
		struct mregion_node *sibling = rb_entry(rb, struct mregion_node,
							sibling);
		const struct mregion_node_state *state = &sibling->state;

		if (state->priority < priority)
			break;
		ret = mregion_work_step(work);
		if (ret)
			return ret;
		if (state->priority > priority ||
		    state->flags & MREGION_REGION_DISABLED)
			continue;
		if (mregion_overlap(addr, node->state.last, state->addr,
				    state->last)) {
			*occupant = sibling;
			return -EEXIST;
		}
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
