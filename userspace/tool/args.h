/* SPDX-License-Identifier: MIT */
/* Numbers of the command line. */
#ifndef MREGION_TOOL_ARGS_H
#define MREGION_TOOL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/** args_u64() - a number, decimal or hexadecimal after 0x */
bool args_u64(const char *text, uint64_t *value);

/** args_id() - a number of 32 bits that is not 0 */
bool args_id(const char *text, uint32_t *id);

#endif
