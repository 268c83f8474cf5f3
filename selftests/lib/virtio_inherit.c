// SPDX-License-Identifier: GPL-2.0
/* The block device of mregion-vmm, when the process that had it has died. */
#include "virtio_driver.h"

static int inherit(device_t *self, const struct virtio *from)
{
	const struct virtio_wires wires = self->virtio.wires;
	int error;

	pthread_mutex_lock(&self->virtio.lock);
	error = virtio_inherit(&self->virtio, &wires, from);
	pthread_mutex_unlock(&self->virtio.lock);
	return error;
}

/* A request that was taken and not given back is handled again. */
TEST_F(device, inherits)
{
	struct virtio *other = malloc(sizeof(*other));
	int i;

	set_request(self, DESC, VIRTIO_BLK_T_IN, 3, DATA, 512);
	kick(self, 0);
	ASSERT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	ASSERT_NE(NULL, other);
	*other = self->virtio;
	other->queues[0].next = self->available + 1;
	pthread_mutex_lock(&self->virtio.lock);
	virtio_reset(&self->virtio);
	pthread_mutex_unlock(&self->virtio.lock);

	set_request(self, DESC, VIRTIO_BLK_T_IN, 4, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(-1, request_status(self));
	EXPECT_EQ(0, inherit(self, other));
	for (i = 0; i < 500 && request_status(self) < 0; i++)
		usleep(10000);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(5, *(uint8_t *)at(self, DATA));
	EXPECT_FALSE(broken(self));
	virtio_stop(&self->virtio);
	free(other);
}

/* It died before it had reset the device, for which the driver waits. */
TEST_F(device, inherits_reset)
{
	struct virtio *other = malloc(sizeof(*other));

	ASSERT_NE(NULL, other);
	*other = self->virtio;
	atomic_store(&other->reset_wanted, true);
	EXPECT_EQ(0, inherit(self, other));
	EXPECT_EQ(0, status(self));
	free(other);
}

/* Or the device died with it, and no driver can have it back. */
TEST_F(device, lost)
{
	struct virtio *other = malloc(sizeof(*other));
	uint64_t count;
	unsigned int i;

	ASSERT_NE(NULL, other);
	write_register(self, VIRTIO_PCI_COMMON_MSIX, 0, 2);
	*other = self->virtio;
	pthread_mutex_lock(&self->virtio.lock);
	virtio_lose(&self->virtio, other);
	pthread_mutex_unlock(&self->virtio.lock);
	EXPECT_TRUE(broken(self));
	EXPECT_EQ(8, read(self->virtio.wires.irqs[0], &count, 8));
	for (i = 0; i < 2; i++) {
		set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
		kick(self, 0);
		EXPECT_EQ(-1, request_status(self));
		restart(self);
		EXPECT_FALSE(status(self) & VIRTIO_CONFIG_S_FEATURES_OK);
	}

	/* Its process may have left anything. */
	memset(other, 0xff, sizeof(*other));
	atomic_store(&other->reset_wanted, false);
	pthread_mutex_lock(&self->virtio.lock);
	virtio_lose(&self->virtio, other);
	pthread_mutex_unlock(&self->virtio.lock);
	EXPECT_TRUE(broken(self));
	restart(self);
	EXPECT_FALSE(broken(self));
	free(other);
}

TEST_F(device, inherits_nonsense)
{
	struct virtio *other = malloc(sizeof(*other));
	unsigned int i, j, size;

	ASSERT_NE(NULL, other);
	for (i = 0; i < 200; i++) {
		const struct virtio_wires wires = self->virtio.wires;
		struct virtio_face face = self->virtio.face;

		for (j = 0; j < sizeof(*other); j++)
			((uint8_t *)other)[j] = pick(256);
		/* Now and then nearly right, to get further. */
		if (i % 2) {
			other->queues[0] = self->virtio.queues[0];
			other->queues[0].size = 1u << pick(17);	/* or 0 */
			other->queues[0].used_addr = pick(3) ? USED :
						     HIGH + pick(PIECE);
			other->status = 0x0f;
		}
		EXPECT_EQ(0, inherit(self, other));
		size = self->virtio.queues[0].size;
		EXPECT_TRUE(size && size <= VIRTQUEUE_MAX_SIZE &&
			    !(size & (size - 1))) {
			TH_LOG("size %u", size);
		}
		virtio_stop(&self->virtio);
		virtio_init(&self->virtio, &virtio_blk_type, &face, &self->blk);
		self->virtio.wires = wires;
		restart(self);
	}
	free(other);
}

TEST_HARNESS_MAIN
