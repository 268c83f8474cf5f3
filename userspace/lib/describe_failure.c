// SPDX-License-Identifier: MIT
/* What a commit has failed at, and why, for mregion_error(). */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "describe_failure.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "reasons.h"
#include "region.h"

/* Names of regions in quotes, IDs of those that are not the library's. */
struct label {
	char text[MREGION_NAME_SIZE + 16];
};

static const char *region_label(struct label *label,
				struct mregion_machine *machine, uint32_t id)
{
	struct mregion_region *region;

	region = mregion_table_get(&machine->regions, id);
	if (region) {
		snprintf(label->text, sizeof(label->text), "'%s'",
			 region->name);
		mregion_region_put(region);
	} else {
		snprintf(label->text, sizeof(label->text), "region %u", id);
	}
	return label->text;
}

static const char *rule_name(const struct mregion_rule *rule)
{
	switch (rule->kind) {
	case MREGION_RULE_COALESCE:
		return rule->flags & MREGION_RULE_POSTED ? "posting"
							 : "coalescing";
	case MREGION_RULE_DOORBELL:
		return "the doorbell";
	case MREGION_RULE_SHADOW:
		return "the shadow";
	default:
		return "a rule";
	}
}

static void describe_op(char *buf, size_t size,
			struct mregion_machine *machine,
			const struct mregion_op *op)
{
	struct label a, b;
	int n;

	switch (op->code) {
	case MREGION_OP_CREATE:
		snprintf(buf, size, "create %s",
			 region_label(&a, machine, op->id));
		break;
	case MREGION_OP_FREE:
		snprintf(buf, size, "free %s",
			 region_label(&a, machine, op->id));
		break;
	case MREGION_OP_MAP:
		n = snprintf(buf, size, "map %s into %s",
			     region_label(&a, machine, op->id),
			     region_label(&b, machine, op->map.parent));
		if (op->map.flags & MREGION_MAP_EXCLUSIVE && n < (int)size)
			snprintf(buf + n, size - n, " at %#llx",
				 op->map.offset);
		break;
	case MREGION_OP_UNMAP:
		snprintf(buf, size, "unmap %s",
			 region_label(&a, machine, op->id));
		break;
	case MREGION_OP_MOVE:
		snprintf(buf, size, "move %s to %#llx",
			 region_label(&a, machine, op->id), op->offset);
		break;
	case MREGION_OP_RESIZE:
		snprintf(buf, size, "resize %s to %#llx bytes",
			 region_label(&a, machine, op->id), op->len);
		break;
	case MREGION_OP_SET_FLAGS:
		snprintf(buf, size, "change flags of %s",
			 region_label(&a, machine, op->id));
		break;
	case MREGION_OP_SET_ALIAS:
		snprintf(buf, size, "let alias %s show offset %#llx",
			 region_label(&a, machine, op->id), op->offset);
		break;
	case MREGION_OP_SET_CONSTRAINTS:
		snprintf(buf, size, "set constraints of %s",
			 region_label(&a, machine, op->id));
		break;
	case MREGION_OP_RULE_ADD:
	case MREGION_OP_RULE_DEL:
		snprintf(buf, size, "%s %s of %s at %#llx",
			 op->code == MREGION_OP_RULE_ADD ? "start" : "stop",
			 rule_name(&op->rule), region_label(&a, machine, op->id),
			 op->rule.offset);
		break;
	case MREGION_OP_SPACE_CREATE:
		snprintf(buf, size, "create a space of %s",
			 region_label(&a, machine, op->space.root));
		break;
	case MREGION_OP_SPACE_SET:
		snprintf(buf, size, "let space %u show %s", op->id,
			 region_label(&a, machine, op->space.root));
		break;
	case MREGION_OP_SPACE_FREE:
		snprintf(buf, size, "free space %u", op->id);
		break;
	case MREGION_OP_SET_SERVER:
		if (op->set_server.server)
			snprintf(buf, size, "bind %s to server %u",
				 region_label(&a, machine, op->id),
				 op->set_server.server);
		else
			snprintf(buf, size, "unbind %s from its server",
				 region_label(&a, machine, op->id));
		break;
	default:
		snprintf(buf, size, "operation %u", op->code);
	}
}

