// SPDX-License-Identifier: GPL-2.0
/* The memory of regions: who can change its file. */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

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

TEST_HARNESS_MAIN
