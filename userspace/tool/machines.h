/* SPDX-License-Identifier: MIT */
/* Which machines a command is about. */
#ifndef MREGION_TOOL_MACHINES_H
#define MREGION_TOOL_MACHINES_H

#include <stdbool.h>
#include <stdint.h>

#include "live.h"

/**
 * struct machines - which machines are meant
 * @id: number of the machine; 0: not said
 * @pid: all of this process; 0: not said
 *
 * Where neither is said, all are meant.
 */
struct machines {
	uint32_t id;
	uint32_t pid;
};

/**
 * machines_take() - take a number, or "pid" and a number, off the arguments
 * @command: for complaints
 * @argc: how many arguments are left
 * @argv: the first of them; moved on by what is taken
 * @machines: filled in; neither member if the first argument is another word
 *
 * Return: false after a complaint.
 */
bool machines_take(const char *command, int *argc, char ***argv,
		   struct machines *machines);

/**
 * machines_read() - read the machines that are meant
 * @list: filled in, sorted by number; live_free() it
 *
 * Return: false after a complaint, also if there is none and one was meant.
 */
bool machines_read(struct netlink *nl, const struct machines *machines,
		   struct live_list *list);

/**
 * machines_one() - find the only machine that is meant
 * @id: set to its number
 *
 * Return: false after a complaint, also if a process that was meant has several.
 */
bool machines_one(struct netlink *nl, const struct machines *machines,
		  uint32_t *id);

#endif
