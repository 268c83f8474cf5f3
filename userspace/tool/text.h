/* SPDX-License-Identifier: MIT */
/* Names and numbers as text for people. */
#ifndef MREGION_TOOL_TEXT_H
#define MREGION_TOOL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * text_utf8() - length of the character at @s, if it is UTF-8
 *
 * Return: 1 to 4; 0 if it is not, or the string ends.
 */
unsigned int text_utf8(const char *s);

/** text_width() - how many columns a string takes, by its characters */
unsigned int text_width(const char *s);

/**
 * text_name() - a name that may have any bytes
 *
 * Whatever a terminal could take for a command, a byte that is no UTF-8, and a
 * backslash are shown as \xNN, so that two names that differ look different.
 *
 * Return: a string to be freed.
 */
char *text_name(const char *name);

/** text_print() - print a name in that way */
void text_print(const char *name);

#define TEXT_LEN_SIZE	32

/**
 * text_len() - a length such as 64K; in bytes if it has no unit
 * @len: the length; 0 stands for 2^64
 */
const char *text_len(char text[TEXT_LEN_SIZE], uint64_t len);

/** text_size() - an amount such as 167.7K, rounded */
const char *text_size(char text[TEXT_LEN_SIZE], uint64_t bytes);

#endif
