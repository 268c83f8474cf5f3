// SPDX-License-Identifier: MIT
/* Calls of devices' functions: what they are for, and how deep they are. */
#include <stdio.h>

#include "call.h"
#include "machine.h"
#include "region.h"

static __thread const struct mregion_call *innermost;

void mregion_call_begin(struct mregion_call *call,
			const struct mregion_current *current)
{
	call->current = *current;
	call->outer = innermost;
	call->depth = innermost ? innermost->depth + 1 : 1;
	innermost = call;
}

void mregion_call_end(const struct mregion_call *call)
{
	innermost = call->outer;
}

const struct mregion_current *mregion_current(void)
{
	return innermost ? &innermost->current : NULL;
}

static bool is_inside(const struct mregion_region *region)
{
	const struct mregion_call *call;

	for (call = innermost; call; call = call->outer)
		if (call->current.region == region)
			return true;
	return false;
}

static bool is_deep(void)
{
	return innermost && innermost->depth >= MREGION_MAX_CALLS;
}

bool mregion_call_possible(const struct mregion_region *region)
{
	return !is_deep() &&
	       !(region->ops->flags & MREGION_OPS_NOT_REENTRANT &&
		 is_inside(region));
}

bool mregion_call_allowed(const struct mregion_region *region)
{
	if (mregion_call_possible(region))
		return true;
	if (!atomic_fetch_add(&region->machine->reentries, 1))
		fprintf(stderr, "mregion: '%s' is accessed by its own functions%s: refused\n",
			region->name, is_deep() ? ", endlessly" : "");
	return false;
}

uint64_t mregion_reentries(const struct mregion_machine *machine)
{
	return atomic_load(&machine->reentries);
}
