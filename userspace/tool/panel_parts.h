/* SPDX-License-Identifier: MIT */
/* What the files of the panel share. */
#ifndef MREGION_TOOL_PANEL_PARTS_H
#define MREGION_TOOL_PANEL_PARTS_H

#include "panel.h"

struct mregion_range;

#define PANEL_SHELF	150.0	/* boxes of targets */
#define PANEL_GUTTER	56.0	/* links from there */
#define PANEL_DIGIT	6.0	/* of an address */
#define PANEL_PEG	7.0	/* between boxes that do not touch */
#define PANEL_VIEW_GAP	26.0
#define PANEL_VIEW	236.0	/* ranges */
#define PANEL_COLUMN_GAP 40.0

/** struct panel_column - what is being drawn; y is that of the layout, less @top */
struct panel_column {
	const struct panel *panel;
	FILE *out;
	size_t band;
	size_t end;
	double top;
};

/** panel_top() - y in the layout where a column begins */
double panel_top(const struct panel *panel, size_t column);
double panel_bottom(const struct panel *panel, size_t column);

/** panel_has_shelf() - whether an alias in these bands shows what is not drawn */
bool panel_has_shelf(const struct panel *panel, size_t band, size_t end);

/** panel_target() - what the box of an alias shows, or NULL */
const struct picture_region *panel_target(const struct panel *panel,
					  const struct layout_box *box);

/** panel_label() - what is written in a box */
void panel_label(const struct panel *panel, const struct layout_box *box,
		 char *label, size_t size);

/** panel_badge() - the priority of a box, and how wide that is; 0 without one */
double panel_badge(const struct layout_box *box, char *text, size_t size);

/** panel_left() - the left edge of a box: that of its parent, if they touch */
double panel_left(const struct panel *panel, const struct layout_box *box);

/** panel_y() - the upper edge of a band in a column; of its end, its lower edge */
double panel_y(const struct panel_column *column, size_t band);

/** panel_draw_links() - aliases and what they show */
int panel_draw_links(const struct panel_column *column);

/** panel_range_class() - the class that a range is drawn in */
const char *panel_range_class(const struct mregion_range *range);

void panel_draw_view(const struct panel_column *column);

#endif
