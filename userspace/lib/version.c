// SPDX-License-Identifier: MIT
/* The version of the library. */
#include "mregion.h"

#define TEXT_OF(major, minor, patch)	(#major "." #minor "." #patch)
#define TEXT(major, minor, patch)	TEXT_OF(major, minor, patch)

const char *mregion_version(void)
{
	return TEXT(MREGION_LIB_VERSION_MAJOR, MREGION_LIB_VERSION_MINOR,
		    MREGION_LIB_VERSION_PATCH);
}
