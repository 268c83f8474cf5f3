/* SPDX-License-Identifier: GPL-2.0 */
/* Sharing: regions whose files holders of view descriptors may have. */
#ifndef MREGION_SHARE_H
#define MREGION_SHARE_H

#include <linux/types.h>

struct file;
struct mregion_op_share;
struct mregion_region;
struct mregion_view_range;

int mregion_share(struct mregion_region *region,
		  const struct mregion_op_share *args, u64 serial);
void mregion_unshare(struct mregion_region *region);
bool mregion_share_shown(const struct mregion_view_range *range);
bool mregion_share_writable(const struct mregion_view_range *range);
struct file *mregion_share_open(struct file *file, bool write);

#endif /* MREGION_SHARE_H */
