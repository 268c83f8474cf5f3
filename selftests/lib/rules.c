// SPDX-License-Identifier: GPL-2.0
/* Doorbells and shadow registers, set by the library, against the module. */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdio.h>
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
	struct mregion_region *root;
	struct mregion_space *space;
	struct mregion_region *region;
	struct mregion_shadow *shadow;
	uint8_t *bytes;
	int eventfd;
};

FIXTURE_SETUP(rules)
{
	memset(self, 0, sizeof(*self));
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	mregion_begin(self->machine);
	self->root = mregion_new_container(self->machine, "root", 0);
	self->space = mregion_new_space(self->machine, MREGION_BUS_MEMORY,
					self->root, MREGION_POLICY_DEFAULT);
	self->region = mregion_new_mmio(self->machine, "device", 0x100, &ops,
					NULL);
	mregion_map(self->root, self->region, BASE, 0);
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
static uint64_t rung_at(int eventfd)
{
	uint64_t count;

	return read(eventfd, &count, sizeof(count)) < 0 ? 0 : count;
}

static uint64_t rung(FIXTURE_DATA(rules) *self)
{
	return rung_at(self->eventfd);
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

/* What begins there rings, whatever it reaches into; the neighbour is another. */
TEST_F(rules, doorbell_of_any_length)
{
	struct mregion_doorbell bell = {
		.offset = 0x10, .eventfd = self->eventfd, .any_len = true,
	}, next = bell;
	unsigned int len;

	next.offset = 0x14;
	next.eventfd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, mregion_add_doorbell(self->region, &bell))
		TH_LOG("%s", mregion_error());
	ASSERT_EQ(0, mregion_add_doorbell(self->region, &next))
		TH_LOG("%s", mregion_error());
	for (len = 1; len <= 8; len++)
		EXPECT_EQ(MREGION_OUTCOME_DOORBELL,
			  write_to(self, 0x10, len, 7));
	EXPECT_EQ(8, rung(self));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x11, 1, 7));
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, write_to(self, 0x14, 4, 7));
	EXPECT_EQ(0, rung(self));
	EXPECT_EQ(0, mregion_del_doorbell(self->region, &bell));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x10, 4, 7));
	close(next.eventfd);
}

TEST_F(rules, fast_doorbell)
{
	struct mregion_doorbell bell = {
		.offset = 0x10, .eventfd = self->eventfd, .any_len = true,
		.fast = true,
	}, slow = bell;

	slow.fast = false;
	ASSERT_EQ(0, mregion_add_doorbell(self->region, &bell))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, write_to(self, 0x10, 4, 7));
	EXPECT_EQ(1, rung(self));
	EXPECT_EQ(-ENOENT, mregion_del_doorbell(self->region, &slow));
	EXPECT_EQ(0, mregion_del_doorbell(self->region, &bell));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0x10, 4, 7));
}

/* Nobody keeps a descriptor for the sake of the rule's end. */
TEST_F(rules, doorbell_whose_eventfd_is_closed)
{
	struct mregion_doorbell bell = { .len = 4, .match = true };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		bell.datamatch = i;
		bell.eventfd = eventfd(0, EFD_NONBLOCK);
		ASSERT_LE(0, bell.eventfd);
		ASSERT_EQ(0, mregion_add_doorbell(self->region, &bell))
			TH_LOG("%s", mregion_error());
		close(bell.eventfd);
	}
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, write_to(self, 0, 4, 1));
	bell.datamatch = 1;
	EXPECT_EQ(0, mregion_del_doorbell(self->region, &bell))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(MREGION_OUTCOME_EXIT, write_to(self, 0, 4, 1));
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, write_to(self, 0, 4, 2));
	EXPECT_EQ(-ENOENT, mregion_del_doorbell(self->region, &bell));
	/* Another descriptor has its number by now. */
	bell.datamatch = 2;
	bell.eventfd = self->eventfd;
	EXPECT_EQ(0, mregion_del_doorbell(self->region, &bell));
	/* The same of a shadow's. */
	bell.eventfd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, mregion_add_shadow(self->region, 0x40, 8, self->shadow, 0,
					MREGION_RULE_WRITE, bell.eventfd));
	close(bell.eventfd);
	EXPECT_EQ(-ENOENT, mregion_del_shadow(self->region, 0x40, 8,
					      self->shadow, 0,
					      MREGION_RULE_WRITE, -1));
	EXPECT_EQ(0, mregion_del_shadow(self->region, 0x40, 8, self->shadow, 0,
					MREGION_RULE_WRITE, bell.eventfd));
	/* One that is not there cannot be had. */
	bell.eventfd = -1;
	bell.datamatch = 7;
	EXPECT_EQ(-EBADF, mregion_add_doorbell(self->region, &bell));
}

