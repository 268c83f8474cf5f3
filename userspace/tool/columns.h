/* SPDX-License-Identifier: MIT */
/* Tables with aligned columns. */
#ifndef MREGION_TOOL_COLUMNS_H
#define MREGION_TOOL_COLUMNS_H

#include <stddef.h>

#include "colour.h"

/**
 * struct columns - a table
 * @heads: heading of each column; one that begins with '>' is flushed right,
 *	as numbers are
 * @nr: number of columns
 * @indent: blanks in front of each line
 * @cells: what there is, line after line
 * @nr_cells: how many cells there are
 * @room: how many there is room for
 */
struct columns {
	const char *const *heads;
	size_t nr;
	unsigned int indent;
	struct columns_cell *cells;
	size_t nr_cells;
	size_t room;
};

/** COLUMNS() - a table without lines */
#define COLUMNS(columns_heads, columns_indent) (struct columns){	\
	.heads = (columns_heads),					\
	.nr = sizeof(columns_heads) / sizeof((columns_heads)[0]),	\
	.indent = (columns_indent),					\
}

/** columns_add() - the next cell, as for printf() */
__attribute__((format(printf, 3, 4)))
void columns_add(struct columns *columns, enum colour colour, const char *fmt,
		 ...);

/**
 * columns_print() - print the table, and empty it
 * @max: how many lines below the heading are printed at most
 */
void columns_print(struct columns *columns, size_t max);

#endif
