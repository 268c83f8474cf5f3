/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A commit under way, with its undo records.
 *
 * Operations change the machine in place, under its lock, which every reader of
 * the hierarchy takes; vCPUs read views, which are not changed. Each
 * operation first saves the state before it. Undoing goes backwards through
 * these records, needs no memory, and cannot fail.
 */
#ifndef MREGION_TXN_H
#define MREGION_TXN_H

#include <linux/list.h>
#include <linux/types.h>

#include "machine.h"
#include "tree.h"
#include "work.h"

struct mregion_op;
struct mregion_retired;

enum mregion_undo_kind {
	MREGION_UNDO_REGION_CREATE,
	MREGION_UNDO_REGION_FREE,
	MREGION_UNDO_REGION_CHANGE,
	MREGION_UNDO_REGION_SHARE,
	MREGION_UNDO_SPACE_CREATE,
	MREGION_UNDO_SPACE_FREE,
	MREGION_UNDO_SPACE_CHANGE,
};

/**
 * struct mregion_undo - the undo record of an operation
 * @kind: the kind of the operation
 * @region: the region that it created, freed, changed or shared
 * @space: the space that it created, freed or changed
 * @replaced: of a changed region, the behaviour that it lost, or NULL
 * @added: the rule that it has got, or NULL
 * @deleted: the rule that it has lost, or NULL
 * @node: of a changed region, its state before; but without @replaced, the
 *	behaviour is the one that was there when the last one was replaced
 * @state: of a changed space, its state before
 */
struct mregion_undo {
	enum mregion_undo_kind kind;
	union {
		struct mregion_region *region;
		struct mregion_space *space;
	};
	struct mregion_behaviour *replaced;
	struct mregion_behaviour_rule *added;
	struct mregion_behaviour_rule *deleted;
	union {
		struct mregion_node_state node;
		struct mregion_space_state state;
	};
};

/**
 * struct mregion_txn - a commit under way
 * @machine: the machine, locked
 * @work: the rest of the commit's budget
 * @climb: number of regions that may still be visited to find the places of changes
 * @touched: regions of which not all places were found, by struct
 *	mregion_node.touched: all of each space that shows them is rendered
 * @remap: the machine's map is to have other views
 * @retired: collects the objects to free
 * @undo: a record for each operation done, the last one last
 * @nr_undo: number of records
 * @occupant: ID of the region at the addresses where the failed operation was to
 *	map another one, else 0
 */
struct mregion_txn {
	struct mregion_machine *machine;
	struct mregion_work work;
	u32 climb;
	struct list_head touched;
	bool remap;
	struct mregion_retired *retired;
	struct mregion_undo *undo;
	u32 nr_undo;
	u32 occupant;
};

/*
 * For one change; and for all of a commit: at each root on the way, spaces are looked
 * through, of which there can be MREGION_MAX_SPACES.
 */
#define MREGION_MAX_CLIMB_STEP	4096u
#define MREGION_MAX_CLIMB	65536u

int mregion_txn_apply(struct mregion_txn *txn, const struct mregion_op *op);
void mregion_txn_undo(struct mregion_txn *txn);
void mregion_txn_finish(struct mregion_txn *txn);

#endif /* MREGION_TXN_H */