/*
 * A queue's doorbell each, as virtio has them: registers of their own, or values of
 * one. By the kernel, and by DMA.
 */
TEST_F(rules, many_doorbells)
{
	const unsigned int nr = 1024;
	struct mregion_region *queues, *root;
	struct mregion_space *space;
	struct mregion_doorbell bell = { .len = 4, .eventfd = self->eventfd };
	struct mregion_doorbell match = { .offset = 4 * nr, .len = 2 };
	int other = eventfd(0, EFD_NONBLOCK);
	unsigned int i;
	uint32_t data;

	ASSERT_LE(0, other);
	mregion_begin(self->machine);
	root = mregion_new_container(self->machine, "queues' root", 0);
	queues = mregion_new_mmio(self->machine, "queues", 0x10000, &ops, NULL);
	mregion_map(root, queues, 0, 0);
	space = mregion_new_space(self->machine, MREGION_BUS_MEMORY, root, 0);
	match.match = true;
	for (i = 0; i < nr; i++) {
		bell.offset = 4 * i;
		bell.eventfd = i % 2 ? other : self->eventfd;
		EXPECT_EQ(0, mregion_add_doorbell(queues, &bell));
		match.datamatch = i;
		match.eventfd = bell.eventfd;
		EXPECT_EQ(0, mregion_add_doorbell(queues, &match));
	}
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	for (i = 0; i < nr; i += 2) {
		data = i;
		EXPECT_EQ(0, mregion_space_write(space, 4 * i, &data, 4, NULL));
		EXPECT_EQ(1, rung(self));
		EXPECT_EQ(0, mregion_space_write(space, 4 * nr, &data, 2, NULL));
		EXPECT_EQ(1, rung(self));
		data = i + 1;
		EXPECT_EQ(0, mregion_space_write(space, 4 * nr, &data, 2, NULL));
		EXPECT_EQ(0, rung(self));
		EXPECT_EQ(1, rung_at(other));
	}
	/* All gone by one commit; then again, until there is no room. */
	mregion_begin(self->machine);
	for (i = 0; i < nr; i++) {
		bell.offset = 4 * i;
		EXPECT_EQ(0, mregion_del_doorbell(queues, &bell));
		match.datamatch = i;
		EXPECT_EQ(0, mregion_del_doorbell(queues, &match));
	}
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	mregion_begin(self->machine);
	for (i = 0; i < mregion_machine_info(self->machine)->max_rules; i++) {
		bell.offset = 4 * i;
		mregion_add_doorbell(queues, &bell);
	}
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	bell.offset = 4 * i;
	EXPECT_EQ(-ENOSPC, mregion_add_doorbell(queues, &bell));
	EXPECT_NE(NULL, strstr(mregion_error(),
		": the region or the machine has as many rules as it can (ENOSPC)"))
		TH_LOG("%s", mregion_error());
	close(other);
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

/* A device that notes what it is called for; byte i of it reads as i. */
struct noting {
	char calls[256];
};

static void note(struct noting *noting, char what, uint64_t offset,
		 unsigned int len, uint64_t data)
{
	size_t at = strlen(noting->calls);

	snprintf(noting->calls + at, sizeof(noting->calls) - at,
		 "%c%llx/%u=%llx ", what, (unsigned long long)offset, len,
		 (unsigned long long)data);
}

static uint64_t noting_read(void *opaque, uint64_t offset, unsigned int len)
{
	note(opaque, 'r', offset, len, 0);
	return 0x0706050403020100ull + 0x0101010101010101ull * offset;
}

static void noting_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	note(opaque, 'w', offset, len, data);
}

static const struct mregion_ops noting_ops = {
	.read = noting_read,
	.write = noting_write,
	.constraints = { .valid_min = 4, .valid_max = 4 },
};

#define NOTING	0x8000

