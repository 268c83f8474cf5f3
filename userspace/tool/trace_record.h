/* SPDX-License-Identifier: MIT */
/* Take what trace_pipe has of an event apart. */
#ifndef MREGION_TOOL_TRACE_RECORD_H
#define MREGION_TOOL_TRACE_RECORD_H

#include <time.h>

#include "trace_select.h"

/**
 * struct trace_record - an event, or that some were lost
 * @cpu: the processor that has lost events; -1: this is an event
 * @lost: how many; 0: this is not known
 * @time: by CLOCK_MONOTONIC
 * @event: which event
 * @fields: what it says, with "name=" and what follows cut off
 * @name: name of the region of an access; points into the record
 * @offset: in that region
 */
struct trace_record {
	int cpu;
	uint64_t lost;
	struct timespec time;
	enum trace_event event;
	const char *fields;
	const char *name;
	uint64_t offset;
};

/**
 * trace_record_next() - take the next record
 * @text: moved on behind it; what is there is changed
 * @record: filled in
 *
 * Return: whether there was one; @text is NULL at the end.
 */
bool trace_record_next(char **text, struct trace_record *record);

/** trace_record_get() - a field as a number; those below 0 are cast */
uint64_t trace_record_get(const struct trace_record *record, const char *key);

/** trace_record_is_write() - whether it is a write, not a read */
bool trace_record_is_write(const struct trace_record *record);

#endif
