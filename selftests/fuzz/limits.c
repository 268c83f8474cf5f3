// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include <linux/err.h>
#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/limits.h"
#include "flat.h"
#include "check.h"
#include "limits.h"
#include "verify.h"
#include "world.h"

static struct world limits_world;

static struct world *limits_begin(void)
{
	world_init(&limits_world);
	world_begin(&limits_world);
	return &limits_world;
}

static int limits_region(struct world *w, u32 kind, u64 last)
{
	int id = world_create(w, kind, 0, last, -1, 0);

	CHECK(id >= 0, "no room for another region");
	return id;
}

static int limits_alias(struct world *w, int target)
{
	int id = world_create(w, MREGION_ALIAS, 0, ~0ull, target, 0);

	CHECK(id >= 0, "no room for another region");
	return id;
}

static void limits_map(struct world *w, int parent, int id, u64 addr)
{
	int ret = world_map(w, parent, id, addr, 0);

	CHECK(!ret, "map: error %d", ret);
}

static struct mregion_view *limits_render(const struct world *w, int root)
{
	struct mregion_work work = { .left = MREGION_MAX_WORK };

	return flat_render(w->node[root], ~0ull, &work);
}

static void limits_renders(const struct world *w, int root, u32 ranges)
{
	struct mregion_view *view = limits_render(w, root);

	CHECK(!IS_ERR(view), "error %ld", PTR_ERR(view));
	CHECK(view->tree.nr == ranges, "%u ranges, not %u", view->tree.nr, ranges);
	flat_free(view);
}

static void limits_fails(const struct world *w, int root, int error)
{
	unsigned long live = shim_live;
	struct mregion_view *view = limits_render(w, root);

	CHECK(IS_ERR(view), "rendered in spite of error %d", error);
	CHECK(PTR_ERR(view) == error, "error %ld, not %d", PTR_ERR(view),
	      error);
	CHECK(shim_live == live, "%ld allocations were left",
	      (long)(shim_live - live));
}

/**
 * limits_depth_containers() - containers in containers, up to the limit
 */
void limits_depth_containers(void)
{
	struct world *w = limits_begin();
	int id = limits_region(w, MREGION_MMIO, 0xfff);
	unsigned int depth;

	for (depth = 1; depth < MREGION_MAX_DEPTH; depth++) {
		int parent = limits_region(w, MREGION_CONTAINER, ~0ull);

		limits_map(w, parent, id, 1);
		id = parent;
	}
	limits_renders(w, id, 1);
	limits_map(w, limits_region(w, MREGION_CONTAINER, ~0ull), id, 0);
	limits_fails(w, id + 1, -EMLINK);
	world_set_flags(w, id, MREGION_REGION_DISABLED);
	limits_renders(w, id + 1, 0);
	world_finish(w);
	world_destroy(w);
}

/**
 * limits_depth_aliases() - aliases of aliases, up to the limit
 */
void limits_depth_aliases(void)
{
	struct world *w = limits_begin();
	int id = limits_region(w, MREGION_RAM, ~0ull);
	unsigned int depth;

	for (depth = 1; depth < MREGION_MAX_DEPTH; depth++) {
		limits_renders(w, id, 1);
		id = limits_alias(w, id);
		world_set_alias(w, id, 1);
	}
	limits_renders(w, id, 1);
	limits_fails(w, limits_alias(w, id), -EMLINK);
	world_finish(w);
	world_destroy(w);
}

/**
 * limits_depth_covered() - what is too deep does not matter if it is covered
 */
void limits_depth_covered(void)
{
	struct world *w = limits_begin();
	int id = limits_region(w, MREGION_RAM, 0xfff);
	int root = limits_region(w, MREGION_CONTAINER, ~0ull);
	int cover = limits_region(w, MREGION_MMIO, 0xfff);
	unsigned int depth;

	for (depth = 1; depth < MREGION_MAX_DEPTH; depth++)
		id = limits_alias(w, id);
	limits_map(w, root, id, 0);
	limits_fails(w, root, -EMLINK);
	limits_map(w, root, cover, 0);
	limits_renders(w, root, 1);
	world_move(w, cover, 1);
	limits_fails(w, root, -EMLINK);
	world_finish(w);
	world_destroy(w);
}

/* A container shown within itself, one address further on, over @len addresses. */
static int limits_self(struct world *w, int id, u64 len)
{
	int self = limits_alias(w, id);

	world_resize(w, self, len - 1);
	limits_map(w, id, self, 1);
	return self;
}

/**
 * limits_depth_self() - a region shown within itself, as often as the limit says
 */
