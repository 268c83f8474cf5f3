/* SPDX-License-Identifier: MIT */
/* End when asked to, in order. */
#ifndef MREGION_TOOL_SIGNALS_H
#define MREGION_TOOL_SIGNALS_H

#include <stdbool.h>

/**
 * signals_open() - have SIGINT, SIGTERM, SIGQUIT and SIGHUP do nothing but be told
 *
 * Return: a descriptor that can be read once one has come; -1 after a complaint.
 */
int signals_open(void);

#endif
