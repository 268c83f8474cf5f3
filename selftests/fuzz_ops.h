/* SPDX-License-Identifier: GPL-2.0 */
/* Random operations of commits, that make sense for a machine as it is. */
#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include "fuzz_model.h"

#define FUZZ_EFDS	4

/* What operations refer to and is no part of the model. */
struct resources {
	int efds[FUZZ_EFDS];
	int file;			/* memory of FILE_LEN bytes */
};

#define FILE_LEN	0x4000u

static inline uint64_t random_len(struct prng *prng)
{
	return PICK(prng, 1, 2, 4, 8, 0x10, 0x100, 0x800, 0xffc, 0x1000, 0x1000,
		    0x1800, 0x2000, 0x4000, 0x10000, 0x40000000, 0);
}

/* A region for which @good is so; any, that may not exist, if there is none. */
#define PICK_REGION(prng, model, region, good) ({			\
	uint32_t __start = below(prng, MAX_REGION), __i, __id;		\
									\
	for (__i = 0; __i <= MAX_REGION; __i++) {			\
		const struct model_region *region;			\
									\
		__id = 1 + (__start + __i) % MAX_REGION;		\
		region = &(model)->regions[__id];			\
		if (region->kind && (good))				\
			break;						\
	}								\
	__id;								\
})

static inline struct mregion_constraints random_constraints(struct prng *prng)
{
	struct mregion_constraints constraints = {
		.valid_max = PICK(prng, 0, 1, 2, 4, 4, 8, 8, 8),
		.impl_max = PICK(prng, 0, 1, 2, 4, 8),
		.flags = below(prng, 16),
		.refused = PICK(prng, 0, 0, 0, 1, 2, 3),
	};

	if (one_in(prng, 3) && constraints.valid_max)
		constraints.valid_min = 1u << below(prng, 4);
	if (constraints.valid_min > constraints.valid_max)
		constraints.valid_min = 0;
	if (one_in(prng, 3))
		constraints.impl_min = 1u << below(prng, 4);
	if (constraints.impl_min > (constraints.impl_max ?: 4))
		constraints.impl_min = 0;
	return constraints;
}

static inline uint32_t random_flags(struct prng *prng, uint32_t kind)
{
	uint32_t flags = 0;

	if (one_in(prng, 3))
		flags |= 1u << below(prng, 4);
	if (kind == MREGION_ROMD && one_in(prng, 3))
		flags |= MREGION_REGION_ROMD_OFF;
	if (is_memory(kind) && one_in(prng, 3))
		flags |= MREGION_REGION_LOG_DIRTY;
	if (one_in(prng, 100))
		flags |= MREGION_REGION_ROMD_OFF | MREGION_REGION_LOG_DIRTY;
	return flags;
}

/* Few, since ways through them multiply. */
static inline bool enough_containers_shown(const struct model *model)
{
	uint32_t i, nr = 0;

	for (i = 1; i <= MAX_REGION; i++)
		nr += model->regions[i].kind == MREGION_ALIAS &&
		      !has_constraints(model->regions[model->regions[i].target]
				       .kind);
	return nr > 5;
}

static inline struct mregion_op random_create(struct prng *prng,
					      const struct model *model,
					      const struct resources *resources)
{
	struct mregion_op op = mr_create(1 + below(prng, MAX_REGION),
		PICK(prng, MREGION_CONTAINER, MREGION_RAM, MREGION_ROM,
		     MREGION_ROMD, MREGION_RAMDEV, MREGION_MMIO, MREGION_MMIO,
		     MREGION_MMIO, MREGION_MMIO, MREGION_ALIAS, MREGION_ALIAS,
		     MREGION_RESERVATION),
		random_len(prng));
	uint32_t i;

	for (i = 0; i < 40 && model->regions[op.id].kind; i++)
		op.id = 1 + below(prng, MAX_REGION);
	op.create.flags = random_flags(prng, op.create.kind);
	if (op.create.kind == MREGION_ALIAS) {
		bool devices = enough_containers_shown(model);

		op.create.target = PICK_REGION(prng, model, region,
			!devices || has_constraints(region->kind));
		op.create.offset = 0x800 * below(prng, 8);
	}
	if (has_constraints(op.create.kind))
		op.create.constraints = random_constraints(prng);
	if (is_memory(op.create.kind) && one_in(prng, 4)) {
		op.create.backing = MREGION_BACKING_FD;
		op.create.fd = resources->file;
		op.create.offset = 0x1000 * below(prng, 2);
		op.create.len = PICK(prng, 1, 0x800, 0x1000, 0x2000, 0x3000);
	}
	return op;
}

