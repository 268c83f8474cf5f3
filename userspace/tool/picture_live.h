/* SPDX-License-Identifier: MIT */
/* A picture of a live machine. */
#ifndef MREGION_TOOL_PICTURE_LIVE_H
#define MREGION_TOOL_PICTURE_LIVE_H

#include "picture.h"

struct netlink;
struct snapshot;

/**
 * picture_of_machine() - fill a picture in, but for its title
 * @picture: filled in; picture_live_free() it in any case
 * @snapshot: filled in; snapshot_free() it in any case, after the picture
 * @nl: a socket
 * @machine: number of the machine
 * @spaces: numbers of spaces to be drawn; none: all
 * @nr_spaces: how many
 *
 * All of the picture is of one generation. Return: false after a complaint, also
 * if the machine changes too fast for that.
 */
bool picture_of_machine(struct picture *picture, struct snapshot *snapshot,
			struct netlink *nl, uint32_t machine,
			const uint32_t *spaces, size_t nr_spaces);

void picture_live_free(struct picture *picture);

#endif
