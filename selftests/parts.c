// SPDX-License-Identifier: GPL-2.0
/*
 * MREGION_ACCESS_PART: where an access is cut, what is told of a part, and what of
 * it is left to the caller.
 */
#include "kselftest_harness.h"
#include "device_util.h"

#define SPACE	DEV_MEMORY
#define RING	1
#define SHADOW	1
#define DATA	0x8877665544332211ull

FIXTURE(parts) {
	struct mr_ring ring;
	int fd;
	int efd;
};

FIXTURE_SETUP(parts)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 64, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(SPACE, 1)));
}

FIXTURE_TEARDOWN(parts)
{
	mr_ring_unmap(&self->ring);
	close(self->efd);
	close(self->fd);
}

#define ASSERT_COMMIT(...)	ASSERT_EQ(0, COMMIT(self->fd, __VA_ARGS__))

static struct mregion_op mmio_with(uint32_t id, uint64_t len,
				   struct mregion_constraints constraints)
{
	struct mregion_op op = mr_mmio(id, len);

	op.create.constraints = constraints;
	return op;
}

static int part_of(int fd, uint64_t addr, uint32_t len, bool write,
		   struct mregion_access *access)
{
	return mr_access(fd, SPACE, addr, len, MREGION_ACCESS_PART |
			 (write ? MREGION_ACCESS_WRITE : 0), write ? DATA : 0,
			 access);
}

/* All that is told of the first part of an access, but the value. */
#define EXPECT_PART(_write, _addr, _len, _part, _outcome, _handled,	\
		    _region, _offset, _flags) do {			\
	struct mregion_access __access;					\
									\
	EXPECT_EQ(0, part_of(self->fd, _addr, _len, _write, &__access));\
	EXPECT_EQ(_part, __access.part);				\
	EXPECT_EQ(_outcome, __access.outcome);				\
	EXPECT_EQ(_handled, __access.handled);				\
	EXPECT_EQ(_region, __access.region);				\
	EXPECT_EQ(_offset, __access.offset);				\
	EXPECT_EQ(_flags, __access.range_flags);			\
} while (0)

/* ... of one that is the VMM's, to a device. */
#define EXPECT_LEFT(_addr, _len, _part, _region, _offset) do {		\
	EXPECT_PART(false, _addr, _len, _part, MREGION_OUTCOME_EXIT, 0,	\
		    _region, _offset, 0);				\
	EXPECT_PART(true, _addr, _len, _part, MREGION_OUTCOME_EXIT, 0,	\
		    _region, _offset, 0);				\
} while (0)

TEST_F(parts, arguments)
{
	struct mregion_access access = {
		.size = sizeof(access), .space = SPACE, .len = 4,
		.flags = MREGION_ACCESS_PART, .vcpu = MREGION_NO_VCPU,
	}, bad;

#define EXPECT_BAD(_errno, ...) do {					\
	bad = access;							\
	__VA_ARGS__;							\
	EXPECT_EQ(-(_errno), mr_ioctl(self->fd, MREGION_ACCESS, &bad));	\
} while (0)

	EXPECT_BAD(0, (void)0);
	EXPECT_BAD(EINVAL, bad.reserved = 1);
	EXPECT_BAD(EINVAL, bad.reserved2 = 1);
	EXPECT_BAD(EINVAL, bad.vm_fd = self->fd);
	EXPECT_BAD(EINVAL, bad.vm_fd = -1);
	EXPECT_BAD(EBADF, bad.vcpu = 0, bad.vm_fd = -1);
	EXPECT_BAD(EBADF, bad.vcpu = 0, bad.vm_fd = self->fd);
	EXPECT_BAD(EINVAL, bad.len = 0);
	EXPECT_BAD(EINVAL, bad.len = 9);
	EXPECT_BAD(EINVAL, bad.addr = -2ull);
	EXPECT_BAD(ENOENT, bad.space = 99);
	EXPECT_BAD(EOPNOTSUPP, bad.flags |= 4);
	/* Without PART the same members are looked at. */
	access.flags = MREGION_ACCESS_WRITE;
	EXPECT_BAD(EINVAL, bad.reserved = 1);
	EXPECT_BAD(EINVAL, bad.reserved2 = 1);
	EXPECT_BAD(EINVAL, bad.vm_fd = self->fd);
