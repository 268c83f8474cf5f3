/* SPDX-License-Identifier: GPL-2.0 */
/* Which addresses of a space the last commits have changed. */
#ifndef MREGION_CHANGES_H
#define MREGION_CHANGES_H

#include <linux/types.h>

#include "btree.h"

struct mregion_changes_read;
struct mregion_delta;
struct mregion_list;
struct mregion_machine;
struct mregion_space;

/* How many intervals are remembered of a space. */
#define MREGION_MAX_CHANGES	64

/**
 * struct mregion_change - an interval that a commit has changed
 * @generation: of the commit
 * @interval: the interval
 */
struct mregion_change {
	u64 generation;
	struct mregion_interval interval;
};

/**
 * struct mregion_changes - the last ones of a space
 * @since: the generation from which on all are known
 * @nr: how many there have ever been since
 * @change: the last ones, of which each is where its number says, modulo size
 */
struct mregion_changes {
	u64 since;
	u64 nr;
	struct mregion_change change[MREGION_MAX_CHANGES];
};

void mregion_changes_add(struct mregion_changes *changes, u64 generation,
			 const struct mregion_delta *delta);
bool mregion_changes_since(const struct mregion_changes *changes,
			   u64 generation, struct mregion_delta *delta);
int mregion_changes_check(const struct mregion_changes_read *args);
int mregion_changes_list(const struct mregion_space *space,
			 struct mregion_changes_read *args,
			 struct mregion_list *intervals,
			 struct mregion_list *ranges);
int mregion_changes_copy(const struct mregion_changes_read *args,
			 struct mregion_list *intervals,
			 struct mregion_list *ranges);
int mregion_dump_changes(struct mregion_machine *machine,
			 struct mregion_changes_read *args);

#endif /* MREGION_CHANGES_H */
