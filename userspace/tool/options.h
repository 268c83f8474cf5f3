/* SPDX-License-Identifier: MIT */
/* The options of mregion. */
#ifndef MREGION_TOOL_OPTIONS_H
#define MREGION_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "colour.h"

/**
 * struct tool_options - what was given, apart from -j
 * @pretty: -p: JSON for people
 * @help: -h
 * @version: -V
 * @colour: --color
 * @all: -a: also what has no accesses, or is disabled
 * @timestamp: -t: dates, too
 * @interval: -i: seconds; 0: not given
 * @count: -n: how many tables, or events; 0: not given
 * @buffer: -b: bytes of a buffer for events; 0: not given
 * @offline: --offline: without the module
 * @output: -o: file to write to; NULL: not given
 * @title: -t: of a drawing; NULL: not given
 * @spaces: -s: names, in the order of the arguments
 * @nr_spaces: how many
 */
struct tool_options {
	bool pretty;
	bool help;
	bool version;
	enum colour_when colour;
	bool all;
	bool timestamp;
	double interval;
	uint64_t count;
	uint64_t buffer;
	bool offline;
	const char *output;
	const char *title;
	char **spaces;
	size_t nr_spaces;
};

extern struct tool_options tool_options;

/**
 * options_take() - take the options out of arguments
 * @argc: number of arguments; updated
 * @argv: arguments; those that are no options are left, after argv[0]
 * @letters: of those options that are taken besides the common ones; upper
 *	case where another option has the letter, too
 * @command: name of the command that has them; NULL: those before a command,
 *	which are taken up to the first argument that is no option
 *
 * Return: false after a complaint about one that is unknown or wrong.
 */
bool options_take(int *argc, char **argv, const char *letters,
		  const char *command);

/** options_print() - the common options and those of @letters, for help */
void options_print(FILE *file, const char *letters);

#endif