static inline struct mregion_op random_map(struct prng *prng,
					   const struct model *model)
{
	const struct model_region *parent;
	struct mregion_op op = mr_map(0, 0, 0, (int32_t)below(prng, 4) - 1);
	uint32_t i, root = 0;

	op.id = PICK_REGION(prng, model, region, !region->parent);
	for (i = 0; i < 20; i++) {
		op.map.parent = PICK_REGION(prng, model, region,
				region->kind != MREGION_ALIAS &&
				(region->kind == MREGION_CONTAINER ||
				 one_in(prng, 4)));
		/* Loops are rare, and one is enough. */
		if (!(model_shown(model, op.id) >> op.map.parent & 1) ||
		    (!model->looped && one_in(prng, 100)))
			break;
		op.map.parent = 0;
	}
	for (i = 1; i <= MAX_SPACE; i++)
		if (model->spaces[i].root == op.map.parent)
			root = i;
	parent = &model->regions[op.map.parent];
	if (root && model->spaces[root].bus == MREGION_BUS_PIO)
		op.map.offset = PIO_BASE + 0x80 * below(prng, 4);
	else if (root || !parent->len)
		op.map.offset = random_base(prng);
	else
		op.map.offset = PICK(prng, 0, 0, 8, 0x100, 0x800, 0x1000,
				     0x2000, 0x8000);
	if (one_in(prng, 30))
		op.map.offset = random64(prng) & ~7ull;
	else if (one_in(prng, 10))
		op.map.offset += below(prng, 8);
	if (one_in(prng, 3))
		op.map.flags = MREGION_MAP_EXCLUSIVE;
	return op;
}

static inline uint32_t random_object(struct prng *prng, const bool *objects)
{
	uint32_t i, id = 1 + below(prng, MAX_OBJECT);

	for (i = 0; i < MAX_OBJECT && !objects[id]; i++)
		id = id % MAX_OBJECT + 1;
	return id;
}

/* How far from that of an index of zero the place of an index is, at most. */
#define FUZZ_INDEX_SELECT	0x38u

/* Of one of few registers, so that rules share them. */
static inline struct mregion_index random_index(struct prng *prng,
						const struct model *model)
{
	struct mregion_index index = {
		.shadow = random_object(prng, model->shadows),
		.len = PICK(prng, 1, 4),
		.offset = 4 * PICK(prng, 0, 0, 1, 0x3ff, 0x400),
		.bits = PICK(prng, 0x3f, 0x3f, 0xff),
		.select = FUZZ_INDEX_SELECT,
	};
	uint32_t a = below(prng, 0x40), b = below(prng, 0x40);

	index.first = a < b ? a : b;
	index.last = a < b ? b : a;
	return index;
}

