/* SPDX-License-Identifier: GPL-2.0 */
/* Regions: nodes of the hierarchy, with name, file and counters. */
#ifndef MREGION_REGION_H
#define MREGION_REGION_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/mregion.h>

#include "counters.h"
#include "kind.h"
#include "tree.h"

struct file;
struct mregion_budget;

/**
 * struct mregion_region - a region
 * @node: its place in the hierarchy
 * @id: its ID
 * @backing: enum mregion_backing
 * @backing_offset: offset in @file, or address in the VMM
 * @file: the file of its memory, or NULL
 * @log: the file that is handed out along with @file for writing, or NULL
 * @serial: number of its sharing, 0 before. As @log, set once, and under the machine's
 *	lock
 * @fresh: its behaviour was made by the commit under way
 * @counters: parts of accesses that were made to it
 * @retired: in the list of what is freed after a grace period
 * @budget: that it is charged to
 * @charged: how much, in bytes, without its behaviour
 * @name: for people
 *
 * Views point to regions without a reference: a region is freed only when no
 * view shows it, and then after a grace period of RCU.
 */
struct mregion_region {
	struct mregion_node node;
	u32 id;
	u32 backing;
	u64 backing_offset;
	struct file *file;
	struct file *log;
	u64 serial;
	bool fresh;
	struct mregion_counters counters;
	struct list_head retired;
	struct mregion_budget *budget;
	u64 charged;
	char name[MREGION_NAME_SIZE];
};

static inline struct mregion_region *
mregion_region_of(struct mregion_node *node)
{
	return container_of(node, struct mregion_region, node);
}

struct mregion_region *
mregion_region_alloc(struct mregion_budget *budget, u32 id,
		     const struct mregion_op_create *args,
		     struct mregion_region *target);
void mregion_region_free(struct mregion_region *region);
void mregion_regions_free(struct mregion_region **regions, u32 nr);
bool mregion_region_may_hold(const struct file *file);
int mregion_region_check_flags(const struct mregion_region *region, u32 flags);
int mregion_region_check_len(const struct mregion_region *region, u64 len);
void mregion_region_describe(const struct mregion_region *region,
			     struct mregion_region_info *info);
int mregion_region_init(void);
void mregion_region_exit(void);

#endif /* MREGION_REGION_H */
