// SPDX-License-Identifier: GPL-2.0
#include <linux/mregion.h>

#include "generate.h"
#include "generate_number.h"

static const u32 generate_kinds[] = {
	MREGION_CONTAINER, MREGION_CONTAINER, MREGION_CONTAINER, MREGION_ALIAS,
	MREGION_ALIAS, MREGION_ALIAS, MREGION_ALIAS, MREGION_MMIO,
	MREGION_MMIO, MREGION_MMIO, MREGION_RAM, MREGION_RAM,
	MREGION_ROM, MREGION_ROMD, MREGION_RAMDEV, MREGION_RESERVATION,
};

#define GENERATE_NR_KINDS \
	(sizeof(generate_kinds) / sizeof(*generate_kinds))

/* A region that exists. There is always one: spaces have roots. */
static int generate_region(struct generator *g)
{
	int id = input_below(g->in, MODEL_REGIONS);

	/* there are few, with low indexes, most of the time */
	if (!g->w->model.region[id].used)
		id %= g->w->nr_regions;
	while (!g->w->model.region[id].used)
		id = (id + 1) % MODEL_REGIONS;
	return id;
}

/* One that can have subregions, if there is one nearby. */
static int generate_parent(struct generator *g)
{
	int id = generate_region(g), i;

	for (i = 0; i < 8; i++) {
		int other = (id + i) % MODEL_REGIONS;

		if (g->w->model.region[other].used &&
		    g->w->model.region[other].kind != MREGION_ALIAS)
			return other;
	}
	return id;
}

static u32 generate_flags(struct generator *g)
{
	u32 flags = input_byte(g->in);

	if (flags & 3 << 6)
		return 0;
	/* most regions ought to be visible */
	if (!input_once_in(g->in, 4))
		flags &= ~MREGION_REGION_DISABLED;
	return flags & (MREGION_REGION_READONLY | MREGION_REGION_DISABLED |
			MREGION_REGION_NONVOLATILE |
			MREGION_REGION_UNMERGEABLE |
			MREGION_REGION_ROMD_OFF | MREGION_REGION_LOG_DIRTY);
}

static int generate_priority(struct generator *g)
{
	unsigned int byte = input_byte(g->in);

	switch (byte) {
	case 254:
		return -2147483647 - 1;
	case 255:
		return 2147483647;
	default:
		return (int)(byte % 5) - 2;
	}
}

static void generate_map(struct generator *g, int parent, int id)
{
	u64 addr = generate_addr(g);

	world_map(g->w, parent, id, addr, generate_priority(g));
}

static void generate_create(struct generator *g)
{
	u32 kind = generate_kinds[input_below(g->in, GENERATE_NR_KINDS)];
	u32 flags = generate_flags(g);
	u64 last = generate_last(g), offset = 0;
	int target = -1, id;

	if (g->w->nr_regions >= GENERATE_REGIONS)
		return;
	if (kind == MREGION_ALIAS) {
		target = generate_region(g);
		offset = generate_addr(g);
	}
	id = world_create(g->w, kind, flags, last, target, offset);
	if (!input_once_in(g->in, 8))
		generate_map(g, generate_parent(g), id);
}

/* A container with @id in it. */
static int generate_around(struct generator *g, int id, u64 addr)
{
	int parent = world_create(g->w, MREGION_CONTAINER, 0, ~0ull, -1, 0);

	if (parent >= 0 && g->w->model.region[id].parent < 0)
		world_map(g->w, parent, id, addr, 0);
	return parent;
}

/*
 * Regions in regions, around one that is there, as deep as the limit and
 * beyond: containers, aliases of aliases, or either, at random.
 */
