// SPDX-License-Identifier: GPL-2.0
/*
 * The path of an access, of a vCPU's as of an ioctl's: the range it falls into,
 * what the device accepts, the rules, and an exit if none applies.
 *
 * An access is completed here as a whole or not at all: what exits reaches the
 * VMM once and entire. So an access in several parts is planned first.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "access.h"
#include "behaviour.h"
#include "bytes.h"
#include "indexed.h"
#include "machine.h"
#include "region.h"
#include "ring.h"
#include "rule.h"
#include "server.h"
#include "short.h"
#include "traced.h"
#include "view.h"

/* An access of one byte to each of eight ranges has the most parts. */
#define MREGION_MAX_PARTS	8

/* A part of an access, with what is to become of it. */
struct mregion_part {
	struct mregion_counters *counters;
	const struct mregion_view_range *range;	/* NULL: unassigned */
	const struct mregion_behaviour_rule *rule;
	void *memory;			/* of @rule for the part, or NULL */
	u64 offset;			/* in the region */
	u64 data;			/* what is, or has been, transferred */
	enum mregion_outcome outcome;
	u32 policy;			/* for REFUSED and UNASSIGNED */
	u8 pos;				/* in the access */
	u8 len;
};

static u64 mregion_bytes(u64 data, unsigned int pos, unsigned int len)
{
	return data >> (pos * 8) & (~0ull >> (64 - len * 8));
}

static bool mregion_outcome_exits(enum mregion_outcome outcome)
{
	switch (outcome) {
	case MREGION_OUTCOME_UNASSIGNED:
	case MREGION_OUTCOME_REFUSED:
	case MREGION_OUTCOME_COALESCED:
	case MREGION_OUTCOME_DOORBELL:
	case MREGION_OUTCOME_SHADOW:
		return false;
	default:
		return true;
	}
}

static const struct mregion_region *
mregion_range_region(const struct mregion_view_range *range)
{
	return range ? mregion_region_of(range->node) : NULL;
}

static noinline void
mregion_trace_region(const struct mregion_request *request,
		     enum mregion_outcome outcome,
		     const struct mregion_region *region, u64 offset)
{
	mregion_trace_outcome(request, outcome, &(struct mregion_traced_part) {
		.region = region,
		.offset = offset,
		.data = request->data,
		.len = request->len,
	});
}

/* Trace what became of an access as a whole; @offset is in the region. */
static __always_inline void
mregion_trace_whole(const struct mregion_request *request,
		    enum mregion_outcome outcome,
		    const struct mregion_region *region, u64 offset)
{
	/* out of line, so that nothing is made ready for it while it is off */
	if (static_branch_unlikely(&mregion_traced))
		mregion_trace_region(request, outcome, region, offset);
}

static noinline void mregion_trace_parts(const struct mregion_request *request,
					 const struct mregion_part *parts,
					 unsigned int nr)
{
	const struct mregion_part *part;

	for (part = parts; part < parts + nr; part++)
		mregion_trace_outcome(request, part->outcome,
				      &(struct mregion_traced_part) {
			.region = mregion_range_region(part->range),
			.offset = part->offset,
			.data = mregion_bytes(request->data, part->pos,
					      part->len),
			.pos = part->pos,
			.len = part->len,
		});
}

/* Because of one part, the access exits. */
static enum mregion_verdict
mregion_part_exit(const struct mregion_part *part,
		  const struct mregion_request *request,
		  enum mregion_outcome reason, enum mregion_outcome *outcome)
{
	mregion_count(part->counters, reason);
	/* as seen from the region, which the access can begin before */
	mregion_trace_whole(request, reason, mregion_range_region(part->range),
			    part->offset - part->pos);
	*outcome = reason;
	return MREGION_EXIT;
}

/* Whether all of an access is to one range. */
static bool mregion_range_has(const struct mregion_view_range *range,
			      const struct mregion_request *request)
{
	return request->addr >= range->start &&
	       range->last - request->addr >= request->len - 1;
}

/* The server that answers an access that no rule completes, or NULL. */
static struct mregion_server *
mregion_range_server(const struct mregion_view_range *range,
		     const struct mregion_request *request)
{
	/* what comes from memory is none of a server's business */
	if (range->flags & MREGION_RANGE_ROMD && !request->write)
		return NULL;
	return range->behaviour ? range->behaviour->server : NULL;
}

