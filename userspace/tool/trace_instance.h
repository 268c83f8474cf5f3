/* SPDX-License-Identifier: MIT */
/* An instance of tracefs: a buffer, and settings of events, for one command alone. */
#ifndef MREGION_TOOL_TRACE_INSTANCE_H
#define MREGION_TOOL_TRACE_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_INSTANCE_SIZE	64

/**
 * struct trace_instance - an instance
 * @path: its directory, of which the name has the process
 * @pipe: its trace_pipe, which does not block
 */
struct trace_instance {
	char path[TRACE_INSTANCE_SIZE];
	int pipe;
};

/**
 * trace_instance_open() - make an instance, which records nothing yet
 *
 * Instances of processes that are gone are removed.
 *
 * Return: false after a complaint.
 */
bool trace_instance_open(struct trace_instance *instance);

/**
 * trace_instance_write() - write to a file of the instance
 * @text: what to write
 * @fmt: name of the file, as for printf()
 *
 * Return: false after a complaint.
 */
__attribute__((format(printf, 3, 4)))
bool trace_instance_write(const struct trace_instance *instance,
			  const char *text, const char *fmt, ...);

/** trace_instance_stop() - record no more; what was recorded can be read */
void trace_instance_stop(const struct trace_instance *instance);

/** trace_instance_overrun() - how many events had to make room for later ones */
uint64_t trace_instance_overrun(const struct trace_instance *instance);

/** trace_instance_close() - remove the instance */
void trace_instance_close(struct trace_instance *instance);

#endif
