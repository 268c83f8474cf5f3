// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "report.h"

void report(const char *format, ...)
{
	/* Callers report first and return -errno then. */
	int saved = errno;
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);

	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "mregion-vmm: %s\n", line);
	errno = saved;
}
