// SPDX-License-Identifier: MIT
/* Write JSON to stdout. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

static bool pretty;

/* The value so far. */
static char *buffer;
static size_t buffer_size;
static FILE *out;

/* Something stands before the next value, in the same object or array. */
static bool comma;
static unsigned int depth;

void json_setup(bool is_pretty)
{
	pretty = is_pretty;
}

static void need_buffer(void)
{
	if (out)
		return;
	out = open_memstream(&buffer, &buffer_size);
	if (!out) {
		fputs("mregion: out of memory\n", stderr);
		exit(1);
	}
}

static void drop_buffer(void)
{
	if (out)
		fclose(out);
	free(buffer);
	out = NULL;
	buffer = NULL;
	comma = false;
	depth = 0;
}

static void new_line(void)
{
	if (pretty)
		fprintf(out, "\n%*s", depth * 4, "");
}

static void put_string(const char *s)
{
	unsigned int len;

	fputc('"', out);
	for (; *s; s += len) {
		len = text_utf8(s);
		if (!len) {
			fputs("\\ufffd", out);
			len = 1;
		} else if (*s == '"' || *s == '\\') {
			fprintf(out, "\\%c", *s);
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			fprintf(out, "\\u%04x", *s);
		} else {
			fwrite(s, 1, len, out);
		}
	}
	fputc('"', out);
}

static void begin_value(const char *key)
{
	need_buffer();
	if (comma)
		fputc(',', out);
	if (depth)
		new_line();
	if (key) {
		put_string(key);
		fputs(pretty ? ": " : ":", out);
	}
	comma = true;
}

static void begin(const char *key, char bracket)
{
	begin_value(key);
	fputc(bracket, out);
	comma = false;
	depth++;
}

static void end(char bracket)
{
	depth--;
	if (comma)
		new_line();
	fputc(bracket, out);
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

static bool is_utf8(const char *s)
{
	unsigned int len;

	for (; *s; s += len) {
		len = text_utf8(s);
		if (!len)
			return false;
	}
	return true;
}

void json_string(const char *key, const char *value)
{
	begin_value(key);
	put_string(value);
	if (!key || is_utf8(value))
		return;
	fputc(',', out);
	new_line();
	fprintf(out, "\"%s_hex\":%s\"", key, pretty ? " " : "");
	for (; *value; value++)
		fprintf(out, "%02x", (unsigned char)*value);
	fputc('"', out);
}

void json_number(const char *key, uint64_t value)
{
	begin_value(key);
	fprintf(out, "%" PRIu64, value);
}

void json_signed(const char *key, int64_t value)
{
	begin_value(key);
	fprintf(out, "%" PRId64, value);
}

void json_fraction(const char *key, double value)
{
	begin_value(key);
	fprintf(out, "%.3f", value);
}

void json_bool(const char *key, bool value)
{
	begin_value(key);
	fputs(value ? "true" : "false", out);
}

void json_null(const char *key)
{
	begin_value(key);
	fputs("null", out);
}

void json_address(const char *key, uint64_t value)
{
	begin_value(key);
	fprintf(out, "\"0x%" PRIx64 "\"", value);
}

void json_len(const char *key, uint64_t value)
{
	begin_value(key);
	if (value)
		fprintf(out, "\"0x%" PRIx64 "\"", value);
	else
		fputs("\"0x10000000000000000\"", out);
}

void json_end(void)
{
	need_buffer();
	fputc('\n', out);
	fflush(out);
	fwrite(buffer, 1, buffer_size, stdout);
	drop_buffer();
}

void json_error(const char *fmt, va_list args)
{
	char *text;

	drop_buffer();
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	json_begin_object(NULL);
	json_string("error", text ? text : "out of memory");
	json_end_object();
	json_end();
	free(text);
}
