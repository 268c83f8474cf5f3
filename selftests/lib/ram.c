// SPDX-License-Identifier: GPL-2.0
/* The memory of regions: who can change its file, and what resizing does when. */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static struct mregion_region *watched;
static uint8_t *ptr_in_commit;
static uint64_t len_in_commit;

static void look(const struct mregion_commit *commit)
{
	(void)commit;
	ptr_in_commit = mregion_ram_ptr(watched);
	len_in_commit = watched->len;
}

FIXTURE(ram)
{
	struct mregion_machine machine;
};

FIXTURE_SETUP(ram)
{
	fixture_init(&self->machine);
	fixture_ioctl = fixture_kernel;
}

FIXTURE_TEARDOWN(ram)
{
	fixture_destroy(&self->machine);
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)len;
	return offset;
}

static const struct mregion_ops ops = {
	.read = device_read,
	.constraints = { .valid_max = 8 },
};

/* Who gets the descriptor cannot take memory away from the VMM. */
TEST_F(ram, sealed)
{
	struct mregion_region *regions[3];
	unsigned int i;
	int fd;

	regions[0] = mregion_new_ram(&self->machine, MREGION_RAM, "ram", 8192);
	regions[1] = mregion_new_ram(&self->machine, MREGION_ROM, "rom", 8192);
	regions[2] = mregion_new_romd(&self->machine, "romd", 8192, &ops,
				      NULL);
	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		ASSERT_NE(NULL, regions[i]);
		fd = mregion_ram_fd(regions[i]);
		EXPECT_EQ(-1, ftruncate(fd, 4096));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-1, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
		EXPECT_EQ(F_SEAL_SHRINK | F_SEAL_SEAL,
			  fcntl(fd, F_GET_SEALS));
		EXPECT_EQ(0, mregion_resize(regions[i], 16384));
		EXPECT_EQ(0, mregion_resize(regions[i], 4096));
		EXPECT_EQ(0, mregion_resize(regions[i], 16384));
		memset(mregion_ram_ptr(regions[i]), 1, 16384);
	}
}

static struct mregion_op_create romd;

static void look_at_romd(const struct mregion_commit *commit)
{
	const struct mregion_op *op = (void *)(uintptr_t)commit->ops;

	romd = op->create;
}

TEST_F(ram, romd_from_fd)
{
	struct mregion_region *region;
	int fd = memfd_create("flash", MFD_CLOEXEC), reader;
	char path[32];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 12288));
	ASSERT_EQ(1, pwrite(fd, "x", 1, 4096));
	fixture_commit = look_at_romd;
	region = mregion_new_romd_from_fd(&self->machine, "flash", 8192, &ops,
					  NULL, fd, 4096);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(MREGION_ROMD, romd.kind);
	EXPECT_EQ(MREGION_BACKING_FD, romd.backing);
	EXPECT_EQ(mregion_ram_fd(region), romd.fd);
	EXPECT_NE(fd, romd.fd);
	EXPECT_EQ(4096, romd.offset);
	EXPECT_EQ(8192, romd.len);
	EXPECT_EQ(8, romd.constraints.valid_max);
	EXPECT_EQ('x', *(char *)mregion_ram_ptr(region));
	*(char *)mregion_ram_ptr(region) = 'y';

	/* A file that cannot be written will do. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, reader);
	region = mregion_new_romd_from_fd(&self->machine, "flash", 8192, &ops,
					  NULL, reader, 4096);
	ASSERT_NE(NULL, region);
	EXPECT_EQ('y', *(char *)mregion_ram_ptr(region));
	close(reader);
	close(fd);
	EXPECT_EQ(NULL, mregion_new_romd_from_fd(&self->machine, "flash", 8192,
						 &ops, NULL, -1, 0));
	EXPECT_EQ(EBADF, errno);
}

TEST_F(ram, romd_from_ptr)
{
	static uint8_t memory[8192] __attribute__((aligned(4096)));
	struct mregion_region *region;
	int opaque;

	fixture_commit = look_at_romd;
	region = mregion_new_romd_from_ptr(&self->machine, "flash", 8192, &ops,
					   &opaque, memory);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(MREGION_ROMD, romd.kind);
	EXPECT_EQ(MREGION_BACKING_USER, romd.backing);
	EXPECT_EQ((uintptr_t)memory, romd.offset);
	EXPECT_EQ(8192, romd.len);
	EXPECT_EQ(8, romd.constraints.valid_max);
	EXPECT_EQ(&memory[0], mregion_ram_ptr(region));
	EXPECT_EQ(-1, mregion_ram_fd(region));
	EXPECT_EQ(&opaque, mregion_opaque(region));
	EXPECT_EQ(-EINVAL, mregion_resize(region, 16384));
	EXPECT_EQ(NULL, mregion_new_romd_from_ptr(&self->machine, "flash", 8192,
						  &ops, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, mregion_new_romd_from_ptr(&self->machine, "flash", 8192,
						  NULL, NULL, memory));
	EXPECT_EQ(EINVAL, errno);

	/* Of RAM devices the functions are the library's. */
	region = mregion_new_ram_from_ptr(&self->machine, MREGION_RAMDEV,
					  "ramdev", 8192, memory);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(NULL, mregion_opaque(region));
}

