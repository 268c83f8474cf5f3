// SPDX-License-Identifier: GPL-2.0
/*
 * Modules that are older or newer than the library: another base interface, fewer
 * features, features that nobody here knows, shorter and longer structures.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "flat_copy.h"
#include "shadow.h"

/* What a newer module has, and its structures. */
#define NEWER_FEATURES	(1ull << 17 | 1ull << 63)
#define NEWER_BYTES	64

static struct {
	uint32_t abi_version;
	uint64_t features;
	/* Of struct mregion_info: as long as the module's is. */
	uint32_t info_size;
	/* What the library has called, and has said that the size is. */
	unsigned int attached, commits;
	uint32_t op_size;
	/* Said to all but MREGION_INFO, or 0. */
	int err;
} module;

/* As copy_struct_from_user() and copy_to_user() of the module have it. */
static int info(struct mregion_info *user)
{
	struct {
		struct mregion_info info;
		uint8_t more[NEWER_BYTES];
	} own;
	const uint8_t *bytes = (const uint8_t *)user;
	uint32_t i, size = user->size;

	for (i = module.info_size; i < size; i++)
		if (bytes[i])
			return -E2BIG;
	memset(&own, 0x5a, sizeof(own));
	own.info.size = size;
	own.info.abi_version = module.abi_version;
	own.info.features = module.features;
	own.info.max_regions = 1000;
	memcpy(user, &own, size < module.info_size ? size : module.info_size);
	return 0;
}

static int module_ioctl(unsigned long request, void *arg)
{
	if (request == MREGION_INFO)
		return info(arg);
	if (module.err)
		return module.err;
	switch (request) {
	case MREGION_ATTACH:
		module.attached++;
		return 0;
	case MREGION_COMMIT:
		module.commits++;
		module.op_size = ((struct mregion_commit *)arg)->op_size;
		return fixture_kernel(request, arg);
	default:
		return fixture_kernel(request, arg);
	}
}

FIXTURE(features)
{
	struct mregion_machine *machine;
};

FIXTURE_SETUP(features)
{
	memset(&module, 0, sizeof(module));
	module.abi_version = MREGION_ABI_VERSION;
	module.features = MREGION_FEATURE_ATTACH;
	module.info_size = sizeof(struct mregion_info);
	fixture_ioctl = module_ioctl;
	self->machine = NULL;
}

FIXTURE_TEARDOWN(features)
{
	mregion_machine_close(self->machine);
}

/* The ioctls come to the fixture, whatever is open. */
#define OPEN() mregion_machine_open("/dev/null")

#define EXPECT_ERROR(text) EXPECT_NE(NULL, strstr(mregion_error(), text))

static struct mregion_vm *attach(struct mregion_machine *machine)
{
	const struct mregion_attach_params params = { .vm_fd = -1 };

	return mregion_attach(machine, &params);
}

TEST_F(features, same)
{
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	EXPECT_EQ(1000, mregion_machine_info(self->machine)->max_regions);
	EXPECT_EQ(0, mregion_require(self->machine, 0));
	EXPECT_EQ(0, mregion_require(self->machine, MREGION_FEATURE_ATTACH));
	EXPECT_NE(NULL, attach(self->machine));
	EXPECT_EQ(1, module.attached);
}

/* What needs the feature fails, says which, and asks for nothing. The rest works. */
TEST_F(features, fewer)
{
	module.features = 0;
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);

	EXPECT_EQ(NULL, attach(self->machine));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_STREQ("attach to a virtual machine: the mregion module that is loaded lacks: attach (EOPNOTSUPP)",
		     mregion_error());
	EXPECT_EQ(0, module.attached);

	EXPECT_NE(NULL, mregion_new_container(self->machine, "c", 0));
	EXPECT_EQ(1, module.commits);
}

/* What a commit has changed is asked for, or found by reading views. */
static void views_follow(struct __test_metadata *_metadata,
			 struct mregion_machine *machine)
{
	struct mregion_range ranges[2] = {
		{ .last = 0xfff, .kind = MREGION_RAM },
		{ .start = 0x2000, .last = 0x3fff, .kind = MREGION_RAM },
	};
	struct mregion_attach_params params = {
		.vm_fd = -1, .first_slot = 8, .nr_slots = 4,
	};
	struct mregion_region *root, *ram;

