/* SPDX-License-Identifier: MIT */
/* Accesses of machines, by where they went and what became of them. */
#ifndef MREGION_TOOL_COUNTERS_H
#define MREGION_TOOL_COUNTERS_H

#include <stdbool.h>

#include "machines.h"

/** enum counters_of - what accesses are counted for */
enum counters_of {
	COUNTERS_MACHINE,	/* all, also of what has been freed */
	COUNTERS_REGION,
	COUNTERS_SPACE,		/* addresses where it has nothing */
};

/**
 * struct counters - accesses to a region, a space, or a machine
 * @machine: number of the machine
 * @of: what it is
 * @id: its ID; 0: the machine
 * @name: of a region: its name; of a machine: that of the process
 * @nr: accesses by enum mregion_outcome
 */
struct counters {
	uint32_t machine;
	enum counters_of of;
	uint32_t id;
	char *name;
	double nr[LIVE_NR_OUTCOMES];
};

/**
 * struct counters_list - counters of machines
 * @items: sorted by machine, what they are of, and ID
 * @nr: how many there are
 * @room: how many there is room for
 * @time: when they were read, in seconds
 */
struct counters_list {
	struct counters *items;
	size_t nr;
	size_t room;
	double time;
};

/**
 * counters_read() - read the counters of machines
 *
 * Return: false after a complaint.
 */
bool counters_read(struct netlink *nl, const struct machines *machines,
		   struct counters_list *list);

void counters_free(struct counters_list *list);

/** counters_sum() - of all outcomes */
double counters_sum(const struct counters *counters);

/**
 * counters_rate() - turn counters into accesses a second
 * @rates: filled in; counters_free() it
 * @now: counters
 * @before: counters of before
 */
void counters_rate(struct counters_list *rates,
		   const struct counters_list *now,
		   const struct counters_list *before);

/** counters_rank() - those of a machine with the most accesses first */
void counters_rank(struct counters_list *list);

/**
 * counters_print() - print a table
 * @all: also what has no accesses
 * @max: how many lines at most
 */
void counters_print(const struct counters_list *list, bool all, size_t max);

/** counters_json() - the elements of an array, an object for each machine */
void counters_json(const struct counters_list *list, bool all, bool rates);

#endif
