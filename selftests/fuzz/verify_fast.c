// SPDX-License-Identifier: GPL-2.0
/* Where fast doorbells are, as all rules of all ranges say one by one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>
#include <linux/slab.h>

#include "../../module/behaviour.h"
#include "../../module/delta.h"
#include "../../module/fast.h"
#include "../../module/survey.h"
#include "check.h"
#include "flat.h"
#include "verify.h"

/* Whether a rule is a fast doorbell that a range shows; sets where. */
static bool fast_at(const struct mregion_view_range *range,
		    const struct mregion_behaviour_rule *rule, u64 *addr)
{
	*addr = rule->offset - range->delta;
	return rule->flags & MREGION_RULE_FAST &&
	       *addr >= range->start && *addr <= range->last &&
	       rule->offset == *addr + range->delta &&
	       *addr <= MREGION_WINDOWS_LAST;
}

/* Add those of a view, in any order, or count them where there is no room. */
static void fast_add(struct mregion_windows *all,
		     const struct mregion_view *view)
{
	const struct mregion_view_range *range;
	u64 addr;
	u32 i;

	flat_for_each(range, view) {
		if (!range->behaviour || range->flags & MREGION_RANGE_READONLY)
			continue;
		for (i = 0; i < range->behaviour->nr_rules; i++) {
			if (!fast_at(range, range->behaviour->sorted[i], &addr))
				continue;
			if (all->room)
				mregion_windows_add(all, addr, addr);
			else
				all->nr++;
		}
	}
}

static void fast_collect(struct mregion_windows *all,
			 const struct mregion_view *view,
			 const struct mregion_view *smm)
{
	fast_add(all, view);
	if (smm)
		fast_add(all, smm);
}

/* Those at the lowest addresses, each once. */
static void fast_expected(struct mregion_windows *all,
			  const struct mregion_view *view,
			  const struct mregion_view *smm)
{
	u32 i, nr = 0;

	*all = (struct mregion_windows) {};
	fast_collect(all, view, smm);
	if (!all->nr)
		return;
	CHECK(!mregion_windows_alloc(all, all->nr), "no memory");
	fast_collect(all, view, smm);
	mregion_windows_sort(all);
	for (i = 0; i < all->nr; i++)
		if (!nr || all->window[i].start != all->window[nr - 1].start)
			all->window[nr++] = all->window[i];
	all->full = nr > MREGION_MAX_FAST;
	all->nr = nr < MREGION_MAX_FAST ? nr : MREGION_MAX_FAST;
}

static void fast_same(const struct mregion_windows *fast,
		      const struct mregion_windows *expected, const char *what)
{
	u32 i;

	CHECK(fast->nr == expected->nr && fast->full == expected->full,
	      "%s: %u fast doorbells instead of %u", what, fast->nr,
	      expected->nr);
	for (i = 0; i < fast->nr; i++)
		CHECK(fast->window[i].start == expected->window[i].start &&
		      fast->window[i].last == expected->window[i].start,
		      "%s: a fast doorbell at %#" PRIx64 " instead of %#" PRIx64,
		      what, fast->window[i].start, expected->window[i].start);
}

/* As a commit makes them of those before, where these are all there are. */
static void fast_update(const struct mregion_fast_views *views,
			const struct mregion_view *before,
			const struct mregion_view *smm_before,
			const struct mregion_windows *expected)
{
	struct mregion_windows old, fast;

	fast_expected(&old, before, smm_before);
	if (!old.full) {
		CHECK(!mregion_fast_update(views, &old, &fast), "no memory");
		fast_same(&fast, expected, "updated");
		mregion_windows_free(&fast);
		fuzz_stats.fast_updates++;
	}
	mregion_windows_free(&old);
}

/* How many of each kind a survey has told of. */
struct fast_told {
	const struct mregion_windows *fast;
	u32 nr_fast;
	u32 nr_slow;
	u32 nr_smm;
	u64 last;
};

static void fast_told(void *to, const struct mregion_finding *finding)
{
	struct fast_told *told = to;

	if (finding->kind != MREGION_CLAIM_FAST &&
	    finding->kind != MREGION_CLAIM_SLOW)
		return;
	/* those of SMM come behind the others */
	if (finding->flags & MREGION_CLAIM_SMM) {
		if (!told->nr_smm++)
			told->last = 0;
	} else {
		CHECK(!told->nr_smm, "fast doorbell %#" PRIx64 " is not in order",
		      finding->start);
	}
	CHECK(finding->start == finding->last && finding->start >= told->last,
	      "fast doorbell %#" PRIx64 " is not in order", finding->start);
	CHECK(verify_holds(told->fast, finding->start) ==
	      (finding->kind == MREGION_CLAIM_FAST),
	      "fast doorbell %#" PRIx64 " is on the bus, or not",
	      finding->start);
	told->last = finding->start;
	if (finding->kind == MREGION_CLAIM_FAST)
		told->nr_fast++;
	else
		told->nr_slow++;
}

