// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "limits.h"
#include "shadow.h"

/**
 * mregion_shadow_alloc() - make shadow memory
 * @args: as userspace has given them
 * @budget: to charge it to
 *
 * Return: it, with one reference, or an ERR_PTR: -EINVAL, -EOPNOTSUPP, -ENOMEM,
 * -ENOBUFS.
 */
struct mregion_shadow *
mregion_shadow_alloc(const struct mregion_shadow_create *args,
		     struct mregion_budget *budget)
{
	struct mregion_shadow *shadow;
	int ret;

	if (args->flags)
		return ERR_PTR(-EOPNOTSUPP);
	if (!args->len || args->len > MREGION_MAX_SHADOW_LEN)
		return ERR_PTR(-EINVAL);
	shadow = kzalloc(sizeof(*shadow), GFP_KERNEL_ACCOUNT);
	if (!shadow)
		return ERR_PTR(-ENOMEM);
	ret = mregion_memory_alloc(&shadow->memory, budget, args->len,
				   sizeof(*shadow));
	if (ret) {
		kfree(shadow);
		return ERR_PTR(ret);
	}
	kref_init(&shadow->kref);
	shadow->id = args->id;
	return shadow;
}

static void mregion_shadow_release(struct kref *kref)
{
	struct mregion_shadow *shadow = container_of(kref,
						     struct mregion_shadow,
						     kref);

	mregion_memory_free(&shadow->memory);
	kfree(shadow);
}

/** mregion_shadow_get() - take a reference */
void mregion_shadow_get(struct mregion_shadow *shadow)
{
	kref_get(&shadow->kref);
}

/** mregion_shadow_put() - drop a reference; may sleep */
void mregion_shadow_put(struct mregion_shadow *shadow)
{
	kref_put(&shadow->kref, mregion_shadow_release);
}

static int mregion_shadow_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mregion_shadow *shadow = file->private_data;

	return mregion_memory_mmap(&shadow->memory, vma);
}

static int mregion_shadow_close(struct inode *inode, struct file *file)
{
	mregion_shadow_put(file->private_data);
	return 0;
}

static const struct file_operations mregion_shadow_fops = {
	.owner		= THIS_MODULE,
	.mmap		= mregion_shadow_mmap,
	.release	= mregion_shadow_close,
	.llseek		= noop_llseek,
};

/**
 * mregion_shadow_fd() - a descriptor for shadow memory
 * @shadow: the memory
 *
 * Return: the descriptor, installed, or a negative errno.
 */
int mregion_shadow_fd(struct mregion_shadow *shadow)
{
	int fd;

	mregion_shadow_get(shadow);
	fd = anon_inode_getfd("[mregion-shadow]", &mregion_shadow_fops, shadow,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		mregion_shadow_put(shadow);
	return fd;
}
