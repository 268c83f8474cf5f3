// SPDX-License-Identifier: GPL-2.0
/*
 * Whether standard input is JSON, as RFC 8259 has it: any number of values, each
 * followed by a newline, in UTF-8. Prints how many there are.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text, *p, *end;
static unsigned int depth;

static bool value(void);

static void blanks(void)
{
	while (p < end && *p && strchr(" \t\n\r", *p))
		p++;
}

static bool take(char c)
{
	if (p == end || *p != c)
		return false;
	p++;
	return true;
}

static bool word(const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - p) < len || memcmp(p, word, len))
		return false;
	p += len;
	return true;
}

/* A character of UTF-8: neither too long, nor a surrogate, nor too large. */
static bool utf8(void)
{
	unsigned char c = *p++;
	unsigned int more, point;

	if (c < 0x80)
		return c >= 0x20;
	more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
	if (!more || c > 0xf4)
		return false;
	point = c & (0x3f >> more);
	for (; more; more--) {
		if (p == end || (*p & 0xc0) != 0x80)
			return false;
		point = point << 6 | (*p++ & 0x3f);
		if (more == 2 && c == 0xe0 && point < 0x20)
			return false;
	}
	return !(c == 0xed && point >= 0xd800) &&
	       !(c == 0xf0 && point < 0x10000) && point <= 0x10ffff;
}

static bool string(void)
{
	int i;

	if (!take('"'))
		return false;
	while (p < end && *p != '"') {
		if (*p != '\\') {
			if (!utf8())
				return false;
			continue;
		}
		p++;
		if (take('u')) {
			for (i = 0; i < 4; i++)
				if (p == end || !isxdigit((unsigned char)*p++))
					return false;
		} else if (p == end || !*p || !strchr("\"\\/bfnrt", *p++)) {
			return false;
		}
	}
	return take('"');
}

static bool digits(void)
{
	char *start = p;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return p > start;
}

static bool number(void)
{
	take('-');
	if (!take('0') && !digits())
		return false;
	if (take('.') && !digits())
		return false;
	if (take('e') || take('E')) {
		if (!take('+'))
			take('-');
		return digits();
	}
	return true;
}

static bool members(bool keys, char close)
{
	p++;
	blanks();
	if (take(close))
		return true;
	do {
		blanks();
		if (keys) {
			if (!string())
				return false;
			blanks();
			if (!take(':'))
				return false;
			blanks();
		}
		if (!value())
			return false;
		blanks();
	} while (take(','));
	return take(close);
}

static bool value(void)
{
	bool ok;

	if (p == end || depth == 100)
		return false;
	depth++;
	if (*p == '{')
		ok = members(true, '}');
	else if (*p == '[')
		ok = members(false, ']');
	else if (*p == '"')
		ok = string();
	else
		ok = word("true") || word("false") || word("null") || number();
	depth--;
	return ok;
}

int main(void)
{
	size_t room = 1 << 24, len;
	unsigned int nr = 0;

	text = malloc(room);
	len = text ? fread(text, 1, room, stdin) : 0;
	if (len == room)
		return 1;
	for (p = text, end = text + len; p < end; nr++) {
		if (!value() || !take('\n')) {
			printf("not valid at byte %zd: %.40s\n", p - text, p);
			return 1;
		}
	}
	printf("%u\n", nr);
	return !nr;
}
