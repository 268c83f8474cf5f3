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

TEST_F(transaction, slots)
{
	struct mregion_region *ram, *rom;
	struct mregion_space *space;
	struct mregion_range ranges[2] = {
		{ .last = 0x17ff, .kind = MREGION_RAM,
		  .flags = MREGION_RANGE_LOG_DIRTY },
		{ .start = 0x2800, .last = 0x3fff, .offset = 0x800,
		  .kind = MREGION_ROM },
	};
	struct mregion_slot slots[3] = { 0 };
	struct mregion_vm *vm;

	ram = mregion_new_ram(&self->machine, MREGION_RAM, "ram", 0x4000);
	rom = mregion_new_ram(&self->machine, MREGION_ROM, "rom", 0x4000);
	ASSERT_NE(NULL, ram);
	ASSERT_NE(NULL, rom);
	ranges[0].region = mregion_id(ram);
	ranges[1].region = mregion_id(rom);
	fixture_view = ranges;
	fixture_view_nr = 2;
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
				  self->root, MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, space);
	vm = attach(&self->machine, space, 4);
	ASSERT_NE(NULL, vm);

	EXPECT_EQ(2, mregion_vm_slots(vm, NULL, 0));
	EXPECT_EQ(2, mregion_vm_slots(vm, slots, 1));
	EXPECT_EQ(NULL, slots[1].region);
	EXPECT_EQ(2, mregion_vm_slots(vm, slots, 3));
	EXPECT_EQ(NULL, slots[2].region);
	EXPECT_EQ(0, slots[0].gpa);
	EXPECT_EQ(0x1000, slots[0].size);
	EXPECT_EQ(0, slots[0].offset);
	EXPECT_EQ(ram, slots[0].region);
	EXPECT_EQ(FIRST_SLOT, slots[0].slot);
	EXPECT_EQ(KVM_MEM_LOG_DIRTY_PAGES, slots[0].flags);
	EXPECT_EQ(0x3000, slots[1].gpa);
	EXPECT_EQ(0x1000, slots[1].size);
	EXPECT_EQ(0x1000, slots[1].offset);
	EXPECT_EQ(rom, slots[1].region);
	EXPECT_EQ(FIRST_SLOT + 1, slots[1].slot);
	EXPECT_EQ(KVM_MEM_READONLY, slots[1].flags);

	/* Freed, yet KVM has it. */
	fixture_stuck_slot = FIRST_SLOT + 1;
	fixture_view_nr = 1;
	EXPECT_EQ(0, mregion_free(rom));
	EXPECT_EQ(-ENOMEM, mregion_vm_slots_error(vm));
	EXPECT_EQ(2, mregion_vm_slots(vm, slots, 3));
	EXPECT_EQ(0x3000, slots[1].gpa);
	EXPECT_EQ(NULL, slots[1].region);
	fixture_stuck_slot = -1;
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
	EXPECT_NE(NULL, strstr(mregion_error(), "set memory slot 8"));
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

static struct mregion_op_space space_set;

static void look_at_space(const struct mregion_commit *commit)
{
	const struct mregion_op *ops = (void *)(uintptr_t)commit->ops;

	space_set = ops[commit->nr_ops - 1].space;
}

