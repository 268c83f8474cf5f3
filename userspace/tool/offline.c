// SPDX-License-Identifier: GPL-2.0
/*
 * A machine without the module. The hierarchy, the rendering and the views are the
 * module's own source files, linked into this program, which therefore is under
 * GPL-2.0 as a whole: module/tree.c, module/render.c, module/update.c and what these
 * are built on. What they need of the kernel is in shim/.
 *
 * Here is only what module/txn.c and module/commit.c do around them: the same
 * checks in the same order, and the same steps of the same budget.
 */
#include <search.h>

#include <linux/err.h>
#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/limits.h"
#include "../../module/tree.h"
#include "shim/flat.h"
#include "offline.h"

struct offline_region {
	struct mregion_node node;
	u32 id;
};

struct offline_space {
	u32 id;
	struct mregion_view *view;
};

/**
 * struct offline - a machine
 * @tree: its hierarchy
 * @regions: all regions, a tree of tsearch()'s by ID
 * @nr_regions: how many
 * @spaces: all spaces, likewise
 * @nr_spaces: how many
 */
struct offline {
	struct mregion_tree tree;
	void *regions;
	u32 nr_regions;
	void *spaces;
	u32 nr_spaces;
};

struct offline *offline_open(struct mregion_info *info)
{
	*info = (struct mregion_info) {
		.abi_version = MREGION_ABI_VERSION,
		.max_regions = MREGION_MAX_REGIONS,
		.max_spaces = MREGION_MAX_SPACES,
		.max_depth = MREGION_MAX_DEPTH,
		.max_ranges = MREGION_MAX_RANGES,
		.max_ops = MREGION_MAX_OPS,
		.max_work = MREGION_MAX_WORK,
	};
	return calloc(1, sizeof(struct offline));
}

static void offline_space_free(void *space)
{
	flat_free(((struct offline_space *)space)->view);
	free(space);
}

void offline_close(struct offline *offline)
{
	tdestroy(offline->regions, free);
	tdestroy(offline->spaces, offline_space_free);
	free(offline);
}

static int compare_regions(const void *a, const void *b)
{
	u32 x = ((const struct offline_region *)a)->id;
	u32 y = ((const struct offline_region *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_spaces(const void *a, const void *b)
{
	u32 x = ((const struct offline_space *)a)->id;
	u32 y = ((const struct offline_space *)b)->id;

	return x < y ? -1 : x > y;
}

static struct mregion_node *offline_find(const struct offline *offline, u32 id)
{
	const struct offline_region key = { .id = id };
	struct offline_region **found;

	found = tfind(&key, &offline->regions, compare_regions);
	return found ? &(*found)->node : NULL;
}

static const struct offline_space *
offline_find_space(const struct offline *offline, u32 id)
{
	const struct offline_space key = { .id = id };
	struct offline_space **found;

	found = tfind(&key, &offline->spaces, compare_spaces);
	return found ? *found : NULL;
}

static int offline_create(struct offline *offline, u32 id,
			  const struct mregion_op_create *args)
{
	struct mregion_node *target = NULL;
	struct offline_region *region;

	if (offline_find(offline, id))
		return -EEXIST;
	if (offline->nr_regions == MREGION_MAX_REGIONS)
		return -ENOSPC;
	if (args->kind == MREGION_ALIAS) {
		target = offline_find(offline, args->target);
		if (!target)
			return -ENOENT;
	}

	region = calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	mregion_node_init(&region->node, args->kind, target);
	region->id = id;
	region->node.state.last = args->len - 1;
	region->node.state.flags = args->flags;
	if (target)
		region->node.state.target_offset = args->offset;
	if (!tsearch(region, &offline->regions, compare_regions)) {
		mregion_node_detach(&region->node);
		free(region);
		return -ENOMEM;
	}
	offline->nr_regions++;
	return 0;
}

static int offline_map(struct offline *offline, u32 id,
		       const struct mregion_op_map *args,
		       struct mregion_work *work)
{
	struct mregion_node *node = offline_find(offline, id);
	struct mregion_node *parent = offline_find(offline, args->parent);
	struct mregion_node_state state;
	int ret;

	if (!node || !parent)
		return -ENOENT;
	ret = mregion_tree_check_map(parent, node, work);
	if (ret)
		return ret;
	state = node->state;
	state.parent = parent;
	state.addr = args->offset;
	state.priority = args->priority;
	state.order = ++offline->tree.order;
	mregion_node_set_state(node, &state);
	return 0;
}

static int offline_set_flags(struct offline *offline, u32 id,
			     const struct mregion_op_set_flags *args)
{
	struct mregion_node *node = offline_find(offline, id);
	struct mregion_node_state state;

	if (!node)
		return -ENOENT;
	state = node->state;
	state.flags = (state.flags & ~args->mask) | args->flags;
	mregion_node_set_state(node, &state);
	return 0;
}

static int offline_space_create(struct offline *offline, u32 id,
				const struct mregion_op_space *args,
				struct mregion_work *work)
{
	u64 last = args->bus == MREGION_BUS_PIO ? 0xffff : U64_MAX;
	struct mregion_node *root = offline_find(offline, args->root);
	struct offline_space *space;
	struct mregion_view *view;

	if (offline_find_space(offline, id))
		return -EEXIST;
	if (!root)
		return -ENOENT;
	if (offline->nr_spaces == MREGION_MAX_SPACES)
		return -ENOSPC;

	view = flat_render(root, last, work);
	if (IS_ERR(view))
		return PTR_ERR(view);
	space = calloc(1, sizeof(*space));
	if (space)
		space->id = id;
	if (!space || !tsearch(space, &offline->spaces, compare_spaces)) {
		free(space);
		flat_free(view);
		return -ENOMEM;
	}
	space->view = view;
	offline->nr_spaces++;
	return 0;
}

static int offline_apply(struct offline *offline, const struct mregion_op *op,
			 struct mregion_work *work)
{
	switch (op->code) {
	case MREGION_OP_CREATE:
		return offline_create(offline, op->id, &op->create);
	case MREGION_OP_MAP:
		return offline_map(offline, op->id, &op->map, work);
	case MREGION_OP_SET_FLAGS:
		return offline_set_flags(offline, op->id, &op->set_flags);
	case MREGION_OP_SPACE_CREATE:
		return offline_space_create(offline, op->id, &op->space, work);
	default:
		return -EOPNOTSUPP;
	}
}

int offline_commit(struct offline *offline, const struct mregion_op *ops,
		   size_t nr, struct mregion_commit *commit)
{
	struct mregion_work work = { .left = MREGION_MAX_WORK };
	size_t i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = mregion_work_step(&work) ?:
		      offline_apply(offline, &ops[i], &work);
		if (ret) {
			commit->failed = i;
			return ret;
		}
	}
	commit->failed = nr;
	return 0;
}

int offline_view(const struct offline *offline, uint32_t space,
		 struct mregion_range **ranges, size_t *nr)
{
	const struct offline_space *found = offline_find_space(offline, space);
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	const struct mregion_view *view;
	u32 i = 0;

	if (!found)
		return -ENOENT;
	view = found->view;
	*nr = view->tree.nr;
	*ranges = calloc(*nr + 1, sizeof(**ranges));
	if (!*ranges)
		return -ENOMEM;
	mregion_view_for_each(range, &cursor, view, 0)
		mregion_view_describe(range,
			container_of(range->node, struct offline_region,
				     node)->id, &(*ranges)[i++]);
	return 0;
}