#undef EXPECT_BAD
}

TEST_F(parts, cut_by_constraints)
{
	static const struct mregion_constraints
		four = { },
		eight = { .valid_max = 8 },
		byte = { .valid_max = 1 },
		any = MREGION_ANY_ACCESS;
	struct mregion_access access;

	ASSERT_COMMIT(mmio_with(3, 0x1000, four), mr_map(3, 1, 0x1000, 0));
	EXPECT_LEFT(0x1000, 4, 4, 3, 0);
	EXPECT_LEFT(0x1008, 8, 4, 3, 8);
	EXPECT_LEFT(0x1001, 4, 1, 3, 1);
	EXPECT_LEFT(0x1002, 4, 2, 3, 2);
	EXPECT_LEFT(0x1000, 3, 2, 3, 0);
	ASSERT_COMMIT(mr_set_constraints(3, eight));
	EXPECT_LEFT(0x1008, 8, 8, 3, 8);
	EXPECT_LEFT(0x1004, 8, 4, 3, 4);
	EXPECT_LEFT(0x1000, 7, 4, 3, 0);
	ASSERT_COMMIT(mr_set_constraints(3, byte));
	EXPECT_LEFT(0x1008, 8, 1, 3, 8);
	ASSERT_COMMIT(mr_set_constraints(3, any));
	EXPECT_LEFT(0x1003, 8, 8, 3, 3);
	EXPECT_LEFT(0x1003, 5, 4, 3, 3);
	/* What is not a part is told of as a whole. */
	ASSERT_EQ(0, mr_read(self->fd, SPACE, 0x1003, 5, &access));
	EXPECT_EQ(5, access.part);
	EXPECT_EQ(0, access.region);
	EXPECT_EQ(0, access.offset);
}

TEST_F(parts, refused)
{
	struct mregion_constraints picky = { .valid_min = 4, .valid_max = 4 };
	struct mregion_access access;

	ASSERT_COMMIT(mmio_with(3, 0x1000, picky), mr_map(3, 1, 0x1000, 0));
	ASSERT_EQ(0, part_of(self->fd, 0x1002, 8, false, &access));
	EXPECT_EQ(2, access.part);
	EXPECT_EQ(1, access.handled);
	EXPECT_EQ(0xffff, access.data);
	EXPECT_PART(true, 0x1002, 8, 2, MREGION_OUTCOME_REFUSED, 1, 3, 2, 0);
	EXPECT_LEFT(0x1004, 6, 4, 3, 4);
	EXPECT_PART(true, 0x1008, 2, 2, MREGION_OUTCOME_REFUSED, 1, 3, 8, 0);
	picky.refused = MREGION_POLICY_ERROR;
	ASSERT_COMMIT(mr_set_constraints(3, picky));
	EXPECT_PART(true, 0x1002, 8, 2, MREGION_OUTCOME_REFUSED_EXIT, 0, 3, 2,
		    0);
	EXPECT_PART(false, 0x1008, 2, 2, MREGION_OUTCOME_REFUSED_EXIT, 0, 3, 8,
		    0);
}

