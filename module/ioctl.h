/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctls of /dev/mregion. */
#ifndef MREGION_IOCTL_H
#define MREGION_IOCTL_H

#include <linux/fs.h>

long mregion_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* MREGION_IOCTL_H */
