/* SPDX-License-Identifier: GPL-2.0 */
/* Views that are made of one another. */
#ifndef FUZZ_FLAT_H
#define FUZZ_FLAT_H

#include "../../module/update.h"
#include "../../userspace/tool/shim/flat.h"

struct mregion_view *flat_update(struct mregion_update *update,
				 const struct mregion_view *before,
				 struct mregion_node *root, u64 last,
				 struct mregion_delta *delta,
				 struct mregion_work *work);
void flat_keep_before(struct mregion_update *update, struct mregion_view *view);
void flat_keep_view(struct mregion_update *update, struct mregion_view *before);

/**
 * flat_for_each() - walk a view
 * @range: the range
 * @view: the view
 */
#define flat_for_each(range, view)					\
	for (struct mregion_btree_cursor flat_cursor, *flat_once =	\
	     &flat_cursor; flat_once; flat_once = NULL)			\
		mregion_view_for_each(range, &flat_cursor, view, 0)

#endif /* FUZZ_FLAT_H */
