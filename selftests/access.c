// SPDX-License-Identifier: GPL-2.0
/*
 * MREGION_ACCESS: what becomes of an access, how it is split and what is
 * refused. The path is that of a guest's access, and this is the handiest way
 * to walk it.
 */
#include "kselftest_harness.h"
#include "mregion_util.h"

#define SPACE	1
#define PIO	2
#define RING	1

FIXTURE(access) {
	struct mregion_info info;
	struct mr_ring ring;
	int fd;
};

FIXTURE_SETUP(access)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 64, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0),
			    mr_container(2, 0x10000), mr_space(SPACE, 1),
			    mr_pio_space(PIO, 2)));
}

FIXTURE_TEARDOWN(access)
{
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	close(self->fd);
}

#define ASSERT_COMMIT(...)	ASSERT_EQ(0, COMMIT(self->fd, __VA_ARGS__))

static uint64_t all_ones(uint32_t len)
{
	return len == 8 ? -1ull : (1ull << (8 * len)) - 1;
}

/* Read, and expect an outcome; where it is handled, a value as well. */
#define EXPECT_READ(_space, _addr, _len, _outcome, _handled, _value) do { \
	struct mregion_access __access;					\
									\
	EXPECT_EQ(0, mr_read(self->fd, _space, _addr, _len, &__access));\
	EXPECT_EQ(_outcome, __access.outcome);				\
	EXPECT_EQ(_handled, __access.handled);				\
	if (_handled)							\
		EXPECT_EQ(_value, __access.data);			\
} while (0)

#define EXPECT_WRITE(_space, _addr, _len, _outcome, _handled) do {	\
	struct mregion_access __access;					\
									\
	EXPECT_EQ(0, mr_write(self->fd, _space, _addr, _len,		\
			      0x8877665544332211, &__access));		\
	EXPECT_EQ(_outcome, __access.outcome);				\
	EXPECT_EQ(_handled, __access.handled);				\
} while (0)

static struct mregion_op mmio_with(uint32_t id, uint64_t len,
				   struct mregion_constraints constraints)
{
	struct mregion_op op = mr_mmio(id, len);

	op.create.constraints = constraints;
	return op;
}

TEST_F(access, arguments)
{
	struct mregion_access access;

	EXPECT_EQ(-ENOENT, mr_read(self->fd, 99, 0, 4, &access));
	EXPECT_EQ(-ENOENT, mr_read(self->fd, 0, 0, 4, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, SPACE, 0, 0, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, SPACE, 0, 9, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, SPACE, 0, -1u, &access));
	EXPECT_EQ(-EOPNOTSUPP, mr_access(self->fd, SPACE, 0, 4, 4, 0,
					 &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, SPACE, -4ull, 8, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, SPACE, -1ull, 2, &access));
	EXPECT_EQ(0, mr_read(self->fd, SPACE, -8ull, 8, &access));
	EXPECT_EQ(0, mr_read(self->fd, SPACE, -1ull, 1, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, PIO, 0xfffe, 4, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, PIO, 0x10000, 1, &access));
	EXPECT_EQ(-EINVAL, mr_read(self->fd, PIO, 1ull << 32, 1, &access));
	EXPECT_EQ(0, mr_read(self->fd, PIO, 0xfffc, 4, &access));
}

TEST_F(access, unassigned)
{
	uint32_t len;

	/* By default the VMM gets it. */
	EXPECT_READ(SPACE, 0x100, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0);
	EXPECT_WRITE(SPACE, 0x100, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0);
	for (len = 1; len <= 8; len++) {
		ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_ONES));
		EXPECT_READ(SPACE, 0x101, len, MREGION_OUTCOME_UNASSIGNED, 1,
			    all_ones(len));
		EXPECT_WRITE(SPACE, 0x101, len, MREGION_OUTCOME_UNASSIGNED, 1);
		ASSERT_COMMIT(mr_space_set(SPACE, 1, 0,
					   MREGION_POLICY_ZEROES));
		EXPECT_READ(SPACE, 0x101, len, MREGION_OUTCOME_UNASSIGNED, 1,
			    0);
		EXPECT_WRITE(SPACE, 0x101, len, MREGION_OUTCOME_UNASSIGNED, 1);
	}
	ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_ERROR));
	EXPECT_READ(SPACE, 0, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0);
	ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_EXIT));
	EXPECT_READ(SPACE, 0, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0);
	ASSERT_COMMIT(mr_space_set(PIO, 2, MREGION_BUS_PIO,
				   MREGION_POLICY_ONES));
	EXPECT_READ(PIO, 0x3f8, 1, MREGION_OUTCOME_UNASSIGNED, 1, 0xff);
}

