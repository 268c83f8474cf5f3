// SPDX-License-Identifier: MIT
/* Write JSON to stdout. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "json.h"

/* Something stands before the next value, in the same object or array. */
static bool comma;

static void put_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void begin_value(const char *key)
{
	if (comma)
		putchar(',');
	if (key) {
		put_string(key);
		putchar(':');
	}
	comma = true;
}

static void begin(const char *key, char bracket)
{
	begin_value(key);
	putchar(bracket);
	comma = false;
}

static void end(char bracket)
{
	putchar(bracket);
	comma = true;
}

void json_begin_object(const char *key)
{
	begin(key, '{');
}

void json_end_object(void)
{
	end('}');
}

void json_begin_array(const char *key)
{
	begin(key, '[');
}

void json_end_array(void)
{
	end(']');
}

void json_string(const char *key, const char *value)
{
	begin_value(key);
	put_string(value);
}

void json_number(const char *key, uint64_t value)
{
	begin_value(key);
	printf("%" PRIu64, value);
}

void json_null(const char *key)
{
	begin_value(key);
	fputs("null", stdout);
}

void json_address(const char *key, uint64_t value)
{
	begin_value(key);
	printf("\"0x%" PRIx64 "\"", value);
}

void json_end(void)
{
	putchar('\n');
	comma = false;
}