/* An access, all of which is to @range, is for @server. */
static enum mregion_verdict
mregion_forward_to(struct mregion_server *server,
		   const struct mregion_view_range *range,
		   struct mregion_request *request,
		   enum mregion_outcome *outcome)
{
	struct mregion_region *region = mregion_region_of(range->node);

	request->region = region->id;
	request->offset = request->addr + range->delta;
	mregion_count(&region->counters, MREGION_OUTCOME_SERVED);
	mregion_trace_whole(request, MREGION_OUTCOME_SERVED, region,
			    request->offset);
	mregion_server_get(server);
	request->server = server;
	*outcome = MREGION_OUTCOME_SERVED;
	return MREGION_SERVE;
}

/*
 * An access that no rule completes goes to its region's server if it is to that
 * region alone, and else to the VMM.
 */
static enum mregion_verdict
mregion_forward(const struct mregion_view_range *range,
		struct mregion_request *request, enum mregion_outcome reason,
		enum mregion_outcome *outcome)
{
	struct mregion_server *server = mregion_range_server(range, request);
	struct mregion_region *region = mregion_region_of(range->node);

	if (server && mregion_range_has(range, request))
		return mregion_forward_to(server, range, request, outcome);
	mregion_count(&region->counters, reason);
	mregion_trace_whole(request, reason, region,
			    request->addr + range->delta);
	*outcome = reason;
	return MREGION_EXIT;
}

/**
 * mregion_access_left() - a server has left an access to the VMM
 * @request: the access, which mregion_access() had served
 *
 * Counts that for the region, or if it is there no more, for the machine.
 */
void mregion_access_left(const struct mregion_request *request)
{
	struct mregion_machine *machine = request->machine;
	const struct mregion_view_range *range = NULL;
	struct mregion_region *region = NULL;
	const struct mregion_view *view;

	/* as published: the table has what a commit under way may take back */
	rcu_read_lock();
	view = mregion_machine_find_view(machine, request->space);
	if (view)
		range = mregion_view_find(view, request->addr);
	if (range && mregion_region_of(range->node)->id == request->region)
		region = mregion_region_of(range->node);
	mregion_count(region ? &region->counters : &machine->counters,
		      MREGION_OUTCOME_SERVER_EXIT);
	mregion_trace_whole(request, MREGION_OUTCOME_SERVER_EXIT, region,
			    request->offset);
	rcu_read_unlock();
}

/* The rule for an access as it is, or NULL; @memory: set to the rule's for the access. */
static const struct mregion_behaviour_rule *
mregion_find_rule(const struct mregion_behaviour *behaviour, u64 offset,
		  unsigned int len, bool write, u64 data, void **memory)
{
	const struct mregion_behaviour_rule *rule;
	__le64 val = cpu_to_le64(data);

	*memory = NULL;
	if (!behaviour->nr_rules)
		return NULL;
	if (!mregion_short_rule(behaviour, offset, len, write, &val, &rule))
		return mregion_indexed_find(behaviour, offset, len, write,
					    memory);
	if (rule->memory)
		*memory = mregion_rule_memory(rule, offset);
	return rule;
}

/*
 * How many of the @left bytes of an access from @addr on are to what is in a range:
 * to memory, what the range has; to registers, what the region has. As in QEMU
 * (address_space_translate_internal()), an access to a device is not cut where its
 * range ends: on a PC's port 0xcf8 the device is to see all four bytes, though
 * 0xcf9 is another's. But it is where the region ends, unless the device says
 * otherwise.
 */
static unsigned int mregion_range_room(const struct mregion_view_range *range,
				       u64 addr, bool write, unsigned int left)
{
	const struct mregion_behaviour *behaviour = range->behaviour;
	u32 kind = range->node->kind;
	u64 room = range->last - addr;

	if (room >= left - 1)
		return left;
	if (kind == MREGION_MMIO ||
	    (kind == MREGION_ROMD &&
	     (write || !(range->flags & MREGION_RANGE_ROMD)))) {
		if (behaviour->constraints.flags & MREGION_VALID_BEYOND)
			return left;
		room += range->beyond;
	}
	return min_t(u64, room, left - 1) + 1;
}

