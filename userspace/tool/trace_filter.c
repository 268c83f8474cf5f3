// SPDX-License-Identifier: MIT
/* Filters of trace events, so that the kernel does not record what is not shown. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "trace_filter.h"

/* The kernel takes less than a page. */
#define MAX_FILTER	4000

/* And a pattern that is not longer than this. */
#define MAX_PATTERN	128

static FILE *begin(char **text, size_t *size)
{
	FILE *file = open_memstream(text, size);

	if (!file) {
		tool_error("out of memory");
		exit(1);
	}
	return file;
}

/*
 * Whether the kernel takes the pattern for what it is. It has no classes and
 * escapes of the shell, no way to write a quote, and takes "!" and a digit at the
 * beginning for something else.
 */
static bool is_for_kernel(const char *name)
{
	const char *p;

	if (!*name || strlen(name) > MAX_PATTERN || *name == '!' ||
	    isdigit((unsigned char)*name))
		return false;
	for (p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e ||
		    strchr("[]\\\"'", *p))
			return false;
	return true;
}

/* "MACHINES && CONDITION", of which either may be missing; NULL: both are. */
static char *join(const char *machines, const char *condition)
{
	char *text;

	if (!machines && !condition)
		return NULL;
	if (asprintf(&text, "%s%s%s", machines ? machines : "",
		     machines && condition ? " && " : "",
		     condition ? condition : "") < 0) {
		tool_error("out of memory");
		exit(1);
	}
	return text;
}

/* NULL: all machines are meant. */
static char *machines_filter(const struct trace_select *select,
			     const struct live_list *list)
{
	const struct live_machine *machine = list->items;
	char *text;
	size_t size, i;
	FILE *file;

	if (!select->machines.id && !select->machines.pid)
		return NULL;
	file = begin(&text, &size);
	if (select->machines.id)
		fprintf(file, "machine == %u", select->machines.id);
	else
		for (i = 0; i < list->nr; i++, machine++)
			fprintf(file, "%smachine == %u%s", i ? " || " : "(",
				machine->id, i + 1 == list->nr ? ")" : "");
	fclose(file);
	return text;
}

/* Return: how many regions of the machine have the name. */
static size_t put_regions(FILE *file, const struct live_list *regions,
			  const char *name, uint32_t machine, bool first)
{
	const struct live_region *region = regions->items;
	size_t i, nr = 0;

	for (i = 0; i < regions->nr; i++, region++) {
		if (fnmatch(name, region->name, 0))
			continue;
		if (!nr++)
			fprintf(file, "%s(machine == %u && (",
				first ? "" : " || ", machine);
		else
			fputs(" || ", file);
		fprintf(file, "region == %u", region->id);
	}
	if (nr)
		fputs("))", file);
	return nr;
}

/* Return: regions of that name by their IDs; NULL after a complaint. */
static char *regions_filter(struct netlink *nl,
			    const struct trace_select *select,
			    const struct live_list *list)
{
	const struct live_machine *machine = list->items;
	size_t size, i, nr = 0;
	char *text;
	FILE *file = begin(&text, &size);

	for (i = 0; i < list->nr; i++, machine++) {
		struct live_list regions;

		/* A machine that is gone has no regions. */
		if (!live_dump(nl, &live_region_type, machine->id, &regions))
			nr += put_regions(file, &regions, select->name,
					  machine->id, !nr);
		live_free(&regions);
	}
	fclose(file);
	if (nr && size < MAX_FILTER)
		return text;
	if (nr)
		tool_error("trace: region '%s': there are too many such regions: %zu",
			   select->name, nr);
	else
		tool_error("trace: region '%s': there is none", select->name);
	free(text);
	return NULL;
}

static bool by_name(struct netlink *nl, const struct trace_select *select,
		    const struct live_list *list,
		    struct trace_filters *filters)
{
	bool for_kernel = is_for_kernel(select->name);
	char pattern[MAX_PATTERN + 16];

	if (for_kernel) {
		snprintf(pattern, sizeof(pattern), "name ~ \"%s\"",
			 select->name);
		filters->access = join(filters->other, pattern);
		if (!(select->events & 1u << TRACE_SERVER))
			return true;
	}
	filters->server = regions_filter(nl, select, list);
	if (!for_kernel && filters->server)
		filters->access = join(NULL, filters->server);
	return filters->server;
}

static bool needs_machines(const struct trace_select *select)
{
	return select->machines.pid ||
	       (select->name && (!is_for_kernel(select->name) ||
				 select->events & 1u << TRACE_SERVER));
}

bool trace_filters_make(const struct trace_select *select,
			struct trace_filters *filters)
{
	struct live_list list = {};
	struct netlink nl = {};
	char condition[32];
	bool ok = true;

	memset(filters, 0, sizeof(*filters));
	if (needs_machines(select)) {
		if (!netlink_open(&nl))
			return false;
		ok = machines_read(&nl, &select->machines, &list);
	}
	if (ok) {
		filters->other = machines_filter(select, &list);
		if (select->name) {
			ok = by_name(&nl, select, &list, filters);
		} else {
			snprintf(condition, sizeof(condition), "region == %u",
				 select->region);
			filters->access = join(filters->other,
					       select->region ? condition :
								NULL);
			filters->server = join(filters->access, NULL);
		}
	}
	live_free(&list);
	if (needs_machines(select))
		netlink_close(&nl);
	return ok;
}

const char *trace_filters_find(const struct trace_filters *filters,
			       enum trace_event event)
{
	if (event < TRACE_SERVER)
		return filters->access;
	return event == TRACE_SERVER ? filters->server : filters->other;
}

void trace_filters_free(struct trace_filters *filters)
{
	free(filters->access);
	free(filters->server);
	free(filters->other);
}
