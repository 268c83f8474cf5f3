// SPDX-License-Identifier: GPL-2.0
/*
 * A view's descriptor: for a process that reaches memory by the addresses of a space.
 *
 * Its holder is not trusted. It may stop in the middle of an ioctl for as long as it
 * likes, where its memory is touched: the machine is not held then, nor is any of its
 * memory charged to the machine's budget.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "budget.h"
#include "changes.h"
#include "dump.h"
#include "list.h"
#include "machine.h"
#include "region.h"
#include "share.h"
#include "watch.h"

/**
 * struct mregion_watcher - a view descriptor
 * @watch: on its space; a reference
 * @flags: enum mregion_view_open_flags
 * @holder: a number that it tells
 * @told: the generation that it told last, 0 before
 * @budget: that results are charged to as they are copied; a reference
 */
struct mregion_watcher {
	struct mregion_watch *watch;
	u32 flags;
	u32 holder;
	u64 told;
	struct mregion_budget *budget;
};

union mregion_watcher_args {
	__u32 size;
	struct mregion_view_read view;
	struct mregion_changes_read changes;
	struct mregion_translate translate;
	struct mregion_view_file file;
};

/**
 * struct mregion_watcher_call - an ioctl under way
 * @args: from userspace, and back
 * @told: the generation that it tells, or 0
 * @memory: the file to hand out as args.file.memory, or NULL
 * @log: likewise as args.file.log
 */
struct mregion_watcher_call {
	union mregion_watcher_args args;
	u64 told;
	struct file *memory;
	struct file *log;
};

/* Have the space, with its machine locked. Return: it, or an ERR_PTR. */
static struct mregion_space *mregion_watcher_begin(struct mregion_watch *watch)
{
	struct mregion_machine *machine = mregion_watch_machine(watch);
	struct mregion_space *space;

	if (!machine)
		return ERR_PTR(-ENODEV);
	if (mutex_lock_killable(&machine->lock)) {
		mregion_machine_put(machine);
		return ERR_PTR(-EINTR);
	}
	space = READ_ONCE(watch->space);
	if (space)
		return space;
	mutex_unlock(&machine->lock);
	mregion_machine_put(machine);
	return ERR_PTR(-ENODEV);
}

static void mregion_watcher_end(struct mregion_space *space)
{
	struct mregion_machine *machine = space->machine;

	mutex_unlock(&machine->lock);
	mregion_machine_put(machine);
}

static int mregion_watcher_view(struct mregion_watcher *watcher,
				struct mregion_watcher_call *call)
{
	struct mregion_view_read *args = &call->args.view;
	struct mregion_list list = {
		.budget = watcher->budget,
		.entry_size = sizeof(struct mregion_range),
	};
	struct mregion_space *space;
	int ret = mregion_view_check(args);

	if (ret)
		return ret;
	if (args->space)
		return -EINVAL;
	space = mregion_watcher_begin(watcher->watch);
	if (IS_ERR(space))
		return PTR_ERR(space);
	ret = mregion_view_list(space, args, &list);
	mregion_watcher_end(space);
	call->told = args->generation;
	return ret ?: mregion_list_copy(&list, args->ranges, args->range_size);
}

static int mregion_watcher_changes(struct mregion_watcher *watcher,
				   struct mregion_watcher_call *call)
{
	struct mregion_changes_read *args = &call->args.changes;
	struct mregion_list intervals = {
		.budget = watcher->budget,
		.entry_size = sizeof(struct mregion_interval),
	};
	struct mregion_list ranges = {
		.budget = watcher->budget,
		.entry_size = sizeof(struct mregion_range),
	};
	struct mregion_space *space;
	int ret = mregion_changes_check(args);

	if (ret)
		return ret;
	if (args->space)
		return -EINVAL;
	space = mregion_watcher_begin(watcher->watch);
	if (IS_ERR(space))
		return PTR_ERR(space);
	ret = mregion_changes_list(space, args, &intervals, &ranges);
	mregion_watcher_end(space);
	call->told = args->generation;
	return ret ?: mregion_changes_copy(args, &intervals, &ranges);
}

static int mregion_watcher_translate(struct mregion_watcher *watcher,
				     struct mregion_watcher_call *call)
{
	struct mregion_translate *args = &call->args.translate;
	struct mregion_machine *machine;
	const struct mregion_view *view;
	struct mregion_space *space;
	int ret = -ENODEV;

