// SPDX-License-Identifier: MIT
/*
 * What QEMU's monitor prints for "info mtree", taken apart. The text is that of
 * mtree_print_mr() in QEMU's system/memory.c.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mtree.h"
#include "topology.h"

#define MAX_DEPTH	256
#define LEVEL		2	/* that a region is indented by, in its parent */

/**
 * struct reader - a place in the text
 * @path: the file, for complaints
 * @line: number of the line
 * @mtree: what was read
 * @stack: regions that the line may be in, by how far they are indented
 * @depth: how many
 * @in_tree: below a heading of a tree
 * @in_view: below a heading of a flat view
 * @headings: how many headings wait for their root
 */
struct reader {
	const char *path;
	size_t line;
	struct mtree *mtree;
	struct {
		size_t indent;
		size_t region;
		size_t last;
	} stack[MAX_DEPTH];
	size_t depth;
	bool in_tree;
	bool in_view;
	size_t headings;
};

static void *append(void *array, size_t *nr, size_t size)
{
	void **elements = array;
	void *new = *elements;

	if (!(*nr & (*nr - 1)))
		new = realloc(new, (*nr ? 2 * *nr : 1) * size);
	if (!new)
		return NULL;
	*elements = new;
	return memset((char *)new + (*nr)++ * size, 0, size);
}

static bool no_memory(const struct reader *reader)
{
	topology_error(reader->path, reader->line, "out of memory");
	return false;
}

static bool take(char **text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*text, prefix, len))
		return false;
	*text += len;
	return true;
}

/* Sixteen digits. */
static bool take_hex(char **text, uint64_t *value)
{
	char digits[17];
	size_t i;

	for (i = 0; i < 16; i++)
		if (!isxdigit((unsigned char)(*text)[i]))
			return false;
	memcpy(digits, *text, 16);
	digits[16] = '\0';
	*value = strtoull(digits, NULL, 16);
	*text += 16;
	return true;
}

static bool take_range(char **text, uint64_t *first, uint64_t *last)
{
	return take_hex(text, first) && take(text, "-") && take_hex(text, last);
}

static bool take_suffix(char *text, const char *suffix)
{
	size_t len = strlen(text), end = strlen(suffix);

	if (len < end || strcmp(text + len - end, suffix))
		return false;
	text[len - end] = '\0';
	return true;
}

/* The last @needle in @text, or NULL. */
static char *find_last(char *text, const char *needle)
{
	char *found = NULL, *next;

	while ((next = strstr(found ? found + 1 : text, needle)))
		found = next;
	return found;
}

/* What -o adds: the name of a region does not end in a brace. */
static char *take_owner(char *text)
{
	char *owner, *parent;

	if (take_suffix(text, " orphan") || !strchr(text, '{') ||
	    text[strlen(text) - 1] != '}')
		return NULL;
	owner = find_last(text, " owner:{");
	parent = find_last(text, " parent:{");
	if (!owner || (parent && parent > owner))
		owner = parent;
	if (!owner)
		return NULL;
	*owner = '\0';
	return owner + 1;
}

/* "alias NAME @TARGET FIRST-LAST" */
static bool parse_alias(struct mtree_region *region, char **text)
{
	size_t len = strlen(*text);
	char *name = *text, *range = name + len - 33, *end = range - 1, *at;
	uint64_t last, offset;

	/* There are regions whose names begin so, too. */
	if (len < 33 + 9 || !take(&name, "alias ") || *end != ' ' ||
	    !take_range(&range, &offset, &last))
		return true;
	*end = '\0';
	at = find_last(name, " @");
	if (!at) {
		*end = ' ';
		return true;
	}
	*at = '\0';
	region->target_offset = offset;
	region->target = strdup(at + 2);
	*text = name;
	return region->target;
}

/* "FIRST-LAST (prio N, TYPE): REST", without what it is indented by */
static bool parse_line(char **text, struct mtree_region *region, char **type)
{
	char *end;
	uint64_t last;
	long priority;

	if (!take_range(text, &region->first, &last) || !take(text, " (prio "))
		return false;
	region->len = last - region->first + 1;
	errno = 0;
	priority = strtol(*text, &end, 10);
	if (end == *text || errno || priority < INT32_MIN ||
	    priority > INT32_MAX)
		return false;
	region->priority = priority;
	*text = end;
	if (!take(text, ", "))
		return false;
	region->nonvolatile = take(text, "nv-");
	*type = *text;
	end = strstr(*text, "): ");
	if (!end)
		return false;
	*end = '\0';
	*text = end + 3;
	return true;
}

