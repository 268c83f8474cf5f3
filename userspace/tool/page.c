// SPDX-License-Identifier: MIT
/* The page: style, title, legend, panels, and what there is not to be seen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "../array.h"
#include "page_style.h"
#include "panel.h"
#include "picture.h"
#include "svg.h"

#define MARGIN		28.0
#define HEADER		100.0	/* title and legend */
#define HEADING		46.0	/* of a panel */
#define SCALE_WIDTH	1500.0	/* where it begins to be scaled */
#define BETWEEN		36.0	/* panels */
#define MIN_WIDTH	885.0	/* for the legend */

/**
 * struct page - all of a drawing
 * @picture: what is drawn
 * @index: of its regions
 * @panels: spaces that show something, no view twice
 * @nr: how many
 * @empty: names of the others, or NULL
 * @width: of the page
 * @height: of the page
 * @scale: of title and legend, so that they can be read from as far as the whole
 */
struct page {
	const struct picture *picture;
	struct layout_index *index;
	struct panel *panels;
	size_t nr;
	char *empty;
	double width;
	double height;
	double scale;
};

static const struct {
	const char *class;
	const char *word;
} kinds[] = {
	{ "ram", "RAM" },
	{ "rom", "ROM, or read-only" },
	{ "romd", "ROM device" },
	{ "ramd", "RAM device" },
	{ "io", "MMIO, ports" },
	{ "resv", "reserved" },
};

static double key(FILE *out, double x, double y, const char *word)
{
	svg_text(out, "t", x + 30, y + 11, PANEL_TEXT, 1000, word);
	return x + 30 + svg_width(word, PANEL_TEXT) + 14;
}

static void draw_legend(FILE *out, double y)
{
	double x = MARGIN;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		svg_rect(out, "k", kinds[i].class, x, y, 24, 14);
		svg_rect(out, "s", kinds[i].class, x, y, 4, 14);
		x = key(out, x, y, kinds[i].word);
	}
	svg_rect(out, "box", "", x, y, 24, 14);
	key(out, x, y, "container");

	x = MARGIN;
	y += 20;
	svg_rect(out, "hid", "", x, y, 24, 14);
	x = key(out, x, y, "covered by a region to the right");
	svg_rect(out, "k al", "ram", x, y, 24, 14);
	x = key(out, x, y, "alias, linked to its target");
	svg_pill(out, x + 12, y + 2, 24, PANEL_SMALL, "+1");
	x = key(out, x, y, "priority, if not 0");
	svg_peg(out, x + 2, y + 7, x + 24);
	x = key(out, x, y, "lies in the region at the dot");
	fprintf(out, "<path class=\"gap\" d=\"M%.1f %.1fv14M%.1f %.1fv14\"/>\n",
		x + 2, y, x + 22, y);
	key(out, x, y, "nothing, compressed");
}

/* A machine may have been written down with a copy of a region for each space. */
static bool same_name(const struct layout_index *index,
		      const struct mregion_range *a,
		      const struct mregion_range *b)
{
	const struct picture_region *x, *y;

	if (a->region == b->region)
		return true;
	x = layout_region(index, a->region);
	y = layout_region(index, b->region);
	return x && y && !strcmp(x->name, y->name);
}

/* Whether nobody could tell two views apart as they are drawn. */
static bool same_view(const struct layout_index *index,
		      const struct picture_space *a,
		      const struct picture_space *b)
{
	size_t i;

	if (a->nr_ranges != b->nr_ranges)
		return false;
	for (i = 0; i < a->nr_ranges; i++) {
		const struct mregion_range *x = &a->ranges[i];
		const struct mregion_range *y = &b->ranges[i];

		if (x->start != y->start || x->last != y->last ||
		    x->offset != y->offset || x->kind != y->kind ||
		    x->flags != y->flags || !same_name(index, x, y))
			return false;
	}
	return true;
}

static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		if (!strncmp(list, name, len) &&
		    (!list[len] || !strncmp(list + len, ", ", 2)))
			return true;
		list = strstr(list, ", ");
		if (!list)
			return false;
		list += 2;
	}
}

/* A name is added once, however many spaces have it. */
static int add_name(char **list, const char *name)
{
	char *new;

	if (*list && listed(*list, name))
		return 0;
	if (asprintf(&new, "%s%s%s", *list ? *list : "", *list ? ", " : "",
		     name) < 0)
		return -ENOMEM;
	free(*list);
	*list = new;
	return 0;
}

/* The panel that has the space's view; that of the richer hierarchy stays. */
static struct panel *find_panel(struct page *page,
				const struct picture_space *space)
{
	size_t i;

	for (i = 0; i < page->nr; i++)
		if (same_view(page->index, page->panels[i].layout.space,
			      space))
			return &page->panels[i];
	return NULL;
}

static int add_space(struct page *page, const struct picture_space *space,
		     bool all)
{
	struct panel *panel;
	struct layout layout;
	int ret;

	if (!space->nr_ranges)
		return add_name(&page->empty, space->name);
	ret = layout_make(&layout, page->index, space, all);
	if (ret) {
		layout_free(&layout);
		return ret;
	}
	panel = find_panel(page, space);
	if (!panel) {
		panel = &page->panels[page->nr++];
		panel->layout = layout;
		return 0;
	}
	if (layout.nr_boxes > panel->layout.nr_boxes) {
		if (strcmp(space->name, panel->layout.space->name))
			ret = add_name(&panel->others,
				       panel->layout.space->name);
		layout_free(&panel->layout);
		panel->layout = layout;
		return ret;
	}
	if (strcmp(space->name, panel->layout.space->name))
		ret = add_name(&panel->others, space->name);
	layout_free(&layout);
	return ret;
}

