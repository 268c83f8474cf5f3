/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A commit under way: what it has done so far, and how to undo it.
 *
 * Operations change the machine in place, under its lock, which all that reads
 * the hierarchy takes; vCPUs look at views, which are not changed. Each
 * operation first notes what was there before. Undoing goes backwards through
 * the notes, needs no memory, and cannot fail.
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
	MREGION_UNDO_SPACE_CREATE,
	MREGION_UNDO_SPACE_FREE,
	MREGION_UNDO_SPACE_CHANGE,
};

/**
 * struct mregion_undo - how to undo an operation
 * @kind: what the operation was
 * @region: the region that it created, freed or changed
 * @space: the space that it created, freed or changed
 * @replaced: of a changed region, the behaviour that it lost, or NULL
 * @added: the rule that it has got, or NULL
 * @deleted: the rule that it has lost, or NULL
 * @node: of a changed region, its state before; but without @replaced, the
 *	behaviour is what it was when the last one was replaced
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
 * @work: what is left of the commit's budget
 * @touched: regions whose look has changed, by struct mregion_node.touched
 * @ruled: regions of which no more than the behaviour has, in the same way
 * @retired: collects what is to be freed
 * @undo: a note for each operation done, the last one last
 * @nr_undo: number of notes
 * @occupant: ID of the region that is where the operation that has failed was to
 *	map another one, else 0
 */
struct mregion_txn {
	struct mregion_machine *machine;
	struct mregion_work work;
	struct list_head touched;
	struct list_head ruled;
	struct mregion_retired *retired;
	struct mregion_undo *undo;
	u32 nr_undo;
	u32 occupant;
};

int mregion_txn_apply(struct mregion_txn *txn, const struct mregion_op *op);
void mregion_txn_undo(struct mregion_txn *txn);
void mregion_txn_finish(struct mregion_txn *txn);

#endif /* MREGION_TXN_H */
