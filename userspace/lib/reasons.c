// SPDX-License-Identifier: MIT
/*
 * Why the kernel refuses an operation, in words. It has decided by then; nothing is
 * refused because of what is found here.
 *
 * EINVAL is what the kernel says to a dozen mistakes, and whoever made one wants to know
 * which. So they are looked for here, in the order in which the kernel looks.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "../array.h"
#include "constraints.h"
#include "error.h"
#include "mregion.h"
#include "reasons.h"

#define BAD_ACCESS_LEN "access_len is 1, 2, 4, 8, or 0 for any"

static bool is_size(unsigned int len)
{
	return len <= 8 && !(len & (len - 1));
}

static const char *
constraints_reason(const struct mregion_constraints *constraints)
{
	unsigned int valid_max = constraints->valid_max ?: 4;
	unsigned int impl_max = constraints->impl_max ?: 4;

	if (!is_size(constraints->valid_min) ||
	    !is_size(constraints->valid_max))
		return "valid_min and valid_max are 1, 2, 4, 8, or 0 for the default";
	if (!is_size(constraints->impl_min) || !is_size(constraints->impl_max))
		return "impl_min and impl_max are 1, 2, 4, 8, or 0 for the default";
	if (constraints->valid_min > valid_max)
		return "valid_min is more than valid_max, which is 4 by default";
	if (constraints->impl_min > impl_max)
		return "impl_min is more than impl_max, which is 4 by default";
	if (constraints->refused > MREGION_POLICY_ERROR)
		return "accesses to a region are not refused by such a policy";
	return NULL;
}

static bool has_constraints(uint32_t kind)
{
	return kind == MREGION_MMIO || kind == MREGION_ROMD ||
	       kind == MREGION_RAMDEV;
}

static const char *create_reason(const struct mregion_op_create *create)
{
	const char *c;

	if (has_constraints(create->kind) &&
	    constraints_reason(&create->constraints))
		return constraints_reason(&create->constraints);
	for (c = create->name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "its name has a control character";
	return NULL;
}

static const char *
doorbell_reason(const struct mregion_rule *rule,
		const struct mregion_reason_region *region)
{
	uint32_t any = MREGION_RULE_ANY_LEN | MREGION_RULE_FAST;

	if (rule->flags & MREGION_RULE_FAST && region &&
	    region->kind != MREGION_MMIO)
		return "only MMIO regions have fast doorbells";
	if (!is_size(rule->access_len))
		return BAD_ACCESS_LEN;
	if (rule->flags & MREGION_RULE_ANY_LEN &&
	    (rule->flags & ~any || rule->len != 1 || rule->access_len))
		return "any_len does not go with len, access_len, match or shadow";
	if (rule->flags & MREGION_RULE_FAST &&
	    !(rule->flags & MREGION_RULE_ANY_LEN))
		return "fast goes with any_len only";
	return NULL;
}

static bool has_value(uint64_t value, unsigned int len)
{
	return len >= 8 || value < 1ull << (8 * len);
}

/* Of rules that are for no access at all. */
static const char *match_reason(const struct mregion_rule *rule,
				const struct mregion_reason_region *region)
{
	struct mregion_constraints constraints = { .valid_max = 8 };
	/* and one byte; a length of 0 is 2^64, and nothing reaches beyond that */
	uint64_t room = rule->len - 1 < ~rule->offset ? rule->len - 1 :
							~rule->offset;
	bool fits = false, accepted = false;
	unsigned int len;

	if (rule->flags & MREGION_RULE_ANY_LEN)
		return NULL;
	if (region)
		constraints = region->constraints;
	if (rule->access_len && rule->access_len - 1 > room)
		return "access_len is more than the part has room for";
	if (rule->access_len && !has_value(rule->datamatch, rule->access_len))
		return "datamatch does not fit access_len";
	for (len = 1; len <= 8 && len - 1 <= room; len *= 2) {
		if ((rule->access_len && rule->access_len != len) ||
		    !has_value(rule->datamatch, len))
			continue;
		fits = true;
		accepted |= mregion_access_size(&constraints, 0, len) == len &&
			    mregion_access_valid(&constraints, 0, len);
	}
	if (!fits)
		return "datamatch does not fit the part";
	if (!accepted && rule->access_len)
		return "the device accepts no access of access_len bytes";
	return accepted ? NULL : "the device accepts no access that the rule could be for";
}

/* Of the rules of data registers. */
static const char *index_reason(const struct mregion_rule *rule)
{
	const struct mregion_index *index = &rule->index;

	if (!rule->len)
		return "the register's length is 0";
	if (index->len != 1 && index->len != 2 && index->len != 4)
		return "the index has 1, 2 or 4 bytes";
	if (index->offset % index->len)
		return "the index's offset is not a multiple of its length";
	if (!has_value(index->bits | index->select, index->len))
		return "bits or select has a bit that the index does not have";
	if (index->first > index->last)
		return "first is more than last";
	if ((index->first | index->last) & ~index->bits)
		return "first or last has a bit that is not in bits";
	if (index->shift < -31 || index->shift > 31)
		return "shift is -31 to 31";
	return NULL;
}

