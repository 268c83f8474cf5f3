/* SPDX-License-Identifier: MIT */
/* Memory of regions that other processes may have. */
#ifndef MREGION_LIB_SHARE_H
#define MREGION_LIB_SHARE_H

struct mregion_region;

/**
 * mregion_region_share() - let holders of views have the memory of a region
 * @region: the region; its machine's transaction is open. RAM devices, and what has no file,
 *	are left out
 *
 * With a file in which they mark what they write; if that cannot be made, the transaction
 * fails. Where the kernel does not share the memory's file, holders find no memory.
 */
void mregion_region_share(struct mregion_region *region);

#endif
