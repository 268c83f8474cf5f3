/* SPDX-License-Identifier: MIT */
/*
 * The guest's screen: a picture of the framebuffer, kept by a process of its own
 *
 * The process has the framebuffer, for reading, and a log of its pages: it copies those
 * that were written, and no others. The VMM brings the log up to date, a few times a
 * second, and tells the process when there is something in there. It asks for a PNG upon
 * SIGUSR1 and at the end, and makes the file for it.
 *
 * The process is forked before the VMM has anything that it must not have. It has no
 * capabilities, is "nobody" if the VMM was started as root, and, from the first request
 * on, can open nothing.
 */
#ifndef VMM_SCREEN_H
#define VMM_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "picture_file.h"

struct machine;
struct mregion_log;

/**
 * struct screen_counts - what it took
 * @updates: times that pages were copied
 * @pages: pages that were copied
 * @whole: what these would be if each update copied all
 */
struct screen_counts {
	uint64_t updates;
	uint64_t pages;
	uint64_t whole;
};

/**
 * struct screen - the screen
 * @file: of the picture; without a path there is no screen
 * @machine: whose screen; NULL: it was not started
 * @pid: the process; 0: there is none
 * @socket: leads to it
 * @signal_fd: readable when a picture is asked for
 * @timer_fd: readable when it is time to look into the log
 * @log: the framebuffer's
 * @written: its bitmap
 * @msecs: between two looks
 * @asked: a request is under way
 * @wanted: a signal wants a picture
 * @tell: the picture that is under way was wanted by one
 * @pages: copied since the last one
 * @counts: for the user
 * @failed: the last picture could not be written
 */
struct screen {
	struct picture_file file;
	struct machine *machine;
	pid_t pid;
	int socket;
	int signal_fd;
	int timer_fd;
	struct mregion_log *log;
	const uint64_t *written;
	unsigned int msecs;
	bool asked;
	bool wanted;
	bool tell;
	uint64_t pages;
	struct screen_counts counts;
	bool failed;
};

/**
 * screen_open() - make the process, if @path is not NULL; reports what is wrong
 *
 * From then on SIGUSR1 is blocked. Before there is any thread, and before
 * signals_block(), whose end then leaves it blocked.
 */
int screen_open(struct screen *screen, const char *path);

/** screen_start() - begin, before any vCPU runs; reports what is wrong */
int screen_start(struct screen *screen, struct machine *machine);

/** screen_end() - write the last picture, after machine_join() */
void screen_end(struct screen *screen);

/** screen_close() - end the process */
void screen_close(struct screen *screen);

#endif /* VMM_SCREEN_H */
