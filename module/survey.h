/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Surveys: a machine's windows on a bus, conflicts with other devices, unclaimed
 * addresses, and fast doorbells.
 *
 * Made on demand, of the present bus; as windows.h, it compiles as an ordinary
 * program too.
 */
#ifndef MREGION_SURVEY_H
#define MREGION_SURVEY_H

#include <linux/mregion.h>
#include <linux/types.h>

#include "windows.h"

struct mregion_view;
struct mregion_view_range;

/**
 * struct mregion_survey - a survey
 * @view: what the machine has on the bus
 * @smm: what vCPUs in SMM see of it instead, or NULL for the same
 * @own: the machine's windows
 * @fast: the machine's fast doorbells that are on the bus for those
 * @others: ranges of others; sorted by first address, and can overlap
 * @held: windows and others together, disjoint
 * @has_fast: there may be fast doorbells, which are to be told of
 */
struct mregion_survey {
	const struct mregion_view *view;
	const struct mregion_view *smm;
	struct mregion_windows own;
	struct mregion_windows fast;
	struct mregion_windows others;
	struct mregion_windows held;
	bool has_fast;
};

/**
 * struct mregion_finding - an entry of a survey
 * @kind: enum mregion_claim_kind
 * @flags: enum mregion_claim_flags
 * @start: first address
 * @last: last address
 * @range: the range of the view that it is about, or NULL for a window
 */
struct mregion_finding {
	u32 kind;
	u32 flags;
	u64 start;
	u64 last;
	const struct mregion_view_range *range;
};

typedef void mregion_survey_tell(void *to,
				 const struct mregion_finding *finding);

int mregion_survey_make(struct mregion_survey *survey);
void mregion_survey_free(struct mregion_survey *survey);
int mregion_survey_walk(const struct mregion_survey *survey,
			mregion_survey_tell *tell, void *to);

#endif /* MREGION_SURVEY_H */
