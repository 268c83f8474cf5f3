// SPDX-License-Identifier: MIT
/* Operations collected into commits as large as the kernel takes them. */
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "backend.h"
#include "batch.h"
#include "reasons.h"
#include "topology.h"

/* 8 MiB of operations: more of them in a commit would not save any time. */
#define BATCH_OPS	65536

bool batch_init(struct batch *batch, const struct backend *backend,
		const char *path)
{
	size_t max = backend->info.max_ops;

	memset(batch, 0, sizeof(*batch));
	batch->backend = backend;
	batch->path = path;
	batch->room = max && max < BATCH_OPS ? max : BATCH_OPS;
	batch->ops = calloc(batch->room, sizeof(*batch->ops));
	batch->lines = calloc(batch->room, sizeof(*batch->lines));
	if (batch->ops && batch->lines)
		return true;
	topology_error(path, 0, "out of memory");
	batch_free(batch);
	return false;
}

void batch_free(struct batch *batch)
{
	free(batch->ops);
	free(batch->lines);
}

bool batch_commit(struct batch *batch)
{
	struct mregion_commit commit = { 0 };
	const struct mregion_op *op = NULL;
	const char *reason;
	size_t line = 0;
	int ret;

	if (!batch->nr)
		return true;
	ret = backend_commit(batch->backend, batch->ops, batch->nr, &commit);
	if (!ret) {
		batch->nr = 0;
		return true;
	}
	/* A single operation is to blame even for what is wrong as a whole. */
	if (batch->nr == 1)
		commit.failed = 0;
	if (commit.failed < batch->nr) {
		op = &batch->ops[commit.failed];
		line = batch->lines[commit.failed];
	}
	reason = mregion_reason(op, NULL, -ret);
	if (reason)
		topology_error(batch->path, line, "%s (%s)", reason,
			       strerrorname_np(-ret));
	else
		topology_error(batch->path, line, "%s", strerror(-ret));
	return false;
}

bool batch_add(struct batch *batch, const struct mregion_op *op, size_t line)
{
	batch->ops[batch->nr] = *op;
	batch->lines[batch->nr] = line;
	batch->nr++;
	return batch->nr < batch->room || batch_commit(batch);
}
