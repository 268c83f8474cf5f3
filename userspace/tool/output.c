// SPDX-License-Identifier: MIT
/* Write lines to a reader that may be slow, or gone, while signals are heeded. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

#include "output.h"

/* A pipe that is ready takes 4096 bytes at once, so that a line is left for. */
#define ENOUGH		2048

/* How long the reader has to go on, once the end has come. */
#define PATIENCE_MS	1000

void output_begin(struct output *output, int signals)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	output->signals = signals;
	output->err = 0;
	sigaction(SIGPIPE, &ignore, &output->saved);
	/* It is written when asked for alone. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

/* Return: whether the reader takes something. */
static bool is_ready(const struct output *output)
{
	struct pollfd fds[] = {
		{ .fd = STDOUT_FILENO, .events = POLLOUT },
		{ .fd = output->signals, .events = POLLIN },
	};

	do {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (!fds[0].revents)
			poll(fds, 1, PATIENCE_MS);
		return fds[0].revents;
	} while (errno == EINTR);
	return true;
}

void output_flush(struct output *output)
{
	if (!output->err && __fpending(stdout)) {
		if (!is_ready(output))
			output->err = ETIMEDOUT;
		else if (fflush(stdout))
			output->err = errno;
	}
	if (output->err)
		__fpurge(stdout);
}

void output_line(struct output *output)
{
	if (__fpending(stdout) > ENOUGH)
		output_flush(output);
}

void output_end(struct output *output)
{
	sigaction(SIGPIPE, &output->saved, NULL);
	if (output->err == EPIPE)
		raise(SIGPIPE);
	/* For whoever finds that stdout has had an error. */
	errno = output->err;
}