/* Root and policy are changed apart, though the kernel changes them as one. */
TEST_F(transaction, space_set)
{
	struct mregion_region *other;
	struct mregion_space *space;

	other = mregion_new_container(&self->machine, "other", 16);
	space = mregion_new_space(&self->machine, MREGION_BUS_MEMORY,
				  self->root, MREGION_POLICY_EXIT);
	ASSERT_NE(NULL, other);
	ASSERT_NE(NULL, space);
	fixture_commit = look_at_space;
	EXPECT_EQ(0, mregion_space_set_unassigned(space, MREGION_POLICY_ONES));
	EXPECT_EQ(mregion_id(self->root), space_set.root);
	EXPECT_EQ(MREGION_POLICY_ONES, space_set.unassigned);
	EXPECT_EQ(MREGION_POLICY_ONES, atomic_load(&space->unassigned));

	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_space_set_root(space, other));
	EXPECT_EQ(0, mregion_space_set_unassigned(space,
						  MREGION_POLICY_ZEROES));
	EXPECT_EQ(MREGION_POLICY_ONES, atomic_load(&space->unassigned));
	mregion_abort(&self->machine);
	EXPECT_EQ(MREGION_POLICY_ONES, atomic_load(&space->unassigned));

	EXPECT_EQ(0, mregion_space_set_root(space, other));
	EXPECT_EQ(mregion_id(other), space_set.root);
	EXPECT_EQ(MREGION_POLICY_ONES, space_set.unassigned);

	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_space_set_root(space, self->root));
	EXPECT_EQ(0, mregion_space_set_unassigned(space,
						  MREGION_POLICY_ZEROES));
	EXPECT_EQ(0, mregion_commit(&self->machine));
	EXPECT_EQ(mregion_id(self->root), space_set.root);
	EXPECT_EQ(MREGION_POLICY_ZEROES, space_set.unassigned);
	EXPECT_EQ(MREGION_POLICY_ZEROES, atomic_load(&space->unassigned));

	fixture_refuse = -EINVAL;
	EXPECT_EQ(-EINVAL, mregion_space_set_root(space, other));
	EXPECT_EQ(-EINVAL, mregion_space_set_unassigned(space,
							MREGION_POLICY_ONES));
	EXPECT_EQ(mregion_id(self->root), space_set.root);
	EXPECT_EQ(MREGION_POLICY_ZEROES, atomic_load(&space->unassigned));
}

static uint32_t commit_flags, commit_nr;

static void look_at_flags(const struct mregion_commit *commit)
{
	commit_flags = commit->flags;
	commit_nr = commit->nr_ops;
}

TEST_F(transaction, dry_run)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *region;

	EXPECT_EQ(-EINVAL, mregion_commit_dry_run(machine));
	fixture_commit = look_at_flags;
	mregion_begin(machine);
	region = mregion_new_container(machine, "region", 16);
	fixture_refuse = -ENOSPC;
	EXPECT_EQ(-ENOSPC, mregion_commit_dry_run(machine));
	EXPECT_EQ(MREGION_COMMIT_DRY_RUN, commit_flags);
	fixture_refuse = 0;
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_map(self->root, region, 0, 0));
	EXPECT_EQ(0, mregion_commit_dry_run(machine));
	EXPECT_EQ(2, commit_nr);
	EXPECT_EQ(0, mregion_commit(machine));
	EXPECT_EQ(0, mregion_commit(machine));
	EXPECT_EQ(0, commit_flags);
	EXPECT_EQ(2, commit_nr);
	EXPECT_EQ(region, mregion_region_by_id(machine, mregion_id(region)));

	mregion_begin(machine);
	mregion_unmap(NULL);
	commit_flags = UINT32_MAX;
	EXPECT_EQ(-EINVAL, mregion_commit_dry_run(machine));
	EXPECT_EQ(-EINVAL, mregion_commit(machine));
	EXPECT_EQ(UINT32_MAX, commit_flags);
}

