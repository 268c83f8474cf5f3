// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/virtio_ids.h>
#include <sys/random.h>

#include "virtio_rng.h"

/* A driver asks again for more: nobody is to wait for a gigabyte. */
#define MAX_BYTES		65536

static int64_t handle(const struct virtio *virtio, uint64_t features,
		      struct virtqueue_chain *chain)
{
	const struct iovec *iov = chain->iov + chain->nr_in;
	unsigned int nr = chain->nr_out;
	size_t done = 0;

	(void)virtio;
	(void)features;
	for (; nr && done < MAX_BYTES; nr--, iov++) {
		size_t len = iov->iov_len;
		ssize_t got;

		if (len > MAX_BYTES - done)
			len = MAX_BYTES - done;
		do {
			got = getrandom(iov->iov_base, len, 0);
		} while (got < 0 && errno == EINTR);
		if (got < 0)
			break;
		done += got;
		if ((size_t)got < len)
			break;
	}
	return done;
}

const struct virtio_type virtio_rng_type = {
	.id = VIRTIO_ID_RNG,
	.class = 0x00ff00,		/* of no class that PCI knows */
	.name = "virtio-rng",
	.nr_queues = 1,
	.handle = handle,
};