TEST_F(access, device)
{
	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0x1000, 0),
		      mr_mmio(4, 8), mr_map(4, 2, 0x3f8, 0));
	EXPECT_READ(SPACE, 0x1000, 4, MREGION_OUTCOME_EXIT, 0, 0);
	EXPECT_WRITE(SPACE, 0x1ffc, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_READ(PIO, 0x3ff, 1, MREGION_OUTCOME_EXIT, 0, 0);
	EXPECT_WRITE(PIO, 0x3f8, 1, MREGION_OUTCOME_EXIT, 0);
}

/*
 * Memory is the VMM's to access, whatever it is. Only writes that it does not
 * take are answered.
 */
TEST_F(access, memory_is_never_handled)
{
	static const uint32_t kinds[] = {
		MREGION_RAM, MREGION_ROMD, MREGION_RAMDEV,
		MREGION_RESERVATION, MREGION_ROM,
	};
	struct mregion_access access;
	unsigned int i;

	ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_ONES));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint64_t addr = 0x1000 * i;

		ASSERT_COMMIT(mr_create(10 + i, kinds[i], 0x1000),
			      mr_map(10 + i, 1, addr, 0));
		ASSERT_EQ(0, mr_read(self->fd, SPACE, addr + 8, 4, &access));
		EXPECT_EQ(0, access.handled);
		ASSERT_EQ(0, mr_write(self->fd, SPACE, addr + 8, 4, 0,
				      &access));
		EXPECT_EQ(kinds[i] == MREGION_ROM, access.handled);
	}
	EXPECT_EQ(MREGION_OUTCOME_REFUSED, access.outcome);
}

/* A ROM device: writes are the device's, and so are reads in the other mode. */
TEST_F(access, rom_device)
{
	struct mregion_op op = mr_create(3, MREGION_ROMD, 0x1000);
	struct mregion_access access;

	op.create.constraints.valid_min = 2;
	op.create.constraints.valid_max = 4;
	ASSERT_COMMIT(op, mr_map(3, 1, 0, 0), mr_rule_add(3, RING, 0x800, 8));
	EXPECT_WRITE(SPACE, 0x800, 4, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0x10, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_WRITE(SPACE, 0x10, 1, MREGION_OUTCOME_REFUSED, 1);
	/* A read from memory is not what the constraints are about. */
	ASSERT_EQ(0, mr_read(self->fd, SPACE, 0x10, 1, &access));
	EXPECT_EQ(0, access.handled);
	ASSERT_COMMIT(mr_set_flags(3, MREGION_REGION_ROMD_OFF,
				   MREGION_REGION_ROMD_OFF));
	EXPECT_READ(SPACE, 0x10, 1, MREGION_OUTCOME_REFUSED, 1, 0xff);
	EXPECT_READ(SPACE, 0x10, 2, MREGION_OUTCOME_EXIT, 0, 0);
	EXPECT_WRITE(SPACE, 0x804, 2, MREGION_OUTCOME_COALESCED, 1);
}

TEST_F(access, refused_policies)
{
	static const struct {
		uint8_t policy;
		uint32_t outcome, handled;
		uint64_t value;
	} cases[] = {
		{ MREGION_POLICY_DEFAULT, MREGION_OUTCOME_REFUSED, 1, 0xffff },
		{ MREGION_POLICY_ONES, MREGION_OUTCOME_REFUSED, 1, 0xffff },
		{ MREGION_POLICY_ZEROES, MREGION_OUTCOME_REFUSED, 1, 0 },
		{ MREGION_POLICY_ERROR, MREGION_OUTCOME_REFUSED_EXIT, 0, 0 },
	};
	struct mregion_constraints constraints = {
		.valid_min = 4, .valid_max = 4,
	};
	unsigned int i;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0, 0));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		constraints.refused = cases[i].policy;
		ASSERT_COMMIT(mr_set_constraints(3, constraints));
		EXPECT_READ(SPACE, 0x10, 2, cases[i].outcome, cases[i].handled,
			    cases[i].value);
		EXPECT_WRITE(SPACE, 0x10, 2, cases[i].outcome,
			     cases[i].handled);
		EXPECT_READ(SPACE, 0x10, 4, MREGION_OUTCOME_EXIT, 0, 0);
	}
}

