/* SPDX-License-Identifier: MIT */
/* A virtio block device on a file; virtio 1.0, section 5.2 */
#ifndef VMM_VIRTIO_BLK_H
#define VMM_VIRTIO_BLK_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio.h"

struct virtio_blk {
	int fd;
	uint64_t sectors;		/* of 512 bytes */
	bool readonly;
};

extern const struct virtio_type virtio_blk_type;

/**
 * virtio_blk_open() - open the file of a block device; reports what is wrong
 * @blk: the device
 * @path: a regular file or a block device, at least a sector long; what is
 *	behind its last whole sector is not seen
 * @readonly: the guest must not write
 *
 * Return: 0 or a negative errno; @blk->fd is -1 then.
 */
int virtio_blk_open(struct virtio_blk *blk, const char *path, bool readonly);
void virtio_blk_close(struct virtio_blk *blk);

/** virtio_blk_face() - what the driver sees of it */
void virtio_blk_face(const struct virtio_blk *blk, struct virtio_face *face);

#endif /* VMM_VIRTIO_BLK_H */
