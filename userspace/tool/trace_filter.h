/* SPDX-License-Identifier: MIT */
/* Filters of trace events, so that the kernel does not record what is not shown. */
#ifndef MREGION_TOOL_TRACE_FILTER_H
#define MREGION_TOOL_TRACE_FILTER_H

#include "trace_select.h"

/**
 * struct trace_filters - what to write to the files "filter"; NULL: nothing
 * @access: of events of accesses
 * @server: of server_wait, which has no name of a region
 * @other: of events that have no region
 */
struct trace_filters {
	char *access;
	char *server;
	char *other;
};

/**
 * trace_filters_make() - make the filters for what is selected
 * @filters: filled in; trace_filters_free() it, whatever is returned
 *
 * Return: false after a complaint.
 */
bool trace_filters_make(const struct trace_select *select,
			struct trace_filters *filters);

/** trace_filters_find() - the filter of an event */
const char *trace_filters_find(const struct trace_filters *filters,
			       enum trace_event event);

void trace_filters_free(struct trace_filters *filters);

#endif
