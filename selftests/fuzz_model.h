/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzer knows of a machine: enough to make operations that are mostly
 * valid, to say which errors each of them may return, and to tell whether the
 * machine has become what it was asked to. Visibility is not its business: that
 * is what selftests/fuzz compares.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include "fuzz_util.h"

/* IDs from 1 on; few, so that they are met again. */
#define MAX_REGION	48u
#define MAX_SPACE	6u
#define MAX_OBJECT	3u
#define MAX_RULES	24u		/* of a region, remembered here */
#define FEW_RULES	4u		/* more are kept in groups by the kernel */

struct model_region {
	uint32_t kind;			/* 0: none */
	uint32_t flags;
	uint32_t parent;
	uint32_t target;
	uint32_t server;
	int32_t priority;
	uint64_t len;
	uint64_t offset;
	uint64_t target_offset;
	uint32_t backing;
	bool shared;
	struct mregion_constraints constraints;
	uint32_t nr_rules;
	struct mregion_rule rules[MAX_RULES];
};

struct model_space {
	uint32_t root;			/* 0: none */
	uint32_t bus;
	uint32_t unassigned;
};

struct model {
	struct model_region regions[MAX_REGION + 1];
	struct model_space spaces[MAX_SPACE + 1];
	bool rings[MAX_OBJECT + 1];
	bool shadows[MAX_OBJECT + 1];
	bool servers[MAX_OBJECT + 1];
	uint64_t shadow_len[MAX_OBJECT + 1];
	bool attached;			/* was, at some time */
	bool looped;			/* something may show itself */
};

/* ---- Errors ------------------------------------------------------------ */

#define MAX_ERRORS	6

/* Those that an operation may return, and whether it has to return one. */
struct verdict {
	bool fails;
	unsigned int nr;
	int errs[MAX_ERRORS];
};

static inline void may_fail(struct verdict *verdict, int err)
{
	if (verdict->nr < MAX_ERRORS)
		verdict->errs[verdict->nr++] = err;
}

static inline void must_fail(struct verdict *verdict, int err)
{
	may_fail(verdict, err);
	verdict->fails = true;
}

static inline bool verdict_has(const struct verdict *verdict, int err)
{
	unsigned int i;

	for (i = 0; i < verdict->nr; i++)
		if (verdict->errs[i] == err)
			return true;
	return false;
}

/*
 * What a commit may return as a whole. Machines here are small: without a
 * region that shows itself no limit is met.
 */
static inline bool commit_may_return(const struct model *model, int err)
{
	return model->looped && (err == -EMLINK || err == -EDQUOT ||
				 err == -EFBIG);
}

/* ---- The hierarchy ----------------------------------------------------- */

static inline struct model_region *model_region(struct model *model,
						uint32_t id)
{
	return id && id <= MAX_REGION && model->regions[id].kind ?
	       &model->regions[id] : NULL;
}

static inline bool has_constraints(uint32_t kind)
{
	return kind == MREGION_MMIO || kind == MREGION_ROMD ||
	       kind == MREGION_RAMDEV;
}

static inline bool has_rules(uint32_t kind)
{
	return kind == MREGION_MMIO || kind == MREGION_ROMD;
}

static inline bool is_memory(uint32_t kind)
{
	return kind == MREGION_RAM || kind == MREGION_ROM ||
	       kind == MREGION_ROMD || kind == MREGION_RAMDEV;
}

/* Whether @id is above @below, or the same, by parents alone. */
static inline bool model_above(const struct model *model, uint32_t id,
			       uint32_t below)
{
	while (below && below != id)
		below = model->regions[below].parent;
	return below;
}

/* The regions that @id shows, through aliases, too; bit n for region n. */
static inline uint64_t model_shown(const struct model *model, uint32_t id)
{
	uint64_t shown = 1ull << id, before;
	const struct model_region *region;
	uint32_t i;

	do {
		before = shown;
		for (i = 1; i <= MAX_REGION; i++) {
			region = &model->regions[i];
			if (region->kind && region->parent &&
			    shown >> region->parent & 1)
				shown |= 1ull << i;
			if (region->kind && region->target && shown >> i & 1)
				shown |= 1ull << region->target;
		}
	} while (shown != before);
	return shown;
}

static inline bool model_busy(const struct model *model, uint32_t id)
{
	uint32_t i;

	if (model->regions[id].parent)
		return true;
	for (i = 1; i <= MAX_REGION; i++)
		if (model->regions[i].kind && (model->regions[i].parent == id ||
					       model->regions[i].target == id))
			return true;
	for (i = 1; i <= MAX_SPACE; i++)
		if (model->spaces[i].root == id)
			return true;
	return false;
}