	if (args->space)
		return -EINVAL;
	machine = mregion_watch_machine(watcher->watch);
	if (!machine)
		return -ENODEV;
	rcu_read_lock();
	space = READ_ONCE(watcher->watch->space);
	view = space ? mregion_space_view(space) : NULL;
	if (view)
		ret = mregion_dump_translate(view, args);
	rcu_read_unlock();
	mregion_machine_put(machine);
	return ret;
}

/* Find what is to be handed out: the region's own files; the machine is locked. */
static int mregion_watcher_find(const struct mregion_watcher *watcher,
				const struct mregion_view *view,
				struct mregion_watcher_call *call)
{
	struct mregion_view_file *args = &call->args.file;
	struct mregion_translate translate = {
		.addr = args->addr,
		.len = -args->addr,	/* up to the end */
	};
	const struct mregion_view_range *range;
	const struct mregion_region *region;
	int ret = mregion_dump_translate(view, &translate);

	if (ret)
		return ret;
	range = mregion_view_find(view, args->addr);
	if (!range)
		return -ENXIO;
	if (!mregion_share_shown(range))
		return -ENODATA;
	region = mregion_region_of(range->node);
	args->range = translate.range;
	args->generation = translate.generation;
	args->serial = region->serial;
	args->offset = region->backing_offset;
	args->writable = watcher->flags & MREGION_VIEW_OPEN_WRITE &&
			 mregion_share_writable(range);
	if (args->flags & MREGION_VIEW_FILE_SERIAL)
		return 0;
	call->memory = get_file(region->file);
	if (args->writable && region->log)
		call->log = get_file(region->log);
	return 0;
}

/* Replace a file by a new description, and have a descriptor for that. */
static int mregion_handout(struct file **file, bool write, __s32 *fd)
{
	struct file *own = *file;
	int ret;

	if (!own)
		return 0;
	*file = mregion_share_open(own, write);
	fput(own);
	if (IS_ERR(*file)) {
		ret = PTR_ERR(*file);
		*file = NULL;
		return ret;
	}
	ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret < 0)
		return ret;
	*fd = ret;
	return 0;
}

static int mregion_watcher_file(struct mregion_watcher *watcher,
				struct mregion_watcher_call *call)
{
	struct mregion_view_file *args = &call->args.file;
	struct mregion_space *space;
	int ret;

	args->memory = -1;
	args->log = -1;
	if (args->flags & ~MREGION_VIEW_FILE_SERIAL)
		return -EOPNOTSUPP;
	args->holder = watcher->holder;
	if (!(watcher->flags & MREGION_VIEW_OPEN_READ))
		return -EACCES;
	space = mregion_watcher_begin(watcher->watch);
	if (IS_ERR(space))
		return PTR_ERR(space);
	ret = mregion_watcher_find(watcher, space->view, call);
	mregion_watcher_end(space);
	/* opening may wait for userspace, too */
	return ret ?: mregion_handout(&call->memory, args->writable,
				      &args->memory) ?:
		      mregion_handout(&call->log, true, &args->log);
}

static void mregion_handout_end(struct file *file, int fd, int ret)
{
	if (!ret && file) {
		fd_install(fd, file);
		return;
	}
	if (fd >= 0)
		put_unused_fd(fd);
	if (file)
		fput(file);
}

/* An ioctl is done, and has been told, or has failed. */
static void mregion_watcher_done(struct mregion_watcher *watcher,
				 struct mregion_watcher_call *call, bool file,
				 int ret)
{
	if (!ret && call->told)
		WRITE_ONCE(watcher->told, call->told);
	if (!file)
		return;
	mregion_handout_end(call->memory, call->args.file.memory, ret);
	mregion_handout_end(call->log, call->args.file.log, ret);
}

/**
 * struct mregion_watcher_ioctl - an ioctl on a view descriptor
 * @cmd: its number
 * @size: of its argument as of this kernel
 * @first_size: of its argument in the first version
 * @fn: does it
 */
struct mregion_watcher_ioctl {
	unsigned int cmd;
	u32 size;
	u32 first_size;
	int (*fn)(struct mregion_watcher *watcher,
		  struct mregion_watcher_call *call);
};

#define MREGION_WATCHER_IOCTL(_cmd, _struct, _last, _fn) {		\
		.cmd = _cmd,						\
		.size = sizeof(struct _struct),				\
		.first_size = offsetofend(struct _struct, _last),	\
		.fn = _fn,						\
	}

static const struct mregion_watcher_ioctl mregion_watcher_ioctls[] = {
	MREGION_WATCHER_IOCTL(MREGION_VIEW_READ, mregion_view_read, unassigned,
			      mregion_watcher_view),
	MREGION_WATCHER_IOCTL(MREGION_CHANGES, mregion_changes_read, unassigned,
			      mregion_watcher_changes),
	MREGION_WATCHER_IOCTL(MREGION_TRANSLATE, mregion_translate, generation,
			      mregion_watcher_translate),
	MREGION_WATCHER_IOCTL(MREGION_VIEW_FILE, mregion_view_file, holder,
			      mregion_watcher_file),
};

