// SPDX-License-Identifier: MIT
/* mregion translate: what is at an address, and on which way. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "colour.h"
#include "hierarchy.h"
#include "json.h"
#include "machines.h"
#include "show.h"
#include "text.h"
#include "tool.h"
#include "wall_clock.h"

/*
 * How often a machine is read again that changes meanwhile, and for how many
 * seconds.
 */
#define MAX_TRIES	1000
#define MAX_SECONDS	3

/* Where a space of ports ends. */
#define PIO_LAST	0xffff

/**
 * struct translation - an answer
 * @machine: number of the machine
 * @address: the address
 * @found: what is there, as the kernel says, and the machine's regions
 * @whole: all of that is of one generation
 * @hierarchy: the regions
 * @way: the way to what is there, if @whole
 */
struct translation {
	uint32_t machine;
	uint64_t address;
	struct live_found found;
	bool whole;
	struct hierarchy hierarchy;
	struct hierarchy_way way;
};

static const struct live_space *space_of(const struct translation *t)
{
	return t->found.space.items;
}

static const struct live_range *range_of(const struct translation *t)
{
	return t->found.range.items;
}

static void free_found(struct live_found *found)
{
	live_free(&found->space);
	live_free(&found->range);
	live_free(&found->regions);
}

static void translation_free(struct translation *t)
{
	hierarchy_free(&t->hierarchy);
	free_found(&t->found);
}

/* The kernel has no such address, whatever it says of it. */
static bool is_beyond(const struct translation *t)
{
	return t->found.space.nr && space_of(t)->bus == MREGION_BUS_PIO &&
	       t->address > PIO_LAST;
}

/*
 * The machine's generation stands in each answer. Those of one generation fit
 * together.
 */