/*
 * No rule is for a part. If there are some for the accesses that implement it, cut
 * it to the first of these.
 */
static void mregion_part_cut(const struct mregion_behaviour *behaviour,
			     const struct mregion_request *request,
			     struct mregion_part *part)
{
	unsigned int size = mregion_access_impl(&behaviour->constraints,
						part->len);
	const struct mregion_behaviour_rule *rule, *first = NULL;
	void *memory, *first_memory = NULL;
	bool any = false;
	unsigned int at;

	if (size >= part->len ||
	    !mregion_access_valid(&behaviour->constraints, part->offset, size))
		return;
	for (at = 0; at < part->len; at += size) {
		rule = mregion_find_rule(behaviour, part->offset + at, size,
					 request->write,
					 mregion_bytes(part->data, at, size),
					 &memory);
		any |= !!rule;
		if (!at) {
			first = rule;
			first_memory = memory;
		}
	}
	if (!any)
		return;
	part->len = size;
	part->data = mregion_bytes(part->data, 0, size);
	part->rule = first;
	part->memory = first_memory;
}

/* Decide about a part whose @pos is set; @left bytes of the access remain. */
static void mregion_part_plan(const struct mregion_view_range *range,
			      const struct mregion_request *request,
			      unsigned int left, struct mregion_part *part)
{
	const struct mregion_behaviour *behaviour = range->behaviour;
	bool readonly = request->write && range->flags & MREGION_RANGE_READONLY;

	part->range = range;
	part->counters = &mregion_region_of(range->node)->counters;
	part->outcome = MREGION_OUTCOME_EXIT;
	part->len = mregion_range_room(range, request->addr + part->pos,
				       request->write, left);

	if (!behaviour) {
		part->policy = MREGION_POLICY_ONES;
		if (readonly)
			goto refused;
		return;
	}
	if (range->flags & MREGION_RANGE_ROMD && !request->write)
		return;
	part->policy = behaviour->refused;
	if (behaviour->any_len && request->write && !readonly) {
		part->rule = mregion_behaviour_any_len(behaviour, part->offset);
		if (part->rule) {
			part->policy = 0;
			part->len = left;
			part->outcome = MREGION_OUTCOME_DOORBELL;
			return;
		}
	}

	part->len = mregion_access_size(&behaviour->constraints, part->offset,
					part->len);
	if (readonly || !mregion_access_valid(&behaviour->constraints,
					      part->offset, part->len))
		goto refused;
	part->policy = 0;
	/* no rule's part reaches beyond the region's end */
	if (part->len - 1 > range->last - (request->addr + part->pos) +
			    range->beyond)
		return;
	part->data = mregion_bytes(request->data, part->pos, part->len);
	part->rule = mregion_find_rule(behaviour, part->offset, part->len,
				       request->write, part->data,
				       &part->memory);
	/* of what reaches beyond the range, the rest would be another region's */
	if (!part->rule && behaviour->nr_rules &&
	    part->len - 1 <= range->last - (request->addr + part->pos))
		mregion_part_cut(behaviour, request, part);
	/* nobody would come for what is posted to a dead server */
	if (part->rule && part->rule->flags & MREGION_RULE_POSTED &&
	    behaviour->server && mregion_server_is_dead(behaviour->server))
		part->rule = NULL;
	if (part->rule)
		part->outcome = mregion_short_outcome(part->rule);
	return;

refused:
	part->outcome = part->policy == MREGION_POLICY_ERROR ?
			MREGION_OUTCOME_REFUSED_EXIT : MREGION_OUTCOME_REFUSED;
}

static void mregion_part_unassigned(const struct mregion_view *view,
				    unsigned int left,
				    struct mregion_part *part)
{
	part->counters = &view->space->counters;
	part->len = left;
	part->policy = view->unassigned;
	part->outcome = part->policy == MREGION_POLICY_ONES ||
			part->policy == MREGION_POLICY_ZEROES ?
			MREGION_OUTCOME_UNASSIGNED :
			MREGION_OUTCOME_UNASSIGNED_EXIT;
}

/* Plan the part at @pos, which begins in @range, or nowhere. */
static __always_inline void
mregion_part_begin(const struct mregion_view *view,
		   const struct mregion_view_range *range,
		   const struct mregion_request *request, unsigned int pos,
		   struct mregion_part *part)
{
	unsigned int left = request->len - pos;
	u64 addr = request->addr + pos;