static const struct mregion_op *commit_ops(const struct mregion_commit *commit)
{
	return (const struct mregion_op *)(uintptr_t)commit->ops;
}

static const int32_t *commit_results(const struct mregion_commit *commit)
{
	return (const int32_t *)(uintptr_t)commit->results;
}

/* Whether the creation of a region has failed alone, before operation @nr. */
static bool not_created(const struct mregion_commit *commit, uint32_t nr,
			uint32_t id)
{
	const int32_t *results = commit_results(commit);
	const struct mregion_op *op = commit_ops(commit);
	uint32_t i;

	for (i = 0; i < nr && commit->nr_failed; i++)
		if (results[i] && op[i].id == id &&
		    op[i].code == (MREGION_OP_CREATE | MREGION_OP_MAY_FAIL))
			return true;
	return false;
}

/* The region that an operation misses since it was not created, or 0. */
static uint32_t find_not_created(const struct mregion_commit *commit, uint32_t nr,
				 const struct mregion_op *op)
{
	uint32_t id = op->id, other = 0;

	switch (op->code) {
	case MREGION_OP_CREATE:
		other = op->create.target;
		id = 0;
		break;
	case MREGION_OP_MAP:
		other = op->map.parent;
		break;
	case MREGION_OP_SPACE_CREATE:
	case MREGION_OP_SPACE_SET:
		other = op->space.root;
		id = 0;
		break;
	case MREGION_OP_SPACE_FREE:
		id = 0;
		break;
	}
	if (not_created(commit, nr, id))
		return id;
	return not_created(commit, nr, other) ? other : 0;
}

/* What is wrong with operation @nr; @buf has room for it. */
static const char *reason_of(struct mregion_machine *machine,
			     const struct mregion_commit *commit, uint32_t nr,
			     const struct mregion_op *op, int err, char *buf,
			     size_t size)
{
	struct mregion_reason_region facts;
	struct mregion_region *region;
	struct label label;
	uint32_t id;

	id = err == ENOENT ? find_not_created(commit, nr, op) : 0;
	if (id) {
		snprintf(buf, size, "%s was not created, which may fail alone",
			 region_label(&label, machine, id));
		return buf;
	}
	if (op->code == MREGION_OP_MAP && err == EEXIST && commit->occupant) {
		snprintf(buf, size, "%s is there",
			 region_label(&label, machine, commit->occupant));
		return buf;
	}
	region = mregion_table_get(&machine->regions, op->id);
	if (!region)
		return mregion_reason(op, NULL, err);
	facts = (struct mregion_reason_region){
		.kind = region->kind,
		.len = atomic_load(&region->len),
		.constraints = mregion_region_constraints(region),
	};
	mregion_region_put(region);
	return mregion_reason(op, &facts, err);
}

void mregion_describe_failure(struct mregion_machine *machine,
			      const struct mregion_commit *commit, int err)
{
	uint32_t nr = commit->nr_ops, i = err ? commit->failed : 0;
	const char *reason;
	struct mregion_op op;
	char what[256], buf[128];

	if (!err) {
		while (i < nr && !commit_results(commit)[i])
			i++;
		if (i == nr)
			return;
		err = -commit_results(commit)[i];
	}
	/* With a single operation there is no doubt whose fault it is. */
	if (i < nr || nr == 1) {
		op = commit_ops(commit)[i < nr ? i : 0];
		op.code &= ~MREGION_OP_MAY_FAIL;
		describe_op(what, sizeof(what), machine, &op);
	} else {
		snprintf(what, sizeof(what), "commit %u changes", nr);
	}
	reason = i < nr ? reason_of(machine, commit, i, &op, err, buf,
				    sizeof(buf)) :
			  mregion_reason(NULL, NULL, err);
	mregion_fail_reason(err, what, reason);
}
