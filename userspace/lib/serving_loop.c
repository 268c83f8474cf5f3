// SPDX-License-Identifier: MIT
/*
 * Serving until there is nothing more to come.
 *
 * A thread sleeps in epoll_wait() rather than in MREGION_SERVER_WAIT, since it
 * has to wake up for mregion_serving_stop(), too. Each has an epoll instance of
 * its own, with the server in it as EPOLLEXCLUSIVE, so that one event wakes one
 * thread.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "mregion.h"
#include "serving.h"

/* Looks between two at the clock, which costs more. */
#define LOOKS	64

/**
 * struct spin - how long a thread looks for the next event before it sleeps
 * @max_ns: at most
 * @ns: at present
 */
struct spin {
	uint64_t max_ns;
	uint64_t ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static bool has_news(const struct mregion_serving *serving, uint32_t seen)
{
	return mregion_serving_events(serving) != seen ||
	       atomic_load_explicit(&serving->stop, memory_order_relaxed);
}

/* Return: whether something came in time. */
static bool spin_for(const struct spin *spin,
		     const struct mregion_serving *serving, uint32_t seen,
		     uint64_t since)
{
	unsigned int i;

	if (!spin->ns)
		return has_news(serving, seen);
	do {
		for (i = 0; i < LOOKS; i++) {
			if (has_news(serving, seen))
				return true;
			relax();
		}
	} while (now_ns() - since < spin->ns);
	return false;
}

/*
 * As long as allowed if that would have been enough this time, and ever less if
 * it takes several times as long.
 */
static void adapt(struct spin *spin, uint64_t took)
{
	if (took <= spin->max_ns)
		spin->ns = spin->max_ns;
	else if (took > 4 * spin->max_ns)
		spin->ns /= 2;
}

static int add(int epoll_fd, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_epoll(const struct mregion_serving *serving)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (add(fd, serving->fd, EPOLLIN | EPOLLEXCLUSIVE) ||
	    add(fd, serving->stop_fd, EPOLLIN)) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

/* Return: 0, or -ENODEV if nothing more will come. */
static int sleep_on(int epoll_fd)
{
	struct epoll_event event = { 0 };

	/* A signal may have stopped the serving; the caller looks. */
	if (epoll_wait(epoll_fd, &event, 1, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	return event.events & (EPOLLHUP | EPOLLERR) ? -ENODEV : 0;
}

bool mregion_serving_dead(const struct mregion_serving *serving)
{
	struct pollfd poll_fd = { .fd = serving->fd };

	return poll(&poll_fd, 1, 0) > 0 &&
	       poll_fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static int serve(struct mregion_serving *serving, struct spin *spin,
		 int epoll_fd)
{
	uint64_t since;
	uint32_t seen;
	int ret = 0;

	while (!atomic_load(&serving->stop)) {
		seen = mregion_serving_round(serving);
		if (has_news(serving, seen))
			continue;
		since = spin->max_ns ? now_ns() : 0;
		if (!spin_for(spin, serving, seen, since))
			ret = sleep_on(epoll_fd);
		if (ret)
			return ret;
		if (spin->max_ns)
			adapt(spin, now_ns() - since);
	}
	return 0;
}

static int nothing_more(void)
{
	return mregion_fail_why(ENODEV,
		"serve: the machine is closed, or the server freed or dead");
}

int mregion_serve(struct mregion_serving *serving, unsigned int spin_usecs)
{
	struct spin spin = { 0 };
	int epoll_fd, ret;

	/* On a single CPU nothing can happen while one looks. */
	if (get_nprocs() > 1)
		spin.max_ns = (uint64_t)spin_usecs * 1000;
	spin.ns = spin.max_ns;
	epoll_fd = open_epoll(serving);
	if (epoll_fd < 0)
		return mregion_fail(-epoll_fd, "wait for accesses to serve");
	ret = serve(serving, &spin, epoll_fd);
	close(epoll_fd);
	if (ret == -ENODEV)
		return nothing_more();
	return ret ? mregion_fail(-ret, "serve") : 0;
}

int mregion_serve_once(struct mregion_serving *serving)
{
	/* What a dead server leaves in its rings is the VMM's. */
	if (mregion_serving_dead(serving))
		return nothing_more();
	mregion_serving_round(serving);
	return 0;
}
