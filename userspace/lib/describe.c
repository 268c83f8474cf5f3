// SPDX-License-Identifier: MIT
/* Operations and the reasons to refuse them, in words. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "array.h"
#include "describe.h"
#include "error.h"
#include "invalid.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "table.h"

/*
 * Kept in step with the errnos that <linux/mregion.h> lists; what invalid.c can
 * tell is not here.
 */
static const struct {
	int code;
	int err;
	const char *reason;
} reasons[] = {
	{ 0, EFBIG, "a view would have more ranges than max_ranges" },
	{ 0, EMLINK, "regions would be nested deeper than max_depth, or shown "
	  "within themselves without end" },
	{ 0, EDQUOT, "rendering would take more steps than max_work" },
	{ 0, ENOBUFS, MREGION_NO_MEMORY },
	{ 0, EMSGSIZE, "it has more changes than max_ops" },
	{ MREGION_OP_CREATE, EEXIST, "a region of that ID exists" },
	{ MREGION_OP_CREATE, ENOSPC, "the machine has max_regions regions" },
	{ MREGION_OP_CREATE, ENOENT, "there is no such target" },
	{ MREGION_OP_CREATE, EINVAL,
	  "its kind does not go with its other properties, or they are out of bounds" },
	{ MREGION_OP_FREE, EBUSY,
	  "it is mapped, has subregions, is aliased, or is the root of a space" },
	{ MREGION_OP_FREE, ENOENT, "there is no such region" },
	{ MREGION_OP_MAP, ENOENT, "there is no such region" },
	{ MREGION_OP_MAP, EBUSY, "it is mapped already" },
	{ MREGION_OP_MAP, EEXIST, "another region is there" },
	{ MREGION_OP_MAP, EINVAL, "an alias cannot have subregions" },
	{ MREGION_OP_MAP, ELOOP, "it would contain itself" },
	{ MREGION_OP_UNMAP, ENOENT, "it is not mapped" },
	{ MREGION_OP_MOVE, ENOENT, "it is not mapped" },
	{ MREGION_OP_RESIZE, ENOENT, "there is no such region" },
	{ MREGION_OP_RESIZE, EINVAL, "its memory has another size" },
	{ MREGION_OP_SET_FLAGS, ENOENT, "there is no such region" },
	{ MREGION_OP_SET_FLAGS, EINVAL, "a flag does not go with its kind" },
	{ MREGION_OP_SET_ALIAS, ENOENT, "there is no such region" },
	{ MREGION_OP_SET_ALIAS, EINVAL, "it is not an alias" },
	{ MREGION_OP_SET_CONSTRAINTS, ENOENT, "there is no such region" },
	{ MREGION_OP_SET_CONSTRAINTS, EINVAL,
	  "the constraints contradict themselves, or its kind has none" },
	{ MREGION_OP_RULE_ADD, ENOENT,
	  "there is no such region, ring or shadow memory" },
	{ MREGION_OP_RULE_ADD, EBADF, "its eventfd is not open" },
	{ MREGION_OP_RULE_ADD, EEXIST,
	  "another rule of the kind could match the same access" },
	{ MREGION_OP_RULE_ADD, ENOSPC, "the region or the machine has as many rules as it can" },
	{ MREGION_OP_RULE_ADD, EINVAL,
	  "its kind has no rules, or the part begins behind its end" },
	{ MREGION_OP_RULE_DEL, ENOENT, "there is no such rule" },
	{ MREGION_OP_SPACE_CREATE, EEXIST, "a space of that ID exists" },
	{ MREGION_OP_SPACE_CREATE, ENOENT, "there is no such root" },
	{ MREGION_OP_SPACE_CREATE, ENOSPC, "the machine has max_spaces spaces" },
	{ MREGION_OP_SPACE_CREATE, EINVAL, "there is no such bus or policy" },
	{ MREGION_OP_SPACE_SET, EINVAL, "there is no such policy" },
	{ MREGION_OP_SPACE_SET, ENOENT, "there is no such root or space" },
	{ MREGION_OP_SPACE_FREE, ENOENT, "there is no such space" },
	{ MREGION_OP_SPACE_FREE, EBUSY,
	  "it is attached to a virtual machine" },
	{ MREGION_OP_SET_SERVER, ENOENT, "there is no such region or server" },
	{ MREGION_OP_SET_SERVER, EINVAL,
	  "only MMIO and ROM device regions have servers" },
};

