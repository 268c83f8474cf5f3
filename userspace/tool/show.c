// SPDX-License-Identifier: MIT
/* mregion show: machines, and what is in one. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "../array.h"
#include "columns.h"
#include "json.h"
#include "machines.h"
#include "show.h"
#include "text.h"
#include "tool.h"

/* What can be selected; each has a heading, and a key of JSON. */
static const struct {
	const char *word;
	unsigned int parts;
	bool is_usual;
	const char *key;
	void (*print)(const struct show *show);
	void (*json)(const struct show *show);
} selections[] = {
	{ "tree", SNAPSHOT_SPACES, true, "regions",
	  show_tree, show_regions_json },
	{ "spaces", SNAPSHOT_SPACES, false, "spaces",
	  show_spaces, show_spaces },
	{ "view", SNAPSHOT_VIEWS, true, "views",
	  show_views, show_views_json },
	{ "rules", SNAPSHOT_RULES, true, "rules",
	  show_rules, show_rules },
	{ "rings", SNAPSHOT_RINGS, false, "rings",
	  show_rings, show_rings },
	{ "servers", SNAPSHOT_SERVERS, false, "servers",
	  show_servers, show_servers },
	{ "shadows", SNAPSHOT_SHADOWS, false, "shadows",
	  show_shadows, show_shadows },
	{ "vms", SNAPSHOT_VMS, false, "vms",
	  show_vms, show_vms },
	{ "claims", SNAPSHOT_CLAIMS, false, "claims",
	  show_claims, show_claims },
};

bool show_filters(const struct show *show)
{
	return show->name || show->kind || show->has_address;
}

bool show_matches(const struct show *show, const struct live_region *region)
{
	return (!show->name || !fnmatch(show->name, region->name, 0)) &&
	       (!show->kind || show->kind == region->kind);
}

bool show_matches_id(const struct show *show, uint32_t id)
{
	const struct live_region *region;

	if (!show->name && !show->kind)
		return true;
	region = hierarchy_find(&show->hierarchy, id);
	return region && show_matches(show, region);
}

bool show_at(const struct show *show, uint32_t region, uint64_t offset,
	     uint64_t len)
{
	const struct live_range *at = show->at;
	size_t i;

	if (!show->has_address)
		return true;
	for (i = 0; i < show->snapshot.spaces.nr; i++, at++)
		if (at->region == region && at->offset >= offset &&
		    at->offset - offset <= len - 1)
			return true;
	return false;
}

/* Views may be long, and so may be what is looked up in them. */
static void look_up(struct show *show)
{
	const struct snapshot *snapshot = &show->snapshot;
	size_t i, j;

	show->at = tool_alloc(snapshot->spaces.nr, sizeof(*show->at));
	for (i = 0; i < snapshot->spaces.nr && show->has_address; i++) {
		const struct live_range *range = snapshot->views[i].items;

		for (j = 0; j < snapshot->views[i].nr; j++, range++) {
			if (range->start > show->address ||
			    range->last < show->address)
				continue;
			show->at[i] = *range;
			show->at[i].start = show->address;
			show->at[i].offset += show->address - range->start;
		}
	}
}

char *show_label(const struct hierarchy *hierarchy, uint32_t id)
{
	const struct live_region *region = hierarchy_find(hierarchy, id);
	char *label, *name;
	int ret;

	if (!region) {
		ret = asprintf(&label, "#%u", id);
	} else {
		name = text_name(region->name);
		ret = asprintf(&label, "#%u%s%s", id, *name ? " " : "", name);
		free(name);
	}
	if (ret < 0) {
		tool_error("out of memory");
		exit(1);
	}
	return label;
}

static void print_machines(const struct live_list *list)
{
	static const char *const heads[] = {
		">MACHINE", ">PID", "COMM", ">GENERATION", ">REGIONS",
		">SPACES", ">VMS", ">MEMORY",
	};
	struct columns columns = COLUMNS(heads, 0);
	const struct live_machine *machine = list->items;
	char len[TEXT_LEN_SIZE];
	size_t i;

	for (i = 0; i < list->nr; i++, machine++) {
		char *comm = text_name(machine->comm);

		columns_add(&columns, COLOUR_NAME, "%u", machine->id);
		if (machine->pid)
			columns_add(&columns, COLOUR_NONE, "%u", machine->pid);
		else
			columns_add(&columns, COLOUR_FAINT, "-");
		columns_add(&columns, COLOUR_NONE, "%s", comm);
		columns_add(&columns, COLOUR_NONE, "%" PRIu64,
			    machine->generation);
		columns_add(&columns, COLOUR_NONE, "%u", machine->nr_regions);
		columns_add(&columns, COLOUR_NONE, "%u", machine->nr_spaces);
		columns_add(&columns, COLOUR_NONE, "%u", machine->nr_vms);
		columns_add(&columns, COLOUR_NONE, "%s",
			    text_size(len, machine->memory));
		free(comm);
	}
	columns_print(&columns, -1);
}

static void print_machine(const struct show *show, unsigned int selected)
{
	const struct live_machine *machine =
		snapshot_machine(&show->snapshot);
	size_t i;

	printf("%smachine %u%s: ", colour_begin(COLOUR_HEADING), machine->id,
	       colour_end(COLOUR_HEADING));
	text_print(machine->comm);
	if (machine->pid)
		printf(", process %u", machine->pid);
	printf(", generation %" PRIu64 "\n", machine->generation);
	if (!show->snapshot.whole)
		tool_note("machine %u: it changes all the time: parts of this are of different generations",
			  machine->id);
	for (i = 0; i < ARRAY_SIZE(selections); i++)
		if (selected & 1u << i)
			selections[i].print(show);
}

