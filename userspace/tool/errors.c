// SPDX-License-Identifier: MIT
/* How mregion says what is wrong. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "tool.h"

bool tool_json;

static void complain(const char *fmt, va_list args)
{
	fflush(stdout);
	fputs("mregion: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

static void error(const char *fmt, va_list args)
{
	static bool said;

	if (!tool_json)
		complain(fmt, args);
	else if (!said)
		json_error(fmt, args);
	said = true;
}

void tool_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error(fmt, args);
	va_end(args);
}

void tool_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
}

void *tool_alloc(size_t nr, size_t size)
{
	/* Of nothing there may be NULL, which is no error. */
	void *memory = calloc(nr ? nr : 1, size);

	if (!memory) {
		tool_error("out of memory");
		exit(1);
	}
	return memory;
}

void *tool_grow(void *memory, size_t nr, size_t size)
{
	memory = reallocarray(memory, nr ? nr : 1, size);
	if (!memory) {
		tool_error("out of memory");
		exit(1);
	}
	return memory;
}
