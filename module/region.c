// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "behaviour.h"
#include "budget.h"
#include "region.h"
#include "server.h"
#include "share.h"

/* Regions are what there are most of, and are of no size that kmalloc() has. */
static struct kmem_cache *mregion_region_cache;

static bool mregion_name_ok(const char *name)
{
	size_t len = strnlen(name, MREGION_NAME_SIZE), i;

	if (len == MREGION_NAME_SIZE)
		return false;
	/* names are printed a line each; UTF-8 is welcome */
	for (i = 0; i < len; i++)
		if (iscntrl(name[i]))
			return false;
	return !memchr_inv(name + len, 0, MREGION_NAME_SIZE - len);
}

/**
 * mregion_region_check_flags() - whether flags go with a region
 * @region: the region
 * @flags: enum mregion_region_flags
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL.
 */
int mregion_region_check_flags(const struct mregion_region *region, u32 flags)
{
	u32 known = MREGION_REGION_READONLY | MREGION_REGION_DISABLED |
		    MREGION_REGION_NONVOLATILE | MREGION_REGION_UNMERGEABLE |
		    MREGION_REGION_ROMD_OFF | MREGION_REGION_LOG_DIRTY;
	u32 kind = region->node.kind;

	if (flags & ~known)
		return -EOPNOTSUPP;
	if ((flags & MREGION_REGION_ROMD_OFF) && kind != MREGION_ROMD)
		return -EINVAL;
	if ((flags & MREGION_REGION_LOG_DIRTY) && !mregion_kind_is_memory(kind))
		return -EINVAL;
	return 0;
}

/**
 * mregion_region_check_len() - whether a region's backing is long enough
 * @region: the region
 * @len: length wanted, 0 for 2^64
 *
 * A file can still be truncated later; that is for the VMM to avoid, which
 * would be the one to get the SIGBUS.
 *
 * Return: 0, -EINVAL.
 */
int mregion_region_check_len(const struct mregion_region *region, u64 len)
{
	u64 last = region->backing_offset + (len - 1);

	switch (region->backing) {
	case MREGION_BACKING_FD:
		if (!len || last < region->backing_offset ||
		    last >= i_size_read(file_inode(region->file)))
			return -EINVAL;
		break;
	case MREGION_BACKING_USER:
		if (!len || !access_ok(u64_to_user_ptr(region->backing_offset),
				       len))
			return -EINVAL;
		break;
	}
	return 0;
}

/**
 * mregion_region_may_hold() - whether a region may hold a reference to a file
 * @file: the file
 *
 * Only files that cannot lead back here: a machine that held itself, by its own
 * descriptor, would never be closed.
 */
bool mregion_region_may_hold(const struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode) &&
	       file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC;
}

static int mregion_region_set_backing(struct mregion_region *region,
				      const struct mregion_op_create *args)
{
	struct file *file;

	region->backing = args->backing;
	region->backing_offset = args->offset;
	switch (args->backing) {
	case MREGION_BACKING_NONE:
		return args->offset || args->fd ? -EINVAL : 0;
	case MREGION_BACKING_USER:
		if (args->fd || !PAGE_ALIGNED(args->offset))
			return -EINVAL;
		return mregion_region_check_len(region, args->len);
	case MREGION_BACKING_FD:
		if (!PAGE_ALIGNED(args->offset))
			return -EINVAL;
		file = fget(args->fd);
		if (!file)
			return -EBADF;
		region->file = file;
		if (!mregion_region_may_hold(file))
			return -EINVAL;
		return mregion_region_check_len(region, args->len);
	default:
		return -EOPNOTSUPP;
	}
}

static int mregion_region_set(struct mregion_region *region,
			      const struct mregion_op_create *args)
{
	u32 kind = args->kind;
	int ret;

	if (args->reserved || !mregion_name_ok(args->name))
		return -EINVAL;
	strscpy(region->name, args->name, sizeof(region->name));
	ret = mregion_region_check_flags(region, args->flags);
	if (ret)
		return ret;
	if (mregion_kind_is_memory(kind)) {
		ret = mregion_region_set_backing(region, args);
		if (ret)
			return ret;
	} else if (args->backing || args->fd) {
		return -EINVAL;
	} else if (kind != MREGION_ALIAS && args->offset) {
		return -EINVAL;
	}
	if (!mregion_kind_is_device(kind))
		return memchr_inv(&args->constraints, 0,
				  sizeof(args->constraints)) ? -EINVAL : 0;

	region->node.state.behaviour =
		mregion_behaviour_alloc(&args->constraints);
	if (IS_ERR(region->node.state.behaviour)) {
		ret = PTR_ERR(region->node.state.behaviour);
		region->node.state.behaviour = NULL;
		return ret;
	}
	return mregion_behaviour_charge(region->node.state.behaviour,
					region->budget);
}

