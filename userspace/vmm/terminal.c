// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"
#include "report.h"
#include "terminal.h"

#define KEY_ESCAPE	1	/* Ctrl-A */
#define KEY_QUIT	'x'
#define KEY_HELP	'h'

/* Output gathers for so long before it is written, unless there is much. */
#define GATHER_NSEC	1000000
#define GATHER_BYTES	(TERMINAL_BUFFER / 4)

/* Returns an errno; the number of bytes not written is in @left. */
static int write_all(const uint8_t *bytes, size_t len, size_t *left)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	for (*left = len; *left;) {
		ssize_t done = write(STDOUT_FILENO, bytes, *left);

		if (done >= 0) {
			bytes += done;
			__atomic_sub_fetch(left, done, __ATOMIC_RELAXED);
		} else if (errno == EAGAIN) {
			poll(&out, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static struct timespec from_now(clockid_t clock, time_t sec, long nsec)
{
	struct timespec when;

	clock_gettime(clock, &when);
	when.tv_sec += sec;
	when.tv_nsec += nsec;
	if (when.tv_nsec >= 1000000000) {
		when.tv_nsec -= 1000000000;
		when.tv_sec++;
	}
	return when;
}

/* Wait until there is something worth a write; with the lock held. */
static void gather(struct terminal *terminal)
{
	struct timespec until;

	while (!terminal->len && !terminal->closing)
		pthread_cond_wait(&terminal->more, &terminal->lock);

	until = from_now(CLOCK_MONOTONIC, 0, GATHER_NSEC);
	while (terminal->len < GATHER_BYTES && !terminal->closing)
		if (pthread_cond_timedwait(&terminal->more, &terminal->lock,
					   &until) == ETIMEDOUT)
			break;
}

static void *writer_thread(void *opaque)
{
	struct terminal *terminal = opaque;
	uint8_t *spare = NULL;
	size_t spare_capacity = 0;
	bool broken = false;
	int error = 0;

	pthread_mutex_lock(&terminal->lock);
	for (;;) {
		uint8_t *bytes;
		size_t len, capacity;

		gather(terminal);
		if (!terminal->len)
			break;

		/* Write this buffer while the other one is filled. */
		bytes = terminal->buffer;
		capacity = terminal->capacity;
		len = terminal->len;
		terminal->buffer = spare;
		terminal->capacity = spare_capacity;
		terminal->len = 0;
		terminal->writing = len;
		spare = bytes;
		spare_capacity = capacity;
		pthread_cond_broadcast(&terminal->space);
		pthread_mutex_unlock(&terminal->lock);

		if (!error)
			error = write_all(bytes, len, &terminal->writing);
		if (error && !broken)
			report("cannot write the guest's output: %s (what follows is dropped)",
			       strerror(error));
		broken = error;

		pthread_mutex_lock(&terminal->lock);
	}
	pthread_mutex_unlock(&terminal->lock);
	free(spare);
	return NULL;
}

/* With the lock held. Without memory the byte is lost, and said to be. */
static bool make_room(struct terminal *terminal)
{
	size_t capacity = terminal->capacity ? 2 * terminal->capacity : 4096;
	uint8_t *buffer;

	if (terminal->len < terminal->capacity)
		return true;
	buffer = realloc(terminal->buffer, capacity);
	if (!buffer) {
		report("out of memory: the guest's output is not complete");
		return false;
	}
	terminal->buffer = buffer;
	terminal->capacity = capacity;
	return true;
}

void terminal_put(struct terminal *terminal, uint8_t byte)
{
	pthread_mutex_lock(&terminal->lock);
	while (terminal->len >= TERMINAL_BUFFER && !terminal->unlimited)
		pthread_cond_wait(&terminal->space, &terminal->lock);
	if (make_room(terminal)) {
		terminal->buffer[terminal->len++] = byte;
		if (terminal->len == 1 || terminal->len == GATHER_BYTES)
			pthread_cond_signal(&terminal->more);
	}
	pthread_mutex_unlock(&terminal->lock);
}

static size_t input_room(const struct terminal *terminal)
{
	return terminal->input.room(terminal->input.opaque);
}

/* Pass on as many of the keys that wait as there is room for. */
static void pass_keys(struct terminal *terminal)
{
	size_t len = terminal->nr_keys ? input_room(terminal) : 0;

	if (len > terminal->nr_keys)
		len = terminal->nr_keys;
	if (!len)
		return;
	terminal->input.receive(terminal->input.opaque, terminal->keys, len);
	terminal->nr_keys -= len;
	memmove(terminal->keys, terminal->keys + len, terminal->nr_keys);
}

static void queue_keys(struct terminal *terminal, const uint8_t *bytes,
		       size_t len)
{
	size_t space = TERMINAL_KEYS - terminal->nr_keys;

	if (len > space)
		len = space;
	memcpy(terminal->keys + terminal->nr_keys, bytes, len);
	terminal->nr_keys += len;
	pass_keys(terminal);
}

/* Asked when the guest takes more, too: what waits for that goes first. */
static bool input_wanted(void *opaque)
{
	struct terminal *terminal = opaque;

	pass_keys(terminal);
	return terminal->raw || input_room(terminal) > 0;
}

/* Take the keys that are for the VMM out of @bytes; return what is left. */
static size_t filter_keys(struct terminal *terminal, uint8_t *bytes, size_t len)
{
	size_t from, to = 0;

	for (from = 0; from < len; from++) {
		uint8_t key = bytes[from];

		if (!terminal->escaped && key != KEY_ESCAPE) {
			bytes[to++] = key;
			continue;
		}
		if (!terminal->escaped) {
			terminal->escaped = true;
			continue;
		}
		terminal->escaped = false;
		switch (key) {
		case KEY_ESCAPE:
			bytes[to++] = key;
			break;
		case KEY_QUIT:
			end_line_pull(&terminal->end, END_USER);
			break;
		case KEY_HELP:
			report("Ctrl-A x ends the virtual machine, Ctrl-A Ctrl-A sends Ctrl-A");
			break;
		}
	}
	return to;
}

static void input_ready(void *opaque)
{
	struct terminal *terminal = opaque;
	uint8_t bytes[256];
	size_t room = sizeof(bytes);
	ssize_t len;

	/* What is piped in is not to be lost: it waits in the pipe. */
	if (!terminal->raw && room > input_room(terminal))
		room = input_room(terminal);
	if (!room)
		return;

	len = read(STDIN_FILENO, bytes, room);
	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (len <= 0) {
		/* The end of what was piped in is not that of the guest. */
		loop_remove(terminal->loop, STDIN_FILENO);
		return;
	}
	if (terminal->raw)
		queue_keys(terminal, bytes,
			   filter_keys(terminal, bytes, len));
	else
		terminal->input.receive(terminal->input.opaque, bytes, len);
}

static void set_raw(struct terminal *terminal)
{
	struct termios raw;

	/* A job in the background would be stopped, and has no keys to get. */
	if (tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
		return;

	raw = terminal->saved;
	cfmakeraw(&raw);
	/* The VMM's own messages end in a mere line feed. */
	raw.c_oflag |= OPOST;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return;
	terminal->raw = true;
	report("Ctrl-A x ends the virtual machine");
}

void terminal_restore(struct terminal *terminal)
{
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->saved);
	terminal->raw = false;
}

int terminal_init(struct terminal *terminal)
{
	pthread_condattr_t attr;
	int error;

	*terminal = (struct terminal){};
	pthread_mutex_init(&terminal->lock, NULL);
	pthread_cond_init(&terminal->space, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&terminal->more, &attr);
	pthread_condattr_destroy(&attr);

	/* A reader that went away is an error of write(), no more. */
	signal(SIGPIPE, SIG_IGN);

	error = pthread_create(&terminal->writer, NULL, writer_thread,
			       terminal);
	if (error) {
		report("cannot start a thread: %s", strerror(error));
		return -error;
	}
	terminal->started = true;
	return 0;
}

int terminal_listen(struct terminal *terminal, struct loop *loop,
		    const struct terminal_input *input, struct end_line end)
{
	const struct loop_source source = {
		.ready = input_ready,
		.wanted = input_wanted,
		.opaque = terminal,
	};

	terminal->loop = loop;
	terminal->input = *input;
	terminal->end = end;
	if (isatty(STDIN_FILENO)) {
		set_raw(terminal);
		if (!terminal->raw)
			return 0;
	}
	return loop_add(loop, STDIN_FILENO, &source);
}

void terminal_no_wait(struct terminal *terminal)
{
	pthread_mutex_lock(&terminal->lock);
	terminal->unlimited = true;
	pthread_cond_broadcast(&terminal->space);
	pthread_mutex_unlock(&terminal->lock);
}

static int join_writer(struct terminal *terminal, int patience)
{
	struct timespec until;

	if (patience < 0)
		return pthread_join(terminal->writer, NULL);
	until = from_now(CLOCK_REALTIME, patience, 0);
	return pthread_timedjoin_np(terminal->writer, NULL, &until);
}

void terminal_close(struct terminal *terminal, int patience)
{
	pthread_mutex_lock(&terminal->lock);
	terminal->closing = true;
	pthread_cond_signal(&terminal->more);
	pthread_mutex_unlock(&terminal->lock);

	terminal_restore(terminal);
	if (terminal->started && join_writer(terminal, patience)) {
		/* The thread is left in write(), with what it works on. */
		pthread_mutex_lock(&terminal->lock);
		report("nobody reads stdout: the last %zu bytes of the guest's output are lost",
		       terminal->len + __atomic_load_n(&terminal->writing,
						       __ATOMIC_RELAXED));
		pthread_mutex_unlock(&terminal->lock);
		return;
	}
	terminal->started = false;
	free(terminal->buffer);
	terminal->buffer = NULL;
	pthread_cond_destroy(&terminal->more);
	pthread_cond_destroy(&terminal->space);
	pthread_mutex_destroy(&terminal->lock);
}
