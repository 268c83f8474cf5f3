// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>

#include "budget.h"
#include "kind.h"
#include "region.h"
#include "share.h"
#include "view.h"

static bool mregion_share_is_written(const struct mregion_region *region)
{
	return region->node.kind == MREGION_RAM ||
	       region->node.kind == MREGION_RAMDEV;
}

static int mregion_share_check_log(struct file *log)
{
	if (!mregion_region_may_hold(log))
		return -EINVAL;
	if (!(log->f_mode & FMODE_READ) || !(log->f_mode & FMODE_WRITE))
		return -EACCES;
	return 0;
}

/* The file that is written to along with the region's memory. */
static int mregion_share_set_log(struct mregion_region *region, int fd)
{
	struct file *log;
	int ret;

	if (!mregion_share_is_written(region))
		return -EINVAL;
	log = fget(fd);
	if (!log)
		return -EBADF;
	ret = mregion_share_check_log(log) ?:
	      mregion_budget_charge(region->budget, MREGION_BUDGET_FILE);
	if (ret) {
		fput(log);
		return ret;
	}
	region->charged += MREGION_BUDGET_FILE;
	region->log = log;
	return 0;
}

/**
 * mregion_share() - share a region
 * @region: the region; its machine is locked
 * @args: from userspace
 * @serial: number of the sharing, not 0
 *
 * Return: 0, or a negative errno, see struct mregion_op_share.
 */
int mregion_share(struct mregion_region *region,
		  const struct mregion_op_share *args, u64 serial)
{
	int ret;

	if (args->reserved || !region->file)
		return -EINVAL;
	if (region->serial)
		return -EBUSY;
	if (!(region->file->f_mode & FMODE_READ))
		return -EACCES;
	if (args->log != -1) {
		ret = mregion_share_set_log(region, args->log);
		if (ret)
			return ret;
	}
	region->serial = serial;
	return 0;
}

/**
 * mregion_unshare() - undo mregion_share()
 * @region: the region; its machine is locked
 */
void mregion_unshare(struct mregion_region *region)
{
	region->serial = 0;
	if (!region->log)
		return;
	fput(region->log);
	region->log = NULL;
	region->charged -= MREGION_BUDGET_FILE;
	mregion_budget_uncharge(region->budget, MREGION_BUDGET_FILE);
}

/**
 * mregion_share_shown() - whether a range shows memory that is shared
 * @range: of the present view of a space; its machine is locked
 */
bool mregion_share_shown(const struct mregion_view_range *range)
{
	return mregion_region_of(range->node)->serial &&
	       (range->node->kind != MREGION_ROMD ||
		range->flags & MREGION_RANGE_ROMD);
}

/**
 * mregion_share_writable() - whether memory that is shared can be written
 * @range: a range that shows it
 */
bool mregion_share_writable(const struct mregion_view_range *range)
{
	const struct mregion_region *region = mregion_region_of(range->node);

	return mregion_share_is_written(region) &&
	       region->file->f_mode & FMODE_WRITE &&
	       !(range->flags & MREGION_RANGE_READONLY);
}

/**
 * mregion_share_open() - open a file anew, to hand it out
 * @file: the file
 * @write: for reading and writing, else for reading
 *
 * As /proc/self/fd does, but with the rights of @file. May wait for userspace, as
 * open() can.
 *
 * Return: the file, or an ERR_PTR.
 */
struct file *mregion_share_open(struct file *file, bool write)
{
	return dentry_open(&file->f_path,
			   O_LARGEFILE | (write ? O_RDWR : O_RDONLY),
			   file->f_cred);
}
