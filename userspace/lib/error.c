// SPDX-License-Identifier: MIT
/* The last error of each thread, in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "mregion.h"

static __thread char last_error[MREGION_ERROR_SIZE];

int mregion_fail(int err, const char *fmt, ...)
{
	char reason[128];
	size_t used;
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_error, sizeof(last_error), fmt, args);
	va_end(args);

	used = strlen(last_error);
	snprintf(last_error + used, sizeof(last_error) - used, ": %s",
		 strerror_r(err, reason, sizeof(reason)));
	errno = err;
	return -err;
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