	*part = (struct mregion_part) { .pos = pos };
	if (range) {
		part->offset = addr + range->delta;
		mregion_part_plan(range, request, left, part);
	} else {
		/* no device: QEMU's defaults, and as there, what begins within
		 * such a part does not see it
		 */
		left = mregion_access_size(&(struct mregion_constraints) {},
					   addr, left);
		mregion_part_unassigned(view, left, part);
	}
}

static void mregion_part_find(const struct mregion_view *view,
			      const struct mregion_request *request,
			      unsigned int pos, struct mregion_part *part)
{
	mregion_part_begin(view, mregion_view_find(view, request->addr + pos),
			   request, pos, part);
}

/* Append the parts that are to be coalesced; all of them go to one ring. */
static bool mregion_parts_append(const struct mregion_part *parts,
				 unsigned int nr,
				 const struct mregion_request *request)
{
	const struct mregion_part *last = NULL;
	struct mregion_server *server;
	struct mregion_ring *ring;
	unsigned int i, n = 0;
	u64 first, next;
	u32 flags = 0;

	for (i = 0; i < nr; i++) {
		if (parts[i].outcome != MREGION_OUTCOME_COALESCED)
			continue;
		last = &parts[i];
		flags |= last->rule->flags;
		n++;
	}
	if (!last)
		return true;
	ring = last->rule->ring;
	if (!mregion_ring_reserve(ring, n, &first)) {
		mregion_ring_overflow(ring);
		return false;
	}
	for (i = 0, next = first; i < nr; i++) {
		const struct mregion_part *part = &parts[i];

		if (part->outcome == MREGION_OUTCOME_COALESCED)
			mregion_ring_fill(ring, next++,
					  mregion_region_of(part->range->node)->id,
					  part->offset, request->vcpu,
					  part->len, part->data);
	}
	mregion_ring_publish(ring, first, n);
	for (i = 0; i < n; i++)
		mregion_count(last->counters, MREGION_OUTCOME_COALESCED);
	if (mregion_ring_due(ring, first, n))
		mregion_ring_notify(ring, first, n);
	server = last->range->behaviour->server;
	if (flags & MREGION_RULE_POSTED && server)
		mregion_server_post(server);
	return true;
}

/* Carry out a rule other than a ring; cannot fail. */
static void mregion_part_apply(struct mregion_part *part, bool write)
{
	const struct mregion_behaviour_rule *rule = part->rule;
	__le64 val = cpu_to_le64(part->data);

	if (rule->kind == MREGION_RULE_DOORBELL)
		mregion_rule_ring_bell(rule, part->offset, part->len, &val);
	else if (write)
		mregion_rule_store(rule, part->memory, part->len, part->data);
	else
		part->data = mregion_shadow_load(part->memory, part->len,
						 !(part->offset & (part->len - 1)));
}

/*
 * What would have been posted to a server is requested of it instead. What else
 * is coalesced is the VMM's.
 */
static enum mregion_verdict
mregion_ring_full(const struct mregion_part *parts, unsigned int nr,
		  struct mregion_request *request,
		  enum mregion_outcome *outcome)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!parts[i].rule ||
		    !(parts[i].rule->flags & MREGION_RULE_POSTED))
			return mregion_part_exit(&parts[0], request,
						 MREGION_OUTCOME_RING_FULL,
						 outcome);
	return mregion_forward(parts[0].range, request,
			       MREGION_OUTCOME_RING_FULL, outcome);
}

/* What is read of a part that is completed by its policy. */
static u64 mregion_part_policy(const struct mregion_part *part)
{
	return part->policy == MREGION_POLICY_ONES ?
	       mregion_bytes(~0ull, 0, part->len) : 0;
}

/* Complete an access of which no part exits; the ring can still be full. */
static enum mregion_verdict
mregion_parts_carry_out(struct mregion_part *parts, unsigned int nr,
			struct mregion_request *request,
			enum mregion_outcome *outcome)
{
	unsigned int i;
	u64 data = 0;

	if (!mregion_parts_append(parts, nr, request))
		return mregion_ring_full(parts, nr, request, outcome);

