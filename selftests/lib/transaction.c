// SPDX-License-Identifier: GPL-2.0
/* What handles and results are good for when commits fail, or slots do. */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "vm.h"

#define FIRST_SLOT	8

FIXTURE(transaction)
{
	struct mregion_machine machine;
	struct mregion_region *root;
};

FIXTURE_SETUP(transaction)
{
	fixture_init(&self->machine);
	fixture_ioctl = fixture_kernel;
	self->root = mregion_new_container(&self->machine, "root", 0);
	ASSERT_NE(NULL, self->root);
}

FIXTURE_TEARDOWN(transaction)
{
	fixture_destroy(&self->machine);
}

static struct mregion_vm *attach(struct mregion_machine *machine,
				 struct mregion_space *memory,
				 unsigned int nr_slots)
{
	struct mregion_attach_params params = {
		.vm_fd = -1,
		.memory = memory,
		.first_slot = FIRST_SLOT,
		.nr_slots = nr_slots,
	};

	return mregion_attach(machine, &params);
}

/* Slots follow a commit, which has succeeded whatever becomes of them. */
TEST_F(transaction, slot_error)
{
	struct mregion_region *ram, *other;
	struct mregion_space *space, *second;
	struct mregion_range range = { .last = 0xfff, .kind = MREGION_RAM };
	struct mregion_vm *vm;

	ram = mregion_new_ram(&self->machine, MREGION_RAM, "ram", 0x1000);
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
				  self->root, MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, ram);
	ASSERT_NE(NULL, space);
	vm = attach(&self->machine, space, 4);
	ASSERT_NE(NULL, vm);
	EXPECT_EQ(0, mregion_vm_slots_error(vm));

	range.region = mregion_id(ram);
	fixture_view = &range;
	fixture_view_nr = 1;
	fixture_bad_slot = FIRST_SLOT;
	EXPECT_EQ(0, mregion_map(self->root, ram, 0, 0));
	EXPECT_EQ(-EEXIST, mregion_vm_slots_error(vm));
	EXPECT_NE(NULL, strstr(mregion_error(), "set memory slot 8 for 'ram'"));

	/* What lives in the kernel has a handle, and what does not has none. */
	other = mregion_new_container(&self->machine, "other", 16);
	EXPECT_NE(NULL, other);
	EXPECT_EQ(other, mregion_region_by_id(&self->machine,
					      mregion_id(other)));
	second = mregion_new_space(&self->machine, MREGION_BUS_PIO, self->root,
				   MREGION_POLICY_DEFAULT);
	EXPECT_NE(NULL, second);
	EXPECT_EQ(0, mregion_space_free(second));
	EXPECT_EQ(0, mregion_free(other));
	EXPECT_EQ(-EEXIST, mregion_vm_slots_error(vm));

	/* Any update tries again. */
	fixture_bad_slot = -1;
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_commit(&self->machine));
	EXPECT_EQ(0, mregion_vm_slots_error(vm));
}

TEST_F(transaction, slot_error_at_attach)
{
	struct mregion_region *ram;
	struct mregion_space *space;
	struct mregion_range range = { .last = 0xfff, .kind = MREGION_RAM };

	ram = mregion_new_ram(&self->machine, MREGION_RAM, "ram", 0x1000);
	ASSERT_NE(NULL, ram);
	range.region = mregion_id(ram);
	fixture_view = &range;
	fixture_view_nr = 1;
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
				  self->root, MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, space);
	fixture_bad_slot = FIRST_SLOT;
	EXPECT_EQ(NULL, attach(&self->machine, space, 4));
	EXPECT_EQ(EEXIST, errno);
}

/* A region or a space that is created in a doomed transaction is a handle. */
TEST_F(transaction, create_in_doomed)
{
	struct mregion_region *region;
	struct mregion_space *space;

	mregion_begin(&self->machine);
	EXPECT_EQ(NULL, mregion_new_ram(&self->machine, MREGION_MMIO, "x", 1));
	region = mregion_new_container(&self->machine, "region", 16);
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
				  self->root, MREGION_POLICY_DEFAULT);
	EXPECT_NE(NULL, region);
	EXPECT_NE(NULL, space);
	EXPECT_EQ(0, mregion_resize(region, 32));
	EXPECT_EQ(-EINVAL, mregion_commit(&self->machine));
	EXPECT_NE(NULL, strstr(mregion_error(), "wrong kind of region"));

	/* All that can be done with them is to free them. */
	EXPECT_EQ(0, mregion_free(region));
	EXPECT_EQ(0, mregion_space_free(space));
	EXPECT_EQ(NULL, self->machine.spaces);
}

TEST_F(transaction, create_undone)
{
	struct mregion_region *region;
	struct mregion_space *space;
	unsigned int commits;

	mregion_begin(&self->machine);
	region = mregion_new_container(&self->machine, "region", 16);
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY, region,
				  MREGION_POLICY_DEFAULT);
	EXPECT_NE(NULL, region);
	EXPECT_NE(NULL, space);
	mregion_abort(&self->machine);
	commits = fixture_nr_commits;
	EXPECT_EQ(0, mregion_space_free(space));
	EXPECT_EQ(0, mregion_free(region));
	EXPECT_EQ(commits, fixture_nr_commits);
	EXPECT_EQ(NULL, self->machine.spaces);

	mregion_begin(&self->machine);
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
				  self->root, MREGION_POLICY_DEFAULT);
	EXPECT_NE(NULL, space);
	/* Freed in the transaction that creates it, and so not if it fails. */
	EXPECT_EQ(0, mregion_space_free(space));
	fixture_refuse = -ENOSPC;
	EXPECT_EQ(-ENOSPC, mregion_commit(&self->machine));
	EXPECT_EQ(0, mregion_space_free(space));
	EXPECT_EQ(NULL, self->machine.spaces);

	/* Outside of one there is no handle. */
	EXPECT_EQ(NULL, mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
					  self->root, MREGION_POLICY_DEFAULT));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(NULL, self->machine.spaces);
	EXPECT_EQ(NULL, mregion_new_container(&self->machine, "region", 16));
	EXPECT_EQ(ENOSPC, errno);
}

TEST_HARNESS_MAIN
