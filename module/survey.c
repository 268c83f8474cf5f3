// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "fast.h"
#include "survey.h"
#include "tree.h"
#include "view.h"

/**
 * mregion_survey_make() - make a survey of what was found on a bus
 * @survey: with @own, @fast and @others, in any order
 *
 * Return: 0, -ENOMEM. Either way mregion_survey_free() follows.
 */
int mregion_survey_make(struct mregion_survey *survey)
{
	struct mregion_windows *held = &survey->held;
	u32 i;
	int ret;

	mregion_windows_sort(&survey->own);
	mregion_windows_sort(&survey->fast);
	mregion_windows_sort(&survey->others);
	ret = mregion_windows_alloc(held, survey->own.nr + survey->others.nr);
	if (ret)
		return ret;
	for (i = 0; i < survey->own.nr; i++)
		held->window[held->nr++] = survey->own.window[i];
	for (i = 0; i < survey->others.nr; i++)
		held->window[held->nr++] = survey->others.window[i];
	mregion_windows_sort(held);
	mregion_windows_join(held);
	return 0;
}

/**
 * mregion_survey_free() - free what a survey takes
 * @survey: the survey, or zeroes
 */
void mregion_survey_free(struct mregion_survey *survey)
{
	mregion_windows_free(&survey->own);
	mregion_windows_free(&survey->fast);
	mregion_windows_free(&survey->others);
	mregion_windows_free(&survey->held);
}

static void mregion_survey_windows(const struct mregion_survey *survey,
				   mregion_survey_tell *tell, void *to)
{
	u32 i;

	for (i = 0; i < survey->own.nr; i++)
		tell(to, &(struct mregion_finding) {
			.kind = MREGION_CLAIM_WINDOW,
			.start = survey->own.window[i].start,
			.last = survey->own.window[i].last,
		});
}

/* How far a view has been looked at, for addresses that never go down. */
struct mregion_survey_at {
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
};

/* Go on to the first range of the machine's that is not in front of an address. */
static int mregion_survey_go(struct mregion_survey_at *at, u64 start,
			     struct mregion_work *work)
{
	int ret;

	while (at->range && (at->range->last < start ||
			     !mregion_range_claims(at->range))) {
		ret = mregion_work_step(work);
		if (ret)
			return ret;
		at->range = mregion_btree_next(&at->cursor);
	}
	return 0;
}

/*
 * All are sorted by first address, so each is gone through once. Those of SMM leave
 * out what the other view has as well.
 */
static int mregion_survey_conflicts(const struct mregion_survey *survey,
				    bool smm, struct mregion_work *work,
				    mregion_survey_tell *tell, void *to)
{
	const struct mregion_view *view = smm ? survey->smm : survey->view;
	struct mregion_survey_at at, outside = {};
	u32 i, own = 0;
	int ret;

	at.range = mregion_btree_first(&view->tree, 0, &at.cursor);
	if (smm)
		outside.range = mregion_btree_first(&survey->view->tree, 0,
						    &outside.cursor);
	for (i = 0; i < survey->others.nr; i++) {
		const struct mregion_window *other = &survey->others.window[i];
		struct mregion_finding finding = {
			.kind = MREGION_CLAIM_CONFLICT,
			.start = other->start,
			.last = other->last,
		};

		if (other->start > MREGION_WINDOWS_LAST)
			break;
		ret = mregion_survey_go(&at, other->start, work) ?:
		      mregion_survey_go(&outside, other->start, work);
		if (ret)
			return ret;
		while (own < survey->own.nr &&
		       survey->own.window[own].last < other->start)
			own++;
		ret = mregion_work_step(work);
		if (ret)
			return ret;
		if (!at.range || at.range->start > other->last)
			continue;
		if (outside.range && outside.range->start <= other->last)
			continue;
		finding.range = at.range;
		finding.flags = mregion_range_need(finding.range);
		if (smm)
			finding.flags |= MREGION_CLAIM_SMM;
		if (own < survey->own.nr &&
		    survey->own.window[own].start <= other->last)
			finding.flags |= MREGION_CLAIM_INSIDE;
		tell(to, &finding);
	}
	return 0;
}

/* Whether a view shows the very same at the addresses of another view's range. */
static bool mregion_survey_has(const struct mregion_view *view,
			       const struct mregion_view_range *range)
{
	const struct mregion_view_range *other;

	other = mregion_view_find(view, range->start);
	return other && other->node == range->node &&
	       other->delta == range->delta && other->last >= range->last &&
	       mregion_range_claims(other);
}

