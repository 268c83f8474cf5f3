/* SPDX-License-Identifier: MIT */
/* Servers, as the VMM sees them. */
#ifndef MREGION_LIB_SERVER_H
#define MREGION_LIB_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mregion_machine;

/**
 * struct mregion_server - a server
 * @machine: it belongs to
 * @id: the kernel's name for it
 * @eventfd: which the kernel signals when it is dead; never read
 * @dead: it is known to answer nothing any more; never cleared
 * @alive: it was freed before that was known otherwise, so its process may still
 *	be at a posted write
 * @next: in the machine's list
 */
struct mregion_server {
	struct mregion_machine *machine;
	uint32_t id;
	int eventfd;
	atomic_bool dead;
	atomic_bool alive;
	struct mregion_server *next;
};

/** mregion_servers_release() - free all handles, when nobody uses them */
void mregion_servers_release(struct mregion_machine *machine);

#endif