/* Changes of what could not be created fail with the commit, and so say why. */
TEST_F(transaction, null_handles)
{
	static const struct mregion_constraints constraints;
	static const struct mregion_doorbell doorbell = { .eventfd = -1 };
	static const struct mregion_ops ops;
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *root = self->root;
	struct mregion_space *space;
	unsigned int commits, i = 0;

	space = mregion_new_space(machine, MREGION_BUS_MEMORY, root,
				  MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, space);
	commits = fixture_nr_commits;

#define REFUSED(change) do { \
	mregion_begin(machine); \
	(void)(change); \
	EXPECT_EQ(-EINVAL, mregion_commit(machine)) \
		TH_LOG("%s", #change); \
	EXPECT_NE(NULL, strstr(mregion_error(), "a handle is NULL")); \
	i++; \
} while (0)
	REFUSED(mregion_map(root, NULL, 0, 0));
	REFUSED(mregion_map(NULL, root, 0, 0));
	REFUSED(mregion_map(NULL, NULL, 0, 0));
	REFUSED(mregion_map_exclusive(root, NULL, 0, 0));
	REFUSED(mregion_unmap(NULL));
	REFUSED(mregion_move(NULL, 0));
	REFUSED(mregion_resize(NULL, 0));
	REFUSED(mregion_set_enabled(NULL, true));
	REFUSED(mregion_set_readonly(NULL, true));
	REFUSED(mregion_set_log_dirty(NULL, true));
	REFUSED(mregion_set_romd(NULL, true));
	REFUSED(mregion_set_flags(NULL, 0, 0));
	REFUSED(mregion_set_alias_offset(NULL, 0));
	REFUSED(mregion_set_constraints(NULL, &constraints));
	REFUSED(mregion_set_constraints(root, NULL));
	REFUSED(mregion_set_server(NULL, NULL));
	REFUSED(mregion_coalesce(root, 0, 1, NULL));
	REFUSED(mregion_coalesce(NULL, 0, 1, NULL));
	REFUSED(mregion_uncoalesce(root, 0, 1, NULL));
	REFUSED(mregion_post(root, 0, 1, NULL));
	REFUSED(mregion_post(NULL, 0, 1, NULL));
	REFUSED(mregion_unpost(root, 0, 1, NULL));
	REFUSED(mregion_add_doorbell(NULL, &doorbell));
	REFUSED(mregion_add_doorbell(root, NULL));
	REFUSED(mregion_del_doorbell(NULL, &doorbell));
	REFUSED(mregion_add_shadow(root, 0, 1, NULL, 0, 0, -1));
	REFUSED(mregion_del_shadow(NULL, 0, 1, NULL, 0, 0, -1));
	REFUSED(mregion_new_alias(machine, "alias", NULL, 0, 1));
	REFUSED(mregion_new_mmio(machine, "mmio", 1, NULL, NULL));
	REFUSED(mregion_new_romd(machine, "romd", 1, NULL, NULL));
	REFUSED(mregion_new_space(machine, MREGION_BUS_PIO, NULL, 0));
	REFUSED(mregion_space_set_root(space, NULL));
	REFUSED(mregion_space_set_root(NULL, root));
	REFUSED(mregion_space_set_unassigned(NULL, MREGION_POLICY_ONES));
	EXPECT_EQ(34, i);

	/* What could not be created is the reason, not that it is missing. */
	mregion_begin(machine);
	EXPECT_EQ(-EINVAL, mregion_map(root, mregion_new_mmio(machine,
		"a name of more than sixty-three bytes, which is what there is room for",
		1, &ops, NULL), 0, 0));
	EXPECT_EQ(-EINVAL, mregion_commit(machine));
	EXPECT_NE(NULL, strstr(mregion_error(), "its name is longer"));
	EXPECT_EQ(commits, fixture_nr_commits);

	/* There is nothing left of it, and outside of one it is refused too. */
	EXPECT_EQ(-EINVAL, mregion_unmap(NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, mregion_set_enabled(root, false));
	EXPECT_EQ(commits + 1, fixture_nr_commits);
}

/* Of two machines, both transactions that are open; not one that is over. */
TEST_F(transaction, null_of_two_machines)
{
	struct mregion_machine other;

	fixture_init(&other);
	fixture_ioctl = fixture_kernel;
	mregion_begin(&self->machine);
	mregion_begin(&other);
	EXPECT_EQ(-EINVAL, mregion_unmap(NULL));
	EXPECT_EQ(-EINVAL, mregion_commit(&self->machine));
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_commit(&self->machine));
	EXPECT_EQ(-EINVAL, mregion_commit(&other));
	fixture_destroy(&other);
}

static uint32_t commit_may_fail;	/* a bit for each operation */

static void look_at_codes(const struct mregion_commit *commit)
{
	const struct mregion_op *ops = (void *)(uintptr_t)commit->ops;
	uint32_t i;

	look_at_flags(commit);
	commit_may_fail = 0;
	for (i = 0; i < commit->nr_ops; i++)
		if (ops[i].code & MREGION_OP_MAY_FAIL)
			commit_may_fail |= 1u << i;
}

/* What fails alone has not happened, and is told of; the rest has. */
TEST_F(transaction, may_fail)
{
	static const int results[] = { 0, -ENOSPC, -ENOENT, 0, -ENOSPC };
	static const struct mregion_doorbell bell = { .eventfd = 0, .len = 4 };
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *here, *lost;
	unsigned int commits;
	int ret[4];

	EXPECT_EQ(-EINVAL, mregion_may_fail(machine, ret));
	EXPECT_NE(NULL, strstr(mregion_error(), "no begin"));
	fixture_commit = look_at_codes;
	fixture_results = results;

	mregion_begin(machine);
	here = mregion_new_container(machine, "here", 16);
	memset(ret, 0x5a, sizeof(ret));
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[0]));
	EXPECT_EQ(0, ret[0]);
	lost = mregion_new_container(machine, "lost", 16);
	ASSERT_NE(NULL, lost);
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[1]));
	EXPECT_EQ(0, mregion_map(self->root, lost, 0, 0));
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[2]));
	EXPECT_EQ(0, mregion_map(self->root, here, 0, 0));
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	EXPECT_EQ(0, mregion_add_doorbell(here, &bell));
	/* A dry run knows as much, and settles nothing. */
	EXPECT_EQ(0, mregion_commit_dry_run(machine));
	EXPECT_EQ(-ENOSPC, ret[0]);
	EXPECT_EQ(-ENOENT, ret[1]);
	EXPECT_EQ(0, ret[2]);
	memset(ret, 0x5a, sizeof(ret));
	EXPECT_EQ(0, mregion_commit(machine));
	EXPECT_EQ(0x1e, commit_may_fail);
	EXPECT_EQ(-ENOSPC, ret[0]);
	EXPECT_EQ(-ENOENT, ret[1]);
	EXPECT_EQ(0, ret[2]);
	EXPECT_STREQ("create 'lost': the machine has max_regions regions (ENOSPC)",
		     mregion_error());
	EXPECT_EQ(here, mregion_region_by_id(machine, mregion_id(here)));
	EXPECT_EQ(NULL, mregion_region_by_id(machine, mregion_id(lost)));
	commits = fixture_nr_commits;
	EXPECT_EQ(0, mregion_free(lost));
	EXPECT_EQ(commits, fixture_nr_commits);

	/* It is over with the transaction, whatever was left of it. */
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	mregion_abort(machine);
	EXPECT_EQ(0, mregion_unmap(here));
	EXPECT_EQ(0, commit_may_fail);
}

/* One call is marked, whatever comes of it: no other is instead. */
TEST_F(transaction, may_fail_once)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *region, *undone;
	struct mregion_space *space;
	int ret[3];

	mregion_begin(machine);
	undone = mregion_new_container(machine, "undone", 16);
	space = mregion_new_space(machine, MREGION_BUS_PIO, undone, 0);
	mregion_abort(machine);
	fixture_commit = look_at_codes;

	/* What cannot even be collected fails alone as well. */
	mregion_begin(machine);
	region = mregion_new_container(machine, "region", 16);
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[0]));
	EXPECT_EQ(NULL, mregion_new_alias(machine, "alias", region, 0, 0));
	EXPECT_EQ(-EINVAL, ret[0]);
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[1]));
	EXPECT_EQ(-EINVAL, mregion_map(self->root, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, ret[1]);
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[2]));
	EXPECT_EQ(NULL, mregion_new_ram(machine, MREGION_MMIO, "x", 1));
	EXPECT_EQ(-EINVAL, ret[2]);
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	EXPECT_EQ(0, mregion_free(NULL));
	EXPECT_EQ(0, mregion_set_enabled(region, false));
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	EXPECT_EQ(0, mregion_free(undone));
	EXPECT_EQ(0, mregion_set_enabled(region, true));
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	EXPECT_EQ(0, mregion_space_free(NULL));
	EXPECT_EQ(0, mregion_set_enabled(region, true));
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	EXPECT_EQ(0, mregion_space_free(space));
	EXPECT_EQ(0, mregion_set_enabled(region, true));
	EXPECT_EQ(0, mregion_may_fail(machine, NULL));
	EXPECT_EQ(0, mregion_set_enabled(region, true));
	EXPECT_EQ(0, mregion_set_enabled(region, true));
	EXPECT_EQ(0, mregion_commit(machine));
	EXPECT_EQ(7, commit_nr);
	EXPECT_EQ(1 << 5, commit_may_fail);

	/* That of a transaction within another is the outer one's, too. */
	mregion_begin(machine);
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[0]));
	EXPECT_EQ(-EINVAL, mregion_unmap(NULL));
	EXPECT_EQ(0, mregion_commit(machine));
	EXPECT_EQ(0, mregion_commit(machine));
	/* An abort within it is nobody's change. */
	mregion_begin(machine);
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_may_fail(machine, &ret[0]));
	mregion_abort(machine);
	EXPECT_EQ(-ECANCELED, mregion_commit(machine));
	EXPECT_EQ(0, ret[0]);
}

