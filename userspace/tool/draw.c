// SPDX-License-Identifier: MIT
/* mregion draw: hierarchy and views of a topology as SVG. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "load.h"
#include "options.h"
#include "picture_topology.h"
#include "tool.h"
#include "topology.h"

/**
 * struct draw - what was asked for
 * @path: the topology
 * @output: file to write to, or NULL for stdout
 * @title: of the drawing, or NULL
 * @spaces: names of those to be drawn; none: all
 * @nr_spaces: how many
 * @offline: without the module
 * @options: of the drawing
 */
struct draw {
	const char *path;
	const char *output;
	const char *title;
	char **spaces;
	size_t nr_spaces;
	bool offline;
	struct picture_options options;
};

static bool write_picture(const struct draw *draw,
			  const struct picture *picture)
{
	FILE *out = stdout;
	bool ok;
	int ret;

	if (draw->output && strcmp(draw->output, "-"))
		out = fopen(draw->output, "we");
	if (!out) {
		tool_error("%s: cannot create: %s", draw->output,
			   strerror(errno));
		return false;
	}
	ret = picture_draw(out, picture, &draw->options);
	if (ret == -E2BIG)
		topology_error(draw->path, 0, "a space has too many regions to draw");
	else if (ret)
		topology_error(draw->path, 0, "out of memory");
	/* Errors of stdout are told by who has called. */
	if (out == stdout)
		return !ret;
	ok = !ferror(out);
	if (fclose(out) || !ok) {
		tool_error("%s: cannot write: %s", draw->output,
			   strerror(errno));
		return false;
	}
	return !ret;
}

static bool draw_topology(const struct draw *draw,
			  const struct topology *topology)
{
	char *path = strdup(draw->path), *name, *dot;
	struct picture picture = { 0 };
	struct backend backend;
	bool ok;

	if (!path || !backend_open(&backend, draw->offline)) {
		free(path);
		return false;
	}
	name = basename(path);
	dot = strrchr(name, '.');
	if (dot && !strcmp(dot, ".topo"))
		*dot = '\0';
	picture.title = draw->title ? draw->title : name;
	ok = load_topology(&backend, draw->path, topology) &&
	     picture_of_topology(&picture, &backend, draw->path, topology,
				 draw->spaces, draw->nr_spaces);
	if (ok && !picture.nr_spaces) {
		topology_error(draw->path, 0, draw->nr_spaces ?
			       "there is no space of that name" :
			       "there is no space to draw");
		ok = false;
	}
	ok = ok && write_picture(draw, &picture);
	picture_topology_free(&picture);
	backend_close(&backend);
	free(path);
	return ok;
}

int tool_draw(int argc, char **argv)
{
	struct draw draw = {
		.path = argv[1],
		.output = tool_options.output,
		.title = tool_options.title,
		.spaces = tool_options.spaces,
		.nr_spaces = tool_options.nr_spaces,
		.offline = tool_options.offline,
		.options.all = tool_options.all,
	};
	struct topology topology;
	bool ok;

	if (argc != 2) {
		tool_error("draw: %s; see 'mregion help draw'",
			   argc < 2 ? "which file?" : "one file at a time");
		return 2;
	}
	ok = topology_read(draw.path, &topology) &&
	     draw_topology(&draw, &topology);
	topology_free(&topology);
	return !ok;
}
