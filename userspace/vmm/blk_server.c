// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blk_server.h"
#include "blk_server_process.h"
#include "loop.h"
#include "report.h"

int blk_server_fork(struct blk_server *server, const struct virtio_blk *blk)
{
	int sockets[2];

	*server = (struct blk_server){ .socket = -1 };
	server->state = mmap(NULL, sizeof(*server->state),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (server->state == MAP_FAILED) {
		server->state = NULL;
		report("cannot share memory: %s", strerror(errno));
		return -errno;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		report("cannot create a socket: %s", strerror(errno));
		return -errno;
	}
	server->pid = fork();
	if (server->pid < 0) {
		int error = -errno;

		report("cannot create a process: %s", strerror(errno));
		close(sockets[0]);
		close(sockets[1]);
		server->pid = 0;
		return error;
	}
	if (!server->pid) {
		close(sockets[0]);
		_exit(blk_server_process(blk, server->state, sockets[1]));
	}
	close(sockets[1]);
	server->socket = sockets[0];
	return 0;
}

/* Nothing is ever sent from there: readable means that it has ended. */
static void process_ended(void *opaque)
{
	struct blk_server *server = opaque;

	loop_remove(server->loop, server->socket);
	server->ended(server->opaque);
}

int blk_server_start(struct blk_server *server,
		     const struct blk_server_setup *setup, struct loop *loop,
		     void (*ended)(void *opaque), void *opaque)
{
	const struct loop_source source = { process_ended, NULL, server };
	int error;

	error = blk_server_send(server->socket, setup);
	if (error) {
		report("cannot start the block device's process: %s",
		       strerror(-error));
		return error;
	}
	server->loop = loop;
	server->ended = ended;
	server->opaque = opaque;
	return loop_add(loop, server->socket, &source);
}

static void reap(struct blk_server *server)
{
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	server->pid = 0;
}

void blk_server_kill(struct blk_server *server)
{
	if (!server->pid)
		return;
	kill(server->pid, SIGKILL);
	reap(server);
}

void blk_server_end(struct blk_server *server)
{
	if (!server->state)
		return;
	/* It ends when this does, if it was never told what to serve. */
	if (server->socket >= 0)
		close(server->socket);
	server->socket = -1;
	if (server->pid)
		reap(server);
	munmap(server->state, sizeof(*server->state));
	server->state = NULL;
}