static bool is_type(const char *type)
{
	return !strcmp(type, "ram") || !strcmp(type, "rom") ||
	       !strcmp(type, "romd") || !strcmp(type, "ramd") ||
	       !strcmp(type, "i/o");
}

/*
 * Without -D, regions that are disabled are not printed, but what is in them is,
 * indented by one level too many: it is as invisible as they are. Such a line
 * changes nothing.
 */
static bool is_orphan(struct reader *reader, size_t indent)
{
	while (reader->depth && reader->stack[reader->depth - 1].indent >= indent)
		reader->depth--;
	return indent > (reader->depth ?
			 reader->stack[reader->depth - 1].indent : 0) + LEVEL;
}

/* Put region @i into what it is indented below. */
static bool place(struct reader *reader, size_t i, size_t indent)
{
	struct mtree_region *regions = reader->mtree->regions;
	struct mtree *mtree = reader->mtree;
	size_t s, parent;

	if (reader->depth == MAX_DEPTH) {
		topology_error(reader->path, reader->line, "too deep");
		return false;
	}
	regions[i].parent = MTREE_NONE;
	regions[i].child = MTREE_NONE;
	regions[i].next = MTREE_NONE;
	if (reader->depth) {
		size_t *last = &reader->stack[reader->depth - 1].last;

		parent = reader->stack[reader->depth - 1].region;
		if (regions[parent].target) {
			topology_error(reader->path, reader->line,
				       "an alias has no regions in it");
			return false;
		}
		regions[i].parent = parent;
		if (*last == MTREE_NONE)
			regions[parent].child = i;
		else
			regions[*last].next = i;
		*last = i;
	} else if (!reader->headings) {
		topology_error(reader->path, reader->line,
			       "a second root below one heading");
		return false;
	}
	for (s = mtree->nr_sections - reader->headings;
	     !reader->depth && s < mtree->nr_sections; s++)
		mtree->sections[s].root = i;
	reader->headings = 0;
	reader->stack[reader->depth].indent = indent;
	reader->stack[reader->depth].region = i;
	reader->stack[reader->depth].last = MTREE_NONE;
	reader->depth++;
	return true;
}

static bool read_region(struct reader *reader, char *text, size_t indent)
{
	struct mtree *mtree = reader->mtree;
	struct mtree_region region = { .line = reader->line }, *new;
	char *type, *owner;

	if (!parse_line(&text, &region, &type)) {
		topology_error(reader->path, reader->line,
			       "this is no line of 'info mtree'");
		return false;
	}
	if (!is_type(type)) {
		topology_error(reader->path, reader->line,
			       "unknown type '%.64s'", type);
		return false;
	}
	if (is_orphan(reader, indent))
		return true;
	owner = take_owner(text);
	region.disabled = take_suffix(text, " [disabled]");
	new = append(&mtree->regions, &mtree->nr_regions, sizeof(*new));
	if (!new)
		return no_memory(reader);
	*new = region;
	if (!parse_alias(new, &text))
		return no_memory(reader);
	new->name = strdup(text);
	new->type = strdup(type);
	new->owner = owner ? strdup(owner) : NULL;
	if (!new->name || !new->type || (owner && !new->owner))
		return no_memory(reader);
	return place(reader, mtree->nr_regions - 1, indent);
}

/* A range of a flat view: "NAME[ @OFFSET][ KVM]" behind the colon. */
static bool read_range(struct reader *reader, char *text)
{
	struct mtree *mtree = reader->mtree;
	struct mtree_region range;
	char *type, *at, **new;

	if (!parse_line(&text, &range, &type) || strcmp(type, "i/o"))
		return true;
	take_suffix(text, " KVM");
	at = find_last(text, " @");
	if (at && strlen(at) == 18)
		*at = '\0';
	new = append(&mtree->registers, &mtree->nr_registers, sizeof(*new));
	if (!new)
		return no_memory(reader);
	*new = strdup(text);
	return *new || no_memory(reader);
}

