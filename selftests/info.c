// SPDX-License-Identifier: GPL-2.0
/* MREGION_INFO: version, features and limits, and how every structure may grow. */
#include "kselftest_harness.h"
#include "kvm_util.h"

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
	/* No bit that is not documented. */
	EXPECT_EQ(0, info.features & ~(MREGION_FEATURE_ATTACH |
				      MREGION_FEATURE_CHANGES |
				      MREGION_FEATURE_VIEW_OPEN |
				      MREGION_FEATURE_SMM |
				      MREGION_FEATURE_FAST |
				      MREGION_FEATURE_INDEXED));
}

/* What the module says that it has works, and what it says that it has not does not. */
TEST_F(info, features)
{
	struct mregion_claims_read claims = {
		.size = sizeof(claims),
		.claim_size = sizeof(struct mregion_claim_info),
	};
	struct mregion_attach result;
	struct mregion_info info;
	struct vm vm;
	int ret;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ret = vm_create(&vm, 0);
	if (ret)
		SKIP(return, "no virtual machine: %s", strerror(-ret));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(1, 1)));
	claims.vm_fd = vm.fd;
	if (info.features & MREGION_FEATURE_ATTACH) {
		EXPECT_EQ(0, mr_attach(self->fd, vm.fd, 1, 0, &result));
		EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_CLAIMS, &claims));
		EXPECT_EQ(0, mr_detach(self->fd, vm.fd));
	} else {
		EXPECT_EQ(-EOPNOTSUPP, mr_attach(self->fd, vm.fd, 1, 0,
						 &result));
		EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->fd, MREGION_CLAIMS,
						&claims));
	}
	vm_free(&vm);
}

/* What has a bit of its own. */
TEST_F(info, features_of_all_kernels)
{
	struct mregion_changes_read changes = {
		.size = sizeof(changes), .space = 1,
		.range_size = sizeof(struct mregion_range),
	};
	struct mregion_info info;
	int view;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(1, 1)));
	EXPECT_TRUE(info.features & MREGION_FEATURE_CHANGES);
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_CHANGES, &changes));
	EXPECT_TRUE(info.features & MREGION_FEATURE_VIEW_OPEN);
	view = mr_view_open(self->fd, 1, 0);
	EXPECT_LE(0, view);
	close(view);
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
	EXPECT_LE(4, info.max_indices);
}

TEST_F(info, shorter_than_first_version)
{
	struct mregion_info info;
	uint32_t size;

	/* later ones have more behind */
	for (size = 0; size < offsetof(struct mregion_info, max_indices);
	     size++) {
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

union any_arg {
	uint32_t size;
	struct mregion_view_read view;
	struct mregion_regions regions;
	struct mregion_spaces spaces;
	struct mregion_commit commit;
	struct mregion_access access;
	struct mregion_attach attach;
	struct mregion_detach detach;
	struct mregion_claims_read claims;
	struct mregion_ring_create ring;
	struct mregion_shadow_create shadow;
	struct mregion_server_create server;
	uint8_t bytes[MR_PAGE];
};

/*
 * Sizes of 0.2.0, as programs have them that are built with its header: they stay, to
 * whatever the structures grow. @ret: said to @arg, which is zero but for that.
 */
static const struct {
	const char *name;
	unsigned long cmd;
	uint32_t size;
	int ret;
	union any_arg arg;
} base[] = {
	{ "INFO", MREGION_INFO, 96, 0, { 0 } },
	{ "COMMIT", MREGION_COMMIT, 56, 0, { .commit.op_size = 128 } },
	{ "VIEW_READ", MREGION_VIEW_READ, 40, -ENOENT,
	  { .view.range_size = 40 } },
	{ "REGIONS", MREGION_REGIONS, 32, 0, { .regions.region_size = 152 } },
	{ "SPACES", MREGION_SPACES, 32, 0, { .spaces.space_size = 32 } },
	{ "TRANSLATE", MREGION_TRANSLATE, 72, -ENOENT, { 0 } },
	{ "ACCESS", MREGION_ACCESS, 72, -ENOENT,
	  { .access.len = 1, .access.vcpu = MREGION_NO_VCPU } },
	{ "RING_CREATE", MREGION_RING_CREATE, 32, 0,
	  { .ring.id = 1, .ring.nr_entries = 2, .ring.eventfd = -1 } },
	{ "RING_FREE", MREGION_RING_FREE, 8, -ENOENT, { 0 } },
	{ "ATTACH", MREGION_ATTACH, 32, -EBADF,
	  { .attach.vm_fd = -1, .attach.memory = 1 } },
	{ "DETACH", MREGION_DETACH, 8, -EBADF, { .detach.vm_fd = -1 } },
	{ "STATS", MREGION_STATS, 200, 0, { 0 } },
	{ "SHADOW_CREATE", MREGION_SHADOW_CREATE, 24, 0,
	  { .shadow.id = 1, .shadow.len = 1 } },
	{ "SHADOW_FREE", MREGION_SHADOW_FREE, 8, -ENOENT, { 0 } },
	{ "SERVER_CREATE", MREGION_SERVER_CREATE, 40, 0,
	  { .server.id = 1, .server.nr_slots = 1, .server.eventfd = -1 } },
	{ "SERVER_FREE", MREGION_SERVER_FREE, 8, -ENOENT, { 0 } },
	{ "CLAIMS", MREGION_CLAIMS, 40, -EBADF,
	  { .claims.vm_fd = -1, .claims.claim_size = 32 } },
};

TEST_F(info, sizes_of_the_base)
{
	union any_arg arg;
	unsigned int i, more;
	int fd;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		/* As an older program has it, and a newer one. */
		for (more = 0; more <= 64; more += 64) {
			/* Of each ID one can be made: in a machine of its own. */
			fd = mr_open();
			ASSERT_LE(0, fd);
			arg = base[i].arg;
			arg.size = base[i].size + more;
			EXPECT_EQ(base[i].ret, mr_ioctl(fd, base[i].cmd, &arg)) {
				TH_LOG("%s of %u bytes", base[i].name,
				       base[i].size + more);
			}
			close(fd);
		}
		arg = base[i].arg;
		arg.size = base[i].size + more;
		arg.bytes[arg.size - 1] = 1;
		EXPECT_EQ(-E2BIG, mr_ioctl(self->fd, base[i].cmd, &arg)) {
			TH_LOG("%s", base[i].name);
		}
	}
}

/* Likewise of what arrays have. */
TEST_F(info, sizes_of_entries)
{
	struct mregion_regions regions = {
		.size = sizeof(regions), .region_size = 152,
	};
	struct mregion_spaces spaces = {
		.size = sizeof(spaces), .space_size = 32,
	};
	struct mregion_view_read view = {
		.size = sizeof(view), .space = 1, .range_size = 40,
	};
	struct mregion_op op = mr_container(1, 0);
	struct mregion_commit commit = {
		.size = sizeof(commit), .op_size = 128, .nr_ops = 1,
		.ops = (uintptr_t)&op,
	};

	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(1, 1)));
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_REGIONS, &regions));
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_SPACES, &spaces));
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_VIEW_READ, &view));

	commit.op_size--;
	regions.region_size--;
	spaces.space_size--;
	view.range_size--;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_REGIONS, &regions));
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_SPACES, &spaces));
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_VIEW_READ, &view));
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
		if (nr > _IOC_NR(MREGION_VIEW_OPEN))
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
