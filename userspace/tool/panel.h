/* SPDX-License-Identifier: MIT */
/* An address space as it is drawn: its targets, its hierarchy and its view. */
#ifndef MREGION_TOOL_PANEL_H
#define MREGION_TOOL_PANEL_H

#include <stddef.h>
#include <stdio.h>

#include "layout.h"

/* Fonts, as page.c has them in its style. */
#define PANEL_TEXT	10.5
#define PANEL_BOLD	11.5	/* as wide as bold text is */
#define PANEL_SMALL	9.0

/**
 * struct panel - a space, in columns beside one another if it is long
 * @layout: where what is
 * @lanes: left edges of the lanes, and the right edge of the last
 * @shelf: width of what aliases show that is not in this space
 * @left: where columns begin, less the room for a shelf that has nothing
 * @address: width of an address
 * @column: width of a column
 * @width: of all columns
 * @height: of the highest one
 * @cuts: bands that columns begin with, and the number of bands
 * @nr_columns: how many
 * @others: names of other spaces with the same view, or NULL
 */
struct panel {
	struct layout layout;
	double *lanes;
	double shelf;
	double *left;
	double address;
	double column;
	double width;
	double height;
	size_t *cuts;
	size_t nr_columns;
	char *others;
};

/**
 * panel_make() - measure
 * @panel: its @layout is made; the rest is filled in; panel_free() it in any case
 *
 * Return: 0 or -ENOMEM.
 */
int panel_make(struct panel *panel);

void panel_free(struct panel *panel);

/** panel_draw() - draw it with its upper left corner at the origin */
int panel_draw(const struct panel *panel, FILE *out);

/** panel_class() - the class that a kind is drawn in */
const char *panel_class(uint32_t kind);

#endif
