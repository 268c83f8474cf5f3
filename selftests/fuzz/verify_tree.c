// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include <linux/mregion.h>

#include "check.h"
#include "verify.h"

static void verify_region(const struct world *w, int id)
{
	const struct model_region *r = &w->model.region[id];
	const struct mregion_node *node = w->node[id];
	const struct mregion_node_state *state = &node->state;
	const struct mregion_node *parent, *target;

	parent = r->parent < 0 ? NULL : w->node[r->parent];
	target = r->target < 0 ? NULL : w->node[r->target];
	CHECK(node->kind == r->kind && node->target == target,
	      "region %d: kind or target", id);
	CHECK(state->parent == parent, "region %d: parent", id);
	CHECK(state->addr == r->addr && state->last == r->last &&
	      state->target_offset == r->target_offset &&
	      state->priority == r->priority && state->flags == r->flags &&
	      (void *)state->behaviour == r->behaviour,
	      "region %d: state", id);
}

static void verify_subregions(const struct world *w, int id)
{
	struct rb_node *rb = rb_first(&w->node[id]->subregions);
	int i;

	for (i = w->model.first[id]; i < w->model.first[id + 1]; i++) {
		int child = w->model.children[i];

		CHECK(rb == &w->node[child]->sibling,
		      "region %d: subregion %d is not where it belongs", id,
		      child);
		rb = rb_next(rb);
	}
	CHECK(!rb, "region %d: too many subregions", id);
}

static void verify_aliases(const struct world *w, int id)
{
	struct mregion_node *alias;
	int i, nr = 0;

	list_for_each_entry(alias, &w->node[id]->aliases, alias) {
		CHECK(alias->target == w->node[id],
		      "region %d: shown by an alias of another", id);
		nr++;
	}
	for (i = 0; i < MODEL_REGIONS; i++)
		if (w->model.region[i].used && w->model.region[i].target == id)
			nr--;
	CHECK(!nr, "region %d: %d aliases too many", id, nr);
}

/**
 * verify_tree() - compare the hierarchies
 * @w: the world, with its model sorted
 */
void verify_tree(const struct world *w)
{
	int id;

	for (id = 0; id < MODEL_REGIONS; id++) {
		CHECK(!w->node[id] == !w->model.region[id].used,
		      "region %d: is it there?", id);
		if (!w->node[id])
			continue;
		verify_region(w, id);
		verify_subregions(w, id);
		verify_aliases(w, id);
	}
}

/* With exactly the work that it took it succeeds, with less it does not. */
static void verify_mark_up(struct world *w, u64 budget, int expected)
{
	struct mregion_work work = { .left = budget };
	int ret = mregion_tree_mark_up(&w->tree, &w->touched, &work);

	CHECK(ret == expected, "marking in %lu steps: %d",
	      (unsigned long)budget, ret);
}

/**
 * verify_marks() - find what a commit may have changed, and compare
 * @w: the world, before the end of a commit
 *
 * Where the places of a change were not found, all of each space that shows it counts
 * as changed.
 */
void verify_marks(struct world *w)
{
	const u64 plenty = 1 << 20;
	struct mregion_work work = { .left = plenty };
	bool shown[MODEL_REGIONS] = { false };
	struct mregion_node *node;
	struct world_space *space;
	int id, ret;
	u64 used;

	if (list_empty(&w->touched))
		return;
	list_for_each_entry(node, &w->touched, touched)
		shown[container_of(node, struct world_region, node)->id] = true;
	model_shows(&w->model, shown);

	ret = mregion_tree_mark_up(&w->tree, &w->touched, &work);
	used = plenty - work.left;
	CHECK(!ret, "marking: %d", ret);
	CHECK(used <= 2 * (u64)w->nr_regions,
	      "marking: %lu steps for %d regions", (unsigned long)used,
	      w->nr_regions);
	verify_mark_up(w, used - 1, -EDQUOT);
	verify_mark_up(w, used, 0);
	for (id = 0; id < MODEL_REGIONS; id++)
		CHECK(!w->node[id] ||
		      (w->node[id]->mark == w->tree.mark) == shown[id],
		      "region %d: %smarked", id, shown[id] ? "not " : "");
	for (space = w->space; space < w->space + WORLD_SPACES; space++)
		if (space->root >= 0 && shown[space->root])
			mregion_delta_add(&space->delta, 0, ~0ull);
}
