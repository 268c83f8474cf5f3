/* SPDX-License-Identifier: MIT */
/* Take a line of a topology file apart. */
#ifndef MREGION_TOOL_SCAN_H
#define MREGION_TOOL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct scan - a place in a file
 * @path: the file, for complaints
 * @line: number of the line, for complaints
 * @rest: what of the line has not been read yet
 * @failed: there was a complaint; nothing more will come
 */
struct scan {
	const char *path;
	size_t line;
	char *rest;
	bool failed;
};

/**
 * scan_fail() - complain, unless there was a complaint about this line before
 */
__attribute__((format(printf, 2, 3)))
void scan_fail(struct scan *scan, const char *fmt, ...);

/** scan_word() - the next word; NULL after a complaint. @what: its meaning */
char *scan_word(struct scan *scan, const char *what);

/** scan_id() - the next word as an ID, which is not 0 */
uint32_t scan_id(struct scan *scan, const char *what);

/** scan_u64() - the next word as a number */
uint64_t scan_u64(struct scan *scan, const char *what);

/** scan_len() - the next word as a length from 1 to 2^64, for which 0 stands */
uint64_t scan_len(struct scan *scan, const char *what);

/** scan_s32() - the next word as a number that may be negative */
int32_t scan_s32(struct scan *scan, const char *what);

/** scan_name() - the rest of the line as a copy to be freed */
char *scan_name(struct scan *scan);

/** scan_last_word() - take the last word off the rest of the line */
char *scan_last_word(struct scan *scan, const char *what);

/** scan_end() - complain if there is more in the line */
void scan_end(struct scan *scan);

#endif
