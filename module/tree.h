/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hierarchy of regions.
 *
 * Does not depend on KVM, files, locks or userspace, so it also compiles as
 * an ordinary program (selftests/fuzz). The caller serialises all calls; in
 * the module that is the machine's lock.
 */
#ifndef MREGION_TREE_H
#define MREGION_TREE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "limits.h"
#include "work.h"

struct mregion_node;
struct mregion_behaviour;

/**
 * struct mregion_node_state - all that a commit can change about a region
 * @parent: the region it is mapped into, or NULL
 * @behaviour: the handling of accesses; opaque here, carried into views
 * @addr: offset in @parent, in bytes
 * @last: length in bytes, less one
 * @target_offset: of an alias: offset in its target of the first byte shown
 * @order: among siblings of equal priority, the higher one is on top
 * @priority: among siblings, the higher one is on top
 * @flags: enum mregion_region_flags
 *
 * Kept together so that a change is undone by putting the old state back,
 * which needs no memory and cannot fail.
 */
struct mregion_node_state {
	struct mregion_node *parent;
	struct mregion_behaviour *behaviour;
	u64 addr;
	u64 last;
	u64 target_offset;
	u64 order;
	s32 priority;
	u32 flags;
};

/**
 * struct mregion_node - a region's place in the hierarchy
 * @state: what a commit can change; only through mregion_node_set_state()
 * @target: of an alias: the region it shows, for as long as the alias exists
 * @subregions: regions mapped into this one, the topmost first
 * @sibling: in the parent's @subregions
 * @by_addr: the same regions, by address
 * @addr_sibling: in the parent's @by_addr
 * @addr_last: the highest last address of those below in that tree
 * @nr_subregions: how many regions are mapped into this one
 * @aliases: aliases that show this region
 * @alias: in the target's @aliases
 * @touched: in a list of regions that a commit has changed, or empty
 * @walk: in the list of a walk under way
 * @mark: the last walk that came here
 * @kind: enum mregion_kind
 * @roots: how many spaces have this region as their root
 */
struct mregion_node {
	struct mregion_node_state state;
	struct mregion_node *target;
	struct rb_root subregions;
	struct rb_node sibling;
	struct rb_root_cached by_addr;
	struct rb_node addr_sibling;
	u64 addr_last;
	u32 nr_subregions;
	struct list_head aliases;
	struct list_head alias;
	struct list_head touched;
	struct list_head walk;
	u64 mark;
	u32 kind;
	u32 roots;
};

/**
 * struct mregion_climb - a region on the way up from one that changes
 * @parent: where to go from here, or NULL
 * @alias: of the region's aliases, the next to go to
 * @node: the region
 * @start: the first of its bytes that have to do with the change
 * @last: the last one
 */
struct mregion_climb {
	struct mregion_node *parent;
	struct list_head *alias;
	struct mregion_node *node;
	u64 start;
	u64 last;
};

/**
 * struct mregion_tree - a hierarchy, or several that share regions
 * @order: the last struct mregion_node_state.order given out
 * @mark: the last struct mregion_node.mark given out
 * @climb: the way that mregion_tree_change() is on
 */
struct mregion_tree {
	u64 order;
	u64 mark;
	struct mregion_climb climb[MREGION_MAX_DEPTH];
};

typedef void mregion_climb_tell(void *to, const struct mregion_node *root,
				u64 start, u64 last);

/** mregion_node_above() - whether a region is above another one of its siblings */
static inline bool mregion_node_above(const struct mregion_node *a,
				      const struct mregion_node *b)
{
	if (a->state.priority != b->state.priority)
		return a->state.priority > b->state.priority;
	return a->state.order > b->state.order;
}

void mregion_node_init(struct mregion_node *node, u32 kind,
		       struct mregion_node *target);
void mregion_node_detach(struct mregion_node *node);
void mregion_node_reattach(struct mregion_node *node);
bool mregion_node_busy(const struct mregion_node *node);
void mregion_node_set_state(struct mregion_node *node,
			    const struct mregion_node_state *state);
struct mregion_node *mregion_subregion_first(struct mregion_node *node,
					     u64 start, u64 last);
struct mregion_node *mregion_subregion_next(struct mregion_node *subregion,
					    u64 start, u64 last);
int mregion_tree_check_map(const struct mregion_node *parent,
			   const struct mregion_node *node,
			   struct mregion_work *work);
int mregion_tree_check_room(struct mregion_node *parent,
			    const struct mregion_node *node, u64 addr,
			    s32 priority, struct mregion_work *work,
			    struct mregion_node **occupant);
int mregion_tree_mark_up(struct mregion_tree *tree, struct list_head *touched,
			 struct mregion_work *work);

bool mregion_tree_change(struct mregion_tree *tree, struct mregion_node *node,
			 const struct mregion_node_state *state, u32 *steps,
			 mregion_climb_tell *tell, void *to);

#endif /* MREGION_TREE_H */
