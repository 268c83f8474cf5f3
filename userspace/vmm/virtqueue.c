// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "dma.h"
#include "virtqueue.h"

/* A table of descriptors: the queue's, or one that a descriptor refers to. */
struct table {
	const struct vring_desc *desc;
	unsigned int size;
	bool indirect;
};

void virtqueue_reset(struct virtqueue *queue)
{
	*queue = (struct virtqueue){
		.size = VIRTQUEUE_MAX_SIZE,
		.vector = 0xffff,
	};
}

int virtqueue_open(struct virtqueue *queue, const struct dma *dma)
{
	size_t size = queue->size;

	/* An aligned number is not torn, and all of it is in one page. */
	if (queue->desc_addr % VRING_DESC_ALIGN_SIZE ||
	    queue->avail_addr % VRING_AVAIL_ALIGN_SIZE ||
	    queue->used_addr % VRING_USED_ALIGN_SIZE)
		return -EINVAL;

	queue->desc = dma_ptr(dma, queue->desc_addr,
			      size * sizeof(struct vring_desc), false);
	queue->avail = dma_ptr(dma, queue->avail_addr,
			       offsetof(struct vring_avail, ring) +
			       size * sizeof(queue->avail->ring[0]), false);
	queue->used = dma_ptr(dma, queue->used_addr,
			      offsetof(struct vring_used, ring) +
			      size * sizeof(queue->used->ring[0]), true);
	queue->dma = dma;
	return queue->desc && queue->avail && queue->used ? 0 : -EFAULT;
}

int virtqueue_resume(struct virtqueue *queue, const struct dma *dma)
{
	int error = virtqueue_open(queue, dma);

	if (!error)
		queue->next = __atomic_load_n(&queue->used->idx,
					      __ATOMIC_RELAXED);
	return error;
}

/* A descriptor as it is now: the guest may change it at any time. */
static struct vring_desc read_desc(const struct vring_desc *desc)
{
	return (struct vring_desc){
		.addr = __atomic_load_n(&desc->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&desc->len, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&desc->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&desc->next, __ATOMIC_RELAXED),
	};
}

static int add_buffer(struct virtqueue_chain *chain, const struct dma *dma,
		      const struct vring_desc *desc)
{
	bool write = desc->flags & VRING_DESC_F_WRITE;
	uint64_t addr = desc->addr;
	size_t left = desc->len;

	/* What the device writes comes after what it reads. */
	if (!left || addr + left - 1 < addr || (!write && chain->nr_out))
		return -EINVAL;

	while (left) {
		unsigned int nr = chain->nr_in + chain->nr_out;
		size_t len = left;
		void *ptr;

		if (nr == VIRTQUEUE_MAX_IOVS)
			return -EINVAL;
		ptr = dma->ptr(dma->opaque, addr, &len, write);
		if (!ptr)
			return -EFAULT;
		chain->iov[nr] = (struct iovec){ ptr, len };
		if (write) {
			chain->out[chain->nr_out] = chain->iov[nr];
			chain->nr_out++;
			chain->out_len += len;
		} else {
			chain->nr_in++;
			chain->in_len += len;
		}
		addr += len;
		left -= len;
	}
	return 0;
}

static int open_indirect(const struct virtqueue *queue, const struct dma *dma,
			 const struct vring_desc *desc, struct table *table)
{
	/*
	 * Neither nested, nor followed by more. An indirect table may lie where
	 * the queue's own is, so its address does not tell which one it is.
	 */
	if (table->indirect || (desc->flags & VRING_DESC_F_NEXT) ||
	    desc->len % sizeof(struct vring_desc) ||
	    desc->addr % sizeof(uint64_t))
		return -EINVAL;
	table->size = desc->len / sizeof(struct vring_desc);
	if (!table->size || table->size > queue->size)
		return -EINVAL;
	table->indirect = true;
	table->desc = dma_ptr(dma, desc->addr, desc->len, false);
	return table->desc ? 0 : -EFAULT;
}

static int collect(const struct virtqueue *queue, const struct dma *dma,
		   struct virtqueue_chain *chain)
{
	struct table table = { queue->desc, queue->size, false };
	unsigned int index = chain->head;
	unsigned int left = queue->size;	/* ends a chain that is a loop */
	struct vring_desc desc;
	int error;

	do {
		if (!left-- || index >= table.size)
			return -EINVAL;
		desc = read_desc(&table.desc[index]);
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			error = open_indirect(queue, dma, &desc, &table);
			/* Only once, so this ends, too. */
			left = table.size;
			index = 0;
			desc.flags = VRING_DESC_F_NEXT;
		} else {
			error = add_buffer(chain, dma, &desc);
			index = desc.next;
		}
		if (error)
			return error;
	} while (desc.flags & VRING_DESC_F_NEXT);
	return 0;
}

int virtqueue_pop(struct virtqueue *queue, const struct dma *dma,
		  struct virtqueue_chain *chain)
{
	uint16_t end = __atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE);
	int error;

	if (end == queue->next)
		return 0;
	if ((uint16_t)(end - queue->next) > queue->size)
		return -EINVAL;

	chain->nr_in = 0;
	chain->nr_out = 0;
	chain->in_len = 0;
	chain->out_len = 0;
	chain->head = __atomic_load_n(&queue->avail->ring[queue->next %
							  queue->size],
				      __ATOMIC_RELAXED);
	error = collect(queue, dma, chain);
	if (error)
		return error;
	queue->next++;
	return 1;
}

void virtqueue_unpop(struct virtqueue *queue)
{
	queue->next--;
}

void virtqueue_begin(const struct virtqueue *queue,
		     const struct virtqueue_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nr_out; i++)
		dma_begin(queue->dma, chain->out[i].iov_base,
			  chain->out[i].iov_len);
	dma_begin(queue->dma, queue->used, offsetof(struct vring_used, ring) +
		  queue->size * sizeof(queue->used->ring[0]));
}

void virtqueue_end(const struct virtqueue *queue)
{
	dma_end(queue->dma);
}

void virtqueue_mark(const struct virtqueue *queue,
		    const struct virtqueue_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nr_out; i++)
		dma_mark(queue->dma, chain->out[i].iov_base,
			 chain->out[i].iov_len);
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t len)
{
	/* Only the device writes it; if the guest does, it is its own loss. */
	uint16_t index = __atomic_load_n(&queue->used->idx, __ATOMIC_RELAXED);
	struct vring_used_elem *elem = &queue->used->ring[index % queue->size];

	__atomic_store_n(&elem->id, head, __ATOMIC_RELAXED);
	__atomic_store_n(&elem->len, len, __ATOMIC_RELAXED);
	__atomic_store_n(&queue->used->idx, index + 1, __ATOMIC_RELEASE);
	dma_mark(queue->dma, elem, sizeof(*elem));
	dma_mark(queue->dma, &queue->used->idx, sizeof(queue->used->idx));
}

bool virtqueue_wants_irq(const struct virtqueue *queue)
{
	/* The index is to be seen before the flag is looked at. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(__atomic_load_n(&queue->avail->flags, __ATOMIC_RELAXED) &
		 VRING_AVAIL_F_NO_INTERRUPT);
}

void virtqueue_set_notify(struct virtqueue *queue, bool on)
{
	dma_begin(queue->dma, &queue->used->flags, sizeof(queue->used->flags));
	__atomic_store_n(&queue->used->flags, on ? 0 : VRING_USED_F_NO_NOTIFY,
			 __ATOMIC_RELAXED);
	dma_mark(queue->dma, &queue->used->flags, sizeof(queue->used->flags));
	dma_end(queue->dma);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