static bool read_heading(struct reader *reader, const char *name, bool is_space)
{
	struct mtree *mtree = reader->mtree;
	struct mtree_section *new;

	new = append(&mtree->sections, &mtree->nr_sections, sizeof(*new));
	if (!new)
		return no_memory(reader);
	new->is_space = is_space;
	new->root = MTREE_NONE;
	new->name = strdup(name);
	reader->headings++;
	reader->depth = 0;
	reader->in_tree = true;
	reader->in_view = false;
	return new->name || no_memory(reader);
}

static bool read_line(struct reader *reader, char *text)
{
	size_t len = strlen(text), indent;
	char *typed = find_last(text, "\x1b[K");

	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	/* What the monitor's editor makes of what is typed is no output. */
	if (typed) {
		text = typed + 3;
		reader->in_tree = reader->in_view = false;
	}
	take(&text, "[DETECTED OVERFLOW!] ");
	if (take(&text, "address-space: "))
		return read_heading(reader, text, true);
	if (take(&text, "memory-region: "))
		return read_heading(reader, text, false);
	if (take(&text, "FlatView #")) {
		reader->in_view = true;
		reader->in_tree = false;
		reader->mtree->has_views = true;
		return true;
	}
	indent = strspn(text, " ");
	if (!text[indent] || !indent) {
		reader->in_tree = reader->in_tree && !text[indent];
		return true;
	}
	if (reader->in_tree)
		return read_region(reader, text + indent, indent);
	if (reader->in_view)
		return read_range(reader, text + indent);
	return true;
}

/* A root that is not printed is disabled. */
static bool add_root(struct reader *reader, struct mtree_section *section)
{
	struct mtree *mtree = reader->mtree;
	struct mtree_region *new;

	new = append(&mtree->regions, &mtree->nr_regions, sizeof(*new));
	if (!new)
		return no_memory(reader);
	new->name = strdup(section->name);
	new->type = strdup("i/o");
	new->disabled = true;
	new->parent = MTREE_NONE;
	new->child = MTREE_NONE;
	new->next = MTREE_NONE;
	section->root = mtree->nr_regions - 1;
	return (new->name && new->type) || no_memory(reader);
}

static bool check(struct reader *reader)
{
	const struct mtree *mtree = reader->mtree;
	size_t s;

	if (!mtree->nr_sections) {
		topology_error(reader->path, 0, mtree->has_views ?
			"flat views alone have no hierarchy: 'info mtree -D' prints it, without -f" :
			"nothing of 'info mtree' is in there");
		return false;
	}
	for (s = 0; s < mtree->nr_sections; s++)
		if (mtree->sections[s].root == MTREE_NONE &&
		    !add_root(reader, &mtree->sections[s]))
			return false;
	return true;
}

bool mtree_read(const char *path, struct mtree *mtree)
{
	struct reader reader = { .path = path, .mtree = mtree };
	FILE *file = stdin;
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	memset(mtree, 0, sizeof(*mtree));
	if (strcmp(path, "-"))
		file = fopen(path, "re");
	if (!file) {
		topology_error(path, 0, "cannot open: %s", strerror(errno));
		return false;
	}
	while (ok && getline(&line, &size, file) >= 0) {
		reader.line++;
		ok = read_line(&reader, line);
	}
	if (ok && !feof(file)) {
		topology_error(path, 0, "cannot read: %s", strerror(errno));
		ok = false;
	}
	free(line);
	if (file != stdin)
		fclose(file);
	return ok && check(&reader);
}

void mtree_free(struct mtree *mtree)
{
	size_t i;

	for (i = 0; i < mtree->nr_regions; i++) {
		free(mtree->regions[i].name);
		free(mtree->regions[i].type);
		free(mtree->regions[i].target);
		free(mtree->regions[i].owner);
	}
	for (i = 0; i < mtree->nr_sections; i++)
		free(mtree->sections[i].name);
	for (i = 0; i < mtree->nr_registers; i++)
		free(mtree->registers[i]);
	free(mtree->regions);
	free(mtree->sections);
	free(mtree->registers);
}
