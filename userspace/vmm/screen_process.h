/* SPDX-License-Identifier: MIT */
/* What runs in the screen's process, and how it is told what to do */
#ifndef VMM_SCREEN_PROCESS_H
#define VMM_SCREEN_PROCESS_H

#include <stdint.h>

#include "framebuffer.h"

/**
 * enum screen_request - what the process is asked for; it replies to each
 * @SCREEN_BEGIN: map the framebuffer and its log; with their descriptors
 * @SCREEN_UPDATE: take the pages that are in the log
 * @SCREEN_PICTURE: take them, and write the picture; with a file's descriptor
 */
enum screen_request {
	SCREEN_BEGIN,
	SCREEN_UPDATE,
	SCREEN_PICTURE,
};

#define SCREEN_MAX_FDS		2

/* A log has a bit for each page. */
#define SCREEN_LOG_WORDS	((FRAMEBUFFER_PAGES + 63) / 64)

/**
 * struct screen_reply - what came of it
 * @error: 0 or a negative errno
 * @pages: how many were taken
 */
struct screen_reply {
	int32_t error;
	uint32_t pages;
};

/**
 * screen_send() - send the process a request
 * @socket: the VMM's end of the socket
 * @request: the request
 * @fds: descriptors for it, which stay the caller's
 * @nr: how many, SCREEN_MAX_FDS at most
 *
 * Does not wait. Return: 0 or a negative errno.
 */
int screen_send(int socket, enum screen_request request, const int *fds,
		unsigned int nr);

/**
 * screen_process() - drop privileges, and do what is asked for until the VMM ends
 * @socket: where requests come from
 *
 * Return: the process's exit status.
 */
int screen_process(int socket);

#endif /* VMM_SCREEN_PROCESS_H */
