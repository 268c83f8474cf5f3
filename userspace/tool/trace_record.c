// SPDX-License-Identifier: MIT
/* Take what trace_pipe has of an event apart. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_record.h"

/* Any bytes, newlines among them, and at least one blank in front. */
#define COMM_SIZE	16

#define GROUP		": mregion_"

static bool take_lost(const char *line, struct trace_record *record)
{
	if (sscanf(line, "CPU:%d [LOST", &record->cpu) != 1)
		return false;
	sscanf(line, "CPU:%*d [LOST %" SCNu64, &record->lost);
	return true;
}

static bool take_event(const char *word, size_t len,
		       struct trace_record *record)
{
	unsigned int i;

	for (i = 0; i < TRACE_NR_EVENTS; i++) {
		const char *other = trace_event_word(i);

		if (strlen(other) == len && !memcmp(other, word, len)) {
			record->event = i;
			return true;
		}
	}
	return false;
}

/* The time stands in front of the event: SECONDS.MICROSECONDS. */
static void take_time(const char *line, const char *end,
		      struct trace_record *record)
{
	const char *p = end;
	unsigned long seconds = 0, us = 0;

	while (p > line && p[-1] != ' ')
		p--;
	sscanf(p, "%lu.%lu", &seconds, &us);
	record->time.tv_sec = seconds;
	record->time.tv_nsec = us * 1000;
}

/* A name can have anything in it that looks like a field. */
static void take_name(char *fields, struct trace_record *record)
{
	static const char offset[] = " offset=";
	char *name = strstr(fields, " name="), *p, *last = NULL;

	if (!name)
		return;
	*name = '\0';
	name += strlen(" name=");
	for (p = strstr(name, offset); p; p = strstr(p + 1, offset))
		last = p;
	if (last) {
		*last = '\0';
		record->offset = strtoull(last + strlen(offset), NULL, 16);
	}
	record->name = name;
}

static bool take_line(char *line, char *rest, struct trace_record *record)
{
	char *group = strstr(rest, GROUP), *word, *colon;

	if (!group)
		return false;
	word = group + strlen(GROUP);
	colon = strchr(word, ':');
	if (!colon || !take_event(word, colon - word, record))
		return false;
	take_time(line, group, record);
	record->fields = colon + 1;
	if (record->event < TRACE_SERVER)
		take_name(colon + 1, record);
	return true;
}

bool trace_record_next(char **text, struct trace_record *record)
{
	while (*text && **text) {
		char *line = *text, *rest = line, *end;

		if (strnlen(line, COMM_SIZE) == COMM_SIZE && *line == ' ')
			rest += COMM_SIZE;
		end = strchr(rest, '\n');
		if (end)
			*end = '\0';
		*text = end ? end + 1 : NULL;
		*record = (struct trace_record){ .cpu = -1, .name = "" };
		if (take_lost(line, record) || take_line(line, rest, record))
			return true;
	}
	*text = NULL;
	return false;
}

uint64_t trace_record_get(const struct trace_record *record, const char *key)
{
	size_t len = strlen(key);
	const char *p = record->fields;

	while (p && !(p[0] == ' ' && !strncmp(p + 1, key, len) &&
		      p[1 + len] == '='))
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + len + 2, NULL, 0) : 0;
}

bool trace_record_is_write(const struct trace_record *record)
{
	return strstr(record->fields, " write ");
}
