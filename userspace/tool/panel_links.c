// SPDX-License-Identifier: MIT
/* Aliases, and links to what they show. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <linux/mregion.h>

#include "panel_parts.h"
#include "svg.h"

#define TITLE	15.0
#define ROW	11.0
#define GAP	8.0
#define BELOW	5.0	/* the middle: not to cross out what is written there */
#define BEND	24.0	/* of a link, at least */

/* An alias of a column that shows what is not drawn in the space. */
struct window {
	const struct layout_box *box;
	const struct picture_region *target;
	double mean;	/* where the target's windows are, on the average */
};

static int compare_windows(const void *a, const void *b)
{
	const struct window *x = a, *y = b;

	if (x->mean != y->mean)
		return x->mean < y->mean ? -1 : 1;
	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	if (x->box->region->target_offset != y->box->region->target_offset)
		return x->box->region->target_offset <
		       y->box->region->target_offset ? -1 : 1;
	return x->box < y->box ? -1 : x->box > y->box;
}

/* The middle of what can be seen of a box in a column. */
static double middle(const struct panel_column *column,
		     const struct layout_box *box)
{
	size_t band = box->band > column->band ? box->band : column->band;
	double y = panel_y(column, band);
	double h = panel_y(column, box->end < column->end ? box->end :
						    column->end) - y;

	return y + (h < 16 ? h / 2 : 8);
}

/* An end of a link: where, and to which side of a box */
struct end {
	double x;
	double y;
	int side;
};

static void draw_link(const struct panel_column *column, bool off,
		      const char *class, const struct end *from,
		      const struct end *to)
{
	double way = from->x > to->x ? from->x - to->x : to->x - from->x;
	double bend = way * 0.45 > BEND ? way * 0.45 : BEND;

	fprintf(column->out,
		"<path class=\"l %s%s\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>\n",
		class, off ? " off" : "", from->x, from->y,
		from->x + from->side * bend, from->y, to->x + to->side * bend,
		to->y, to->x, to->y);
	fprintf(column->out,
		"<path class=\"h %s\" d=\"M%.1f %.1fl%d -3v6z\"/>\n",
		class, to->x, to->y, 6 * to->side);
}

/* Where in a column an alias has the first byte that it shows of a box. */
static double shown_at(const struct panel_column *column,
		       const struct layout_box *alias,
		       const struct layout_box *box)
{
	const struct layout_band *bands = column->panel->layout.bands;
	uint64_t offset = alias->region->target_offset;
	size_t b = box->band > column->band ? box->band : column->band;

	if (offset > box->last - box->first)
		return middle(column, box);
	for (; b < box->end && b < column->end; b++)
		if (bands[b].last >= box->first + offset)
			return panel_y(column, b) +
			       (bands[b].h < 16 ? bands[b].h / 2 : 8);
	return middle(column, box);
}

/* To a box of the same space: the shortest way, or around the left. */
static void draw_inner_link(const struct panel_column *column,
			    const struct layout_box *alias,
			    const struct layout_box *box)
{
	const struct panel *panel = column->panel;
	struct end from = {
		.x = panel_left(panel, alias),
		.y = middle(column, alias) + BELOW,
		.side = -1,
	};
	struct end to = {
		.x = panel_left(panel, box),
		.y = shown_at(column, alias, box) + BELOW,
		.side = -1,
	};

	if (box->lane < alias->lane) {
		to.x = panel->lanes[box->lane + 1];
		to.side = 1;
	} else if (box->lane > alias->lane) {
		from.x = panel->lanes[alias->lane + 1];
		from.side = 1;
	}
	draw_link(column, alias->off, panel_class(box->region->kind), &from,
		  &to);
}

