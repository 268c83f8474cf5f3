// SPDX-License-Identifier: GPL-2.0
/* MREGION_INFO: version and limits, and how every structure may grow. */
#include "kselftest_harness.h"
#include "mregion_util.h"

FIXTURE(info) {
	int fd;
};

FIXTURE_SETUP(info)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd) {
		TH_LOG("open %s: %s", MR_DEVICE, strerror(-self->fd));
	}
}

FIXTURE_TEARDOWN(info)
{
	close(self->fd);
}

TEST_F(info, version)
{
	struct mregion_info info;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(MREGION_ABI_VERSION, info.abi_version);
	EXPECT_EQ(0, info.features);
}

/* Not what the limits are, but that a real machine fits. */
TEST_F(info, limits_leave_room)
{
	struct mregion_info info;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	EXPECT_LE(100000, info.max_regions);
	EXPECT_LE(256, info.max_spaces);
	EXPECT_LE(16, info.max_depth);
	EXPECT_LE(10000, info.max_ranges);
	EXPECT_LE(1024, info.max_ops);
	EXPECT_LE(16, info.max_rings);
	EXPECT_LE(1024, info.max_ring_entries);
	EXPECT_EQ(0, info.max_ring_entries & (info.max_ring_entries - 1));
	EXPECT_LE(1, info.max_rules);
	EXPECT_LE(16, info.max_servers);
	EXPECT_LE(16, info.max_shadows);
	EXPECT_LE(16, info.max_slots);
	EXPECT_LE(4096, info.max_shadow_len);
	EXPECT_LE(16, info.max_windows);
	EXPECT_LE(info.max_regions, info.max_work);
	EXPECT_LE(16 << 20, info.max_memory);
}

TEST_F(info, shorter_than_first_version)
{
	struct mregion_info info;
	uint32_t size;

	for (size = 0; size < sizeof(info); size++) {
		memset(&info, 0xa5, sizeof(info));
		info.size = size;
		EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_INFO, &info)) {
			TH_LOG("size %u", size);
		}
		EXPECT_EQ(0xa5a5a5a5, info.abi_version);
	}
}

/* A newer program on an older kernel: what it knows more of must be zero. */
TEST_F(info, longer)
{
	struct {
		struct mregion_info info;
		uint8_t more[64];
	} arg;

	memset(&arg, 0, sizeof(arg));
	arg.info.size = sizeof(arg);
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_INFO, &arg));
	EXPECT_EQ(MREGION_ABI_VERSION, arg.info.abi_version);

	arg.info.size = sizeof(arg);
	arg.more[sizeof(arg.more) - 1] = 1;
	EXPECT_EQ(-E2BIG, mr_ioctl(self->fd, MREGION_INFO, &arg));
}

TEST_F(info, unknown_ioctls)
{
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		/* A number alone does not make an ioctl. */
		EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd,
			_IOWR(MREGION_IOCTL_TYPE, nr, struct mregion_info),
			NULL));
		EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd,
			_IO(MREGION_IOCTL_TYPE + 1, nr), NULL));
		if (nr > _IOC_NR(MREGION_CLAIMS))
			EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd,
				_IO(MREGION_IOCTL_TYPE, nr), NULL));
	}
	EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd, FIONREAD, NULL));
	EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd, 0, NULL));
}

/* No machine sees another. */
TEST_F(info, machines_are_apart)
{
	int other = mr_open();

	ASSERT_LE(0, other);
	EXPECT_EQ(0, COMMIT(self->fd, mr_container(1, 0)));
	EXPECT_EQ(0, COMMIT(other, mr_mmio(1, 8)));
	EXPECT_EQ(1, mr_regions(self->fd, 0, NULL, 0));
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(1, mr_regions(self->fd, 0, NULL, 0));
}

TEST_HARNESS_MAIN
