// SPDX-License-Identifier: MIT
/* Copies of flat views. */
#include <errno.h>
#include <stdlib.h>

#include "flat.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "space.h"

int mregion_flat_read(struct mregion_machine *machine, uint32_t space,
		      const struct mregion_flat *old,
		      struct mregion_flat **flat)
{
	struct mregion_view *view;
	struct mregion_flat *new;
	int ret;

	*flat = NULL;
	ret = mregion_kernel_view(machine->fd, space,
				  old ? &old->view->generation : NULL, &view);
	if (ret || !view)
		return ret;
	new = malloc(sizeof(*new) + view->nr * sizeof(new->regions[0]));
	if (!new) {
		free(view);
		return -ENOMEM;
	}
	atomic_init(&new->refs, 1);
	new->view = view;
	mregion_table_get_ranges(&machine->regions, view->ranges, view->nr,
				 new->regions);
	*flat = new;
	return 0;
}

struct mregion_flat *mregion_flat_get(struct mregion_space *space)
{
	struct mregion_flat *flat;

	pthread_mutex_lock(&space->flat_lock);
	flat = space->flat;
	if (flat)
		atomic_fetch_add(&flat->refs, 1);
	pthread_mutex_unlock(&space->flat_lock);
	return flat;
}

void mregion_flat_put(struct mregion_flat *flat)
{
	size_t i;

	if (!flat || atomic_fetch_sub(&flat->refs, 1) != 1)
		return;
	for (i = 0; i < flat->view->nr; i++)
		if (flat->regions[i])
			mregion_region_put(flat->regions[i]);
	free(flat->view);
	free(flat);
}

size_t mregion_flat_find(const struct mregion_flat *flat, uint64_t addr)
{
	size_t low = 0, high = flat->view->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (flat->view->ranges[mid].last < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
