// SPDX-License-Identifier: MIT
/* Words for numbers of <linux/mregion.h>. */
#include <stdio.h>

#include "mregion.h"
#include "names.h"

const char *mregion_feature_name(unsigned int bit,
				 char buffer[MREGION_FEATURE_SIZE])
{
	switch (1ull << bit) {
	case MREGION_FEATURE_ATTACH:
		return "attach";
	case MREGION_FEATURE_CHANGES:
		return "changes";
	case MREGION_FEATURE_VIEW_OPEN:
		return "views";
	case MREGION_FEATURE_SMM:
		return "smm";
	case MREGION_FEATURE_FAST:
		return "fast";
	case MREGION_FEATURE_INDEXED:
		return "indexed";
	default:
		snprintf(buffer, MREGION_FEATURE_SIZE, "bit %u", bit);
		return buffer;
	}
}

void mregion_feature_names(uint64_t features,
			   char names[MREGION_FEATURES_SIZE])
{
	char buffer[MREGION_FEATURE_SIZE];
	size_t used = 0;
	unsigned int i;

	names[0] = '\0';
	for (i = 0; i < 64 && used < MREGION_FEATURES_SIZE; i++)
		if (features >> i & 1)
			used += snprintf(names + used,
					 MREGION_FEATURES_SIZE - used, "%s%s",
					 used ? ", " : "",
					 mregion_feature_name(i, buffer));
}

const char *mregion_kind_name(uint32_t kind)
{
	switch (kind) {
	case MREGION_CONTAINER:
		return "container";
	case MREGION_RAM:
		return "ram";
	case MREGION_ROM:
		return "rom";
	case MREGION_ROMD:
		return "romd";
	case MREGION_RAMDEV:
		return "ramdev";
	case MREGION_MMIO:
		return "mmio";
	case MREGION_ALIAS:
		return "alias";
	case MREGION_RESERVATION:
		return "reservation";
	default:
		return "unknown";
	}
}

const char *mregion_range_type(const struct mregion_range *range)
{
	/* Whatever the region is, so that aliases can write-protect it. */
	if (range->flags & MREGION_RANGE_READONLY)
		return "rom";
	switch (range->kind) {
	case MREGION_RAM:
		return "ram";
	case MREGION_ROM:
		return "rom";
	case MREGION_ROMD:
		return range->flags & MREGION_RANGE_ROMD ? "romd" : "i/o";
	case MREGION_RAMDEV:
		return "ramd";
	case MREGION_RESERVATION:
		return "resv";
	default:
		return "i/o";
	}
}
