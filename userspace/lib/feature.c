// SPDX-License-Identifier: MIT
/* What the module has besides the base interface. */
#include <errno.h>

#include "error.h"
#include "feature.h"
#include "machine.h"
#include "mregion.h"
#include "names.h"

int mregion_need(const struct mregion_machine *machine, uint64_t features,
		 const char *what)
{
	uint64_t missing = features & ~machine->info.features;
	char names[MREGION_FEATURES_SIZE];

	if (!missing)
		return 0;
	mregion_feature_names(missing, names);
	return mregion_fail_why(EOPNOTSUPP,
		"%s: the mregion module that is loaded lacks: %s", what, names);
}

int mregion_require(const struct mregion_machine *machine, uint64_t features)
{
	return mregion_need(machine, features, "require features");
}
