// SPDX-License-Identifier: MIT
/*
 * Rules: what the kernel does itself upon accesses to a part of a region. Doorbells have
 * writes signal eventfds, shadows serve accesses from shadow memory, and the others have
 * writes put into rings: for the VMM (coalesced), or for a server's process (posted).
 */
#include <errno.h>
#include <stdlib.h>

#include "commit.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_changes.h"
#include "rules.h"
#include "server_in_vmm.h"
#include "shadow.h"

static void settle_asked(void *object, const struct mregion_op *op, bool done)
{
	struct mregion_region *region = object;
	uint32_t code = op->code & ~MREGION_OP_MAY_FAIL;

	if (done == (code == MREGION_OP_RULE_DEL))
		atomic_fetch_sub(&region->nr_asked, 1);
	mregion_region_put(region);
}

int mregion_change_asked(struct mregion_region *region, struct mregion_op *op,
			 const char *what)
{
	if (region && op->code == MREGION_OP_RULE_ADD)
		atomic_fetch_add(&region->nr_asked, 1);
	return mregion_region_change(region, op, settle_asked, what);
}

/* What is fast rings the slow way with a module that knows of no other. */
static uint32_t fast_flag(const struct mregion_region *region,
			  const struct mregion_doorbell *doorbell)
{
	if (!doorbell->fast || (doorbell->any_len && region &&
				!(region->machine->info.features &
				  MREGION_FEATURE_FAST)))
		return 0;
	return MREGION_RULE_FAST;
}

static int change_doorbell(struct mregion_region *region, uint32_t code,
			   const struct mregion_doorbell *doorbell,
			   const char *what)
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
	op.rule.flags |= fast_flag(region, doorbell);
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
	return mregion_change_asked(region, &op, what);
}

int mregion_add_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell)
{
	return change_doorbell(region, MREGION_OP_RULE_ADD, doorbell,
			       "add a doorbell");
}

int mregion_del_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell)
{
	return change_doorbell(region, MREGION_OP_RULE_DEL, doorbell,
			       "delete a doorbell");
}

static int change_shadow(struct mregion_region *region, uint32_t code,
			 uint64_t offset, uint64_t len,
			 const struct mregion_shadow *shadow,
			 uint64_t shadow_offset, uint32_t flags, int eventfd)
{
	struct mregion_op op = {
		.code = code,
		.rule = {
			.kind = MREGION_RULE_SHADOW,
			.flags = flags,
			.offset = offset,
			.len = len,
			.shadow_offset = shadow_offset,
		},
	};

	if (!shadow)
		return mregion_refuse_null("change what shadow memory serves");
	op.rule.shadow = shadow->id;
	if (eventfd >= 0) {
		op.rule.flags |= MREGION_RULE_NOTIFY;
		/* What is deleted is known without, and it may be closed. */
		op.rule.eventfd = code == MREGION_OP_RULE_ADD ? eventfd : -1;
	}
	return mregion_change_asked(region, &op, "change what shadow memory serves");
}

int mregion_add_shadow(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_shadow *shadow,
		       uint64_t shadow_offset, uint32_t flags, int eventfd)
{
	return change_shadow(region, MREGION_OP_RULE_ADD, offset, len, shadow,
			     shadow_offset, flags, eventfd);
}

int mregion_del_shadow(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_shadow *shadow,
		       uint64_t shadow_offset, uint32_t flags, int eventfd)
{
	return change_shadow(region, MREGION_OP_RULE_DEL, offset, len, shadow,
			     shadow_offset, flags, eventfd);
}

static struct mregion_op make_ring_op(const struct mregion_region *region,
				      uint32_t code, uint32_t flags,
				      uint64_t offset, uint64_t len,
				      const struct mregion_ring *ring)
{
	return (struct mregion_op){
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
}

static uint64_t last_of(const struct mregion_rule *rule)
{
	uint64_t last = rule->offset + (rule->len - 1);

	return last < rule->offset ? UINT64_MAX : last;
}

/* The fate of a new rule is known: a ring that has got none is as it was. */
static void settle_ring(struct mregion_ring *ring, bool done)
{
	if (!done && !--ring->nr_rules)
		atomic_store(&ring->server, NULL);
	mregion_ring_put(ring);
}

static void settle_coalesce(void *object, const struct mregion_op *op,
			    bool done)
{
	(void)op;
	settle_ring(object, done);
}

static void settle_post(void *object, const struct mregion_op *op, bool done)
{
	struct mregion_posted *posted = object;
	struct mregion_ring *ring = posted->ring;

	(void)op;
	if (!done)
		mregion_ring_del_posted(ring, posted);
	settle_ring(ring, done);
}

static void settle_unpost(void *object, const struct mregion_op *op, bool done)
{
	if (done)
		mregion_ring_end_posted(object, op->id, op->rule.offset,
					last_of(&op->rule));
	mregion_ring_put(object);
}

/* Add a rule. Called with the transaction's lock held. */
static int add_ring_rule(struct mregion_region *region,
			 const struct mregion_op *op, struct mregion_ring *ring,
			 mregion_settle_t *settle, void *object)
{
	ring->nr_rules++;
	mregion_ring_get(ring);
	return mregion_change(region->machine, op, settle, object);
}

int mregion_coalesce(struct mregion_region *region, uint64_t offset,
		     uint64_t len, struct mregion_ring *ring)
{
	struct mregion_machine *machine;
	struct mregion_op op;
	int ret;

	if (!region || !ring)
		return mregion_refuse_null("coalesce");
	machine = region->machine;
	op = make_ring_op(region, MREGION_OP_RULE_ADD, 0, offset, len, ring);
	pthread_mutex_lock(&machine->transaction.lock);
	/* A process that knows nothing of this device has its hands on it. */
	if (atomic_load(&ring->server))
		ret = mregion_refuse(machine, mregion_fail_why(EBUSY,
			"coalesce '%s': ring %u is a server's",
			region->name, ring->id));
	else
		ret = add_ring_rule(region, &op, ring, settle_coalesce, ring);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}

int mregion_uncoalesce(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_ring *ring)
{
	struct mregion_op op;

	if (!region || !ring)
		return mregion_refuse_null("uncoalesce");
	op = make_ring_op(region, MREGION_OP_RULE_DEL, 0, offset, len, ring);
	return mregion_change(region->machine, &op, NULL, NULL);
}

/* Why a region cannot be posted to a ring: 0 or a negative errno. */
static int check_post(const struct mregion_region *region,
		      const struct mregion_ring *ring)
{
	struct mregion_server *server = atomic_load(&region->next_server);
	struct mregion_server *owner = atomic_load(&ring->server);

	if (!server)
		return mregion_fail_why(EINVAL,
			"post to '%s': it is bound to no server", region->name);
	if (owner && owner != server)
		return mregion_fail_why(EBUSY,
			"post to '%s': ring %u is another server's",
			region->name, ring->id);
	if (!owner && ring->nr_rules)
		return mregion_fail_why(EBUSY,
			"post to '%s': the VMM drains ring %u", region->name,
			ring->id);
	return 0;
}

/*
 * The ring is the server's before the kernel can append the first entry: what
 * is in it must not be drained on both sides. If there is no commit after all,
 * nothing is in it.
 */
static int add_posted(struct mregion_region *region, const struct mregion_op *op,
		      struct mregion_ring *ring)
{
	struct mregion_posted *posted;
	int ret = check_post(region, ring);

	if (ret)
		return mregion_refuse(region->machine, ret);
	posted = calloc(1, sizeof(*posted));
	if (!posted)
		return mregion_refuse(region->machine, mregion_fail(ENOMEM,
			"post to '%s'", region->name));
	posted->ring = ring;
	posted->region = region->id;
	posted->offset = op->rule.offset;
	posted->last = last_of(&op->rule);
	mregion_ring_add_posted(ring, posted);
	atomic_store(&ring->server, atomic_load(&region->next_server));
	return add_ring_rule(region, op, ring, settle_post, posted);
}

int mregion_post(struct mregion_region *region, uint64_t offset, uint64_t len,
		 struct mregion_ring *ring)
{
	struct mregion_op op;
	int ret;

	if (!region || !ring)
		return mregion_refuse_null("post");
	op = make_ring_op(region, MREGION_OP_RULE_ADD, MREGION_RULE_POSTED, offset,
			  len, ring);
	pthread_mutex_lock(&region->machine->transaction.lock);
	ret = add_posted(region, &op, ring);
	pthread_mutex_unlock(&region->machine->transaction.lock);
	return ret;
}

int mregion_unpost(struct mregion_region *region, uint64_t offset,
		   uint64_t len, struct mregion_ring *ring)
{
	struct mregion_op op;

	if (!region || !ring)
		return mregion_refuse_null("unpost");
	op = make_ring_op(region, MREGION_OP_RULE_DEL, MREGION_RULE_POSTED, offset,
			  len, ring);
	/* Once the rule is gone, the ring may be freed before that is settled. */
	mregion_ring_get(ring);
	return mregion_change(region->machine, &op, settle_unpost, ring);
}
