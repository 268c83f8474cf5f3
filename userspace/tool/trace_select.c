// SPDX-License-Identifier: MIT
/* What mregion trace is to show. */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "args.h"
#include "../array.h"
#include "tool.h"
#include "trace_select.h"

/* Events that are no outcomes. */
static const struct {
	const char *word;
	uint32_t events;
} others[] = {
	{ "servers", 1u << TRACE_SERVER },
	{ "commits", 1u << TRACE_COMMIT },
	{ "attachments", 1u << TRACE_ATTACH | 1u << TRACE_DETACH },
};

const char *trace_event_word(enum trace_event event)
{
	static const char *const words[] = {
		[TRACE_SERVER] = "server_wait",
		[TRACE_COMMIT] = "commit",
		[TRACE_ATTACH] = "attach",
		[TRACE_DETACH] = "detach",
	};

	return event < TRACE_SERVER ? words_find(&words_outcome, event) :
				      words[event];
}

static uint32_t find_outcomes(const char *glob)
{
	char name[32] = "";
	uint32_t events = 0;
	unsigned int i;

	/* The headings of stat are written another way than the keys of JSON. */
	for (i = 0; glob[i] && i < sizeof(name) - 1; i++)
		name[i] = glob[i] == '-' ? '_' :
					   tolower((unsigned char)glob[i]);
	for (i = 0; i < LIVE_NR_OUTCOMES && !glob[strlen(name)]; i++)
		if (!fnmatch(name, trace_event_word(i), 0))
			events |= 1u << i;
	return events;
}

static bool take_outcome(const char *word, struct trace_select *select)
{
	uint32_t events = find_outcomes(word);

	if (!events)
		tool_error("trace: no such outcome: '%s'", word);
	select->events |= events;
	return events;
}

static bool take_region(const char *word, struct trace_select *select)
{
	if (select->region || select->name) {
		tool_error("trace: region: only one");
		return false;
	}
	if (!args_id(word, &select->region))
		select->name = word;
	return true;
}

static bool take_other(const char *word, struct trace_select *select)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(others[i].word, word))
			continue;
		select->events |= others[i].events;
		return true;
	}
	tool_error("trace: unexpected '%s'; see 'mregion help trace'", word);
	return false;
}

bool trace_select_take(int argc, char **argv, struct trace_select *select)
{
	bool (*take)(const char *word, struct trace_select *select);

	memset(select, 0, sizeof(*select));
	if (!machines_take("trace", &argc, &argv, &select->machines))
		return false;
	for (; argc; argc--, argv++) {
		take = !strcmp(argv[0], "region") ? take_region :
		       !strcmp(argv[0], "outcome") ? take_outcome : take_other;
		if (take != take_other) {
			if (argc == 1) {
				tool_error("trace: %s: which?", argv[0]);
				return false;
			}
			argc--;
			argv++;
		}
		if (!take(argv[0], select))
			return false;
	}
	if (select->events)
		return true;
	select->events = TRACE_OUTCOMES;
	if (!select->region && !select->name)
		select->events = (1u << TRACE_NR_EVENTS) - 1;
	return true;
}
