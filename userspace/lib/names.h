/* SPDX-License-Identifier: MIT */
/* Words for numbers of <linux/mregion.h>. */
#ifndef MREGION_LIB_NAMES_H
#define MREGION_LIB_NAMES_H

#include <stdint.h>

struct mregion_range;

/** mregion_kind_name() - such as "container" */
const char *mregion_kind_name(uint32_t kind);

/** mregion_range_type() - ram, rom, romd, ramd, i/o, or resv */
const char *mregion_range_type(const struct mregion_range *range);

#endif