	for (i = 0; i < nr; i++) {
		struct mregion_part *part = &parts[i];

		/* what went to a ring is counted already */
		if (part->outcome != MREGION_OUTCOME_COALESCED)
			mregion_count(part->counters, part->outcome);
		if (part->rule)
			request->effect = true;
		if (part->policy)
			part->data = mregion_part_policy(part);
		else if (part->outcome != MREGION_OUTCOME_COALESCED)
			mregion_part_apply(part, request->write);
		data |= part->data << (part->pos * 8);
	}
	if (!request->write)
		request->data = data;
	if (static_branch_unlikely(&mregion_traced))
		mregion_trace_parts(request, parts, nr);
	*outcome = parts[0].outcome;
	return MREGION_DONE;
}

/*
 * Whether an access with coalesced parts is one that can be appended at once:
 * to one ring, from one range.
 */
static bool mregion_parts_fit(const struct mregion_part *first,
			      const struct mregion_part *part)
{
	bool coalesced = first->outcome == MREGION_OUTCOME_COALESCED ||
			 part->outcome == MREGION_OUTCOME_COALESCED;

	if (!coalesced)
		return true;
	if (first->range != part->range)
		return false;
	return !first->rule || !part->rule ||
	       first->rule->ring == part->rule->ring;
}

/*
 * Because of part @exit, no rule or policy completes an access as a whole. A server
 * gets it if it is to one region alone, and no part of it is a rule's.
 */
static enum mregion_verdict
mregion_parts_forward(const struct mregion_part *parts, unsigned int nr,
		      const struct mregion_part *exit,
		      struct mregion_request *request,
		      enum mregion_outcome *outcome)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (parts[i].rule || parts[i].range != exit->range)
			return mregion_part_exit(exit, request,
						 MREGION_OUTCOME_EXIT, outcome);
	return mregion_forward(exit->range, request, MREGION_OUTCOME_EXIT,
			       outcome);
}

/*
 * Whether a part of a write goes where an earlier part, which is not carried out yet,
 * selects.
 */
static bool mregion_part_follows(const struct mregion_part *parts,
				 const struct mregion_part *part)
{
	const struct mregion_part *earlier;

	if (!part->range || !part->range->behaviour ||
	    !part->range->behaviour->nr_indices)
		return false;
	for (earlier = parts; earlier < part; earlier++)
		if (earlier->rule && earlier->rule->shadow &&
		    mregion_index_follows(part->range->behaviour, part->offset,
					  part->len, earlier->rule->shadow))
			return true;
	return false;
}

/* Plan what follows the first part of an access, and carry all of it out. */
static noinline enum mregion_verdict
mregion_parts_plan(const struct mregion_view *view,
		   const struct mregion_part *first,
		   struct mregion_request *request,
		   enum mregion_outcome *outcome)
{
	struct mregion_part parts[MREGION_MAX_PARTS];
	const struct mregion_part *exit = NULL;
	unsigned int i, nr = 0, pos = 0;

	while (pos < request->len) {
		struct mregion_part *part = &parts[nr++];

		if (!pos)
			*part = *first;
		else
			mregion_part_find(view, request, pos, part);
		if (part->outcome == MREGION_OUTCOME_EXIT && !exit)
			exit = part;
		else if (part->outcome != MREGION_OUTCOME_EXIT &&
			 mregion_outcome_exits(part->outcome))
			return mregion_part_exit(part, request, part->outcome,
						 outcome);
		for (i = 0; i < nr - 1 && !exit; i++)
			if (!mregion_parts_fit(&parts[i], part))
				exit = part;
		if (request->write && !exit && mregion_part_follows(parts, part))
			exit = part;
		pos += part->len;
	}
	if (exit)
		return mregion_parts_forward(parts, nr, exit, request, outcome);
	return mregion_parts_carry_out(parts, nr, request, outcome);
}

/* Complete an access that is one part, by its policy. */
static enum mregion_verdict
mregion_part_answer(const struct mregion_part *part,
		    struct mregion_request *request,
		    enum mregion_outcome *outcome)
{
	mregion_count(part->counters, part->outcome);
	if (!request->write)
		request->data = mregion_part_policy(part);
	mregion_trace_whole(request, part->outcome,
			    mregion_range_region(part->range), part->offset);
	*outcome = part->outcome;
	return MREGION_DONE;
}

