/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hierarchy twice: the module's and the model's, changed in step.
 *
 * Each change goes to both, and both must say the same of whether it can be
 * made. The module's side does what the operations of a commit do, with its
 * notes for undoing; the model's side is undone by putting back a copy.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "../../module/delta.h"
#include "../../module/tree.h"
#include "../../module/update.h"
#include "../../module/view.h"
#include "model.h"
#include "stats.h"

#define WORLD_SPACES	3
#define WORLD_CHANGES	1024

/* As a commit of the module's: for one change, and for all. */
#define WORLD_CLIMB_STEP	4096u
#define WORLD_CLIMB		65536u

/**
 * struct world_region - a region of the module's
 * @node: as the module knows it
 * @id: its index
 */
struct world_region {
	struct mregion_node node;
	int id;
};

enum world_change_kind {
	WORLD_CREATED,
	WORLD_FREED,
	WORLD_CHANGED,
};

/**
 * struct world_change - how to undo a change
 * @kind: what was done
 * @id: to which region
 * @node: that region
 * @state: of WORLD_CHANGED: what it was
 */
struct world_change {
	enum world_change_kind kind;
	int id;
	struct mregion_node *node;
	struct mregion_node_state state;
};

/**
 * struct world_space - an address space
 * @root: index of the region at address 0
 * @last: last address
 * @delta: where the commit under way may have changed it
 * @update: how the view of the commit under way was made of @view
 * @view: as of the last commit, or NULL if that could not be rendered
 */
struct world_space {
	int root;
	u64 last;
	struct mregion_delta delta;
	struct mregion_update update;
	struct mregion_view *view;
};

/**
 * struct world - two hierarchies
 * @model: the model's
 * @tree: the module's
 * @node: the module's regions, by index
 * @space: the spaces
 * @nr_regions: how many regions there are
 * @touched: what the commit under way has changed, where not all places were found
 * @climb: how many regions it may still look at to find the places of changes
 * @change: how to undo it
 * @nr_changes: number of @change
 * @before: @model before it
 * @roots: root of each space before it
 */
struct world {
	struct model model;
	struct mregion_tree tree;
	struct mregion_node *node[MODEL_REGIONS];
	struct world_space space[WORLD_SPACES];
	int nr_regions;
	struct list_head touched;
	u32 climb;
	struct world_change change[WORLD_CHANGES];
	unsigned int nr_changes;
	struct model before;
	int roots[WORLD_SPACES];
};

void world_init(struct world *w);
void world_destroy(struct world *w);

int world_create(struct world *w, u32 kind, u32 flags, u64 last, int target,
		 u64 target_offset);
int world_free(struct world *w, int id);
int world_map(struct world *w, int parent, int id, u64 addr, int priority);
int world_unmap(struct world *w, int id);
int world_move(struct world *w, int id, u64 addr);
int world_resize(struct world *w, int id, u64 last);
int world_set_flags(struct world *w, int id, u32 flags);
int world_set_alias(struct world *w, int id, u64 target_offset);
int world_set_behaviour(struct world *w, int id, unsigned int nr);
int world_set_root(struct world *w, unsigned int space, int id);

void world_begin(struct world *w);
void world_undo(struct world *w);
void world_finish(struct world *w);

bool world_full(const struct world *w);
void world_print(const struct world *w);

#endif /* FUZZ_WORLD_H */
