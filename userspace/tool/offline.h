/* SPDX-License-Identifier: MIT */
/* A machine without the module: its code, as a part of this program. */
#ifndef MREGION_TOOL_OFFLINE_H
#define MREGION_TOOL_OFFLINE_H

#include <stddef.h>
#include <stdint.h>

struct mregion_commit;
struct mregion_info;
struct mregion_op;
struct mregion_range;
struct offline;

/**
 * offline_open() - make an empty machine
 * @info: what the loader of topologies needs to know is filled in
 *
 * Return: the machine, for offline_close(), or NULL: out of memory.
 */
struct offline *offline_open(struct mregion_info *info);

void offline_close(struct offline *offline);

/**
 * offline_commit() - do what %MREGION_COMMIT does with a topology's operations
 * @offline: the machine
 * @ops: of the codes CREATE, MAP, SET_FLAGS and SPACE_CREATE, of regions without
 *	backing
 * @nr: how many
 * @commit: .failed is set
 *
 * There is no undoing: a machine whose commit has failed is good for closing only.
 * Return: 0 or the negative errno that the module would have given. It differs
 * only where the module would be short of memory (ENOBUFS).
 */
int offline_commit(struct offline *offline, const struct mregion_op *ops,
		   size_t nr, struct mregion_commit *commit);

/**
 * offline_view() - the view of a space
 * @offline: the machine
 * @space: its ID
 * @ranges: set to an array, for free()
 * @nr: set to its length
 *
 * Return: 0, -ENOENT or -ENOMEM.
 */
int offline_view(const struct offline *offline, uint32_t space,
		 struct mregion_range **ranges, size_t *nr);

#endif