/* Nothing is carried out: then that is what has become of each change. */
TEST_F(transaction, may_fail_in_vain)
{
	static const int results[] = { -EEXIST, 0, 0 };
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *lost = NULL;
	int i, ret[2];

	fixture_results = results;
	fixture_refuse = -ENOENT;
	fixture_failed = 2;
	for (i = 0; i < 3; i++) {
		mregion_begin(machine);
		mregion_may_fail(machine, &ret[0]);
		lost = mregion_new_container(machine, "lost", 16);
		mregion_may_fail(machine, &ret[1]);
		mregion_move(self->root, 1);
		if (i == 0)
			mregion_map(self->root, lost, 0, 0);
		else if (i == 1)
			mregion_map(lost, self->root, 0, 0);
		else
			mregion_new_alias(machine, "alias", lost, 0, 16);
		EXPECT_EQ(-ENOENT, mregion_commit(machine));
		EXPECT_EQ(-EEXIST, ret[0]);
		EXPECT_EQ(-ENOENT, ret[1]);
		EXPECT_NE(NULL, strstr(mregion_error(),
			": 'lost' was not created, which may fail alone (ENOENT)"))
			TH_LOG("%s", mregion_error());
		EXPECT_EQ(0, mregion_free(lost));
	}

	mregion_begin(machine);
	mregion_may_fail(machine, &ret[0]);
	mregion_move(self->root, 1);
	mregion_abort(machine);
	EXPECT_EQ(-ECANCELED, ret[0]);
}

/* Of several changes of the same thing, some fail. */
TEST_F(transaction, may_fail_of_several)
{
	static const uint64_t lens[] = { 8192, 16384, 4096, 32768 };
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *ram, *other;
	struct mregion_space *space;
	unsigned int mask, i, last;
	int results[4];
	uint8_t *ptr;
	uint64_t len;

	space = mregion_new_space(machine, MREGION_BUS_MEMORY, self->root,
				  MREGION_POLICY_EXIT);
	other = mregion_new_container(machine, "other", 16);
	ASSERT_NE(NULL, space);
	ASSERT_NE(NULL, other);
	fixture_results = results;
	for (mask = 0; mask < 16; mask++) {
		ram = mregion_new_ram(machine, MREGION_RAM, "ram", 4096);
		ASSERT_NE(NULL, ram);
		ptr = mregion_ram_ptr(ram);
		len = 4096;
		mregion_begin(machine);
		for (i = 0; i < 4; i++) {
			mregion_may_fail(machine, NULL);
			EXPECT_EQ(0, mregion_resize(ram, lens[i]));
			results[i] = mask & 1 << i ? -EINVAL : 0;
			if (results[i])
				continue;
			len = lens[i];
			ptr = mregion_ram_ptr(ram);
		}
		EXPECT_EQ(32768, atomic_load(&ram->len));
		EXPECT_EQ(0, mregion_commit(machine));
		EXPECT_EQ(len, atomic_load(&ram->len));
		EXPECT_EQ(ptr, mregion_ram_ptr(ram));
		if (len)
			ptr[len - 1] = 1;	/* the sanitizers look */
		EXPECT_EQ(0, mregion_free(ram));
	}

	/* Root and policy; what follows begins with what has happened. */
	for (mask = 0; mask < 4; mask++) {
		fixture_results = NULL;
		EXPECT_EQ(0, mregion_space_set_root(space, self->root));
		EXPECT_EQ(0, mregion_space_set_unassigned(space,
							  MREGION_POLICY_EXIT));
		fixture_results = results;
		results[0] = mask & 1 ? -ENOENT : 0;
		results[1] = mask & 2 ? -ENOENT : 0;
		mregion_begin(machine);
		mregion_may_fail(machine, NULL);
		mregion_space_set_root(space, other);
		mregion_may_fail(machine, NULL);
		mregion_space_set_unassigned(space, MREGION_POLICY_ONES);
		EXPECT_EQ(0, mregion_commit(machine));
		/* The kernel is told both each time. */
		last = mask == 3 ? mregion_id(self->root) : mregion_id(other);
		EXPECT_EQ(last, space->root);
		EXPECT_EQ(last, space->next_root);
		last = mask & 2 ? MREGION_POLICY_EXIT : MREGION_POLICY_ONES;
		EXPECT_EQ(last, space->next_unassigned);
		EXPECT_EQ(last, atomic_load(&space->unassigned));
	}
}

