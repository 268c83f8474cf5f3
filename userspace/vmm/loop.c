// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop.h"

static void loop_woken(void *opaque)
{
	struct loop *loop = opaque;
	uint64_t count;

	/* Whether it fails does not matter: then somebody else has read it. */
	if (read(loop->wake_fd, &count, sizeof(count)) < 0)
		return;
}

int loop_init(struct loop *loop)
{
	const struct loop_source source = {
		.ready = loop_woken,
		.opaque = loop,
	};

	*loop = (struct loop){ .wake_fd = -1 };
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0)
		return -errno;
	return loop_add(loop, loop->wake_fd, &source);
}

void loop_exit(struct loop *loop)
{
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	loop->wake_fd = -1;
}

int loop_add(struct loop *loop, int fd, const struct loop_source *source)
{
	if (loop->nr == LOOP_MAX_FDS)
		return -ENOSPC;
	loop->fds[loop->nr] = fd;
	loop->sources[loop->nr] = *source;
	loop->nr++;
	return 0;
}

void loop_remove(struct loop *loop, int fd)
{
	unsigned int i;

	for (i = 0; i < loop->nr; i++)
		if (loop->fds[i] == fd)
			loop->fds[i] = -1;
}

static bool loop_wanted(const struct loop *loop, unsigned int i)
{
	const struct loop_source *source = &loop->sources[i];

	return !source->wanted || source->wanted(source->opaque);
}

int loop_run(struct loop *loop)
{
	struct pollfd polled[LOOP_MAX_FDS];
	unsigned int i;

	while (!atomic_load(&loop->stop)) {
		/*
		 * poll() passes over negative descriptors. Others are reported
		 * when they have hung up even if nothing was asked for.
		 */
		for (i = 0; i < loop->nr; i++) {
			polled[i].fd = loop_wanted(loop, i) ? loop->fds[i] : -1;
			polled[i].events = POLLIN;
			polled[i].revents = 0;
		}

		if (poll(polled, loop->nr, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}

		for (i = 0; i < loop->nr && !atomic_load(&loop->stop); i++)
			if (polled[i].revents)
				loop->sources[i].ready(loop->sources[i].opaque);
	}
	return 0;
}

void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	/* It fails only if the counter is full: awake it is then, too. */
	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stop, true);
	loop_wake(loop);
}
