// SPDX-License-Identifier: GPL-2.0
/* What happens to a device of mregion-vmm that takes its time over a request. */
#include "virtio_driver.h"

/* What the thread is at: nothing, a chain, or that one was given up. */
static atomic_int stage;

static int64_t slow_handle(const struct virtio *virtio, uint64_t features,
			   struct virtqueue_chain *chain)
{
	(void)features;
	(void)chain;
	atomic_store(&stage, 1);
	while (atomic_load(&stage) == 1) {
		if (virtio_cancelled(virtio)) {
			atomic_store(&stage, 3);
			return -ECANCELED;
		}
		usleep(100);
	}
	return 1;
}

static const struct virtio_type slow_type = {
	.name = "slow",
	.nr_queues = 1,
	.handle = slow_handle,
};

static bool wait_for_stage(int wanted)
{
	int i;

	for (i = 0; i < 5000 && atomic_load(&stage) != wanted; i++)
		usleep(1000);
	return i < 5000;
}

/* Two chains, the first of which is being handled when this returns. */
static bool start_slow(device_t *self)
{
	const struct virtio_wires wires = self->virtio.wires;
	struct vring_avail *avail = at(self, AVAIL);

	atomic_store(&stage, 0);
	self->virtio.type = &slow_type;
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	avail->idx = 2;
	if (virtio_start(&self->virtio, &wires) ||
	    eventfd_write(wires.kicks[0], 1))
		return false;
	return wait_for_stage(1);
}

/* A vCPU does not wait for the disk, however slow it is. */
TEST_F(device, registers_while_busy)
{
	int i;

	ASSERT_TRUE(start_slow(self));
	EXPECT_TRUE(status(self) & VIRTIO_CONFIG_S_DRIVER_OK);
	EXPECT_EQ(0, virtio_isr_ops.read(&self->virtio, 0, 1));
	EXPECT_EQ(1, atomic_load(&stage));
	EXPECT_EQ(0, used(self)->idx);
	atomic_store(&stage, 2);
	for (i = 0; i < 5000 && used(self)->idx != 2; i++) {
		atomic_store(&stage, 2);
		usleep(1000);
	}
	EXPECT_EQ(2, used(self)->idx);
}

/* A reset does, for what would else be done after it; and has an end of it. */
TEST_F(device, reset_while_busy)
{
	int i;

	ASSERT_TRUE(start_slow(self));
	write_register(self, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	for (i = 0; i < 5000 && status(self); i++)
		usleep(1000);
	EXPECT_EQ(0, status(self));
	EXPECT_EQ(3, atomic_load(&stage));
	EXPECT_EQ(0, used(self)->idx);
	EXPECT_FALSE(self->virtio.queues[0].enabled);

	/* And it is as any other device after one. */
	restart(self);
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	((struct vring_avail *)at(self, AVAIL))->idx = 1;
	eventfd_write(self->virtio.wires.kicks[0], 1);
	EXPECT_TRUE(wait_for_stage(1));
	atomic_store(&stage, 2);
	for (i = 0; i < 5000 && used(self)->idx != 1; i++)
		usleep(1000);
	EXPECT_EQ(1, used(self)->idx);
}

/* What a driver writes before the reset is over gets lost in it. */
TEST_F(device, impatient)
{
	atomic_store(&self->virtio.reset_wanted, true);
	self->virtio.busy = true;
	write_register(self, VIRTIO_PCI_COMMON_STATUS,
		       VIRTIO_CONFIG_S_ACKNOWLEDGE, 1);
	EXPECT_TRUE(status(self) & VIRTIO_CONFIG_S_DRIVER_OK);
	write_register(self, VIRTIO_PCI_COMMON_Q_SELECT, 7, 2);
	EXPECT_EQ(0, self->virtio.queue_select);
	self->virtio.busy = false;
}

/* The machine ends: what has not been done is left. */
TEST_F(device, stopped_while_busy)
{
	ASSERT_TRUE(start_slow(self));
	virtio_quiesce(&self->virtio);
	EXPECT_TRUE(wait_for_stage(3));
	virtio_stop(&self->virtio);
	EXPECT_EQ(0, used(self)->idx);
	EXPECT_EQ(3, atomic_load(&stage));
}

/* What is given up when the guest takes its leave back is begun anew. */
TEST_F(device, no_master_while_busy)
{
	int i;

	ASSERT_TRUE(start_slow(self));
	atomic_store(&self->master, false);
	ASSERT_TRUE(wait_for_stage(3));
	EXPECT_EQ(0, used(self)->idx);
	EXPECT_TRUE(status(self) & VIRTIO_CONFIG_S_DRIVER_OK);
	atomic_store(&self->master, true);
	eventfd_write(self->virtio.wires.kicks[0], 1);
	for (i = 0; i < 5000 && used(self)->idx != 2; i++) {
		atomic_store(&stage, 2);
		usleep(1000);
	}
	EXPECT_EQ(2, used(self)->idx);
}

#define LONG	(40u << 20)

/* What is long is done by pieces, of which none begins when a reset is wanted. */
TEST_F(device, long_request)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	struct virtio_blk blk = { .sectors = LONG / 512 };
	struct virtqueue_chain *chain = calloc(1, sizeof(*chain));
	uint8_t *data = malloc(LONG), *disk, result = 0xee;
	unsigned int i;

	ASSERT_NE(NULL, chain);
	ASSERT_NE(NULL, data);
	blk.fd = memfd_create("long", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(blk.fd, LONG));
	disk = mmap(NULL, LONG, PROT_READ | PROT_WRITE, MAP_SHARED, blk.fd, 0);
	ASSERT_NE(MAP_FAILED, disk);
	for (i = 0; i < LONG; i += 4096)
		disk[i] = i >> 12 ^ i >> 20;
	self->virtio.opaque = &blk;

	/* A long element, between short ones. */
	for (i = 0; i < 2; i++) {
		memset(data, 0xee, LONG);
		chain->nr_in = 1;
		chain->nr_out = 4;
		chain->in_len = sizeof(header);
		chain->out_len = LONG + 1;
		chain->iov[0] = (struct iovec){ &header, sizeof(header) };
		chain->iov[1] = (struct iovec){ data, 5000 };
		chain->iov[2] = (struct iovec){ data + 5000, LONG - 12000 };
		chain->iov[3] = (struct iovec){ data + LONG - 7000, 7000 };
		chain->iov[4] = (struct iovec){ &result, 1 };
		atomic_store(&self->virtio.reset_wanted, i);
		EXPECT_EQ(i ? -ECANCELED : (int)LONG + 1,
			  virtio_blk_type.handle(&self->virtio, 0, chain));
		EXPECT_EQ(i, memcmp(data, disk, LONG) != 0);
		EXPECT_EQ(0, result);
	}
	EXPECT_EQ(0xee, data[0]);
	munmap(disk, LONG);
	close(blk.fd);
	free(data);
	free(chain);
}

TEST_HARNESS_MAIN
