/* SPDX-License-Identifier: GPL-2.0 */
/* From hierarchy to flat view; as tree.h, also for ordinary programs. */
#ifndef MREGION_RENDER_H
#define MREGION_RENDER_H

#include <linux/types.h>

#include "tree.h"
#include "view.h"

struct mregion_view *mregion_render(struct mregion_node *root, u64 last,
				    struct mregion_work *work);

#endif /* MREGION_RENDER_H */
