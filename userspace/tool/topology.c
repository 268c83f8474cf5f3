// SPDX-License-Identifier: MIT
/* Topology files: machines written down a statement a line. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "../array.h"
#include "scan.h"
#include "tool.h"
#include "topology.h"

void topology_error(const char *path, size_t line, const char *fmt, ...)
{
	va_list args;
	char *reason;

	va_start(args, fmt);
	if (vasprintf(&reason, fmt, args) < 0)
		reason = NULL;
	va_end(args);
	if (line)
		tool_error("%s:%zu: %s", path, line, reason ? reason : "");
	else
		tool_error("%s: %s", path, reason ? reason : "");
	free(reason);
}

/* Room for one more element at the end of an array, zeroed. */
static void *append(struct scan *scan, void *array, size_t *nr, size_t size)
{
	void **elements = array;
	void *new = *elements;

	if (scan->failed)
		return NULL;
	/* Powers of two, so that it is seldom copied. */
	if (!(*nr & (*nr - 1)))
		new = realloc(*elements, (*nr ? 2 * *nr : 1) * size);
	if (!new) {
		scan_fail(scan, "out of memory");
		return NULL;
	}
	*elements = new;
	return memset((char *)new + (*nr)++ * size, 0, size);
}

static size_t *index_slot(const struct topology *topology, uint32_t id)
{
	size_t i = id * 2654435761u;

	for (;; i++) {
		size_t *slot = &topology->index[i & (topology->index_size - 1)];

		if (!*slot || topology->regions[*slot - 1].id == id)
			return slot;
	}
}

const struct topology_region *topology_find(const struct topology *topology,
					    uint32_t id)
{
	size_t i = *index_slot(topology, id);

	return i ? &topology->regions[i - 1] : NULL;
}

static bool grow_index(struct topology *topology)
{
	size_t size = topology->index_size ? 2 * topology->index_size : 64;
	size_t *new = calloc(size, sizeof(*new));
	size_t i;

	if (!new)
		return false;
	free(topology->index);
	topology->index = new;
	topology->index_size = size;
	for (i = 0; i < topology->nr_regions; i++)
		*index_slot(topology, topology->regions[i].id) = i + 1;
	return true;
}

/* Add a region of an ID that is new. */
static struct topology_region *add_region(struct topology *topology,
					  struct scan *scan, uint32_t id)
{
	const struct topology_region *other;
	struct topology_region *region;

	if (scan->failed)
		return NULL;
	if (2 * topology->nr_regions >= topology->index_size &&
	    !grow_index(topology)) {
		scan_fail(scan, "out of memory");
		return NULL;
	}
	other = topology_find(topology, id);
	if (other) {
		scan_fail(scan, "region %u is defined in line %zu already", id,
			  other->line);
		return NULL;
	}
	region = append(scan, &topology->regions, &topology->nr_regions,
			sizeof(*region));
	if (region) {
		region->id = id;
		region->line = scan->line;
		*index_slot(topology, id) = topology->nr_regions;
	}
	return region;
}

static uint32_t scan_kind(struct scan *scan)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} kinds[] = {
		{ "container", MREGION_CONTAINER },
		{ "ram", MREGION_RAM },
		{ "rom", MREGION_ROM },
		{ "romd", MREGION_ROMD },
		{ "ramdev", MREGION_RAMDEV },
		{ "mmio", MREGION_MMIO },
	};
	const char *word = scan_word(scan, "kind");
	size_t i;

	if (!word)
		return 0;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(word, kinds[i].name))
			return kinds[i].kind;
	scan_fail(scan, "unknown kind '%.64s'", word);
	return 0;
}

static void read_region(struct topology *topology, struct scan *scan)
{
	uint32_t id = scan_id(scan, "ID");
	uint32_t kind = scan_kind(scan);
	uint64_t len = scan_len(scan, "size");
	struct topology_region *region = add_region(topology, scan, id);

	if (!region)
		return;
	region->kind = kind;
	region->len = len;
	region->name = scan_name(scan);
}

static void read_alias(struct topology *topology, struct scan *scan)
{
	uint32_t id = scan_id(scan, "ID");
	uint32_t target = scan_id(scan, "target");
	uint64_t offset = scan_u64(scan, "offset");
	uint64_t len = scan_len(scan, "size");
	struct topology_region *region = add_region(topology, scan, id);

	if (!region)
		return;
	region->kind = MREGION_ALIAS;
	region->target = target;
	region->offset = offset;
	region->len = len;
	region->name = scan_name(scan);
}

static void read_map(struct topology *topology, struct scan *scan)
{
	struct topology_map map = { .line = scan->line };
	struct topology_map *new;

	map.parent = scan_id(scan, "parent");
	map.child = scan_id(scan, "child");
	map.offset = scan_u64(scan, "offset");
	map.priority = scan_s32(scan, "priority");
	scan_end(scan);
	new = append(scan, &topology->maps, &topology->nr_maps, sizeof(*new));
	if (new)
		*new = map;
}

