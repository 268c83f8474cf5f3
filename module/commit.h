/* SPDX-License-Identifier: GPL-2.0 */
/* Commits: the one way to change a machine. */
#ifndef MREGION_COMMIT_H
#define MREGION_COMMIT_H

#include <linux/mregion.h>

struct mregion_machine;

int mregion_commit(struct mregion_machine *machine,
		   const struct mregion_op *ops,
		   struct mregion_commit *args, s32 *results);

#endif /* MREGION_COMMIT_H */
