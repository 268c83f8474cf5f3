/* SPDX-License-Identifier: MIT */
/* Trace events, as mregion trace prints them. */
#ifndef MREGION_TOOL_TRACE_PRINT_H
#define MREGION_TOOL_TRACE_PRINT_H

#include "trace_record.h"

/** trace_print() - an event, behind the time; without the end of the line */
void trace_print(const struct trace_record *record);

/** trace_json() - the members of an event, behind the time */
void trace_json(const struct trace_record *record);

#endif