/* Where a region ends, another one begins; unless the device says otherwise. */
TEST_F(parts, cut_by_the_regions_end)
{
	struct mregion_constraints any = MREGION_ANY_ACCESS;

	ASSERT_COMMIT(mmio_with(3, 0x1000, any), mr_map(3, 1, 0x1000, 0),
		      mmio_with(4, 0x1000, any), mr_map(4, 1, 0x2000, 0));
	EXPECT_LEFT(0x1ffc, 8, 4, 3, 0xffc);
	EXPECT_LEFT(0x1ffd, 8, 2, 3, 0xffd);
	EXPECT_LEFT(0x1fff, 2, 1, 3, 0xfff);
	EXPECT_LEFT(0x1ff8, 8, 8, 3, 0xff8);
	/* into nothing */
	EXPECT_LEFT(0x2ffe, 4, 2, 4, 0xffe);
	any.flags |= MREGION_VALID_BEYOND;
	ASSERT_COMMIT(mr_set_constraints(3, any), mr_set_constraints(4, any));
	EXPECT_LEFT(0x1ffc, 8, 8, 3, 0xffc);
	EXPECT_LEFT(0x1fff, 2, 2, 3, 0xfff);
	EXPECT_LEFT(0x2ffe, 4, 4, 4, 0xffe);
	/* A rule is for what is in the region as a whole. */
	ASSERT_COMMIT(RULE_ADD(3, bell(0xff0, 0, self->efd)));
	EXPECT_LEFT(0x1ffc, 8, 8, 3, 0xffc);
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_PART(true, 0x1ff8, 8, 8, MREGION_OUTCOME_DOORBELL, 1, 3, 0xff8,
		    0);
	EXPECT_EQ(1, signals(self->efd));
}

/* Where another region covers its middle, registers are not cut; memory is. */
TEST_F(parts, cut_by_the_ranges_end)
{
	struct mregion_constraints any = MREGION_ANY_ACCESS;
	struct mregion_op romd = mr_create(6, MREGION_ROMD, 0x1000);

	romd.create.constraints = any;
	ASSERT_COMMIT(mmio_with(3, 0x1000, any), mr_map(3, 1, 0x1000, 0),
		      mmio_with(4, 1, any), mr_map(4, 1, 0x1001, 1),
		      mr_ram(5, 0x1000), mr_map(5, 1, 0x2000, 0),
		      mmio_with(7, 4, any), mr_map(7, 1, 0x2004, 1),
		      romd, mr_map(6, 1, 0x3000, 0),
		      mmio_with(8, 4, any), mr_map(8, 1, 0x3004, 1),
		      mr_create(9, MREGION_ROM, 0x1000),
		      mr_map(9, 1, 0x4000, 0),
		      mmio_with(10, 4, any), mr_map(10, 1, 0x4004, 1));
	EXPECT_LEFT(0x1000, 4, 4, 3, 0);
	EXPECT_LEFT(0x1001, 4, 1, 4, 0);
	EXPECT_LEFT(0x1002, 4, 4, 3, 2);
	EXPECT_LEFT(0x2000, 8, 4, 5, 0);
	EXPECT_LEFT(0x2001, 7, 3, 5, 1);
	EXPECT_LEFT(0x2008, 7, 7, 5, 8);
	EXPECT_PART(false, 0x3000, 8, 4, MREGION_OUTCOME_EXIT, 0, 6, 0,
		    MREGION_RANGE_ROMD);
	EXPECT_PART(true, 0x3000, 8, 8, MREGION_OUTCOME_EXIT, 0, 6, 0,
		    MREGION_RANGE_ROMD);
	EXPECT_PART(false, 0x4000, 8, 4, MREGION_OUTCOME_EXIT, 0, 9, 0,
		    MREGION_RANGE_READONLY);
	EXPECT_PART(true, 0x4000, 8, 4, MREGION_OUTCOME_REFUSED, 1, 9, 0,
		    MREGION_RANGE_READONLY);
}

