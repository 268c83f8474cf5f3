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
			"%s: the mregion module that is loaded has base interface %u, this program needs %u: the %s is too old",
			path, info->abi_version, MREGION_ABI_VERSION,
			info->abi_version < MREGION_ABI_VERSION ? "module"
								: "program");
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

/**
 * struct list - what an ioctl lists
 * @request: the ioctl
 * @arg: its argument
 * @entries: where that has the address of an array
 * @nr: where it has for how many entries there is room, and says how many there are
 * @head: bytes that the caller wants before the array
 * @size: of an entry
 */
struct list {
	unsigned long request;
	void *arg;
	__u64 *entries;
	__u32 *nr;
	size_t head;
	size_t size;
};

/* Return: 0 or a negative errno. */
static int read_list(int fd, const struct list *list, void *buf, uint32_t room)
{
	*list->entries = buf ? (uintptr_t)buf + list->head : 0;
	*list->nr = room;
	return ioctl(fd, list->request, list->arg) ? -errno : 0;
}

/*
 * All of a list of which it was asked, without room, how long it is; it may have grown
 * since. Return: 0, or a negative errno; @all is to be freed with free().
 */
static int read_whole_list(int fd, const struct list *list, void **all)
{
	uint32_t room;
	void *buf;
	int ret;

	do {
		room = *list->nr;
		/* Never of no bytes: that may be NULL. */
		buf = calloc(1, list->head + room * list->size + 1);
		if (!buf)
			return -ENOMEM;
		ret = read_list(fd, list, buf, room);
		if (!ret && *list->nr <= room) {
			*all = buf;
			return 0;
		}
		free(buf);
	} while (!ret);
	return ret;
}

int mregion_kernel_view(int fd, uint32_t space, const uint64_t *old,
			struct mregion_view **view)
{
	struct mregion_view_read read = {
		.size = sizeof(read),
		.space = space,
		.range_size = sizeof(struct mregion_range),
	};
	const struct list list = {
		.request = MREGION_VIEW_READ,
		.arg = &read,
		.entries = &read.ranges,
		.nr = &read.nr,
		.head = sizeof(**view),
		.size = sizeof(struct mregion_range),
	};
	void *new;
	int ret;

	*view = NULL;
	ret = read_list(fd, &list, NULL, 0);
	if (ret || (old && read.generation == *old))
		return ret;
	ret = read_whole_list(fd, &list, &new);
	if (ret)
		return ret;
	*view = new;
	(*view)->generation = read.generation;
	(*view)->nr = read.nr;
	return 0;
}

void mregion_changed_free(struct mregion_changed *changed)
{
	free(changed->intervals);
	free(changed->ranges);
}

/* As many as %MREGION_CHANGES tells at most; and what a commit of a device's takes. */
#define ALL_INTERVALS	64
#define FIRST_RANGES	32

static int changes_room(struct mregion_changed *changed, uint32_t room)
{
	if (!changed->intervals)
		changed->intervals = calloc(ALL_INTERVALS,
					    sizeof(*changed->intervals));
	if (!changed->intervals)
		return -ENOMEM;
	if (changed->room >= room)
		return 0;
	free(changed->ranges);
	changed->ranges = calloc(room, sizeof(*changed->ranges));
	changed->room = changed->ranges ? room : 0;
	return changed->ranges ? 0 : -ENOMEM;
}

int mregion_kernel_changes(int fd, uint32_t space, uint64_t since,
			   struct mregion_changed *changed)
{
	struct mregion_changes_read read = {
		.size = sizeof(read),
		.space = space,
		.since = since,
		.range_size = sizeof(*changed->ranges),
	};
	uint32_t room = FIRST_RANGES;
	int ret;

	do {
		ret = changes_room(changed, room);
		if (ret)
			return ret;
		read.intervals = (uintptr_t)changed->intervals;
		read.ranges = (uintptr_t)changed->ranges;
		read.nr_intervals = ALL_INTERVALS;
		read.nr_ranges = changed->room;
		if (ioctl(fd, MREGION_CHANGES, &read))
			return -errno;
		room = read.nr_ranges;
	} while (room > changed->room);
	changed->nr_intervals = read.nr_intervals;
	changed->nr_ranges = read.nr_ranges;
	changed->generation = read.generation;
	return 0;
}

int mregion_kernel_changes_all(int fd, uint32_t space, uint64_t since,
			       struct mregion_changed *changed)
{
	struct mregion_view *view;
	int ret = mregion_kernel_view(fd, space, &since, &view);

	changed->nr_intervals = 0;
	changed->nr_ranges = 0;
	if (ret || !view)
		return ret;
	ret = changes_room(changed, view->nr);
	if (!ret) {
		changed->intervals[0] = (struct mregion_interval){
			.last = UINT64_MAX,
		};
		changed->nr_intervals = 1;
		if (view->nr)
			memcpy(changed->ranges, view->ranges,
			       view->nr * sizeof(view->ranges[0]));
		changed->nr_ranges = view->nr;
		changed->generation = view->generation;
	}
	free(view);
	return ret;
}

int mregion_kernel_regions(int fd, struct mregion_region_info **regions,
			   size_t *nr)
{
	struct mregion_regions read = {
		.size = sizeof(read),
		.region_size = sizeof(**regions),
	};
	const struct list list = {
		.request = MREGION_REGIONS,
		.arg = &read,
		.entries = &read.regions,
		.nr = &read.nr,
		.size = sizeof(**regions),
	};
	void *new;
	int ret;

	ret = read_list(fd, &list, NULL, 0) ?: read_whole_list(fd, &list, &new);
	if (ret)
		return ret;
	*regions = new;
	*nr = read.nr;
	return 0;
}

int mregion_kernel_claims(int fd, int vm_fd, uint32_t bus, uint32_t flags,
			  struct mregion_claims **claims)
{
	struct mregion_claims_read read = {
		.size = sizeof(read),
		.vm_fd = vm_fd,
		.bus = bus,
		.flags = flags,
		.claim_size = sizeof((*claims)->claims[0]),
	};
	const struct list list = {
		.request = MREGION_CLAIMS,
		.arg = &read,
		.entries = &read.claims,
		.nr = &read.nr,
		.head = sizeof(**claims),
		.size = sizeof((*claims)->claims[0]),
	};
	void *new;
	int ret;

	ret = read_list(fd, &list, NULL, 0);
	if (ret)
		return ret;
	/* What was asked for besides is done. */
	read.flags = 0;
	ret = read_whole_list(fd, &list, &new);
	if (ret)
		return ret;
	*claims = new;
	(*claims)->nr = read.nr;
	return 0;
}
