// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "report.h"
#include "virtio.h"

#define ISR_QUEUE		0x01
#define ISR_CONFIG		0x02

static void signal_fd(int fd)
{
	uint64_t one = 1;

	/* It fails only if the counter is full: signalled it is then, too. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void interrupt(struct virtio *virtio, uint16_t vector, uint8_t isr)
{
	virtio->isr |= isr;
	if (vector <= virtio->type->nr_queues)
		signal_fd(virtio->wires.irqs[vector]);
}

/* The driver has broken the rules: nothing goes on until it resets. */
static void set_broken(struct virtio *virtio)
{
	/* Once, for it may do so as often as it likes, and nobody may listen. */
	if (!virtio->complained)
		report("%s: the guest's driver broke the rules of virtqueues: waiting for its reset",
		       virtio->type->name);
	virtio->complained = true;
	virtio->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK)
		interrupt(virtio, virtio->config_vector, ISR_CONFIG);
}

static bool running(const struct virtio *virtio)
{
	const uint8_t good = VIRTIO_CONFIG_S_FEATURES_OK |
			     VIRTIO_CONFIG_S_DRIVER_OK;

	return (virtio->status & (good | VIRTIO_CONFIG_S_NEEDS_RESET)) == good;
}

static bool ready(const struct virtio *virtio, const struct virtqueue *queue)
{
	return running(virtio) && queue->enabled &&
	       atomic_load(virtio->wires.master) && !virtio->paused &&
	       !atomic_load(&virtio->quiet);
}

bool virtio_cancelled(const struct virtio *virtio)
{
	return atomic_load(&virtio->quiet) ||
	       atomic_load(&virtio->reset_wanted) ||
	       !atomic_load(virtio->wires.master);
}

/*
 * Handle the next chain. Disks are slow: meanwhile registers can be accessed, but
 * for a reset nothing changes that the chain or its queue depends on.
 *
 * Return: 1; 0 if there is none; -ECANCELED after a reset, when the queue is no
 * more; another negative errno if the driver has broken the rules.
 */
static int serve_chain(struct virtio *virtio, struct virtqueue *queue)
{
	uint64_t features = virtio->features;
	int64_t written;
	bool reset;
	int got;

	got = virtqueue_pop(queue, &virtio->wires.dma, &virtio->chain);
	if (got <= 0)
		return got;
	virtio->busy = true;
	virtqueue_begin(queue, &virtio->chain);
	pthread_mutex_unlock(&virtio->lock);
	written = virtio->type->handle(virtio, features, &virtio->chain);
	pthread_mutex_lock(&virtio->lock);
	virtqueue_mark(queue, &virtio->chain);
	virtio->busy = false;
	pthread_cond_broadcast(&virtio->idle);
	reset = atomic_load(&virtio->reset_wanted);
	if (!reset && written >= 0)
		virtqueue_push(queue, virtio->chain.head, written);
	virtqueue_end(queue);
	if (reset) {
		virtio_reset(virtio);
		return -ECANCELED;
	}
	if (written < 0 && written != -ECANCELED)
		return written;
	if (written < 0) {
		/* Whoever lets it go on again notifies. */
		virtqueue_unpop(queue);
		return 0;
	}
	return 1;
}

/* Handle what is there; whether anything was. As serve_chain(). */
static int serve_chains(struct virtio *virtio, struct virtqueue *queue)
{
	bool any = false;
	int got;

	while (ready(virtio, queue)) {
		got = serve_chain(virtio, queue);
		if (got < 0)
			return got;
		if (!got)
			break;
		any = true;
	}
	return any;
}

static int serve_queue(struct virtio *virtio, struct virtqueue *queue)
{
	int got = virtqueue_open(queue, &virtio->wires.dma);

	if (got < 0)
		return got;
	do {
		/* It is looked at again anyway: no need to notify meanwhile. */
		virtqueue_set_notify(queue, false);
		got = serve_chains(virtio, queue);
		if (got < 0)
			return got;
		if (got && virtqueue_wants_irq(queue))
			interrupt(virtio, queue->vector, ISR_QUEUE);
		/* Without Bus Master, the queue's memory is the guest's alone. */
		if (!ready(virtio, queue))
			return 0;
		virtqueue_set_notify(queue, true);
		got = serve_chains(virtio, queue);
		if (got > 0 && virtqueue_wants_irq(queue))
			interrupt(virtio, queue->vector, ISR_QUEUE);
	} while (got > 0);
	return got;
}

void virtio_queue_ready(struct virtio *virtio, unsigned int queue)
{
	int got = 0;

	pthread_mutex_lock(&virtio->lock);
	if (ready(virtio, &virtio->queues[queue]))
		got = serve_queue(virtio, &virtio->queues[queue]);
	/* After a reset, whoever sets the queue up again will notify. */
	if (got < 0 && got != -ECANCELED)
		set_broken(virtio);
	pthread_mutex_unlock(&virtio->lock);
}

