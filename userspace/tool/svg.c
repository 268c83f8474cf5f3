// SPDX-License-Identifier: MIT
/* Pieces of SVG. */
#include <string.h>

#include "svg.h"

#define REPLACEMENT	0xfffd

/* What XML 1.0 has as a character. */
static uint32_t allowed(uint32_t c)
{
	if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000) ||
	    c == 0xfffe || c == 0xffff || c > 0x10ffff)
		return REPLACEMENT;
	return c;
}

/* The next character; one byte at a time becomes U+FFFD of what is no UTF-8. */
static uint32_t next(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int len, i;
	uint32_t c;

	*text += 1;
	if (*s < 0x80)
		return allowed(*s);
	len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	if (*s < 0xc0 || *s >= 0xf8)
		return REPLACEMENT;
	c = *s & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len])
		return REPLACEMENT;
	*text += len - 1;
	return allowed(c);
}

static void put_char(FILE *out, uint32_t c)
{
	switch (c) {
	case '&':
		fputs("&amp;", out);
		break;
	case '<':
		fputs("&lt;", out);
		break;
	case '>':
		fputs("&gt;", out);
		break;
	case '"':
		fputs("&quot;", out);
		break;
	default:
		if (c < 0x80)
			putc(c, out);
		else
			fprintf(out, "&#x%x;", c);
	}
}

void svg_put(FILE *out, const char *bytes)
{
	while (*bytes)
		put_char(out, next(&bytes));
}

/* In thousandths of the font's size, as DejaVu Sans has it. */
static unsigned int char_width(uint32_t c)
{
	if (c >= 0x1100)
		return c >= 0x2000 && c < 0x2e80 ? 840 : 1000;
	if (c >= 0x80)
		return 680;
	if (strchr("ijl|' ", c))
		return 320;
	if (strchr(".,:;!-()[]/\\tfrI", c))
		return 410;
	if (strchr("mMWw@%", c))
		return 980;
	if (c >= 'A' && c <= 'Z')
		return 740;
	return strchr("+=<>#~_", c) ? 838 : 640;
}

double svg_width(const char *text, double size)
{
	double width = 0;

	while (*text)
		width += char_width(next(&text));
	return width * size / 1000;
}

void svg_text(FILE *out, const char *class, double x, double y, double size,
	      double room, const char *text)
{
	double left = room * 1000 / size;
	const char *end = text;

	fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
	if (svg_width(text, size) <= room) {
		svg_put(out, text);
	} else {
		left -= char_width('m');
		for (;;) {
			uint32_t c = next(&end);

			left -= char_width(c);
			if (left < 0)
				break;
			put_char(out, c);
		}
		fputs("&#x2026;", out);
	}
	fputs("</text>\n", out);
}

void svg_rect(FILE *out, const char *class, const char *kind, double x,
	      double y, double w, double h)
{
	fprintf(out, "<rect class=\"%s%s%s\" x=\"%.1f\" y=\"%.1f\"", class,
		*kind ? " " : "", kind, x, y);
	fprintf(out, " width=\"%.1f\" height=\"%.1f\"/>\n", w, h);
}

void svg_pill(FILE *out, double x, double y, double w, double size,
	      const char *text)
{
	fprintf(out, "<rect class=\"badge\" x=\"%.1f\" y=\"%.1f\"", x - w / 2,
		y);
	fprintf(out, " width=\"%.1f\" height=\"10\" rx=\"5\"/>\n", w);
	svg_text(out, "w c", x, y + 8, size, w, text);
}

void svg_peg(FILE *out, double x, double y, double to)
{
	fprintf(out, "<path class=\"peg\" d=\"M%.1f %.1fH%.1f\"/>", x, y, to);
	fprintf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"1.8\"/>\n",
		x, y);
}

const char *svg_bytes(struct svg_buffer *buffer, uint64_t len)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	double value = len ? (double)len : 18446744073709551616.0;
	unsigned int unit = 0;

	while (value >= 1024 && unit < 6) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer->text, sizeof(buffer->text), "%.4g %s", value,
		 units[unit]);
	return buffer->text;
}