/**
 * mregion_region_alloc() - make a region
 * @budget: to charge it to
 * @id: its ID
 * @args: from userspace
 * @target: of an alias, else NULL
 *
 * Return: the region, or an ERR_PTR: -EINVAL, -EOPNOTSUPP, -EBADF, -ENOMEM,
 * -ENOBUFS.
 */
struct mregion_region *
mregion_region_alloc(struct mregion_budget *budget, u32 id,
		     const struct mregion_op_create *args,
		     struct mregion_region *target)
{
	u64 bytes = sizeof(struct mregion_region) + MREGION_BUDGET_ID;
	struct mregion_region *region;
	int ret;

	if (args->kind < MREGION_CONTAINER || args->kind > MREGION_RESERVATION)
		return ERR_PTR(-EOPNOTSUPP);
	if (args->backing == MREGION_BACKING_FD)
		bytes += MREGION_BUDGET_FILE;
	ret = mregion_budget_charge(budget, bytes);
	if (ret)
		return ERR_PTR(ret);
	region = kmem_cache_zalloc(mregion_region_cache, GFP_KERNEL_ACCOUNT);
	if (!region) {
		mregion_budget_uncharge(budget, bytes);
		return ERR_PTR(-ENOMEM);
	}

	region->budget = budget;
	region->charged = bytes;
	region->id = id;
	mregion_node_init(&region->node, args->kind,
			  target ? &target->node : NULL);
	region->node.state.last = args->len - 1;
	region->node.state.flags = args->flags;
	if (target)
		region->node.state.target_offset = args->offset;
	ret = mregion_region_set(region, args);
	if (ret) {
		mregion_node_detach(&region->node);
		mregion_region_free(region);
		return ERR_PTR(ret);
	}
	return region;
}

/* Free all of a region but itself. */
static void mregion_region_clear(struct mregion_region *region)
{
	mregion_behaviour_free_rules(region->node.state.behaviour);
	mregion_behaviour_free(region->node.state.behaviour);
	mregion_unshare(region);
	if (region->file)
		fput(region->file);
	mregion_budget_uncharge(region->budget, region->charged);
}

/**
 * mregion_region_free() - free a region; may sleep
 * @region: one that is out of the hierarchy, and of all views
 */
void mregion_region_free(struct mregion_region *region)
{
	mregion_region_clear(region);
	kmem_cache_free(mregion_region_cache, region);
}

/**
 * mregion_regions_free() - free regions, which takes less than one by one; may sleep
 * @regions: as for mregion_region_free()
 * @nr: how many, at least one
 */
void mregion_regions_free(struct mregion_region **regions, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		mregion_region_clear(regions[i]);
	kmem_cache_free_bulk(mregion_region_cache, nr, (void **)regions);
}

/**
 * mregion_region_describe() - a region as userspace gets to see it
 * @region: the region
 * @info: to be filled in
 */
void mregion_region_describe(const struct mregion_region *region,
			     struct mregion_region_info *info)
{
	const struct mregion_node *node = &region->node;
	const struct mregion_node_state *state = &node->state;

	*info = (struct mregion_region_info) {
		.id = region->id,
		.kind = node->kind,
		.flags = state->flags,
		.len = state->last + 1,
		.offset = state->addr,
		.order = state->order,
		.priority = state->priority,
		.backing = region->backing,
		.backing_offset = region->backing_offset,
		.target_offset = state->target_offset,
	};
	if (state->parent)
		info->parent = mregion_region_of(state->parent)->id;
	if (node->target)
		info->target = mregion_region_of(node->target)->id;
	if (state->behaviour) {
		info->nr_rules = state->behaviour->nr_rules;
		info->constraints = state->behaviour->constraints;
		if (state->behaviour->server)
			info->server = state->behaviour->server->id;
	}
	strscpy(info->name, region->name, sizeof(info->name));
}

int __init mregion_region_init(void)
{
	mregion_region_cache = KMEM_CACHE(mregion_region, SLAB_ACCOUNT);
	return mregion_region_cache ? 0 : -ENOMEM;
}

void mregion_region_exit(void)
{
	kmem_cache_destroy(mregion_region_cache);
}
