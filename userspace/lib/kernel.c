// SPDX-License-Identifier: MIT
/* The ioctls of <linux/mregion.h> that need more than a call to ioctl(). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "kernel.h"
#include "mregion.h"

#define DEVICE	"/dev/mregion"

/* What is to be done about it is known only of the usual device. */
static int open_error(int err, const char *path)
{
	if (strcmp(path, DEVICE))
		return mregion_fail(err, "open %s", path);
	if (err == ENOENT || err == ENXIO || err == ENODEV)
		return mregion_fail_why(err,
			"open %s: the mregion module is not loaded; 'modprobe mregion' as root loads it",
			path);
	if (err == EACCES)
		return mregion_fail_why(err,
			"open %s: no permission; it takes root, or membership of the group kvm",
			path);
	return mregion_fail(err, "open %s", path);
}

int mregion_kernel_open(const char *path, struct mregion_info *info)
{
	int fd, err;

	if (!path)
		path = DEVICE;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return open_error(errno, path);

	*info = (struct mregion_info){ .size = sizeof(*info) };
	if (ioctl(fd, MREGION_INFO, info)) {
		err = errno;
		close(fd);
		return mregion_fail(err, "%s does not answer as mregion does",
				    path);
	}
	if (info->abi_version != MREGION_ABI_VERSION) {
		close(fd);
		return mregion_fail_why(EPROTO,
			"%s: the mregion module that is loaded speaks version %u, this program %u",
			path, info->abi_version, MREGION_ABI_VERSION);
	}
	return fd;
}

int mregion_kernel_commit(int fd, const struct mregion_op *ops, size_t nr,
			  struct mregion_commit *commit)
{
	commit->size = sizeof(*commit);
	commit->ops = (uintptr_t)ops;
	/* Far too many either way, as the kernel will say. */
	commit->nr_ops = nr > UINT32_MAX ? UINT32_MAX : nr;
	commit->op_size = sizeof(*ops);
	commit->failed = commit->nr_ops;
	return ioctl(fd, MREGION_COMMIT, commit) ? -errno : 0;
}

int mregion_kernel_view(int fd, uint32_t space, const uint64_t *old,
			struct mregion_view **view)
{
	struct mregion_view_read read;
	struct mregion_view *new = NULL;
	size_t room = 0;
	int err;

	*view = NULL;
	for (;;) {
		read = (struct mregion_view_read){
			.size = sizeof(read),
			.space = space,
			.ranges = new ? (uintptr_t)new->ranges : 0,
			.nr = room,
			.range_size = sizeof(struct mregion_range),
		};
		if (ioctl(fd, MREGION_VIEW_READ, &read)) {
			err = errno;
			free(new);
			return -err;
		}
		if (old && read.generation == *old) {
			free(new);
			return 0;
		}
		if (new && read.nr <= room)
			break;

		/* It did not fit: the first time, or since it has grown. */
		free(new);
		room = read.nr;
		new = malloc(sizeof(*new) + room * sizeof(new->ranges[0]));
		if (!new)
			return -ENOMEM;
	}
	new->generation = read.generation;
	new->nr = read.nr;
	*view = new;
	return 0;
}

int mregion_kernel_regions(int fd, struct mregion_region_info **regions,
			   size_t *nr)
{
	struct mregion_region_info *new = NULL;
	struct mregion_regions read;
	size_t room = 0;
	int err;

	for (;;) {
		read = (struct mregion_regions){
			.size = sizeof(read),
			.regions = (uintptr_t)new,
			.nr = room,
			.region_size = sizeof(*new),
		};
		if (ioctl(fd, MREGION_REGIONS, &read)) {
			err = errno;
			free(new);
			return -err;
		}
		if (new && read.nr <= room)
			break;
		free(new);
		/* Never zero, so that NULL means failure. */
		room = read.nr + 1;
		new = calloc(room, sizeof(*new));
		if (!new)
			return -ENOMEM;
	}
	*regions = new;
	*nr = read.nr;
	return 0;
}

int mregion_kernel_claims(int fd, int vm_fd, uint32_t bus, uint32_t flags,
			  struct mregion_claims **claims)
{
	struct mregion_claims_read read;
	struct mregion_claims *new = NULL;
	size_t room = 0;
	int err;

	for (;;) {
		read = (struct mregion_claims_read){
			.size = sizeof(read),
			.vm_fd = vm_fd,
			.bus = bus,
			.flags = flags,
			.claims = new ? (uintptr_t)new->claims : 0,
			.nr = room,
			.claim_size = sizeof(new->claims[0]),
		};
		if (ioctl(fd, MREGION_CLAIMS, &read)) {
			err = errno;
			free(new);
			return -err;
		}
		if (new && read.nr <= room)
			break;

		/* It did not fit, but what was asked for is done. */
		free(new);
		flags = 0;
		room = read.nr;
		new = calloc(1, sizeof(*new) + room * sizeof(new->claims[0]));
		if (!new)
			return -ENOMEM;
	}
	new->nr = read.nr;
	*claims = new;
	return 0;
}