const char *mregion_describe_reason(const struct mregion_op *op,
				    const struct mregion_region *region,
				    int err)
{
	int code = op ? (int)op->code : 0;
	const char *reason = NULL;
	size_t i;

	if (op && err == EINVAL)
		reason = mregion_invalid_reason(op, region);
	if (reason)
		return reason;
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].err == err && reasons[i].code == code)
			return reasons[i].reason;
	/* An operation may also run into a limit of the commit as a whole. */
	return op ? mregion_describe_reason(NULL, NULL, err) : NULL;
}

/* Names of regions in quotes, IDs of those that are not the library's. */
struct label {
	char text[MREGION_NAME_SIZE + 16];
};

static const char *name(struct label *label, struct mregion_machine *machine,
			uint32_t id)
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
		snprintf(buf, size, "create %s", name(&a, machine, op->id));
		break;
	case MREGION_OP_FREE:
		snprintf(buf, size, "free %s", name(&a, machine, op->id));
		break;
	case MREGION_OP_MAP:
		n = snprintf(buf, size, "map %s into %s",
			     name(&a, machine, op->id),
			     name(&b, machine, op->map.parent));
		if (op->map.flags & MREGION_MAP_EXCLUSIVE && n < (int)size)
			snprintf(buf + n, size - n, " at %#llx",
				 op->map.offset);
		break;
	case MREGION_OP_UNMAP:
		snprintf(buf, size, "unmap %s", name(&a, machine, op->id));
		break;
	case MREGION_OP_MOVE:
		snprintf(buf, size, "move %s to %#llx",
			 name(&a, machine, op->id), op->offset);
		break;
	case MREGION_OP_RESIZE:
		snprintf(buf, size, "resize %s to %#llx bytes",
			 name(&a, machine, op->id), op->len);
		break;
	case MREGION_OP_SET_FLAGS:
		snprintf(buf, size, "change flags of %s",
			 name(&a, machine, op->id));
		break;
	case MREGION_OP_SET_ALIAS:
		snprintf(buf, size, "let alias %s show offset %#llx",
			 name(&a, machine, op->id), op->offset);
		break;
	case MREGION_OP_SET_CONSTRAINTS:
		snprintf(buf, size, "set constraints of %s",
			 name(&a, machine, op->id));
		break;
	case MREGION_OP_RULE_ADD:
	case MREGION_OP_RULE_DEL:
		snprintf(buf, size, "%s %s of %s at %#llx",
			 op->code == MREGION_OP_RULE_ADD ? "start" : "stop",
			 rule_name(&op->rule), name(&a, machine, op->id),
			 op->rule.offset);
		break;
	case MREGION_OP_SPACE_CREATE:
		snprintf(buf, size, "create a space of %s",
			 name(&a, machine, op->space.root));
		break;
	case MREGION_OP_SPACE_SET:
		snprintf(buf, size, "let space %u show %s", op->id,
			 name(&a, machine, op->space.root));
		break;
	case MREGION_OP_SPACE_FREE:
		snprintf(buf, size, "free space %u", op->id);
		break;
	case MREGION_OP_SET_SERVER:
		if (op->set_server.server)
			snprintf(buf, size, "bind %s to server %u",
				 name(&a, machine, op->id),
				 op->set_server.server);
		else
			snprintf(buf, size, "unbind %s from its server",
				 name(&a, machine, op->id));
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
static uint32_t missing(const struct mregion_commit *commit, uint32_t nr,
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
	struct mregion_region *region;
	struct label label;
	const char *reason;
	uint32_t id;

	id = err == ENOENT ? missing(commit, nr, op) : 0;
	if (id) {
		snprintf(buf, size, "%s was not created, which may fail alone",
			 name(&label, machine, id));
		return buf;
	}
	if (op->code == MREGION_OP_MAP && err == EEXIST && commit->occupant) {
		snprintf(buf, size, "%s is there",
			 name(&label, machine, commit->occupant));
		return buf;
	}
	region = mregion_table_get(&machine->regions, op->id);
	reason = mregion_describe_reason(op, region, err);
	if (region)
		mregion_region_put(region);
	return reason;
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
			  mregion_describe_reason(NULL, NULL, err);
	mregion_fail_reason(err, what, reason);
}