static void *thread(void *opaque)
{
	struct virtio *virtio = opaque;
	unsigned int nr = virtio->type->nr_queues;
	struct pollfd polled[VIRTIO_MAX_QUEUES + 1];
	uint64_t count;
	unsigned int i;

	for (i = 0; i < nr; i++)
		polled[i] = (struct pollfd){ virtio->wires.kicks[i], POLLIN,
					     0 };
	polled[nr] = (struct pollfd){ virtio->stop_fd, POLLIN, 0 };

	for (;;) {
		if (poll(polled, nr + 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (polled[nr].revents)
			break;
		for (i = 0; i < nr; i++)
			if (polled[i].revents &&
			    read(polled[i].fd, &count, sizeof(count)) > 0)
				virtio_queue_ready(virtio, i);
	}
	return NULL;
}

void virtio_lock(struct virtio *virtio)
{
	void (*take_over)(struct virtio *virtio);

	pthread_mutex_lock(&virtio->lock);
	take_over = virtio->take_over;
	virtio->take_over = NULL;
	if (take_over)
		take_over(virtio);
}

void virtio_reset(struct virtio *virtio)
{
	unsigned int i;

	atomic_store(&virtio->reset_wanted, false);
	virtio->features = 0;
	virtio->device_feature_select = 0;
	virtio->driver_feature_select = 0;
	virtio->queue_select = 0;
	virtio->config_vector = VIRTIO_MSI_NO_VECTOR;
	virtio->status = 0;
	virtio->isr = 0;
	for (i = 0; i < virtio->type->nr_queues; i++)
		virtqueue_reset(&virtio->queues[i]);
}

void virtio_init(struct virtio *virtio, const struct virtio_type *type,
		 const struct virtio_face *face, void *opaque)
{
	*virtio = (struct virtio){
		.type = type,
		.opaque = opaque,
		.face = *face,
		.stop_fd = -1,
	};
	virtio->face.features |= 1ULL << VIRTIO_F_VERSION_1 |
				 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	pthread_mutex_init(&virtio->lock, NULL);
	pthread_cond_init(&virtio->idle, NULL);
	virtio_reset(virtio);
}

int virtio_start(struct virtio *virtio, const struct virtio_wires *wires)
{
	int error;

	virtio->wires = *wires;
	virtio->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (virtio->stop_fd < 0)
		return -errno;
	error = pthread_create(&virtio->thread, NULL, thread, virtio);
	virtio->started = !error;
	return -error;
}

/* Whether that byte is set: it need not be one that a bool can have. */
static bool is_set(const void *from)
{
	uint8_t byte;

	memcpy(&byte, from, sizeof(byte));
	return byte;
}

/* What the driver has set up of a queue; false: no driver can have done so. */
static bool inherit_queue(struct virtio *virtio, struct virtqueue *queue,
			  const struct virtqueue *from)
{
	uint16_t size = from->size;

	if (!size || size > VIRTQUEUE_MAX_SIZE || (size & (size - 1)))
		return false;
	queue->size = size;
	queue->vector = from->vector;
	queue->desc_addr = from->desc_addr;
	queue->avail_addr = from->avail_addr;
	queue->used_addr = from->used_addr;
	queue->enabled = is_set(&from->enabled);
	return !queue->enabled ||
	       !virtqueue_resume(queue, &virtio->wires.dma);
}

/* All that the driver has set up; false: no driver can have done so. */
static bool inherit_state(struct virtio *virtio, const struct virtio *from)
{
	bool good = true;
	unsigned int i;

	virtio->features = from->features & virtio->face.features;
	virtio->device_feature_select = from->device_feature_select;
	virtio->driver_feature_select = from->driver_feature_select;
	virtio->queue_select = from->queue_select;
	virtio->config_vector = from->config_vector;
	virtio->status = from->status;
	virtio->isr = from->isr;
	for (i = 0; i < virtio->type->nr_queues; i++) {
		struct virtqueue *queue = &virtio->queues[i];

		good = inherit_queue(virtio, queue, &from->queues[i]) && good;
		/* It may have died before it said what it had done, ... */
		if (running(virtio) && queue->enabled)
			interrupt(virtio, queue->vector, ISR_QUEUE);
		/* ... or before it did what it had been told. */
		signal_fd(virtio->wires.kicks[i]);
	}
	return good;
}

int virtio_inherit(struct virtio *virtio, const struct virtio_wires *wires,
		   const struct virtio *from)
{
	bool good = true;
	int error;

	/* Its thread waits for the lock. */
	error = virtio_start(virtio, wires);
	virtio_reset(virtio);
	/* Else it was just about to be reset: that is done herewith. */
	if (!is_set(&from->reset_wanted))
		good = inherit_state(virtio, from);
	if (!good || error)
		set_broken(virtio);
	return error;
}

void virtio_lose(struct virtio *virtio, const struct virtio *from)
{
	virtio_reset(virtio);
	/* Without those there is nothing that a driver can agree upon. */
	virtio->face.features = 0;
	if (is_set(&from->reset_wanted))
		return;
	virtio->config_vector = from->config_vector;
	virtio->status = from->status | VIRTIO_CONFIG_S_NEEDS_RESET;
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK)
		interrupt(virtio, virtio->config_vector, ISR_CONFIG);
}

void virtio_quiesce(struct virtio *virtio)
{
	atomic_store(&virtio->quiet, true);
}

void virtio_pause(struct virtio *virtio)
{
	pthread_mutex_lock(&virtio->lock);
	virtio->paused = true;
	while (virtio->busy)
		pthread_cond_wait(&virtio->idle, &virtio->lock);
}

void virtio_resume(struct virtio *virtio)
{
	unsigned int i;

	virtio->paused = false;
	pthread_mutex_unlock(&virtio->lock);
	for (i = 0; virtio->started && i < virtio->type->nr_queues; i++)
		signal_fd(virtio->wires.kicks[i]);
}

void virtio_stop(struct virtio *virtio)
{
	virtio_quiesce(virtio);
	if (virtio->started) {
		signal_fd(virtio->stop_fd);
		pthread_join(virtio->thread, NULL);
	}
	if (virtio->type) {
		if (virtio->stop_fd >= 0)
			close(virtio->stop_fd);
		pthread_mutex_destroy(&virtio->lock);
	}
	virtio->started = false;
	virtio->type = NULL;
}
