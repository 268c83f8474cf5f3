// SPDX-License-Identifier: GPL-2.0
/* A server's descriptor: what the serving process has. */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "limits.h"
#include "server.h"

static bool mregion_server_has_work(struct mregion_server *server)
{
	return READ_ONCE(server->header->seen) != READ_ONCE(server->events);
}

static int mregion_server_wait(struct mregion_server *server, u64 usecs)
{
	long left = usecs ? nsecs_to_jiffies(usecs * NSEC_PER_USEC) + 1 :
			    MAX_SCHEDULE_TIMEOUT;
	DEFINE_WAIT(wait);
	int ret;

	for (;;) {
		/*
		 * Exclusive: one thread is enough for one event. Has a full
		 * barrier, see mregion_server_rouse().
		 */
		prepare_to_wait_exclusive(&server->wait, &wait,
					  TASK_INTERRUPTIBLE);
		ret = 0;
		if (mregion_server_has_work(server))
			break;
		ret = -ENODEV;
		if (READ_ONCE(server->dead))
			break;
		ret = -EINTR;
		if (signal_pending(current))
			break;
		ret = -ETIMEDOUT;
		if (!left)
			break;
		left = schedule_timeout(left);
	}
	finish_wait(&server->wait, &wait);
	/* the event that woke this thread is another's then */
	if (ret && mregion_server_has_work(server))
		wake_up_interruptible(&server->wait);
	return ret;
}

static long mregion_server_do_wait(struct mregion_server *server,
				   void __user *user, u32 size)
{
	struct mregion_server_wait args;
	int ret;

	if (size < offsetofend(struct mregion_server_wait, timeout_usecs))
		return -EINVAL;
	ret = copy_struct_from_user(&args, sizeof(args), user, size);
	if (ret)
		return ret;
	if (args.flags)
		return -EOPNOTSUPP;
	if (args.timeout_usecs > MREGION_MAX_TIMEOUT_USECS)
		return -EINVAL;
	mregion_server_clock_of(server);
	return mregion_server_wait(server, args.timeout_usecs);
}

static long mregion_server_do_wake(struct mregion_server *server,
				   void __user *user, u32 size)
{
	struct mregion_server_wake args;
	int ret;

	if (size < offsetofend(struct mregion_server_wake, slot))
		return -EINVAL;
	ret = copy_struct_from_user(&args, sizeof(args), user, size);
	if (ret)
		return ret;
	if (args.slot >= server->nr_slots)
		return -EINVAL;
	mregion_server_clock_of(server);
	mregion_server_let_go(server, array_index_nospec(args.slot,
							 server->nr_slots));
	return 0;
}

static long mregion_server_ioctl(struct file *file, unsigned int cmd,
				 unsigned long arg)
{
	void __user *user = (void __user *)arg;
	u32 size;

	if (cmd != MREGION_SERVER_WAIT && cmd != MREGION_SERVER_WAKE)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return cmd == MREGION_SERVER_WAIT ?
	       mregion_server_do_wait(file->private_data, user, size) :
	       mregion_server_do_wake(file->private_data, user, size);
}

static __poll_t mregion_server_poll(struct file *file, poll_table *table)
{
	struct mregion_server *server = file->private_data;
	__poll_t mask = 0;

	/* who only wants to know whether it is dead may be the VMM */
	if (poll_requested_events(table) & EPOLLIN)
		mregion_server_clock_of(server);
	poll_wait(file, &server->wait, table);
	/* poll_wait() has no full barrier, see mregion_server_rouse() */
	smp_mb();
	if (mregion_server_has_work(server))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(server->dead))
		mask |= EPOLLHUP;
	return mask;
}

static int mregion_server_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mregion_server *server = file->private_data;

	mregion_server_clock_of(server);
	return mregion_memory_mmap(&server->memory, vma);
}

static int mregion_server_close(struct inode *inode, struct file *file)
{
	mregion_server_kill(file->private_data);
	mregion_server_put(file->private_data);
	return 0;
}

static const struct file_operations mregion_server_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= mregion_server_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= mregion_server_poll,
	.mmap		= mregion_server_mmap,
	.release	= mregion_server_close,
	.llseek		= noop_llseek,
};

/**
 * mregion_server_fd() - a server's descriptor
 * @server: a server that has none yet
 *
 * Return: the descriptor, installed, or a negative errno.
 */
int mregion_server_fd(struct mregion_server *server)
{
	int fd;

	mregion_server_get(server);
	fd = anon_inode_getfd("[mregion-server]", &mregion_server_fops, server,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		mregion_server_put(server);
	return fd;
}
