// SPDX-License-Identifier: GPL-2.0
/* Doorbells and shadow registers, set by the library, against the module. */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mregion.h>

#define BASE	0x1000

static const struct mregion_ops ops = {
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

FIXTURE(rules)
{
	struct mregion_machine *machine;
	struct mregion_space *space;
	struct mregion_region *region;
	struct mregion_shadow *shadow;
	uint8_t *bytes;
	int eventfd;
};

FIXTURE_SETUP(rules)
{
	struct mregion_region *root;

	memset(self, 0, sizeof(*self));
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	mregion_begin(self->machine);
	root = mregion_new_container(self->machine, "root", 0);
	self->space = mregion_new_space(self->machine, MREGION_BUS_MEMORY,
					root, MREGION_POLICY_DEFAULT);
	self->region = mregion_new_mmio(self->machine, "device", 0x100, &ops,
					NULL);
	mregion_map(root, self->region, BASE, 0);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	self->shadow = mregion_new_shadow(self->machine, 100);
	ASSERT_NE(NULL, self->shadow)
		TH_LOG("%s", mregion_error());
	self->bytes = mregion_shadow_ptr(self->shadow);
	self->eventfd = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, self->eventfd);
}

FIXTURE_TEARDOWN(rules)
{
	close(self->eventfd);
	mregion_machine_close(self->machine);
}

/* What the kernel makes of an access. Return: an outcome, or an errno. */
static int make(FIXTURE_DATA(rules) *self, uint64_t offset, unsigned int len,
		bool write, uint64_t *data)
{
	struct mregion_access access = {
		.size = sizeof(access),
		.space = mregion_space_id(self->space),
		.addr = BASE + offset,
		.len = len,
		.flags = write ? MREGION_ACCESS_WRITE : 0,
		.data = *data,
		.vcpu = MREGION_NO_VCPU,
	};

	if (ioctl(mregion_machine_fd(self->machine), MREGION_ACCESS, &access))
		return -errno;
	*data = access.data;
	return access.outcome;
}

static int write_to(FIXTURE_DATA(rules) *self, uint64_t offset,
		    unsigned int len, uint64_t data)
{
	return make(self, offset, len, true, &data);
}

/* How often the eventfd was signalled. */
static uint64_t rung(FIXTURE_DATA(rules) *self)
{
	uint64_t count;

	return read(self->eventfd, &count, sizeof(count)) < 0 ? 0 : count;
}

TEST_F(rules, doorbell)
{
	struct mregion_doorbell bell = {
		.offset = 0x10,
		.len = 4,
		.eventfd = self->eventfd,
		.access_len = 2,
		.match = true,
		.datamatch = 7,
	};

	ASSERT_EQ(0, mregion_add_doorbell(self->region, &bell))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, write_to(self, 0x10, 2, 7));
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, write_to(self, 0x12, 2, 7));
	EXPECT_EQ(2, rung(self));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x10, 2, 8));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x10, 4, 7));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x14, 2, 7));
	EXPECT_EQ(0, rung(self));

	EXPECT_EQ(-EEXIST, mregion_add_doorbell(self->region, &bell));
	EXPECT_NE(NULL, strstr(mregion_error(), "doorbell of 'device'"));
	EXPECT_EQ(0, mregion_del_doorbell(self->region, &bell));
	EXPECT_EQ(-ENOENT, mregion_del_doorbell(self->region, &bell));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x10, 2, 7));
}

TEST_F(rules, doorbell_that_stores)
{
	/* Without .match, .datamatch does not count. */
	struct mregion_doorbell bell = {
		.offset = 0x20,
		.len = 8,
		.eventfd = self->eventfd,
		.datamatch = 99,
		.shadow = self->shadow,
		.shadow_offset = 8,
	};

	ASSERT_EQ(0, mregion_add_doorbell(self->region, &bell))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL,
		  write_to(self, 0x24, 4, 0x04030201));
	EXPECT_EQ(1, rung(self));
	EXPECT_EQ(0, memcmp(self->bytes + 8, "\0\0\0\0\1\2\3\4", 8));
	EXPECT_EQ(-EBUSY, mregion_shadow_free(self->shadow));
	EXPECT_EQ(0, mregion_del_doorbell(self->region, &bell));
	EXPECT_EQ(0, mregion_shadow_free(self->shadow));
}

