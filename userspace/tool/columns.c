// SPDX-License-Identifier: MIT
/* Tables with aligned columns. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns.h"
#include "text.h"
#include "tool.h"

struct columns_cell {
	char *text;
	enum colour colour;
};

void columns_add(struct columns *columns, enum colour colour, const char *fmt,
		 ...)
{
	struct columns_cell *cell;
	va_list args;

	if (columns->nr_cells == columns->room) {
		columns->room = columns->room ? 2 * columns->room : 64;
		columns->cells = tool_grow(columns->cells, columns->room,
					   sizeof(*columns->cells));
	}
	cell = &columns->cells[columns->nr_cells++];
	cell->colour = colour;
	va_start(args, fmt);
	if (vasprintf(&cell->text, fmt, args) < 0) {
		tool_error("out of memory");
		exit(1);
	}
	va_end(args);
}

static bool is_right(const struct columns *columns, size_t column)
{
	return columns->heads[column][0] == '>';
}

static const char *head(const struct columns *columns, size_t column)
{
	return columns->heads[column] + is_right(columns, column);
}

static void print_cell(const struct columns *columns, size_t column,
		       const char *text, enum colour colour,
		       unsigned int width)
{
	unsigned int blanks = width - text_width(text);
	bool right = is_right(columns, column);

	if (!column)
		printf("%*s", columns->indent, "");
	else
		fputs("  ", stdout);
	if (right)
		printf("%*s", blanks, "");
	printf("%s%s%s", colour_begin(colour), text, colour_end(colour));
	if (column == columns->nr - 1)
		putchar('\n');
	else if (!right)
		printf("%*s", blanks, "");
}

void columns_print(struct columns *columns, size_t max)
{
	unsigned int *widths = tool_alloc(columns->nr, sizeof(*widths));
	size_t i, nr, column;

	for (column = 0; column < columns->nr; column++)
		widths[column] = text_width(head(columns, column));
	nr = columns->nr_cells;
	if (nr / columns->nr > max)
		nr = max * columns->nr;
	for (i = 0; i < nr; i++) {
		unsigned int width = text_width(columns->cells[i].text);

		column = i % columns->nr;
		if (width > widths[column])
			widths[column] = width;
	}

	for (column = 0; column < columns->nr; column++)
		print_cell(columns, column, head(columns, column),
			   COLOUR_HEADING, widths[column]);
	for (i = 0; i < nr; i++) {
		column = i % columns->nr;
		print_cell(columns, column, columns->cells[i].text,
			   columns->cells[i].colour, widths[column]);
	}

	for (i = 0; i < columns->nr_cells; i++)
		free(columns->cells[i].text);
	free(columns->cells);
	free(widths);
	columns->cells = NULL;
	columns->nr_cells = columns->room = 0;
}