	fixture_nr_commits = 0;
	fixture_nr_calls = 0;
	fixture_nr_changes = 0;
	fixture_nr_views = 0;
	fixture_view_nr = 0;
	root = mregion_new_container(machine, "root", 0);
	ram = mregion_new_ram(machine, MREGION_RAM, "ram", 0x4000);
	params.memory = mregion_new_space(machine, MREGION_BUS_MEMORY, root,
					  MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, root);
	ASSERT_NE(NULL, ram);
	ASSERT_NE(NULL, params.memory);
	ASSERT_NE(NULL, mregion_attach(machine, &params));
	EXPECT_EQ(0, fixture_nr_calls);
	ranges[0].region = mregion_id(ram);
	ranges[1].region = mregion_id(ram);
	fixture_view = ranges;
	fixture_view_nr = 2;
	EXPECT_EQ(0, mregion_map(root, ram, 0, 0));
	EXPECT_EQ(2, machine->spaces->flat.tree.nr);
	EXPECT_EQ(2, fixture_nr_calls);
	/* what is the same stays, what is gone goes */
	fixture_view_nr = 1;
	EXPECT_EQ(0, mregion_unmap(ram));
	EXPECT_EQ(1, machine->spaces->flat.tree.nr);
	ASSERT_EQ(3, fixture_nr_calls);
	EXPECT_EQ(0, fixture_calls[2].memory_size);
	EXPECT_EQ(0x2000, fixture_calls[2].guest_phys_addr);
	fixture_view_nr = 0;
	EXPECT_EQ(0, mregion_map(root, ram, 0, 0));
	EXPECT_EQ(0, machine->spaces->flat.tree.nr);
	EXPECT_TRUE(machine->spaces->flat.valid);
	EXPECT_EQ(4, fixture_nr_calls);
}

TEST_F(features, changes)
{
	module.features |= MREGION_FEATURE_CHANGES;
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	views_follow(_metadata, self->machine);
	EXPECT_LT(0, fixture_nr_changes);
	EXPECT_EQ(0, fixture_nr_views);
}

TEST_F(features, no_changes)
{
	unsigned int views;

	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	views_follow(_metadata, self->machine);
	EXPECT_EQ(0, fixture_nr_changes);
	EXPECT_LT(0, fixture_nr_views);
	/* Of a view that is as it was, its generation is enough. */
	views = fixture_nr_views;
	fixture_nr_commits--;
	EXPECT_NE(NULL, mregion_new_container(self->machine, "c", 0));
	EXPECT_EQ(views + 1, fixture_nr_views);
	EXPECT_TRUE(self->machine->spaces->flat.valid);
}

/* All that are missing are named, and no other. */
TEST_F(features, require)
{
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	EXPECT_EQ(-EOPNOTSUPP, mregion_require(self->machine, NEWER_FEATURES |
					       MREGION_FEATURE_ATTACH));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_ERROR("lacks: bit 17, bit 63 (");

	self->machine->info.features = 0;
	EXPECT_EQ(-EOPNOTSUPP, mregion_require(self->machine, ~0ull >> 32));
	EXPECT_ERROR("lacks: attach, changes, views, smm, fast, indexed, bit 6, ");
	EXPECT_ERROR(", bit 30, bit 31 (EOPNOTSUPP)");

	/* Of more than there is room for, the rest is cut off. */
	EXPECT_EQ(-EOPNOTSUPP, mregion_require(self->machine, ~0ull));
	EXPECT_ERROR("lacks: attach, changes, views, smm, fast, indexed, bit 6, ");
}

/* Of a newer module all is taken that is known, and no more. */
TEST_F(features, newer_module)
{
	module.features |= NEWER_FEATURES;
	module.info_size += NEWER_BYTES;
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	EXPECT_EQ(sizeof(struct mregion_info), self->machine->info.size);
	EXPECT_EQ(4096, self->machine->page_size);
	EXPECT_EQ(0, mregion_require(self->machine, NEWER_FEATURES));
	EXPECT_NE(NULL, attach(self->machine));
	EXPECT_NE(NULL, mregion_new_container(self->machine, "c", 0));
	EXPECT_EQ(sizeof(struct mregion_op), module.op_size);
}

static struct mregion_rule last_rule;

static void note_rule(const struct mregion_commit *commit)
{
	const struct mregion_op *ops = (void *)(uintptr_t)commit->ops;

	last_rule = ops[commit->nr_ops - 1].rule;
}

