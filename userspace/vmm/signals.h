/* SPDX-License-Identifier: MIT */
/* The signals that ask the VMM to end: SIGINT, SIGTERM, SIGHUP */
#ifndef VMM_SIGNALS_H
#define VMM_SIGNALS_H

#include <signal.h>

#include "wiring.h"

struct loop;

struct signals {
	int fd;
	sigset_t saved;
	struct end_line end;
};

/** signals_block() - before any thread is created: keep them for the loop */
int signals_block(struct signals *signals);

/** signals_listen() - pull @end when one arrives, in the loop */
int signals_listen(struct signals *signals, struct loop *loop,
		   struct end_line end);

/** signals_release() - from now on they kill, as they do others */
void signals_release(struct signals *signals);

#endif /* VMM_SIGNALS_H */
