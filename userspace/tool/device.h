/* SPDX-License-Identifier: MIT */
/* The module, as the commands ask it that need a machine of their own. */
#ifndef MREGION_TOOL_DEVICE_H
#define MREGION_TOOL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion.h>

struct mregion_view;

/**
 * device_info() - what the module says of itself
 * @info: filled in
 *
 * Return: 0; -EPROTO, with @info filled in: it has another base interface; or another
 * negative errno. mregion_error() tells of all.
 */
int device_info(struct mregion_info *info);

/**
 * device_commit() - %MREGION_COMMIT
 * @fd: the machine
 * @ops: operations
 * @nr: how many, no more than the module takes
 * @commit: filled in
 *
 * Return: 0 or a negative errno.
 */
int device_commit(int fd, const struct mregion_op *ops, uint32_t nr,
		  struct mregion_commit *commit);

/**
 * device_view() - the view of a space
 * @fd: the machine
 * @space: its ID
 * @view: set to the view, for free()
 *
 * Return: 0 or a negative errno.
 */
int device_view(int fd, uint32_t space, struct mregion_view **view);

#endif
