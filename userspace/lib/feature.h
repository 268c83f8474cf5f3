/* SPDX-License-Identifier: MIT */
/* What the module has besides the base interface. */
#ifndef MREGION_LIB_FEATURE_H
#define MREGION_LIB_FEATURE_H

#include <stdint.h>

struct mregion_machine;

/**
 * mregion_need() - check that the module has what a call is about to use
 * @machine: the machine
 * @features: enum mregion_feature
 * @what: what cannot be done without, for mregion_error()
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int mregion_need(const struct mregion_machine *machine, uint64_t features,
		 const char *what);

#endif
