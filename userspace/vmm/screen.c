// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mregion.h>

#include "framebuffer.h"
#include "machine.h"
#include "report.h"
#include "screen.h"
#include "screen_process.h"

/* Between two looks into the log: while pages are written, and at most otherwise */
#define MIN_MSECS		100
#define MAX_MSECS		1600

/* How long the process may take for an answer at the end, in ms */
#define PATIENCE		10000

/* ---- The process ------------------------------------------------------- */

static int fork_process(struct screen *screen)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		report("cannot create a socket: %s", strerror(errno));
		return -errno;
	}
	screen->pid = fork();
	if (!screen->pid) {
		close(sockets[0]);
		_exit(screen_process(sockets[1]));
	}
	close(sockets[1]);
	screen->socket = sockets[0];
	if (screen->pid > 0)
		return 0;
	screen->pid = 0;
	report("cannot create a process: %s", strerror(errno));
	return -errno;
}

static void kill_process(struct screen *screen)
{
	if (!screen->pid)
		return;
	kill(screen->pid, SIGKILL);
	while (waitpid(screen->pid, NULL, 0) < 0 && errno == EINTR)
		;
	screen->pid = 0;
}

/* It has ended, or has said what it cannot say; or its log cannot be had. */
static void give_up(struct screen *screen, const char *why)
{
	kill_process(screen);
	loop_remove(&screen->machine->loop, screen->socket);
	if (screen->file.fd >= 0)
		picture_file_end(&screen->file, -EPIPE);
	screen->asked = false;
	screen->failed = true;
	report("--screen: %s: there are no pictures from now on", why);
}

static void ask(struct screen *screen, enum screen_request request,
		const int *fds, unsigned int nr)
{
	int error = screen_send(screen->socket, request, fds, nr);

	screen->asked = !error;
	if (error)
		give_up(screen, "its process has ended");
}

/* Whoever wants one from now on wants another one: the guest may have drawn more. */
static void ask_for_picture(struct screen *screen)
{
	int error = picture_file_begin(&screen->file);

	screen->tell = screen->wanted;
	screen->wanted = false;
	if (!error) {
		ask(screen, SCREEN_PICTURE, &screen->file.fd, 1);
		return;
	}
	screen->failed = true;
	picture_file_cannot(&screen->file, error);
}

static void picture_done(struct screen *screen, int error)
{
	error = picture_file_end(&screen->file, error);
	screen->failed = error;
	if (error)
		picture_file_cannot(&screen->file, error);
	else if (screen->tell)
		report("--screen: '%s' is written; pages copied since the last picture: %" PRIu64,
		       screen->file.path, screen->pages);
	screen->pages = 0;
}

static void take_reply(struct screen *screen)
{
	struct screen_reply reply;
	ssize_t len = recv(screen->socket, &reply, sizeof(reply), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len != sizeof(reply) || !screen->asked || reply.error > 0 ||
	    reply.pages > FRAMEBUFFER_PAGES) {
		give_up(screen, "its process has ended");
		return;
	}
	screen->asked = false;
	if (reply.pages) {
		screen->pages += reply.pages;
		screen->counts.pages += reply.pages;
		screen->counts.whole += FRAMEBUFFER_PAGES;
		screen->counts.updates++;
	}
	if (screen->file.fd >= 0)
		picture_done(screen, reply.error);
	else if (reply.error)
		give_up(screen, strerror(-reply.error));
}

/* ---- The log ----------------------------------------------------------- */

static bool any_written(const struct screen *screen)
{
	unsigned int i;

	for (i = 0; i < SCREEN_LOG_WORDS; i++)
		if (__atomic_load_n(&screen->written[i], __ATOMIC_ACQUIRE))
			return true;
	return false;
}

static void set_timer(const struct screen *screen)
{
	const struct itimerspec timer = {
		.it_value.tv_sec = screen->msecs / 1000,
		.it_value.tv_nsec = screen->msecs % 1000 * 1000000,
	};

	timerfd_settime(screen->timer_fd, 0, &timer, NULL);
}

/* Looks are rarer the longer nothing is found. */
static void look(struct screen *screen)
{
	bool written;

	if (!screen->pid || screen->asked)
		return;
	/* What fails may have to do with other memory, and is tried again. */
	if (mregion_log_sync(screen->machine->mregion)) {
		set_timer(screen);
		return;
	}
	written = any_written(screen);
	if (written)
		screen->msecs = MIN_MSECS;
	else if (screen->msecs < MAX_MSECS)
		screen->msecs *= 2;
	if (screen->wanted)
		ask_for_picture(screen);
	else if (written)
		ask(screen, SCREEN_UPDATE, NULL, 0);
	set_timer(screen);
}

/* ---- In the loop ------------------------------------------------------- */

static void timer_ready(void *opaque)
{
	struct screen *screen = opaque;
	uint64_t times;

	if (read(screen->timer_fd, &times, sizeof(times)) == sizeof(times))
		look(screen);
}

