// SPDX-License-Identifier: MIT
/* Options of a subcommand. */
#include <getopt.h>
#include <stdio.h>

#include "options.h"
#include "tool.h"

int tool_getopt(int argc, char **argv, const char *shorts,
		const struct option *longs)
{
	int c;

	/* What getopt says itself does not name the subcommand. */
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) == 'j')
		tool_json = true;
	if (c != '?' && c != ':')
		return c;
	if (c == ':')
		tool_error("%s: option '%s' needs an argument", argv[0],
			   argv[optind - 1]);
	else if (optopt && argv[optind - 1][1] != '-')
		tool_error("%s: unknown option '-%c'", argv[0], optopt);
	else
		tool_error("%s: unknown option '%s'", argv[0],
			   argv[optind - 1]);
	return '?';
}