static int read_once(struct netlink *nl, uint32_t space, struct translation *t)
{
	const struct live_region *region;
	uint64_t generation;
	int ret;

	ret = live_look_up(nl, t->machine, space, t->address, &t->found);
	if (is_beyond(t))
		return -ERANGE;
	if (ret)
		return ret;
	generation = range_of(t)->generation;
	region = t->found.regions.items;
	t->whole = space_of(t)->generation == generation && region &&
		   region->generation == generation;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct live_region *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Return: 0, or a negative errno. */
static int read_all(struct netlink *nl, uint32_t space, struct translation *t)
{
	double end = wall_clock_seconds() + MAX_SECONDS;
	struct live_list *regions = &t->found.regions;
	unsigned int tries;
	int ret = 0;

	for (tries = 0; tries < MAX_TRIES && !t->whole && !ret; tries++) {
		if (tries && wall_clock_seconds() > end)
			break;
		free_found(&t->found);
		ret = read_once(nl, space, t);
	}
	if (ret)
		return ret;
	if (regions->nr)
		qsort(regions->items, regions->nr, sizeof(struct live_region),
		      by_id);
	hierarchy_make(&t->hierarchy, regions);
	if (t->whole)
		hierarchy_walk(&t->hierarchy, space_of(t)->root, t->address,
			       &t->way);
	return 0;
}

/* Whether the way leads to where the kernel says that it does. */
static bool agrees(const struct translation *t)
{
	const struct live_range *range = range_of(t);
	const struct hierarchy_step *end;

	if (!t->way.nr)
		return !range->region;
	end = &t->way.steps[t->way.nr - 1];
	return end->region->id == range->region &&
	       end->offset == range->offset;
}

/* What becomes of accesses where nothing is. */
static const char *answer(uint32_t policy)
{
	switch (policy) {
	case MREGION_POLICY_ONES:
		return "reads return all-ones, writes are dropped";
	case MREGION_POLICY_ZEROES:
		return "reads return zero, writes are dropped";
	case MREGION_POLICY_ERROR:
		return "accesses exit to the VMM, as errors of the guest";
	case MREGION_POLICY_DEFAULT:
	case MREGION_POLICY_EXIT:
		return "accesses exit to the VMM";
	default:
		return "a policy that this program does not know answers";
	}
}

static void print_step(const struct translation *t, unsigned int i)
{
	const struct hierarchy_step *step = &t->way.steps[i];
	const struct live_region *region = step->region;
	char *label = show_label(&t->hierarchy, region->id);
	char kind[WORDS_SIZE];

	printf("%*s%s%s%s (%s%s%s)", 2 * i + 2, "", colour_begin(COLOUR_NAME),
	       label, colour_end(COLOUR_NAME), colour_begin(COLOUR_KIND),
	       words_text(&words_kind, region->kind, kind),
	       colour_end(COLOUR_KIND));
	free(label);
	if (!i)
		printf(", root of the space");
	else if (t->way.steps[i - 1].region->kind == MREGION_ALIAS)
		printf(", shown from 0x%" PRIx64 " on",
		       t->way.steps[i - 1].region->target_offset);
	else
		printf(", mapped at 0x%" PRIx64 ", priority %d",
		       region->offset, region->priority);
	printf(": offset %s0x%" PRIx64 "%s\n", colour_begin(COLOUR_ADDRESS),
	       step->offset, colour_end(COLOUR_ADDRESS));
}

static void print(const struct translation *t)
{
	const struct live_space *space = space_of(t);
	const struct live_range *range = range_of(t);
	char bus[WORDS_SIZE], flags[WORDS_SIZE];
	unsigned int i;
	char *label;

	printf("machine %u, space %u (%s), address %s0x%" PRIx64 "%s: ",
	       t->machine, space->id, words_text(&words_bus, space->bus, bus),
	       colour_begin(COLOUR_ADDRESS), t->address,
	       colour_end(COLOUR_ADDRESS));
	if (!range->region) {
		printf("nothing, up to 0x%" PRIx64 ": %s\n", range->last,
		       answer(space->unassigned));
		return;
	}
	label = show_label(&t->hierarchy, range->region);
	printf("%s%s%s, offset 0x%" PRIx64 ", up to 0x%" PRIx64,
	       colour_begin(COLOUR_NAME), label, colour_end(COLOUR_NAME),
	       range->offset, range->last);
	free(label);
	if (range->flags)
		printf(" [%s]", words_flags_text(&words_range_flags,
						 range->flags, flags));
	putchar('\n');
	for (i = 0; i < t->way.nr; i++)
		print_step(t, i);
}

static void step_json(const struct hierarchy_step *step)
{
	json_begin_object(NULL);
	json_number("region", step->region->id);
	json_string("name", step->region->name);
	words_json("kind", &words_kind, step->region->kind);
	json_address("offset", step->offset);
	json_end_object();
}

static void print_json(const struct translation *t)
{
	const struct live_space *space = space_of(t);
	const struct live_range *range = range_of(t);
	const struct live_region *region =
		hierarchy_find(&t->hierarchy, range->region);
	unsigned int i;

	json_begin_object(NULL);
	json_number("machine", t->machine);
	json_number("space", space->id);
	words_json("bus", &words_bus, space->bus);
	json_number("generation", range->generation);
	json_bool("consistent", t->whole);
	json_address("address", t->address);
	json_address("last", range->last);
	if (range->region) {
		json_number("region", range->region);
		json_string("name", region ? region->name : "");
		words_json("kind", &words_kind, range->kind);
		words_flags_json("flags", &words_range_flags, range->flags);
		json_address("offset", range->offset);
	} else {
		json_null("region");
		words_json("unassigned", &words_policy, space->unassigned);
	}
	json_begin_array("path");
	for (i = 0; i < t->way.nr; i++)
		step_json(&t->way.steps[i]);
	json_end_array();
	json_end_object();
	json_end();
}

static bool translate(struct netlink *nl, uint32_t space,
		      struct translation *t)
{
	int ret = read_all(nl, space, t);

	if (ret == -ERANGE) {
		tool_error("machine %u, space %u, address 0x%" PRIx64 ": the space ends at 0x%x",
			   t->machine, space, t->address, PIO_LAST);
		return false;
	}
	if (ret) {
		netlink_complain(nl, -ret, "machine %u, space %u, address 0x%" PRIx64,
				 t->machine, space, t->address);
		return false;
	}
	if (t->whole && !agrees(t)) {
		tool_error("machine %u, space %u, address 0x%" PRIx64 ": the regions lead to region %u, and the view shows region %u",
			   t->machine, space, t->address,
			   t->way.nr ? t->way.steps[t->way.nr - 1].region->id :
				       0,
			   range_of(t)->region);
		return false;
	}
	if (tool_json) {
		print_json(t);
		return true;
	}
	print(t);
	/* The kernel's answer is right, whatever came behind it. */
	if (!t->whole)
		tool_note("machine %u: it changes all the time: the way to the address is not shown",
			  t->machine);
	return true;
}

int tool_translate(int argc, char **argv)
{
	struct translation *t;
	struct machines machines;
	struct netlink nl;
	uint32_t space;
	uint64_t address;
	bool ok;

	argc--;
	argv++;
	if (!machines_take("translate", &argc, &argv, &machines))
		return 2;
	if ((!machines.id && !machines.pid) || argc != 2) {
		tool_error("translate: which machine, space and address?; see 'mregion help translate'");
		return 2;
	}
	if (!args_id(argv[0], &space)) {
		tool_error("translate: no such number of a space: '%s'",
			   argv[0]);
		return 2;
	}
	if (!args_u64(argv[1], &address)) {
		tool_error("translate: no such address: '%s'", argv[1]);
		return 2;
	}

	if (!netlink_open(&nl))
		return 1;
	t = tool_alloc(1, sizeof(*t));
	t->address = address;
	ok = machines_one(&nl, &machines, &t->machine) &&
	     translate(&nl, space, t);
	translation_free(t);
	free(t);
	netlink_close(&nl);
	return !ok;
}
