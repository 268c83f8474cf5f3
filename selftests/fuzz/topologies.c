// SPDX-License-Identifier: GPL-2.0
/*
 * The module's rendering, as an ordinary program, of what QEMU has rendered:
 * NAME.topo is read by the command's own reader, and the views of its spaces
 * are compared with NAME.flat, byte for byte. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/limits.h"
#include "flat.h"
#include "../../module/tree.h"
#include "names.h"
#include "topology.h"

struct topologies {
	struct topology file;
	struct mregion_node *nodes;	/* as @file.regions */
	struct mregion_tree tree;
};

static size_t topologies_index(const struct topologies *t, uint32_t id)
{
	return topology_find(&t->file, id) - t->file.regions;
}

static struct mregion_node *topologies_node(const struct topologies *t,
					    uint32_t id)
{
	return &t->nodes[topologies_index(t, id)];
}

static void topologies_make_regions(struct topologies *t)
{
	const struct topology_region *region = t->file.regions;
	size_t i;

	for (i = 0; i < t->file.nr_regions; i++, region++) {
		struct mregion_node *node = &t->nodes[i];

		mregion_node_init(node, region->kind, NULL);
		node->state.last = region->len - 1;
		/* rendering follows this, and does not look at lists of aliases */
		if (region->kind == MREGION_ALIAS) {
			node->target = topologies_node(t, region->target);
			node->state.target_offset = region->offset;
		}
	}
}

/* False if something cannot be mapped as the file says. */
static bool topologies_make(struct topologies *t)
{
	struct mregion_work work = { .left = MREGION_MAX_WORK };
	size_t i;

	t->nodes = calloc(t->file.nr_regions + 1, sizeof(*t->nodes));
	if (!t->nodes)
		abort();
	topologies_make_regions(t);
	for (i = 0; i < t->file.nr_flags; i++)
		topologies_node(t, t->file.flags[i].id)->state.flags |=
			t->file.flags[i].flag;
	for (i = 0; i < t->file.nr_maps; i++) {
		const struct topology_map *map = &t->file.maps[i];
		struct mregion_node *parent = topologies_node(t, map->parent);
		struct mregion_node *node = topologies_node(t, map->child);
		struct mregion_node_state state = node->state;
		int ret = mregion_tree_check_map(parent, node, &work);

		if (ret) {
			printf("# line %zu: error %d\n", map->line, ret);
			return false;
		}
		state.parent = parent;
		state.addr = map->offset;
		state.priority = map->priority;
		state.order = ++t->tree.order;
		mregion_node_set_state(node, &state);
	}
	return true;
}

static bool topologies_print(const struct topologies *t,
			     const struct topology_space *space, FILE *out)
{
	struct mregion_work work = { .left = MREGION_MAX_WORK };
	struct mregion_range range;
	struct mregion_view *view;
	const struct mregion_view_range *at;

	view = flat_render(topologies_node(t, space->root), ~0ull, &work);
	if (IS_ERR(view)) {
		printf("# space %s: error %ld\n", space->name, PTR_ERR(view));
		return false;
	}
	fprintf(out, "space %s\n", space->name);
	flat_for_each(at, view) {
		size_t region = at->node - t->nodes;

		mregion_view_describe(at, t->file.regions[region].id, &range);
		fprintf(out, "%016llx %016llx %016llx %s %s\n", range.start,
			range.last, range.offset, mregion_range_type(&range),
			t->file.regions[region].name);
	}
	flat_free(view);
	return true;
}

/* Tell the first line that differs. */
static bool topologies_same(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool same = file;

	if (!file)
		perror(path);
	while (same && (len = getline(&line, &size, file)) >= 0) {
		same = !strncmp(text, line, len);
		if (!same)
			printf("# QEMU:     %s# mregion:  %.*s\n", line,
			       (int)strcspn(text, "\n"), text);
		else
			text += len;
	}
	if (same && *text) {
		printf("# more than QEMU has: %.*s\n", (int)strcspn(text, "\n"),
		       text);
		same = false;
	}
	free(line);
	if (file)
		fclose(file);
	return same;
}

/* @path ends in .topo. */
static bool topologies_compare(const char *path)
{
	struct topologies t = { 0 };
	bool same = topology_read(path, &t.file) && t.file.nr_spaces &&
		    topologies_make(&t);
	char flat[4096], *text = NULL;
	size_t size = 0, i;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		abort();
	for (i = 0; same && i < t.file.nr_spaces; i++)
		same = topologies_print(&t, &t.file.spaces[i], out);
	fclose(out);
	snprintf(flat, sizeof(flat), "%.*s.flat", (int)strlen(path) - 5, path);
	same = same && topologies_same(flat, text);
	free(text);
	free(t.nodes);
	topology_free(&t.file);
	return same;
}

int main(int argc, char **argv)
{
	int i, failed = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: topologies NAME.topo...\n");
		return 2;
	}
	printf("TAP version 13\n1..%d\n", argc - 1);
	for (i = 1; i < argc; i++) {
		size_t len = strlen(argv[i]);
		bool same = len > 5 && !strcmp(argv[i] + len - 5, ".topo") &&
			    topologies_compare(argv[i]);

		printf("%sok %d - %s\n", same ? "" : "not ", i, argv[i]);
		failed += !same;
	}
	printf("%d passed, %d failed\n", argc - 1 - failed, failed);
	return failed != 0;
}
