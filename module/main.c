// SPDX-License-Identifier: GPL-2.0
/* mregion: hierarchical memory regions for virtual machine monitors. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

/*
 * Rings, doorbells and servers are signalled with preemption off, where a kernel
 * for real time must not take the locks of a wait queue.
 */
#ifdef CONFIG_PREEMPT_RT
#error "mregion does not work on PREEMPT_RT"
#endif

/* Positions in rings and numbers of views have 64 bits, and are exchanged as a whole. */
#ifndef CONFIG_64BIT
#error "mregion needs a 64-bit kernel"
#endif

#include "event.h"
#include "ioctl.h"
#include "machine.h"
#include "netlink.h"
#include "region.h"
#include "retire.h"
#include "view_memory.h"

static int mregion_open(struct inode *inode, struct file *file)
{
	file->private_data = mregion_machine_alloc();
	return file->private_data ? 0 : -ENOMEM;
}

static int mregion_release(struct inode *inode, struct file *file)
{
	mregion_machine_free(file->private_data);
	return 0;
}

static void mregion_show_fdinfo(struct seq_file *seq, struct file *file)
{
	mregion_machine_show(file->private_data, seq);
}

static const struct file_operations mregion_fops = {
	.owner		= THIS_MODULE,
	.open		= mregion_open,
	.release	= mregion_release,
	.unlocked_ioctl	= mregion_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
	.show_fdinfo	= mregion_show_fdinfo,
};

/*
 * A static minor, and with it a node that loads the module when it is opened
 * ("devname:mregion"), is assigned by the kernel's own list of devices, to drivers
 * in its tree; a number taken without that can be another's, and loading fails. So
 * userspace/mregion.conf has the module loaded at boot.
 */
static struct miscdevice mregion_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "mregion",
	.fops	= &mregion_fops,
	.mode	= 0660,
};

static int __init mregion_init(void)
{
	int ret = mregion_region_init();

	if (ret)
		return ret;
	ret = mregion_view_memory_init();
	if (ret)
		goto err_region;
	ret = mregion_retire_init();
	if (ret)
		goto err_memory;
	ret = mregion_event_init();
	if (ret)
		goto err_retire;
	ret = mregion_netlink_init();
	if (ret)
		goto err_event;
	ret = misc_register(&mregion_misc);
	if (ret)
		goto err_netlink;
	return 0;

err_netlink:
	mregion_netlink_exit();
err_event:
	mregion_event_exit();
err_retire:
	mregion_retire_exit();
err_memory:
	mregion_view_memory_exit();
err_region:
	mregion_region_exit();
	return ret;
}

/*
 * An attached machine is an open one, and holds the module by its file. All
 * that can still run here then is the very end of a destructor that KVM has
 * called: wait for tasks that were preempted in it.
 */
static void __exit mregion_exit(void)
{
	misc_deregister(&mregion_misc);
	rcu_barrier();
	/* of rings, the last reference may be that of an event */
	mregion_event_exit();
	mregion_netlink_exit();
	mregion_retire_exit();
	mregion_view_memory_exit();
	mregion_region_exit();
	synchronize_rcu_tasks();
}

module_init(mregion_init);
module_exit(mregion_exit);

MODULE_DESCRIPTION("Hierarchical memory regions for virtual machine monitors");
MODULE_AUTHOR("The mregion authors");
MODULE_VERSION(MREGION_VERSION);
MODULE_LICENSE("GPL");
