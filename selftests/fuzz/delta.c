// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of intervals, of which random hierarchies seldom have as many as there may be:
 * a set has what was put in, and nothing else while it has room for that.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../module/delta.h"
#include "check.h"
#include "delta.h"

#define DELTA_UNITS	512

/**
 * struct delta_copy - a set, and what it is to have
 * @delta: the set
 * @base: address of the first unit
 * @put: what was put in, by unit
 * @crowded: that were more intervals once than there may be
 */
struct delta_copy {
	struct mregion_delta delta;
	u64 base;
	bool put[DELTA_UNITS];
	bool crowded;
};

static bool delta_has(const struct mregion_delta *delta, u64 addr)
{
	u32 i;

	for (i = 0; i < delta->nr; i++)
		if (delta->interval[i].start <= addr &&
		    addr <= delta->interval[i].last)
			return true;
	return false;
}

static void delta_check(struct delta_copy *copy)
{
	const struct mregion_delta *delta = &copy->delta;
	u32 i, nr = 0;

	for (i = 0; i < DELTA_UNITS; i++)
		nr += copy->put[i] && (!i || !copy->put[i - 1]);
	if (nr > MREGION_MAX_DELTA)
		copy->crowded = true;
	CHECK(delta->nr <= MREGION_MAX_DELTA &&
	      (copy->crowded || delta->nr == nr), "%u intervals of %u",
	      delta->nr, nr);
	for (i = 0; i < delta->nr; i++)
		CHECK(delta->interval[i].start <= delta->interval[i].last &&
		      (!i || delta->interval[i - 1].last + 1 <
			     delta->interval[i].start),
		      "interval %u: not sorted", i);
	for (i = 0; i < DELTA_UNITS; i++) {
		bool has = delta_has(delta, copy->base + i);

		CHECK(has || !copy->put[i], "%u is missing", i);
		CHECK(!has || copy->put[i] || copy->crowded,
		      "%u was never put in", i);
	}
}

/**
 * delta_run() - put intervals into sets, and compare
 * @seed: of the random numbers
 * @rounds: how many sets
 */
void delta_run(unsigned int seed, unsigned int rounds)
{
	static struct delta_copy copy;
	u32 round, left, start, last;

	srand(seed);
	for (round = 0; round < rounds; round++) {
		memset(&copy, 0, sizeof(copy));
		/* at either end of all addresses */
		if (round & 1)
			copy.base = -(u64)DELTA_UNITS;
		for (left = 1 + rand() % 200; left; left--) {
			start = rand() % DELTA_UNITS;
			last = start + rand() % 3;
			if (last >= DELTA_UNITS)
				last = DELTA_UNITS - 1;
			memset(&copy.put[start], true, last - start + 1);
			mregion_delta_add(&copy.delta, copy.base + start,
					  copy.base + last);
			delta_check(&copy);
		}
	}
}
