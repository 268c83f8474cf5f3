// SPDX-License-Identifier: MIT
/* The measures of a panel. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "panel.h"
#include "panel_parts.h"
#include "svg.h"

#define LANE_MIN	58.0
#define LANE_MAX	190.0
#define MIN_HEIGHT	700.0	/* what is not higher is not cut */
#define MAX_COLUMNS	12
#define ASPECT		1.7	/* about that of a slide */

const char *panel_class(uint32_t kind)
{
	switch (kind) {
	case MREGION_RAM:
		return "ram";
	case MREGION_ROM:
		return "rom";
	case MREGION_ROMD:
		return "romd";
	case MREGION_RAMDEV:
		return "ramd";
	case MREGION_MMIO:
		return "io";
	case MREGION_RESERVATION:
		return "resv";
	default:
		return "cont";
	}
}

const struct picture_region *panel_target(const struct panel *panel,
					  const struct layout_box *box)
{
	if (box->region->kind != MREGION_ALIAS)
		return NULL;
	return layout_region(panel->layout.index, box->region->target);
}

void panel_label(const struct panel *panel, const struct layout_box *box,
		 char *label, size_t size)
{
	const struct picture_region *target = panel_target(panel, box);
	const char *name = box->region->name;

	if (!*name)
		name = "(no name)";
	if (target)
		snprintf(label, size, "%s \u2192 %s", name, target->name);
	else
		snprintf(label, size, "%s", name);
}

double panel_badge(const struct layout_box *box, char *text, size_t size)
{
	if (!box->region->priority)
		return 0;
	snprintf(text, size, "%+d", box->region->priority);
	return svg_width(text, PANEL_SMALL) + 6;
}

static int measure_lanes(struct panel *panel)
{
	const struct layout *layout = &panel->layout;
	double *lanes = calloc(layout->nr_lanes + 1, sizeof(*lanes));
	char label[256], badge[16];
	double x, width;
	unsigned int l;
	size_t i;

	if (!lanes)
		return -ENOMEM;
	panel->lanes = lanes;
	for (i = 0; i < layout->nr_boxes; i++) {
		const struct layout_box *box = &layout->boxes[i];

		panel_label(panel, box, label, sizeof(label));
		width = svg_width(label, PANEL_TEXT) + PANEL_PEG + 12 +
			panel_badge(box, badge, sizeof(badge));
		if (width > LANE_MAX)
			width = LANE_MAX;
		if (width > lanes[box->lane])
			lanes[box->lane] = width;
	}
	x = panel->shelf;
	for (l = 0; l <= layout->nr_lanes; l++) {
		width = lanes[l] < LANE_MIN ? LANE_MIN : lanes[l];
		lanes[l] = x;
		x += width;
	}
	return 0;
}

bool panel_has_shelf(const struct panel *panel, size_t band, size_t end)
{
	size_t i;

	for (i = 0; i < panel->layout.nr_boxes; i++) {
		const struct layout_box *box = &panel->layout.boxes[i];
		const struct picture_region *target = panel_target(panel, box);

		if (target && box->band < end && box->end > band &&
		    layout_find(&panel->layout, target) == LAYOUT_NONE)
			return true;
	}
	return false;
}

/* With one column more it would be wider by this than it is now too high. */
static bool is_wide(double width, double height, size_t nr)
{
	double now = nr * nr * width / height / ASPECT;
	double then = (nr + 1) * (nr + 1) * width / height / ASPECT;

	return now * then >= 1;
}

/* As many columns as make it about as wide as a slide. */
static int cut_columns(struct panel *panel)
{
	const struct layout *layout = &panel->layout;
	size_t nr = 1, i;

	while (nr < MAX_COLUMNS && layout->height / nr > MIN_HEIGHT &&
	       !is_wide(panel->column, layout->height, nr))
		nr++;
	panel->cuts = calloc(nr + 1, sizeof(*panel->cuts));
	if (!panel->cuts)
		return -ENOMEM;
	panel->nr_columns = 1;
	for (i = 1; i < layout->nr_bands; i++) {
		const struct layout_band *band = &layout->bands[i];

		if (panel->nr_columns < nr && band->starts &&
		    band->y >= layout->height * panel->nr_columns / nr)
			panel->cuts[panel->nr_columns++] = i;
	}
	panel->cuts[panel->nr_columns] = layout->nr_bands;
	return 0;
}

static int place_columns(struct panel *panel)
{
	size_t i;
	double x = 0;

	panel->left = calloc(panel->nr_columns, sizeof(*panel->left));
	if (!panel->left)
		return -ENOMEM;
	for (i = 0; i < panel->nr_columns; i++) {
		double height = panel_bottom(panel, i) - panel_top(panel, i);

		if (height > panel->height)
			panel->height = height;
		if (!panel_has_shelf(panel, panel->cuts[i], panel->cuts[i + 1]))
			x -= panel->shelf;
		panel->left[i] = x;
		x += panel->column;
		panel->width = x;
		x += PANEL_COLUMN_GAP;
	}
	return 0;
}

double panel_top(const struct panel *panel, size_t column)
{
	const struct layout *layout = &panel->layout;

	return layout->nr_bands ? layout->bands[panel->cuts[column]].y : 0;
}

double panel_bottom(const struct panel *panel, size_t column)
{
	size_t cut = panel->cuts[column + 1];

	return cut < panel->layout.nr_bands ? panel->layout.bands[cut].y :
					      panel->layout.height;
}

static uint64_t last_address(const struct picture_space *space)
{
	return space->nr_ranges ? space->ranges[space->nr_ranges - 1].last : 0;
}

int panel_make(struct panel *panel)
{
	const struct layout *layout = &panel->layout;
	char address[32];
	int ret;

	if (panel_has_shelf(panel, 0, layout->nr_bands))
		panel->shelf = PANEL_SHELF + PANEL_GUTTER;
	ret = measure_lanes(panel);
	if (ret)
		return ret;
	snprintf(address, sizeof(address), "0x%" PRIx64,
		 last_address(layout->space));
	panel->address = PANEL_DIGIT * strlen(address) + 12;
	panel->column = panel->lanes[layout->nr_lanes] + PANEL_VIEW_GAP +
			PANEL_VIEW + panel->address;
	ret = cut_columns(panel);
	return ret ? ret : place_columns(panel);
}

void panel_free(struct panel *panel)
{
	layout_free(&panel->layout);
	free(panel->lanes);
	free(panel->cuts);
	free(panel->left);
	free(panel->others);
}
