/* SPDX-License-Identifier: MIT */
/*
 * A virtio device: its registers and its queues; virtio 1.0, sections 2 and 4.1
 *
 * If the process that it is in dies, another one can go on with it, given its
 * state.
 *
 * It knows nothing of PCI, of KVM, or of the process it is in: the guest's
 * memory, the eventfds by which the guest notifies it and those by which it
 * interrupts the guest are handed to it.
 */
#ifndef VMM_VIRTIO_H
#define VMM_VIRTIO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dma.h"
#include "virtqueue.h"

struct mregion_ops;
struct virtio;

#define VIRTIO_MAX_QUEUES	1
/* One for each queue, and one for changes of the configuration */
#define VIRTIO_MAX_VECTORS	(VIRTIO_MAX_QUEUES + 1)
#define VIRTIO_MAX_CONFIG	128

/* Between the notification registers of two queues, in bytes */
#define VIRTIO_NOTIFY_STEP	4

/**
 * struct virtio_type - what a device is
 * @id: virtio's device ID
 * @class: PCI class, subclass and interface
 * @name: for regions' names
 * @nr_queues: number of queues, at most VIRTIO_MAX_QUEUES
 * @handle: do what a chain asks for; @features are those that the driver took.
 *	Called by one thread, without the device's lock: it may take its time,
 *	but for virtio_cancelled(). Return: how many bytes of the chain were
 *	written; -ECANCELED; or another negative errno if the driver has broken
 *	the rules
 */
struct virtio_type {
	uint16_t id;
	uint32_t class;
	const char *name;
	unsigned int nr_queues;
	int64_t (*handle)(const struct virtio *virtio, uint64_t features,
			  struct virtqueue_chain *chain);
};

/**
 * struct virtio_face - what the driver sees first, and never changes
 * @features: offered by this device, beyond those of its transport
 * @config: its configuration space
 * @config_len: bytes of it
 */
struct virtio_face {
	uint64_t features;
	uint8_t config[VIRTIO_MAX_CONFIG];
	unsigned int config_len;
};

/**
 * struct virtio_wires - what a device is handed; see above
 * @dma: guest memory
 * @kicks: an eventfd for each queue, signalled by the guest's notification
 * @irqs: an eventfd for each vector
 * @master: whether the guest lets it access memory now; @kicks are signalled when
 *	that begins
 */
struct virtio_wires {
	struct dma dma;
	int kicks[VIRTIO_MAX_QUEUES];
	int irqs[VIRTIO_MAX_VECTORS];
	const atomic_bool *master;
};

struct virtio {
	const struct virtio_type *type;
	void *opaque;			/* for type->handle() */
	struct virtio_face face;
	struct virtio_wires wires;

	/* Set, its thread takes no more chains: any thread, and for good */
	atomic_bool quiet;
	/* Set, it takes no more chains until it goes on; under @lock */
	bool paused;
	/* The driver waits for a reset, which waits for the chain: see @busy */
	atomic_bool reset_wanted;

	pthread_mutex_t lock;		/* of all below */
	/*
	 * If not NULL, another process has the device. Called when it is needed
	 * here, to make an end of that, and then no more. Calls
	 * virtio_inherit() or virtio_lose().
	 */
	void (*take_over)(struct virtio *virtio);
	uint64_t features;		/* those that the driver took */
	uint32_t device_feature_select;
	uint32_t driver_feature_select;
	uint16_t queue_select;
	uint16_t config_vector;
	uint8_t status;
	uint8_t isr;
	struct virtqueue queues[VIRTIO_MAX_QUEUES];
	bool busy;			/* with @chain, which is its thread's */
	pthread_cond_t idle;		/* @busy has ended */
	struct virtqueue_chain chain;
	bool complained;		/* of the driver; once is enough */

	pthread_t thread;
	int stop_fd;
	bool started;
};

/** virtio_init() - make a device, reset */
void virtio_init(struct virtio *virtio, const struct virtio_type *type,
		 const struct virtio_face *face, void *opaque);

/** virtio_start() - connect it, and let a thread serve its queues */
int virtio_start(struct virtio *virtio, const struct virtio_wires *wires);

/**
 * virtio_inherit() - virtio_start(), as the device that another process had
 * @virtio: the device, with its lock held
 * @wires: as for virtio_start()
 * @from: the other's, which is dead; nothing in it is trusted
 *
 * Chains that it was handling are handled again.
 */
int virtio_inherit(struct virtio *virtio, const struct virtio_wires *wires,
		   const struct virtio *from);

/**
 * virtio_lose() - be broken for good, as the process that had the device is dead
 * @virtio: the device, with its lock held; not started
 * @from: the other's; nothing in it is trusted
 *
 * The driver is told to reset the device, and cannot set it up again then.
 */
void virtio_lose(struct virtio *virtio, const struct virtio *from);

/** virtio_lock() - lock it, and take it over if it has to be */
void virtio_lock(struct virtio *virtio);

/**
 * virtio_quiesce() - let it take no more chains, for good
 *
 * Any thread, at any time; does not wait for the one that it may be at.
 */
void virtio_quiesce(struct virtio *virtio);

/**
 * virtio_pause() - have it leave memory alone until virtio_resume(); it waits
 *
 * Any thread but the device's own.
 */
void virtio_pause(struct virtio *virtio);
void virtio_resume(struct virtio *virtio);

/**
 * virtio_cancelled() - whether the chain must not, or need not, be gone on with
 *
 * For type->handle(): it should make an end then, and leave the rest undone.
 */
bool virtio_cancelled(const struct virtio *virtio);

/** virtio_stop() - undo virtio_start(); nobody accesses the registers */
void virtio_stop(struct virtio *virtio);

/** virtio_reset() - as it is at first; with its lock held, and not @busy */
void virtio_reset(struct virtio *virtio);

/** virtio_queue_ready() - the driver has notified: serve the queue */
void virtio_queue_ready(struct virtio *virtio, unsigned int queue);

/*
 * The registers, in the regions that virtio's PCI transport has for them. Their
 * opaque pointer is the struct virtio.
 */
extern const struct mregion_ops virtio_common_ops;
extern const struct mregion_ops virtio_isr_ops;
extern const struct mregion_ops virtio_config_ops;
extern const struct mregion_ops virtio_notify_ops;

#endif /* VMM_VIRTIO_H */
