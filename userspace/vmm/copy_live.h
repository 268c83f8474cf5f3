/* SPDX-License-Identifier: MIT */
/*
 * A copy of the guest's memory, made while the guest runs
 *
 * As migration does it: all pages once, then in rounds those that were written
 * meanwhile, until few are left; these are copied while nothing runs. The copy is
 * then compared with the memory byte by byte, and the guest goes on.
 */
#ifndef VMM_COPY_LIVE_H
#define VMM_COPY_LIVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct machine;

/**
 * struct copy_live - the copy
 * @machine: whose memory
 * @fd: the file; -1: no copy is wanted
 * @path: its name, for people
 * @thread: makes it
 * @started: there is @thread
 * @stop: the machine has ended, so nothing is written any more
 * @failed: it could not be made, or was not the same
 */
struct copy_live {
	struct machine *machine;
	int fd;
	const char *path;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	bool failed;
};

/** copy_live_open() - open the file, if @path is not NULL; reports what is wrong */
int copy_live_open(struct copy_live *copy, const char *path);

/** copy_live_start() - begin, in a thread of its own; reports what is wrong */
int copy_live_start(struct copy_live *copy, struct machine *machine);

/** copy_live_end() - have it finish, after machine_join() */
void copy_live_end(struct copy_live *copy);

/** copy_live_close() - close the file */
void copy_live_close(struct copy_live *copy);

#endif /* VMM_COPY_LIVE_H */
