/* SPDX-License-Identifier: GPL-2.0 */
/* Random bytes to hierarchies, and changes to them. */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include "input.h"
#include "world.h"

/* Regions that a case has by single changes; towers may add more. */
#define GENERATE_REGIONS	40

/**
 * enum generate_scale - how large numbers are
 * @GENERATE_SMALL: a few hundred addresses, so that all can be looked up
 * @GENERATE_PAGES: multiples of a page, as machines have
 * @GENERATE_HUGE: up to the very end of 2^64 and beyond
 */
enum generate_scale {
	GENERATE_SMALL,
	GENERATE_PAGES,
	GENERATE_HUGE,
};

/**
 * struct generator - what changes are made from
 * @in: random bytes
 * @w: what is changed
 * @scale: how large its numbers are
 * @bottom: index of the region that the last pyramid shows
 */
struct generator {
	struct input *in;
	struct world *w;
	enum generate_scale scale;
	int bottom;
};

void generate_spaces(struct generator *g);
bool generate_change(struct generator *g);

#endif /* FUZZ_GENERATE_H */
