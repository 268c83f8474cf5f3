// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "output.h"

#define FIRST_WIDTH	52
#define WIDTH		14

static bool as_json;
static bool in_part, any_part, any_row;
static const char *const *columns;
static unsigned int column;

/* The values are this program's own words: nothing to escape but quotes. */
static void json_string(const char *string)
{
	putchar('"');
	for (; *string; string++) {
		if (*string == '"' || *string == '\\')
			putchar('\\');
		putchar(*string);
	}
	putchar('"');
}

void output_begin(bool json)
{
	as_json = json;
	if (as_json)
		fputs("{", stdout);
}

void output_fact(const char *key, const char *value)
{
	if (as_json) {
		if (any_part)
			fputs(", ", stdout);
		json_string(key);
		fputs(": ", stdout);
		json_string(value);
		any_part = true;
	} else {
		printf("%s: %s\n", key, value);
	}
}

static void part_end(void)
{
	if (in_part && as_json)
		fputs("\n]", stdout);
	in_part = false;
}

void output_part(const char *key, const char *title, const char *const *names)
{
	unsigned int i;

	part_end();
	columns = names;
	column = 0;
	in_part = true;
	any_row = false;
	if (as_json) {
		if (any_part)
			fputs(", ", stdout);
		json_string(key);
		fputs(": [", stdout);
	} else {
		printf("\n%s\n\n%-*s", title, FIRST_WIDTH, columns[0]);
		for (i = 1; columns[i]; i++)
			printf("%*s", WIDTH, columns[i]);
		putchar('\n');
	}
	any_part = true;
}

/* Begin a value; the first of a row begins the row. */
static void value_begin(void)
{
	if (!as_json)
		return;
	if (!column)
		fputs(any_row ? ",\n\t{" : "\n\t{", stdout);
	else
		fputs(", ", stdout);
	any_row = true;
	json_string(columns[column]);
	fputs(": ", stdout);
}

static void value_end(void)
{
	if (columns[++column])
		return;
	column = 0;
	fputs(as_json ? "}" : "\n", stdout);
	fflush(stdout);
}

void output_text(const char *value)
{
	value_begin();
	if (as_json)
		json_string(value);
	else
		printf("%-*s", FIRST_WIDTH, value);
	value_end();
}

void output_number(double value, int digits)
{
	value_begin();
	printf("%*.*f", as_json ? 0 : WIDTH, digits, value);
	value_end();
}

/* Where a row has nothing to say. */
void output_none(void)
{
	value_begin();
	if (as_json)
		fputs("null", stdout);
	else
		printf("%*s", WIDTH, "");
	value_end();
}

void output_end(void)
{
	part_end();
	if (as_json)
		puts("}");
}
