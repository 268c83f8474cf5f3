// SPDX-License-Identifier: MIT
/* Colours of text for terminals. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "colour.h"

static bool colours;

void colour_setup(enum colour_when when)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	colours = when == COLOUR_ALWAYS;
	if (when == COLOUR_AUTO)
		colours = isatty(STDOUT_FILENO) && !(no && *no) &&
			  !(term && !strcmp(term, "dumb"));
}

const char *colour_begin(enum colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "",
		[COLOUR_HEADING] = "\033[1m",
		[COLOUR_NAME] = "\033[36m",
		[COLOUR_ADDRESS] = "\033[35m",
		[COLOUR_KIND] = "\033[32m",
		[COLOUR_OFF] = "\033[31m",
		[COLOUR_FAINT] = "\033[2m",
	};

	return colours ? sequences[colour] : "";
}

const char *colour_end(enum colour colour)
{
	return colours && colour != COLOUR_NONE ? "\033[0m" : "";
}