/* Where rules are for some of the accesses that implement a part. */
TEST_F(parts, cut_by_the_implementation)
{
	static const struct mregion_constraints
		halves = { .valid_max = 8, .impl_max = 4 },
		bytes = { .valid_max = 8, .impl_max = 1 },
		whole = { .valid_max = 8, .impl_max = 8 },
		wide = { .valid_min = 8, .valid_max = 8, .impl_max = 4 };
	struct mregion_rule first = bell(0x20, 4, self->efd);

	first.flags = MREGION_RULE_DATAMATCH;
	first.datamatch = DATA & 0xffffffff;
	ASSERT_COMMIT(mmio_with(3, 0x1000, halves), mr_map(3, 1, 0x1000, 0),
		      RULE_ADD(3, bell(0x14, 4, self->efd)),
		      RULE_ADD(3, first));
	EXPECT_PART(true, 0x1010, 8, 4, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_PART(true, 0x1014, 4, 4, MREGION_OUTCOME_DOORBELL, 1, 3, 0x14,
		    0);
	EXPECT_EQ(1, signals(self->efd));
	EXPECT_PART(true, 0x1020, 8, 4, MREGION_OUTCOME_DOORBELL, 1, 3, 0x20,
		    0);
	EXPECT_EQ(1, signals(self->efd));
	/* no rule is for reads, nor for these */
	EXPECT_PART(false, 0x1010, 8, 8, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	EXPECT_LEFT(0x1018, 8, 8, 3, 0x18);
	ASSERT_COMMIT(mr_set_constraints(3, bytes));
	EXPECT_PART(true, 0x1010, 8, 1, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	/* a rule for the part comes before those that implement it */
	EXPECT_PART(true, 0x1014, 4, 4, MREGION_OUTCOME_DOORBELL, 1, 3, 0x14,
		    0);
	EXPECT_EQ(1, signals(self->efd));
	ASSERT_COMMIT(mr_set_constraints(3, whole));
	EXPECT_PART(true, 0x1010, 8, 8, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	/* sizes that the device does not accept implement nothing here */
	ASSERT_COMMIT(mr_set_constraints(3, wide));
	EXPECT_PART(true, 0x1010, 8, 8, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	EXPECT_EQ(0, signals(self->efd));
}

TEST_F(parts, any_len)
{
	struct mregion_rule rule = bell(0x11, 1, self->efd);
	unsigned int len;

	rule.flags = MREGION_RULE_ANY_LEN;
	ASSERT_COMMIT(mr_mmio(3, 0x12), mr_map(3, 1, 0x1000, 0),
		      RULE_ADD(3, rule));
	for (len = 1; len <= 8; len++) {
		EXPECT_PART(true, 0x1011, len, len, MREGION_OUTCOME_DOORBELL,
			    1, 3, 0x11, 0);
		EXPECT_EQ(1, signals(self->efd));
		EXPECT_PART(false, 0x1011, len, 1, MREGION_OUTCOME_EXIT, 0, 3,
			    0x11, 0);
		EXPECT_EQ(0, signals(self->efd));
	}
}

/* What a ring would take is the caller's, who is to drain it before. */
TEST_F(parts, not_coalesced)
{
	struct mregion_stats stats;
	struct mregion_access access;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0x1000, 0),
		      mr_rule_add(3, RING, 0x10, 8));
	EXPECT_PART(true, 0x1010, 8, 4, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0x1010, 4, DATA, &access));
	EXPECT_EQ(MREGION_OUTCOME_COALESCED, access.outcome);
	EXPECT_EQ(4, access.part);
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
	EXPECT_PART(true, 0x1010, 4, 4, MREGION_OUTCOME_EXIT, 0, 3, 0x10, 0);
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, 3, &stats));
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_EXIT]);
}

/* Where nothing is, as where a device has QEMU's defaults. */
TEST_F(parts, unassigned)
{
	struct mregion_access access;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0x1000, 0));
	EXPECT_PART(false, 0x100, 8, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0,
		    0, 0);
	EXPECT_PART(true, 0x101, 4, 1, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0,
		    0, 0);
	EXPECT_PART(true, 0xffe, 4, 2, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0,
		    0, 0);
	ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_ONES));
	ASSERT_EQ(0, part_of(self->fd, 0x100, 8, false, &access));
	EXPECT_EQ(MREGION_OUTCOME_UNASSIGNED, access.outcome);
	EXPECT_EQ(1, access.handled);
	EXPECT_EQ(4, access.part);
	EXPECT_EQ(0xffffffff, access.data);
	ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_ZEROES));
	ASSERT_EQ(0, part_of(self->fd, 0x102, 8, false, &access));
	EXPECT_EQ(1, access.handled);
	EXPECT_EQ(2, access.part);
	EXPECT_EQ(0, access.data);
}