void limits_depth_self(void)
{
	/* from one address to the next, an alias and the container more */
	u64 len = (MREGION_MAX_DEPTH - 2) / 2;
	struct world *w = limits_begin();
	int root = limits_region(w, MREGION_CONTAINER, ~0ull);
	int self = limits_self(w, root, len);

	limits_map(w, root, limits_region(w, MREGION_MMIO, 0), 0);
	limits_renders(w, root, len + 1);
	world_resize(w, self, len);
	limits_fails(w, root, -EMLINK);
	world_set_flags(w, self, MREGION_REGION_DISABLED);
	limits_renders(w, root, 1);
	world_finish(w);
	world_destroy(w);
}

/**
 * limits_depth_change() - a change too deep to be seen is not overlooked
 */
void limits_depth_change(void)
{
	struct world *w = limits_begin();
	int bottom = limits_region(w, MREGION_CONTAINER, ~0ull), id = bottom;
	struct world_space *space = &w->space[0];
	unsigned int depth;

	for (depth = 1; depth < MREGION_MAX_DEPTH; depth++) {
		int parent = limits_region(w, MREGION_CONTAINER, ~0ull);

		limits_map(w, parent, id, 0);
		id = parent;
	}
	world_set_root(w, 0, id);
	world_finish(w);
	space->last = ~0ull;
	space->view = limits_render(w, id);
	CHECK(!IS_ERR(space->view), "error %ld", PTR_ERR(space->view));
	world_begin(w);
	limits_map(w, bottom, limits_region(w, MREGION_MMIO, 0), 0);
	verify_marks(w);
	verify_too_deep(w, space);
	world_finish(w);
	world_destroy(w);
}

/**
 * limits_endless() - what shows itself without end is found in a few steps
 */
void limits_endless(void)
{
	struct mregion_work work = { .left = MREGION_MAX_DEPTH + 1 };
	struct world *w = limits_begin();
	int root = limits_region(w, MREGION_CONTAINER, ~0ull);
	struct mregion_view *view;

	limits_map(w, root, limits_alias(w, root), 0);
	limits_map(w, root, limits_alias(w, root), 0);
	view = flat_render(w->node[root], ~0ull, &work);
	CHECK(IS_ERR(view) && PTR_ERR(view) == -EMLINK, "error %ld",
	      PTR_ERR(view));
	limits_map(w, root, limits_region(w, MREGION_RAM, ~0ull), 0);
	limits_renders(w, root, 1);
	world_finish(w);
	world_destroy(w);
}

/* Containers with two aliases each of the one before: 2^@height times @id. */
static int limits_pyramid(struct world *w, int id, unsigned int height)
{
	u64 size = w->model.region[id].last + 1;

	while (height--) {
		int parent = limits_region(w, MREGION_CONTAINER, 2 * size - 1);

		limits_map(w, parent, limits_alias(w, id), 0);
		limits_map(w, parent, limits_alias(w, id), size);
		size *= 2;
		id = parent;
	}
	return id;
}

/**
 * limits_ranges() - as many ranges as a view can have, and one more
 */
void limits_ranges(void)
{
	unsigned int height = 31 - __builtin_clz(MREGION_MAX_RANGES);
	struct world *w = limits_begin();
	int root = limits_region(w, MREGION_CONTAINER, ~0ull);
	int top = limits_pyramid(w, limits_region(w, MREGION_MMIO, 1), height);
	struct mregion_delta delta = {
		.nr = 1, .interval[0] = { 1ull << 40, 1ull << 40 },
	};
	struct mregion_work work = { .left = MREGION_MAX_WORK };
	struct mregion_view *view, *next;
	struct mregion_update update;

	_Static_assert(!(MREGION_MAX_RANGES & (MREGION_MAX_RANGES - 1)),
		       "a pyramid has a power of two");
	limits_map(w, root, top, 0);
	limits_renders(w, root, MREGION_MAX_RANGES);
	view = limits_render(w, root);
	CHECK(!IS_ERR(view), "error %ld", PTR_ERR(view));
	limits_map(w, root, limits_region(w, MREGION_MMIO, 0), 1ull << 40);
	limits_fails(w, root, -EFBIG);
	/* likewise if that one is all that has changed */
	next = flat_update(&update, view, w->node[root], ~0ull, &delta, &work);
	CHECK(IS_ERR(next) && PTR_ERR(next) == -EFBIG, "error %ld",
	      PTR_ERR(next));
	flat_free(view);
	world_finish(w);
	world_destroy(w);
}

/**
 * limits_work() - more ways to nothing than can be gone
 */
void limits_work(void)
{
	struct world *w = limits_begin();
	int id = limits_region(w, MREGION_CONTAINER, 0xfff);

	limits_fails(w, limits_pyramid(w, id, 30), -EDQUOT);
	/* 2^30 ways to the first address from the last one */
	limits_self(w, id, 30);
	limits_self(w, id, 30);
	limits_fails(w, id, -EDQUOT);
	world_finish(w);
	world_destroy(w);
}
