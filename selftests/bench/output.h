/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results, as a table for people or as JSON. One row at a time: a part begins
 * with its columns, and every row of it has a value for each.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

void output_begin(bool json);
void output_fact(const char *key, const char *value);
void output_part(const char *key, const char *title, const char *const *columns);
void output_text(const char *value);
void output_number(double value, int digits);
void output_none(void);
void output_end(void);

#endif /* OUTPUT_H */