static int mregion_survey_unclaimed(const struct mregion_survey *survey,
				    bool smm, struct mregion_work *work,
				    mregion_survey_tell *tell, void *to)
{
	const struct mregion_view *view = smm ? survey->smm : survey->view;
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	u32 at = 0;
	int ret;

	mregion_view_for_each(range, &cursor, view, 0) {
		struct mregion_window gap, rest = {
			.start = range->start,
			.last = min_t(u64, range->last, MREGION_WINDOWS_LAST),
		};

		ret = mregion_work_step(work);
		if (ret)
			return ret;
		if (!mregion_range_claims(range) ||
		    (smm && mregion_survey_has(survey->view, range)))
			continue;
		while (mregion_windows_gap(&survey->held, &at, &rest, &gap))
			tell(to, &(struct mregion_finding) {
				.kind = MREGION_CLAIM_UNCLAIMED,
				.flags = mregion_range_need(range) |
					 (smm ? MREGION_CLAIM_SMM : 0),
				.start = gap.start,
				.last = gap.last,
				.range = range,
			});
	}
	return 0;
}

/* Whether a view has the same fast doorbell as another view's range at an address. */
static bool mregion_survey_has_bell(const struct mregion_view *view,
				    const struct mregion_view_range *range,
				    u64 addr)
{
	const struct mregion_view_range *other = mregion_view_find(view, addr);

	return other && other->node == range->node &&
	       other->delta == range->delta &&
	       other->behaviour == range->behaviour &&
	       mregion_range_is_fast(other);
}

/* The fast doorbells of a range; both are gone through in the order of addresses. */
static int mregion_survey_bells(const struct mregion_survey *survey, u32 *at,
				const struct mregion_view_range *range,
				bool smm, struct mregion_work *work,
				mregion_survey_tell *tell, void *to)
{
	const struct mregion_windows *fast = &survey->fast;
	struct mregion_fast_cursor cursor;
	int ret;
	u64 addr;

	mregion_fast_begin(&cursor, range, 0, MREGION_WINDOWS_LAST);
	while (mregion_fast_next(&cursor, &addr)) {
		struct mregion_finding finding = {
			.kind = MREGION_CLAIM_SLOW,
			.flags = MREGION_CLAIM_RULES |
				 (smm ? MREGION_CLAIM_SMM : 0),
			.start = addr,
			.last = addr,
			.range = range,
		};

		ret = mregion_work_step(work);
		if (ret)
			return ret;
		if (smm && mregion_survey_has_bell(survey->view, range, addr))
			continue;
		while (*at < fast->nr && fast->window[*at].start < addr)
			++*at;
		if (*at < fast->nr && fast->window[*at].start == addr)
			finding.kind = MREGION_CLAIM_FAST;
		tell(to, &finding);
	}
	return 0;
}

static int mregion_survey_fast(const struct mregion_survey *survey, bool smm,
			       struct mregion_work *work,
			       mregion_survey_tell *tell, void *to)
{
	const struct mregion_view *view = smm ? survey->smm : survey->view;
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	u32 at = 0;
	int ret;

	if (!survey->has_fast)
		return 0;
	mregion_view_for_each(range, &cursor, view, 0) {
		if (range->start > MREGION_WINDOWS_LAST)
			break;
		ret = mregion_work_step(work) ?:
		      mregion_survey_bells(survey, &at, range, smm, work, tell,
					   to);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * mregion_survey_walk() - tell all that a survey has
 * @survey: the survey
 * @tell: called for windows, then conflicts, then what is not claimed, then fast
 *	doorbells, each in the order of addresses; of all but windows, what SMM alone has
 *	comes last
 * @to: passed to it
 *
 * Takes as many steps as @survey and its views have parts and fast doorbells together. A
 * look into the other view is a step for each part or doorbell of SMM's.
 *
 * Return: 0, -EINTR.
 */
int mregion_survey_walk(const struct mregion_survey *survey,
			mregion_survey_tell *tell, void *to)
{
	struct mregion_work work = { .left = U64_MAX };
	int ret;

	mregion_survey_windows(survey, tell, to);
	ret = mregion_survey_conflicts(survey, false, &work, tell, to);
	if (!ret && survey->smm)
		ret = mregion_survey_conflicts(survey, true, &work, tell, to);
	if (!ret)
		ret = mregion_survey_unclaimed(survey, false, &work, tell, to);
	if (!ret && survey->smm)
		ret = mregion_survey_unclaimed(survey, true, &work, tell, to);
	if (!ret)
		ret = mregion_survey_fast(survey, false, &work, tell, to);
	if (!ret && survey->smm)
		ret = mregion_survey_fast(survey, true, &work, tell, to);
	return ret;
}
