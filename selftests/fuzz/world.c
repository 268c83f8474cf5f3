// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/behaviour.h"
#include "check.h"
#include "flat.h"
#include "world.h"

#define ANY	MREGION_RULE_ANY_LEN
#define FAST	(MREGION_RULE_ANY_LEN | MREGION_RULE_FAST)

/* Doorbells for any length come first, in the order of offsets. */
static struct mregion_behaviour_rule world_rules[] = {
	{ .flags = FAST }, { .offset = 1, .flags = FAST },
	{ .offset = 7, .flags = ANY }, { .offset = 0x10, .flags = FAST },
	{ .offset = 0xfff, .flags = FAST }, { .offset = 0x1000, .flags = ANY },
	{ .offset = 0x1001, .flags = FAST },
	{ .offset = 0x40000000, .flags = FAST },
	{ .offset = 1ull << 63, .flags = FAST },
	{ .offset = ~0ull, .flags = FAST }, { }, { .offset = 0x10 },
};

static struct mregion_behaviour_rule *world_fast[] = {
	&world_rules[0], &world_rules[1], &world_rules[3], &world_rules[4],
	&world_rules[6], &world_rules[7], &world_rules[8], &world_rules[9],
};

static struct mregion_behaviour_rule *world_sorted[] = {
	&world_rules[0], &world_rules[1], &world_rules[2], &world_rules[3],
	&world_rules[4], &world_rules[5], &world_rules[6], &world_rules[7],
	&world_rules[8], &world_rules[9], &world_rules[10], &world_rules[11],
};

/* So many that few places have more than there may be. */
#define WORLD_MANY	4200

static struct mregion_behaviour_rule world_many_rules[WORLD_MANY];
static struct mregion_behaviour_rule *world_many[WORLD_MANY];

/*
 * Rendering only carries these about. Windows are made after what they have;
 * that of a server is never looked at.
 */
static struct mregion_behaviour world_behaviours[] = {
	{ .nr_rules = 1, .refused = MREGION_POLICY_ERROR,
	  .sorted = &world_sorted[10] },
	{ .refused = MREGION_POLICY_ONES },
	{ .refused = MREGION_POLICY_ZEROES, .server = (void *)&fuzz_stats },
	{ .refused = MREGION_POLICY_ERROR },
	{ .refused = MREGION_POLICY_ONES, .nr_rules = 12, .nr_fast = 8,
	  .sorted = world_sorted, .fast = world_fast },
	{ .refused = MREGION_POLICY_ONES, .nr_rules = 1, .nr_fast = 1,
	  .sorted = world_sorted, .fast = world_fast },
	{ .refused = MREGION_POLICY_ONES, .nr_rules = WORLD_MANY,
	  .nr_fast = WORLD_MANY, .sorted = world_many, .fast = world_many },
};

#define WORLD_BEHAVIOURS \
	(sizeof(world_behaviours) / sizeof(world_behaviours[0]))

struct fuzz_stats fuzz_stats;

static void world_free_node(struct mregion_node *node)
{
	free(container_of(node, struct world_region, node));
}

static struct world_change *world_note(struct world *w,
				       enum world_change_kind kind, int id)
{
	struct world_change *change = &w->change[w->nr_changes++];

	change->kind = kind;
	change->id = id;
	change->node = w->node[id];
	fuzz_stats.changes++;
	return change;
}

static void world_see(void *to, const struct mregion_node *root, u64 start,
		      u64 last)
{
	struct world *w = to;
	struct world_space *space;
	u32 nr;

	for (space = w->space; space < w->space + WORLD_SPACES; space++) {
		if (space->root < 0 || w->node[space->root] != root)
			continue;
		nr = space->delta.nr;
		mregion_delta_add(&space->delta, start, last);
		fuzz_stats.parts_full += nr == MREGION_MAX_DELTA &&
					 space->delta.nr == 1;
	}
}

static void world_change(struct world *w, int id,
			 const struct mregion_node_state *state)
{
	struct mregion_node *node = w->node[id];
	struct mregion_node *parent = node->state.parent;
	u32 steps = min(w->climb, WORLD_CLIMB_STEP);

	world_note(w, WORLD_CHANGED, id)->state = node->state;
	w->climb -= steps;
	if (!mregion_tree_change(&w->tree, node, state, &steps, world_see, w)) {
		fuzz_stats.coarse++;
		list_move_tail(&node->touched, &w->touched);
		if (parent)
			list_move_tail(&parent->touched, &w->touched);
	}
	w->climb += steps;
}

