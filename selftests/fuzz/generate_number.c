// SPDX-License-Identifier: GPL-2.0
/* Addresses and lengths that are likely to meet. */
#include "generate.h"
#include "generate_number.h"

/* An address that has a meaning already, or one beside it. */
static u64 generate_known(struct generator *g)
{
	const struct model_region *r;
	u64 addr = 0;

	r = &g->w->model.region[input_below(g->in, MODEL_REGIONS) %
				(g->w->nr_regions + 1)];
	switch (input_below(g->in, 4)) {
	case 0:
		addr = r->addr;
		break;
	case 1:
		addr = r->last;
		break;
	case 2:
		addr = r->addr + r->last;
		break;
	case 3:
		addr = r->target_offset;
		break;
	}
	return addr + input_below(g->in, 3) - 1;
}

/**
 * generate_addr() - an address or offset
 * @g: the generator
 */
u64 generate_addr(struct generator *g)
{
	unsigned int way = input_below(g->in, 8);

	if (way >= 6)
		return generate_known(g);
	switch (g->scale) {
	case GENERATE_SMALL:
		return input_byte(g->in) % (way == 5 ? 256 : 64);
	case GENERATE_PAGES:
		return (u64)input_byte(g->in) << (way == 5 ? 24 : 12);
	case GENERATE_HUGE:
		break;
	}
	switch (way) {
	case 0:
		return input_byte(g->in);
	case 1:
		return -(u64)input_byte(g->in);
	case 2:
		return 1ull << input_below(g->in, 64);
	case 3:
		return (u64)input_byte(g->in) << input_below(g->in, 64);
	case 4:
		return -((u64)input_byte(g->in) << input_below(g->in, 64));
	default:
		return input_u64(g->in);
	}
}

/**
 * generate_last() - a length, less one
 * @g: the generator
 */
u64 generate_last(struct generator *g)
{
	switch (input_below(g->in, 8)) {
	case 7:
		return ~0ull;
	case 6:
		return generate_addr(g);
	case 5:
		return (u64)input_u64(g->in) >> input_below(g->in, 64);
	}
	switch (g->scale) {
	case GENERATE_SMALL:
		return input_below(g->in, 48);
	case GENERATE_PAGES:
		return ((1 + (u64)input_below(g->in, 64)) << 12) - 1;
	case GENERATE_HUGE:
		break;
	}
	return ((u64)input_byte(g->in) << input_below(g->in, 64)) - 1;
}