/* Which accesses reach the kernel's rules, and in which parts: "len@offset". */
struct split {
	const char *why;
	struct mregion_constraints constraints;
	uint64_t offset;
	uint32_t len;
	const char *accepted;
	unsigned int refused;
};

#define V	MREGION_VALID_UNALIGNED
#define I	MREGION_IMPL_UNALIGNED
#define C(_min, _max, _flags) \
	{ .valid_min = _min, .valid_max = _max, .flags = _flags }

/*
 * "size" is memory_access_size() of QEMU's system/physmem.c (softmmu/physmem.c
 * up to 8.1), "valid" memory_region_access_valid() of system/memory.c.
 */
static const struct split splits[] = {
	{ "size: a maximum of 0 means 4",
	  C(0, 0, 0), 0, 4, "4@0", 0 },
	{ "size: a maximum of 0 means 4",
	  C(0, 0, 0), 8, 8, "4@8 4@12", 0 },
	{ "size: not above the maximum",
	  C(0, 8, 0), 8, 8, "8@8", 0 },
	{ "size: not above the maximum",
	  C(0, 4, 0), 8, 8, "4@8 4@12", 0 },
	{ "size: not above the maximum",
	  C(0, 2, 0), 8, 8, "2@8 2@10 2@12 2@14", 0 },
	{ "size: not above the maximum",
	  C(0, 1, 0), 0, 4, "1@0 1@1 1@2 1@3", 0 },
	{ "size: bounded by the alignment of the offset",
	  C(0, 4, 0), 1, 4, "1@1 2@2 1@4", 0 },
	{ "size: bounded by the alignment of the offset",
	  C(0, 4, 0), 2, 4, "2@2 2@4", 0 },
	{ "size: bounded by the alignment of the offset",
	  C(0, 8, 0), 4, 8, "4@4 4@8", 0 },
	{ "size: bounded by the alignment of the offset",
	  C(0, 8, 0), 1, 8, "1@1 2@2 4@4 1@8", 0 },
	{ "size: bounded by the alignment, valid or not",
	  C(0, 4, V), 1, 4, "1@1 2@2 1@4", 0 },
	{ "size: offset 0 is aligned to anything",
	  C(0, 8, 0), 0, 8, "8@0", 0 },
	{ "size: not bounded if the implementation takes it",
	  C(0, 4, V | I), 1, 4, "4@1", 0 },
	{ "size: not bounded if the implementation takes it",
	  C(0, 8, V | I), 3, 8, "8@3", 0 },
	{ "size: not bounded, but not above the maximum",
	  C(0, 4, V | I), 3, 8, "4@3 4@7", 0 },
	{ "valid: unaligned is refused unless allowed",
	  C(0, 4, I), 1, 4, "", 1 },
	{ "valid: unaligned is refused unless allowed",
	  C(0, 4, I), 2, 4, "", 1 },
	{ "valid: unaligned is about the size of the part",
	  C(0, 4, I), 2, 2, "2@2", 0 },
	{ "valid: each part on its own",
	  C(0, 4, I), 2, 8, "", 2 },
	{ "size: a power of two",
	  C(0, 4, 0), 0, 3, "2@0 1@2", 0 },
	{ "size: a power of two",
	  C(0, 8, 0), 0, 7, "4@0 2@4 1@6", 0 },
	{ "size: a power of two",
	  C(0, 8, 0), 1, 7, "1@1 2@2 4@4", 0 },
	{ "size: a power of two",
	  C(0, 8, V | I), 1, 5, "4@1 1@5", 0 },
	{ "size: a power of two",
	  C(0, 8, 0), 0, 6, "4@0 2@4", 0 },
	{ "valid: below the minimum",
	  C(2, 4, 0), 0, 1, "", 1 },
	{ "valid: below the minimum",
	  C(4, 4, 0), 0, 2, "", 1 },
	{ "valid: below the minimum",
	  C(8, 8, 0), 8, 4, "", 1 },
	{ "valid: the minimum itself",
	  C(4, 4, 0), 4, 4, "4@4", 0 },
	{ "valid: split by the alignment to below the minimum",
	  C(2, 4, 0), 1, 4, "2@2", 2 },
	{ "valid: split by the alignment to below the minimum",
	  C(4, 4, 0), 2, 4, "", 2 },
	{ "valid: what is left over is below the minimum",
	  C(2, 4, 0), 0, 3, "2@0", 1 },
	{ "valid: what is left over is below the minimum",
	  C(4, 4, 0), 0, 6, "4@0", 1 },
	{ "valid: without a maximum the minimum is not looked at",
	  C(4, 0, 0), 0, 1, "1@0", 0 },
	{ "valid: without a maximum the minimum is not looked at",
	  C(2, 0, 0), 1, 4, "1@1 2@2 1@4", 0 },
	{ "valid: without a maximum alignment is",
	  C(0, 0, I), 1, 4, "", 1 },
};

