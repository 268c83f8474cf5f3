// SPDX-License-Identifier: MIT
/* The usual pairs of an index register and a data register. */
#include <errno.h>

#include "../array.h"
#include "commit.h"
#include "error.h"
#include "indexed.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "shadow.h"

#define PCI_ENABLE	0x80000000u
/* The address in the data register has the lowest two. */
#define PCI_DWORD	(~3u)
#define PCI_NO_INDEX	0xff000000u

/**
 * struct pair_shape - what the registers of a kind are like
 * @len: length of the index register in bytes
 * @access_len: size of access that it is for, 0 for any
 * @flags: what it does: MREGION_RULE_READ, MREGION_RULE_WRITE
 * @index_len: how many bytes of it are the index, the lowest
 * @bits: the bits of the index that matter
 * @data: distance of the data register
 * @data_len: its length
 * @shift: by how many bits an index is shifted for a distance
 */
struct pair_shape {
	uint32_t len;
	uint32_t access_len;
	uint32_t flags;
	uint32_t index_len;
	uint32_t bits;
	uint32_t data;
	uint32_t data_len;
	int32_t shift;
};

static const struct pair_shape shapes[] = {
	[MREGION_PAIR_PCI] = {
		.len = 4, .access_len = 4,
		.flags = MREGION_RULE_READ | MREGION_RULE_WRITE,
		.index_len = 4, .bits = 0x80fffffc,
		.data = 4, .data_len = 4,
	},
	[MREGION_PAIR_BYTE] = {
		.len = 1,
		.flags = MREGION_RULE_READ | MREGION_RULE_WRITE,
		.index_len = 1, .bits = 0xff,
		.data = 1, .data_len = 1,
	},
	[MREGION_PAIR_CMOS] = {
		.len = 1,
		.flags = MREGION_RULE_WRITE,
		.index_len = 1, .bits = 0x7f,
		.data = 1, .data_len = 1,
	},
	[MREGION_PAIR_IOAPIC] = {
		.len = 4,
		.flags = MREGION_RULE_READ | MREGION_RULE_WRITE,
		.index_len = 1, .bits = 0xff,
		.data = 16, .data_len = 4, .shift = 2,
	},
};

/* What is refused makes the transaction fail, as what the kernel refuses does. */
static int check_pair(const struct mregion_region *region,
		      const struct mregion_pair *pair, const char *what)
{
	if (!region || !pair || !pair->index)
		return mregion_refuse_null(what);
	if ((unsigned int)pair->kind >= ARRAY_SIZE(shapes))
		return mregion_refuse(region->machine, mregion_fail_why(EINVAL,
			"%s of '%s': there is no pair of kind %u", what,
			region->name, (unsigned int)pair->kind));
	return 0;
}

static int change_pair(struct mregion_region *region, uint32_t code,
		       const struct mregion_pair *pair, const char *what)
{
	struct mregion_op op = {
		.code = code,
		.rule.kind = MREGION_RULE_SHADOW,
	};
	const struct pair_shape *shape;
	int ret = check_pair(region, pair, what);

	if (ret)
		return ret;
	shape = &shapes[pair->kind];
	op.rule.flags = shape->flags;
	op.rule.offset = pair->offset;
	op.rule.len = shape->len;
	op.rule.access_len = shape->access_len;
	op.rule.shadow = pair->index->id;
	op.rule.shadow_offset = pair->index_offset;
	return mregion_change_indexed(region, &op, what);
}

int mregion_add_pair(struct mregion_region *region,
		     const struct mregion_pair *pair)
{
	return change_pair(region, MREGION_OP_RULE_ADD, pair,
			   "add an index register");
}

int mregion_del_pair(struct mregion_region *region,
		     const struct mregion_pair *pair)
{
	return change_pair(region, MREGION_OP_RULE_DEL, pair,
			   "delete an index register");
}

uint32_t mregion_pci_index(unsigned int bus, unsigned int device,
			   unsigned int function)
{
	if (bus > 255 || device > 31 || function > 7)
		return PCI_NO_INDEX;
	return PCI_ENABLE | bus << 16 | device << 11 | function << 8;
}

static struct mregion_indexed data_register(const struct mregion_pair *pair)
{
	const struct pair_shape *shape = &shapes[pair->kind];

	return (struct mregion_indexed){
		.offset = pair->offset + shape->data,
		.len = shape->data_len,
		.index = pair->index,
		.index_offset = pair->index_offset,
		.index_len = shape->index_len,
		.bits = shape->bits,
		.shift = shape->shift,
		.flags = MREGION_RULE_READ,
		.eventfd = -1,
	};
}

typedef int change_indexed_t(struct mregion_region *region,
			     const struct mregion_indexed *indexed);

static int change_shown(struct mregion_region *region,
			const struct mregion_pair *pair, uint32_t first,
			uint32_t last, uint32_t select,
			struct mregion_shadow *shadow, uint64_t shadow_offset,
			change_indexed_t *change)
{
	struct mregion_indexed indexed;
	int ret = check_pair(region, pair, "change a data register");

	if (ret)
		return ret;
	indexed = data_register(pair);
	if (pair->kind == MREGION_PAIR_PCI) {
		first = PCI_ENABLE | (first & PCI_DWORD);
		last = PCI_ENABLE | (last & PCI_DWORD);
		select &= PCI_DWORD;
	}
	indexed.first = first;
	indexed.last = last;
	indexed.select = select;
	indexed.shadow = shadow;
	indexed.shadow_offset = shadow_offset;
	return change(region, &indexed);
}

int mregion_show_in_pair(struct mregion_region *region,
			 const struct mregion_pair *pair, uint32_t first,
			 uint32_t last, uint32_t select,
			 struct mregion_shadow *shadow, uint64_t shadow_offset)
{
	return change_shown(region, pair, first, last, select, shadow,
			    shadow_offset, mregion_add_indexed);
}

int mregion_hide_in_pair(struct mregion_region *region,
			 const struct mregion_pair *pair, uint32_t first,
			 uint32_t last, uint32_t select,
			 struct mregion_shadow *shadow, uint64_t shadow_offset)
{
	return change_shown(region, pair, first, last, select, shadow,
			    shadow_offset, mregion_del_indexed);
}
