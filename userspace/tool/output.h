/* SPDX-License-Identifier: MIT */
/* Write lines to a reader that may be slow, or gone, while signals are heeded. */
#ifndef MREGION_TOOL_OUTPUT_H
#define MREGION_TOOL_OUTPUT_H

#include <signal.h>
#include <stdbool.h>

/**
 * struct output - standard output
 * @signals: readable when the end has come
 * @err: errno of what could not be written; 0: all could be
 * @saved: what SIGPIPE does elsewhere
 */
struct output {
	int signals;
	int err;
	struct sigaction saved;
};

/** output_begin() - from here on, a reader that is gone is an error */
void output_begin(struct output *output, int signals);

/** output_line() - a line is complete; many are written at once */
void output_line(struct output *output);

/** output_flush() - write what there is */
void output_flush(struct output *output);

/**
 * output_end() - be as before
 *
 * If the reader is gone, the process ends as if SIGPIPE had come now, unless
 * that was ignored before, too.
 */
void output_end(struct output *output);

#endif