/*
 * An access that is unassigned, refused, or in several parts. Its own function, as
 * mregion_access_long() is to need no room on the stack.
 */
static noinline enum mregion_verdict
mregion_access_parts(const struct mregion_view *view,
		     const struct mregion_view_range *range,
		     struct mregion_request *request,
		     enum mregion_outcome *outcome)
{
	struct mregion_part first;

	mregion_part_begin(view, range, request, 0, &first);
	/* guests look for devices where there is none */
	if (first.len == request->len &&
	    (first.outcome == MREGION_OUTCOME_UNASSIGNED ||
	     first.outcome == MREGION_OUTCOME_REFUSED))
		return mregion_part_answer(&first, request, outcome);
	return mregion_parts_plan(view, &first, request, outcome);
}

/* A part that is the VMM's; who has made the access has counted that. */
static enum mregion_verdict
mregion_part_leave(const struct mregion_part *part,
		   struct mregion_request *request,
		   enum mregion_outcome *outcome)
{
	if (part->range)
		request->region = mregion_region_of(part->range->node)->id;
	request->offset = part->offset;
	*outcome = part->outcome;
	return MREGION_EXIT;
}

/*
 * Whether a server would get all of a vCPU's access that begins with @part, see
 * mregion_access_parts().
 */
static bool mregion_part_is_whole(const struct mregion_view *view,
				  const struct mregion_request *request,
				  const struct mregion_part *part)
{
	struct mregion_part next = *part;
	bool exits = false;
	unsigned int pos;

	for (pos = 0;; mregion_part_find(view, request, pos, &next)) {
		if (next.rule || next.range != part->range ||
		    (next.outcome != MREGION_OUTCOME_EXIT &&
		     next.outcome != MREGION_OUTCOME_REFUSED))
			return false;
		exits |= next.outcome == MREGION_OUTCOME_EXIT;
		pos += next.len;
		if (pos >= request->len)
			break;
	}
	return exits && mregion_range_has(part->range, request);
}

/**
 * mregion_access_part() - make the first part of an access, and do not coalesce it
 * @view: of the space it is made in
 * @request: the access; @request->len becomes that of the part, @request->region
 *	the region that has it, or 0, and @request->offset where in it. For a read
 *	that is completed, @request->data is set
 * @range_flags: set to enum mregion_range_flags of where it is
 * @outcome: set to what became of it
 *
 * Called as mregion_access() is. A server gets all of the access that it would get
 * from a vCPU, as one part.
 *
 * Return: what is left to do; unless MREGION_DONE, nothing of it was done.
 */
enum mregion_verdict
mregion_access_part(const struct mregion_view *view,
		    struct mregion_request *request, u32 *range_flags,
		    enum mregion_outcome *outcome)
{
	struct mregion_server *server = NULL;
	struct mregion_part part;

	*range_flags = 0;
	request->region = 0;
	request->offset = 0;
	mregion_part_find(view, request, 0, &part);
	if (part.range) {
		*range_flags = part.range->flags;
		server = mregion_range_server(part.range, request);
	}
	if (server && mregion_part_is_whole(view, request, &part))
		return mregion_forward_to(server, part.range, request, outcome);

	request->len = part.len;
	if (part.outcome == MREGION_OUTCOME_COALESCED) {
		/* what is not posted is the VMM's, who has drained the ring */
		if (!(part.rule->flags & MREGION_RULE_POSTED))
			server = NULL;
		part.outcome = MREGION_OUTCOME_EXIT;
	}
	if (!mregion_outcome_exits(part.outcome)) {
		if (!request->write)
			request->data = 0;
		if (part.range)
			request->region =
				mregion_region_of(part.range->node)->id;
		request->offset = part.offset;
		part.data = mregion_bytes(request->data, 0, part.len);
		return mregion_parts_carry_out(&part, 1, request, outcome);
	}
	if (part.outcome != MREGION_OUTCOME_EXIT || !server ||
	    !mregion_range_has(part.range, request))
		return mregion_part_leave(&part, request, outcome);
	request->data = mregion_bytes(request->data, 0, part.len);
	return mregion_forward_to(server, part.range, request, outcome);
}

