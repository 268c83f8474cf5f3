// SPDX-License-Identifier: MIT
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/eventfd.h>

#include <mregion.h>

#include "virtio.h"

/* The upper half of a 64-bit number that is written as two of 32 */
static void set_low(uint64_t *number, uint32_t value)
{
	*number = (*number & ~0xffffffffULL) | value;
}

static void set_high(uint64_t *number, uint32_t value)
{
	*number = (*number & 0xffffffffULL) | (uint64_t)value << 32;
}

static struct virtqueue *selected(struct virtio *virtio)
{
	return virtio->queue_select < virtio->type->nr_queues ?
	       &virtio->queues[virtio->queue_select] : NULL;
}

static uint32_t half(uint64_t number, uint32_t select)
{
	return select < 2 ? number >> 32 * select : 0;
}

static void fill(struct virtio *virtio, struct virtio_pci_common_cfg *cfg)
{
	const struct virtqueue *queue = selected(virtio);

	*cfg = (struct virtio_pci_common_cfg){
		.device_feature_select = virtio->device_feature_select,
		.device_feature = half(virtio->face.features,
				       virtio->device_feature_select),
		.guest_feature_select = virtio->driver_feature_select,
		.guest_feature = half(virtio->features,
				      virtio->driver_feature_select),
		.msix_config = virtio->config_vector,
		.num_queues = virtio->type->nr_queues,
		.device_status = virtio->status,
		/* What there is of configuration never changes. */
		.config_generation = 0,
		.queue_select = virtio->queue_select,
		.queue_msix_vector = VIRTIO_MSI_NO_VECTOR,
	};
	if (!queue)
		return;
	cfg->queue_size = queue->size;
	cfg->queue_msix_vector = queue->vector;
	cfg->queue_enable = queue->enabled;
	cfg->queue_notify_off = virtio->queue_select;
	cfg->queue_desc_lo = queue->desc_addr;
	cfg->queue_desc_hi = queue->desc_addr >> 32;
	cfg->queue_avail_lo = queue->avail_addr;
	cfg->queue_avail_hi = queue->avail_addr >> 32;
	cfg->queue_used_lo = queue->used_addr;
	cfg->queue_used_hi = queue->used_addr >> 32;
}

static uint64_t common_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct virtio *virtio = opaque;
	struct virtio_pci_common_cfg cfg;
	uint64_t value = 0;

	if (offset + len > sizeof(cfg))
		return 0;
	virtio_lock(virtio);
	fill(virtio, &cfg);
	pthread_mutex_unlock(&virtio->lock);
	memcpy(&value, (const uint8_t *)&cfg + offset, len);
	return value;
}

/* A vector that there is none of becomes none, which is how a driver notices */
static uint16_t vector(const struct virtio *virtio, uint16_t value)
{
	return value <= virtio->type->nr_queues ? value : VIRTIO_MSI_NO_VECTOR;
}

static void write_status(struct virtio *virtio, uint8_t value)
{
	if (!value) {
		/* The driver has to wait until it reads 0: section 4.1.4.3.1. */
		if (virtio->busy)
			atomic_store(&virtio->reset_wanted, true);
		else
			virtio_reset(virtio);
		return;
	}
	/* Features once agreed upon are legal ones, or are not agreed upon. */
	if ((value & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    ((virtio->features & ~virtio->face.features) ||
	     !(virtio->features & 1ULL << VIRTIO_F_VERSION_1)))
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	/* The driver cannot take back that it has to reset. */
	virtio->status = value | (virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void write_features(struct virtio *virtio, uint32_t value)
{
	if (virtio->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (virtio->driver_feature_select == 0)
		set_low(&virtio->features, value);
	else if (virtio->driver_feature_select == 1)
		set_high(&virtio->features, value);
}

/* The registers of the selected queue, which stay as they are once enabled. */
static void write_queue(struct virtqueue *queue, uint64_t offset,
			uint32_t value)
{
	if (queue->enabled)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (value && value <= VIRTQUEUE_MAX_SIZE &&
		    !(value & (value - 1)))
			queue->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		queue->enabled = value == 1;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		set_low(&queue->desc_addr, value);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_high(&queue->desc_addr, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		set_low(&queue->avail_addr, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_high(&queue->avail_addr, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		set_low(&queue->used_addr, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_high(&queue->used_addr, value);
		break;
	}
}

static void write_register(struct virtio *virtio, uint64_t offset,
			   uint32_t value)
{
	struct virtqueue *queue = selected(virtio);

	if (atomic_load(&virtio->reset_wanted))
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		virtio->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		virtio->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		write_features(virtio, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		virtio->config_vector = vector(virtio, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		write_status(virtio, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		virtio->queue_select = value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		if (queue)
			queue->vector = vector(virtio, value);
		break;
	default:
		if (queue)
			write_queue(queue, offset, value);
	}
}

static void common_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct virtio *virtio = opaque;

	/* A driver accesses each field by its own width: section 4.1.3.1. */
	(void)len;
	virtio_lock(virtio);
	write_register(virtio, offset, data);
	pthread_mutex_unlock(&virtio->lock);
}

static uint64_t isr_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct virtio *virtio = opaque;
	uint8_t isr;

	(void)offset;
	(void)len;
	virtio_lock(virtio);
	isr = virtio->isr;
	virtio->isr = 0;
	pthread_mutex_unlock(&virtio->lock);
	return isr;
}

static uint64_t config_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct virtio *virtio = opaque;
	uint64_t value = 0;

	/* It never changes: no lock. */
	if (offset + len <= sizeof(virtio->face.config))
		memcpy(&value, virtio->face.config + offset, len);
	return value;
}

static void notify_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct virtio *virtio = opaque;
	uint64_t queue = offset / VIRTIO_NOTIFY_STEP;

	(void)data;
	(void)len;
	if (queue < virtio->type->nr_queues)
		eventfd_write(virtio->wires.kicks[queue], 1);
}

static uint64_t notify_read(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return 0;
}

const struct mregion_ops virtio_common_ops = {
	.read = common_read,
	.write = common_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

const struct mregion_ops virtio_isr_ops = {
	.read = isr_read,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

const struct mregion_ops virtio_config_ops = {
	.read = config_read,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

const struct mregion_ops virtio_notify_ops = {
	.read = notify_read,
	.write = notify_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};
