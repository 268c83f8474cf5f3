// SPDX-License-Identifier: MIT
/* Rules that have writes put into rings. */
#include <errno.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "server.h"

static int change_rule(struct mregion_region *region, uint32_t code,
		       uint32_t flags, uint64_t offset, uint64_t len,
		       const struct mregion_ring *ring)
{
	struct mregion_op op = {
		.code = code,
		.id = region->id,
		.rule = {
			.kind = MREGION_RULE_COALESCE,
			.flags = flags,
			.ring = ring->id,
			.offset = offset,
			.len = len,
		},
	};

	return mregion_change(region->machine, &op, NULL, NULL);
}

static int refuse(struct mregion_region *region, int err)
{
	return mregion_refuse(region->machine, err);
}

int mregion_coalesce(struct mregion_region *region, uint64_t offset,
		     uint64_t len, struct mregion_ring *ring)
{
	if (!region || !ring)
		return mregion_refuse_null("coalesce");
	/* A process that knows nothing of this device would drain it. */
	if (mregion_ring_remote(ring))
		return refuse(region, mregion_fail(EBUSY,
			"coalesce '%s' into ring %u, which is a server's",
			region->name, ring->id));
	return change_rule(region, MREGION_OP_RULE_ADD, 0, offset, len, ring);
}

int mregion_uncoalesce(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_ring *ring)
{
	if (!region || !ring)
		return mregion_refuse_null("uncoalesce");
	return change_rule(region, MREGION_OP_RULE_DEL, 0, offset, len, ring);
}

/*
 * The ring is the server's before the kernel can append the first entry: what
 * is in it must not be drained on both sides.
 */
int mregion_post(struct mregion_region *region, uint64_t offset, uint64_t len,
		 struct mregion_ring *ring)
{
	struct mregion_server *server, *owner = NULL;

	if (!region || !ring)
		return mregion_refuse_null("post");
	server = atomic_load(&region->next_server);
	if (!server)
		return refuse(region, mregion_fail(EINVAL,
			"post to '%s': it is bound to no server",
			region->name));
	if (!atomic_compare_exchange_strong(&ring->server, &owner, server) &&
	    owner != server)
		return refuse(region, mregion_fail(EBUSY,
			"post to '%s': ring %u is another server's",
			region->name, ring->id));
	return change_rule(region, MREGION_OP_RULE_ADD, MREGION_RULE_POSTED,
			   offset, len, ring);
}

int mregion_unpost(struct mregion_region *region, uint64_t offset,
		   uint64_t len, struct mregion_ring *ring)
{
	if (!region || !ring)
		return mregion_refuse_null("unpost");
	return change_rule(region, MREGION_OP_RULE_DEL, MREGION_RULE_POSTED,
			   offset, len, ring);
}
