/* SPDX-License-Identifier: MIT */
/*
 * The block device in a process of its own, without privileges
 *
 * The process has the disk's file, the view of the guest's memory, the device's
 * eventfds and a server's descriptor; nothing of the VMM's, of KVM's, or of the module's. It is
 * forked before the VMM has any of those, and handed what it needs by a socket.
 * It has no capabilities, is "nobody" if the VMM was started as root, and may
 * make few system calls, which do not include opening anything. The signals that
 * ask the VMM to end stay blocked: it ends when the machine does.
 * The device's state is in memory that both share, for the VMM to go on with if
 * the process dies.
 */
#ifndef VMM_BLK_SERVER_H
#define VMM_BLK_SERVER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "virtio_blk.h"
#include "virtio_pci.h"

struct loop;

/**
 * struct blk_server_shared - memory that the VMM and the process share
 * @virtio: the device, as the process has it
 * @master: whether the guest lets it access memory; see struct virtio_wires
 */
struct blk_server_shared {
	struct virtio virtio;
	atomic_bool master;
};

struct blk_server {
	pid_t pid;			/* 0: there is none (any more) */
	int socket;
	struct blk_server_shared *shared;
	struct loop *loop;
	void (*ended)(void *opaque);
	void *opaque;
};

/**
 * struct blk_server_setup - what the process needs; descriptors stay the caller's
 * @server_fd: the server that it is to be
 * @view_fd: the view of the guest's memory, by which it gets at RAM
 * @kick: the queue's eventfd
 * @irqs: the vectors' eventfds
 * @regions: IDs of the regions it serves
 */
struct blk_server_setup {
	int server_fd;
	int view_fd;
	int kick;
	int irqs[VIRTIO_MAX_VECTORS];
	uint32_t regions[VIRTIO_NR_PARTS];
};

/**
 * blk_server_fork() - make the process; reports what is wrong
 * @server: the server
 * @blk: the device, opened
 *
 * Before there is any thread. Return: 0 or a negative errno.
 */
int blk_server_fork(struct blk_server *server, const struct virtio_blk *blk);

/**
 * blk_server_start() - let it serve; reports what is wrong
 * @server: the server
 * @setup: what it needs
 * @loop: where to wait for its end
 * @ended: called when it has ended, in the thread that runs @loop
 * @opaque: for @ended
 */
int blk_server_start(struct blk_server *server,
		     const struct blk_server_setup *setup, struct loop *loop,
		     void (*ended)(void *opaque), void *opaque);

/** blk_server_pause() - have it stand still, if it lives, until blk_server_resume() */
void blk_server_pause(struct blk_server *server);
void blk_server_resume(struct blk_server *server);

/** blk_server_kill() - kill it, if it lives; from then on @shared is stable */
void blk_server_kill(struct blk_server *server);

/**
 * blk_server_end() - wait for its end, after the machine is closed
 *
 * It is killed if that takes too long: it may be stopped, or hang.
 */
void blk_server_end(struct blk_server *server);

#endif /* VMM_BLK_SERVER_H */
