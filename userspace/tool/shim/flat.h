/* SPDX-License-Identifier: GPL-2.0 */
/* Views of the module's, of memory of this program's. */
#ifndef SHIM_FLAT_H
#define SHIM_FLAT_H

#include "../../../module/view.h"
#include "../../../module/work.h"

/**
 * flat_render() - render a whole hierarchy
 * @root: the region at address 0
 * @last: last address
 * @work: budget
 *
 * Return: the view, for flat_free(), or an ERR_PTR as of mregion_update_view().
 */
struct mregion_view *flat_render(struct mregion_node *root, u64 last,
				 struct mregion_work *work);

/** flat_free() - free a view */
void flat_free(struct mregion_view *view);

#endif /* SHIM_FLAT_H */
