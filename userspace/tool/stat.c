// SPDX-License-Identifier: MIT
/* mregion stat: accesses so far. mregion top: accesses a second. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "counters.h"
#include "json.h"
#include "options.h"
#include "signals.h"
#include "tool.h"
#include "wall_clock.h"

/**
 * struct top - accesses a second
 * @nl: a socket
 * @machines: of which machines
 * @signals: readable when the end has come
 * @screen: each table takes the place of the one before, on a terminal
 * @keys: what is typed comes at once
 * @saved: how the terminal was before that
 */
struct top {
	struct netlink nl;
	const struct machines *machines;
	int signals;
	bool screen;
	bool keys;
	struct termios saved;
};

static void begin_screen(struct top *top)
{
	struct termios raw;

	if (!top->screen)
		return;
	/* Without a cursor; the last table, and an error below it, are left. */
	fputs("\033[?25l", stdout);
	top->keys = !tcgetattr(STDIN_FILENO, &top->saved);
	if (!top->keys)
		return;
	raw = top->saved;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void end_screen(struct top *top)
{
	if (top->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &top->saved);
	if (top->screen)
		fputs("\033[?25h", stdout);
	fflush(stdout);
}

/* Lines of a table that fit on the screen, below two others. */
static size_t max_lines(const struct top *top)
{
	struct winsize size;

	if (!top->screen)
		return -1;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return 20;
	return size.ws_row > 4 ? size.ws_row - 4 : 1;
}

static void print_table(const struct top *top,
			const struct counters_list *list, double seconds,
			bool first)
{
	char text[WALL_CLOCK_SIZE];

	wall_clock(text, true);
	if (tool_json) {
		json_begin_object(NULL);
		json_string("time", text);
		json_fraction("seconds", seconds);
		json_begin_array("machines");
		counters_json(list, tool_options.all, true);
		json_end_array();
		json_end_object();
		json_end();
	} else {
		if (top->screen)
			fputs("\033[H\033[J", stdout);
		else if (!first)
			putchar('\n');
		printf("%s: accesses a second, over %.1f s%s\n", text, seconds,
		       top->keys ? "; q ends" : "");
		counters_print(list, tool_options.all, max_lines(top));
	}
	fflush(stdout);
}

/* Return: whether somebody has asked for the end meanwhile. */
static bool wait_until(const struct top *top, double when)
{
	struct pollfd fds[] = {
		{ .fd = top->signals, .events = POLLIN },
		{ .fd = top->keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	double left;
	char key;

	for (;;) {
		left = when - wall_clock_seconds();
		if (left <= 0)
			return false;
		if (poll(fds, 2, (int)(left * 1000) + 1) <= 0)
			continue;
		if (fds[0].revents)
			return true;
		if (read(STDIN_FILENO, &key, 1) != 1)
			fds[1].fd = -1;
		else if (key == 'q' || key == 'Q')
			return true;
	}
}

/* Return: false after a complaint. */
static bool run(struct top *top)
{
	double interval = tool_options.interval ? tool_options.interval : 1;
	struct counters_list before = {}, now = {};
	uint64_t nr = 0;
	bool ok;

	ok = counters_read(&top->nl, top->machines, &before);
	while (ok && !wait_until(top, before.time + interval)) {
		struct counters_list rates;

		ok = counters_read(&top->nl, top->machines, &now);
		if (!ok)
			break;
		counters_rate(&rates, &now, &before);
		counters_rank(&rates);
		print_table(top, &rates, now.time - before.time, !nr);
		counters_free(&rates);
		counters_free(&before);
		before = now;
		if (++nr == tool_options.count || ferror(stdout))
			break;
	}
	counters_free(&before);
	return ok;
}

static bool rates(const struct machines *machines, bool screen)
{
	struct top top = { .machines = machines, .screen = screen };
	bool ok = false;

	if (!netlink_open(&top.nl))
		return false;
	top.signals = signals_open();
	if (top.signals >= 0) {
		begin_screen(&top);
		ok = run(&top);
		end_screen(&top);
		close(top.signals);
	}
	netlink_close(&top.nl);
	return ok;
}

static bool totals(const struct machines *machines)
{
	struct counters_list list;
	struct netlink nl;
	bool ok;

	if (!netlink_open(&nl))
		return false;
	ok = counters_read(&nl, machines, &list);
	if (ok && tool_json) {
		json_begin_object(NULL);
		json_begin_array("machines");
		counters_json(&list, tool_options.all, false);
		json_end_array();
		json_end_object();
		json_end();
	} else if (ok) {
		counters_print(&list, tool_options.all, -1);
	}
	counters_free(&list);
	netlink_close(&nl);
	return ok;
}

/* Return: 0, or the exit status after a complaint. */
static int take_arguments(const char *command, int argc, char **argv,
			  struct machines *machines)
{
	argc--;
	argv++;
	if (!machines_take(command, &argc, &argv, machines))
		return 2;
	if (argc) {
		tool_error("%s: unexpected '%s'; see 'mregion help %s'",
			   command, argv[0], command);
		return 2;
	}
	return 0;
}

int tool_stat(int argc, char **argv)
{
	struct machines machines;
	int status = take_arguments("stat", argc, argv, &machines);

	if (status)
		return status;
	if (tool_options.interval || tool_options.count)
		return !rates(&machines, false);
	return !totals(&machines);
}

/* Whether stdout is something that a table can be drawn on anew. */
static bool is_screen(void)
{
	const char *term = getenv("TERM");

	return !tool_json && isatty(STDOUT_FILENO) &&
	       !(term && !strcmp(term, "dumb"));
}

int tool_top(int argc, char **argv)
{
	struct machines machines;
	int status = take_arguments("top", argc, argv, &machines);

	if (status)
		return status;
	return !rates(&machines, is_screen());
}
