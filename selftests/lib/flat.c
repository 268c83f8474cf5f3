// SPDX-License-Identifier: GPL-2.0
/* Copies of views: what is left of them when memory runs out. */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "flat_copy.h"

/* The library's own calls come here: how much it holds; one of them fails. */
static long held, calls, fail_call;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void __wrap_free(void *ptr);

static bool fails(void)
{
	return ++calls == fail_call;
}

void *__wrap_malloc(size_t size)
{
	void *ptr = fails() ? NULL : __real_malloc(size);

	held += !!ptr;
	return ptr;
}

void *__wrap_calloc(size_t nr, size_t size)
{
	void *ptr = fails() ? NULL : __real_calloc(nr, size);

	held += !!ptr;
	return ptr;
}

void *__wrap_realloc(void *ptr, size_t size)
{
	void *new = fails() ? NULL : __real_realloc(ptr, size);

	held += !ptr && new;
	return new;
}

void __wrap_free(void *ptr)
{
	held -= !!ptr;
	__real_free(ptr);
}

/* So many that they need more than one node of a tree. */
#define RANGES	300u
#define REGION	7u

FIXTURE(flat)
{
	struct mregion_machine machine;
	struct mregion_space space;
	struct mregion_region *region;
	struct mregion_range ranges[RANGES];
};

FIXTURE_SETUP(flat)
{
	uint32_t i;

	fixture_init(&self->machine);
	self->region = fixture_region(&self->machine, REGION, MREGION_MMIO,
				      0x1000, NULL, NULL);
	for (i = 0; i < RANGES; i++)
		self->ranges[i] = (struct mregion_range)FIXTURE_RANGE(0x1000 * i,
			0x1000 * i + 0xfff, 0, REGION, MREGION_MMIO, 0);
	fixture_space(&self->machine, &self->space, MREGION_BUS_MEMORY, NULL,
		      0);
	fail_call = 0;
}

FIXTURE_TEARDOWN(flat)
{
	fail_call = 0;
	fixture_space_destroy(&self->space);
	fixture_destroy(&self->machine);
}

static unsigned int refs(const struct mregion_region *region)
{
	return atomic_load(&region->refs);
}

/* Whether a copy is what it should be, with a reference for each range. */
static bool flat_is(FIXTURE_DATA(flat) *self, const struct mregion_range *ranges,
		    uint32_t nr)
{
	struct mregion_btree_cursor cursor;
	struct mregion_flat_range *range;
	uint32_t i = 0;

	mregion_btree_for_each(range, &cursor, &self->space.flat.tree, 0) {
		if (i == nr || range->region != self->region ||
		    memcmp(&range->range, &ranges[i], sizeof(ranges[i])))
			return false;
		i++;
	}
	return i == nr && refs(self->region) == 1 + nr;
}

static bool is_dropped(FIXTURE_DATA(flat) *self)
{
	return !self->space.flat.valid && !self->space.flat.generation &&
	       flat_is(self, NULL, 0);
}