static void generate_tower(struct generator *g)
{
	int id = generate_region(g);
	unsigned int height = input_below(g->in, 80);
	unsigned int style = input_below(g->in, 3);

	while (height-- && id >= 0 && !world_full(g->w)) {
		bool alias = style == 2 ? input_byte(g->in) & 1 : style;

		if (alias || g->w->model.region[id].parent >= 0)
			id = world_create(g->w, MREGION_ALIAS, 0, ~0ull, id, 0);
		else
			id = generate_around(g, id, 0);
	}
	if (id >= 0)
		generate_map(g, generate_parent(g), id);
}

/*
 * Containers with two aliases each of the one before: 2^n ways to the first. They are
 * found in the order in which the aliases were made: not always by address.
 */
static void generate_pyramid(struct generator *g)
{
	int id = generate_region(g);
	unsigned int height = 4 + input_below(g->in, 6);
	u64 size = 1 + (u64)input_below(g->in, 16);

	if (input_byte(g->in) & 1 && !world_full(g->w)) {
		/* of its own, and mostly with gaps between them */
		id = world_create(g->w, MREGION_MMIO, 0,
				  input_below(g->in, 16), -1, 0);
		if (id < 0)
			return;
		size += g->w->model.region[id].last;
	}
	g->bottom = id;
	while (height-- && id >= 0 && !world_full(g->w)) {
		int first = world_create(g->w, MREGION_ALIAS, 0, ~0ull, id, 0);
		int second = world_create(g->w, MREGION_ALIAS, 0, ~0ull, id, 0);
		bool back = input_byte(g->in) & 1;

		if (second < 0)
			return;
		id = generate_around(g, first, back ? size : 0);
		if (id < 0)
			return;
		world_map(g->w, id, second, back ? 0 : size, 0);
		size *= 2;
	}
	if (id >= 0)
		generate_map(g, input_byte(g->in) & 1 ? generate_parent(g) :
							 g->w->space[0].root,
			     id);
}

/* A change of what the last pyramid shows so often. */
static void generate_below(struct generator *g)
{
	int id = g->bottom;

	if (!g->w->model.region[id].used)
		return;
	switch (input_below(g->in, 4)) {
	case 0:
		world_resize(g->w, id, generate_last(g));
		break;
	case 1:
		world_set_flags(g->w, id, generate_flags(g));
		break;
	default:
		world_set_behaviour(g->w, id, input_byte(g->in));
	}
}

/*
 * Aliases side by side that show slices of one region, which merge again where
 * neither addresses nor offsets leave a gap, nor attributes differ.
 */
static void generate_slices(struct generator *g)
{
	int target = generate_region(g), parent = generate_parent(g), i, id;
	u64 addr = generate_addr(g), offset = generate_addr(g);
	u32 flags = generate_flags(g);
	/* offsets of a region of 2^64 go on from the last to the first, too */
	bool wrap = input_once_in(g->in, 8);

	if (wrap && !world_full(g->w))
		target = world_create(g->w, MREGION_RAM, 0, ~0ull, -1, 0);
	if (target < 0)
		return;
	for (i = 1 + input_below(g->in, 4); i; i--) {
		u64 last = generate_last(g);

		if (wrap)
			offset = -last - 1;
		wrap = false;
		if (g->w->nr_regions >= GENERATE_REGIONS)
			return;
		id = world_create(g->w, MREGION_ALIAS, flags, last, target,
				  offset);
		world_map(g->w, parent, id, addr, 0);
		addr += last + 1;
		offset += last + 1;
		switch (input_below(g->in, 8)) {
		case 5:
			addr++;
			break;
		case 6:
			offset++;
			break;
		case 7:
			addr++;
			offset++;
			break;
		}
		if (input_once_in(g->in, 4))
			flags ^= MREGION_REGION_READONLY;
		if (input_once_in(g->in, 4))
			flags ^= MREGION_REGION_NONVOLATILE;
	}
}

/*
 * An alias of a region that holds it: beside its own window, beginning or ending
 * within it, so that it shows itself some times, each time further on, or right
 * on it, without end. Now and then by way of another alias.
 */
