// SPDX-License-Identifier: GPL-2.0
/* Regions and spaces that are freed while the fate of their changes is not known. */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "reasons.h"
#include "server_in_vmm.h"

struct device {
	unsigned int released;
};

static void release(void *opaque)
{
	struct device *device = opaque;

	device->released++;
}

static const struct mregion_ops plain_ops = { .constraints = { 0 } };
static const struct mregion_ops release_ops = { .release = release };

FIXTURE(freed)
{
	struct mregion_machine machine;
	struct mregion_server server;
	struct mregion_region *root;
	struct device device;
};

FIXTURE_SETUP(freed)
{
	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	fixture_ioctl = fixture_kernel;
	self->server.machine = &self->machine;
	self->server.id = 1;
	atomic_store(&self->machine.servers, &self->server);
	self->root = mregion_new_container(&self->machine, "root", 0);
	ASSERT_NE(NULL, self->root);
}

FIXTURE_TEARDOWN(freed)
{
	fixture_destroy(&self->machine);
}

/* All changes of a region that have something to do afterwards. */
#define NR_CHANGES	4

static int change(struct mregion_region *region, struct mregion_server *server,
		  unsigned int i)
{
	static const struct mregion_constraints constraints = { 0 };
	static const struct mregion_doorbell doorbell = { .len = 4 };

	switch (i) {
	case 0:
		return mregion_set_server(region, server);
	case 1:
		return mregion_resize(region, 0x2000);
	case 2:
		return mregion_set_constraints(region, &constraints);
	default:
		return mregion_add_doorbell(region, &doorbell);
	}
}

static struct mregion_region *new_region(struct mregion_machine *machine,
					 struct device *device, bool releases)
{
	return mregion_new_mmio(machine, "device", 0x1000,
				releases ? &release_ops : &plain_ops, device);
}

/* Of one whose creation was undone only the handle is left, which goes at once. */
TEST_F(freed, region_that_was_not_created)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *region;
	unsigned int i, releases;

	for (releases = 0; releases < 2; releases++) {
		mregion_begin(machine);
		region = new_region(machine, &self->device, releases);
		ASSERT_NE(NULL, region);
		mregion_abort(machine);
		mregion_begin(machine);
		for (i = 0; i < NR_CHANGES; i++)
			EXPECT_EQ(0, change(region, &self->server, i));
		EXPECT_EQ(0, mregion_free(region));
		fixture_refuse = -ENOENT;
		fixture_failed = 0;
		EXPECT_EQ(-ENOENT, mregion_commit(machine));
		fixture_refuse = 0;
		EXPECT_EQ(releases, self->device.released);
	}
}

/* What is asked for after it is freed fails alone, if it may. */
TEST_F(freed, region)
{
	static const int results[1 + NR_CHANGES] = {
		0, -ENOENT, -ENOENT, -ENOENT, -ENOENT,
	};
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *region;
	unsigned int i, releases;
	int result[NR_CHANGES];

	for (releases = 0; releases < 2; releases++) {
		region = new_region(machine, &self->device, releases);
		ASSERT_NE(NULL, region);
		/* What keeps it ends with the change, be that carried out or not. */
		for (i = 0; i < NR_CHANGES; i++) {
			EXPECT_EQ(0, change(region, &self->server, i));
			EXPECT_EQ(1, atomic_load(&region->refs));
			mregion_begin(machine);
			EXPECT_EQ(0, change(region, &self->server, i));
			EXPECT_EQ(2, atomic_load(&region->refs));
			mregion_abort(machine);
			EXPECT_EQ(1, atomic_load(&region->refs));
		}
		mregion_begin(machine);
		EXPECT_EQ(0, mregion_free(region));
		for (i = 0; i < NR_CHANGES; i++) {
			EXPECT_EQ(0, mregion_may_fail(machine, &result[i]));
			EXPECT_EQ(0, change(region, &self->server, i));
		}
		fixture_results = results;
		EXPECT_EQ(0, mregion_commit(machine));
		fixture_results = NULL;
		for (i = 0; i < NR_CHANGES; i++)
			EXPECT_EQ(-ENOENT, result[i]);
		EXPECT_EQ(releases, self->device.released);
	}
}

