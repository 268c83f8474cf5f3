/* SPDX-License-Identifier: MIT */
/*
 * A split virtqueue, seen from the device; virtio 1.0, section 2.4
 *
 * All that is in the guest's memory may be wrong, on purpose, and may change
 * while it is looked at: each number is read once, checked, and then used.
 */
#ifndef VMM_VIRTQUEUE_H
#define VMM_VIRTQUEUE_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct dma;

#define VIRTQUEUE_MAX_SIZE	256
/*
 * A chain has at most as many buffers as its queue has entries. A buffer that
 * lies where guest memory is in two pieces takes two elements.
 */
#define VIRTQUEUE_MAX_IOVS	(VIRTQUEUE_MAX_SIZE + 16)

/** struct virtqueue - a queue, as the guest has set it up */
struct virtqueue {
	uint16_t size;			/* a power of two */
	bool enabled;
	uint16_t vector;		/* to interrupt with */
	uint64_t desc_addr, avail_addr, used_addr;
	uint16_t next;			/* of the available ring, to be taken */
	/* Where the rings are, between virtqueue_open() and the next one */
	const struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	const struct dma *dma;
};

/**
 * struct virtqueue_chain - buffers that the driver made available
 * @head: which chain it is
 * @nr_in: how many elements of @iov hold what the device reads; they are first
 * @nr_out: how many after those the device writes
 * @out_len: how many bytes these are
 * @out: these, for whoever changes @iov on the way
 *
 * "In" and "out" are as the device sees them.
 */
struct virtqueue_chain {
	uint16_t head;
	unsigned int nr_in, nr_out;
	uint64_t in_len, out_len;
	struct iovec iov[VIRTQUEUE_MAX_IOVS];
	struct iovec out[VIRTQUEUE_MAX_IOVS];
};

void virtqueue_reset(struct virtqueue *queue);

/** virtqueue_open() - find the rings; -EFAULT, -EINVAL: they cannot be there */
int virtqueue_open(struct virtqueue *queue, const struct dma *dma);

/**
 * virtqueue_resume() - go on with a queue that another device has served
 *
 * From the first chain on that it has not given back: it took them in order.
 * As virtqueue_open().
 */
int virtqueue_resume(struct virtqueue *queue, const struct dma *dma);

/**
 * virtqueue_pop() - take the next chain
 *
 * Return: 1; 0 if there is none; -EINVAL or -EFAULT if the driver has broken
 * the rules, after which the queue is not usable.
 */
int virtqueue_pop(struct virtqueue *queue, const struct dma *dma,
		  struct virtqueue_chain *chain);

/** virtqueue_unpop() - leave the chain taken last for the next time */
void virtqueue_unpop(struct virtqueue *queue);

/** virtqueue_begin() - tell that the buffers of a chain, and the ring, will be written */
void virtqueue_begin(const struct virtqueue *queue,
		     const struct virtqueue_chain *chain);

/** virtqueue_end() - tell that they are, and are marked */
void virtqueue_end(const struct virtqueue *queue);

/**
 * virtqueue_mark() - tell that the device may have written the buffers of a chain
 *
 * Also if it has not got to their end.
 */
void virtqueue_mark(const struct virtqueue *queue,
		    const struct virtqueue_chain *chain);

/** virtqueue_push() - give a chain back, with @len bytes written to it */
void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t len);

/** virtqueue_wants_irq() - whether the driver wants to hear of it */
bool virtqueue_wants_irq(const struct virtqueue *queue);

/**
 * virtqueue_set_notify() - whether the driver need notify of new chains
 *
 * After it was switched on, look for chains that came just before once more.
 */
void virtqueue_set_notify(struct virtqueue *queue, bool on);

#endif /* VMM_VIRTQUEUE_H */