static const struct mregion_watcher_ioctl *mregion_watcher_entry(u32 cmd)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(mregion_watcher_ioctls); i++)
		if (mregion_watcher_ioctls[i].cmd == cmd)
			return &mregion_watcher_ioctls[i];
	return NULL;
}

static long mregion_watcher_ioctl(struct file *file, unsigned int cmd,
				  unsigned long arg)
{
	const struct mregion_watcher_ioctl *entry = mregion_watcher_entry(cmd);
	struct mregion_watcher *watcher = file->private_data;
	void __user *user = (void __user *)arg;
	struct mregion_watcher_call call = {};
	u32 size;
	int ret;

	if (!entry)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < entry->first_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&call.args, entry->size, user, size);
	if (ret)
		return ret;
	call.args.size = size;
	ret = entry->fn(watcher, &call);
	/* a descriptor that cannot be told is not given */
	if (!ret && copy_to_user(user, &call.args, min(size, entry->size)))
		ret = -EFAULT;
	mregion_watcher_done(watcher, &call, cmd == MREGION_VIEW_FILE, ret);
	return ret;
}

static __poll_t mregion_watcher_poll(struct file *file, poll_table *table)
{
	struct mregion_watcher *watcher = file->private_data;
	u64 generation;

	poll_wait(file, &watcher->watch->wait, table);
	/* poll_wait() has no full barrier, see mregion_watch_tell() */
	smp_mb();
	generation = mregion_watch_generation(watcher->watch);
	if (generation == MREGION_VIEW_GONE)
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return generation != READ_ONCE(watcher->told) ? EPOLLIN | EPOLLRDNORM :
							0;
}

static int mregion_watcher_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mregion_watcher *watcher = file->private_data;

	return mregion_memory_mmap(&watcher->watch->memory, vma);
}

static void mregion_watcher_free(struct mregion_watcher *watcher)
{
	mregion_watch_put(watcher->watch);
	mregion_budget_put(watcher->budget);
	kfree(watcher);
}

static int mregion_watcher_close(struct inode *inode, struct file *file)
{
	mregion_watcher_free(file->private_data);
	return 0;
}

static const struct file_operations mregion_watcher_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= mregion_watcher_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= mregion_watcher_poll,
	.mmap		= mregion_watcher_mmap,
	.release	= mregion_watcher_close,
	.llseek		= noop_llseek,
};

/* Return: a descriptor, installed, or a negative errno. */
static int mregion_watcher_fd(struct mregion_watch *watch,
			      const struct mregion_view_open *args)
{
	struct mregion_watcher *watcher = kzalloc(sizeof(*watcher),
						  GFP_KERNEL_ACCOUNT);
	int fd;

	if (!watcher)
		return -ENOMEM;
	watcher->budget = mregion_budget_alloc();
	if (!watcher->budget) {
		kfree(watcher);
		return -ENOMEM;
	}
	mregion_watch_get(watch);
	watcher->watch = watch;
	watcher->flags = args->flags;
	watcher->holder = args->holder;
	fd = anon_inode_getfd("[mregion-view]", &mregion_watcher_fops, watcher,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		mregion_watcher_free(watcher);
	return fd;
}

/**
 * mregion_view_open() - open the view of a space
 * @machine: the machine, locked
 * @args: from userspace; @args->fd is set
 *
 * Return: 0 or a negative errno, see MREGION_VIEW_OPEN.
 */
int mregion_view_open(struct mregion_machine *machine,
		      struct mregion_view_open *args)
{
	struct mregion_space *space;
	struct mregion_watch *watch;
	int fd;

	if (args->flags & ~(MREGION_VIEW_OPEN_READ | MREGION_VIEW_OPEN_WRITE))
		return -EOPNOTSUPP;
	if (args->flags == MREGION_VIEW_OPEN_WRITE || args->reserved)
		return -EINVAL;
	space = xa_load(&machine->spaces, args->space);
	if (!space)
		return -ENOENT;
	watch = space->watch ?: mregion_watch_alloc(space);
	if (IS_ERR(watch))
		return PTR_ERR(watch);
	fd = mregion_watcher_fd(watch, args);
	if (fd < 0) {
		if (!space->watch)
			mregion_watch_put(watch);
		return fd;
	}
	space->watch = watch;
	args->fd = fd;
	return 0;
}
