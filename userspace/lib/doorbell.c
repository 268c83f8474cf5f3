// SPDX-License-Identifier: MIT
/* Rules that have writes signal eventfds. */
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "shadow.h"

static int change(struct mregion_region *region, uint32_t code,
		  const struct mregion_doorbell *doorbell)
{
	struct mregion_op op = {
		.code = code,
		.id = region->id,
		.rule = {
			.kind = MREGION_RULE_DOORBELL,
			.offset = doorbell->offset,
			.len = doorbell->len,
			.eventfd = doorbell->eventfd,
			.access_len = doorbell->access_len,
		},
	};

	if (doorbell->match) {
		op.rule.flags |= MREGION_RULE_DATAMATCH;
		op.rule.datamatch = doorbell->datamatch;
	}
	if (doorbell->shadow) {
		op.rule.flags |= MREGION_RULE_STORE;
		op.rule.shadow = doorbell->shadow->id;
		op.rule.shadow_offset = doorbell->shadow_offset;
	}
	return mregion_change(region->machine, &op, NULL, NULL);
}

int mregion_add_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell)
{
	return change(region, MREGION_OP_RULE_ADD, doorbell);
}

int mregion_del_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell)
{
	return change(region, MREGION_OP_RULE_DEL, doorbell);
}
