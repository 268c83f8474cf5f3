/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracefs, as far as the tests of mregion's events need it.
 *
 * Functions that return int return 0 (or a count) or a negative errno.
 */
#ifndef TRACE_UTIL_H
#define TRACE_UTIL_H

#include <stdarg.h>
#include <sys/mount.h>

#include "mregion_util.h"

#define TRACEFS	"/sys/kernel/tracing"

static inline int trace_write(const char *name, const char *text)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), TRACEFS "/%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* -ENOENT if the kernel has no tracefs, or none of the module's events. */
static inline int trace_mount(void)
{
	if (access(TRACEFS "/events", F_OK) &&
	    mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		return -errno;
	return access(TRACEFS "/events/mregion", F_OK) ? -errno : 0;
}

static inline int trace_enable(const char *event, bool on)
{
	char name[128];

	snprintf(name, sizeof(name), "events/mregion/%s%senable",
		 event ? event : "", event ? "/" : "");
	return trace_write(name, on ? "1" : "0");
}

static inline int trace_clear(void)
{
	return trace_write("trace", "");
}

/* A file below tracefs as a string that the caller frees, or NULL. */
static inline char *trace_read(const char *name)
{
	size_t len = 0, size = 1 << 16;
	char path[256], *text = malloc(size + 1);
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), TRACEFS "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, text + len, size - len)) > 0) {
		len += n;
		if (size - len < 4096)
			text = realloc(text, (size *= 2) + 1);
	}
	if (fd >= 0)
		close(fd);
	if (fd < 0 || n < 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

/*
 * The next of the module's events in a trace: its name with what follows, in
 * place; NULL if there is none.
 */
static inline char *trace_next(char **trace)
{
	char *event = *trace ? strstr(*trace, ": mregion_") : NULL;

	if (!event)
		return NULL;
	event += strlen(": ");
	*trace = strchr(event, '\n');
	if (*trace)
		*(*trace)++ = '\0';
	return event;
}

#endif /* TRACE_UTIL_H */
