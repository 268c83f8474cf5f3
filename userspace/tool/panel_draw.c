// SPDX-License-Identifier: MIT
/* The hierarchy, and all of a panel. */
#include <linux/mregion.h>

#include "panel_parts.h"
#include "svg.h"

double panel_y(const struct panel_column *column, size_t band)
{
	const struct layout *layout = &column->panel->layout;

	return (band < layout->nr_bands ? layout->bands[band].y :
					  layout->height) - column->top;
}

double panel_left(const struct panel *panel, const struct layout_box *box)
{
	double x = panel->lanes[box->lane];

	if (box->parent == LAYOUT_NONE ||
	    panel->layout.boxes[box->parent].lane + 1 == box->lane)
		return x;
	return x + PANEL_PEG;
}

/* A line from a box to its parent, over what is between them. */
static void draw_peg(const struct panel_column *column,
		     const struct layout_box *box, double y)
{
	const struct panel *panel = column->panel;
	double to = panel_left(panel, box), from;

	if (box->parent == LAYOUT_NONE || to == panel->lanes[box->lane])
		return;
	from = panel->lanes[panel->layout.boxes[box->parent].lane + 1] - 1;
	svg_peg(column->out, from, y, to);
}

/* Parts of a box that are seen, as what they are in the view, and the way there. */
static void draw_seen(const struct panel_column *column, size_t i, double left,
		      double right, bool projections)
{
	const struct panel *panel = column->panel;
	const struct layout_band *bands = panel->layout.bands;
	const struct layout_box *box = &panel->layout.boxes[i];
	double view = panel->column - panel->address - PANEL_VIEW;
	bool alias = box->region->kind == MREGION_ALIAS;
	const char *class;
	size_t b, end;

	for (b = column->band; b < column->end; b = end) {
		double y = panel_y(column, b), h;

		end = b + 1;
		if (bands[b].box != i)
			continue;
		class = panel_range_class(bands[b].range);
		while (end < column->end && bands[end].box == i &&
		       panel_range_class(bands[end].range) == class)
			end++;
		h = panel_y(column, end) - y;
		if (projections) {
			svg_rect(column->out, "p", class, right, y,
				 view - right, h);
			continue;
		}
		svg_rect(column->out, alias ? "k al" : "k", class, left, y,
			 right - left, h);
		if (!alias)
			svg_rect(column->out, "s", class, left, y, 3, h);
	}
}

static void draw_title(const struct panel_column *column,
		       const struct layout_box *box)
{
	const struct picture_region *region = box->region;
	struct svg_buffer buffer;
	char label[256], title[512];

	panel_label(column->panel, box, label, sizeof(label));
	snprintf(title, sizeof(title),
		 "%s (region %u): 0x%llx to 0x%llx, %s, priority %d%s%s", label,
		 region->id, (long long)box->first, (long long)box->last,
		 svg_bytes(&buffer, region->len), region->priority,
		 region->flags & MREGION_REGION_READONLY ? ", read-only" : "",
		 box->off ? ", disabled" : "");
	fputs("<title>", column->out);
	svg_put(column->out, title);
	fputs("</title>", column->out);
}

static void draw_label(const struct panel_column *column,
		       const struct layout_box *box, double left, double right,
		       double y, bool begins)
{
	char label[256], text[16];
	double badge = panel_badge(box, text, sizeof(text));
	const char *class = box->region->kind == MREGION_CONTAINER ?
			    "t b" : "t";

	if (badge) {
		svg_pill(column->out, right - 2 - badge / 2, y + 2, badge,
			 PANEL_SMALL, text);
		badge += 2;
	}
	panel_label(column->panel, box, label, sizeof(label));
	svg_text(column->out, box->off || !begins ? "m i" : class, left + 6,
		 y + 11, PANEL_TEXT, right - left - 8 - badge, label);
}

/* What is drawn of a box, the lower layers of all boxes first. */
enum layer { OUTLINE, PROJECTION, SEEN, LABEL };

static void draw_box(const struct panel_column *column, size_t i,
		     enum layer layer)
{
	const struct panel *panel = column->panel;
	const struct layout_box *box = &panel->layout.boxes[i];
	size_t band = box->band > column->band ? box->band : column->band;
	size_t end = box->end < column->end ? box->end : column->end;
	double left = panel_left(panel, box);
	double right = panel->lanes[box->lane + 1];
	double y, h;
	bool container = box->region->kind == MREGION_CONTAINER;

	if (band >= end)
		return;
	y = panel_y(column, band);
	h = panel_y(column, end) - y;
	switch (layer) {
	case OUTLINE:
		fputs("<g>", column->out);
		draw_title(column, box);
		svg_rect(column->out, box->off ? "off" : container ? "box" :
			 "hid", "", left, y, right - left, h);
		fputs("</g>\n", column->out);
		break;
	case PROJECTION:
	case SEEN:
		draw_seen(column, i, left, right, layer == PROJECTION);
		break;
	case LABEL:
		draw_peg(column, box, y + 2);
		if (h >= 11)
			draw_label(column, box, left, right, y,
				   band == box->band);
		break;
	}
}

static void draw_layer(const struct panel_column *column, enum layer layer)
{
	size_t i;

	for (i = 0; i < column->panel->layout.nr_boxes; i++)
		draw_box(column, i, layer);
}

static void draw_captions(const struct panel_column *column)
{
	const struct panel *panel = column->panel;
	double view = panel->column - panel->address - PANEL_VIEW;

	if (panel_has_shelf(panel, column->band, column->end))
		svg_text(column->out, "m i", 0, -5, PANEL_SMALL, 200,
			 "what aliases show");
	svg_text(column->out, "m i", panel->shelf, -5, PANEL_SMALL,
		 view - panel->shelf, panel->layout.nr_lanes > 1 ?
		 "hierarchy, from bottom to top \u2192" : "hierarchy");
	svg_text(column->out, "m i", view, -5, PANEL_SMALL, PANEL_VIEW,
		 "flat view");
	svg_text(column->out, "m i e", panel->column, -5, PANEL_SMALL, 200,
		 "from address");
}

static int draw_column(const struct panel_column *column)
{
	int ret;

	draw_captions(column);
	draw_layer(column, OUTLINE);
	draw_layer(column, PROJECTION);
	draw_layer(column, SEEN);
	ret = panel_draw_links(column);
	draw_layer(column, LABEL);
	panel_draw_view(column);
	return ret;
}

int panel_draw(const struct panel *panel, FILE *out)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < panel->nr_columns; i++) {
		struct panel_column column = {
			.panel = panel,
			.out = out,
			.band = panel->cuts[i],
			.end = panel->cuts[i + 1],
			.top = panel_top(panel, i),
		};

		fprintf(out, "<g transform=\"translate(%.1f 0)\">\n",
			panel->left[i]);
		ret = draw_column(&column);
		fputs("</g>\n", out);
	}
	return ret;
}