/**
 * world_init() - begin with nothing
 * @w: the world
 */
void world_init(struct world *w)
{
	int i;

	memset(w, 0, sizeof(*w));
	INIT_LIST_HEAD(&w->touched);
	for (i = 0; i < MODEL_REGIONS; i++)
		w->model.region[i].parent = w->model.region[i].target = -1;
	for (i = 0; i < WORLD_SPACES; i++)
		w->space[i].root = -1;
	w->before = w->model;
}

/**
 * world_full() - whether there is no room for another change
 * @w: the world
 */
bool world_full(const struct world *w)
{
	/* the largest step makes a handful of changes at once */
	return w->nr_changes + 8 > WORLD_CHANGES;
}

/**
 * world_create() - create a region
 * @w: the world
 * @kind: enum mregion_kind
 * @flags: enum mregion_region_flags
 * @last: length less one
 * @target: of an alias: index of the region it shows, else -1
 * @target_offset: of an alias
 *
 * Return: its index, or -1 if there is no room for more.
 */
int world_create(struct world *w, u32 kind, u32 flags, u64 last, int target,
		 u64 target_offset)
{
	struct world_region *region;
	struct mregion_node *node;
	int id;

	for (id = 0; id < MODEL_REGIONS; id++)
		if (!w->model.region[id].used)
			break;
	if (id == MODEL_REGIONS)
		return -1;

	/* of its own, so that a use after it was freed is found */
	region = malloc(sizeof(*region));
	if (!region)
		abort();
	region->id = id;
	node = &region->node;
	mregion_node_init(node, kind, target < 0 ? NULL : w->node[target]);
	node->state.flags = flags;
	node->state.last = last;
	node->state.target_offset = target_offset;
	w->node[id] = node;
	world_note(w, WORLD_CREATED, id);

	w->model.region[id] = (struct model_region) {
		.used = true,
		.kind = kind,
		.flags = flags,
		.parent = -1,
		.target = target,
		.last = last,
		.target_offset = target_offset,
	};
	w->nr_regions++;
	return id;
}

static bool world_is_root(const struct world *w, int id)
{
	int i;

	for (i = 0; i < WORLD_SPACES; i++)
		if (w->space[i].root == id)
			return true;
	return false;
}

/**
 * world_free() - free a region
 * @w: the world
 * @id: its index
 *
 * Return: 0 or -EBUSY.
 */
int world_free(struct world *w, int id)
{
	bool busy = mregion_node_busy(w->node[id]);

	CHECK(busy == (model_busy(&w->model, id) || world_is_root(w, id)),
	      "region %d: %s", id, busy ? "busy" : "not busy");
	if (busy) {
		fuzz_stats.busy++;
		return -EBUSY;
	}
	mregion_node_detach(w->node[id]);
	world_note(w, WORLD_FREED, id);
	w->model.region[id] = (struct model_region) {
		.parent = -1,
		.target = -1,
	};
	w->node[id] = NULL;
	w->nr_regions--;
	return 0;
}

/* As mregion_tree_check_map(), which must do with as much work as it took. */
static int world_check_map(struct world *w, int parent, int id)
{
	const u64 plenty = 1 << 20;
	struct mregion_work work = { .left = plenty };
	int ret, again;
	u64 used;

	ret = mregion_tree_check_map(w->node[parent], w->node[id], &work);
	used = plenty - work.left;
	CHECK(used < (u64)w->nr_regions, "%lu steps for %d regions",
	      (unsigned long)used, w->nr_regions);
	if (!used)
		return ret;

	work.left = used;
	again = mregion_tree_check_map(w->node[parent], w->node[id], &work);
	CHECK(again == ret && !work.left, "%d the second time, not %d", again,
	      ret);
	work.left = used - 1;
	again = mregion_tree_check_map(w->node[parent], w->node[id], &work);
	CHECK(again == -EDQUOT, "%d beyond the limit of work", again);
	return ret;
}

