// SPDX-License-Identifier: MIT
/* mregion show: the tree of regions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "colour.h"
#include "json.h"
#include "show.h"
#include "text.h"
#include "tool.h"

/* Lines do not become any longer below. */
#define MAX_INDENT	64

/*
 * A tree that is being printed. Regions may be nested deeper than a stack is
 * large, so that what is left to visit is kept here: @next has, for each level,
 * the children that are left. With @marks nothing is printed, but what would be is
 * marked there, by its index.
 */
struct tree {
	const struct show *show;
	bool *marks;
	void (*heading)(const struct show *show, uint32_t root);
	struct tree_level {
		const struct live_region *region;
		uint64_t address;
		const uint32_t *next;
		size_t left;
		bool printed;
	} *levels;
	size_t nr;
	size_t room;
};

static void print_flags(const struct show *show,
			const struct live_region *region)
{
	const char *separator = " [";
	char text[WORDS_SIZE];
	char *label;

	if (region->flags) {
		printf("%s%s%s%s", separator, colour_begin(COLOUR_OFF),
		       words_flags_text(&words_region_flags, region->flags,
					text),
		       colour_end(COLOUR_OFF));
		separator = ", ";
	}
	if (region->backing) {
		printf("%s%s 0x%" PRIx64, separator,
		       words_text(&words_backing, region->backing, text),
		       region->backing_offset);
		separator = ", ";
	}
	if (region->nr_rules) {
		printf("%s%u rule%s", separator, region->nr_rules,
		       region->nr_rules == 1 ? "" : "s");
		separator = ", ";
	}
	if (region->server) {
		printf("%sserver %u", separator, region->server);
		separator = ", ";
	}
	if (separator[0] == ',')
		putchar(']');
	if (region->kind == MREGION_ALIAS) {
		label = show_label(&show->hierarchy, region->target);
		printf(" @%s %016" PRIx64 "-%016" PRIx64, label,
		       region->target_offset,
		       region->target_offset + (region->len - 1));
		free(label);
	}
}

static void print_region(const struct show *show, size_t depth,
			 const struct live_region *region, uint64_t address)
{
	char kind[WORDS_SIZE], len[TEXT_LEN_SIZE];
	int indent = 2 * (int)(depth < MAX_INDENT ? depth : MAX_INDENT) + 2;

	printf("%*s%s%016" PRIx64 "-%016" PRIx64 "%s (prio %d, %s%s%s, %s): #%u ",
	       indent, "", colour_begin(COLOUR_ADDRESS), address,
	       address + (region->len - 1), colour_end(COLOUR_ADDRESS),
	       region->priority, colour_begin(COLOUR_KIND),
	       words_text(&words_kind, region->kind, kind),
	       colour_end(COLOUR_KIND), text_len(len, region->len),
	       region->id);
	fputs(colour_begin(COLOUR_NAME), stdout);
	text_print(region->name);
	fputs(colour_end(COLOUR_NAME), stdout);
	print_flags(show, region);
	putchar('\n');
}

static void push(struct tree *tree, const struct live_region *region,
		 uint64_t address)
{
	const struct hierarchy *hierarchy = &tree->show->hierarchy;
	struct tree_level *level;

	if (tree->nr == tree->room) {
		tree->room = tree->room ? 2 * tree->room : 64;
		tree->levels = tool_grow(tree->levels, tree->room,
					 sizeof(*tree->levels));
	}
	level = &tree->levels[tree->nr++];
	level->region = region;
	level->address = address;
	level->printed = false;
	level->next = hierarchy_children(hierarchy, hierarchy->by_address,
					 region->id, &level->left);
}

static bool is_shown(const struct show *show, const struct tree_level *level)
{
	return show_matches(show, level->region) &&
	       (!show->has_address ||
		show->address - level->address <= level->region->len - 1);
}

