/* SPDX-License-Identifier: MIT */
#ifndef MREGION_LIB_ARRAY_H
#define MREGION_LIB_ARRAY_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif
