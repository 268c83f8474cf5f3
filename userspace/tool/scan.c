// SPDX-License-Identifier: MIT
/* Take a line of a topology file apart. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "scan.h"
#include "topology.h"

#define BLANKS	" \t"

void scan_fail(struct scan *scan, const char *fmt, ...)
{
	char reason[256];
	va_list args;

	if (scan->failed)
		return;
	scan->failed = true;
	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	topology_error(scan->path, scan->line, "%s", reason);
}

char *scan_word(struct scan *scan, const char *what)
{
	char *word;

	if (scan->failed)
		return NULL;
	word = scan->rest + strspn(scan->rest, BLANKS);
	if (!*word) {
		scan_fail(scan, "%s is missing", what);
		return NULL;
	}
	scan->rest = word + strcspn(word, BLANKS);
	/* A name begins right behind one blank: it may begin with others. */
	if (*scan->rest)
		*scan->rest++ = '\0';
	return word;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Decimal, or hexadecimal after 0x. More than 64 bits become 2^64 exactly. */
static bool parse(const char *word, unsigned __int128 *value)
{
	const unsigned __int128 limit = (unsigned __int128)1 << 64;
	unsigned int base = 10;

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		base = 16;
		word += 2;
	}
	if (!*word)
		return false;
	for (*value = 0; *word; word++) {
		if ((unsigned int)digit(*word) >= base)
			return false;
		*value = *value * base + digit(*word);
		/* Beyond any bound already, but must not wrap. */
		if (*value > limit)
			*value = limit + 1;
	}
	return true;
}

static unsigned __int128 scan_number(struct scan *scan, const char *what,
				     unsigned __int128 min,
				     unsigned __int128 max)
{
	const char *word = scan_word(scan, what);
	unsigned __int128 value;

	if (!word)
		return min;
	if (!parse(word, &value)) {
		scan_fail(scan, "%s is no number: '%.64s'", what, word);
		return min;
	}
	if (value < min || value > max) {
		scan_fail(scan, "%s is out of range: %.64s", what, word);
		return min;
	}
	return value;
}

uint32_t scan_id(struct scan *scan, const char *what)
{
	return scan_number(scan, what, 1, UINT32_MAX);
}

uint64_t scan_u64(struct scan *scan, const char *what)
{
	return scan_number(scan, what, 0, UINT64_MAX);
}

uint64_t scan_len(struct scan *scan, const char *what)
{
	return (uint64_t)scan_number(scan, what, 1, (unsigned __int128)1 << 64);
}

int32_t scan_s32(struct scan *scan, const char *what)
{
	const char *word = scan_word(scan, what);
	unsigned __int128 value;
	bool minus;

	if (!word)
		return 0;
	minus = *word == '-';
	if (!parse(word + minus, &value)) {
		scan_fail(scan, "%s is no number: '%.64s'", what, word);
		return 0;
	}
	if (value > (unsigned __int128)INT32_MAX + minus) {
		scan_fail(scan, "%s is out of range: %.64s", what, word);
		return 0;
	}
	return minus ? -(int64_t)value : (int64_t)value;
}

char *scan_name(struct scan *scan)
{
	const char *c;
	char *name;

	if (scan->failed)
		return NULL;
	if (strlen(scan->rest) >= MREGION_NAME_SIZE) {
		scan_fail(scan, "name is longer than %d bytes",
			  MREGION_NAME_SIZE - 1);
		return NULL;
	}
	for (c = scan->rest; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			scan_fail(scan, "name has a control character");
			return NULL;
		}
	}
	name = strdup(scan->rest);
	if (!name)
		scan_fail(scan, "out of memory");
	scan->rest += strlen(scan->rest);
	return name;
}

char *scan_last_word(struct scan *scan, const char *what)
{
	char *end, *word;

	if (scan->failed)
		return NULL;
	end = scan->rest + strlen(scan->rest);
	while (end > scan->rest && strchr(BLANKS, end[-1]))
		*--end = '\0';
	for (word = end; word > scan->rest && !strchr(BLANKS, word[-1]); word--)
		;
	if (!*word || word == scan->rest) {
		scan_fail(scan, "%s is missing", what);
		return NULL;
	}
	word[-1] = '\0';
	return word;
}

void scan_end(struct scan *scan)
{
	if (scan->failed)
		return;
	scan->rest += strspn(scan->rest, BLANKS);
	if (*scan->rest)
		scan_fail(scan, "unexpected '%.64s'", scan->rest);
}
