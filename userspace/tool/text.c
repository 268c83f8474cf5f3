// SPDX-License-Identifier: MIT
/* Names and numbers as text for people. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "tool.h"

/* Smallest code point that needs as many bytes. */
static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };

static unsigned int decode(const char *s, uint32_t *point)
{
	unsigned char c = *s;
	unsigned int i, len;

	if (c < 0x80)
		len = 1;
	else if (c >= 0xc2 && c < 0xe0)
		len = 2;
	else if (c >= 0xe0 && c < 0xf0)
		len = 3;
	else if (c >= 0xf0 && c < 0xf5)
		len = 4;
	else
		return 0;
	*point = len == 1 ? c : c & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (s[i] & 0x3f);
	}
	/* Nor surrogates. */
	if (*point < least[len] || *point > 0x10ffff ||
	    (*point >= 0xd800 && *point < 0xe000))
		return 0;
	return len;
}

unsigned int text_utf8(const char *s)
{
	uint32_t point;

	return decode(s, &point);
}

unsigned int text_width(const char *s)
{
	unsigned int width = 0;

	for (; *s; s++)
		width += (*s & 0xc0) != 0x80;
	return width;
}

/*
 * Control characters of either set; and those that change the direction of what
 * follows, or cannot be seen.
 */
static bool is_plain(uint32_t point)
{
	return point >= 0x20 && point != '\\' &&
	       !(point >= 0x7f && point < 0xa0) &&
	       !(point >= 0x200b && point < 0x2010) &&
	       !(point >= 0x2028 && point < 0x202f) &&
	       !(point >= 0x2060 && point < 0x2070) && point != 0xfeff;
}

char *text_name(const char *name)
{
	char *text = tool_alloc(strlen(name) + 1, 4), *p = text;
	unsigned int len;
	uint32_t point;

	while (*name) {
		len = decode(name, &point);
		if (len && is_plain(point)) {
			memcpy(p, name, len);
			p += len;
			name += len;
			continue;
		}
		for (len = len ? len : 1; len; len--)
			p += sprintf(p, "\\x%02x", (unsigned char)*name++);
	}
	*p = '\0';
	return text;
}

void text_print(const char *name)
{
	char *text = text_name(name);

	fputs(text, stdout);
	free(text);
}

static const char units[] = "KMGTPE";

const char *text_len(char text[TEXT_LEN_SIZE], uint64_t len)
{
	unsigned int unit;

	if (!len)
		return strcpy(text, "16E");
	for (unit = 0; units[unit] && !(len & 1023); unit++)
		len >>= 10;
	if (unit)
		snprintf(text, TEXT_LEN_SIZE, "%" PRIu64 "%c", len,
			 units[unit - 1]);
	else
		snprintf(text, TEXT_LEN_SIZE, "%" PRIu64, len);
	return text;
}

const char *text_size(char text[TEXT_LEN_SIZE], uint64_t bytes)
{
	double amount = bytes;
	unsigned int unit;

	if (bytes < 1024) {
		snprintf(text, TEXT_LEN_SIZE, "%" PRIu64, bytes);
		return text;
	}
	for (unit = 0; amount >= 1024 * 1024; unit++)
		amount /= 1024;
	snprintf(text, TEXT_LEN_SIZE, "%.1f%c", amount / 1024, units[unit]);
	return text;
}