#undef V
#undef I
#undef C

TEST_F(access, splits)
{
	const uint64_t data = 0x8877665544332211;
	struct mregion_ring_entry entry;
	struct mregion_stats before, after;
	struct mregion_access access;
	const struct split *split;
	char accepted[128], *p;
	unsigned int i;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0x1000, 0),
		      mr_rule_add(3, RING, 0, 0));
	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		split = &splits[i];
		ASSERT_COMMIT(mr_set_constraints(3, split->constraints));
		ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, 3,
				      &before));
		EXPECT_EQ(0, mr_write(self->fd, SPACE, 0x1000 + split->offset,
				      split->len, data, &access));
		ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, 3,
				      &after));
		EXPECT_EQ(1, access.handled);
		accepted[0] = '\0';
		p = accepted;
		while (mr_ring_take(&self->ring, &entry)) {
			p += sprintf(p, "%s%u@%llu",
				     p == accepted ? "" : " ", entry.len,
				     (unsigned long long)entry.offset);
			EXPECT_EQ((data >> (8 * (entry.offset -
						 split->offset))) &
				  all_ones(entry.len), entry.data);
		}
		EXPECT_STREQ(split->accepted, accepted) {
			TH_LOG("case %u: %u@%llu: %s", i, split->len,
			       (unsigned long long)split->offset, split->why);
		}
		EXPECT_EQ(split->refused,
			  after.outcomes[MREGION_OUTCOME_REFUSED] -
			  before.outcomes[MREGION_OUTCOME_REFUSED]) {
			TH_LOG("case %u: %s", i, split->why);
		}
	}
}

/* What is split is aligned in the region, not in the space. */
TEST_F(access, splits_by_offset)
{
	struct mregion_ring_entry entry;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0x1001, 0),
		      mr_rule_add(3, RING, 0, 0));
	EXPECT_WRITE(SPACE, 0x1001, 4, MREGION_OUTCOME_COALESCED, 1);
	ASSERT_TRUE(mr_ring_take(&self->ring, &entry));
	EXPECT_EQ(0, entry.offset);
	EXPECT_EQ(4, entry.len);
	EXPECT_FALSE(mr_ring_take(&self->ring, &entry));
	EXPECT_WRITE(SPACE, 0x1004, 4, MREGION_OUTCOME_COALESCED, 1);
	ASSERT_TRUE(mr_ring_take(&self->ring, &entry));
	EXPECT_EQ(3, entry.offset);
	EXPECT_EQ(1, entry.len);
	EXPECT_EQ(3, mr_ring_waiting(&self->ring) + 1);
}

/* Reads that are refused in part: each byte by what its part got. */
TEST_F(access, refused_reads_in_parts)
{
	struct mregion_constraints constraints = {
		.valid_min = 4, .valid_max = 4,
		.refused = MREGION_POLICY_ZEROES,
	};

	ASSERT_COMMIT(mmio_with(3, 0x1000, constraints), mr_map(3, 1, 0, 0));
	EXPECT_READ(SPACE, 1, 3, MREGION_OUTCOME_REFUSED, 1, 0);
	/* The part in the middle is the device's, so all of it is. */
	EXPECT_READ(SPACE, 2, 8, MREGION_OUTCOME_EXIT, 0, 0);
	constraints.refused = MREGION_POLICY_ERROR;
	ASSERT_COMMIT(mr_set_constraints(3, constraints));
	EXPECT_READ(SPACE, 1, 2, MREGION_OUTCOME_REFUSED_EXIT, 0, 0);
}