static void signal_ready(void *opaque)
{
	struct screen *screen = opaque;
	struct signalfd_siginfo info;

	if (read(screen->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	screen->wanted = true;
	look(screen);
	if (!screen->pid)
		report("--screen: its process has ended, there is no picture");
}

static void socket_ready(void *opaque)
{
	struct screen *screen = opaque;

	/* It was given up, in the same round of the loop. */
	if (!screen->pid)
		return;
	take_reply(screen);
	/* Asked for meanwhile, or too late for the timer */
	if (screen->wanted)
		look(screen);
	else if (screen->pid && !screen->asked)
		set_timer(screen);
}

static int listen_in(struct screen *screen, struct loop *loop)
{
	const struct loop_source on_timer = { timer_ready, NULL, screen };
	const struct loop_source on_signal = { signal_ready, NULL, screen };
	const struct loop_source on_socket = { socket_ready, NULL, screen };
	int error;

	error = loop_add(loop, screen->timer_fd, &on_timer);
	if (!error)
		error = loop_add(loop, screen->signal_fd, &on_signal);
	if (!error)
		error = loop_add(loop, screen->socket, &on_socket);
	return error;
}

/* ---- Begin and end ----------------------------------------------------- */

static int wait_for_signal(struct screen *screen)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	screen->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	screen->timer_fd = timerfd_create(CLOCK_MONOTONIC,
					  TFD_CLOEXEC | TFD_NONBLOCK);
	return screen->signal_fd < 0 || screen->timer_fd < 0 ? -errno : 0;
}

int screen_open(struct screen *screen, const char *path)
{
	int error;

	*screen = (struct screen){
		.socket = -1,
		.signal_fd = -1,
		.timer_fd = -1,
		.file.fd = -1,
		.msecs = MIN_MSECS,
	};
	if (!path)
		return 0;
	error = picture_file_init(&screen->file, path);
	if (!error) {
		error = wait_for_signal(screen);
		if (error)
			report("--screen: cannot wait for a signal: %s",
			       strerror(-error));
	}
	if (!error)
		error = fork_process(screen);
	if (error)
		screen_close(screen);
	return error;
}

/* The memory, and its log; the process must not write the first. */
static int begin(struct screen *screen)
{
	char path[64];
	int fds[SCREEN_MAX_FDS];
	void *written;

	fds[1] = mregion_log_fd(screen->log);
	written = mmap(NULL, SCREEN_LOG_WORDS * sizeof(*screen->written), PROT_READ,
		       MAP_SHARED, fds[1], 0);
	if (written == MAP_FAILED)
		return -errno;
	screen->written = written;
	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 mregion_ram_fd(screen->machine->framebuffer));
	fds[0] = open(path, O_RDONLY | O_CLOEXEC);
	if (fds[0] < 0)
		return -errno;
	ask(screen, SCREEN_BEGIN, fds, SCREEN_MAX_FDS);
	close(fds[0]);
	return screen->pid ? 0 : -EPIPE;
}

int screen_start(struct screen *screen, struct machine *machine)
{
	int error;

	if (!screen->file.path)
		return 0;
	screen->machine = machine;
	screen->log = mregion_log_start(machine->framebuffer);
	if (!screen->log) {
		report("--screen: %s", mregion_error());
		return -EIO;
	}
	error = begin(screen);
	if (!error)
		error = listen_in(screen, &machine->loop);
	if (error)
		report("--screen: cannot begin: %s", strerror(-error));
	return error;
}

/* Wait for what is under way; nobody else does any more. */
static void await_reply(struct screen *screen)
{
	struct pollfd polled = { .fd = screen->socket, .events = POLLIN };
	int ready;

	if (!screen->asked)
		return;
	do {
		ready = poll(&polled, 1, PATIENCE);
	} while (ready < 0 && errno == EINTR);
	if (ready == 1)
		take_reply(screen);
	else
		give_up(screen, "its process does not answer");
}

static void last_picture(struct screen *screen)
{
	await_reply(screen);
	screen->wanted = false;
	if (!screen->pid)
		return;
	if (mregion_log_sync(screen->machine->mregion)) {
		give_up(screen, mregion_error());
		return;
	}
	ask_for_picture(screen);
	await_reply(screen);
}

void screen_end(struct screen *screen)
{
	if (!screen->machine)
		return;
	last_picture(screen);
	munmap((void *)screen->written, SCREEN_LOG_WORDS * sizeof(*screen->written));
	mregion_log_stop(screen->log);
	screen->machine = NULL;
}

void screen_close(struct screen *screen)
{
	kill_process(screen);
	if (screen->socket >= 0)
		close(screen->socket);
	if (screen->signal_fd >= 0)
		close(screen->signal_fd);
	if (screen->timer_fd >= 0)
		close(screen->timer_fd);
	picture_file_exit(&screen->file);
}