/* Call by call fails, until there are no more. */
TEST_F(flat, no_memory)
{
	/* one with the ranges it has, one without, one with more than there were */
	const struct mregion_interval intervals[] = {
		{ 0x1000, 0x3fff }, { 0x10000, 0x4ffff },
		{ 0x100000, 0x100fff }, { 0x120000, 0x12bfff },
	};
	struct mregion_range now[RANGES + 200], told[300];
	struct mregion_flat *flat = &self->space.flat;
	uint32_t i, nr = 0, nr_told = 0;
	long before, failed;
	int ret;

	for (i = 0; i < 3; i++)
		told[nr_told++] = self->ranges[1 + i];
	for (i = 0; i < 200; i++)
		told[nr_told++] = (struct mregion_range)FIXTURE_RANGE(
			0x100000 + 8 * i, 0x100000 + 8 * i + 7, 8 * i, REGION,
			MREGION_MMIO, 0);
	now[nr++] = self->ranges[0];
	for (i = 0; i < 3; i++)
		now[nr++] = told[i];
	for (i = 4; i < 0x10; i++)
		now[nr++] = self->ranges[i];
	for (i = 0x50; i < 0x100; i++)
		now[nr++] = self->ranges[i];
	for (i = 3; i < nr_told; i++)
		now[nr++] = told[i];
	for (i = 0x101; i < 0x120; i++)
		now[nr++] = self->ranges[i];

	for (failed = 0;; failed++) {
		fail_call = 0;
		fixture_set_view(&self->space, self->ranges, RANGES);
		ASSERT_TRUE(flat_is(self, self->ranges, RANGES));
		fixture_changed(&self->space, intervals, ARRAY_SIZE(intervals),
				told, nr_told);
		calls = 0;
		fail_call = 1 + failed;
		ret = mregion_flat_follow(flat, &self->machine,
					  &self->space.changed);
		if (!ret)
			break;
		ASSERT_EQ(-ENOMEM, ret);
		ASSERT_TRUE(is_dropped(self));
	}
	fail_call = 0;
	EXPECT_EQ(failed, calls);
	EXPECT_LT((long)nr_told, failed);
	EXPECT_TRUE(flat->valid);
	EXPECT_TRUE(flat_is(self, now, nr));

	/* Of what has failed nothing is held any more. */
	fixture_set_view(&self->space, NULL, 0);
	before = held;
	for (i = 1; i < 4 * failed; i += 7) {
		fail_call = 0;
		fixture_set_view(&self->space, self->ranges, RANGES);
		fixture_changed(&self->space, intervals, ARRAY_SIZE(intervals),
				told, nr_told);
		calls = 0;
		fail_call = i;
		mregion_flat_follow(flat, &self->machine,
				    &self->space.changed);
		fail_call = 0;
		fixture_set_view(&self->space, NULL, 0);
		ASSERT_EQ(before, held);
	}
}

/* Likewise what the kernel is asked for; the next commit has it all again. */
static void ask_without_memory(struct __test_metadata *_metadata,
			       FIXTURE_DATA(flat) *self)
{
	struct mregion_flat *flat = &self->space.flat;
	long before, failed;

	fixture_ioctl = fixture_kernel;
	fixture_view = self->ranges;
	fixture_nr_commits = 100;	/* other generations than of fixture_set_view() */
	self->machine.spaces = &self->space;
	fixture_set_view(&self->space, NULL, 0);
	before = held;
	for (failed = 0; failed < 100000; failed++) {
		fixture_nr_commits++;
		fixture_view_nr = 1 + failed % RANGES;
		calls = 0;
		fail_call = 1 + failed;
		mregion_spaces_follow(&self->machine);
		fail_call = 0;
		if (flat->valid)
			break;
		ASSERT_TRUE(is_dropped(self));
		mregion_spaces_follow(&self->machine);
		ASSERT_TRUE(flat_is(self, self->ranges, fixture_view_nr));
		ASSERT_EQ(1, self->space.changed.nr_intervals);
	}
	EXPECT_LT(10, failed);
	EXPECT_TRUE(flat_is(self, self->ranges, fixture_view_nr));
	/* As much as it had; the array of ranges may have come. */
	fixture_set_view(&self->space, NULL, 0);
	EXPECT_EQ(before, held);
	self->machine.spaces = NULL;
}

TEST_F(flat, ask_changes)
{
	ask_without_memory(_metadata, self);
	EXPECT_LT(0, fixture_nr_changes);
	EXPECT_EQ(0, fixture_nr_views);
}

TEST_F(flat, ask_views)
{
	self->machine.info.features &= ~(uint64_t)MREGION_FEATURE_CHANGES;
	ask_without_memory(_metadata, self);
	EXPECT_EQ(0, fixture_nr_changes);
	EXPECT_LT(0, fixture_nr_views);
}

TEST_HARNESS_MAIN