TEST_F(access, straddling)
{
	struct mregion_constraints picky = { .valid_min = 8, .valid_max = 8 };
	struct mregion_constraints wide = { .valid_max = 8 };

	ASSERT_COMMIT(mmio_with(3, 0x1000, wide), mmio_with(4, 0x1000, wide),
		      mmio_with(5, 0x1000, picky), mr_map(3, 1, 0, 0),
		      mr_map(4, 1, 0x1000, 0), mr_map(5, 1, 0x3000, 0),
		      mr_space_set(SPACE, 1, 0, MREGION_POLICY_ZEROES),
		      mr_rule_add(3, RING, 0, 0), mr_rule_add(4, RING, 0, 0));
	/* Over two devices: whole, to the VMM. */
	EXPECT_WRITE(SPACE, 0xffc, 8, MREGION_OUTCOME_EXIT, 0);
	EXPECT_READ(SPACE, 0xffc, 8, MREGION_OUTCOME_EXIT, 0, 0);
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));
	/* Into nothing, and out of it. */
	EXPECT_WRITE(SPACE, 0x1ffe, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));
	/* Over a device that refuses, and nothing: both are answered here. */
	EXPECT_READ(SPACE, 0x3ffc, 8, MREGION_OUTCOME_REFUSED, 1, 0xffffffff);
	EXPECT_READ(SPACE, 0x2ffe, 4, MREGION_OUTCOME_UNASSIGNED, 1,
		    0xffff0000);
	EXPECT_WRITE(SPACE, 0x3ffc, 8, MREGION_OUTCOME_REFUSED, 1);
	ASSERT_COMMIT(mr_space_set(SPACE, 1, 0, MREGION_POLICY_EXIT));
	EXPECT_READ(SPACE, 0x3ffc, 8, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0);
	/* Wholly inside, at the last bytes. */
	EXPECT_WRITE(SPACE, 0xff8, 8, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
}

/* Over memory and a device. */
TEST_F(access, straddling_memory)
{
	struct mregion_access access;

	ASSERT_COMMIT(mr_ram(3, 0x1000), mr_mmio(4, 0x1000),
		      mr_map(3, 1, 0, 0), mr_map(4, 1, 0x1000, 0),
		      mr_rule_add(4, RING, 0, 0));
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0xffc, 8, 0, &access));
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));
}

