// SPDX-License-Identifier: MIT
/* mregion trace: accesses as they come, and what becomes of them. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "colour.h"
#include "json.h"
#include "options.h"
#include "signals.h"
#include "tool.h"
#include "trace_filter.h"
#include "trace_instance.h"
#include "output.h"
#include "trace_print.h"
#include "wall_clock.h"

/* More than the kernel gives at once, which is complete lines. */
#define BUFFER_SIZE	(1 << 16)

/* When to look for events that nobody was woken for, should that happen. */
#define MISSED_MS	1000

/**
 * struct trace - what is being traced
 * @instance: where
 * @output: where it is printed
 * @signals: readable when the end has come
 * @lost: how many events were told to be lost
 * @nr: how many events were printed
 * @buffer: what was read
 */
struct trace {
	struct trace_instance instance;
	struct output output;
	int signals;
	uint64_t lost;
	uint64_t nr;
	char buffer[BUFFER_SIZE + 1];
};

/* @time: NULL: now */
static void begin_line(const struct timespec *time)
{
	char text[WALL_CLOCK_SIZE];

	if (time)
		wall_clock_at(text, tool_options.timestamp, time);
	else
		wall_clock(text, tool_options.timestamp);
	if (tool_json) {
		json_begin_object(NULL);
		json_string("time", text);
	} else {
		printf("%s%s%s ", colour_begin(COLOUR_FAINT), text,
		       colour_end(COLOUR_FAINT));
	}
}

static void end_line(struct trace *t)
{
	if (tool_json) {
		json_end_object();
		json_end();
	} else {
		putchar('\n');
	}
	output_line(&t->output);
}

/* @nr: 0 if that is not known; @cpu: the processor; -1: any */
static void tell_lost(struct trace *t, uint64_t nr, int cpu)
{
	begin_line(NULL);
	if (tool_json) {
		json_string("event", "events_lost");
		if (nr)
			json_number("lost", nr);
		if (cpu >= 0)
			json_number("cpu", cpu);
	} else {
		printf("%slost ", colour_begin(COLOUR_OFF));
		if (nr)
			printf("%" PRIu64 " ", nr);
		printf("event%s", nr == 1 ? "" : "s");
		if (cpu >= 0)
			printf(" of processor %d", cpu);
		printf(": they came faster than they were read%s",
		       colour_end(COLOUR_OFF));
	}
	end_line(t);
	t->lost += nr;
}

static bool is_enough(const struct trace *t)
{
	return t->output.err ||
	       (tool_options.count && t->nr == tool_options.count);
}

static void take(struct trace *t, const struct trace_record *record)
{
	if (record->cpu >= 0) {
		tell_lost(t, record->lost, record->cpu);
		return;
	}
	begin_line(&record->time);
	if (tool_json)
		trace_json(record);
	else
		trace_print(record);
	end_line(t);
	t->nr++;
}

/* Return: 1 if some were read, 0 if there are none, -1 after a complaint. */
static int read_events(struct trace *t)
{
	struct trace_record record;
	ssize_t len;
	char *text;

	len = read(t->instance.pipe, t->buffer, BUFFER_SIZE);
	if (len < 0 && errno == EAGAIN)
		return 0;
	if (len < 0 && errno != EINTR) {
		tool_error("%s/trace_pipe: %s", t->instance.path,
			   strerror(errno));
		return -1;
	}
	if (!len) {
		tool_error("%s: somebody has switched it off",
			   t->instance.path);
		return -1;
	}
	t->buffer[len > 0 ? len : 0] = '\0';
	text = t->buffer;
	while (!is_enough(t) && trace_record_next(&text, &record))
		take(t, &record);
	output_flush(&t->output);
	return 1;
}

static bool watch(struct trace *t)
{
	struct pollfd fds[] = {
		{ .fd = t->instance.pipe, .events = POLLIN },
		{ .fd = t->signals, .events = POLLIN },
		/* It tells when its reader has gone. */
		{ .fd = STDOUT_FILENO },
	};

	/* Events can come faster than they are printed, without end. */
	while (!fds[1].revents && !is_enough(t)) {
		if (poll(fds, 3, MISSED_MS) < 0 && errno != EINTR) {
			tool_error("poll: %s", strerror(errno));
			return false;
		}
		if (fds[2].revents)
			t->output.err = EPIPE;
		else if (read_events(t) < 0)
			return false;
	}
	return true;
}

static bool set_up(struct trace *t, const struct trace_select *select,
		   const struct trace_filters *filters)
{
	const struct trace_instance *instance = &t->instance;
	uint64_t kb = tool_options.buffer / 1024;
	const char *filter;
	char text[32];
	unsigned int i;

	/* A clock that the time of day can be told from. */
	if (!trace_instance_write(instance, "mono", "trace_clock") ||
	    !trace_instance_write(instance, "0", "buffer_percent"))
		return false;
	snprintf(text, sizeof(text), "%" PRIu64, kb ? kb : 1);
	if (tool_options.buffer &&
	    !trace_instance_write(instance, text, "buffer_size_kb"))
		return false;
	for (i = 0; i < TRACE_NR_EVENTS; i++) {
		if (!(select->events & 1u << i))
			continue;
		filter = trace_filters_find(filters, i);
		if (filter && !trace_instance_write(instance, filter,
				"events/mregion/mregion_%s/filter",
				trace_event_word(i)))
			return false;
		if (!trace_instance_write(instance, "1",
				"events/mregion/mregion_%s/enable",
				trace_event_word(i)))
			return false;
	}
	return true;
}

/* What was recorded until now, and what was lost of it. */
static bool finish(struct trace *t)
{
	uint64_t overrun;
	int ret = 1;

	trace_instance_stop(&t->instance);
	while (ret > 0 && !is_enough(t))
		ret = read_events(t);
	if (ret < 0)
		return false;
	overrun = trace_instance_overrun(&t->instance);
	if (overrun > t->lost)
		tell_lost(t, overrun - t->lost, -1);
	output_flush(&t->output);
	return true;
}

static bool trace(const struct trace_select *select,
		  const struct trace_filters *filters)
{
	struct trace *t = tool_alloc(1, sizeof(*t));
	bool ok = false;

	/* First of all: from here on there is something to be removed. */
	t->signals = signals_open();
	if (t->signals >= 0 && trace_instance_open(&t->instance)) {
		output_begin(&t->output, t->signals);
		ok = set_up(t, select, filters) && watch(t) && finish(t);
		trace_instance_stop(&t->instance);
		trace_instance_close(&t->instance);
		output_end(&t->output);
	}
	if (t->signals >= 0)
		close(t->signals);
	free(t);
	return ok;
}

int tool_trace(int argc, char **argv)
{
	struct trace_filters filters = {};
	struct trace_select select;
	bool ok;

	if (!trace_select_take(argc - 1, argv + 1, &select))
		return 2;
	ok = trace_filters_make(&select, &filters) && trace(&select, &filters);
	trace_filters_free(&filters);
	return !ok;
}