static inline uint32_t model_nr_regions(const struct model *model)
{
	uint32_t i, nr = 0;

	for (i = 1; i <= MAX_REGION; i++)
		nr += !!model->regions[i].kind;
	return nr;
}

/* Whether some region's rule or server is object @id of @objects. */
static inline bool model_object_busy(const struct model *model,
				     const bool *objects, uint32_t id)
{
	const struct model_region *region;
	uint32_t i, j;

	for (i = 1; i <= MAX_REGION; i++) {
		region = &model->regions[i];
		if (!region->kind)
			continue;
		if (objects == model->servers && region->server == id)
			return true;
		for (j = 0; j < region->nr_rules; j++)
			if ((objects == model->rings &&
			     region->rules[j].ring == id) ||
			    (objects == model->shadows &&
			     (region->rules[j].shadow == id ||
			      region->rules[j].index.shadow == id)))
				return true;
	}
	return false;
}

/* ---- Operations -------------------------------------------------------- */

static inline void model_flags(struct verdict *verdict, uint32_t kind,
			       uint32_t flags)
{
	if ((flags & MREGION_REGION_ROMD_OFF && kind != MREGION_ROMD) ||
	    (flags & MREGION_REGION_LOG_DIRTY && !is_memory(kind)))
		must_fail(verdict, -EINVAL);
}

static inline void model_create(struct model *model, uint32_t id,
				const struct mregion_op_create *create,
				struct verdict *verdict)
{
	if (model_region(model, id))
		must_fail(verdict, -EEXIST);
	if (create->kind == MREGION_ALIAS &&
	    !model_region(model, create->target))
		must_fail(verdict, -ENOENT);
	model_flags(verdict, create->kind, create->flags);
	if (verdict->fails)
		return;
	model->regions[id] = (struct model_region){
		.kind = create->kind,
		.flags = create->flags,
		.len = create->len,
		.target = create->target,
		.target_offset = create->target ? create->offset : 0,
		.backing = create->backing,
		.constraints = create->constraints,
	};
}

/*
 * Whether @sibling is where region @id is to be mapped, and in its way. What is
 * behind 2^64 is nowhere.
 */
static inline bool model_occupies(const struct model *model, uint32_t sibling,
				  uint32_t id, const struct mregion_op_map *map)
{
	const struct model_region *there = &model->regions[sibling];

	if (!there->kind || there->parent != map->parent ||
	    there->priority != map->priority ||
	    there->flags & MREGION_REGION_DISABLED)
		return false;
	return map->offset < there->offset ?
	       there->offset - map->offset <= model->regions[id].len - 1 :
	       map->offset - there->offset <= there->len - 1;
}

static inline bool model_occupied(const struct model *model, uint32_t id,
				  const struct mregion_op_map *map)
{
	uint32_t i;

	for (i = 1; i <= MAX_REGION; i++)
		if (model_occupies(model, i, id, map))
			return true;
	return false;
}

static inline void model_map(struct model *model, uint32_t id,
			     const struct mregion_op_map *map,
			     struct verdict *verdict)
{
	struct model_region *region = model_region(model, id);
	struct model_region *parent = model_region(model, map->parent);

	if (!parent) {
		must_fail(verdict, -ENOENT);
		return;
	}
	if (region->parent)
		must_fail(verdict, -EBUSY);
	if (parent->kind == MREGION_ALIAS)
		must_fail(verdict, -EINVAL);
	if (model_above(model, id, map->parent))
		must_fail(verdict, -ELOOP);
	if (!verdict->fails && map->flags & MREGION_MAP_EXCLUSIVE &&
	    model_occupied(model, id, map))
		must_fail(verdict, -EEXIST);
	if (verdict->fails)
		return;
	/* By way of an alias it may. */
	if (model_shown(model, id) >> map->parent & 1)
		model->looped = true;
	region->parent = map->parent;
	region->offset = map->offset;
	region->priority = map->priority;
}

/* Whether @rule is the one that is @wanted, of any eventfd if that is -1. */
static inline bool rule_is(struct mregion_rule rule,
			   const struct mregion_rule *wanted)
{
	if (wanted->eventfd == -1)
		rule.eventfd = -1;
	return !memcmp(&rule, wanted, sizeof(rule));
}

static inline uint64_t rule_last(const struct mregion_rule *rule)
{
	uint64_t last = rule->offset + (rule->len - 1);

	return last < rule->offset ? ~0ull : last;
}

/* Whether a rule is for accesses of a size; values here fit in a byte. */
static inline bool rule_takes(const struct mregion_rule *rule, uint32_t len)
{
	return rule_last(rule) - rule->offset >= len - 1 &&
	       (!rule->access_len || rule->access_len == len);
}