/* Whether no rule is for any part of an access that the device takes as it is. */
static bool mregion_access_no_rule(const struct mregion_behaviour *behaviour,
				   u64 offset,
				   const struct mregion_request *request)
{
	void *memory;

	return !behaviour->any_len &&
	       mregion_access_impl(&behaviour->constraints, request->len) >=
	       request->len &&
	       !mregion_find_rule(behaviour, offset, request->len,
				  request->write, request->data, &memory);
}

/**
 * mregion_access_long() - make an access that the short way is not for
 * @view: of the space it is made in
 * @range: the range of its first byte, or NULL if there is none
 * @request: as for mregion_access()
 * @outcome: as for mregion_access()
 *
 * Called as mregion_access() is.
 *
 * Return: what is left to do; unless MREGION_DONE, nothing of it was done.
 */
enum mregion_verdict
mregion_access_long(const struct mregion_view *view,
		    const struct mregion_view_range *range,
		    struct mregion_request *request,
		    enum mregion_outcome *outcome)
{
	const struct mregion_behaviour *behaviour;
	u64 addr = request->addr, offset;
	u32 len = request->len;

	/* most are forwarded, for want of a rule */
	if (range && range->behaviour && !range->flags &&
	    mregion_short_whole(range, addr, len)) {
		behaviour = range->behaviour;
		offset = addr + range->delta;
		if (behaviour->plain >> len & 1 && !(offset & (len - 1)) &&
		    (!behaviour->nr_rules ||
		     mregion_access_no_rule(behaviour, offset, request)))
			return mregion_forward(range, request,
					       MREGION_OUTCOME_EXIT, outcome);
	}
	return mregion_access_parts(view, range, request, outcome);
}

/**
 * mregion_access_trace_fast() - trace that a fast doorbell rings
 * @range: the range that has it
 * @request: the access, of which the value and the length are not known, and zero
 *
 * Called as mregion_access() is.
 */
void mregion_access_trace_fast(const struct mregion_view_range *range,
			       const struct mregion_request *request)
{
	mregion_trace_whole(request, MREGION_OUTCOME_DOORBELL,
			    mregion_region_of(range->node),
			    request->addr + range->delta);
}

/* The way that a vCPU's access takes in kvm_device.c, in one function. */
static bool mregion_access_short(const struct mregion_view_range *range,
				 struct mregion_request *request,
				 enum mregion_outcome *outcome)
{
	const struct mregion_behaviour_rule *rule;
	__le64 val = cpu_to_le64(request->data);
	int vcpu = request->vcpu;
	u32 len = request->len;
	u64 offset, first;

	if (!mregion_short_find(range, request->addr, len, request->write, &val,
				&offset, &rule))
		return false;
	*outcome = mregion_short_outcome(rule);
	if (!request->write) {
		mregion_short_read(range, rule, offset, len, &val);
		request->data = mregion_load(&val, len);
		return true;
	}
	switch (rule->kind) {
	case MREGION_RULE_COALESCE:
		if (!mregion_short_coalesce(range, rule, offset, len, &val,
					    &vcpu, &first))
			return false;
		if (mregion_ring_due(rule->ring, first, 1))
			mregion_ring_notify(rule->ring, first, 1);
		return true;
	case MREGION_RULE_DOORBELL:
		mregion_short_bell(range, rule, offset, len, &val);
		return true;
	default:
		mregion_short_store(range, rule, offset, len, &val);
		return true;
	}
}

/**
 * mregion_access() - make an access
 * @view: of the space it is made in
 * @request: the access; for a read that is completed, @request->data is set
 * @outcome: set to what became of it: of the part that made it exit, else of
 *	the first part
 *
 * Called in an RCU read-side section with preemption off.
 *
 * Return: what is left to do; unless MREGION_DONE, nothing of it was done.
 */
enum mregion_verdict mregion_access(const struct mregion_view *view,
				    struct mregion_request *request,
				    enum mregion_outcome *outcome)
{
	const struct mregion_view_range *range;

	range = mregion_view_find(view, request->addr);
	if (range && mregion_short_whole(range, request->addr, request->len) &&
	    mregion_access_short(range, request, outcome))
		return MREGION_DONE;
	return mregion_access_long(view, range, request, outcome);
}