static inline struct mregion_rule random_rule(struct prng *prng,
					      const struct model *model,
					      const struct resources *resources)
{
	struct mregion_rule rule = {
		.kind = PICK(prng, MREGION_RULE_COALESCE, MREGION_RULE_COALESCE,
			     MREGION_RULE_DOORBELL, MREGION_RULE_SHADOW),
		.offset = 8 * below(prng, one_in(prng, 2) ? 4 : 24),
		.len = PICK(prng, 1, 2, 4, 8, 8, 0x10, 0x40, 0x100, 0x1000),
	};
	int efd = resources->efds[below(prng, FUZZ_EFDS)];
	bool shadow = false;

	if (one_in(prng, 5))
		rule.offset += below(prng, 8);
	switch (rule.kind) {
	case MREGION_RULE_COALESCE:
		rule.ring = random_object(prng, model->rings);
		if (one_in(prng, 4))
			rule.flags |= MREGION_RULE_POSTED;
		/* All of the region: few accesses would ever fill a ring. */
		if (one_in(prng, 2))
			rule.len = 0;
		break;
	case MREGION_RULE_DOORBELL:
		rule.eventfd = efd;
		if (one_in(prng, 4)) {
			rule.flags = MREGION_RULE_ANY_LEN;
			rule.len = 1;
			if (one_in(prng, 2))
				rule.flags |= MREGION_RULE_FAST;
			break;
		}
		rule.access_len = PICK(prng, 0, 0, 1, 2, 4, 8);
		if (one_in(prng, 2)) {
			rule.flags |= MREGION_RULE_DATAMATCH;
			rule.datamatch = below(prng, 4);
		}
		shadow = one_in(prng, 3);
		if (shadow)
			rule.flags |= MREGION_RULE_STORE;
		break;
	case MREGION_RULE_SHADOW:
		shadow = true;
		rule.flags = PICK(prng, MREGION_RULE_READ, MREGION_RULE_WRITE,
				  MREGION_RULE_READ | MREGION_RULE_WRITE);
		if (rule.flags & MREGION_RULE_WRITE && one_in(prng, 2)) {
			rule.flags |= MREGION_RULE_NOTIFY;
			rule.eventfd = efd;
		}
		if (one_in(prng, 3)) {
			rule.flags |= MREGION_RULE_INDEXED;
			rule.index = random_index(prng, model);
			/* few combinations of registers, which are limited */
			rule.offset = PICK(prng, 0, 8);
			rule.len = PICK(prng, 4, 8);
		}
		break;
	}
	if (shadow) {
		rule.shadow = random_object(prng, model->shadows);
		rule.shadow_offset = rule.offset % 8 + 8 * below(prng, 40);
	}
	return rule;
}

static inline struct mregion_op random_rule_del(struct prng *prng,
						const struct model *model,
						const struct resources *res,
						uint32_t id)
{
	const struct model_region *region = &model->regions[id];
	struct mregion_op op = mr_op(MREGION_OP_RULE_DEL, id);

	op.rule = region->kind && region->nr_rules ?
		  region->rules[below(prng, region->nr_rules)] :
		  random_rule(prng, model, res);
	if (op.rule.eventfd && one_in(prng, 4))
		op.rule.eventfd = -1;
	return op;
}

static inline struct mregion_op random_rule_add(struct prng *prng,
						const struct model *model,
						const struct resources *res,
						uint32_t id)
{
	const struct model_region *region = &model->regions[id];
	struct mregion_op op = mr_op(MREGION_OP_RULE_ADD, id);

	/* More would not be remembered. */
	if (region->kind && region->nr_rules == MAX_RULES)
		return random_rule_del(prng, model, res, id);
	op.rule = random_rule(prng, model, res);
	if (region->len && op.rule.offset >= region->len)
		op.rule.offset = op.rule.shadow ? op.rule.offset % 8 : 0;
	return op;
}

static inline struct mregion_op random_rule_op(struct prng *prng,
					       const struct model *model,
					       const struct resources *res)
{
	if (one_in(prng, 3))
		return random_rule_del(prng, model, res,
				       PICK_REGION(prng, model, region,
						   region->nr_rules));
	return random_rule_add(prng, model, res,
			       PICK_REGION(prng, model, region,
					   has_rules(region->kind)));
}

static inline struct mregion_op random_space_op(struct prng *prng,
						const struct model *model)
{
	uint32_t id = 1 + below(prng, MAX_SPACE);
	const struct model_space *space = &model->spaces[id];
	uint32_t root = PICK_REGION(prng, model, region,
				    region->kind == MREGION_CONTAINER ||
				    one_in(prng, 8));
	uint32_t unassigned = PICK(prng, 0, 0, 4, 4, 1, 2, 3);
	uint32_t bus = space->bus;

	if (one_in(prng, 30))
		return mr_space_free(1 + below(prng, MAX_SPACE));
	if (!space->root)
		bus = below(prng, 2);
	else if (one_in(prng, 3))
		return mr_space_free(id);
	else if (one_in(prng, 30))
		bus = !bus;
	/* The first ones stay what they are, mostly. */
	if (space->root && id <= 2 && !one_in(prng, 10))
		root = space->root;
	return mr_space_op(space->root ? MREGION_OP_SPACE_SET :
					 MREGION_OP_SPACE_CREATE,
			   id, root, bus, unassigned);
}

