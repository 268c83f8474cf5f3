/* SPDX-License-Identifier: MIT */
/* Write JSON to stdout. */
#ifndef MREGION_TOOL_JSON_H
#define MREGION_TOOL_JSON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/** json_setup() - @pretty: a line for each member, with indentation */
void json_setup(bool pretty);

/*
 * Every function takes the key of the member, or NULL for an element of an
 * array. Commas come by themselves. Nothing is written to stdout before
 * json_end(), so that an error can take the place of what was begun.
 */
void json_begin_object(const char *key);
void json_end_object(void);
void json_begin_array(const char *key);
void json_end_array(void);
void json_number(const char *key, uint64_t value);
void json_signed(const char *key, int64_t value);
void json_bool(const char *key, bool value);
void json_null(const char *key);

/** json_fraction() - a number with three digits after the point */
void json_fraction(const char *key, double value);

/**
 * json_string() - text, of any bytes
 *
 * JSON is UTF-8. Of what is not, each byte becomes U+FFFD, and a second member,
 * KEY_hex, has all bytes as hexadecimal digits.
 */
void json_string(const char *key, const char *value);

/** json_address() - as a string in hex: many readers lose bits beyond 2^53 */
void json_address(const char *key, uint64_t value);

/** json_len() - a length in the same way, where 0 stands for 2^64 */
void json_len(const char *key, uint64_t value);

/** json_end() - write the outermost value, and a newline after it */
void json_end(void);

/** json_error() - write {"error": ...} and a newline, not what was begun */
void json_error(const char *fmt, va_list args);

#endif
