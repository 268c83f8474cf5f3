// SPDX-License-Identifier: GPL-2.0
/* A device's accesses, pointers to memory, and what is at an address. */
#include "exit_util.h"

TEST_F(exit, dma)
{
	uint8_t buf[0x220];
	size_t done;

	memset(ram, 0x33, sizeof(ram));
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1000, buf, 0x208,
					&done));
	EXPECT_EQ(0x208, done);
	EXPECT_EQ(0x33, buf[0x1ff]);
	EXPECT_EQ(0x88, buf[0x200]);
	EXPECT_EQ(1, self->device.reads);

	/* Ends in the device that refuses, after one that does not. */
	memset(buf, 0x44, sizeof(buf));
	EXPECT_EQ(-EFAULT, mregion_space_write(&self->memory, 0x1208, buf, 10,
					       &done));
	EXPECT_EQ(8, done);
	EXPECT_EQ(1, self->device.writes);

	/* Memory that is read-only takes nothing, and says so. */
	EXPECT_EQ(-EROFS, mregion_space_write(&self->memory, 0x10fe, buf, 4,
					      &done));
	EXPECT_EQ(2, done);
	EXPECT_EQ(0x44, ((uint8_t *)ram)[0x10f]);
	EXPECT_EQ(0x33, ((uint8_t *)ram)[0x110]);

	EXPECT_EQ(-EFAULT, mregion_space_read(&self->memory, 0, buf, 1, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(-EFAULT, mregion_space_read(&self->memory, UINT64_MAX - 3,
					      buf, 8, &done));
	EXPECT_EQ(4, done);
}

/* Registers are as the guest has left them; memory does not care. */
TEST_F(exit, dma_drains)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 1);
	uint8_t buf[16] = { 0 };
	size_t done;

	fixture_append(&ring->memory, 2, 0, 'x', 1);
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1000, buf, 8, &done));
	EXPECT_EQ(0, self->device.writes);
	EXPECT_EQ(0, mregion_space_write(&self->memory, 0x1200, buf, 16,
					 &done));
	EXPECT_EQ(3, self->device.writes);
	EXPECT_EQ('x', self->device.bytes[0]);
	mregion_ring_release(ring);
}

/* After the last address comes nothing, least of all the first one. */
TEST_F(exit, dma_does_not_wrap)
{
	static const struct mregion_range ranges[] = {
		FIXTURE_RANGE(0, 0xff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(UINT64_MAX - 0xff, UINT64_MAX, 0, 1, MREGION_RAM, 0),
	};
	size_t len = 8, done;
	uint8_t buf[8];

	fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
	EXPECT_EQ(-EFAULT, mregion_space_read(&self->memory, UINT64_MAX - 3,
					      buf, 8, &done));
	EXPECT_EQ(4, done);
	EXPECT_NE(NULL, mregion_space_ptr(&self->memory, UINT64_MAX - 3, &len,
					  true));
	EXPECT_EQ(4, len);
}

TEST_F(exit, pointer)
{
	size_t len = 0x1000;

	/* Neighbouring ranges in one piece, as far as they go. */
	EXPECT_EQ((uint8_t *)ram + 0x20,
		  mregion_space_ptr(&self->memory, 0x1010, &len, false));
	EXPECT_EQ(0x1f0, len);
	len = 0x1000;
	EXPECT_EQ((uint8_t *)ram + 0x20,
		  mregion_space_ptr(&self->memory, 0x1010, &len, true));
	EXPECT_EQ(0xf0, len);
	len = 16;
	EXPECT_EQ(NULL, mregion_space_ptr(&self->memory, 0x1200, &len, false));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(NULL, mregion_space_ptr(&self->memory, 0x1300, &len, true));
	len = 16;
	EXPECT_EQ((void *)ram,
		  mregion_space_ptr(&self->memory, 0x1300, &len, false));
	EXPECT_EQ(16, len);
}

TEST_F(exit, translate)
{
	struct mregion_translation there;
	uint64_t addr = 0;

	/* Registers, and memory that is both. */
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1204, 4, &there));
	EXPECT_EQ(2, there.region->id);
	EXPECT_EQ(MREGION_MMIO, there.kind);
	EXPECT_EQ(0xc, there.offset);
	EXPECT_EQ(4, there.len);
	EXPECT_TRUE(there.device && !there.readable && !there.writable);
	EXPECT_EQ(NULL, there.ptr);
	EXPECT_EQ(1, there.generation);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1204, 0x100,
					     &there));
	EXPECT_EQ(0xc, there.len);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1302, 0x1000,
					     &there));
	EXPECT_TRUE(there.device && there.readable && !there.writable);
	EXPECT_EQ(0xfe, there.len);
	EXPECT_EQ((uint8_t *)ram + 2, there.ptr);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x10fe, 4, &there));
	EXPECT_TRUE(!there.device && there.readable && there.writable);
	EXPECT_EQ(2, there.len);
	EXPECT_EQ((uint8_t *)ram + 0x10e, there.ptr);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1100, 4, &there));
	EXPECT_TRUE(!there.device && there.readable && !there.writable);
	/* Somebody else's: it is there, and that is all. */
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1500, 4, &there));
	EXPECT_EQ(NULL, there.region);
	EXPECT_EQ(MREGION_MMIO, there.kind);
	EXPECT_FALSE(there.device || there.readable || there.writable);

	/* The whole space, piece by piece. */
	do {
		ASSERT_EQ(0, mregion_space_translate(&self->memory, addr, -addr,
						     &there));
		addr += there.len;
	} while (addr);
	EXPECT_EQ(MREGION_MMIO, there.kind);
	EXPECT_EQ(4, there.len);
	EXPECT_EQ(-EINVAL, mregion_space_translate(&self->memory, 1, 0,
						   &there));
	EXPECT_EQ(-EINVAL, mregion_space_translate(&self->memory, UINT64_MAX, 2,
						   &there));
	fixture_set_view(&self->memory, NULL, 0);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0, 0, &there));
	EXPECT_EQ(0, there.len);
	EXPECT_EQ(0, there.kind);

	EXPECT_EQ(0, mregion_space_translate(&self->pio, 0xfffe, 4, &there));
	EXPECT_EQ(2, there.len);
	EXPECT_EQ(-EINVAL, mregion_space_translate(&self->pio, 0x10000, 1,
						   &there));
}

TEST_HARNESS_MAIN