/* When the kernel shows more of it, the VMM can reach that. */
TEST_F(ram, grows_before)
{
	uint8_t *small, *large;

	watched = mregion_new_ram(&self->machine, MREGION_RAM, "ram", 4096);
	ASSERT_NE(NULL, watched);
	small = mregion_ram_ptr(watched);
	small[0] = 1;

	fixture_commit = look;
	EXPECT_EQ(0, mregion_resize(watched, 8192));
	large = mregion_ram_ptr(watched);
	EXPECT_NE(small, large);
	EXPECT_EQ(large, ptr_in_commit);
	EXPECT_EQ(1, large[0]);
	large[4096] = 2;
	EXPECT_EQ(8192, atomic_load(&watched->len));

	/* What is large enough stays. */
	EXPECT_EQ(0, mregion_resize(watched, 4096));
	EXPECT_EQ(0, mregion_resize(watched, 8192));
	EXPECT_EQ(large, ptr_in_commit);
	EXPECT_EQ(large, mregion_ram_ptr(watched));
	EXPECT_EQ(1, small[0]);
}

TEST_F(ram, growth_undone)
{
	uint8_t *small, *large, *larger;

	watched = mregion_new_ram(&self->machine, MREGION_RAM, "ram", 4096);
	ASSERT_NE(NULL, watched);
	small = mregion_ram_ptr(watched);
	fixture_commit = look;
	fixture_refuse = -EFBIG;
	EXPECT_EQ(-EFBIG, mregion_resize(watched, 8192));
	large = ptr_in_commit;
	EXPECT_NE(small, large);
	EXPECT_EQ(small, mregion_ram_ptr(watched));
	EXPECT_EQ(4096, atomic_load(&watched->len));
	EXPECT_EQ(4096, watched->ram.len);

	/* Others may have had it; nor is it made anew each time. */
	large[4096] = 1;
	EXPECT_EQ(-EFBIG, mregion_resize(watched, 8192));
	EXPECT_EQ(large, ptr_in_commit);

	/* Of several in one transaction none is left. */
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_resize(watched, 8192));
	EXPECT_EQ(0, mregion_resize(watched, 16384));
	EXPECT_EQ(0, mregion_resize(watched, 8192));
	EXPECT_EQ(-EFBIG, mregion_commit(&self->machine));
	larger = ptr_in_commit;
	EXPECT_EQ(0, larger[16383]);
	EXPECT_EQ(small, mregion_ram_ptr(watched));
	EXPECT_EQ(4096, atomic_load(&watched->len));

	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_resize(watched, 8192));
	mregion_abort(&self->machine);
	EXPECT_EQ(small, mregion_ram_ptr(watched));

	fixture_refuse = 0;
	EXPECT_EQ(0, mregion_resize(watched, 16384));
	EXPECT_EQ(larger, mregion_ram_ptr(watched));
	EXPECT_EQ(16384, atomic_load(&watched->len));
}

/* Writes that wait in a ring are for registers as the kernel knows them. */
TEST_F(ram, registers)
{
	watched = mregion_new_mmio(&self->machine, "mmio", 16, &ops, NULL);
	ASSERT_NE(NULL, watched);
	fixture_commit = look;
	EXPECT_EQ(0, mregion_resize(watched, 32));
	EXPECT_EQ(32, len_in_commit);
	EXPECT_EQ(0, mregion_resize(watched, 8));
	EXPECT_EQ(32, len_in_commit);
	EXPECT_EQ(8, atomic_load(&watched->len));
	EXPECT_EQ(0, mregion_resize(watched, MREGION_WHOLE));
	EXPECT_EQ(0, len_in_commit);
	fixture_refuse = -EFBIG;
	EXPECT_EQ(-EFBIG, mregion_resize(watched, 8));
	EXPECT_EQ(0, atomic_load(&watched->len));

	/* What is larger in the end is at no time smaller. */
	fixture_refuse = 0;
	EXPECT_EQ(0, mregion_resize(watched, 16));
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_resize(watched, 8));
	EXPECT_EQ(0, mregion_resize(watched, 32));
	EXPECT_EQ(0, mregion_commit(&self->machine));
	EXPECT_EQ(32, len_in_commit);
	EXPECT_EQ(32, atomic_load(&watched->len));
}

TEST_HARNESS_MAIN
