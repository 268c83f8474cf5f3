// SPDX-License-Identifier: MIT
/*
 * Data registers: shadows whose place in the memory an index register selects. With a
 * module that does not know them, accesses go where they go without a rule.
 */
#include "commit.h"
#include "indexed.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "rules.h"
#include "shadow.h"

int mregion_change_indexed(struct mregion_region *region, struct mregion_op *op,
			   const char *what)
{
	if (region &&
	    !(region->machine->info.features & MREGION_FEATURE_INDEXED)) {
		mregion_no_change(region->machine);
		return 0;
	}
	return mregion_change_asked(region, op, what);
}

static int change_indexed(struct mregion_region *region, uint32_t code,
			  const struct mregion_indexed *indexed,
			  const char *what)
{
	struct mregion_op op = {
		.code = code,
		.rule.kind = MREGION_RULE_SHADOW,
	};

	if (!indexed || !indexed->index || !indexed->shadow)
		return mregion_refuse_null(what);
	op.rule.flags = MREGION_RULE_INDEXED | indexed->flags;
	op.rule.offset = indexed->offset;
	op.rule.len = indexed->len;
	op.rule.access_len = indexed->access_len;
	op.rule.shadow = indexed->shadow->id;
	op.rule.shadow_offset = indexed->shadow_offset;
	op.rule.index = (struct mregion_index){
		.shadow = indexed->index->id,
		.len = indexed->index_len,
		.offset = indexed->index_offset,
		.bits = indexed->bits,
		.first = indexed->first,
		.last = indexed->last,
		.select = indexed->select,
		.shift = indexed->shift,
	};
	if (indexed->eventfd >= 0) {
		op.rule.flags |= MREGION_RULE_NOTIFY;
		/* What is deleted is known without, and it may be closed. */
		op.rule.eventfd = code == MREGION_OP_RULE_ADD ?
				  indexed->eventfd : -1;
	}
	return mregion_change_indexed(region, &op, what);
}

int mregion_add_indexed(struct mregion_region *region,
			const struct mregion_indexed *indexed)
{
	return change_indexed(region, MREGION_OP_RULE_ADD, indexed,
			      "add a data register");
}

int mregion_del_indexed(struct mregion_region *region,
			const struct mregion_indexed *indexed)
{
	return change_indexed(region, MREGION_OP_RULE_DEL, indexed,
			      "delete a data register");
}
