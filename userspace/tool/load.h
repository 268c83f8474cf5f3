/* SPDX-License-Identifier: MIT */
/* Make a machine what a topology says. */
#ifndef MREGION_TOOL_LOAD_H
#define MREGION_TOOL_LOAD_H

#include <stdbool.h>

struct backend;
struct topology;

/**
 * load_topology() - make a fresh machine what a topology says
 * @backend: the machine
 * @path: name of the file, for complaints
 * @topology: what it says. Space i of it gets ID i + 1; regions keep theirs
 *
 * Return: false after a complaint.
 */
bool load_topology(const struct backend *backend, const char *path,
		   const struct topology *topology);

#endif
