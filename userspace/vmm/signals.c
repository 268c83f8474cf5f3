// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "loop.h"
#include "report.h"
#include "signals.h"

int signals_block(struct signals *signals)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &signals->saved) < 0)
		return -errno;
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

static void signals_ready(void *opaque)
{
	struct signals *signals = opaque;
	struct signalfd_siginfo info;

	if (read(signals->fd, &info, sizeof(info)) != sizeof(info))
		return;
	report("ended by %s", strsignal(info.ssi_signo));
	/* A terminal that hangs up says so twice: no lack of patience. */
	if (info.ssi_signo == SIGHUP)
		signal(SIGHUP, SIG_IGN);
	end_line_pull(&signals->end, END_USER);
}

int signals_listen(struct signals *signals, struct loop *loop,
		   struct end_line end)
{
	const struct loop_source source = {
		.ready = signals_ready,
		.opaque = signals,
	};

	signals->end = end;
	return loop_add(loop, signals->fd, &source);
}

void signals_release(struct signals *signals)
{
	sigprocmask(SIG_SETMASK, &signals->saved, NULL);
	if (signals->fd >= 0)
		close(signals->fd);
	signals->fd = -1;
}