TEST_F(rules, shadow)
{
	uint32_t both = MREGION_RULE_READ | MREGION_RULE_WRITE;
	uint64_t data = 0;

	self->bytes[0x0c] = 0x5a;
	ASSERT_EQ(0, mregion_add_shadow(self->region, 0x40, 0x10, self->shadow,
					0x8, MREGION_RULE_READ, -1))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, make(self, 0x44, 1, false, &data));
	EXPECT_EQ(0x5a, data);
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x44, 1, 1));
	EXPECT_EQ(-ENOENT, mregion_del_shadow(self->region, 0x40, 0x10,
					      self->shadow, 0x8, both, -1));
	EXPECT_EQ(0, mregion_del_shadow(self->region, 0x40, 0x10, self->shadow,
					0x8, MREGION_RULE_READ, -1));

	/* Signalled when something changes, and only then. */
	ASSERT_EQ(0, mregion_add_shadow(self->region, 0x40, 0x10, self->shadow,
					0x8, both, self->eventfd))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, write_to(self, 0x44, 1, 0x5b));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, write_to(self, 0x44, 1, 0x5b));
	EXPECT_EQ(1, rung(self));
	EXPECT_EQ(0x5b, self->bytes[0xc]);
	EXPECT_EQ(-EINVAL, mregion_add_shadow(self->region, 0x60, 8,
					      self->shadow, 1, both, -1));
}

/* What another process sees through the descriptor. */
TEST_F(rules, shadow_fd)
{
	uint8_t *other;

	other = mmap(NULL, 4096, PROT_READ, MAP_SHARED,
		     mregion_shadow_fd(self->shadow), 0);
	ASSERT_NE(MAP_FAILED, other);
	self->bytes[99] = 7;
	EXPECT_EQ(7, other[99]);
	/* The mapping outlives the memory's end. */
	EXPECT_EQ(0, mregion_shadow_free(self->shadow));
	EXPECT_EQ(7, other[99]);
	munmap(other, 4096);
	EXPECT_EQ(NULL, mregion_new_shadow(self->machine, 0));
	EXPECT_EQ(EINVAL, errno);
}

/* Errors of servers, which need no virtual machine. */
TEST_F(rules, server)
{
	struct mregion_server *server;
	struct mregion_ring *ring;
	int fd = -1;

	EXPECT_EQ(NULL, mregion_new_server(self->machine, 0, 0, 0, &fd));
	EXPECT_EQ(EINVAL, errno);
	server = mregion_new_server(self->machine, 1, 0, 0, &fd);
	ASSERT_NE(NULL, server);
	EXPECT_NE(0, mregion_server_id(server));
	ring = mregion_new_ring(self->machine, 8, 0, 0);
	ASSERT_NE(NULL, ring);
	EXPECT_EQ(-EINVAL, mregion_post(self->region, 0, 0, ring));

	/* What was not carried out has not happened. */
	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_set_server(self->region, server));
	mregion_abort(self->machine);
	EXPECT_EQ(-EINVAL, mregion_post(self->region, 0, 0, ring));

	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_set_server(self->region, server));
	EXPECT_EQ(0, mregion_post(self->region, 0, 0, ring));
	EXPECT_EQ(0, mregion_commit(self->machine));
	EXPECT_EQ(-EBUSY, mregion_server_free(server));

	/* It says something, but nobody takes it. */
	EXPECT_EQ(MREGION_OUTCOME_COALESCED, write_to(self, 0, 4, 1));
	EXPECT_EQ(0, mregion_ring_drain(ring));

	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_unpost(self->region, 0, 0, ring));
	EXPECT_EQ(0, mregion_set_server(self->region, NULL));
	EXPECT_EQ(0, mregion_commit(self->machine));
	EXPECT_EQ(0, mregion_server_free(server));
	/* Now it is the VMM's. */
	EXPECT_EQ(1, mregion_ring_drain(ring));
	EXPECT_EQ(0, mregion_ring_free(ring));
	close(fd);
}

int main(int argc, char **argv)
{
	if (access("/dev/mregion", F_OK))
		ksft_exit_skip("the mregion module is not loaded\n");
	return test_harness_run(argc, argv);
}