/* Whether a device takes accesses of a size, if they are aligned. */
static inline bool region_takes(const struct model_region *region, uint32_t len)
{
	const struct mregion_constraints *constraints = &region->constraints;

	if (!constraints->valid_max)
		return len <= 4;
	return len >= constraints->valid_min && len <= constraints->valid_max;
}

/* Whether there is an access that a rule is for and the device takes. */
static inline bool rule_is_of_use(const struct mregion_rule *rule,
				  const struct model_region *region)
{
	uint32_t len;

	if (rule->flags & MREGION_RULE_ANY_LEN)
		return true;
	for (len = 1; len <= 8; len *= 2)
		if (rule_takes(rule, len) && region_takes(region, len))
			return true;
	return false;
}

/* Whether a doorbell is for some write that begins where one of any length is. */
static inline bool rule_begins(const struct mregion_rule *any,
			       const struct mregion_rule *rule)
{
	uint32_t len;

	if (rule->flags & MREGION_RULE_ANY_LEN)
		return rule->offset == any->offset;
	if (any->offset < rule->offset || any->offset > rule_last(rule))
		return false;
	for (len = 1; len <= 8; len *= 2)
		if (rule_takes(rule, len) &&
		    rule_last(rule) - any->offset >= len - 1)
			return true;
	return false;
}

/* Whether two data registers are one, and no index is for both. */
static inline bool rules_apart(const struct mregion_rule *a,
			       const struct mregion_rule *b)
{
	return a->flags & b->flags & MREGION_RULE_INDEXED &&
	       a->offset == b->offset && a->len == b->len &&
	       a->index.shadow == b->index.shadow &&
	       a->index.offset == b->index.offset &&
	       a->index.len == b->index.len && a->index.bits == b->index.bits &&
	       (a->index.first > b->index.last ||
		b->index.first > a->index.last);
}

/* Whether both could match the same access. */
static inline bool rules_clash(const struct mregion_rule *a,
			       const struct mregion_rule *b)
{
	uint64_t first = a->offset > b->offset ? a->offset : b->offset;
	uint64_t last = rule_last(a) < rule_last(b) ? rule_last(a) :
						      rule_last(b);
	uint32_t both = a->flags & b->flags, len;

	if (a->kind == b->kind && a->flags & MREGION_RULE_ANY_LEN)
		return rule_begins(a, b);
	if (a->kind == b->kind && b->flags & MREGION_RULE_ANY_LEN)
		return rule_begins(b, a);
	if (a->kind != b->kind || first > last || rules_apart(a, b))
		return false;
	if (a->kind == MREGION_RULE_SHADOW &&
	    !(both & (MREGION_RULE_READ | MREGION_RULE_WRITE)))
		return false;
	if (both & MREGION_RULE_DATAMATCH && a->datamatch != b->datamatch)
		return false;
	for (len = 1; len <= 8; len *= 2)
		if (rule_takes(a, len) && rule_takes(b, len) &&
		    last - first >= len - 1)
			return true;
	return false;
}

static inline void model_rule(struct model *model, struct model_region *region,
			      const struct mregion_rule *rule, bool add,
			      struct verdict *verdict)
{
	uint32_t i;

	if (!has_rules(region->kind))
		must_fail(verdict, add ? -EINVAL : -ENOENT);
	if (rule->ring && !model->rings[rule->ring])
		must_fail(verdict, -ENOENT);
	if (rule->shadow && !model->shadows[rule->shadow])
		must_fail(verdict, -ENOENT);
	else if (rule->shadow &&
		 rule->shadow_offset + rule->len + rule->index.select >
		 model->shadow_len[rule->shadow])
		must_fail(verdict, -EINVAL);
	if (rule->index.len && !model->shadows[rule->index.shadow])
		must_fail(verdict, -ENOENT);
	else if (rule->index.len &&
		 rule->index.offset + rule->index.len >
		 model->shadow_len[rule->index.shadow])
		must_fail(verdict, -EINVAL);
	if (rule->access_len && !rule_takes(rule, rule->access_len))
		must_fail(verdict, -EINVAL);
	if (add) {
		if (rule->flags & MREGION_RULE_FAST &&
		    region->kind != MREGION_MMIO)
			must_fail(verdict, -EINVAL);
		if (!rule_is_of_use(rule, region) ||
		    (region->len && rule->offset >= region->len))
			must_fail(verdict, -EINVAL);
		for (i = 0; i < region->nr_rules; i++)
			if (rules_clash(&region->rules[i], rule))
				break;
		if (i < region->nr_rules)
			must_fail(verdict, -EEXIST);
		if (!verdict->fails && region->nr_rules < MAX_RULES)
			region->rules[region->nr_rules++] = *rule;
		return;
	}
	for (i = 0; i < region->nr_rules; i++)
		if (rule_is(region->rules[i], rule))
			break;
	if (i == region->nr_rules)
		must_fail(verdict, -ENOENT);
	if (!verdict->fails)
		region->rules[i] = region->rules[--region->nr_rules];
}

