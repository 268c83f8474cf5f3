/* SPDX-License-Identifier: GPL-2.0 */
/* Comparing what the module says with what the model says. */
#ifndef FUZZ_VERIFY_H
#define FUZZ_VERIFY_H

#include "input.h"
#include "world.h"

struct mregion_delta;
struct mregion_windows;

void verify_tree(const struct world *w);
void verify_marks(struct world *w);
bool verify_same(const struct mregion_view *a, const struct mregion_view *b);
void verify_view(const struct world *w, const struct world_space *space,
		 const struct mregion_view *view,
		 const struct model_view *expected);
struct mregion_view *verify_render(const struct world *w,
				   const struct world_space *space,
				   struct input *in);
struct mregion_view *verify_update(const struct world *w,
				   struct world_space *space,
				   const struct mregion_view *full,
				   struct input *in);
void verify_too_deep(const struct world *w, const struct world_space *space);
bool verify_holds(const struct mregion_windows *windows, u64 addr);
void verify_windows(struct mregion_view *view, struct mregion_view *before,
		    const struct mregion_delta *delta, struct input *in);
void verify_windows_both(const struct mregion_view *view,
			 const struct mregion_view *other, bool fail);
void verify_fast(const struct mregion_view *view,
		 const struct mregion_view *before,
		 const struct mregion_delta *delta, bool fail);
void verify_survey(const struct mregion_view *view,
		   const struct mregion_windows *own,
		   struct mregion_windows *others);

#endif /* FUZZ_VERIFY_H */
