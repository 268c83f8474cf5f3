/* SPDX-License-Identifier: MIT */
/* Mirrors, for other files of the library. */
#ifndef MREGION_LIB_MIRROR_H
#define MREGION_LIB_MIRROR_H

#include <stddef.h>
#include <stdint.h>

struct mregion_changed;
struct mregion_mirror;

/**
 * mregion_mirror_watch() - be told of what changes
 * @mirror: the mirror
 * @told: called with what has changed, before anything is done by the new view
 * @opaque: passed to it
 */
void mregion_mirror_watch(struct mregion_mirror *mirror,
			  void (*told)(void *opaque,
				       const struct mregion_changed *changed),
			  void *opaque);

/**
 * mregion_mirror_follow() - have the copy follow the view, if that has changed
 *
 * Return: 0 or a negative errno, with its text for mregion_error().
 */
int mregion_mirror_follow(struct mregion_mirror *mirror);

/**
 * struct mregion_file_range - memory of a view, as a part of a file
 * @start: first address
 * @len: how many bytes
 * @fd: the file; the mirror's
 * @offset: of the first byte in it
 */
struct mregion_file_range {
	uint64_t start;
	uint64_t len;
	int fd;
	uint64_t offset;
};

/**
 * mregion_mirror_file() - the first memory at an address or behind it
 * @mirror: the mirror
 * @addr: the address
 * @range: filled in; begins at @addr or behind it
 *
 * Does not look whether the view has changed. Return: 1; 0: there is none; -EAGAIN: the
 * view has changed; or another negative errno.
 */
int mregion_mirror_file(struct mregion_mirror *mirror, uint64_t addr,
			struct mregion_file_range *range);

#endif
