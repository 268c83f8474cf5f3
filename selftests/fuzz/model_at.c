// SPDX-License-Identifier: GPL-2.0
/* The visibility rules, for one address. */
#include <linux/mregion.h>

#include "../../module/limits.h"
#include "model.h"

/* One question, on its way down. */
struct model_query {
	const struct model *m;
	struct model_hit *hit;
	unsigned int steps;
	/* by region: how often it is on the way */
	unsigned char entered[MODEL_REGIONS];
	unsigned int again;
};

/* What a region passes on to all that it shows. */
#define MODEL_INHERITED							\
	(MREGION_REGION_READONLY | MREGION_REGION_NONVOLATILE |		\
	 MREGION_REGION_UNMERGEABLE)

static enum model_answer model_own(struct model_query *q, int id, u64 offset,
				   u32 inherited, u64 path)
{
	const struct model_region *r = &q->m->region[id];
	u32 flags = 0;

	if (r->kind == MREGION_CONTAINER)
		return MODEL_NOTHING;
	if (inherited & MREGION_REGION_READONLY)
		flags |= MREGION_RANGE_READONLY;
	if (inherited & MREGION_REGION_NONVOLATILE)
		flags |= MREGION_RANGE_NONVOLATILE;
	if (inherited & MREGION_REGION_UNMERGEABLE)
		flags |= MREGION_RANGE_UNMERGEABLE;
	if (r->flags & MREGION_REGION_LOG_DIRTY)
		flags |= MREGION_RANGE_LOG_DIRTY;
	if (r->kind == MREGION_ROMD && !(r->flags & MREGION_REGION_ROMD_OFF))
		flags |= MREGION_RANGE_ROMD;
	*q->hit = (struct model_hit) {
		.region = id,
		.offset = offset,
		.flags = flags,
		.path = path,
		.again = q->again,
	};
	return MODEL_HIT;
}

static enum model_answer model_look(struct model_query *q, int id, u64 offset,
				    u32 inherited, unsigned int depth,
				    u64 path);

/* As model_look(), of one that is below @q's way. */
static enum model_answer model_enter(struct model_query *q, int id, u64 offset,
				     u32 inherited, unsigned int depth,
				     u64 path)
{
	enum model_answer answer;

	q->again += q->entered[id]++ > 0;
	answer = model_look(q, id, offset, inherited, depth, path);
	q->again -= --q->entered[id] > 0;
	return answer;
}

/* What region @id has at @offset, when @depth regions are above it. */
static enum model_answer model_look(struct model_query *q, int id, u64 offset,
				    u32 inherited, unsigned int depth,
				    u64 path)
{
	const struct model_region *r = &q->m->region[id];
	int i;

	if (q->steps++ == MODEL_STEPS)
		return MODEL_UNKNOWN;
	if ((r->flags & MREGION_REGION_DISABLED) || offset > r->last)
		return MODEL_NOTHING;
	if (depth == MREGION_MAX_DEPTH)
		return MODEL_TOO_DEEP;
	inherited |= r->flags & MODEL_INHERITED;
	if (r->kind == MREGION_ROM)
		inherited |= MREGION_REGION_READONLY;
	path = (path ^ (id + 1)) * 0x9e3779b97f4a7c15;
	path ^= path >> 29;

	if (r->kind == MREGION_ALIAS) {
		unsigned __int128 inner = r->target_offset;

		inner += offset;
		if (inner >> 64)
			return MODEL_NOTHING;
		return model_enter(q, r->target, inner, inherited, depth + 1,
				   path);
	}

	for (i = q->m->first[id]; i < q->m->first[id + 1]; i++) {
		int child = q->m->children[i];
		enum model_answer answer;

		if (offset < q->m->region[child].addr)
			continue;
		answer = model_enter(q, child,
				     offset - q->m->region[child].addr,
				     inherited, depth + 1, path);
		if (answer != MODEL_NOTHING)
			return answer;
	}
	return model_own(q, id, offset, inherited, path);
}

/**
 * model_at() - what is visible at an address
 * @m: the hierarchy, sorted
 * @root: index of the region at address 0
 * @addr: the address
 * @hit: set if there is something
 */
enum model_answer model_at(const struct model *m, int root, u64 addr,
			   struct model_hit *hit)
{
	struct model_query q = { .m = m, .hit = hit };

	return model_enter(&q, root, addr, 0, 0, 0);
}