static inline void model_space(struct model *model, uint32_t id,
			       const struct mregion_op_space *args,
			       bool create, struct verdict *verdict)
{
	struct model_space *space = &model->spaces[id];

	if (create && space->root)
		must_fail(verdict, -EEXIST);
	if (!create && !space->root)
		must_fail(verdict, -ENOENT);
	if (!model_region(model, args->root))
		must_fail(verdict, -ENOENT);
	if (!create && space->root && space->bus != args->bus)
		must_fail(verdict, -EINVAL);
	if (!verdict->fails)
		*space = (struct model_space){
			.root = args->root,
			.bus = args->bus,
			.unassigned = args->unassigned ?: MREGION_POLICY_EXIT,
		};
}

/*
 * What an operation may return; unless it has to fail, the model becomes what
 * the machine does when it succeeds.
 */
static inline void model_apply(struct model *model, const struct mregion_op *op,
			       struct verdict *verdict)
{
	struct model_region *region = model_region(model, op->id);
	uint32_t code = op->code & ~MREGION_OP_MAY_FAIL;

	memset(verdict, 0, sizeof(*verdict));
	switch (code) {
	case MREGION_OP_CREATE:
		model_create(model, op->id, &op->create, verdict);
		return;
	case MREGION_OP_SPACE_CREATE:
	case MREGION_OP_SPACE_SET:
		model_space(model, op->id, &op->space,
			    code == MREGION_OP_SPACE_CREATE, verdict);
		return;
	case MREGION_OP_SPACE_FREE:
		if (!model->spaces[op->id].root)
			must_fail(verdict, -ENOENT);
		else if (model->attached)
			may_fail(verdict, -EBUSY);
		if (!verdict->fails)
			model->spaces[op->id].root = 0;
		return;
	}
	if (!region) {
		must_fail(verdict, -ENOENT);
		return;
	}
	switch (code) {
	case MREGION_OP_FREE:
		if (model_busy(model, op->id))
			must_fail(verdict, -EBUSY);
		else
			region->kind = 0;
		break;
	case MREGION_OP_MAP:
		model_map(model, op->id, &op->map, verdict);
		break;
	case MREGION_OP_UNMAP:
		if (!region->parent)
			must_fail(verdict, -ENOENT);
		region->parent = 0;
		region->offset = 0;
		region->priority = 0;
		break;
	case MREGION_OP_MOVE:
		if (region->parent)
			region->offset = op->offset;
		else
			must_fail(verdict, -ENOENT);
		break;
	case MREGION_OP_RESIZE:
		if (region->backing)
			may_fail(verdict, -EINVAL);
		region->len = op->len;
		break;
	case MREGION_OP_SET_FLAGS:
		model_flags(verdict, region->kind, op->set_flags.mask);
		if (!verdict->fails)
			region->flags = (region->flags & ~op->set_flags.mask) |
					op->set_flags.flags;
		break;
	case MREGION_OP_SET_ALIAS:
		if (region->kind != MREGION_ALIAS)
			must_fail(verdict, -EINVAL);
		else
			region->target_offset = op->offset;
		break;
	case MREGION_OP_SET_CONSTRAINTS:
		if (!has_constraints(region->kind))
			must_fail(verdict, -EINVAL);
		else
			region->constraints = op->constraints;
		break;
	case MREGION_OP_RULE_ADD:
	case MREGION_OP_RULE_DEL:
		model_rule(model, region, &op->rule,
			   code == MREGION_OP_RULE_ADD, verdict);
		break;
	case MREGION_OP_SET_SERVER:
		if (!has_rules(region->kind))
			must_fail(verdict, -EINVAL);
		if (op->set_server.server &&
		    !model->servers[op->set_server.server])
			must_fail(verdict, -ENOENT);
		if (!verdict->fails)
			region->server = op->set_server.server;
		break;
	case MREGION_OP_SHARE:
		if (region->backing != MREGION_BACKING_FD)
			must_fail(verdict, -EINVAL);
		if (region->shared)
			must_fail(verdict, -EBUSY);
		if (op->share.log != -1 && region->kind != MREGION_RAM &&
		    region->kind != MREGION_RAMDEV)
			must_fail(verdict, -EINVAL);
		if (op->share.log < -1)
			must_fail(verdict, -EBADF);
		if (!verdict->fails)
			region->shared = true;
		break;
	}
}

#endif /* FUZZ_MODEL_H */
