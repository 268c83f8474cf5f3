/* SPDX-License-Identifier: GPL-2.0 */
/* Views of the module's, in an ordinary program. */
#ifndef SHIM_FLAT_H
#define SHIM_FLAT_H

#include "../../../module/view.h"
#include "../../../module/work.h"

/** flat_memory - where what views are made of comes from: this program's memory */
extern struct mregion_view_memory flat_memory;

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

/** flat_free() - free a view that shares nothing, or NULL */
void flat_free(struct mregion_view *view);

#endif /* SHIM_FLAT_H */
