/* SPDX-License-Identifier: MIT */
/* Pieces of SVG. */
#ifndef MREGION_TOOL_SVG_H
#define MREGION_TOOL_SVG_H

#include <stdint.h>
#include <stdio.h>

/** svg_put() - bytes as text of XML, whatever they are */
void svg_put(FILE *out, const char *bytes);

/** svg_width() - how wide text is at most, in the widest of the usual fonts */
double svg_width(const char *text, double size);

/**
 * svg_text() - a line of text
 * @out: where to
 * @class: its class, which says where @x is: at its beginning, middle or end
 * @x: see @class
 * @y: its base line
 * @size: of the font
 * @room: what does not fit into it is cut, and an ellipsis says so
 * @text: any bytes
 */
void svg_text(FILE *out, const char *class, double x, double y, double size,
	      double room, const char *text);

/**
 * svg_rect() - a rectangle
 * @class: what of
 * @kind: class of the kind, or ""
 */
void svg_rect(FILE *out, const char *class, const char *kind, double x,
	      double y, double w, double h);

/** svg_pill() - a short text in a pill, with its middle at @x */
void svg_pill(FILE *out, double x, double y, double w, double size,
	      const char *text);

/** svg_peg() - a line with a dot at its beginning */
void svg_peg(FILE *out, double x, double y, double to);

/** struct svg_buffer - for numbers in words */
struct svg_buffer {
	char text[64];
};

/** svg_bytes() - a length, such as "64 KiB"; 0 is 2^64 */
const char *svg_bytes(struct svg_buffer *buffer, uint64_t len);

#endif
