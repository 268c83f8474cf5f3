// SPDX-License-Identifier: MIT
/* Accesses of machines, by where they went and what became of them. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "counters.h"
#include "json.h"
#include "text.h"
#include "tool.h"
#include "wall_clock.h"

static char *copy(const char *name)
{
	return strcpy(tool_alloc(strlen(name) + 1, 1), name);
}

static void add(struct counters_list *list, uint32_t machine,
		enum counters_of of, uint32_t id, const char *name,
		const struct live_counters *from)
{
	struct counters *counters;
	unsigned int i;

	if (list->nr == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->items = tool_grow(list->items, list->room,
					sizeof(*list->items));
	}
	counters = &list->items[list->nr++];
	*counters = (struct counters){
		.machine = machine,
		.of = of,
		.id = id,
		.name = copy(name),
	};
	for (i = 0; i < LIVE_NR_OUTCOMES; i++)
		counters->nr[i] = from->nr[i];
}

static int read_machine(struct netlink *nl, const struct live_machine *machine,
			struct counters_list *list)
{
	struct live_list regions = {}, spaces = {};
	const struct live_region *region;
	const struct live_space *space;
	int ret;
	size_t i;

	ret = live_dump(nl, &live_region_type, machine->id, &regions);
	if (!ret)
		ret = live_dump(nl, &live_space_type, machine->id, &spaces);
	region = regions.items;
	for (i = 0; i < regions.nr && !ret; i++, region++)
		add(list, machine->id, COUNTERS_REGION, region->id,
		    region->name, &region->counters);
	space = spaces.items;
	for (i = 0; i < spaces.nr && !ret; i++, space++)
		add(list, machine->id, COUNTERS_SPACE, space->id, "",
		    &space->counters);
	if (!ret)
		add(list, machine->id, COUNTERS_MACHINE, 0, machine->comm,
		    &machine->counters);
	live_free(&regions);
	live_free(&spaces);
	return ret;
}

static int by_key(const void *a, const void *b)
{
	const struct counters *x = a, *y = b;

	if (x->machine != y->machine)
		return x->machine < y->machine ? -1 : 1;
	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

bool counters_read(struct netlink *nl, const struct machines *machines,
		   struct counters_list *list)
{
	const struct live_machine *machine;
	struct live_list found = {};
	bool ok;
	size_t i;
	int ret;

	memset(list, 0, sizeof(*list));
	list->time = wall_clock_seconds();
	ok = machines_read(nl, machines, &found);
	machine = found.items;
	for (i = 0; i < found.nr && ok; i++, machine++) {
		ret = read_machine(nl, machine, list);
		/* Of many, one may be gone by now. */
		if (!ret || (ret == -ENOENT && !machines->id))
			continue;
		netlink_complain(nl, -ret, "machine %u", machine->id);
		ok = false;
	}
	live_free(&found);
	if (ok && list->nr)
		qsort(list->items, list->nr, sizeof(*list->items), by_key);
	if (!ok)
		counters_free(list);
	return ok;
}

void counters_free(struct counters_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		free(list->items[i].name);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

double counters_sum(const struct counters *counters)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < LIVE_NR_OUTCOMES; i++)
		sum += counters->nr[i];
	return sum;
}

