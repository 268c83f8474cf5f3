// SPDX-License-Identifier: MIT
/* The flat view, at the right of a panel. */
#include <inttypes.h>
#include <string.h>

#include <linux/mregion.h>

#include "names.h"
#include "panel_parts.h"
#include "svg.h"

static void draw_address(const struct panel_column *column, const char *class,
			 double y, uint64_t addr)
{
	const struct panel *panel = column->panel;
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, addr);
	svg_text(column->out, class, panel->column, y, PANEL_TEXT, 400, text);
}

/* The class of what is read-only is that of a ROM, whatever its region is. */
const char *panel_range_class(const struct mregion_range *range)
{
	if (range->flags & MREGION_RANGE_READONLY)
		return "rom";
	if (range->kind == MREGION_ROMD && !(range->flags & MREGION_RANGE_ROMD))
		return "io";
	return panel_class(range->kind);
}

static void draw_range(const struct panel_column *column, size_t band,
		       size_t end)
{
	const struct layout_band *bands = column->panel->layout.bands;
	const struct mregion_range *range = bands[band].range;
	double y = panel_y(column, band), h = panel_y(column, end) - y;
	double x = column->panel->column - column->panel->address - PANEL_VIEW;
	const struct picture_region *region;
	const char *name, *class = panel_range_class(range);
	bool begins = bands[band].first == range->start;
	char title[384], kind[96];
	struct svg_buffer buffer;
	FILE *out = column->out;
	double room;

	region = layout_region(column->panel->layout.index, range->region);
	name = region ? region->name : "?";
	svg_bytes(&buffer, range->last - range->start + 1);
	snprintf(kind, sizeof(kind), "%s \u00b7 %s", mregion_range_type(range),
		 buffer.text);
	snprintf(title, sizeof(title),
		 "%s: %s, 0x%llx to 0x%llx, from 0x%llx of the region on%s",
		 name, kind, range->start, range->last, range->offset,
		 range->flags & MREGION_RANGE_NONVOLATILE ?
		 ", non-volatile" : "");
	fputs("<g><title>", out);
	svg_put(out, title);
	fputs("</title>\n", out);
	svg_rect(out, "k", class, x, y, PANEL_VIEW, h);
	svg_rect(out, "s", class, x, y, 4, h);
	if (h >= 11) {
		room = PANEL_VIEW - 24 - svg_width(kind, PANEL_SMALL);
		svg_text(out, begins ? "t" : "t i", x + 9, y + 11, PANEL_TEXT,
			 room, name);
		svg_text(out, "m e", x + PANEL_VIEW - 5, y + 11, PANEL_SMALL,
			 400, kind);
		draw_address(column, begins ? "a e" : "a e f", y + 11,
			     bands[band].first);
	}
	fputs("</g>\n", out);
}

static void draw_gap(const struct panel_column *column, size_t band, size_t end)
{
	const struct layout *layout = &column->panel->layout;
	double y = panel_y(column, band), h = panel_y(column, end) - y;
	double x = column->panel->column - column->panel->address - PANEL_VIEW;
	struct svg_buffer buffer;
	char text[96];
	FILE *out = column->out;

	fprintf(out, "<path class=\"gap\" d=\"M%.1f %.1fv%.1fm%.1f 0v-%.1f\"/>\n",
		x + 2, y + 1, h - 2, PANEL_VIEW - 2, h - 2);
	if (h < 11)
		return;
	if (end == layout->nr_bands)
		snprintf(text, sizeof(text), "nothing from here on");
	else
		snprintf(text, sizeof(text), "%s, nothing",
			 svg_bytes(&buffer, layout->bands[end - 1].last -
					    layout->bands[band].first + 1));
	svg_text(out, "m i c", x + PANEL_VIEW / 2, y + h / 2 + 3.5,
		 PANEL_SMALL, PANEL_VIEW, text);
	draw_address(column, "a e f", y + 11, layout->bands[band].first);
}

void panel_draw_view(const struct panel_column *column)
{
	const struct layout_band *bands = column->panel->layout.bands;
	size_t i, end;

	for (i = column->band; i < column->end; i = end) {
		for (end = i + 1; end < column->end; end++)
			if (bands[end].range != bands[i].range)
				break;
		if (bands[i].range)
			draw_range(column, i, end);
		else
			draw_gap(column, i, end);
	}
}
