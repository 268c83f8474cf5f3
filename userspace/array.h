/* SPDX-License-Identifier: MIT */
/* For library, command and VMM. */
#ifndef MREGION_ARRAY_H
#define MREGION_ARRAY_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif
