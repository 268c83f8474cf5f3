// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mregion.h>

#include "../array.h"
#include "blk_server.h"
#include "blk_server_filter.h"
#include "blk_server_process.h"
#include "confine.h"
#include "dma.h"
#include "report.h"

/* How long to look for the next access before sleeping, in microseconds */
#define SPIN_USECS		20

/* What is left open, besides standard error for messages */
#define SOCKET_FD		CONFINE_FIRST_FD
#define DISK_FD			(CONFINE_FIRST_FD + 1)

/* server_fd, view_fd, kick and irqs, in this order */
#define NR_FDS			(3 + VIRTIO_MAX_VECTORS)

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(NR_FDS * sizeof(int))];
};

/* A message that carries @setup, and its descriptors beside it. */
static struct msghdr message(struct iovec *iov, union control *control,
			     const struct blk_server_setup *setup)
{
	*iov = (struct iovec){ (void *)setup, sizeof(*setup) };
	return (struct msghdr){
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control->room),
	};
}

int blk_server_send(int socket, const struct blk_server_setup *setup)
{
	int fds[NR_FDS] = { setup->server_fd, setup->view_fd, setup->kick };
	union control control = {};
	struct msghdr msg;
	struct cmsghdr *cmsg;
	struct iovec iov;

	memcpy(fds + 3, setup->irqs, sizeof(setup->irqs));
	msg = message(&iov, &control, setup);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Return: 1; 0 if the VMM has ended without a word; a negative errno. */
static int receive(int socket, struct blk_server_setup *setup)
{
	union control control = {};
	int fds[NR_FDS];
	struct msghdr msg;
	struct cmsghdr *cmsg;
	struct iovec iov;
	ssize_t len;

	msg = message(&iov, &control, setup);
	do {
		len = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return len ? -errno : 0;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (len != sizeof(*setup) || !cmsg ||
	    cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(fds)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(cmsg), sizeof(fds));
	setup->server_fd = fds[0];
	setup->view_fd = fds[1];
	setup->kick = fds[2];
	memcpy(setup->irqs, fds + 3, sizeof(setup->irqs));
	return 1;
}

static int add_regions(struct mregion_serving *serving,
		       const struct blk_server_setup *setup,
		       struct virtio *virtio)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < VIRTIO_NR_PARTS && !error; i++)
		error = mregion_serving_add(serving, setup->regions[i],
					    MREGION_WHOLE, virtio_pci_ops[i],
					    virtio);
	return error;
}

/* Guest memory, by a mirror of its view. All is called with the device's lock held. */
static void *mirror_ptr(void *opaque, uint64_t addr, size_t *len, bool write)
{
	return mregion_mirror_ptr(opaque, addr, len, write);
}

static void mirror_begin(void *opaque, const void *ptr, size_t len)
{
	mregion_mirror_begin(opaque, ptr, len);
}

static void mirror_mark(void *opaque, const void *ptr, size_t len)
{
	mregion_mirror_mark(opaque, ptr, len);
}

static void mirror_end(void *opaque)
{
	mregion_mirror_end(opaque);
}

/* The same device as in the VMM; only its wires lead elsewhere. */
static int serve(struct virtio_blk *blk, struct blk_server_shared *shared,
		 const struct blk_server_setup *setup)
{
	struct mregion_serving *serving = NULL;
	struct virtio_wires wires = {
		.kicks = { setup->kick },
		.master = &shared->master,
	};
	struct virtio *virtio = &shared->virtio;
	struct virtio_face face;
	struct mregion_mirror *mirror;
	int error;

	mirror = mregion_mirror_open(setup->view_fd);
	if (!mirror)
		return -errno;
	close(setup->view_fd);
	wires.dma = (struct dma){
		.ptr = mirror_ptr,
		.begin = mirror_begin,
		.mark = mirror_mark,
		.end = mirror_end,
		.opaque = mirror,
	};
	memcpy(wires.irqs, setup->irqs, sizeof(wires.irqs));

	virtio_blk_face(blk, &face);
	virtio_init(virtio, &virtio_blk_type, &face, blk);
	error = virtio_start(virtio, &wires);

	if (!error) {
		serving = mregion_serving_open(setup->server_fd);
		error = serving ? 0 : -errno;
	}
	/* The library has its own, and must be the last to have it. */
	close(setup->server_fd);
	if (!error)
		error = add_regions(serving, setup, virtio);
	/* All is set up, and the guest has had no say in anything yet. */
	if (!error)
		error = blk_server_filter();
	if (!error)
		error = mregion_serve(serving, SPIN_USECS);

	if (serving)
		mregion_serving_close(serving);
	virtio_stop(virtio);
	mregion_mirror_close(mirror);
	/* That is how it is told of the machine's end. */
	return error == -ENODEV ? 0 : error;
}

int blk_server_process(const struct virtio_blk *blk,
		       struct blk_server_shared *shared, int socket)
{
	const int fds[] = { socket, blk->fd };
	struct virtio_blk own = *blk;
	struct blk_server_setup setup;
	int error;

	prctl(PR_SET_NAME, "mregion-blk", 0, 0, 0);
	error = confine_fds(fds, ARRAY_SIZE(fds));
	if (!error)
		error = confine_privileges();
	if (error) {
		report("cannot drop the block device's privileges: %s",
		       strerror(-error));
		return EXIT_FAILURE;
	}
	own.fd = DISK_FD;
	error = receive(SOCKET_FD, &setup);
	if (error > 0)
		error = serve(&own, shared, &setup);
	if (error) {
		report("the block device's process: %s", strerror(-error));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
