// SPDX-License-Identifier: MIT
/* mregion monitor: events as they come, and how many were lost. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <linux/sock_diag.h>

#include "colour.h"
#include "event.h"
#include "json.h"
#include "machines.h"
#include "options.h"
#include "output.h"
#include "seen.h"
#include "signals.h"
#include "text.h"
#include "tool.h"
#include "wall_clock.h"

/**
 * struct monitor - what is being watched
 * @output: where lines go
 * @nl: for requests
 * @events: for events
 * @cb: what to do with events
 * @signals: readable when the end has come
 * @machine: number of the only machine that is of interest; 0: all
 * @seen: which commits have been seen
 * @dropped: how many events the socket had no room for, so far
 * @ended: the only machine that is of interest is gone
 */
struct monitor {
	struct output output;
	struct netlink nl;
	struct nl_sock *events;
	struct nl_cb *cb;
	int signals;
	uint32_t machine;
	struct seen seen;
	uint32_t dropped;
	bool ended;
};

static void begin_line(void)
{
	char text[WALL_CLOCK_SIZE];

	wall_clock(text, tool_options.timestamp);
	if (tool_json) {
		json_begin_object(NULL);
		json_string("time", text);
	} else {
		printf("%s%s%s ", colour_begin(COLOUR_FAINT), text,
		       colour_end(COLOUR_FAINT));
	}
}

static void end_line(void)
{
	if (tool_json) {
		json_end_object();
		json_end();
	} else {
		putchar('\n');
	}
}

/* @nr commits of a machine, of which @last is the last one. */
static void tell_commits_lost(uint32_t machine, uint64_t nr, uint64_t last)
{
	begin_line();
	if (tool_json) {
		json_string("event", "commits_lost");
		json_number("machine", machine);
		json_number("lost", nr);
		json_number("first", last - nr + 1);
		json_number("last", last);
	} else {
		printf("%smachine %u lost %" PRIu64 " commit%s, %" PRIu64
		       " to %" PRIu64 "%s", colour_begin(COLOUR_OFF), machine,
		       nr, nr == 1 ? "" : "s", last - nr + 1, last,
		       colour_end(COLOUR_OFF));
	}
	end_line();
}

