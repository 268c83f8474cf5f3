/* SPDX-License-Identifier: MIT */
/* Options of a subcommand. */
#ifndef MREGION_TOOL_OPTIONS_H
#define MREGION_TOOL_OPTIONS_H

#include <getopt.h>

/* What each subcommand has, for the front of its own options. */
#define TOOL_SHORT_OPTIONS	":hj"
#define TOOL_LONG_OPTIONS \
	{ "help", no_argument, NULL, 'h' }, \
	{ "json", no_argument, NULL, 'j' }

/**
 * tool_getopt() - the next option
 * @argc: of the subcommand
 * @argv: of the subcommand
 * @shorts: as for getopt(); begins with %TOOL_SHORT_OPTIONS
 * @longs: as for getopt_long(); begins with %TOOL_LONG_OPTIONS
 *
 * Return: as getopt_long(); '?' after a complaint.
 */
int tool_getopt(int argc, char **argv, const char *shorts,
		const struct option *longs);

#endif