/* What all of @nr windows show, with a row for each of them. */
static double draw_target(const struct panel_column *column,
			  const struct window *windows, size_t nr, double y)
{
	const struct picture_region *target = windows->target;
	const char *name = *target->name ? target->name : "(no name)";
	const char *class = panel_class(target->kind);
	FILE *out = column->out;
	struct svg_buffer buffer;
	char text[64];
	double h = TITLE + ROW * nr + 3;
	size_t i;

	svg_bytes(&buffer, target->len);
	fprintf(out, "<g><title>");
	svg_put(out, target->name);
	fprintf(out, ", %s</title>\n", buffer.text);
	svg_rect(out, "k", class, 0, y, PANEL_SHELF, h);
	svg_rect(out, "s", class, 0, y, 4, h);
	svg_text(out, "t b", 9, y + 11, PANEL_BOLD, PANEL_SHELF - 14, name);
	/* Where there is no room for it, the title still has it. */
	if (svg_width(name, PANEL_BOLD) < PANEL_SHELF - 20 -
	    svg_width(buffer.text, PANEL_SMALL))
		svg_text(out, "m e", PANEL_SHELF - 5, y + 11, PANEL_SMALL, 400,
			 buffer.text);
	for (i = 0; i < nr; i++) {
		double row = y + TITLE + ROW * i;

		snprintf(text, sizeof(text), "from 0x%" PRIx64,
			 windows[i].box->region->target_offset);
		svg_text(out, "a e f", PANEL_SHELF - 5, row + 8.5, PANEL_SMALL,
			 PANEL_SHELF, text);
	}
	fputs("</g>\n", out);
	for (i = 0; i < nr; i++) {
		struct end from = {
			.x = panel_left(column->panel, windows[i].box),
			.y = middle(column, windows[i].box),
			.side = -1,
		};
		struct end to = {
			.x = PANEL_SHELF,
			.y = y + TITLE + ROW * i + 5.5,
			.side = 1,
		};

		draw_link(column, windows[i].box->off, class, &from, &to);
	}
	return h;
}

static double shelf_height(size_t nr)
{
	return TITLE + ROW * nr + 3 + GAP;
}

/* Each target beside its windows, as far as there is room. */
static void draw_shelf(const struct panel_column *column,
		       const struct window *windows, size_t nr)
{
	double bottom = panel_y(column, column->end), free = 0, needed = 0, y;
	size_t i, end;

	for (i = 0; i < nr; i = end) {
		for (end = i; end < nr; end++)
			if (windows[end].target != windows[i].target)
				break;
		needed += shelf_height(end - i);
	}
	for (i = 0; i < nr; i = end) {
		for (end = i; end < nr; end++)
			if (windows[end].target != windows[i].target)
				break;
		y = windows[i].mean - shelf_height(end - i) / 2;
		if (y > bottom - needed)
			y = bottom - needed;
		if (y < free)
			y = free;
		needed -= shelf_height(end - i);
		free = y + draw_target(column, windows + i, end - i, y) + GAP;
	}
}

static void find_means(const struct panel_column *column,
		       struct window *windows, size_t nr)
{
	size_t i, j, count;
	double sum;

	for (i = 0; i < nr; i++) {
		sum = 0;
		count = 0;
		for (j = 0; j < nr; j++) {
			if (windows[j].target != windows[i].target)
				continue;
			sum += middle(column, windows[j].box);
			count++;
		}
		windows[i].mean = sum / count;
	}
}

int panel_draw_links(const struct panel_column *column)
{
	const struct layout *layout = &column->panel->layout;
	struct window *windows = calloc(layout->nr_boxes + 1, sizeof(*windows));
	size_t i, nr = 0;

	if (!windows)
		return -ENOMEM;
	for (i = 0; i < layout->nr_boxes; i++) {
		const struct layout_box *box = &layout->boxes[i], *to;
		const struct picture_region *target;
		size_t found;

		if (box->end <= column->band || box->band >= column->end)
			continue;
		target = panel_target(column->panel, box);
		if (!target)
			continue;
		found = layout_find(layout, target);
		if (found == LAYOUT_NONE) {
			windows[nr++] = (struct window) {
				.box = box,
				.target = target,
			};
			continue;
		}
		to = &layout->boxes[found];
		if (to->end > column->band && to->band < column->end)
			draw_inner_link(column, box, to);
	}
	find_means(column, windows, nr);
	qsort(windows, nr, sizeof(*windows), compare_windows);
	draw_shelf(column, windows, nr);
	free(windows);
	return 0;
}