void counters_rate(struct counters_list *rates,
		   const struct counters_list *now,
		   const struct counters_list *before)
{
	double seconds = now->time - before->time;
	size_t i;

	*rates = (struct counters_list){
		.items = tool_alloc(now->nr, sizeof(*now->items)),
		.nr = now->nr,
	};
	for (i = 0; i < now->nr; i++) {
		struct counters *rate = &rates->items[i];
		const struct counters *old;
		unsigned int j;

		*rate = now->items[i];
		rate->name = copy(rate->name);
		old = before->nr ? bsearch(rate, before->items, before->nr,
					   sizeof(*rate), by_key) : NULL;
		for (j = 0; j < LIVE_NR_OUTCOMES; j++) {
			/* One that has less is another one of the same ID. */
			if (old && old->nr[j] <= rate->nr[j])
				rate->nr[j] -= old->nr[j];
			rate->nr[j] /= seconds;
		}
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct counters *x = a, *y = b;
	double sum_x = counters_sum(x), sum_y = counters_sum(y);

	if (x->machine == y->machine &&
	    (x->of == COUNTERS_MACHINE) == (y->of == COUNTERS_MACHINE) &&
	    sum_x != sum_y)
		return sum_x > sum_y ? -1 : 1;
	return by_key(a, b);
}

void counters_rank(struct counters_list *list)
{
	if (list->nr)
		qsort(list->items, list->nr, sizeof(*list->items), by_rank);
}

static bool is_shown(const struct counters *counters, bool all)
{
	return all || counters_sum(counters) > 0 ||
	       counters->of == COUNTERS_MACHINE;
}

static void add_count(struct columns *columns, enum colour colour, double nr)
{
	if (!nr)
		columns_add(columns, COLOUR_FAINT, "-");
	else if (nr < 10 && nr != (uint64_t)nr)
		columns_add(columns, colour, "%.1f", nr);
	else
		columns_add(columns, colour, "%.0f", nr);
}

static void add_line(struct columns *columns, const struct counters *counters,
		     const bool used[LIVE_NR_OUTCOMES])
{
	bool total = counters->of == COUNTERS_MACHINE;
	char *name = text_name(counters->name);
	unsigned int i;

	columns_add(columns, COLOUR_NONE, "%u", counters->machine);
	if (counters->of == COUNTERS_REGION)
		columns_add(columns, COLOUR_NAME, "#%u%s%s", counters->id,
			    *name ? " " : "", name);
	else if (counters->of == COUNTERS_SPACE)
		columns_add(columns, COLOUR_NAME, "space %u, nothing there",
			    counters->id);
	else
		columns_add(columns, COLOUR_HEADING, "all of %s", name);
	free(name);
	add_count(columns, COLOUR_HEADING, counters_sum(counters));
	for (i = 0; i < LIVE_NR_OUTCOMES; i++)
		if (used[i])
			add_count(columns,
				  total ? COLOUR_HEADING : COLOUR_NONE,
				  counters->nr[i]);
}

/* A column's heading: the outcome in capitals. */
static char *heading(unsigned int outcome)
{
	const char *word = words_find(&words_outcome, outcome);
	char *head = tool_alloc(strlen(word) + 2, 1), *p = head;

	*p++ = '>';
	for (; *word; word++)
		*p++ = *word == '_' ? '-' : toupper((unsigned char)*word);
	return head;
}

void counters_print(const struct counters_list *list, bool all, size_t max)
{
	const char *heads[3 + LIVE_NR_OUTCOMES] = {
		">MACHINE", "WHERE", ">ALL",
	};
	struct columns columns = { .heads = heads, .nr = 3 };
	bool used[LIVE_NR_OUTCOMES] = {};
	unsigned int outcome;
	size_t i;

	for (i = 0; i < list->nr; i++)
		for (outcome = 0; outcome < LIVE_NR_OUTCOMES; outcome++)
			used[outcome] |= list->items[i].nr[outcome] > 0;
	for (outcome = 0; outcome < LIVE_NR_OUTCOMES; outcome++)
		if (used[outcome])
			heads[columns.nr++] = heading(outcome);
	for (i = 0; i < list->nr; i++)
		if (is_shown(&list->items[i], all))
			add_line(&columns, &list->items[i], used);
	columns_print(&columns, max);
	while (columns.nr > 3)
		free((char *)heads[--columns.nr]);
}

static void numbers_json(const struct counters *counters, bool rates)
{
	unsigned int i;

	json_begin_object(rates ? "rates" : "counters");
	for (i = 0; i < LIVE_NR_OUTCOMES; i++) {
		const char *key = words_find(&words_outcome, i);

		if (rates)
			json_fraction(key, counters->nr[i]);
		else
			json_number(key, counters->nr[i]);
	}
	json_end_object();
}

static void list_json(const char *key, const struct counters *from,
		      const struct counters *end, enum counters_of of,
		      bool all, bool rates)
{
	json_begin_array(key);
	for (; from < end; from++) {
		if (from->of != of || !is_shown(from, all))
			continue;
		json_begin_object(NULL);
		json_number("id", from->id);
		if (of == COUNTERS_REGION)
			json_string("name", from->name);
		numbers_json(from, rates);
		json_end_object();
	}
	json_end_array();
}

/* Of each machine, what is of all of it comes first. */
void counters_json(const struct counters_list *list, bool all, bool rates)
{
	const struct counters *last = list->items + list->nr;
	const struct counters *from = list->items, *end;

	for (; from < last; from = end) {
		for (end = from + 1;
		     end < last && end->machine == from->machine; end++)
			;
		json_begin_object(NULL);
		json_number("id", from->machine);
		json_string("comm", from->name);
		numbers_json(from, rates);
		list_json("regions", from, end, COUNTERS_REGION, all, rates);
		list_json("spaces", from, end, COUNTERS_SPACE, all, rates);
		json_end_object();
	}
}