/* DMA to registers does what a guest's access does. */
TEST_F(rules, by_dma)
{
	struct mregion_doorbell bell = {
		.offset = 0x10,
		.len = 4,
		.eventfd = self->eventfd,
		.shadow = self->shadow,
		.shadow_offset = 0x10,
	};
	struct mregion_ring *ring = mregion_new_ring(self->machine, 16, 0, 0);
	struct noting noting = { "" };
	struct mregion_region *region;
	struct mregion_stats stats;
	uint32_t data[4];
	size_t done;

	ASSERT_NE(NULL, ring);
	mregion_begin(self->machine);
	region = mregion_new_mmio(self->machine, "noting", 0x1000, &noting_ops,
				  &noting);
	mregion_map(self->root, region, NOTING, 0);
	mregion_add_doorbell(region, &bell);
	mregion_add_shadow(region, 0x20, 4, self->shadow, 0x20,
			   MREGION_RULE_READ | MREGION_RULE_WRITE, -1);
	mregion_coalesce(region, 0x30, 4, ring);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());

	/* The doorbell, and the register behind it. */
	data[0] = 5;
	data[1] = 6;
	EXPECT_EQ(0, mregion_space_write(self->space, NOTING + 0x10, data, 8,
					 &done));
	EXPECT_EQ(8, done);
	EXPECT_EQ(1, rung(self));
	EXPECT_EQ(0, memcmp(self->bytes + 0x10, "\5\0\0\0", 4));
	EXPECT_STREQ("w14/4=6 ", noting.calls);

	noting.calls[0] = '\0';
	memcpy(self->bytes + 0x20, "abcd", 4);
	EXPECT_EQ(0, mregion_space_read(self->space, NOTING + 0x1c, data, 12,
					&done));
	EXPECT_EQ(0x1f1e1d1c, data[0]);
	EXPECT_EQ(0, memcmp(&data[1], "abcd", 4));
	EXPECT_EQ(0x27262524, data[2]);
	EXPECT_STREQ("r1c/4=0 r24/4=0 ", noting.calls);

	noting.calls[0] = '\0';
	data[0] = 0x77;
	EXPECT_EQ(0, mregion_space_write(self->space, NOTING + 0x20, data, 4,
					 NULL));
	EXPECT_EQ(0x77, self->bytes[0x20]);
	EXPECT_STREQ("", noting.calls);

	/* What a ring would take is done when it returns, after what waits there. */
	EXPECT_EQ(0, mregion_stats(self->machine, MREGION_OBJECT_REGION,
				   mregion_id(region), &stats));
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_DOORBELL]);
	EXPECT_EQ(2, stats.outcomes[MREGION_OUTCOME_SHADOW]);
	EXPECT_EQ(MREGION_OUTCOME_COALESCED,
		  write_to(self, NOTING - BASE + 0x30, 4, 1));
	data[0] = 2;
	EXPECT_EQ(0, mregion_space_write(self->space, NOTING + 0x30, data, 4,
					 NULL));
	EXPECT_STREQ("w30/4=1 w30/4=2 ", noting.calls);
}

/* A part of DMA that is an error ends it; what was before has been done. */
TEST_F(rules, dma_that_is_refused)
{
	static const struct mregion_ops strict = {
		.read = noting_read,
		.write = noting_write,
		.constraints = { .valid_min = 4, .valid_max = 4,
				 .refused = MREGION_POLICY_ERROR },
	};
	struct mregion_doorbell bell = { .len = 4, .eventfd = self->eventfd };
	struct noting noting = { "" };
	struct mregion_region *region;
	uint8_t data[8] = { 1 };
	size_t done;

	mregion_begin(self->machine);
	region = mregion_new_mmio(self->machine, "strict", 0x1000, &strict,
				  &noting);
	mregion_map(self->root, region, NOTING, 0);
	mregion_add_doorbell(region, &bell);
	ASSERT_EQ(0, mregion_commit(self->machine));
	EXPECT_EQ(-EFAULT, mregion_space_write(self->space, NOTING, data, 6,
					       &done));
	EXPECT_EQ(4, done);
	EXPECT_EQ(1, rung(self));
	EXPECT_STREQ("", noting.calls);
}

/*
 * To all of these the kernel says EINVAL; the library, which of its reasons it is.
 */
#define MISTAKE(change, reason) do { \
	EXPECT_EQ(-EINVAL, change); \
	EXPECT_NE(NULL, strstr(mregion_error(), ": " reason " (EINVAL)")) \
		TH_LOG("%s", mregion_error()); \
} while (0)

