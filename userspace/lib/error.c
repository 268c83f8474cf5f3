// SPDX-License-Identifier: MIT
/* The last error of each thread, in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "mregion.h"

static __thread char last_error[MREGION_ERROR_SIZE];

__attribute__((format(printf, 1, 2)))
static void append_text(const char *fmt, ...)
{
	size_t used = strlen(last_error);
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_error + used, sizeof(last_error) - used, fmt, args);
	va_end(args);
}

static void begin_text(const char *fmt, va_list args)
{
	vsnprintf(last_error, sizeof(last_error), fmt, args);
}

int mregion_fail(int err, const char *fmt, ...)
{
	char reason[128];
	va_list args;

	va_start(args, fmt);
	begin_text(fmt, args);
	va_end(args);
	append_text(": %s", strerror_r(err, reason, sizeof(reason)));
	errno = err;
	return -err;
}

/* The errno's own text would mislead: ELOOP's is about symbolic links. */
int mregion_fail_why(int err, const char *fmt, ...)
{
	const char *name = strerrorname_np(err);
	va_list args;

	va_start(args, fmt);
	begin_text(fmt, args);
	va_end(args);
	if (name)
		append_text(" (%s)", name);
	else
		append_text(" (errno %d)", err);
	errno = err;
	return -err;
}

int mregion_fail_reason(int err, const char *what, const char *reason)
{
	if (!reason && err == ENOBUFS)
		reason = MREGION_NO_MEMORY;
	if (!reason && err == EOPNOTSUPP)
		reason = MREGION_NOT_KNOWN;
	return reason ? mregion_fail_why(err, "%s: %s", what, reason)
		      : mregion_fail(err, "%s", what);
}

void mregion_error_save(char text[MREGION_ERROR_SIZE])
{
	memcpy(text, last_error, sizeof(last_error));
}

int mregion_error_restore(int err, const char text[MREGION_ERROR_SIZE])
{
	memcpy(last_error, text, sizeof(last_error));
	errno = err;
	return -err;
}

const char *mregion_error(void)
{
	return last_error;
}
