// SPDX-License-Identifier: GPL-2.0
/* What a survey tells of windows, of others, and of what is left. */
#include <inttypes.h>
#include <stdlib.h>

#include <linux/mregion.h>

#include "../../module/survey.h"
#include "check.h"
#include "flat.h"
#include "verify.h"

/**
 * struct verify_told - what a survey has told, and ought to
 * @view: of the machine
 * @survey: the survey
 * @nr: by kind
 * @missing: of UNCLAIMED: addresses altogether, but for overflow
 * @last: by kind: first address of the one before
 */
struct verify_told {
	const struct mregion_view *view;
	const struct mregion_survey *survey;
	u32 nr[MREGION_CLAIM_UNCLAIMED + 1];
	u64 missing;
	u64 last[MREGION_CLAIM_UNCLAIMED + 1];
};

static bool verify_hit(const struct mregion_windows *windows, u64 start,
		       u64 last)
{
	u32 i;

	for (i = 0; i < windows->nr; i++)
		if (windows->window[i].start <= last &&
		    windows->window[i].last >= start)
			return true;
	return false;
}

/* The first range of the view that somebody else's range is in the way of. */
static const struct mregion_view_range *
verify_victim(const struct mregion_view *view,
	      const struct mregion_window *other)
{
	const struct mregion_view_range *range;

	flat_for_each(range, view)
		if (mregion_range_claims(range) &&
		    range->start <= other->last && range->last >= other->start)
			return range;
	return NULL;
}

static void verify_told(void *to, const struct mregion_finding *finding)
{
	struct verify_told *told = to;
	struct mregion_window window = { finding->start, finding->last };
	const struct mregion_survey *survey = told->survey;

	CHECK(finding->start <= finding->last &&
	      finding->start >= told->last[finding->kind],
	      "kind %u: %#" PRIx64 " is not in order", finding->kind,
	      finding->start);
	told->last[finding->kind] = finding->start;
	told->nr[finding->kind]++;
	switch (finding->kind) {
	case MREGION_CLAIM_WINDOW:
		CHECK(verify_hit(&survey->own, window.start, window.last),
		      "no window at %#" PRIx64, window.start);
		break;
	case MREGION_CLAIM_CONFLICT:
		CHECK(finding->range == verify_victim(told->view, &window),
		      "another range conflicts with %#" PRIx64, window.start);
		CHECK(!(finding->flags & MREGION_CLAIM_INSIDE) ==
		      !verify_hit(&survey->own, window.start, window.last),
		      "%#" PRIx64 " is inside, or not", window.start);
		break;
	case MREGION_CLAIM_UNCLAIMED:
		CHECK(mregion_range_claims(finding->range) &&
		      finding->range->start <= window.start &&
		      finding->range->last >= window.last,
		      "%#" PRIx64 " is not to be claimed", window.start);
		CHECK(!verify_hit(&survey->own, window.start, window.last) &&
		      !verify_hit(&survey->others, window.start, window.last),
		      "%#" PRIx64 " is claimed", window.start);
		told->missing += window.last - window.start + 1;
		break;
	}
}

/* How many addresses of a range nobody has: all, less those of each in turn. */
static u64 verify_missing(const struct mregion_survey *survey, u64 start,
			  u64 last)
{
	const struct mregion_windows *sets[] = { &survey->own,
						 &survey->others };
	u32 set, i;

	for (set = 0; set < 2; set++) {
		for (i = 0; i < sets[set]->nr; i++) {
			u64 from = sets[set]->window[i].start;
			u64 to = sets[set]->window[i].last;
			u64 nr = 0;

			if (from > last || to < start)
				continue;
			if (from > start)
				nr += verify_missing(survey, start, from - 1);
			if (to < last)
				nr += verify_missing(survey, to + 1, last);
			return nr;
		}
	}
	return last - start + 1;
}

/**
 * verify_survey() - make a survey, and compare
 * @view: the view
 * @own: windows there are
 * @others: what others have, in any order; sorted on return
 */
void verify_survey(const struct mregion_view *view,
		   const struct mregion_windows *own,
		   struct mregion_windows *others)
{
	struct mregion_survey survey = {
		.view = view, .own = *own, .others = *others,
	};
	struct verify_told told = { .view = view, .survey = &survey };
	const struct mregion_view_range *range;
	u32 i, conflicts = 0;
	u64 missing = 0;

	/* what came later may be inside of windows */
	CHECK(!mregion_survey_make(&survey), "no memory");
	CHECK(!mregion_survey_walk(&survey, verify_told, &told),
	      "a survey failed");
	CHECK(told.nr[MREGION_CLAIM_WINDOW] == own->nr, "%u windows",
	      told.nr[MREGION_CLAIM_WINDOW]);
	for (i = 0; i < others->nr; i++)
		if (others->window[i].start <= MREGION_WINDOWS_LAST &&
		    verify_victim(view, &others->window[i]))
			conflicts++;
	CHECK(told.nr[MREGION_CLAIM_CONFLICT] == conflicts,
	      "%u conflicts, not %u", told.nr[MREGION_CLAIM_CONFLICT],
	      conflicts);
	flat_for_each(range, view) {
		u64 last = range->last < MREGION_WINDOWS_LAST ? range->last :
							MREGION_WINDOWS_LAST;

		if (mregion_range_claims(range) && range->start <= last)
			missing += verify_missing(&survey, range->start, last);
	}
	CHECK(told.missing == missing,
	      "%#" PRIx64 " addresses are not claimed, not %#" PRIx64,
	      told.missing, missing);
	fuzz_stats.conflicts += conflicts;
	fuzz_stats.unclaimed += told.nr[MREGION_CLAIM_UNCLAIMED];
	mregion_windows_free(&survey.held);
}