TEST_F(access, rule_covers_part)
{
	struct mregion_constraints wide = { .valid_max = 8 };

	ASSERT_COMMIT(mmio_with(3, 0x1000, wide), mr_map(3, 1, 0, 0),
		      mr_rule_add(3, RING, 0x10, 4),
		      mr_rule_add(3, RING, 0x20, 8));
	EXPECT_WRITE(SPACE, 0x10, 4, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0x11, 1, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0x13, 1, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0x20, 8, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_EQ(4, mr_ring_waiting(&self->ring));
	EXPECT_WRITE(SPACE, 0xc, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_WRITE(SPACE, 0x14, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_WRITE(SPACE, 0x10, 8, MREGION_OUTCOME_EXIT, 0);
	/* The first part could, the second could not: nothing is done. */
	EXPECT_WRITE(SPACE, 0x12, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_EQ(4, mr_ring_waiting(&self->ring));
}

/* Two rules side by side are not one. */
TEST_F(access, rules_side_by_side)
{
	struct mregion_constraints wide = MREGION_ANY_ACCESS;

	ASSERT_COMMIT(mmio_with(3, 0x1000, wide), mr_map(3, 1, 0, 0),
		      mr_rule_add(3, RING, 0x10, 4),
		      mr_rule_add(3, RING, 0x14, 4));
	EXPECT_WRITE(SPACE, 0x12, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_WRITE(SPACE, 0x14, 4, MREGION_OUTCOME_COALESCED, 1);
}

/* A rule that reaches the end of the region, whatever that is now. */
TEST_F(access, rule_follows_resize)
{
	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0, 0),
		      mr_rule_add(3, RING, 0x800, 0));
	EXPECT_WRITE(SPACE, 0xffc, 4, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0x1000, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0);
	ASSERT_COMMIT(mr_resize(3, 0x100));
	EXPECT_WRITE(SPACE, 0x800, 4, MREGION_OUTCOME_UNASSIGNED_EXIT, 0);
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
}

TEST_F(access, rule_by_alias)
{
	struct mregion_ring_entry entry;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_alias(4, 3, 0x800, 0x100),
		      mr_map(4, 1, 0x5000, 0), mr_rule_add(3, RING, 0x810, 4));
	EXPECT_WRITE(SPACE, 0x5010, 4, MREGION_OUTCOME_COALESCED, 1);
	ASSERT_TRUE(mr_ring_take(&self->ring, &entry));
	EXPECT_EQ(0x810, entry.offset);
	EXPECT_EQ(3, entry.region);
	EXPECT_WRITE(SPACE, 0x5014, 4, MREGION_OUTCOME_EXIT, 0);
}

TEST_F(access, ring_full)
{
	struct mregion_ring_entry entry;
	unsigned int i;

	ASSERT_COMMIT(mr_mmio(3, 0x1000), mr_map(3, 1, 0, 0),
		      mr_rule_add(3, RING, 0, 0));
	for (i = 0; i < 64; i++)
		EXPECT_WRITE(SPACE, 4 * i, 4, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0, 4, MREGION_OUTCOME_RING_FULL, 0);
	ASSERT_TRUE(mr_ring_take(&self->ring, &entry));
	EXPECT_WRITE(SPACE, 0, 4, MREGION_OUTCOME_COALESCED, 1);
}

/* Each outcome is counted for its region or space, and for the machine. */
TEST_F(access, counters)
{
	struct mregion_constraints picky = { .valid_min = 4, .valid_max = 4 };
	struct mregion_stats region, space, machine;

	ASSERT_COMMIT(mmio_with(3, 0x1000, picky), mr_map(3, 1, 0, 0),
		      mr_rule_add(3, RING, 0, 0x100),
		      mr_space_set(SPACE, 1, 0, MREGION_POLICY_ONES));
	EXPECT_WRITE(SPACE, 0, 4, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 4, 4, MREGION_OUTCOME_COALESCED, 1);
	EXPECT_WRITE(SPACE, 0x200, 4, MREGION_OUTCOME_EXIT, 0);
	EXPECT_READ(SPACE, 0, 2, MREGION_OUTCOME_REFUSED, 1, 0xffff);
	EXPECT_READ(SPACE, 0x5000, 4, MREGION_OUTCOME_UNASSIGNED, 1,
		    0xffffffff);
	EXPECT_READ(PIO, 0x80, 1, MREGION_OUTCOME_UNASSIGNED_EXIT, 0, 0);

	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, 3, &region));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_SPACE, SPACE, &space));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &machine));
	EXPECT_EQ(2, region.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(1, region.outcomes[MREGION_OUTCOME_EXIT]);
	EXPECT_EQ(1, region.outcomes[MREGION_OUTCOME_REFUSED]);
	EXPECT_EQ(0, region.outcomes[MREGION_OUTCOME_UNASSIGNED]);
	EXPECT_EQ(1, space.outcomes[MREGION_OUTCOME_UNASSIGNED]);
	EXPECT_EQ(0, space.outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT]);
	EXPECT_EQ(2, machine.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(1, machine.outcomes[MREGION_OUTCOME_EXIT]);
	EXPECT_EQ(1, machine.outcomes[MREGION_OUTCOME_REFUSED]);
	EXPECT_EQ(1, machine.outcomes[MREGION_OUTCOME_UNASSIGNED]);
	EXPECT_EQ(1, machine.outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT]);
	/* The machine also counts what has been freed since. */
	ASSERT_COMMIT(mr_unmap(3), mr_free(3));
	ASSERT_EQ(-ENOENT, mr_stats(self->fd, MREGION_OBJECT_REGION, 3,
				    &region));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &machine));
	EXPECT_EQ(2, machine.outcomes[MREGION_OUTCOME_COALESCED]);
}

TEST_F(access, counters_of_what_is_not_there)
{
	struct mregion_stats stats;

	EXPECT_EQ(-ENOENT, mr_stats(self->fd, MREGION_OBJECT_REGION, 99,
				    &stats));
	EXPECT_EQ(-ENOENT, mr_stats(self->fd, MREGION_OBJECT_SPACE, 99,
				    &stats));
	EXPECT_EQ(-ENOENT, mr_stats(self->fd, MREGION_OBJECT_RING, 99,
				    &stats));
	EXPECT_GT(0, mr_stats(self->fd, 4, 1, &stats));
	EXPECT_GT(0, mr_stats(self->fd, -1u, 1, &stats));
}

TEST_HARNESS_MAIN