/* As mregion_tree_check_room(): whether an exclusive mapping would be refused. */
static void world_check_room(const struct world *w, int parent, int id,
			     u64 addr, int priority)
{
	const u64 plenty = 1 << 20;
	struct mregion_work work = { .left = plenty };
	struct mregion_node *occupant = NULL;
	int ret, expected = 0, i;
	u64 used;

	for (i = 0; i < MODEL_REGIONS && !expected; i++)
		if (model_in_way(&w->model, parent, i, addr,
				 w->model.region[id].last, priority))
			expected = -EEXIST;
	ret = mregion_tree_check_room(w->node[parent], w->node[id], addr,
				      priority, &work, &occupant);
	CHECK(ret == expected, "room in %d for %d: %d, not %d", parent, id, ret,
	      expected);
	if (ret) {
		i = container_of(occupant, struct world_region, node)->id;
		CHECK(model_in_way(&w->model, parent, i, addr,
				   w->model.region[id].last, priority),
		      "region %d is not in the way of %d", i, id);
		fuzz_stats.occupied++;
	}
	used = plenty - work.left;
	if (!used)
		return;
	work.left = used - 1;
	ret = mregion_tree_check_room(w->node[parent], w->node[id], addr,
				      priority, &work, &occupant);
	CHECK(ret == -EDQUOT, "%d beyond the limit of work", ret);
}

/**
 * world_map() - map a region into another
 * @w: the world
 * @parent: index of the region that is to hold it
 * @id: its index
 * @addr: offset in @parent
 * @priority: among siblings
 *
 * Return: 0, -EINVAL, -EBUSY or -ELOOP as for MREGION_OP_MAP.
 */
int world_map(struct world *w, int parent, int id, u64 addr, int priority)
{
	struct mregion_node_state state = w->node[id]->state;
	int expected = model_map_error(&w->model, parent, id);
	int ret = world_check_map(w, parent, id);

	CHECK(ret == expected, "map %d %d: %d, not %d", parent, id, ret,
	      expected);
	if (ret) {
		fuzz_stats.invalid += ret == -EINVAL;
		fuzz_stats.busy += ret == -EBUSY;
		fuzz_stats.cycles += ret == -ELOOP;
		return ret;
	}
	world_check_room(w, parent, id, addr, priority);
	state.parent = w->node[parent];
	state.addr = addr;
	state.priority = priority;
	state.order = ++w->tree.order;
	world_change(w, id, &state);
	model_map(&w->model, parent, id, addr, priority);
	return 0;
}

/**
 * world_unmap() - take a region out of its parent
 * @w: the world
 * @id: its index
 *
 * Return: 0 or -ENOENT.
 */
int world_unmap(struct world *w, int id)
{
	struct mregion_node_state state = w->node[id]->state;

	CHECK(!state.parent == (w->model.region[id].parent < 0),
	      "region %d: mapped or not?", id);
	if (!state.parent)
		return -ENOENT;
	state.parent = NULL;
	state.addr = 0;
	state.priority = 0;
	state.order = 0;
	world_change(w, id, &state);
	model_unmap(&w->model, id);
	w->model.region[id].addr = 0;
	w->model.region[id].priority = 0;
	return 0;
}

/**
 * world_move() - move a region within its parent
 * @w: the world
 * @id: its index
 * @addr: offset in the parent; one that is there already stays as it is
 *
 * Return: 0 or -ENOENT.
 */
int world_move(struct world *w, int id, u64 addr)
{
	struct mregion_node_state state = w->node[id]->state;
	struct model_region *r = &w->model.region[id];
	int parent = r->parent;

	if (!state.parent)
		return -ENOENT;
	if (r->addr == addr)
		return 0;
	state.addr = addr;
	state.order = ++w->tree.order;
	world_change(w, id, &state);
	model_unmap(&w->model, id);
	model_map(&w->model, parent, id, addr, r->priority);
	return 0;
}

/**
 * world_resize() - change a region's length
 * @w: the world
 * @id: its index
 * @last: length less one
 *
 * Return: 0.
 */
int world_resize(struct world *w, int id, u64 last)
{
	struct mregion_node_state state = w->node[id]->state;

	state.last = last;
	world_change(w, id, &state);
	w->model.region[id].last = last;
	return 0;
}

/**
 * world_set_flags() - change a region's flags
 * @w: the world
 * @id: its index
 * @flags: all of them
 *
 * Return: 0.
 */
int world_set_flags(struct world *w, int id, u32 flags)
{
	struct mregion_node_state state = w->node[id]->state;

	state.flags = flags;
	world_change(w, id, &state);
	w->model.region[id].flags = flags;
	return 0;
}

/**
 * world_set_alias() - let an alias show its target from another offset on
 * @w: the world
 * @id: its index
 * @target_offset: the offset
 *
 * Return: 0, or -EINVAL if it is no alias.
 */
