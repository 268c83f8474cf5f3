/* SPDX-License-Identifier: MIT */
/* Where a topology becomes a machine: in the module, or in this program. */
#ifndef MREGION_TOOL_BACKEND_H
#define MREGION_TOOL_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion.h>

struct mregion_machine;
struct mregion_view;
struct offline;

/**
 * struct backend - a machine
 * @info: its limits
 * @machine: the module's, or NULL
 * @offline: this program's, unless @machine
 */
struct backend {
	struct mregion_info info;
	struct mregion_machine *machine;
	struct offline *offline;
};

/**
 * backend_open() - make an empty machine
 * @backend: filled in
 * @offline: without the module; else only where there is no module, which is then
 *	said on stderr
 *
 * Return: false after a complaint.
 */
bool backend_open(struct backend *backend, bool offline);

void backend_close(struct backend *backend);

/** backend_commit() - as device_commit() */
int backend_commit(const struct backend *backend, const struct mregion_op *ops,
		   size_t nr, struct mregion_commit *commit);

/** backend_view() - as device_view() */
int backend_view(const struct backend *backend, uint32_t space,
		 struct mregion_view **view);

#endif
