/* SPDX-License-Identifier: MIT */
/* What runs in the block device's process, and how it is told what to do */
#ifndef VMM_BLK_SERVER_PROCESS_H
#define VMM_BLK_SERVER_PROCESS_H

struct blk_server_setup;
struct blk_server_shared;
struct virtio_blk;

/** blk_server_send() - send the process what it needs; -errno */
int blk_server_send(int socket, const struct blk_server_setup *setup);

/**
 * blk_server_process() - drop privileges, and serve until the machine is closed
 * @blk: the device, opened
 * @shared: zeroed; where to keep all that the VMM needs if this dies
 * @socket: where struct blk_server_setup will come from
 *
 * Return: the process's exit status.
 */
int blk_server_process(const struct virtio_blk *blk,
		       struct blk_server_shared *shared, int socket);

#endif /* VMM_BLK_SERVER_PROCESS_H */
