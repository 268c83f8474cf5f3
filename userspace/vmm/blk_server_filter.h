/* SPDX-License-Identifier: MIT */
/*
 * What the block device's process may ask of the kernel while it serves
 *
 * It can use the descriptors that it has, and get no others; nor can it get at
 * other processes, whoever's they are.
 */
#ifndef VMM_BLK_SERVER_FILTER_H
#define VMM_BLK_SERVER_FILTER_H

/**
 * blk_server_filter() - let other system calls fail with EPERM from now on
 *
 * In all threads. Needs confine_privileges(). Return: 0 or a negative errno.
 */
int blk_server_filter(void);

#endif /* VMM_BLK_SERVER_FILTER_H */
