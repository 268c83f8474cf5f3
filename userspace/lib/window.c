// SPDX-License-Identifier: MIT
/* Memory of a space as one mapping that follows the view: see mregion.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "kernel.h"
#include "mirror.h"
#include "mregion.h"

/**
 * struct mregion_window - a window
 * @mirror: of the view
 * @addr: first address
 * @len: how many bytes
 * @base: where @addr is
 * @page_size: of the host
 * @first: of what is to be mapped anew, the first address
 * @last: the last one
 * @old: there is something to be mapped anew
 */
struct mregion_window {
	struct mregion_mirror *mirror;
	uint64_t addr;
	uint64_t len;
	uint8_t *base;
	uint64_t page_size;
	uint64_t first;
	uint64_t last;
	bool old;
};

/*
 * Below, places are distances from the window's first address: the window may end with
 * the last one that there is.
 */

/* Not memory, or not any more. */
static int unmap(struct mregion_window *window, uint64_t start, uint64_t end)
{
	void *ptr = mmap(window->base + start, end - start, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 MAP_FIXED, -1, 0);

	return ptr == MAP_FAILED ? -errno : 0;
}

/* Map the whole pages of memory that begins at @start; it is @len bytes long. */
static int map_file(struct mregion_window *window, uint64_t start, uint64_t len,
		    const struct mregion_file_range *file)
{
	uint64_t mask = window->page_size - 1, skip = -start & mask;
	void *ptr;

	/* Guest pages that are parts of two pages of the file have no mapping. */
	if (len <= skip || (file->offset + skip) & mask)
		return 0;
	len = (len - skip) & ~mask;
	if (!len)
		return 0;
	ptr = mmap(window->base + start + skip, len, PROT_READ,
		   MAP_SHARED | MAP_FIXED, file->fd, file->offset + skip);
	return ptr == MAP_FAILED ? -errno : 0;
}

/* Map the memory between two places, by the copy of the view as it is. */
static int map_between(struct mregion_window *window, uint64_t start,
		       uint64_t end)
{
	struct mregion_file_range file;
	uint64_t len;
	int ret;

	ret = unmap(window, start, end);
	while (!ret && start < end) {
		ret = mregion_mirror_file(window->mirror, window->addr + start,
					  &file);
		if (ret <= 0 || file.start - window->addr >= end)
			return ret < 0 ? ret : 0;
		start = file.start - window->addr;
		len = file.len - 1 < end - start - 1 ? file.len : end - start;
		ret = map_file(window, start, len, &file);
		start += len;
	}
	return ret;
}

/* The pages of what has changed are old; of several parts also those in between. */
static void note_changes(void *opaque, const struct mregion_changed *changed)
{
	struct mregion_window *window = opaque;
	uint64_t first, last;

	if (!changed->nr_intervals)
		return;
	first = changed->intervals[0].start;
	last = changed->intervals[changed->nr_intervals - 1].last;
	if (!window->old || first < window->first)
		window->first = first;
	if (!window->old || last > window->last)
		window->last = last;
	window->old = true;
}

/* Map anew what is old. Return: 0, -EAGAIN or another negative errno. */
static int renew(struct mregion_window *window)
{
	uint64_t mask = window->page_size - 1;
	uint64_t window_last = window->addr + (window->len - 1);
	uint64_t first = window->first, last = window->last;

	if (last < window->addr || first > window_last)
		return 0;
	first = first < window->addr ? 0 : first - window->addr;
	last = last > window_last ? window->len - 1 : last - window->addr;
	return map_between(window, first & ~mask, (last | mask) + 1);
}

int mregion_window_follow(struct mregion_window *window)
{
	bool changed = false;
	int ret;

	do {
		ret = mregion_mirror_follow(window->mirror);
		if (ret)
			return ret;
		if (!window->old)
			break;
		changed = true;
		ret = renew(window);
		if (!ret)
			window->old = false;
	} while (ret == -EAGAIN);
	if (ret)
		return mregion_fail(-ret, "map memory of a window");
	return changed;
}

static int check(const struct mregion_window *window)
{
	uint64_t mask = window->page_size - 1;

	if (!window->len || (window->addr | window->len) & mask ||
	    window->addr + (window->len - 1) < window->addr ||
	    window->len > SIZE_MAX / 2)
		return mregion_fail_why(EINVAL,
			"open a window: it does not begin and end with pages");
	return 0;
}

struct mregion_window *mregion_window_open(int fd, uint64_t addr, uint64_t len)
{
	struct mregion_window *window = calloc(1, sizeof(*window));
	int err = ENOMEM;

	if (!window)
		return mregion_fail_ptr(err, "open a window");
	*window = (struct mregion_window){
		.addr = addr,
		.len = len,
		.base = MAP_FAILED,
		.page_size = sysconf(_SC_PAGESIZE),
		/* All of it is to be mapped. */
		.last = UINT64_MAX,
		.old = true,
	};
	err = -check(window);
	if (err)
		goto free;
	window->mirror = mregion_mirror_open(fd);
	if (!window->mirror) {
		err = errno;
		goto free;
	}
	mregion_mirror_watch(window->mirror, note_changes, window);
	window->base = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			    MAP_NORESERVE, -1, 0);
	err = window->base == MAP_FAILED ? mregion_fail(errno, "open a window") :
					   mregion_window_follow(window);
	if (err >= 0)
		return window;
	err = -err;
free:
	mregion_window_close(window);
	errno = err;
	return NULL;
}

void mregion_window_close(struct mregion_window *window)
{
	if (!window)
		return;
	if (window->base != MAP_FAILED)
		munmap(window->base, window->len);
	mregion_mirror_close(window->mirror);
	free(window);
}

const void *mregion_window_ptr(const struct mregion_window *window)
{
	return window->base;
}

int mregion_window_fd(const struct mregion_window *window)
{
	return mregion_mirror_fd(window->mirror);
}