TEST_F(rules, mistakes_of_shadows)
{
	struct mregion_region *ram;

	ram = mregion_new_ram(self->machine, MREGION_RAM, "ram", 0x1000);
	ASSERT_NE(NULL, ram);
#define ADD(region, offset, at, flags, fd) \
	mregion_add_shadow(region, offset, 8, self->shadow, at, flags, fd)
	MISTAKE(ADD(ram, 0, 0, MREGION_RULE_READ, -1),
		"only MMIO and ROM device regions have rules");
	MISTAKE(ADD(self->region, 0x100, 0, MREGION_RULE_READ, -1),
		"the part begins behind the region's end");
	MISTAKE(ADD(self->region, 0, 0, 0, -1),
		"flags say neither MREGION_RULE_READ nor MREGION_RULE_WRITE");
	MISTAKE(ADD(self->region, 0, 0, MREGION_RULE_DATAMATCH, -1),
		"flags are MREGION_RULE_READ, MREGION_RULE_WRITE, or both");
	MISTAKE(ADD(self->region, 0, 0, MREGION_RULE_READ, self->eventfd),
		"an eventfd goes with MREGION_RULE_WRITE only");
	MISTAKE(ADD(self->region, 1, 0, MREGION_RULE_READ, -1),
		"offset and shadow_offset differ modulo 8");
	MISTAKE(ADD(self->region, 0, 0x1000, MREGION_RULE_READ, -1),
		"the shadow memory ends before the part does");
	MISTAKE(ADD(self->region, 0, 0, MREGION_RULE_WRITE,
		    mregion_machine_fd(self->machine)),
		"the shadow memory ends before the part does, or the descriptor is no eventfd's");
#undef ADD
}

/* A rule that no access can match is a mistake. */
TEST_F(rules, mistakes_of_matches)
{
	static const struct mregion_ops words = {
		.constraints = { .valid_min = 4, .valid_max = 4 },
	};
	struct mregion_doorbell bell = {
		.len = 8,
		.eventfd = self->eventfd,
		.access_len = 2,
		.match = true,
		.datamatch = 0x10000,
	};
	struct mregion_ring *ring = mregion_new_ring(self->machine, 8, 0, 0);
	struct mregion_region *region;

	ASSERT_NE(NULL, ring);
	region = mregion_new_mmio(self->machine, "words", 0x100, &words, NULL);
	ASSERT_NE(NULL, region);
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"datamatch does not fit access_len");
	bell.access_len = 0;
	bell.len = 2;
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"datamatch does not fit the part");
	bell.access_len = 4;
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"access_len is more than the part has room for");
	bell.len = 4;
	EXPECT_EQ(0, mregion_add_doorbell(self->region, &bell));
	bell.access_len = 2;
	bell.datamatch = 7;
	MISTAKE(mregion_add_doorbell(region, &bell),
		"the device accepts no access of access_len bytes");
	bell.access_len = 0;
	bell.len = 3;
	MISTAKE(mregion_add_doorbell(region, &bell),
		"the device accepts no access that the rule could be for");
	MISTAKE(mregion_coalesce(region, 0, 3, ring),
		"the device accepts no access that the rule could be for");
	MISTAKE(mregion_add_shadow(region, 0, 2, self->shadow, 0,
				   MREGION_RULE_READ, -1),
		"the device accepts no access that the rule could be for");
	bell.len = 4;
	EXPECT_EQ(0, mregion_add_doorbell(region, &bell));
}

TEST_F(rules, mistakes_of_any_length)
{
	const struct mregion_doorbell good = {
		.offset = 0x20, .eventfd = self->eventfd, .any_len = true,
	};
	struct mregion_doorbell bell;

#define WRONG "any_len does not go with len, access_len, match or shadow"
	bell = good;
	bell.len = 4;
	MISTAKE(mregion_add_doorbell(self->region, &bell), WRONG);
	bell = good;
	bell.access_len = 4;
	MISTAKE(mregion_add_doorbell(self->region, &bell), WRONG);
	bell = good;
	bell.match = true;
	MISTAKE(mregion_add_doorbell(self->region, &bell), WRONG);
	bell = good;
	bell.shadow = self->shadow;
	MISTAKE(mregion_add_doorbell(self->region, &bell), WRONG);
#undef WRONG
	bell = good;
	bell.eventfd = mregion_machine_fd(self->machine);
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"the descriptor is no eventfd's");
	EXPECT_EQ(0, mregion_add_doorbell(self->region, &good));
}

TEST_F(rules, mistakes_of_fast_ones)
{
	struct mregion_region *romd;
	struct mregion_doorbell bell = {
		.offset = 0x20, .eventfd = self->eventfd, .fast = true,
	};

	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"fast goes with any_len only");
	bell.len = 4;
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"fast goes with any_len only");
	bell.any_len = true;
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"any_len does not go with len, access_len, match or shadow");
	bell.len = 0;
	romd = mregion_new_romd(self->machine, "romd", 0x1000, &ops, NULL);
	ASSERT_NE(NULL, romd)
		TH_LOG("%s", mregion_error());
	MISTAKE(mregion_add_doorbell(romd, &bell),
		"only MMIO regions have fast doorbells");
	EXPECT_EQ(0, mregion_add_doorbell(self->region, &bell));
}