/* What is shown is shown with all that it is in. */
static void show_levels(struct tree *tree)
{
	const struct tree_level *last = &tree->levels[tree->nr - 1];
	size_t depth;

	if (!is_shown(tree->show, last))
		return;
	if (tree->marks) {
		tree->marks[last->region - tree->show->hierarchy.regions] =
			true;
		return;
	}
	if (!tree->levels[0].printed)
		tree->heading(tree->show, tree->levels[0].region->id);
	for (depth = 0; depth < tree->nr; depth++) {
		struct tree_level *level = &tree->levels[depth];

		if (level->printed)
			continue;
		print_region(tree->show, depth, level->region, level->address);
		level->printed = true;
	}
}

/* Return: whether anything was printed. */
static bool visit(struct tree *tree, const struct live_region *root)
{
	const struct hierarchy *hierarchy = &tree->show->hierarchy;
	bool printed = false;

	push(tree, root, 0);
	show_levels(tree);
	while (tree->nr) {
		struct tree_level *level = &tree->levels[tree->nr - 1];
		const struct live_region *child;

		printed |= level->printed;
		/* A dump that is not of one generation may have circles. */
		if (!level->left || tree->nr > hierarchy->nr) {
			tree->nr--;
			continue;
		}
		level->left--;
		child = &hierarchy->regions[*level->next++];
		push(tree, child, level->address + child->offset);
		show_levels(tree);
	}
	return printed;
}

/* Spaces of the same root have one tree. */
static void print_spaces(const struct show *show, uint32_t root)
{
	const struct live_space *spaces = show->snapshot.spaces.items;
	const char *separator = "space ";
	char bus[WORDS_SIZE];
	size_t i;

	for (i = 0; i < show->snapshot.spaces.nr; i++) {
		if (spaces[i].root != root)
			continue;
		printf("%s%u (%s)", separator, spaces[i].id,
		       words_text(&words_bus, spaces[i].bus, bus));
		separator = ", ";
	}
	fputs(":\n", stdout);
}

static void print_unmapped(const struct show *show, uint32_t root)
{
	(void)show;
	(void)root;
	fputs("not mapped:\n", stdout);
}

static void print_nothing(const struct show *show, uint32_t root)
{
	(void)show;
	(void)root;
}

/* Whether one of the first @nr spaces has this root. */
static bool is_root(const struct show *show, size_t nr, uint32_t region)
{
	const struct live_space *spaces = show->snapshot.spaces.items;
	size_t i;

	for (i = 0; i < nr; i++)
		if (spaces[i].root == region)
			return true;
	return false;
}

static void visit_all(const struct show *show, bool *marks)
{
	const struct hierarchy *hierarchy = &show->hierarchy;
	const struct live_space *spaces = show->snapshot.spaces.items;
	struct tree tree = { .show = show, .marks = marks };
	const struct live_region *region;
	const uint32_t *unmapped;
	size_t i, nr;

	tree.heading = print_spaces;
	for (i = 0; i < show->snapshot.spaces.nr; i++) {
		region = hierarchy_find(hierarchy, spaces[i].root);
		if (region && !is_root(show, i, region->id))
			visit(&tree, region);
	}
	/* What aliases show, mostly. An address in there is none of a space. */
	tree.heading = print_unmapped;
	unmapped = hierarchy_children(hierarchy, hierarchy->by_address, 0, &nr);
	for (i = 0; i < nr && !show->has_address; i++) {
		region = &hierarchy->regions[unmapped[i]];
		if (!is_root(show, show->snapshot.spaces.nr, region->id) &&
		    visit(&tree, region))
			tree.heading = print_nothing;
	}
	free(tree.levels);
}

void show_tree(const struct show *show)
{
	visit_all(show, NULL);
}

void show_regions_json(const struct show *show)
{
	const struct hierarchy *hierarchy = &show->hierarchy;
	bool *marks = tool_alloc(hierarchy->nr, sizeof(*marks));
	size_t i;

	visit_all(show, marks);
	for (i = 0; i < hierarchy->nr; i++) {
		if (!marks[i])
			continue;
		json_begin_object(NULL);
		live_json(&live_region_type, &hierarchy->regions[i]);
		json_end_object();
	}
	free(marks);
}
