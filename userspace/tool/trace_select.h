/* SPDX-License-Identifier: MIT */
/* What mregion trace is to show. */
#ifndef MREGION_TOOL_TRACE_SELECT_H
#define MREGION_TOOL_TRACE_SELECT_H

#include "machines.h"

/**
 * enum trace_event - the module's trace events
 *
 * Those before TRACE_SERVER are the accesses, by enum mregion_outcome.
 */
enum trace_event {
	TRACE_SERVER = LIVE_NR_OUTCOMES,
	TRACE_COMMIT,
	TRACE_ATTACH,
	TRACE_DETACH,
	TRACE_NR_EVENTS,
};

/** TRACE_OUTCOMES - bits of all accesses */
#define TRACE_OUTCOMES	((1u << LIVE_NR_OUTCOMES) - 1)

/**
 * struct trace_select - what is to be shown
 * @events: a bit for each enum trace_event
 * @machines: of which machines
 * @region: only what is of the region with this ID; 0: not said
 * @name: only what is of a region with a name that matches; NULL: not said
 */
struct trace_select {
	uint32_t events;
	struct machines machines;
	uint32_t region;
	const char *name;
};

/**
 * trace_select_take() - read the arguments
 *
 * Return: false after a complaint.
 */
bool trace_select_take(int argc, char **argv, struct trace_select *select);

/** trace_event_word() - the event's name, without the group's in front of it */
const char *trace_event_word(enum trace_event event);

#endif