/* What the module has no fast way for rings all the same. */
TEST_F(features, fast_doorbells)
{
	static const struct mregion_ops ops;
	struct mregion_doorbell bell = {
		.offset = 8, .any_len = true, .fast = true,
	};
	struct mregion_region *region;

	module.features |= MREGION_FEATURE_FAST;
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	region = mregion_new_mmio(self->machine, "device", 0x100, &ops, NULL);
	ASSERT_NE(NULL, region);
	fixture_commit = note_rule;
	EXPECT_EQ(0, mregion_add_doorbell(region, &bell));
	EXPECT_EQ(MREGION_RULE_ANY_LEN | MREGION_RULE_FAST, last_rule.flags);
	self->machine->info.features &= ~(uint64_t)MREGION_FEATURE_FAST;
	EXPECT_EQ(0, mregion_add_doorbell(region, &bell));
	EXPECT_EQ(MREGION_RULE_ANY_LEN, last_rule.flags);
	EXPECT_EQ(0, mregion_del_doorbell(region, &bell));
	EXPECT_EQ(MREGION_RULE_ANY_LEN, last_rule.flags);
	/* a mistake is one with any module */
	bell.any_len = false;
	EXPECT_EQ(0, mregion_add_doorbell(region, &bell));
	EXPECT_EQ(MREGION_RULE_FAST, last_rule.flags);
}

/* All of a pair: how many of these calls the kernel has refused. */
static int change_all(struct mregion_region *region,
		      const struct mregion_pair *pair,
		      const struct mregion_indexed *indexed)
{
	struct mregion_shadow *shadow = pair->index;

	return !!mregion_add_pair(region, pair) +
	       !!mregion_add_indexed(region, indexed) +
	       !!mregion_show_in_pair(region, pair, 0, 0xff, 0xff, shadow, 0) +
	       !!mregion_hide_in_pair(region, pair, 0, 0xff, 0xff, shadow, 0) +
	       !!mregion_del_indexed(region, indexed) +
	       !!mregion_del_pair(region, pair);
}

/* Data registers that the module does not know are the device's, as before. */
TEST_F(features, data_registers)
{
	static const struct mregion_ops ops;
	struct mregion_shadow shadow = { .id = 7 };
	struct mregion_pair pair = { .index = &shadow, .offset = 8 };
	struct mregion_indexed indexed = {
		.len = 1, .index = &shadow, .shadow = &shadow, .eventfd = -1,
	};
	struct mregion_region *region;
	unsigned int commits;
	int result = 1;

	module.features |= MREGION_FEATURE_INDEXED;
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	region = mregion_new_mmio(self->machine, "device", 0x100, &ops, NULL);
	ASSERT_NE(NULL, region);
	commits = module.commits;
	EXPECT_EQ(0, change_all(region, &pair, &indexed));
	EXPECT_EQ(commits + 6, module.commits);
	EXPECT_EQ(0, region->nr_asked);

	self->machine->info.features &= ~(uint64_t)MREGION_FEATURE_INDEXED;
	EXPECT_EQ(0, change_all(region, &pair, &indexed));
	EXPECT_EQ(commits + 6, module.commits);
	EXPECT_EQ(0, region->nr_asked);
	/* what was to fail alone has not: the next change is another */
	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_may_fail(self->machine, &result));
	EXPECT_EQ(0, mregion_add_pair(region, &pair));
	EXPECT_EQ(-EINVAL, mregion_map(NULL, region, 0, 0));
	EXPECT_EQ(-EINVAL, mregion_commit(self->machine));
	EXPECT_EQ(0, result);
	/* a mistake is one with any module */
	pair.kind = MREGION_PAIR_IOAPIC + 1;
	EXPECT_EQ(4, change_all(region, &pair, &indexed));
	EXPECT_ERROR("delete an index register of 'device': there is no pair of kind 4 (EINVAL)");
	EXPECT_EQ(-EINVAL, mregion_add_pair(region, NULL));
	EXPECT_EQ(-EINVAL, mregion_add_indexed(region, NULL));
	EXPECT_EQ(commits + 6, module.commits);
}

