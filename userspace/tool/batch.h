/* SPDX-License-Identifier: MIT */
/* Operations collected into commits as large as the kernel takes them. */
#ifndef MREGION_TOOL_BATCH_H
#define MREGION_TOOL_BATCH_H

#include <stdbool.h>
#include <stddef.h>

struct backend;
struct mregion_op;

/**
 * struct batch - operations that wait for their commit
 * @backend: the machine
 * @path: file that they are from, for complaints
 * @ops: the operations
 * @lines: of the file that they are from
 * @nr: how many
 * @room: how many there may be
 */
struct batch {
	const struct backend *backend;
	const char *path;
	struct mregion_op *ops;
	size_t *lines;
	size_t nr;
	size_t room;
};

bool batch_init(struct batch *batch, const struct backend *backend,
		const char *path);

void batch_free(struct batch *batch);

/** batch_add() - add an operation; false after a complaint */
bool batch_add(struct batch *batch, const struct mregion_op *op, size_t line);

/** batch_commit() - commit what waits; false after a complaint */
bool batch_commit(struct batch *batch);

#endif