TEST_F(freed, space_that_was_not_created)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_space *space;

	mregion_begin(machine);
	space = mregion_new_space(machine, MREGION_BUS_MEMORY, self->root,
				  MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, space);
	mregion_abort(machine);
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_space_set_root(space, self->root));
	EXPECT_EQ(0, mregion_space_set_unassigned(space, MREGION_POLICY_ONES));
	EXPECT_EQ(0, mregion_space_free(space));
	EXPECT_EQ(NULL, machine->spaces);
	fixture_refuse = -ENOENT;
	fixture_failed = 0;
	EXPECT_EQ(-ENOENT, mregion_commit(machine));
	fixture_refuse = 0;
}

TEST_F(freed, space)
{
	static const int results[] = { 0, -ENOENT, -ENOENT };
	struct mregion_machine *machine = &self->machine;
	struct mregion_space *space;
	int result[2];

	space = mregion_new_space(machine, MREGION_BUS_MEMORY, self->root,
				  MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, space);
	EXPECT_EQ(0, mregion_space_set_root(space, self->root));
	EXPECT_EQ(1, space->refs);
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_space_free(space));
	EXPECT_EQ(2, space->refs);
	EXPECT_EQ(0, mregion_may_fail(machine, &result[0]));
	EXPECT_EQ(0, mregion_space_set_root(space, self->root));
	EXPECT_EQ(0, mregion_may_fail(machine, &result[1]));
	EXPECT_EQ(0, mregion_space_set_unassigned(space, MREGION_POLICY_ONES));
	fixture_results = results;
	EXPECT_EQ(0, mregion_commit(machine));
	fixture_results = NULL;
	EXPECT_EQ(-ENOENT, result[0]);
	EXPECT_EQ(-ENOENT, result[1]);
	EXPECT_EQ(NULL, machine->spaces);
}

/* What frees but a handle is no change; of another machine one may still fail. */
TEST_F(freed, of_two_machines)
{
	static const int results[] = { -EBUSY };
	struct mregion_machine *machine = &self->machine;
	struct mregion_machine other;
	struct mregion_region *undone, *region;
	struct mregion_space *space;
	unsigned int i;
	int result;

	fixture_init(&other);
	fixture_ioctl = fixture_kernel;
	for (i = 0; i < 3; i++) {
		mregion_begin(machine);
		undone = mregion_new_container(machine, "undone", 0);
		space = mregion_new_space(machine, MREGION_BUS_MEMORY,
					  self->root, MREGION_POLICY_DEFAULT);
		mregion_abort(machine);
		region = mregion_new_container(&other, "region", 0);
		ASSERT_NE(NULL, region);

		mregion_begin(&other);
		mregion_begin(machine);
		EXPECT_EQ(0, mregion_may_fail(i ? &other : machine, &result));
		EXPECT_EQ(0, mregion_free(undone));
		EXPECT_EQ(0, mregion_space_free(space));
		if (i == 2)
			EXPECT_EQ(0, mregion_free(NULL));
		EXPECT_EQ(0, mregion_commit(machine));
		EXPECT_EQ(0, mregion_free(region));
		fixture_results = results;
		EXPECT_EQ(0, mregion_commit(&other));
		fixture_results = NULL;
		EXPECT_EQ(i == 1 ? -EBUSY : 0, result);
	}
	fixture_destroy(&other);
}

/* Whatever is done to what is not there, that is what is said of it. */
TEST_F(freed, in_words)
{
	static const struct mregion_op ops[] = {
		{ .code = MREGION_OP_FREE, .id = 99 },
		{ .code = MREGION_OP_RESIZE, .id = 99 },
		{ .code = MREGION_OP_SET_FLAGS, .id = 99 },
		{ .code = MREGION_OP_SET_ALIAS, .id = 99 },
		{ .code = MREGION_OP_SET_CONSTRAINTS, .id = 99 },
		{ .code = MREGION_OP_SPACE_FREE, .id = 99 },
	};
	const char *reason;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		reason = mregion_reason(&ops[i], NULL, ENOENT);
		ASSERT_NE(NULL, reason);
		EXPECT_STREQ(ops[i].code == MREGION_OP_SPACE_FREE ?
			     "there is no such space" :
			     "there is no such region", reason);
	}
}

TEST_HARNESS_MAIN