static void read_flag(struct topology *topology, struct scan *scan,
		      uint32_t flag)
{
	uint32_t id = scan_id(scan, "ID");
	struct topology_flag *new;

	scan_end(scan);
	new = append(scan, &topology->flags, &topology->nr_flags, sizeof(*new));
	if (!new)
		return;
	new->id = id;
	new->flag = flag;
	new->line = scan->line;
}

static void read_disable(struct topology *topology, struct scan *scan)
{
	read_flag(topology, scan, MREGION_REGION_DISABLED);
}

static void read_readonly(struct topology *topology, struct scan *scan)
{
	read_flag(topology, scan, MREGION_REGION_READONLY);
}

/* Names of spaces may contain blanks, too: the ID is the last word. */
static void read_space(struct topology *topology, struct scan *scan)
{
	struct scan last = *scan;
	struct topology_space *new;
	uint32_t root;

	last.rest = scan_last_word(scan, "root");
	last.failed = scan->failed;
	root = scan_id(&last, "root");
	scan->failed = last.failed;
	new = append(scan, &topology->spaces, &topology->nr_spaces,
		     sizeof(*new));
	if (!new)
		return;
	new->root = root;
	new->line = scan->line;
	new->name = scan_name(scan);
}

static const struct {
	const char *name;
	void (*read)(struct topology *topology, struct scan *scan);
} statements[] = {
	{ "region", read_region },
	{ "alias", read_alias },
	{ "map", read_map },
	{ "disable", read_disable },
	{ "readonly", read_readonly },
	{ "space", read_space },
};

static void read_statement(struct topology *topology, struct scan *scan)
{
	const char *word;
	size_t i;

	scan->rest += strspn(scan->rest, " \t");
	if (!*scan->rest || *scan->rest == '#')
		return;
	word = scan_word(scan, "statement");
	for (i = 0; i < ARRAY_SIZE(statements); i++) {
		if (!strcmp(word, statements[i].name)) {
			statements[i].read(topology, scan);
			return;
		}
	}
	scan_fail(scan, "unknown statement '%.64s'", word);
}

static bool read_lines(FILE *file, const char *path,
		       struct topology *topology)
{
	struct scan scan = { .path = path };
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool failed;

	while (!scan.failed && (len = getline(&line, &size, file)) >= 0) {
		scan.line++;
		scan.rest = line;
		if (len && line[len - 1] == '\n')
			line[--len] = '\0';
		if (len && line[len - 1] == '\r')
			scan_fail(&scan, "line ends in CR LF");
		else if (strlen(line) != (size_t)len)
			scan_fail(&scan, "line has a NUL character");
		else
			read_statement(topology, &scan);
	}
	failed = scan.failed;
	if (!failed && !feof(file)) {
		topology_error(path, 0, "cannot read: %s", strerror(errno));
		failed = true;
	}
	free(line);
	return !failed;
}

static bool check_id(const struct topology *topology, const char *path,
		     size_t line, uint32_t id)
{
	if (topology_find(topology, id))
		return true;
	topology_error(path, line, "there is no region %u", id);
	return false;
}

static bool check_references(const struct topology *topology, const char *path)
{
	const struct topology_region *region = topology->regions;
	const struct topology_map *map = topology->maps;
	const struct topology_flag *flag = topology->flags;
	const struct topology_space *space = topology->spaces;
	size_t i;

	for (i = 0; i < topology->nr_regions; i++, region++)
		if (region->kind == MREGION_ALIAS &&
		    !check_id(topology, path, region->line, region->target))
			return false;
	for (i = 0; i < topology->nr_maps; i++, map++)
		if (!check_id(topology, path, map->line, map->parent) ||
		    !check_id(topology, path, map->line, map->child))
			return false;
	for (i = 0; i < topology->nr_flags; i++, flag++)
		if (!check_id(topology, path, flag->line, flag->id))
			return false;
	for (i = 0; i < topology->nr_spaces; i++, space++)
		if (!check_id(topology, path, space->line, space->root))
			return false;
	return true;
}

bool topology_read(const char *path, struct topology *topology)
{
	FILE *file = stdin;
	bool ok;

	memset(topology, 0, sizeof(*topology));
	if (!grow_index(topology)) {
		topology_error(path, 0, "out of memory");
		return false;
	}
	if (strcmp(path, "-"))
		file = fopen(path, "re");
	if (!file) {
		topology_error(path, 0, "cannot open: %s", strerror(errno));
		return false;
	}
	ok = read_lines(file, path, topology);
	if (file != stdin)
		fclose(file);
	return ok && check_references(topology, path);
}

void topology_free(struct topology *topology)
{
	size_t i;

	for (i = 0; i < topology->nr_regions; i++)
		free(topology->regions[i].name);
	for (i = 0; i < topology->nr_spaces; i++)
		free(topology->spaces[i].name);
	free(topology->regions);
	free(topology->maps);
	free(topology->flags);
	free(topology->spaces);
	free(topology->index);
}
