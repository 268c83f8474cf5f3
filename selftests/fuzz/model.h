/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second, deliberately simple statement of the visibility rules.
 *
 * It has its own copy of the hierarchy, and answers "what is at address A?" by
 * following the rules from the root down for that one address. It shares no
 * code with the module; only the numbers of the user interface and the limits.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <stdbool.h>

#include <linux/types.h>

#define MODEL_REGIONS	160

/* Beyond this many steps an answer is not worth its time. */
#define MODEL_STEPS	1024
#define MODEL_CUTS	(2 * MODEL_STEPS + 2)

/**
 * struct model_region - a region, as the model knows it
 * @used: whether it exists
 * @kind: enum mregion_kind
 * @flags: enum mregion_region_flags
 * @parent: index of the region it is mapped into, or -1
 * @target: of an alias: index of the region it shows, else -1
 * @priority: among siblings, the higher one is on top
 * @addr: offset in @parent
 * @last: length less one
 * @target_offset: offset in @target of the first byte shown
 * @behaviour: stands for what happens to accesses
 */
struct model_region {
	bool used;
	u32 kind;
	u32 flags;
	int parent;
	int target;
	int priority;
	u64 addr;
	u64 last;
	u64 target_offset;
	const void *behaviour;
};

/**
 * struct model - a hierarchy
 * @region: the regions
 * @mapped: indexes of those that are mapped, in the order of their mapping
 * @nr_mapped: number of @mapped
 * @children: by model_sort(): indexes of all subregions, the topmost first
 * @first: by model_sort(): where those of each region begin in @children
 *
 * All plain numbers: assigning one to another saves or restores it.
 */
struct model {
	struct model_region region[MODEL_REGIONS];
	int mapped[MODEL_REGIONS];
	int nr_mapped;
	int children[MODEL_REGIONS];
	int first[MODEL_REGIONS + 1];
};

enum model_answer {
	MODEL_NOTHING,		/* nothing is visible there */
	MODEL_HIT,		/* a region is */
	MODEL_TOO_DEEP,		/* the limit of depth is met before it is known */
	MODEL_UNKNOWN,		/* more than MODEL_STEPS steps */
};

/**
 * struct model_hit - what is visible at an address
 * @region: index of the region
 * @offset: in the region
 * @flags: enum mregion_range_flags
 * @path: tells apart the ways from the root that lead to a region
 * @again: a region is on that way more than once
 */
struct model_hit {
	int region;
	u64 offset;
	u32 flags;
	u64 path;
	bool again;
};

/**
 * struct model_range - a range of the view that the model expects
 * @start: first address
 * @last: last address
 * @hit: what is at @start
 */
struct model_range {
	u64 start;
	u64 last;
	struct model_hit hit;
};

/**
 * struct model_view - the view that the model expects
 * @answer: HIT if it is known, TOO_DEEP if it cannot be rendered, or UNKNOWN
 * @visits: regions that lie within their surroundings, each as often as it is
 *	reached from the root, plus those that lie beside: an upper bound of the
 *	work that there can be
 * @nr_cuts: number of @cut
 * @nr: number of @range
 * @cut: sorted: where something may begin, or may have ended just before
 * @range: sorted and merged
 */
struct model_view {
	enum model_answer answer;
	unsigned int visits;
	unsigned int nr_cuts;
	unsigned int nr;
	u64 cut[MODEL_CUTS];
	struct model_range range[MODEL_CUTS];
};

int model_map_error(const struct model *m, int parent, int id);
void model_map(struct model *m, int parent, int id, u64 addr, int priority);
void model_unmap(struct model *m, int id);
bool model_busy(const struct model *m, int id);
bool model_in_way(const struct model *m, int parent, int id, u64 addr, u64 last,
		  int priority);
void model_shows(const struct model *m, bool *shown);
void model_sort(struct model *m);

enum model_answer model_at(const struct model *m, int root, u64 addr,
			   struct model_hit *hit);
void model_render(const struct model *m, int root, u64 last,
		  struct model_view *view);

#endif /* FUZZ_MODEL_H */
