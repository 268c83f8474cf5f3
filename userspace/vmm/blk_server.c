// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
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

/* How long it may take to end by itself, in ms. */
#define PATIENCE		2000

int blk_server_fork(struct blk_server *server, const struct virtio_blk *blk)
{
	int sockets[2];

	*server = (struct blk_server){ .socket = -1 };
	server->shared = mmap(NULL, sizeof(*server->shared),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (server->shared == MAP_FAILED) {
		server->shared = NULL;
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
		_exit(blk_server_process(blk, server->shared, sockets[1]));
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
	error = loop_add(loop, server->socket, &source);
	if (error)
		report("cannot wait for the block device's process: %s",
		       strerror(-error));
	return error;
}

static void reap(struct blk_server *server)
{
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	server->pid = 0;
}

void blk_server_pause(struct blk_server *server)
{
	siginfo_t info;

	if (!server->pid || kill(server->pid, SIGSTOP))
		return;
	/* It may be ending, which is the same here. */
	while (waitid(P_PID, server->pid, &info,
		      WSTOPPED | WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
}

void blk_server_resume(struct blk_server *server)
{
	if (server->pid)
		kill(server->pid, SIGCONT);
}

void blk_server_kill(struct blk_server *server)
{
	if (!server->pid)
		return;
	kill(server->pid, SIGKILL);
	reap(server);
}

/* Its end of the socket is closed when it ends, at the latest. */
static void wait_for_end(const struct blk_server *server)
{
	struct pollfd polled = { .fd = server->socket, .events = POLLIN };

	/* If it was never told what to serve, that is what it waits for. */
	shutdown(server->socket, SHUT_WR);
	poll(&polled, 1, PATIENCE);
}

void blk_server_end(struct blk_server *server)
{
	if (!server->shared)
		return;
	if (server->pid) {
		wait_for_end(server);
		blk_server_kill(server);
	}
	if (server->socket >= 0)
		close(server->socket);
	server->socket = -1;
	munmap(server->shared, sizeof(*server->shared));
	server->shared = NULL;
}