/* Who is in the way is told by name, or by ID if it is not the library's. */
TEST_F(transaction, map_exclusive)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *a, *b;

	a = mregion_new_container(machine, "a", 16);
	b = mregion_new_container(machine, "b", 16);
	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	fixture_refuse = -EEXIST;
	fixture_failed = 0;
	fixture_occupant = mregion_id(b);
	EXPECT_EQ(-EEXIST, mregion_map_exclusive(self->root, a, 0x1000, 0));
	EXPECT_STREQ("map 'a' into 'root' at 0x1000: 'b' is there (EEXIST)",
		     mregion_error());
	fixture_occupant = 0x7000;
	EXPECT_EQ(-EEXIST, mregion_map_exclusive(self->root, a, 0x1000, 0));
	EXPECT_STREQ("map 'a' into 'root' at 0x1000: region 28672 is there (EEXIST)",
		     mregion_error());
}

static struct mregion_op last_op;

static void look_at_last(const struct mregion_commit *commit)
{
	const struct mregion_op *ops = (void *)(uintptr_t)commit->ops;

	last_op = ops[commit->nr_ops - 1];
}

/* A length of 0 is not taken for 2^64, but where a container is made. */
TEST_F(transaction, no_length)
{
	static const struct mregion_ops ops;
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *root = self->root, *region;
	static char page[4096] __attribute__((aligned(4096)));
	unsigned int commits = fixture_nr_commits;

#define NO_LENGTH(change) do { \
	errno = 0; \
	(void)(change); \
	EXPECT_EQ(EINVAL, errno) \
		TH_LOG("%s", #change); \
	EXPECT_NE(NULL, strstr(mregion_error(), "no region has a length of 0")); \
	EXPECT_NE(NULL, strstr(mregion_error(), "mregion_set_enabled()")); \
} while (0)
	NO_LENGTH(mregion_new_alias(machine, "x", root, 0, 0));
	NO_LENGTH(mregion_new_mmio(machine, "x", 0, &ops, NULL));
	NO_LENGTH(mregion_new_reservation(machine, "x", 0));
	NO_LENGTH(mregion_new_ram(machine, MREGION_RAM, "x", 0));
	NO_LENGTH(mregion_new_ram(machine, MREGION_ROM, "x", 0));
	NO_LENGTH(mregion_new_ram_from_fd(machine, MREGION_RAM, "x", 0, 0, 0));
	NO_LENGTH(mregion_new_ram_from_ptr(machine, MREGION_RAM, "x", 0, page));
	NO_LENGTH(mregion_new_romd(machine, "x", 0, &ops, NULL));
	NO_LENGTH(mregion_new_romd_from_fd(machine, "x", 0, &ops, NULL, 0, 0));
	NO_LENGTH(mregion_new_romd_from_ptr(machine, "x", 0, &ops, NULL, page));
	NO_LENGTH(mregion_resize(root, 0));
	EXPECT_EQ(commits, fixture_nr_commits);

	fixture_commit = look_at_last;
	region = mregion_new_container(machine, "x", 0);
	EXPECT_EQ(0, last_op.create.len);
	EXPECT_EQ(0, mregion_resize(region, 16));
	EXPECT_EQ(16, last_op.len);
	EXPECT_EQ(0, mregion_resize(region, MREGION_WHOLE));
	EXPECT_EQ(0, last_op.len);
	EXPECT_EQ(0, atomic_load(&region->len));
	region = mregion_new_container(machine, "x", MREGION_WHOLE);
	EXPECT_EQ(0, last_op.create.len);
	region = mregion_new_alias(machine, "x", root, 0, MREGION_WHOLE);
	EXPECT_EQ(MREGION_ALIAS, last_op.create.kind);
	EXPECT_EQ(0, last_op.create.len);
	EXPECT_EQ(0, atomic_load(&region->len));
	region = mregion_new_mmio(machine, "x", MREGION_WHOLE, &ops, NULL);
	EXPECT_EQ(0, last_op.create.len);
	region = mregion_new_reservation(machine, "x", MREGION_WHOLE);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(MREGION_RESERVATION, last_op.create.kind);
	EXPECT_EQ(0, last_op.create.len);
}

TEST_HARNESS_MAIN
