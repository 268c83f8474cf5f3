/* SPDX-License-Identifier: MIT */
/*
 * The main thread's loop: wait for descriptors, call who waits for them
 *
 * Descriptors are added before the loop runs, from one thread. A callback runs
 * in the thread that runs the loop.
 */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>

#define LOOP_MAX_FDS	16

struct loop_source {
	void (*ready)(void *opaque);
	/* May be NULL; before each wait. False: not now, even if readable. */
	bool (*wanted)(void *opaque);
	void *opaque;
};

struct loop {
	int fds[LOOP_MAX_FDS];
	struct loop_source sources[LOOP_MAX_FDS];
	unsigned int nr;
	int wake_fd;
	atomic_bool stop;
};

int loop_init(struct loop *loop);
void loop_exit(struct loop *loop);

/** loop_add() - call @source's ready() whenever @fd is readable; -ENOSPC */
int loop_add(struct loop *loop, int fd, const struct loop_source *source);

/** loop_remove() - no longer wait for @fd; from within a callback */
void loop_remove(struct loop *loop, int fd);

/** loop_run() - wait and call until loop_stop() */
int loop_run(struct loop *loop);

/** loop_wake() - ask every source again whether it is wanted; any thread */
void loop_wake(struct loop *loop);

/** loop_stop() - let loop_run() return; any thread */
void loop_stop(struct loop *loop);

#endif /* VMM_LOOP_H */
