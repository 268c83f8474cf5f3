/* SPDX-License-Identifier: MIT */
/* Which commits of machines have been seen, and so which have been lost. */
#ifndef MREGION_TOOL_SEEN_H
#define MREGION_TOOL_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct seen - the last commit seen of each machine
 * @machines: sorted by ID
 * @nr: how many there are
 * @room: how many there is room for
 */
struct seen {
	struct seen_machine {
		uint32_t id;
		bool listed;		/* known from before its events */
		uint64_t generation;
	} *machines;
	size_t nr;
	size_t room;
};

/**
 * seen_listed() - a machine had made so many commits when it was looked at
 *
 * Events of some of these may still come.
 */
void seen_listed(struct seen *seen, uint32_t machine, uint64_t generation);

/**
 * seen_commit() - an event of a commit has come
 *
 * A machine that is not known was opened since, so that its first commit is the
 * first one to be seen.
 *
 * Return: how many commits before it have been lost.
 */
uint64_t seen_commit(struct seen *seen, uint32_t machine, uint64_t generation);

/**
 * seen_until() - all events up to a commit have come that will come
 *
 * Return: how many commits up to it have been lost.
 */
uint64_t seen_until(struct seen *seen, uint32_t machine, uint64_t generation);

/** seen_closed() - a machine is gone */
void seen_closed(struct seen *seen, uint32_t machine);

void seen_free(struct seen *seen);

#endif
