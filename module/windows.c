// SPDX-License-Identifier: GPL-2.0
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "behaviour.h"
#include "delta.h"
#include "kind.h"
#include "tree.h"
#include "view.h"
#include "windows.h"

/*
 * What is claimed first where not all can be. What is not claimed exits to the
 * VMM, which costs a guest most where the kernel could have completed it.
 */
enum mregion_rank {
	MREGION_RANK_RULES,		/* rules, or a server */
	MREGION_RANK_RULES_LARGE,	/* the same in a region of many units */
	MREGION_RANK_POLICY,		/* the kernel answers what is refused */
	MREGION_RANK_POLICY_LARGE,	/* ... there, or beside memory */
	MREGION_RANK_REST,		/* it can only count */
	MREGION_NR_RANKS
};

/* A region of more units than this waits for all that are smaller. */
#define MREGION_LARGE		(4 * MREGION_WINDOW_SIZE)

/**
 * struct mregion_walk - a walk along a view, from piece to piece
 * @windows: where to add pieces, or NULL: they are counted
 * @nr: by rank: how many there are; when adding: how many may still be added
 * @top: last address that may be claimed
 * @floor: first address behind what may not be claimed
 * @gaps: unassigned addresses are of use, too
 * @open: there is a @piece, of which the end is not certain yet
 * @piece: what is claimed of one unit between memory
 * @rank: of @piece
 */
struct mregion_walk {
	struct mregion_windows *windows;
	u64 nr[MREGION_NR_RANKS];
	u64 top;
	u64 floor;
	bool gaps;
	bool open;
	struct mregion_window piece;
	enum mregion_rank rank;
};

/**
 * mregion_windows_alloc() - make an empty set
 * @windows: the set, which has no memory yet
 * @room: for how many windows
 *
 * Return: 0, -ENOMEM.
 */
int mregion_windows_alloc(struct mregion_windows *windows, u32 room)
{
	*windows = (struct mregion_windows) { .room = room };
	if (!room)
		return 0;
	windows->window = kvcalloc(room, sizeof(*windows->window),
				   GFP_KERNEL_ACCOUNT);
	return windows->window ? 0 : -ENOMEM;
}

/**
 * mregion_windows_free() - free what a set takes
 * @windows: the set, or zeroes; zeroed
 */
void mregion_windows_free(struct mregion_windows *windows)
{
	kvfree(windows->window);
	*windows = (struct mregion_windows) {};
}

/**
 * mregion_windows_add() - append to a set
 * @windows: the set, which has room
 * @start: first address
 * @last: last address
 */
void mregion_windows_add(struct mregion_windows *windows, u64 start, u64 last)
{
	windows->window[windows->nr++] = (struct mregion_window) {
		.start = start,
		.last = last,
	};
}

