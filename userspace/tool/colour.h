/* SPDX-License-Identifier: MIT */
/* Colours of text for terminals. */
#ifndef MREGION_TOOL_COLOUR_H
#define MREGION_TOOL_COLOUR_H

/** enum colour_when - when there are any */
enum colour_when {
	COLOUR_AUTO,
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

/** enum colour - what a piece of text is, and so how it looks */
enum colour {
	COLOUR_NONE,
	COLOUR_HEADING,
	COLOUR_NAME,
	COLOUR_ADDRESS,
	COLOUR_KIND,
	COLOUR_OFF,
	COLOUR_FAINT,
};

/**
 * colour_setup() - decide whether there are colours
 * @when: what was asked for; automatically they are for terminals, unless
 *	NO_COLOR is set or TERM says that it knows none
 */
void colour_setup(enum colour_when when);

/** colour_begin() - what makes the terminal show @colour; "" without colours */
const char *colour_begin(enum colour colour);

/** colour_end() - what ends that */
const char *colour_end(enum colour colour);

#endif
