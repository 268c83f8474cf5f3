// SPDX-License-Identifier: MIT
/* Rules that have writes signal eventfds. */
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "shadow.h"

static int change(struct mregion_region *region, uint32_t code,
		  const struct mregion_doorbell *doorbell, const char *what)
{
	struct mregion_op op = {
		.code = code,
		.rule.kind = MREGION_RULE_DOORBELL,
	};

	if (!doorbell)
		return mregion_refuse_null(what);
	op.rule.offset = doorbell->offset;
	op.rule.len = doorbell->len;
	/* What is deleted is known without, and it may be closed. */
	op.rule.eventfd = code == MREGION_OP_RULE_ADD ? doorbell->eventfd : -1;
	if (doorbell->any_len) {
		op.rule.flags |= MREGION_RULE_ANY_LEN;
		op.rule.len = doorbell->len ? doorbell->len : 1;
	}
	op.rule.access_len = doorbell->access_len;
	if (doorbell->match) {
		op.rule.flags |= MREGION_RULE_DATAMATCH;
		op.rule.datamatch = doorbell->datamatch;
	}
	if (doorbell->shadow) {
		op.rule.flags |= MREGION_RULE_STORE;
		op.rule.shadow = doorbell->shadow->id;
		op.rule.shadow_offset = doorbell->shadow_offset;
	}
	return mregion_region_rule(region, &op, what);
}

int mregion_add_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell)
{
	return change(region, MREGION_OP_RULE_ADD, doorbell,
		      "add a doorbell");
}

int mregion_del_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell)
{
	return change(region, MREGION_OP_RULE_DEL, doorbell,
		      "delete a doorbell");
}
