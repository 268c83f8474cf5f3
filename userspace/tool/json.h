/* SPDX-License-Identifier: MIT */
/* Write JSON to stdout. */
#ifndef MREGION_TOOL_JSON_H
#define MREGION_TOOL_JSON_H

#include <stdint.h>

/*
 * Every function takes the key of the member, or NULL for an element of an
 * array. Commas come by themselves.
 */
void json_begin_object(const char *key);
void json_end_object(void);
void json_begin_array(const char *key);
void json_end_array(void);
void json_string(const char *key, const char *value);
void json_number(const char *key, uint64_t value);
void json_null(const char *key);

/** json_address() - as a string in hex: many readers lose bits beyond 2^53 */
void json_address(const char *key, uint64_t value);

/** json_end() - the newline after the outermost value */
void json_end(void);

#endif
