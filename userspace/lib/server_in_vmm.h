/* SPDX-License-Identifier: MIT */
/* Servers, as the VMM sees them. */
#ifndef MREGION_LIB_SERVER_IN_VMM_H
#define MREGION_LIB_SERVER_IN_VMM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mregion_machine;

/**
 * enum mregion_server_fate - who has the say about the end of a server
 * @MREGION_SERVER_OPEN: whoever comes first
 * @MREGION_SERVER_FOUND_DEAD: it was found dead, before it was freed
 * @MREGION_SERVER_FREEING: it is being freed, or was, before it was found dead
 */
enum mregion_server_fate {
	MREGION_SERVER_OPEN,
	MREGION_SERVER_FOUND_DEAD,
	MREGION_SERVER_FREEING,
};

/**
 * struct mregion_server - a server
 * @machine: it belongs to
 * @id: the kernel's name for it
 * @eventfd: which the kernel signals when it is dead; never read. -1 once it is
 *	freed, when somebody may still be looking
 * @fate: enum mregion_server_fate
 * @dead: it is known to answer nothing any more; never cleared
 * @alive: it was freed before that was known otherwise, so its process may still
 *	be at a posted write; set before @dead
 * @next: in the machine's list
 */
struct mregion_server {
	struct mregion_machine *machine;
	uint32_t id;
	atomic_int eventfd;
	atomic_uint fate;
	atomic_bool dead;
	atomic_bool alive;
	struct mregion_server *next;
};

/**
 * mregion_server_await_death() - mregion_server_dead(), after some patience
 * @server: the server
 * @msecs: how long to wait for its death, if it is not dead yet
 */
bool mregion_server_await_death(struct mregion_server *server, int msecs);

/** mregion_servers_release() - free all handles, when nobody uses them */
void mregion_servers_release(struct mregion_machine *machine);

#endif