/* What the kernel is told of each kind of pair. */
TEST_F(features, pairs)
{
	static const struct mregion_ops ops;
	struct mregion_shadow shadow = { .id = 7 }, values = { .id = 8 };
	const struct mregion_index *index = &last_rule.index;
	struct mregion_pair pair = {
		.kind = MREGION_PAIR_PCI, .index = &shadow, .index_offset = 0x20,
	};
	struct mregion_region *region;

	module.features |= MREGION_FEATURE_INDEXED;
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	region = mregion_new_mmio(self->machine, "device", 0x100, &ops, NULL);
	ASSERT_NE(NULL, region);
	fixture_commit = note_rule;

	EXPECT_EQ(0, mregion_add_pair(region, &pair));
	EXPECT_EQ(MREGION_RULE_READ | MREGION_RULE_WRITE, last_rule.flags);
	EXPECT_EQ(0, last_rule.offset);
	EXPECT_EQ(4, last_rule.len);
	EXPECT_EQ(4, last_rule.access_len);
	EXPECT_EQ(7, last_rule.shadow);
	EXPECT_EQ(0x20, last_rule.shadow_offset);
	EXPECT_EQ(0x80000000, mregion_pci_index(0, 0, 0));
	EXPECT_EQ(0x80fffd00, mregion_pci_index(255, 31, 5));
	EXPECT_EQ(0xff000000, mregion_pci_index(256, 0, 0));
	EXPECT_EQ(0xff000000, mregion_pci_index(0, 32, 0));
	EXPECT_EQ(0xff000000, mregion_pci_index(0, 0, 8));
	EXPECT_EQ(0, mregion_show_in_pair(region, &pair, 0x800,
					  mregion_pci_index(0, 1, 0) + 0xff,
					  0xffff, &values, 0x40));
	EXPECT_EQ(MREGION_RULE_READ | MREGION_RULE_INDEXED, last_rule.flags);
	EXPECT_EQ(4, last_rule.offset);
	EXPECT_EQ(4, last_rule.len);
	EXPECT_EQ(0, last_rule.access_len);
	EXPECT_EQ(8, last_rule.shadow);
	EXPECT_EQ(0x40, last_rule.shadow_offset);
	EXPECT_EQ(7, index->shadow);
	EXPECT_EQ(4, index->len);
	EXPECT_EQ(0x20, index->offset);
	EXPECT_EQ(0x80fffffc, index->bits);
	EXPECT_EQ(0x80000800, index->first);
	EXPECT_EQ(0x800008fc, index->last);
	EXPECT_EQ(0xfffc, index->select);
	EXPECT_EQ(0, index->shift);
	/* no function, no range: the kernel sees a bit that is not in @bits */
	EXPECT_EQ(0, mregion_hide_in_pair(region, &pair, 0,
					  mregion_pci_index(0, 32, 0) + 0xff,
					  0xff, &values, 0x40));
	EXPECT_EQ(0xff0000fc, index->last);

	pair.kind = MREGION_PAIR_CMOS;
	EXPECT_EQ(0, mregion_add_pair(region, &pair));
	EXPECT_EQ(MREGION_RULE_WRITE, last_rule.flags);
	EXPECT_EQ(1, last_rule.len);
	EXPECT_EQ(0, mregion_show_in_pair(region, &pair, 0x10, 0x7f, 0x7f,
					  &values, 0));
	EXPECT_EQ(1, last_rule.offset);
	EXPECT_EQ(1, last_rule.len);
	EXPECT_EQ(1, index->len);
	EXPECT_EQ(0x7f, index->bits);
	EXPECT_EQ(0x10, index->first);
	EXPECT_EQ(0x7f, index->last);

	pair.kind = MREGION_PAIR_IOAPIC;
	EXPECT_EQ(0, mregion_add_pair(region, &pair));
	EXPECT_EQ(4, last_rule.len);
	EXPECT_EQ(0, last_rule.access_len);
	EXPECT_EQ(0, mregion_show_in_pair(region, &pair, 1, 1, 0xff, &values, 0));
	EXPECT_EQ(16, last_rule.offset);
	EXPECT_EQ(4, last_rule.len);
	EXPECT_EQ(1, index->len);
	EXPECT_EQ(0xff, index->bits);
	EXPECT_EQ(2, index->shift);
}

/* An older one does not know what is at the end: it is zero when asked, and then. */
TEST_F(features, older_module)
{
	module.info_size = offsetof(struct mregion_info, max_memory);
	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	EXPECT_EQ(0, mregion_machine_info(self->machine)->max_memory);
	EXPECT_EQ(1000, mregion_machine_info(self->machine)->max_regions);
	EXPECT_NE(NULL, attach(self->machine));
}

/* The one thing that opening a machine refuses. */
TEST_F(features, other_base)
{
	module.abi_version = MREGION_ABI_VERSION + 1;
	EXPECT_EQ(NULL, OPEN());
	EXPECT_EQ(EPROTO, errno);
	EXPECT_ERROR("has base interface 4, this program needs 3: the program is too old");

	module.abi_version = MREGION_ABI_VERSION - 1;
	EXPECT_EQ(NULL, OPEN());
	EXPECT_EQ(EPROTO, errno);
	EXPECT_ERROR("has base interface 2, this program needs 3: the module is too old");
}

/* A flag that nobody has a bit for here is the module's to refuse. */
TEST_F(features, not_known)
{
	struct mregion_region *region;

	self->machine = OPEN();
	ASSERT_NE(NULL, self->machine);
	region = mregion_new_container(self->machine, "c", 0);
	ASSERT_NE(NULL, region);
	module.err = -EOPNOTSUPP;
	EXPECT_EQ(-EOPNOTSUPP, mregion_set_flags(region, 1 << 30, 1 << 30));
	EXPECT_ERROR("'c'");
	EXPECT_ERROR("the mregion module that is loaded does not know a flag");
	module.err = 0;
}

TEST_HARNESS_MAIN
