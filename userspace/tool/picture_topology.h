/* SPDX-License-Identifier: MIT */
/* A picture of a topology. */
#ifndef MREGION_TOOL_PICTURE_TOPOLOGY_H
#define MREGION_TOOL_PICTURE_TOPOLOGY_H

#include "picture.h"

struct backend;
struct topology;

/**
 * picture_of_topology() - fill a picture in
 * @picture: filled in; picture_topology_free() it in any case
 * @backend: where load_topology() has made the topology
 * @path: of its file, for complaints
 * @topology: the topology; stays as long as the picture
 * @names: names of spaces to be drawn; none: all
 * @nr_names: how many
 *
 * Return: false after a complaint.
 */
bool picture_of_topology(struct picture *picture, const struct backend *backend,
			 const char *path, const struct topology *topology,
			 char *const *names, size_t nr_names);

void picture_topology_free(struct picture *picture);

#endif