struct place {
	double x;
	double y;
};

/* In rows, in the order of the file, none wider than @limit; the page's height. */
static double place_rows(struct page *page, struct place *places, double limit)
{
	double x = 0, y = 0, high = 0;
	size_t i;

	page->width = MIN_WIDTH;
	for (i = 0; i < page->nr; i++) {
		const struct panel *panel = &page->panels[i];
		double h = panel->height + HEADING + BETWEEN;

		if (x && x + panel->width > limit) {
			x = 0;
			y += high;
			high = 0;
		}
		places[i] = (struct place) { x, y };
		x += panel->width;
		if (x > page->width)
			page->width = x;
		x += BETWEEN;
		if (h > high)
			high = h;
	}
	return y + high;
}

/* Wider and wider, until it is a landscape. */
static void place_panels(struct page *page, struct place *places)
{
	double limit = MIN_WIDTH, height;
	int i;

	for (i = 0; i < 64; i++) {
		height = place_rows(page, places, limit);
		if (limit > height * 1.3)
			break;
		limit *= 1.1;
	}
	page->width += 2 * MARGIN;
	page->scale = page->width > SCALE_WIDTH ?
		      1 + (page->width - SCALE_WIDTH) / 3 / SCALE_WIDTH : 1;
	page->height = HEADER * page->scale + height + (page->empty ? 30 : 0);
}

static int draw_panel(const struct page *page, const struct panel *panel,
		      const struct place *place, FILE *out)
{
	const struct picture_space *space = panel->layout.space;
	char text[512];
	double x;
	int ret;

	fprintf(out, "<g transform=\"translate(%.1f %.1f)\">\n",
		MARGIN + place->x, HEADER * page->scale + place->y);
	fprintf(out, "<path class=\"rule\" d=\"M0 0H%.1f\"/>\n", panel->width);
	svg_text(out, "h2", 0, 22, 17, panel->width, space->name);
	x = svg_width(space->name, 17.5) + 14;
	snprintf(text, sizeof(text), "%zu range%s, %zu region%s and aliases%s%s",
		 space->nr_ranges, space->nr_ranges == 1 ? "" : "s",
		 panel->layout.nr_boxes,
		 panel->layout.nr_boxes == 1 ? "" : "s",
		 panel->others ? "; the same view: " : "",
		 panel->others ? panel->others : "");
	svg_text(out, "h3", x, 22, 11, panel->width - x, text);
	fprintf(out, "<g transform=\"translate(0 %.1f)\">\n", HEADING);
	ret = panel_draw(panel, out);
	fputs("</g></g>\n", out);
	return ret;
}

static int draw_page(const struct page *page, const struct place *places,
		     FILE *out)
{
	char text[512];
	double right;
	size_t i;
	int ret = 0;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"", out);
	fprintf(out, " viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n",
		page->width, page->height, page->width, page->height);
	fputs("<title>", out);
	svg_put(out, page->picture->title);
	fprintf(out, "</title>\n%s", page_style);
	svg_rect(out, "page", "", .5, .5, page->width - 1, page->height - 1);
	fprintf(out, "<g transform=\"scale(%.3f)\">\n", page->scale);
	right = page->width / page->scale - MARGIN;
	svg_text(out, "h1", MARGIN, 36, 26, right - MARGIN - 330,
		 page->picture->title);
	svg_text(out, "h3 e", right, 36, 11, 400,
		 "Regions nearer to the flat view, at the right, are on top.");
	draw_legend(out, 50);
	fputs("</g>\n", out);
	for (i = 0; !ret && i < page->nr; i++)
		ret = draw_panel(page, &page->panels[i], &places[i], out);
	if (page->empty) {
		snprintf(text, sizeof(text), "Nothing is visible in: %s",
			 page->empty);
		svg_text(out, "h3", MARGIN, page->height - 16, 11,
			 page->width - 2 * MARGIN, text);
	}
	fputs("</svg>\n", out);
	return ret;
}

/* Those of most regions come first. */
static int compare_panels(const void *a, const void *b)
{
	const struct layout *x = &((const struct panel *)a)->layout;
	const struct layout *y = &((const struct panel *)b)->layout;

	if (x->nr_boxes != y->nr_boxes)
		return x->nr_boxes > y->nr_boxes ? -1 : 1;
	return x->space < y->space ? -1 : 1;
}

static int make_page(struct page *page, const struct picture_options *options)
{
	const struct picture *picture = page->picture;
	int ret = 0;
	size_t i;

	page->index = layout_index_new(picture);
	page->panels = calloc(picture->nr_spaces + 1, sizeof(*page->panels));
	if (!page->index || !page->panels)
		return -ENOMEM;
	for (i = 0; !ret && i < picture->nr_spaces; i++)
		ret = add_space(page, &picture->spaces[i], options->all);
	qsort(page->panels, page->nr, sizeof(*page->panels), compare_panels);
	for (i = 0; !ret && i < page->nr; i++)
		ret = panel_make(&page->panels[i]);
	return ret;
}

int picture_draw(FILE *out, const struct picture *picture,
		 const struct picture_options *options)
{
	struct page page = { .picture = picture };
	struct place *places = NULL;
	int ret = make_page(&page, options);
	size_t i;

	if (!ret) {
		places = calloc(page.nr + 1, sizeof(*places));
		ret = places ? 0 : -ENOMEM;
	}
	if (!ret) {
		place_panels(&page, places);
		ret = draw_page(&page, places, out);
	}
	for (i = 0; i < page.nr; i++)
		panel_free(&page.panels[i]);
	layout_index_free(page.index);
	free(page.panels);
	free(page.empty);
	free(places);
	return ret;
}