static int mregion_window_cmp(const void *a, const void *b)
{
	const struct mregion_window *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/**
 * mregion_windows_sort() - sort by first address
 * @windows: a set, in any order; its windows may overlap, and still do
 */
void mregion_windows_sort(struct mregion_windows *windows)
{
	u32 i;

	/* it nearly always is */
	for (i = 1; i < windows->nr; i++)
		if (windows->window[i].start < windows->window[i - 1].start)
			break;
	if (i < windows->nr)
		sort(windows->window, windows->nr, sizeof(*windows->window),
		     mregion_window_cmp, NULL);
}

/**
 * mregion_windows_join() - make one of windows that overlap
 * @windows: a set, sorted by first address; disjoint afterwards
 */
void mregion_windows_join(struct mregion_windows *windows)
{
	struct mregion_window *window = windows->window;
	u32 i, nr = 0;

	for (i = 0; i < windows->nr; i++) {
		if (nr && window[i].start <= window[nr - 1].last)
			window[nr - 1].last = max(window[nr - 1].last,
						  window[i].last);
		else
			window[nr++] = window[i];
	}
	windows->nr = nr;
}

/**
 * mregion_windows_gap() - the next addresses that are not in a set
 * @windows: the set
 * @at: where in it the last call stopped; 0 at first
 * @rest: where to look: nothing above MREGION_WINDOWS_LAST, nor below what was
 *	looked at with this @at; left with what is behind the gap
 * @gap: set to it
 *
 * Return: false if there is none.
 */
bool mregion_windows_gap(const struct mregion_windows *windows, u32 *at,
			 struct mregion_window *rest,
			 struct mregion_window *gap)
{
	while (rest->start <= rest->last) {
		const struct mregion_window *window = NULL;

		while (*at < windows->nr &&
		       windows->window[*at].last < rest->start)
			++*at;
		if (*at < windows->nr)
			window = &windows->window[*at];
		*gap = *rest;
		if (!window || window->start > rest->last) {
			rest->start = rest->last + 1;
			return true;
		}
		rest->start = min(window->last, rest->last) + 1;
		if (window->start > gap->start) {
			gap->last = window->start - 1;
			return true;
		}
	}
	return false;
}

/**
 * mregion_windows_cut() - leave addresses out
 * @windows: a set
 * @taken: what to leave out of it
 * @cut: set to what is left, in pieces; has room for as many windows as both
 *	have together
 */
void mregion_windows_cut(const struct mregion_windows *windows,
			 const struct mregion_windows *taken,
			 struct mregion_windows *cut)
{
	u32 i, at = 0;

	cut->nr = 0;
	for (i = 0; i < windows->nr; i++) {
		struct mregion_window gap, rest = windows->window[i];

		while (mregion_windows_gap(taken, &at, &rest, &gap))
			mregion_windows_add(cut, gap.start, gap.last);
	}
}

/**
 * mregion_windows_cover() - whether windows lie within others
 * @windows: those there are
 * @wanted: those that are wanted
 */
bool mregion_windows_cover(const struct mregion_windows *windows,
			   const struct mregion_windows *wanted)
{
	u32 i, j = 0;

	for (i = 0; i < wanted->nr; i++) {
		while (j < windows->nr &&
		       windows->window[j].last < wanted->window[i].start)
			j++;
		if (j == windows->nr ||
		    windows->window[j].start > wanted->window[i].start ||
		    windows->window[j].last < wanted->window[i].last)
			return false;
	}
	return true;
}

/**
 * mregion_range_claims() - whether accesses to a range are the machine's
 * @range: the range
 *
 * And not a memory slot's or somebody else's. Writes to memory that the guest
 * can only read count.
 */
bool mregion_range_claims(const struct mregion_view_range *range)
{
	u32 kind = range->node->kind;

	if (kind == MREGION_RESERVATION)
		return false;
	return !mregion_kind_is_memory(kind) || kind == MREGION_ROMD ||
	       range->flags & MREGION_RANGE_READONLY;
}

static bool mregion_policy_completes(u32 policy)
{
	return policy == MREGION_POLICY_ONES || policy == MREGION_POLICY_ZEROES;
}

/**
 * mregion_range_need() - what the kernel can complete in a range
 * @range: one that mregion_range_claims()
 *
 * Return: MREGION_CLAIM_RULES, MREGION_CLAIM_POLICY or 0.
 */
u32 mregion_range_need(const struct mregion_view_range *range)
{
	const struct mregion_behaviour *behaviour = range->behaviour;

	if (behaviour && (behaviour->nr_rules || behaviour->server))
		return MREGION_CLAIM_RULES;
	/* memory that is only read has the policy of PCI */
	if (!behaviour || mregion_policy_completes(behaviour->refused))
		return MREGION_CLAIM_POLICY;
	return 0;
}

static enum mregion_rank
mregion_range_rank(const struct mregion_view_range *range)
{
	bool large = range->last - range->start >= MREGION_LARGE;

	switch (mregion_range_need(range)) {
	case MREGION_CLAIM_RULES:
		return large ? MREGION_RANK_RULES_LARGE : MREGION_RANK_RULES;
	case MREGION_CLAIM_POLICY:
		return large ? MREGION_RANK_POLICY_LARGE : MREGION_RANK_POLICY;
	default:
		return MREGION_RANK_REST;
	}
}

static u64 mregion_unit_last(u64 addr)
{
	return addr | (MREGION_WINDOW_SIZE - 1);
}

/* Whether a unit ends at @last, so that what follows is in another one. */
static bool mregion_unit_ends(u64 last)
{
	return last == mregion_unit_last(last);
}

/* Take [start, last] as a piece of each unit. */
static void mregion_walk_take(struct mregion_walk *walk, u64 start, u64 last,
			      enum mregion_rank rank)
{
	if (!walk->windows) {
		walk->nr[rank] += last / MREGION_WINDOW_SIZE -
				  start / MREGION_WINDOW_SIZE + 1;
		return;
	}
	while (walk->nr[rank] && start <= last) {
		u64 end = min(mregion_unit_last(start), last);

		mregion_windows_add(walk->windows, start, end);
		walk->nr[rank]--;
		start = end + 1;
	}
}

static void mregion_walk_close(struct mregion_walk *walk)
{
	if (walk->open)
		mregion_walk_take(walk, walk->piece.start, walk->piece.last,
				  walk->rank);
	walk->open = false;
}

/* Be at the piece that @addr is in, and note how much it is wanted. */
static void mregion_walk_to(struct mregion_walk *walk, u64 addr,
			    enum mregion_rank rank)
{
	if (walk->open && addr <= walk->piece.last) {
		walk->rank = min(walk->rank, rank);
		return;
	}
	mregion_walk_close(walk);
	walk->open = true;
	walk->piece.start = max(walk->floor,
				ALIGN_DOWN(addr, MREGION_WINDOW_SIZE));
	walk->piece.last = min(mregion_unit_last(addr), walk->top);
	walk->rank = rank;
}

static void mregion_walk_claim(struct mregion_walk *walk, u64 start, u64 last,
			       enum mregion_rank rank)
{
	u64 unit = ALIGN_DOWN(last, MREGION_WINDOW_SIZE);

	mregion_walk_to(walk, start, rank);
	if (last <= walk->piece.last)
		return;
	/* units that the range fills */
	mregion_walk_close(walk);
	start = walk->piece.last + 1;
	if (start < unit)
		mregion_walk_take(walk, start, unit - 1, rank);
	mregion_walk_to(walk, unit, rank);
}

static void mregion_walk_forbid(struct mregion_walk *walk, u64 start, u64 last)
{
	/* what is unassigned in a unit that has this, too */
	if (walk->gaps && start > walk->floor && !mregion_unit_ends(start - 1))
		mregion_walk_to(walk, start - 1, MREGION_RANK_POLICY_LARGE);
	if (walk->open && walk->piece.last >= start) {
		walk->open = walk->piece.start < start;
		walk->piece.last = start - 1;
	}
	mregion_walk_close(walk);
	walk->floor = last + 1;
	if (walk->gaps && last < walk->top && !mregion_unit_ends(last))
		mregion_walk_to(walk, walk->floor, MREGION_RANK_POLICY_LARGE);
}

static int mregion_walk_view(struct mregion_walk *walk,
			     const struct mregion_view *view)
{
	struct mregion_work work = { .left = U64_MAX };
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	u64 last;
	int ret;

	walk->floor = 0;
	walk->open = false;
	mregion_view_for_each(range, &cursor, view, 0) {
		if (range->start > walk->top)
			break;
		last = min(range->last, walk->top);
		ret = mregion_work_step(&work);
		if (ret)
			return ret;
		if (mregion_range_claims(range))
			mregion_walk_claim(walk, range->start, last,
					   mregion_range_rank(range));
		else
			mregion_walk_forbid(walk, range->start, last);
	}
	/* ports are less than a unit */
	if (walk->gaps && walk->floor <= walk->top &&
	    !mregion_unit_ends(walk->top))
		mregion_walk_to(walk, walk->top, MREGION_RANK_POLICY_LARGE);
	mregion_walk_close(walk);
	return 0;
}

/**
 * mregion_windows_of() - what to claim for a view
 * @view: the view
 * @windows: set; to be freed by mregion_windows_free(), also after an error
 *
 * In units of MREGION_WINDOW_SIZE: every unit that has something to claim, as
 * far as nothing in it forbids that. Ports are one unit. When that is more than
 * MREGION_MAX_WINDOWS, those that the kernel can do most with are there.
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int mregion_windows_of(const struct mregion_view *view,
		       struct mregion_windows *windows)
{
	struct mregion_walk walk = {
		.top = min_t(u64, view->last, MREGION_WINDOWS_LAST),
		.gaps = mregion_policy_completes(view->unassigned),
	};
	u32 rank, nr = 0;
	int ret;

	*windows = (struct mregion_windows) {};
	ret = mregion_walk_view(&walk, view);
	if (ret)
		return ret;
	for (rank = 0; rank < MREGION_NR_RANKS; rank++) {
		walk.nr[rank] = min_t(u64, walk.nr[rank],
				      MREGION_MAX_WINDOWS - nr);
		nr += walk.nr[rank];
	}
	ret = mregion_windows_alloc(windows, nr);
	if (ret)
		return ret;
	windows->full = nr == MREGION_MAX_WINDOWS;
	walk.windows = windows;
	return mregion_walk_view(&walk, view);
}

/* The first window that ends at an address or behind it; or the set's end. */
static u32 mregion_windows_bound(const struct mregion_windows *windows, u64 addr)
{
	u32 low = 0, end = windows->nr, half;

	while (low < end) {
		half = low + (end - low) / 2;
		if (windows->window[half].last < addr)
			low = half + 1;
		else
			end = half;
	}
	return low;
}

/* Whether all of some addresses are in windows. */
static bool mregion_windows_have(const struct mregion_windows *windows,
				 u64 start, u64 last)
{
	u32 at = mregion_windows_bound(windows, start);

	if (start > MREGION_WINDOWS_LAST)
		return true;
	last = min_t(u64, last, MREGION_WINDOWS_LAST);
	for (; at < windows->nr && windows->window[at].start <= start; at++) {
		if (windows->window[at].last >= last)
			return true;
		start = windows->window[at].last + 1;
	}
	return false;
}

/* Whether a range gets what it is to have of windows. */
static bool mregion_windows_suit_range(const struct mregion_windows *windows,
				       const struct mregion_view_range *range)
{
	u32 at;

	if (mregion_range_claims(range))
		return mregion_windows_have(windows, range->start, range->last);
	if (range->node->kind != MREGION_RESERVATION)
		return true;
	at = mregion_windows_bound(windows, range->start);
	return at == windows->nr || windows->window[at].start > range->last;
}

static int mregion_windows_suit_interval(const struct mregion_windows *windows,
					 const struct mregion_view *view,
					 u64 start, u64 last)
{
	bool gaps = mregion_policy_completes(view->unassigned);
	struct mregion_work work = { .left = U64_MAX };
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	int ret;

	mregion_view_for_each(range, &cursor, view, start) {
		if (range->start > last)
			break;
		ret = mregion_work_step(&work);
		if (ret)
			return ret;
		if (!mregion_windows_suit_range(windows, range))
			return 0;
		if (gaps && range->start > start &&
		    !mregion_windows_have(windows, start, range->start - 1))
			return 0;
		start = range->last + 1;
		if (!start)
			return 1;
	}
	return !gaps || start > last ||
	       mregion_windows_have(windows, start, last);
}

/**
 * mregion_windows_suit() - whether windows need no change for a new view
 * @windows: the windows, as for the view before
 * @view: the view
 * @delta: where it differs, or another view of the same bus does. A range that is there
 *	in part only is looked at as a whole
 *
 * Costs what has changed. May be wrong about windows that are no longer needed, and
 * about unassigned addresses in units that have nothing else: those are looked for by
 * mregion_windows_of().
 *
 * Return: 1 or 0; -EINTR.
 */
int mregion_windows_suit(const struct mregion_windows *windows,
			 const struct mregion_view *view,
			 const struct mregion_delta *delta)
{
	int ret = 1;
	u32 i;

	for (i = 0; i < delta->nr && ret == 1; i++)
		ret = mregion_windows_suit_interval(windows, view,
						    delta->interval[i].start,
						    delta->interval[i].last);
	return ret;
}

/**
 * mregion_windows_hit_reservation() - whether windows have what they must not
 * @windows: the windows
 * @view: a view
 *
 * Return: 1 or 0; -EINTR.
 */
int mregion_windows_hit_reservation(const struct mregion_windows *windows,
				    const struct mregion_view *view)
{
	struct mregion_work work = { .left = U64_MAX };
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	u32 at = 0;
	int ret;

	mregion_view_for_each(range, &cursor, view, 0) {
		ret = mregion_work_step(&work);
		if (ret)
			return ret;
		if (range->node->kind != MREGION_RESERVATION)
			continue;
		while (at < windows->nr &&
		       windows->window[at].last < range->start)
			at++;
		if (at < windows->nr &&
		    windows->window[at].start <= range->last)
			return 1;
	}
	return 0;
}
