// SPDX-License-Identifier: MIT
/*
 * The process maps the framebuffer, and has a copy of it. What the guest writes there is
 * never looked at but to be copied, so nothing the guest does can lead it astray.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mregion.h>

#include "../array.h"
#include "confine.h"
#include "framebuffer.h"
#include "picture.h"
#include "report.h"
#include "screen_process.h"

/* What is left open, besides standard error for messages */
#define SOCKET_FD		CONFINE_FIRST_FD

static const struct sock_filter filter[] = {
	FILTER_BEGIN,

	/* Requests, replies and messages; the picture */
	FILTER_ALLOW(recvmsg),
	FILTER_ALLOW(sendto),
	FILTER_ALLOW(write),
	FILTER_ALLOW(close),

	/* Waiting again after SIGCONT */
	FILTER_ALLOW(restart_syscall),
	FILTER_ALLOW(rt_sigreturn),

	/* The C library's memory, and ending */
	FILTER_ALLOW(brk),
	FILTER_ALLOW(mmap),
	FILTER_ALLOW(munmap),
	FILTER_ALLOW(madvise),
	FILTER_ALLOW(exit),
	FILTER_ALLOW(exit_group),
	FILTER_RETURN(FILTER_DENY),
};

/**
 * struct display - the consumer
 * @framebuffer: the guest's; for reading
 * @written: the log of its pages
 * @picture: the copy
 */
struct display {
	const uint8_t *framebuffer;
	uint64_t *written;
	uint8_t *picture;
};

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(SCREEN_MAX_FDS * sizeof(int))];
};

int screen_send(int socket, enum screen_request request, const int *fds,
		unsigned int nr)
{
	uint32_t number = request;
	struct iovec iov = { &number, sizeof(number) };
	union control control = {};
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (nr) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr * sizeof(*fds));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nr * sizeof(*fds));
		memcpy(CMSG_DATA(cmsg), fds, nr * sizeof(*fds));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ?
	       -errno : 0;
}

/* Return: how many descriptors came with it, or -errno. */
static int receive(uint32_t *request, int *fds)
{
	struct iovec iov = { request, sizeof(*request) };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t len;
	size_t size;

	do {
		len = recvmsg(SOCKET_FD, &msg, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return len ? -errno : -EPIPE;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg)
		return 0;
	size = cmsg->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(cmsg), size);
	return size / sizeof(*fds);
}

/* The memory has just been made, so that a copy of it is zeros as well. */
static int begin(struct display *display, const int *fds)
{
	void *framebuffer, *written;

	framebuffer = mmap(NULL, FRAMEBUFFER_SIZE, PROT_READ, MAP_SHARED,
			   fds[0], 0);
	written = mmap(NULL, SCREEN_LOG_WORDS * sizeof(*display->written),
		       PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
	if (framebuffer == MAP_FAILED || written == MAP_FAILED)
		return -errno;
	close(fds[0]);
	close(fds[1]);
	display->framebuffer = framebuffer;
	display->written = written;
	display->picture = calloc(1, FRAMEBUFFER_SIZE);
	if (!display->picture)
		return -ENOMEM;
	return confine_calls(filter, ARRAY_SIZE(filter));
}

static void copy_page(const struct display *display, unsigned int page)
{
	size_t at = page * FRAMEBUFFER_PAGE;

	memcpy(display->picture + at, display->framebuffer + at,
	       FRAMEBUFFER_PAGE);
}

/* Return: how many pages were taken. */
static unsigned int update(const struct display *display)
{
	uint64_t bits[SCREEN_LOG_WORDS];
	unsigned int i, taken;

	taken = mregion_log_take_bits(display->written, 0, FRAMEBUFFER_PAGES,
				      bits);
	for (i = 0; i < FRAMEBUFFER_PAGES; i++)
		if (bits[i / 64] >> i % 64 & 1)
			copy_page(display, i);
	return taken;
}

/* Requests are the VMM's, which is trusted here. */
static void answer(struct display *display, enum screen_request request,
		   const int *fds, struct screen_reply *reply)
{
	if (request == SCREEN_BEGIN) {
		reply->error = begin(display, fds);
		return;
	}
	reply->pages = update(display);
	if (request == SCREEN_PICTURE) {
		reply->error = picture_write(fds[0], display->picture);
		close(fds[0]);
	}
}

/* Until the VMM closes the socket. */
static int serve(void)
{
	struct screen_reply reply;
	struct display display = {};
	int fds[SCREEN_MAX_FDS];
	uint32_t request;
	int got;

	while ((got = receive(&request, fds)) >= 0) {
		reply = (struct screen_reply){};
		answer(&display, request, fds, &reply);
		if (send(SOCKET_FD, &reply, sizeof(reply), MSG_NOSIGNAL) < 0) {
			got = -errno;
			break;
		}
	}
	return got == -EPIPE || got == -ECONNRESET ? 0 : got;
}

int screen_process(int socket)
{
	sigset_t all;
	int error;

	/* The VMM ends upon one that both get, and wants a last picture then. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "mregion-screen", 0, 0, 0);
	error = confine_fds(&socket, 1);
	if (!error)
		error = confine_privileges();
	if (error) {
		report("cannot drop the screen's privileges: %s",
		       strerror(-error));
		return EXIT_FAILURE;
	}
	error = serve();
	if (error) {
		report("the screen's process: %s", strerror(-error));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
