// SPDX-License-Identifier: MIT
/* mregion show: the flat views of spaces. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/mregion.h>

#include "colour.h"
#include "json.h"
#include "names.h"
#include "show.h"
#include "text.h"

static bool is_shown(const struct show *show, const struct live_range *range)
{
	return show_matches_id(show, range->region) &&
	       (!show->has_address || (range->start <= show->address &&
				       range->last >= show->address));
}

/* As mregion render has it. */
static const char *range_type(const struct live_range *range)
{
	const struct mregion_range kernel = {
		.kind = range->kind,
		.flags = range->flags,
	};

	return mregion_range_type(&kernel);
}

static void print_range(const struct show *show,
			const struct live_range *range)
{
	char *label = show_label(&show->hierarchy, range->region);
	uint32_t flags = range->flags & ~MREGION_RANGE_ROMD;
	char text[WORDS_SIZE];

	printf("  %s%016" PRIx64 "-%016" PRIx64 "%s (%s%s%s): %s%s%s",
	       colour_begin(COLOUR_ADDRESS), range->start, range->last,
	       colour_end(COLOUR_ADDRESS), colour_begin(COLOUR_KIND),
	       range_type(range), colour_end(COLOUR_KIND),
	       colour_begin(COLOUR_NAME), label, colour_end(COLOUR_NAME));
	if (range->offset)
		printf(" @%016" PRIx64, range->offset);
	if (flags)
		printf(" [%s]", words_flags_text(&words_range_flags, flags,
						 text));
	putchar('\n');
	free(label);
}

static void print_heading(const struct show *show,
			  const struct live_space *space)
{
	char *root = show_label(&show->hierarchy, space->root);
	char bus[WORDS_SIZE], policy[WORDS_SIZE];

	printf("view of space %u (%s), root %s, unassigned %s, of generation %" PRIu64 ":\n",
	       space->id, words_text(&words_bus, space->bus, bus), root,
	       words_text(&words_policy, space->unassigned, policy),
	       space->view_generation);
	free(root);
}

/* A filter leaves out views that have nothing to show. */
void show_views(const struct show *show)
{
	const struct snapshot *snapshot = &show->snapshot;
	const struct live_space *space = snapshot->spaces.items;
	size_t i, j;

	for (i = 0; i < snapshot->spaces.nr; i++, space++) {
		const struct live_range *range = snapshot->views[i].items;
		bool begun = !show_filters(show);

		if (begun)
			print_heading(show, space);
		for (j = 0; j < snapshot->views[i].nr; j++, range++) {
			if (!is_shown(show, range))
				continue;
			if (!begun)
				print_heading(show, space);
			begun = true;
			print_range(show, range);
		}
	}
}

void show_views_json(const struct show *show)
{
	const struct snapshot *snapshot = &show->snapshot;
	const struct live_space *space = snapshot->spaces.items;
	size_t i, j;

	for (i = 0; i < snapshot->spaces.nr; i++, space++) {
		const struct live_range *range = snapshot->views[i].items;

		json_begin_object(NULL);
		json_number("space", space->id);
		words_json("bus", &words_bus, space->bus);
		json_number("generation", space->view_generation);
		json_begin_array("ranges");
		for (j = 0; j < snapshot->views[i].nr; j++, range++) {
			if (!is_shown(show, range))
				continue;
			json_begin_object(NULL);
			live_json(&live_range_type, range);
			json_string("type", range_type(range));
			json_end_object();
		}
		json_end_array();
		json_end_object();
	}
}