/* The vCPU has counted what exits; what is completed here, nobody has. */
TEST_F(parts, counters)
{
	struct mregion_constraints picky = {
		.valid_min = 4, .valid_max = 4,
		.refused = MREGION_POLICY_ERROR,
	};
	struct mregion_stats stats;
	struct mregion_access access;

	ASSERT_COMMIT(mmio_with(3, 0x1000, picky), mr_map(3, 1, 0x1000, 0),
		      RULE_ADD(3, bell(0x10, 4, self->efd)));
	EXPECT_PART(true, 0x1020, 4, 4, MREGION_OUTCOME_EXIT, 0, 3, 0x20, 0);
	EXPECT_PART(true, 0x1020, 2, 2, MREGION_OUTCOME_REFUSED_EXIT, 0, 3,
		    0x20, 0);
	EXPECT_PART(true, 0x100, 4, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0,
		    0, 0);
	EXPECT_PART(true, 0x1010, 4, 4, MREGION_OUTCOME_DOORBELL, 1, 3, 0x10,
		    0);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_EXIT]);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_REFUSED_EXIT]);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_DOORBELL]);
	/* Who makes it as a whole is a vCPU, to the counters. */
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0x1020, 4, 0, &access));
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0x1020, 2, 0, &access));
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0x100, 4, 0, &access));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_EXIT]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_REFUSED_EXIT]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT]);
}

/* What is completed as a whole is so part by part, and gives the same. */
TEST_F(parts, make_a_whole)
{
	static const struct mregion_constraints
		any = MREGION_ANY_ACCESS,
		picky = { .valid_min = 2, .valid_max = 4,
			  .refused = MREGION_POLICY_ZEROES };
	struct mregion_access whole, part;
	unsigned int len, done, i, handled = 0, left = 0;
	struct mr_shadow shadow;
	bool all;
	uint64_t addr, data;

	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, MR_PAGE, &shadow));
	for (i = 0; i < MR_PAGE; i++)
		shadow.memory[i] = i * 7 + 1;
	/* from 0x1000 on: nothing, 3, 4, nothing, 5; 6 covers some of 4 */
	ASSERT_COMMIT(mmio_with(3, 0x10, any), mmio_with(4, 0x13, picky),
		      mmio_with(5, 0x10, any), mmio_with(6, 3, picky),
		      mr_map(3, 1, 0x1010, 0), mr_map(4, 1, 0x1020, 0),
		      mr_map(5, 1, 0x1040, 0), mr_map(6, 1, 0x1026, 1),
		      RULE_ADD(3, shadow_rule(0, 0x10, MREGION_RULE_READ,
					      SHADOW, 0)),
		      RULE_ADD(4, shadow_rule(0, 0xc, MREGION_RULE_READ,
					      SHADOW, 0x100)),
		      RULE_ADD(5, shadow_rule(4, 4, MREGION_RULE_READ,
					      SHADOW, 0x204)),
		      mr_space_set(SPACE, 1, 0, MREGION_POLICY_ONES));
	for (addr = 0x1000; addr < 0x1060; addr++) {
		for (len = 1; len <= 8; len++) {
			ASSERT_EQ(0, mr_read(self->fd, SPACE, addr, len,
					     &whole));
			data = 0;
			all = true;
			for (done = 0; done < len; done += part.part) {
				ASSERT_EQ(0, part_of(self->fd, addr + done,
						     len - done, false,
						     &part));
				ASSERT_LT(0, part.part);
				ASSERT_LE(part.part, len - done);
				all = all && part.handled;
				data |= part.data << (8 * done);
			}
			EXPECT_EQ(all, whole.handled) {
				TH_LOG("%u@%#llx", len,
				       (unsigned long long)addr);
			}
			if (all) {
				EXPECT_EQ(data, whole.data) {
					TH_LOG("%u@%#llx", len,
					       (unsigned long long)addr);
				}
			}
			handled += all;
			left += !all;
		}
	}
	EXPECT_LT(100, handled);
	EXPECT_LT(20, left);
	mr_shadow_unmap(&shadow);
}

TEST_HARNESS_MAIN
