// SPDX-License-Identifier: MIT
/* mregion render: the flat views of a topology. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/mregion.h>

#include "json.h"
#include "kernel.h"
#include "load.h"
#include "mregion.h"
#include "names.h"
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

static bool print_views(int fd, const char *path,
			const struct topology *topology)
{
	const struct topology_space *space = topology->spaces;
	struct mregion_view *view;
	size_t i;
	int ret;

	for (i = 0; i < topology->nr_spaces; i++, space++) {
		ret = mregion_kernel_view(fd, i + 1, NULL, &view);
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

static bool print_all(int fd, const char *path,
		      const struct topology *topology)
{
	bool ok;

	if (!tool_json)
		return print_views(fd, path, topology);
	json_begin_object(NULL);
	json_begin_array("spaces");
	ok = print_views(fd, path, topology);
	json_end_array();
	json_end_object();
	json_end();
	return ok;
}

static bool render(const char *path, const struct topology *topology)
{
	struct mregion_info info;
	bool ok;
	int fd;

	fd = mregion_kernel_open(NULL, &info);
	if (fd < 0) {
		tool_error("%s", mregion_error());
		return false;
	}
	ok = load_topology(fd, &info, path, topology) &&
	     print_all(fd, path, topology);
	close(fd);
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
	ok = topology_read(argv[1], &topology) && render(argv[1], &topology);
	/* No mistake, but hardly what was meant. */
	if (ok && !topology.nr_spaces)
		topology_error(argv[1], 0, "there is no space to render");
	topology_free(&topology);
	return !ok;
}