/* Whether a view has the same doorbell as a range of another view. */
static bool fast_same_bell(const struct mregion_view *view,
			   const struct mregion_view_range *range, u64 addr)
{
	const struct mregion_view_range *other;

	flat_for_each(other, view)
		if (other->start <= addr && addr <= other->last)
			return other->node == range->node &&
			       other->delta == range->delta &&
			       other->behaviour == range->behaviour &&
			       !(other->flags & MREGION_RANGE_READONLY);
	return false;
}

/* How many doorbells a view has that another one has not; NULL has none. */
static u32 fast_nr_own(const struct mregion_view *view,
		       const struct mregion_view *outside)
{
	const struct mregion_view_range *range;
	u64 addr;
	u32 i, nr = 0;

	flat_for_each(range, view) {
		if (!range->behaviour || range->flags & MREGION_RANGE_READONLY)
			continue;
		for (i = 0; i < range->behaviour->nr_rules; i++) {
			if (!fast_at(range, range->behaviour->sorted[i], &addr))
				continue;
			nr += !outside || !fast_same_bell(outside, range, addr);
		}
	}
	return nr;
}

/* Each of SMM's is listed once, but for those that are the same outside of it. */
static void fast_survey_smm(const struct mregion_view *view,
			    const struct mregion_view *smm)
{
	struct mregion_survey survey = {
		.view = view, .smm = smm, .has_fast = true,
	};
	struct fast_told told = { .fast = &survey.fast };
	u32 nr, nr_smm = fast_nr_own(smm, view);

	CHECK(!mregion_survey_make(&survey), "no memory");
	CHECK(!mregion_survey_walk(&survey, fast_told, &told), "no survey");
	CHECK(told.nr_smm == nr_smm, "%u fast doorbells of SMM instead of %u",
	      told.nr_smm, nr_smm);
	nr = fast_nr_own(view, NULL);
	CHECK(told.nr_fast + told.nr_slow == nr + nr_smm,
	      "%u fast doorbells instead of %u", told.nr_fast + told.nr_slow,
	      nr + nr_smm);
	fuzz_stats.fast_smm += nr_smm;
	mregion_survey_free(&survey);
}

/* Every other one is on the bus. */
static void fast_survey(const struct mregion_view *view,
			const struct mregion_windows *expected)
{
	struct mregion_survey survey = { .view = view, .has_fast = true };
	struct fast_told told = { .fast = &survey.fast };
	u32 i;

	CHECK(!mregion_windows_alloc(&survey.fast, expected->nr), "no memory");
	for (i = expected->nr; i-- > 0;)
		if (i & 1)
			mregion_windows_add(&survey.fast,
					    expected->window[i].start,
					    expected->window[i].last);
	CHECK(!mregion_survey_make(&survey), "no memory");
	CHECK(!mregion_survey_walk(&survey, fast_told, &told), "no survey");
	CHECK(told.nr_fast == survey.fast.nr &&
	      (expected->full ||
	       told.nr_fast + told.nr_slow == expected->nr),
	      "%u fast doorbells and %u slow ones of %u", told.nr_fast,
	      told.nr_slow, expected->nr);
	mregion_survey_free(&survey);
}

/**
 * verify_fast() - find the fast doorbells of a view, and compare
 * @view: the view
 * @before: the space's view before, or NULL
 * @delta: where they differ, or NULL
 * @fail: whether to fail an allocation first
 */
void verify_fast(const struct mregion_view *view,
		 const struct mregion_view *before,
		 const struct mregion_delta *delta, bool fail)
{
	struct mregion_fast_views views = { .view = view };
	struct mregion_windows expected, fast;

	fast_expected(&expected, view, NULL);
	if (fail) {
		shim_fail_nth = 1;
		CHECK(mregion_fast_of(&views, &fast) ==
		      (shim_fail_nth ? 0 : -ENOMEM), "went on without memory");
		mregion_windows_free(&fast);
		shim_fail_nth = 0;
	}
	CHECK(!mregion_fast_of(&views, &fast), "no memory");
	fast_same(&fast, &expected, "found");
	mregion_windows_free(&fast);
	/* it takes a square */
	if (expected.nr < 256)
		fast_survey(view, &expected);
	fuzz_stats.fast += expected.nr;
	fuzz_stats.fast_full += expected.full;
	if (before && delta) {
		if (expected.nr < 256) {
			fast_survey_smm(view, before);
			fast_survey_smm(before, view);
		}
		views.delta = delta;
		fast_update(&views, before, NULL, &expected);
		mregion_windows_free(&expected);

		/* Either is SMM's, and the other one stays. */
		fast_expected(&expected, view, before);
		views.smm = before;
		CHECK(!mregion_fast_of(&views, &fast), "no memory");
		fast_same(&fast, &expected, "found in both");
		mregion_windows_free(&fast);
		fast_update(&views, before, before, &expected);
		views = (struct mregion_fast_views) {
			.view = before, .smm = view, .smm_delta = delta,
		};
		fast_update(&views, before, before, &expected);
	}
	mregion_windows_free(&expected);
}
