// SPDX-License-Identifier: GPL-2.0
/* MREGION_TRANSLATE: what is at an address, and how far it reaches. */
#include "kselftest_harness.h"
#include "mregion_util.h"

#define SPACE	1
#define PIO	2

FIXTURE(translate) {
	int fd;
};

FIXTURE_SETUP(translate)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(SPACE, 1),
			    mr_ram(2, 0x10000), mr_mmio(3, 0x1000),
			    mr_map(2, 1, 0x100000, 0),
			    mr_map(3, 1, 0x104000, 1),
			    mr_flags(mr_alias(4, 2, 0x8000, 0x1000),
				     MREGION_REGION_READONLY),
			    mr_map(4, 1, 0xfffffffffffff000, 0),
			    mr_container(5, 0x10000), mr_mmio(6, 8),
			    mr_map(6, 5, 0x3f8, 0), mr_pio_space(PIO, 5)));
}

FIXTURE_TEARDOWN(translate)
{
	close(self->fd);
}

#define EXPECT_RANGE(_space, _addr, _len, _last, _region, _offset, _kind, \
		     _flags) do {					\
	struct mregion_translate __t;					\
									\
	EXPECT_EQ(0, mr_translate(self->fd, _space, _addr, _len, &__t));\
	EXPECT_EQ(_addr, __t.range.start);				\
	EXPECT_EQ(_last, __t.range.last);				\
	EXPECT_EQ(_region, __t.range.region);				\
	EXPECT_EQ(_kind, __t.range.kind);				\
	if (_region)							\
		EXPECT_EQ(_offset, __t.range.offset);			\
	EXPECT_EQ(_flags, __t.range.flags);				\
} while (0)

TEST_F(translate, ranges)
{
	EXPECT_RANGE(SPACE, 0x100000, 1, 0x100000, 2, 0, MREGION_RAM, 0);
	EXPECT_RANGE(SPACE, 0x100000, 0x1000, 0x100fff, 2, 0, MREGION_RAM, 0);
	EXPECT_RANGE(SPACE, 0x100123, 0x100, 0x100222, 2, 0x123, MREGION_RAM,
		     0);
	/* Only as far as it reaches. */
	EXPECT_RANGE(SPACE, 0x100000, 0x10000, 0x103fff, 2, 0, MREGION_RAM, 0);
	EXPECT_RANGE(SPACE, 0x103fff, 2, 0x103fff, 2, 0x3fff, MREGION_RAM, 0);
	EXPECT_RANGE(SPACE, 0x104000, 0x100000000, 0x104fff, 3, 0, MREGION_MMIO, 0);
	EXPECT_RANGE(SPACE, 0x105000, -0x105000ull, 0x10ffff, 2, 0x5000,
		     MREGION_RAM, 0);
	EXPECT_RANGE(SPACE, 0xffffffffffffffff, 1, 0xffffffffffffffff, 2,
		     0x8fff, MREGION_RAM, MREGION_RANGE_READONLY);
	EXPECT_RANGE(SPACE, 0xfffffffffffff000, 0x1000, 0xffffffffffffffff, 2,
		     0x8000, MREGION_RAM, MREGION_RANGE_READONLY);
	EXPECT_RANGE(PIO, 0x3fa, 8, 0x3ff, 6, 2, MREGION_MMIO, 0);
}

TEST_F(translate, gaps)
{
	EXPECT_RANGE(SPACE, 0, 1, 0, 0, 0, 0, 0);
	EXPECT_RANGE(SPACE, 0, 0, 0xfffff, 0, 0, 0, 0);
	EXPECT_RANGE(SPACE, 0x80000, 0x1000, 0x80fff, 0, 0, 0, 0);
	EXPECT_RANGE(SPACE, 0x110000, -0x110000ull, 0xffffffffffffefff, 0, 0,
		     0, 0);
	EXPECT_RANGE(PIO, 0x400, 0x10, 0x40f, 0, 0, 0, 0);
	EXPECT_RANGE(PIO, 0x400, 0xfc00, 0xffff, 0, 0, 0, 0);
	EXPECT_EQ(0, COMMIT(self->fd, mr_container(7, 0), mr_space(7, 7)));
	EXPECT_RANGE(7, 0, 0, 0xffffffffffffffff, 0, 0, 0, 0);
}

/* A length of 0 is 2^64 bytes, which only fit from address 0 on. */
TEST_F(translate, bounds)
{
	struct mregion_translate result;

	EXPECT_EQ(-ENOENT, mr_translate(self->fd, 99, 0, 1, &result));
	EXPECT_EQ(-ENOENT, mr_translate(self->fd, 0, 0, 1, &result));
	EXPECT_EQ(-EINVAL, mr_translate(self->fd, SPACE, -1ull, 2, &result));
	EXPECT_EQ(-EINVAL, mr_translate(self->fd, SPACE, 1, 0, &result));
	EXPECT_EQ(-EINVAL, mr_translate(self->fd, SPACE, 0x100000,
					0xfffffffffff00001, &result));
	EXPECT_EQ(0, mr_translate(self->fd, SPACE, 0x100000,
				  0xfffffffffff00000, &result));
	EXPECT_EQ(-EINVAL, mr_translate(self->fd, PIO, 0x10000, 1, &result));
	EXPECT_EQ(-EINVAL, mr_translate(self->fd, PIO, -1ull, 1, &result));
	EXPECT_EQ(0, mr_translate(self->fd, PIO, 0xffff, 1, &result));
}

/* Agrees with the view at every edge. */
TEST_F(translate, agrees_with_the_view)
{
	struct mregion_translate result;
	struct mregion_range ranges[16];
	uint64_t generation;
	int i, nr = mr_view(self->fd, SPACE, ranges, 16, &generation);

	ASSERT_EQ(4, nr);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, mr_translate(self->fd, SPACE, ranges[i].start,
					  ranges[i].last - ranges[i].start + 1,
					  &result));
		EXPECT_EQ(0, memcmp(&ranges[i], &result.range,
				    sizeof(result.range)));
		EXPECT_EQ(generation, result.generation);
		ASSERT_EQ(0, mr_translate(self->fd, SPACE, ranges[i].last, 1,
					  &result));
		EXPECT_EQ(ranges[i].region, result.range.region);
		EXPECT_EQ(ranges[i].last, result.range.last);
	}
}

TEST_HARNESS_MAIN
