/* SPDX-License-Identifier: MIT */
/* Words for numbers of <linux/mregion.h>. */
#ifndef MREGION_LIB_NAMES_H
#define MREGION_LIB_NAMES_H

#include <stdint.h>

struct mregion_range;

/** MREGION_FEATURE_SIZE - room for the number of a feature without a name */
#define MREGION_FEATURE_SIZE	16

/** MREGION_FEATURES_SIZE - room for the names of all features */
#define MREGION_FEATURES_SIZE	512

/**
 * mregion_feature_name() - such as "attach", or "bit 17" if this library has no name
 * @bit: number of a bit of enum mregion_feature
 * @buffer: may be used for the result
 */
const char *mregion_feature_name(unsigned int bit,
				 char buffer[MREGION_FEATURE_SIZE]);

/**
 * mregion_feature_names() - such as "attach, bit 17"
 * @features: enum mregion_feature
 * @names: filled in; empty if there is none
 */
void mregion_feature_names(uint64_t features,
			   char names[MREGION_FEATURES_SIZE]);

/** mregion_kind_name() - such as "container" */
const char *mregion_kind_name(uint32_t kind);

/** mregion_range_type() - ram, rom, romd, ramd, i/o, or resv */
const char *mregion_range_type(const struct mregion_range *range);

#endif