static const char *shadow_reason(const struct mregion_rule *rule)
{
	uint32_t both = MREGION_RULE_READ | MREGION_RULE_WRITE;

	if (rule->flags & ~(both | MREGION_RULE_NOTIFY | MREGION_RULE_INDEXED))
		return "flags are MREGION_RULE_READ, MREGION_RULE_WRITE, or both";
	if (!(rule->flags & both))
		return "flags say neither MREGION_RULE_READ nor MREGION_RULE_WRITE";
	if (rule->flags & MREGION_RULE_NOTIFY &&
	    !(rule->flags & MREGION_RULE_WRITE))
		return "an eventfd goes with MREGION_RULE_WRITE only";
	if (!is_size(rule->access_len))
		return BAD_ACCESS_LEN;
	return rule->flags & MREGION_RULE_INDEXED ? index_reason(rule) : NULL;
}

/* The size of access, at most, that is aligned wherever the part is. */
static unsigned int part_alignment(const struct mregion_rule *rule)
{
	unsigned int size = 8;

	while (size > rule->len)
		size /= 2;
	return size;
}

static const char *place_reason(const struct mregion_rule *rule)
{
	const struct mregion_index *index = &rule->index;
	unsigned int mask = part_alignment(rule) - 1;
	uint64_t places = index->shift < 0 ? index->select >> -index->shift :
			  (uint64_t)index->select << index->shift;

	if ((rule->shadow_offset ^ rule->offset) & mask)
		return "offset and shadow_offset differ modulo the register's size, up to 8";
	if (places & mask)
		return "places that an index selects are not aligned as the register is";
	return rule->flags & MREGION_RULE_NOTIFY ?
	       "the index or a place that it selects is behind the end of its memory, or the descriptor is no eventfd's" :
	       "the index or a place that it selects is behind the end of its memory";
}

/* Of rules that use shadow memory. */
static const char *memory_reason(const struct mregion_rule *rule)
{
	if (rule->flags & MREGION_RULE_INDEXED)
		return place_reason(rule);
	if ((rule->shadow_offset ^ rule->offset) & 7)
		return "offset and shadow_offset differ modulo 8";
	if (rule->kind == MREGION_RULE_SHADOW &&
	    !(rule->flags & MREGION_RULE_NOTIFY))
		return "the shadow memory ends before the part does";
	return "the shadow memory ends before the part does, or the descriptor is no eventfd's";
}

static const char *rule_reason(const struct mregion_rule *rule,
			       const struct mregion_reason_region *region)
{
	const char *reason = NULL;

	if (region && region->kind != MREGION_MMIO &&
	    region->kind != MREGION_ROMD)
		return "only MMIO and ROM device regions have rules";
	if (region && rule->offset > region->len - 1)
		return "the part begins behind the region's end";
	if (rule->kind == MREGION_RULE_DOORBELL)
		reason = doorbell_reason(rule, region);
	else if (rule->kind == MREGION_RULE_SHADOW)
		reason = shadow_reason(rule);
	/* The kernel looks for an eventfd before; here it is what is left. */
	if (!reason)
		reason = match_reason(rule, region);
	if (reason || rule->kind == MREGION_RULE_COALESCE)
		return reason;
	if (rule->kind == MREGION_RULE_DOORBELL &&
	    !(rule->flags & MREGION_RULE_STORE))
		return "the descriptor is no eventfd's";
	return memory_reason(rule);
}

/*
 * Return: a clause, or NULL where it cannot be told which of several reasons it is.
 */
static const char *invalid_reason(const struct mregion_op *op,
				  const struct mregion_reason_region *region)
{
	switch (op->code) {
	case MREGION_OP_CREATE:
		return create_reason(&op->create);
	case MREGION_OP_SET_CONSTRAINTS:
		if (region && !has_constraints(region->kind))
			return "a region of its kind has no constraints";
		return constraints_reason(&op->constraints);
	case MREGION_OP_SET_FLAGS:
		if (op->set_flags.flags & ~op->set_flags.mask)
			return "a flag is not in the mask";
		return NULL;
	case MREGION_OP_RULE_ADD:
		return rule_reason(&op->rule, region);
	default:
		return NULL;
	}
}

/*
 * Kept in step with the errnos that <linux/mregion.h> lists; what
 * invalid_reason() can tell is not here.
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

/* What else the kernel says of the rules of data registers. */
static const char *indexed_reason(const struct mregion_op *op, int err)
{
	if (op->code != MREGION_OP_RULE_ADD ||
	    !(op->rule.flags & MREGION_RULE_INDEXED))
		return NULL;
	if (err == EEXIST)
		return "another shadow could match the same access with the same index";
	if (err == ENOSPC)
		return "the region or the machine has as many rules as it can, or the region max_indices kinds of data registers";
	return NULL;
}

const char *mregion_reason(const struct mregion_op *op,
			   const struct mregion_reason_region *region, int err)
{
	int code = op ? (int)op->code : 0;
	const char *reason = NULL;
	size_t i;

	if (op && err == EINVAL)
		reason = invalid_reason(op, region);
	else if (op)
		reason = indexed_reason(op, err);
	if (reason)
		return reason;
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].err == err && reasons[i].code == code)
			return reasons[i].reason;
	/* An operation may also run into a limit of the commit as a whole. */
	return op ? mregion_reason(NULL, NULL, err) : NULL;
}
