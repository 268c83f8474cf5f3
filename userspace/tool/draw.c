// SPDX-License-Identifier: MIT
/* mregion draw: hierarchy and views of a topology, or of a machine, as SVG. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "backend.h"
#include "load.h"
#include "machines.h"
#include "options.h"
#include "picture_live.h"
#include "picture_topology.h"
#include "snapshot.h"
#include "tool.h"
#include "topology.h"

/**
 * struct draw - what was asked for
 * @path: the topology; of a machine: what complaints call it
 * @output: file to write to, or NULL for stdout
 * @title: of the drawing, or NULL
 * @spaces: names of those to be drawn, or a machine's numbers; none: all
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

/* Write a drawing that is complete. */
static bool write_svg(const char *path, const char *svg, size_t size)
{
	FILE *out = stdout;
	bool ok;

	if (path && strcmp(path, "-"))
		out = fopen(path, "we");
	if (!out) {
		tool_error("%s: cannot create: %s", path, strerror(errno));
		return false;
	}
	ok = fwrite(svg, 1, size, out) == size;
	/* Errors of stdout are told by who has called. */
	if (out == stdout)
		return true;
	if (fclose(out) || !ok) {
		tool_error("%s: cannot write: %s", path, strerror(errno));
		return false;
	}
	return true;
}

/* First in memory: a file that was there stays if nothing can be drawn. */
static bool write_picture(const struct draw *draw,
			  const struct picture *picture)
{
	char *svg = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&svg, &size);
	int ret = -ENOMEM;
	bool ok;

	if (out) {
		ret = picture_draw(out, picture, &draw->options);
		ok = !ferror(out);
		if (fclose(out) || !ok)
			ret = ret ? ret : -ENOMEM;
	}
	if (ret == -E2BIG)
		topology_error(draw->path, 0, "a space has too many regions to draw");
	else if (ret)
		topology_error(draw->path, 0, "out of memory");
	ok = !ret && write_svg(draw->output, svg, size);
	free(svg);
	return ok;
}

static bool draw_topology(const struct draw *draw,
			  const struct topology *topology)
{
	char *path = strdup(draw->path), *name, *dot;
	struct picture picture = { 0 };
	struct backend backend;
	bool ok;

	if (!path)
		tool_error("out of memory");
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

static uint32_t *take_numbers(const struct draw *draw)
{
	uint32_t *numbers = tool_alloc(draw->nr_spaces, sizeof(*numbers));
	size_t i;

	for (i = 0; i < draw->nr_spaces; i++) {
		if (args_id(draw->spaces[i], &numbers[i]))
			continue;
		tool_error("draw: no such number of a space: '%s'",
			   draw->spaces[i]);
		free(numbers);
		return NULL;
	}
	return numbers;
}

static bool draw_snapshot(struct draw *draw, struct picture *picture,
			  const struct snapshot *snapshot)
{
	const struct live_machine *machine = snapshot_machine(snapshot);
	char *path, *title;
	bool ok;

	if (asprintf(&path, "machine %u", machine->id) < 0)
		path = NULL;
	if (!path || asprintf(&title, "%s: %s, generation %" PRIu64, path,
			      machine->comm, machine->generation) < 0) {
		tool_error("out of memory");
		free(path);
		return false;
	}
	draw->path = path;
	picture->title = draw->title ? draw->title : title;
	ok = picture->nr_spaces;
	if (!ok)
		tool_error("%s: %s", path, draw->nr_spaces ?
			   "there is no space of that number" :
			   "there is no space to draw");
	ok = ok && write_picture(draw, picture);
	free(title);
	free(path);
	return ok;
}

static bool draw_machine(struct draw *draw, const struct machines *machines,
			 const uint32_t *spaces)
{
	struct snapshot snapshot = {};
	struct picture picture = {};
	struct netlink nl;
	uint32_t id;
	bool ok;

	if (!netlink_open(&nl))
		return false;
	ok = machines_one(&nl, machines, &id) &&
	     picture_of_machine(&picture, &snapshot, &nl, id, spaces,
				draw->nr_spaces) &&
	     draw_snapshot(draw, &picture, &snapshot);
	picture_live_free(&picture);
	snapshot_free(&snapshot);
	netlink_close(&nl);
	return ok;
}

static int take_machine(struct draw *draw, const struct machines *machines)
{
	uint32_t *spaces;
	bool ok;

	if (draw->offline) {
		tool_error("draw: --offline: a machine is the module's; see 'mregion help draw'");
		return 2;
	}
	spaces = take_numbers(draw);
	if (!spaces)
		return 2;
	ok = draw_machine(draw, machines, spaces);
	free(spaces);
	return !ok;
}

static int take_file(struct draw *draw, const char *path)
{
	struct topology topology;
	bool ok;

	draw->path = path;
	ok = topology_read(path, &topology) && draw_topology(draw, &topology);
	topology_free(&topology);
	return !ok;
}

/* A file may well be called 3.topo. */
static bool names_machine(const char *word)
{
	uint64_t number;

	return !strcmp(word, "pid") || args_u64(word, &number);
}

int tool_draw(int argc, char **argv)
{
	struct draw draw = {
		.output = tool_options.output,
		.title = tool_options.title,
		.spaces = tool_options.spaces,
		.nr_spaces = tool_options.nr_spaces,
		.offline = tool_options.offline,
		.options.all = tool_options.all,
	};
	struct machines machines = {};
	const char *path = NULL;

	argc--;
	argv++;
	if (!argc) {
		tool_error("draw: which file or machine?; see 'mregion help draw'");
		return 2;
	}
	if (!names_machine(*argv)) {
		path = *argv;
		argc--;
	} else if (!machines_take("draw", &argc, &argv, &machines)) {
		return 2;
	}
	if (argc) {
		tool_error("draw: one file or machine at a time; see 'mregion help draw'");
		return 2;
	}
	return path ? take_file(&draw, path) : take_machine(&draw, &machines);
}