static void generate_self(struct generator *g)
{
	int parent = generate_parent(g), target = parent, id;
	unsigned int up = input_below(g->in, 4);
	u64 addr = generate_addr(g), last = generate_last(g);
	u64 offset = addr, distance = 0;

	if (g->w->nr_regions >= GENERATE_REGIONS)
		return;
	while (up-- && g->w->model.region[target].parent >= 0) {
		offset += g->w->model.region[target].addr;
		target = g->w->model.region[target].parent;
	}
	switch (input_below(g->in, 16)) {
	case 0 ... 5:
		distance = last + 1;
		break;
	case 6 ... 9:
		distance = generate_addr(g);
		break;
	case 10 ... 14:
		distance = (last >> input_below(g->in, 5)) + 1;
		break;
	}
	offset += input_byte(g->in) & 1 ? distance : -distance;
	if (input_once_in(g->in, 4))
		target = world_create(g->w, MREGION_ALIAS, 0, ~0ull, target, 0);
	id = world_create(g->w, MREGION_ALIAS, generate_flags(g), last, target,
			  offset);
	world_map(g->w, parent, id, addr, generate_priority(g));
}

static void generate_remap(struct generator *g)
{
	int id = generate_region(g);

	world_unmap(g->w, id);
	if (input_byte(g->in) & 3)
		generate_map(g, generate_parent(g), id);
}

static void generate_set_root(struct generator *g)
{
	unsigned int space = 1 + input_below(g->in, WORLD_SPACES - 1);
	bool none = input_once_in(g->in, 4);

	/* the first space always has a root */
	world_set_root(g->w, space, none ? -1 : generate_region(g));
}

/**
 * generate_spaces() - make the spaces, and a root for the first
 * @g: the generator
 */
void generate_spaces(struct generator *g)
{
	u64 last = ~0ull;
	int i, root;

	for (i = 0; i < WORLD_SPACES; i++) {
		switch (input_below(g->in, 4)) {
		case 0:
			last = 0xffff;
			break;
		case 1:
			last = generate_last(g);
			break;
		default:
			last = ~0ull;
		}
		if (g->scale == GENERATE_SMALL)
			last = 63 + input_below(g->in, 256 - 63);
		g->w->space[i].last = last;
	}
	root = world_create(g->w, input_once_in(g->in, 16) ? MREGION_MMIO :
			    MREGION_CONTAINER, 0,
			    input_once_in(g->in, 4) ? generate_last(g) : ~0ull,
			    -1, 0);
	world_set_root(g->w, 0, root);
}

/**
 * generate_change() - make a change
 * @g: the generator
 *
 * Return: false if there are no more to be made.
 */
bool generate_change(struct generator *g)
{
	if (!g->in->left || world_full(g->w))
		return false;
	switch (input_below(g->in, 32)) {
	case 0 ... 9:
		generate_create(g);
		break;
	case 10:
		generate_self(g);
		break;
	case 11 ... 12:
		generate_slices(g);
		break;
	case 13 ... 14:
		world_free(g->w, generate_region(g));
		break;
	case 15 ... 16:
		generate_map(g, generate_parent(g), generate_region(g));
		break;
	case 17 ... 19:
		generate_remap(g);
		break;
	case 20 ... 22:
		world_move(g->w, generate_region(g), generate_addr(g));
		break;
	case 23 ... 24:
		world_resize(g->w, generate_region(g), generate_last(g));
		break;
	case 25 ... 26:
		world_set_flags(g->w, generate_region(g), generate_flags(g));
		break;
	case 27:
		world_set_behaviour(g->w, generate_region(g),
				    input_byte(g->in));
		break;
	case 28:
		world_set_alias(g->w, generate_region(g), generate_addr(g));
		break;
	case 29:
		generate_set_root(g);
		break;
	case 30:
		if (input_byte(g->in) & 1)
			generate_tower(g);
		break;
	case 31:
		if (!(input_byte(g->in) & 3))
			generate_pyramid(g);
		else
			generate_below(g);
		break;
	}
	return true;
}
