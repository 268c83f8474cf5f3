/* SPDX-License-Identifier: MIT */
/* Write lines to a reader that may be slow, or gone, while signals are heeded. */
#ifndef MREGION_TOOL_TRACE_OUTPUT_H
#define MREGION_TOOL_TRACE_OUTPUT_H

#include <signal.h>
#include <stdbool.h>

/**
 * struct trace_output - standard output
 * @signals: readable when the end has come
 * @err: errno of what could not be written; 0: all could be
 * @saved: what SIGPIPE does elsewhere
 */
struct trace_output {
	int signals;
	int err;
	struct sigaction saved;
};

/** trace_output_begin() - from here on, a reader that is gone is an error */
void trace_output_begin(struct trace_output *output, int signals);

/** trace_output_line() - a line is complete; many are written at once */
void trace_output_line(struct trace_output *output);

/** trace_output_flush() - write what there is */
void trace_output_flush(struct trace_output *output);

/**
 * trace_output_end() - be as before
 *
 * If the reader is gone, the process ends as if SIGPIPE had come now, unless
 * that was ignored before, too.
 */
void trace_output_end(struct trace_output *output);

#endif