int world_set_alias(struct world *w, int id, u64 target_offset)
{
	struct mregion_node_state state = w->node[id]->state;

	CHECK(!w->node[id]->target == (w->model.region[id].target < 0),
	      "region %d: an alias or not?", id);
	if (!w->node[id]->target)
		return -EINVAL;
	state.target_offset = target_offset;
	world_change(w, id, &state);
	w->model.region[id].target_offset = target_offset;
	return 0;
}

/**
 * world_set_behaviour() - change what happens to accesses to a region
 * @w: the world
 * @id: its index
 * @nr: which behaviour, any number
 *
 * Return: 0.
 */
int world_set_behaviour(struct world *w, int id, unsigned int nr)
{
	struct mregion_node_state state = w->node[id]->state;
	struct mregion_behaviour *behaviour =
				&world_behaviours[nr % WORLD_BEHAVIOURS];
	u32 i;

	for (i = WORLD_MANY; !world_many[0] && i-- > 0;) {
		world_many_rules[i] = (struct mregion_behaviour_rule) {
			.offset = i, .flags = FAST,
		};
		world_many[i] = &world_many_rules[i];
	}

	state.behaviour = behaviour;
	world_change(w, id, &state);
	w->model.region[id].behaviour = behaviour;
	return 0;
}

/**
 * world_set_root() - let a space show another region
 * @w: the world
 * @space: which space
 * @id: the region's index, or -1
 *
 * Return: 0.
 */
int world_set_root(struct world *w, unsigned int space, int id)
{
	struct world_space *s = &w->space[space];

	if (s->root >= 0)
		w->node[s->root]->roots--;
	if (id >= 0)
		w->node[id]->roots++;
	s->root = id;
	mregion_delta_add(&s->delta, 0, ~0ull);
	return 0;
}

/**
 * world_begin() - begin a commit
 * @w: the world
 */
void world_begin(struct world *w)
{
	int i;

	w->nr_changes = 0;
	w->climb = WORLD_CLIMB;
	w->before = w->model;
	for (i = 0; i < WORLD_SPACES; i++)
		w->roots[i] = w->space[i].root;
}

static void world_end(struct world *w)
{
	int i;

	while (!list_empty(&w->touched))
		list_del_init(w->touched.next);
	for (i = 0; i < WORLD_SPACES; i++)
		w->space[i].delta.nr = 0;
}

static void world_undo_one(struct world *w, const struct world_change *change)
{
	switch (change->kind) {
	case WORLD_CREATED:
		CHECK(!mregion_node_busy(change->node), "region %d: busy",
		      change->id);
		mregion_node_detach(change->node);
		world_free_node(change->node);
		w->node[change->id] = NULL;
		w->nr_regions--;
		break;
	case WORLD_FREED:
		mregion_node_reattach(change->node);
		w->node[change->id] = change->node;
		w->nr_regions++;
		break;
	case WORLD_CHANGED:
		mregion_node_set_state(change->node, &change->state);
		break;
	}
}

/**
 * world_undo() - put everything back as it was at world_begin()
 * @w: the world
 */
void world_undo(struct world *w)
{
	unsigned int i;

	/*
	 * Roots may be regions that the commit has created or freed, and so
	 * change while all of these exist.
	 */
	world_end(w);
	for (i = 0; i < WORLD_SPACES; i++)
		if (w->space[i].root >= 0)
			w->node[w->space[i].root]->roots--;
	for (i = w->nr_changes; i--;)
		world_undo_one(w, &w->change[i]);
	for (i = 0; i < WORLD_SPACES; i++) {
		w->space[i].root = w->roots[i];
		if (w->space[i].root >= 0)
			w->node[w->space[i].root]->roots++;
	}
	w->model = w->before;
	w->nr_changes = 0;
	fuzz_stats.undone++;
}

/**
 * world_finish() - end a commit; what it has freed is gone for good
 * @w: the world
 */
void world_finish(struct world *w)
{
	unsigned int i;

	world_end(w);
	for (i = 0; i < w->nr_changes; i++)
		if (w->change[i].kind == WORLD_FREED)
			world_free_node(w->change[i].node);
	w->nr_changes = 0;
}

/**
 * world_destroy() - free everything
 * @w: the world
 */
void world_destroy(struct world *w)
{
	int i;

	for (i = 0; i < WORLD_SPACES; i++)
		flat_free(w->space[i].view);
	for (i = 0; i < MODEL_REGIONS; i++)
		if (w->node[i])
			world_free_node(w->node[i]);
}