static inline struct mregion_op random_set_server(struct prng *prng,
						  const struct model *model,
						  uint32_t id)
{
	struct mregion_op op = mr_set_server(id, 0);

	if (!one_in(prng, 3))
		op.set_server.server = random_object(prng, model->servers);
	return op;
}

static inline struct mregion_op random_op(struct prng *prng,
					  const struct model *model,
					  const struct resources *resources)
{
	uint32_t nr = model_nr_regions(model), id, flags;

	switch (below(prng, 26)) {
	case 0 ... 3:
		if (nr < MAX_REGION * 3 / 4)
			return random_create(prng, model, resources);
		/* fallthrough */
	case 4:
	case 5:
		if (nr < MAX_REGION / 3)
			return random_create(prng, model, resources);
		return mr_free(PICK_REGION(prng, model, region,
					   !model_busy(model, __id)));
	case 6 ... 9:
		return random_map(prng, model);
	case 10:
		return mr_unmap(PICK_REGION(prng, model, region,
					    region->parent));
	case 11:
	case 12:
		id = PICK_REGION(prng, model, region, region->parent);
		return mr_move(id, model->regions[id].len &&
				   one_in(prng, 3) ?
			       model->regions[id].offset + 0x1000 :
			       random_map(prng, model).map.offset);
	case 13:
		id = PICK_REGION(prng, model, region, __id > 2);
		return mr_resize(id, random_len(prng));
	case 14:
		id = PICK_REGION(prng, model, region, true);
		flags = random_flags(prng, model->regions[id].kind);
		return mr_set_flags(id, flags, one_in(prng, 2) ? flags : 0);
	case 15:
		id = PICK_REGION(prng, model, region, __id > 2);
		return mr_set_flags(id, MREGION_REGION_DISABLED,
				    one_in(prng, 2) ? MREGION_REGION_DISABLED :
						      0);
	case 16:
		id = PICK_REGION(prng, model, region,
				 region->kind == MREGION_ALIAS);
		return mr_set_alias(id, 0x800 * below(prng, 16));
	case 17:
		id = PICK_REGION(prng, model, region,
				 has_constraints(region->kind));
		return mr_set_constraints(id, random_constraints(prng));
	case 18 ... 21:
		return random_rule_op(prng, model, resources);
	case 22:
		return random_space_op(prng, model);
	case 23:
		return mr_share(PICK_REGION(prng, model, region,
				!region->shared &&
				region->backing == MREGION_BACKING_FD),
				one_in(prng, 2) ? resources->file :
				one_in(prng, 10) ? -2 : -1);
	default:
		return random_set_server(prng, model,
					 PICK_REGION(prng, model, region,
						     has_rules(region->kind)));
	}
}

/* Of a region that is to have many rules, while what is beside them changes. */
static inline struct mregion_op random_op_of(struct prng *prng,
					     const struct model *model,
					     const struct resources *res,
					     uint32_t id)
{
	switch (below(prng, 12)) {
	case 0:
		return mr_set_constraints(id, random_constraints(prng));
	case 1:
		return random_set_server(prng, model, id);
	case 2:
	case 3:
		return random_rule_del(prng, model, res, id);
	default:
		return random_rule_add(prng, model, res, id);
	}
}

/* A machine to begin with: something on each bus, and memory to hand out. */
#define FIRST_OPS	11

static inline void first_ops(struct mregion_op *op,
			     const struct resources *resources)
{
	*op++ = mr_container(1, 0);
	*op++ = mr_container(2, 0x10000);
	*op++ = mr_mmio(3, 0x1000);
	*op++ = mr_mmio(4, 0x100);
	*op++ = mr_map(3, 1, MMIO_BASE, 0);
	*op++ = mr_map(4, 2, PIO_BASE, 0);
	*op++ = mr_in_file(mr_ram(5, FILE_LEN), resources->file, 0);
	*op++ = mr_share(5, resources->file);
	*op++ = mr_map(5, 1, 0x200000000, 0);
	*op++ = mr_space(1, 1);
	*op++ = mr_pio_space(2, 2);
}

#endif /* FUZZ_OPS_H */