static void print_machine_json(const struct show *show, unsigned int selected)
{
	const struct snapshot *snapshot = &show->snapshot;
	size_t i;

	json_begin_object(NULL);
	live_json(&live_machine_type, snapshot_machine(snapshot));
	json_bool("consistent", snapshot->whole);
	for (i = 0; i < ARRAY_SIZE(selections); i++) {
		if (!(selected & 1u << i))
			continue;
		json_begin_array(selections[i].key);
		selections[i].json(show);
		json_end_array();
	}
	json_end_object();
}

/* Return: 0, or a negative errno. */
static int show_machine(struct netlink *nl, uint32_t machine,
			struct show *show, unsigned int selected)
{
	/* All have names of regions in them. */
	unsigned int parts = SNAPSHOT_REGIONS;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(selections); i++)
		if (selected & 1u << i)
			parts |= selections[i].parts;
	if (show->has_address)
		parts |= SNAPSHOT_VIEWS;
	ret = snapshot_read(nl, machine, parts, &show->snapshot);
	if (!ret) {
		hierarchy_make(&show->hierarchy, &show->snapshot.regions);
		look_up(show);
		if (tool_json)
			print_machine_json(show, selected);
		else
			print_machine(show, selected);
		free(show->at);
		hierarchy_free(&show->hierarchy);
	}
	snapshot_free(&show->snapshot);
	return ret;
}

static bool show_machines(struct netlink *nl, const struct machines *machines,
			  const struct live_list *list, struct show *show,
			  unsigned int selected)
{
	const struct live_machine *machine = list->items;
	bool first = true;
	size_t i;
	int ret;

	for (i = 0; i < list->nr; i++, machine++) {
		if (!tool_json && !first)
			putchar('\n');
		ret = show_machine(nl, machine->id, show, selected);
		/* Of many, one may be gone by now. */
		if (ret == -ENOENT && !machines->id)
			continue;
		if (ret) {
			netlink_complain(nl, -ret, "machine %u", machine->id);
			return false;
		}
		first = false;
	}
	return true;
}

static bool show_all(const struct machines *machines, struct show *show,
		     unsigned int selected)
{
	const struct live_machine *machine;
	struct live_list list = {};
	struct netlink nl;
	bool ok;
	size_t i;

	if (!netlink_open(&nl))
		return false;
	ok = machines_read(&nl, machines, &list);
	if (ok && tool_json) {
		json_begin_object(NULL);
		json_begin_array("machines");
	}
	if (ok && selected) {
		ok = show_machines(&nl, machines, &list, show, selected);
	} else if (ok && tool_json) {
		machine = list.items;
		for (i = 0; i < list.nr; i++, machine++) {
			json_begin_object(NULL);
			live_json(&live_machine_type, machine);
			json_end_object();
		}
	} else if (ok) {
		print_machines(&list);
	}
	if (ok && tool_json) {
		json_end_array();
		json_end_object();
		json_end();
	}
	live_free(&list);
	netlink_close(&nl);
	return ok;
}

static bool select_word(const char *word, unsigned int *selected)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(selections); i++) {
		if (strcmp(word, selections[i].word))
			continue;
		*selected |= 1u << i;
		return true;
	}
	return false;
}

static bool take_kind(const char *word, uint32_t *kind)
{
	for (*kind = words_kind.first;
	     *kind < words_kind.first + words_kind.nr; ++*kind)
		if (!strcmp(word, words_find(&words_kind, *kind)))
			return true;
	return false;
}

/* Return: false after a complaint. */
static bool take_filter(const char *word, const char *value,
			struct show *show)
{
	const char *kind = "kind", *name = "name", *address = "addr";

	if (strcmp(word, kind) && strcmp(word, name) && strcmp(word, address)) {
		tool_error("show: '%s' is no machine, selection or filter; see 'mregion help show'",
			   word);
		return false;
	}
	if (!value) {
		tool_error("show: %s: which?", word);
		return false;
	}
	if (!strcmp(word, name)) {
		show->name = value;
		return true;
	}
	if (!strcmp(word, address)) {
		show->has_address = args_u64(value, &show->address);
		if (!show->has_address)
			tool_error("show: no such address: '%s'", value);
		return show->has_address;
	}
	if (!take_kind(value, &show->kind)) {
		tool_error("show: no such kind of region: '%s'", value);
		return false;
	}
	return true;
}

int tool_show(int argc, char **argv)
{
	struct machines machines;
	unsigned int selected = 0;
	struct show show = {};
	size_t i;

	argc--;
	argv++;
	if (!machines_take("show", &argc, &argv, &machines))
		return 2;
	while (argc) {
		if (select_word(*argv, &selected)) {
			argc--;
			argv++;
			continue;
		}
		if (!take_filter(argv[0], argc > 1 ? argv[1] : NULL, &show))
			return 2;
		argc -= 2;
		argv += 2;
	}
	/* Who asks for one wants to see what is in it. */
	if (!selected &&
	    (machines.id || machines.pid || show_filters(&show)))
		for (i = 0; i < ARRAY_SIZE(selections); i++)
			if (selections[i].is_usual)
				selected |= 1u << i;
	return !show_all(&machines, &show, selected);
}
