// SPDX-License-Identifier: MIT
/*
 * The module, as the commands ask it that need a machine of their own. Spaces that have
 * no handle of the library's are asked for by ioctl().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "mregion.h"

/* Of any base interface. Return: 0 or a negative errno. */
static int ask_info(struct mregion_info *info)
{
	int fd = open("/dev/mregion", O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	*info = (struct mregion_info){ .size = sizeof(*info) };
	ret = ioctl(fd, MREGION_INFO, info) ? -errno : 0;
	close(fd);
	return ret;
}

int device_info(struct mregion_info *info)
{
	struct mregion_machine *machine = mregion_machine_open(NULL);
	int err = errno;

	if (machine) {
		*info = *mregion_machine_info(machine);
		mregion_machine_close(machine);
		return 0;
	}
	/* The library speaks no other one. */
	if (err == EPROTO)
		return ask_info(info) ?: -EPROTO;
	return -err;
}

int device_commit(int fd, const struct mregion_op *ops, uint32_t nr,
		  struct mregion_commit *commit)
{
	*commit = (struct mregion_commit){
		.size = sizeof(*commit),
		.ops = (uintptr_t)ops,
		.nr_ops = nr,
		.op_size = sizeof(*ops),
		.failed = nr,
	};
	return ioctl(fd, MREGION_COMMIT, commit) ? -errno : 0;
}

int device_view(int fd, uint32_t space, struct mregion_view **view)
{
	struct mregion_view_read read = {
		.size = sizeof(read),
		.space = space,
		.range_size = sizeof(struct mregion_range),
	};
	struct mregion_view *new = NULL;
	uint32_t room;
	int err;

	/* Without room at first, to know how much it takes. */
	do {
		room = read.nr;
		free(new);
		new = malloc(sizeof(*new) + room * sizeof(new->ranges[0]));
		if (!new)
			return -ENOMEM;
		read.ranges = room ? (uintptr_t)new->ranges : 0;
		if (ioctl(fd, MREGION_VIEW_READ, &read)) {
			err = errno;
			free(new);
			return -err;
		}
	} while (read.nr > room);
	new->generation = read.generation;
	new->nr = read.nr;
	*view = new;
	return 0;
}
