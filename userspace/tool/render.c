// SPDX-License-Identifier: MIT
/* mregion render: the flat views of a topology. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "backend.h"
#include "json.h"
#include "load.h"
#include "mregion.h"
#include "names.h"
#include "options.h"
#include "tool.h"
#include "topology.h"

static void print_text(const struct topology *topology,
		       const struct topology_space *space,
		       const struct mregion_view *view)
{
	const struct mregion_range *range = view->ranges;
	size_t i;

	printf("space %s\n", space->name);
	for (i = 0; i < view->nr; i++, range++)
		printf("%016llx %016llx %016llx %s %s\n", range->start,
		       range->last, range->offset, mregion_range_type(range),
		       topology_find(topology, range->region)->name);
}

static void print_json(const struct topology *topology,
		       const struct topology_space *space,
		       const struct mregion_view *view)
{
	const struct mregion_range *range = view->ranges;
	size_t i;

	json_begin_object(NULL);
	json_string("name", space->name);
	json_begin_array("ranges");
	for (i = 0; i < view->nr; i++, range++) {
		json_begin_object(NULL);
		json_address("start", range->start);
		json_address("last", range->last);
		json_address("offset", range->offset);
		json_string("type", mregion_range_type(range));
		json_number("region", range->region);
		json_string("name",
			    topology_find(topology, range->region)->name);
		json_end_object();
	}
	json_end_array();
	json_end_object();
}

static bool print_views(const struct backend *backend, const char *path,
			const struct topology *topology)
{
	const struct topology_space *space = topology->spaces;
	struct mregion_view *view;
	size_t i;
	int ret;

	for (i = 0; i < topology->nr_spaces; i++, space++) {
		ret = backend_view(backend, i + 1, &view);
		if (ret) {
			topology_error(path, space->line,
				       "cannot read the view: %s",
				       strerror(-ret));
			return false;
		}
		if (tool_json)
			print_json(topology, space, view);
		else
			print_text(topology, space, view);
		free(view);
	}
	return true;
}

static bool print_all(const struct backend *backend, const char *path,
		      const struct topology *topology)
{
	bool ok;

	if (!tool_json)
		return print_views(backend, path, topology);
	json_begin_object(NULL);
	json_begin_array("spaces");
	ok = print_views(backend, path, topology);
	/* of what was written before an error, nothing is left */
	if (!ok)
		return false;
	json_end_array();
	json_end_object();
	json_end();
	return true;
}

static bool render(const char *path, const struct topology *topology,
		   bool offline)
{
	struct backend backend;
	bool ok;

	if (!backend_open(&backend, offline))
		return false;
	ok = load_topology(&backend, path, topology) &&
	     print_all(&backend, path, topology);
	backend_close(&backend);
	return ok;
}

int tool_render(int argc, char **argv)
{
	struct topology topology;
	bool ok;

	if (argc != 2) {
		tool_error("render: %s; see 'mregion help'",
			   argc < 2 ? "which file?" : "one file at a time");
		return 2;
	}
	ok = topology_read(argv[1], &topology) &&
	     render(argv[1], &topology, tool_options.offline);
	/* No mistake, but hardly what was meant. */
	if (ok && !topology.nr_spaces)
		tool_note("%s: there is no space to render", argv[1]);
	topology_free(&topology);
	return !ok;
}