/* The kernel counts what a socket had no room for. */
static void tell_dropped(struct monitor *m)
{
	uint32_t memory[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(memory);
	uint32_t lost;

	if (getsockopt(nl_socket_get_fd(m->events), SOL_SOCKET, SO_MEMINFO,
		       memory, &len))
		return;
	lost = memory[SK_MEMINFO_DROPS] - m->dropped;
	m->dropped = memory[SK_MEMINFO_DROPS];
	if (!lost)
		return;
	begin_line();
	if (tool_json) {
		json_string("event", "events_lost");
		json_number("lost", lost);
	} else {
		printf("%slost %u event%s of any machines: they came faster than they were read%s",
		       colour_begin(COLOUR_OFF), lost, lost == 1 ? "" : "s",
		       colour_end(COLOUR_OFF));
	}
	end_line();
}

static void tell_listed(const struct live_machine *machine)
{
	begin_line();
	if (tool_json) {
		json_string("event", "listed");
		json_number("machine", machine->id);
		json_number("pid", machine->pid);
		json_string("comm", machine->comm);
		json_number("generation", machine->generation);
	} else {
		printf("%smachine %u%s is there: ", colour_begin(COLOUR_NAME),
		       machine->id, colour_end(COLOUR_NAME));
		text_print(machine->comm);
		if (machine->pid)
			printf(", process %u", machine->pid);
		printf(", generation %" PRIu64, machine->generation);
	}
	end_line();
}

static void take_event(struct monitor *m, const struct event *event)
{
	uint64_t lost;

	if (event->command == MREGION_CMD_COMMITTED) {
		lost = seen_commit(&m->seen, event->machine,
				   event->generation);
		if (lost)
			tell_commits_lost(event->machine, lost,
					  event->generation - 1);
	}
	begin_line();
	if (tool_json)
		event_json(event);
	else
		event_print(event);
	end_line();
	if (event->command != MREGION_CMD_MACHINE_CLOSED)
		return;
	seen_closed(&m->seen, event->machine);
	m->ended = m->machine;
}

/* Events have no numbers. */
static int on_number(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct monitor *m = arg;
	struct event event;

	if (nlmsg_hdr(msg)->nlmsg_type != m->nl.family)
		return NL_OK;
	event_read(nlmsg_hdr(msg), &event);
	if (!m->machine || event.machine == m->machine)
		take_event(m, &event);
	event_clear(&event);
	return NL_OK;
}

/* How long what is there at the end is read: more may come all the time. */
#define LAST_SECONDS	1

static bool is_asked(const struct monitor *m)
{
	struct pollfd fd = { .fd = m->signals, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

/*
 * Read all that is there, unless the end is asked for meanwhile. What was lost is
 * told before what came after it: there is no room for anything as long as older
 * events are left. Whoever reads lines has them at once.
 *
 * Return: false after a complaint.
 */
static bool read_events(struct monitor *m, bool at_end)
{
	double end = wall_clock_seconds() + LAST_SECONDS;
	bool enough;
	int ret;

	do {
		errno = 0;
		ret = nl_recvmsgs(m->events, m->cb);
		if (ret < 0 && errno == ENOBUFS)
			ret = 0;
		output_flush(&m->output);
		enough = at_end ? wall_clock_seconds() >= end : is_asked(m);
	} while (ret >= 0 && !m->output.err && !enough);
	tell_dropped(m);
	output_flush(&m->output);
	if (ret >= 0 || ret == -NLE_AGAIN)
		return true;
	tool_error("events: %s", nl_geterror(ret));
	return false;
}

/* Machines that are there already have made commits that nobody saw. */
static bool list_machines(struct monitor *m, bool at_end)
{
	const struct machines which = { .id = at_end ? 0 : m->machine };
	const struct live_machine *machine;
	struct live_list list;
	bool ok = true;
	uint64_t lost;
	size_t i;

	if (!machines_read(&m->nl, &which, &list)) {
		live_free(&list);
		return false;
	}
	if (at_end)
		ok = read_events(m, true);
	machine = list.items;
	for (i = 0; i < list.nr && ok; i++, machine++) {
		if (m->machine && machine->id != m->machine)
			continue;
		if (!at_end) {
			seen_listed(&m->seen, machine->id,
				    machine->generation);
			tell_listed(machine);
			continue;
		}
		lost = seen_until(&m->seen, machine->id, machine->generation);
		if (lost)
			tell_commits_lost(machine->id, lost,
					  machine->generation);
	}
	live_free(&list);
	output_flush(&m->output);
	return ok;
}

static bool watch(struct monitor *m)
{
	struct pollfd fds[] = {
		{ .fd = nl_socket_get_fd(m->events), .events = POLLIN },
		{ .fd = m->signals, .events = POLLIN },
		/* It tells when its reader has gone. */
		{ .fd = STDOUT_FILENO },
	};

	if (!list_machines(m, false))
		return false;
	while (!fds[1].revents && !m->ended) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR) {
			tool_error("poll: %s", strerror(errno));
			return false;
		}
		if (fds[2].revents)
			m->output.err = EPIPE;
		else if (!read_events(m, false))
			return false;
		if (m->output.err)
			return true;
	}
	return list_machines(m, true);
}

static bool monitor(uint32_t machine)
{
	struct monitor m = { .machine = machine };
	bool ok = false;

	m.signals = signals_open();
	if (m.signals < 0)
		return false;
	output_begin(&m.output, m.signals);
	if (netlink_open(&m.nl)) {
		m.events = netlink_join(&m.nl, tool_options.buffer);
		m.cb = nl_cb_alloc(NL_CB_DEFAULT);
		if (!m.cb)
			tool_error("out of memory");
		if (m.events && m.cb) {
			nl_cb_set(m.cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM,
				  on_number, NULL);
			nl_cb_set(m.cb, NL_CB_VALID, NL_CB_CUSTOM, on_event,
				  &m);
			ok = watch(&m);
		}
		nl_cb_put(m.cb);
		nl_socket_free(m.events);
		netlink_close(&m.nl);
	}
	seen_free(&m.seen);
	output_end(&m.output);
	close(m.signals);
	return ok;
}

int tool_monitor(int argc, char **argv)
{
	struct machines machines;

	argc--;
	argv++;
	if (!machines_take("monitor", &argc, &argv, &machines))
		return 2;
	if (argc || machines.pid) {
		tool_error("monitor: unexpected '%s'; see 'mregion help monitor'",
			   argc ? argv[0] : "pid");
		return 2;
	}
	return !monitor(machines.id);
}