TEST_F(rules, mistakes_of_others)
{
	struct mregion_constraints constraints = { .valid_max = 3 };
	struct mregion_doorbell bell = {
		.len = 4,
		.eventfd = self->eventfd,
		.access_len = 3,
	};
	struct mregion_ring *ring = mregion_new_ring(self->machine, 8, 0, 0);

	ASSERT_NE(NULL, ring);
	MISTAKE(mregion_coalesce(self->region, 0x100, 1, ring),
		"the part begins behind the region's end");
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"access_len is 1, 2, 4, 8, or 0 for any");
	bell.access_len = 0;
	bell.eventfd = mregion_machine_fd(self->machine);
	MISTAKE(mregion_add_doorbell(self->region, &bell),
		"the descriptor is no eventfd's");
	MISTAKE(mregion_set_constraints(self->region, &constraints),
		"valid_min and valid_max are 1, 2, 4, 8, or 0 for the default");
	constraints = (struct mregion_constraints){ .impl_max = 16 };
	MISTAKE(mregion_set_constraints(self->region, &constraints),
		"impl_min and impl_max are 1, 2, 4, 8, or 0 for the default");
	constraints = (struct mregion_constraints){ .valid_min = 8 };
	MISTAKE(mregion_set_constraints(self->region, &constraints),
		"valid_min is more than valid_max, which is 4 by default");
	constraints = (struct mregion_constraints){ .impl_min = 8 };
	MISTAKE(mregion_set_constraints(self->region, &constraints),
		"impl_min is more than impl_max, which is 4 by default");
	constraints = (struct mregion_constraints){
		.refused = MREGION_POLICY_EXIT,
	};
	MISTAKE(mregion_set_constraints(self->region, &constraints),
		"accesses to a region are not refused by such a policy");
	constraints.refused = 0;
	MISTAKE(mregion_set_constraints(mregion_new_container(self->machine,
							      "c", 1),
					&constraints),
		"a region of its kind has no constraints");
	MISTAKE(mregion_set_flags(self->region, 0, MREGION_REGION_READONLY),
		"a flag is not in the mask");
}

/* The same of what is created. */
#define NO_NEW(object, reason) do { \
	EXPECT_EQ(NULL, object); \
	EXPECT_EQ(EINVAL, errno); \
	EXPECT_NE(NULL, strstr(mregion_error(), ": " reason " (EINVAL)")) \
		TH_LOG("%s", mregion_error()); \
} while (0)

TEST_F(rules, mistakes_of_objects)
{
	static const struct mregion_ops bad = {
		.constraints = { .valid_min = 4, .valid_max = 2 },
	};
	int fd;

	NO_NEW(mregion_new_mmio(self->machine, "a\tname", 1, &ops, NULL),
	       "its name has a control character");
	NO_NEW(mregion_new_mmio(self->machine, "bad", 1, &bad, NULL),
	       "valid_min is more than valid_max, which is 4 by default");
	NO_NEW(mregion_new_space(self->machine, 2, self->region, 0),
	       "there is no such bus or policy");
	NO_NEW(mregion_new_ring(self->machine, 100, 0, 0),
	       "the number is no power of two from 2 on");
	NO_NEW(mregion_new_ring(self->machine, 1u << 31, 0, 0),
	       "the number is more than max_ring_entries");
	NO_NEW(mregion_new_ring(self->machine, 16, 32, 0),
	       "notify_entries is more than it has");
	NO_NEW(mregion_new_ring(self->machine, 16, 16, 10000001),
	       "notify_usecs is more than 10 seconds");
	NO_NEW(mregion_new_shadow(self->machine, 0), "its length is 0");
	NO_NEW(mregion_new_shadow(self->machine, 1ull << 40),
	       "its length is more than max_shadow_len");
	NO_NEW(mregion_new_server(self->machine, 0, 0, 0, &fd), "nr_slots is 0");
	NO_NEW(mregion_new_server(self->machine, 257, 0, 0, &fd),
	       "nr_slots is more than max_slots");
	NO_NEW(mregion_new_server(self->machine, 1, 1001, 0, &fd),
	       "spin_usecs is more than 1000");
	NO_NEW(mregion_new_server(self->machine, 1, 0, 3600000001, &fd),
	       "timeout_usecs is more than one hour");
	NO_NEW(mregion_serving_open(mregion_machine_fd(self->machine)),
	       "it is no server's");
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
	EXPECT_NE(NULL, strstr(mregion_error(), "a region is bound to it (EBUSY)"));
	EXPECT_EQ(-EBUSY, mregion_ring_free(ring));
	EXPECT_NE(NULL, strstr(mregion_error(), "or is posted to it (EBUSY)"));

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
