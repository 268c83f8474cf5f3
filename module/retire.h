/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Freeing the objects that a commit has replaced.
 *
 * vCPUs and other readers may still be using the old views and the objects that they
 * point to. All are freed together, in process context, after a grace period.
 */
#ifndef MREGION_RETIRE_H
#define MREGION_RETIRE_H

#include <linux/list.h>
#include <linux/workqueue.h>

struct mregion_btree_node;
struct mregion_machine;
struct mregion_map;

/**
 * struct mregion_retired - the objects to free
 * @rwork: does it
 * @machine: the machine it belonged to; waits for it as it is freed
 * @map: the replaced map, or NULL
 * @views: list of struct mregion_view
 * @nodes: struct mregion_btree_node of views, by their @next
 * @ranges: list of struct mregion_view_range
 * @behaviours: list of struct mregion_behaviour
 * @rules: list of struct mregion_behaviour_rule
 * @regions: list of struct mregion_region, detached from the hierarchy
 * @spaces: list of struct mregion_space
 */
struct mregion_retired {
	struct rcu_work rwork;
	struct mregion_machine *machine;
	struct mregion_map *map;
	struct list_head views;
	struct mregion_btree_node *nodes;
	struct list_head ranges;
	struct list_head behaviours;
	struct list_head rules;
	struct list_head regions;
	struct list_head spaces;
};

struct mregion_retired *mregion_retired_alloc(struct mregion_machine *machine);
void mregion_retire(struct mregion_retired *retired);
void mregion_retired_free(struct mregion_retired *retired);
int mregion_retire_throttle(struct mregion_machine *machine);
bool mregion_retire_drain(struct mregion_machine *machine);
void mregion_retire_flush(void);
int mregion_retire_init(void);
void mregion_retire_exit(void);

#endif /* MREGION_RETIRE_H */
