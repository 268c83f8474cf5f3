// SPDX-License-Identifier: GPL-2.0
/*
 * What a hierarchy of regions looks like from outside: the visibility rules,
 * one small case each. Views are written as mr_view_text() prints them.
 */
#include "kselftest_harness.h"
#include "mregion_util.h"

#define SPACE	1
#define ROOT	1

FIXTURE(render) {
	int fd;
};

FIXTURE_SETUP(render)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0),
			    mr_space(SPACE, ROOT)));
}

FIXTURE_TEARDOWN(render)
{
	close(self->fd);
}

#define ASSERT_COMMIT(...)	ASSERT_EQ(0, COMMIT(self->fd, __VA_ARGS__))
#define EXPECT_VIEW(text)	EXPECT_STREQ(text, mr_view_text(self->fd, SPACE))

TEST_F(render, empty)
{
	EXPECT_VIEW("");
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_map(2, ROOT, 0, 0));
	EXPECT_VIEW("");
}

TEST_F(render, higher_priority_is_on_top)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x100),
		      mr_map(3, ROOT, 0x800, 1), mr_map(2, ROOT, 0, 0));
	EXPECT_VIEW("0-7ff 2+0, 800-8ff 3+0, 900-fff 2+900");
}

TEST_F(render, lower_priority_shows_around)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x3000),
		      mr_map(2, ROOT, 0x1000, 0), mr_map(3, ROOT, 0, -1));
	EXPECT_VIEW("0-fff 3+0, 1000-1fff 2+0, 2000-2fff 3+2000");
}

TEST_F(render, extreme_priorities)
{
	ASSERT_COMMIT(mr_mmio(2, 0x30), mr_mmio(3, 0x20), mr_mmio(4, 0x10),
		      mr_map(4, ROOT, 0, 0x7fffffff),
		      mr_map(3, ROOT, 0, 0),
		      mr_map(2, ROOT, 0, -0x7fffffff - 1));
	EXPECT_VIEW("0-f 4+0, 10-1f 3+10, 20-2f 2+20");
}

TEST_F(render, of_equals_the_later_is_on_top)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x1000),
		      mr_map(3, ROOT, 0, 0), mr_map(2, ROOT, 0x800, 0));
	EXPECT_VIEW("0-7ff 3+0, 800-17ff 2+0");
	ASSERT_COMMIT(mr_unmap(3), mr_map(3, ROOT, 0, 0));
	EXPECT_VIEW("0-fff 3+0, 1000-17ff 2+800");
}

TEST_F(render, a_move_puts_on_top)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x1000),
		      mr_map(2, ROOT, 0, 0), mr_map(3, ROOT, 0x800, 0));
	EXPECT_VIEW("0-7ff 2+0, 800-17ff 3+0");
	/* One that is there already is not moved. */
	ASSERT_COMMIT(mr_move(2, 0));
	EXPECT_VIEW("0-7ff 2+0, 800-17ff 3+0");
	ASSERT_COMMIT(mr_move(2, 0x100));
	EXPECT_VIEW("100-10ff 2+0, 1100-17ff 3+900");
	ASSERT_COMMIT(mr_move(3, 0), mr_move(3, 0x800));
	EXPECT_VIEW("100-7ff 2+0, 800-17ff 3+0");
}

TEST_F(render, a_move_keeps_the_priority)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x1000),
		      mr_map(2, ROOT, 0, 0), mr_map(3, ROOT, 0, 1),
		      mr_move(2, 0x800));
	EXPECT_VIEW("0-fff 3+0, 1000-17ff 2+800");
}

TEST_F(render, holes_show_lower_siblings)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_mmio(3, 0x100),
		      mr_mmio(4, 0x2000),
		      mr_map(3, 2, 0x100, 0), mr_map(2, ROOT, 0, 1),
		      mr_map(4, ROOT, 0, 0));
	EXPECT_VIEW("0-ff 4+0, 100-1ff 3+0, 200-1fff 4+200");
}

TEST_F(render, holes_show_through_at_every_depth)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_container(3, 0x1000),
		      mr_container(4, 0x1000), mr_mmio(5, 0x10),
		      mr_mmio(6, 0x100), mr_mmio(7, 0x200), mr_mmio(8, 0x1000),
		      mr_map(5, 4, 0x80, 0), mr_map(4, 3, 0, 5),
		      mr_map(6, 3, 0x40, 0), mr_map(3, 2, 0, 5),
		      mr_map(7, 2, 0, 0), mr_map(2, ROOT, 0, 5),
		      mr_map(8, ROOT, 0, 0));
	EXPECT_VIEW("0-3f 7+0, 40-7f 6+0, 80-8f 5+0, 90-13f 6+50, "
		    "140-1ff 7+140, 200-fff 8+200");
}

TEST_F(render, priority_is_local_to_the_parent)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_mmio(3, 0x1000),
		      mr_mmio(4, 0x100),
		      mr_map(3, 2, 0, 1000), mr_map(2, ROOT, 0, 0),
		      mr_map(4, ROOT, 0, 1));
	EXPECT_VIEW("0-ff 4+0, 100-fff 3+100");
}

TEST_F(render, containers_clip)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_mmio(3, 0x10000),
		      mr_mmio(4, 0x100), mr_mmio(5, 0x100),
		      mr_map(3, 2, 0x800, 0), mr_map(4, 2, 0x1000, 1),
		      mr_map(5, 2, 0xf80, 1), mr_map(2, ROOT, 0x10000, 0));
	EXPECT_VIEW("10800-10f7f 3+0, 10f80-10fff 5+0");
}

TEST_F(render, own_contents_are_below_subregions)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x100), mr_ram(4, 0x3000),
		      mr_create(5, MREGION_ROMD, 0x1000),
		      mr_create(6, MREGION_RESERVATION, 0x10),
		      mr_map(3, 2, 0x100, -100), mr_map(2, 4, 0x1000, -5),
		      mr_map(6, 5, 0x20, 0), mr_map(5, 4, 0x2800, 0),
		      mr_map(4, ROOT, 0, 0));
	EXPECT_VIEW("0-fff 4+0, 1000-10ff 2+0, 1100-11ff 3+0, "
		    "1200-1fff 2+200, 2000-27ff 4+2000, 2800-281f 5+0m, "
		    "2820-282f 6+0, 2830-2fff 5+30m");
}

TEST_F(render, disabled_is_invisible)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_mmio(3, 0x100),
		      mr_mmio(4, 0x1000), mr_map(3, 2, 0, 0),
		      mr_map(2, ROOT, 0, 1), mr_map(4, ROOT, 0, 0));
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_DISABLED,
				   MREGION_REGION_DISABLED));
	EXPECT_VIEW("0-fff 4+0");
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_DISABLED, 0));
	EXPECT_VIEW("0-ff 3+0, 100-fff 4+100");
	ASSERT_COMMIT(mr_set_flags(3, MREGION_REGION_DISABLED,
				   MREGION_REGION_DISABLED));
	EXPECT_VIEW("0-fff 4+0");
	ASSERT_COMMIT(mr_set_flags(ROOT, MREGION_REGION_DISABLED,
				   MREGION_REGION_DISABLED));
	EXPECT_VIEW("");
}

/* As with a PC's SMRAM: shown again without taking its place anew. */
TEST_F(render, enabling_keeps_the_order)
{
	ASSERT_COMMIT(mr_mmio(2, 0x100), mr_mmio(3, 0x100),
		      mr_map(2, ROOT, 0, 0), mr_map(3, ROOT, 0, 0));
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_DISABLED,
				   MREGION_REGION_DISABLED));
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_DISABLED, 0));
	EXPECT_VIEW("0-ff 3+0");
}

TEST_F(render, alias_shows_a_window)
{
	ASSERT_COMMIT(mr_ram(2, 0x10000), mr_alias(3, 2, 0x4000, 0x1000),
		      mr_map(3, ROOT, 0x100000, 0));
	EXPECT_VIEW("100000-100fff 2+4000");
	ASSERT_COMMIT(mr_set_alias(3, 0xf800));
	EXPECT_VIEW("100000-1007ff 2+f800");
	ASSERT_COMMIT(mr_set_alias(3, 0x10000));
	EXPECT_VIEW("");
	ASSERT_COMMIT(mr_set_alias(3, 0), mr_resize(3, 0x20000));
	EXPECT_VIEW("100000-10ffff 2+0");
}

/* Where the target itself is mapped does not matter to what an alias shows. */
TEST_F(render, alias_of_a_mapped_region)
{
	ASSERT_COMMIT(mr_container(2, 0x10000), mr_mmio(3, 0x1000),
		      mr_map(3, 2, 0x5000, 0), mr_map(2, ROOT, 0x700000, 0),
		      mr_alias(4, 3, 0x100, 0x100), mr_alias(5, 2, 0x5000, 0x800),
		      mr_map(4, ROOT, 0, 0), mr_map(5, ROOT, 0x1000, 0));
	EXPECT_VIEW("0-ff 3+100, 1000-17ff 3+0, 705000-705fff 3+0");
}

TEST_F(render, alias_of_a_container_with_holes)
{
	ASSERT_COMMIT(mr_container(2, 0x10000), mr_mmio(3, 0x100),
		      mr_mmio(4, 0x100), mr_mmio(5, 0x1000),
		      mr_map(3, 2, 0, 0), mr_map(4, 2, 0x400, 0),
		      mr_alias(6, 2, 0x80, 0x400), mr_map(6, ROOT, 0, 1),
		      mr_map(5, ROOT, 0, 0));
	EXPECT_VIEW("0-7f 3+80, 80-37f 5+80, 380-3ff 4+0, 400-fff 5+400");
}

TEST_F(render, alias_of_alias)
{
	ASSERT_COMMIT(mr_ram(2, 0x10000), mr_alias(3, 2, 0x1000, 0x4000),
		      mr_alias(4, 3, 0x2000, 0x8000), mr_alias(5, 4, 0x800, 0),
		      mr_map(5, ROOT, 0, 0));
	EXPECT_VIEW("0-17ff 2+3800");
}

/* As ARM's SSE machines have it: the upper half in the lower one. */
TEST_F(render, alias_in_what_it_shows)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_mmio(3, 0x1000),
		      mr_map(2, ROOT, 0x40001000, 0),
		      mr_map(3, ROOT, 0x50008000, 0),
		      mr_alias(4, ROOT, 0x40000000, 0x10000000),
		      mr_map(4, ROOT, 0x50000000, -1500));
	EXPECT_VIEW("40001000-40001fff 2+0, 50001000-50001fff 2+0, "
		    "50008000-50008fff 3+0");
	/* What changes, changes in both places. */
	ASSERT_COMMIT(mr_move(2, 0x40002000));
	EXPECT_VIEW("40002000-40002fff 2+0, 50002000-50002fff 2+0, "
		    "50008000-50008fff 3+0");
	ASSERT_COMMIT(mr_set_alias(4, 0x40001000));
	EXPECT_VIEW("40002000-40002fff 2+0, 50001000-50001fff 2+0, "
		    "50008000-50008fff 3+0");
	ASSERT_COMMIT(mr_unmap(4), mr_free(4));
	EXPECT_VIEW("40002000-40002fff 2+0, 50008000-50008fff 3+0");
}

/* Further down, by way of another alias, and read-only. */
TEST_F(render, alias_of_what_is_far_above)
{
	ASSERT_COMMIT(mr_container(2, 0x10000), mr_container(3, 0x1000),
		      mr_ram(4, 0x1000), mr_map(4, ROOT, 0, 0),
		      mr_map(2, ROOT, 0x10000, 0), mr_map(3, 2, 0x1000, 0),
		      mr_alias(5, ROOT, 0, 0x12000),
		      mr_flags(mr_alias(6, 5, 0, 0x800),
			       MREGION_REGION_READONLY),
		      mr_map(6, 3, 0x400, 0));
	EXPECT_VIEW("0-fff 4+0, 11400-11bff 4+0r");
}

/* Each time further on, until its window ends. */
TEST_F(render, alias_that_shows_itself_some_times)
{
	ASSERT_COMMIT(mr_mmio(2, 0x10), mr_map(2, ROOT, 0, 0),
		      mr_alias(3, ROOT, 0, 0x250), mr_map(3, ROOT, 0x100, 0));
	EXPECT_VIEW("0-f 2+0, 100-10f 2+0, 200-20f 2+0, 300-30f 2+0");
	ASSERT_COMMIT(mr_resize(3, 0x100));
	EXPECT_VIEW("0-f 2+0, 100-10f 2+0");
	ASSERT_COMMIT(mr_set_alias(3, 0x180), mr_resize(3, 0x200),
		      mr_move(2, 0x300));
	EXPECT_VIEW("100-10f 2+0, 180-18f 2+0, 200-20f 2+0, 280-28f 2+0, "
		    "300-30f 2+0");
}

/* Through each other: neither is in what it shows itself. */
TEST_F(render, aliases_in_what_the_other_shows)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_container(3, 0x1000),
		      mr_mmio(4, 0x10), mr_map(4, 3, 0, 0),
		      mr_alias(5, 3, 0, 0x800), mr_map(5, 2, 0x800, 0),
		      mr_alias(6, 2, 0x800, 0x400), mr_map(6, 3, 0x100, 0),
		      mr_map(2, ROOT, 0, 0));
	EXPECT_VIEW("800-80f 4+0, 900-90f 4+0, a00-a0f 4+0, b00-b0f 4+0, "
		    "c00-c0f 4+0");
}

#define EXPECT_ENDLESS(...) do {					\
	EXPECT_EQ(-EMLINK, COMMIT(self->fd, __VA_ARGS__));		\
	EXPECT_TRUE(mr_unchanged(self->fd, &before));			\
} while (0)

/* Refused as soon as a space shows it, whatever has brought it about. */
TEST_F(render, alias_that_shows_itself_without_end)
{
	struct mr_snapshot before;

	ASSERT_COMMIT(mr_mmio(2, 0x10), mr_map(2, ROOT, 0x800, 0),
		      mr_alias(3, ROOT, 0, 0x1000),
		      mr_alias(4, ROOT, 0x5000, 0x1000),
		      mr_map(4, ROOT, 0x4000, 0),
		      mr_flags(mr_alias(5, ROOT, 0x8000, 0x1000),
			       MREGION_REGION_DISABLED),
		      mr_map(5, ROOT, 0x8000, 0));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_ENDLESS(mr_map(3, ROOT, 0, 0));
	EXPECT_ENDLESS(mr_map(3, ROOT, 0, -1));
	EXPECT_ENDLESS(mr_map(3, ROOT, 0x10, 0));
	EXPECT_ENDLESS(mr_map(3, 2, 0, 0), mr_set_alias(3, 0x800));
	EXPECT_ENDLESS(mr_set_alias(4, 0x4000));
	EXPECT_ENDLESS(mr_move(4, 0x5000));
	EXPECT_ENDLESS(mr_move(4, 0x5001));
	EXPECT_ENDLESS(mr_alias(6, 4, 0, 0), mr_map(6, ROOT, 0x5000, 0));
	EXPECT_ENDLESS(mr_set_flags(5, MREGION_REGION_DISABLED, 0));
	EXPECT_VIEW("800-80f 2+0");
	mr_snapshot_free(&before);

	/* Nothing is wrong with it where it is covered. */
	ASSERT_COMMIT(mr_map(3, 2, 0, 0), mr_ram(7, 0x10),
		      mr_map(7, 2, 0, 1));
	EXPECT_VIEW("800-80f 7+0");
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_ENDLESS(mr_unmap(7), mr_set_alias(3, 0x800));
	mr_snapshot_free(&before);
}

/* Nor where no space shows it. */
TEST_F(render, endless_and_not_shown)
{
	struct mr_snapshot before;

	ASSERT_COMMIT(mr_container(2, 0x1000), mr_alias(3, 2, 0, 0x1000),
		      mr_alias(4, 2, 0, 0x1000), mr_map(3, 2, 0, 0),
		      mr_map(4, 2, 0, 0), mr_mmio(5, 0x10),
		      mr_map(5, 2, 0, 0));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_ENDLESS(mr_space(2, 2));
	EXPECT_ENDLESS(mr_map(2, ROOT, 0, 0));
	EXPECT_ENDLESS(mr_alias(6, 3, 0, 0x20), mr_map(6, ROOT, 0, 0));
	mr_snapshot_free(&before);
	/* Only a part that ends is. */
	ASSERT_COMMIT(mr_alias(6, 3, 0, 0x10), mr_map(6, ROOT, 0, 0),
		      mr_unmap(5), mr_map(5, 2, 0, 1));
	EXPECT_VIEW("0-f 5+0");
	/* A region that shows itself can be taken apart like any other. */
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_free(2)));
	ASSERT_COMMIT(mr_unmap(3), mr_unmap(4), mr_unmap(5), mr_unmap(6),
		      mr_free(6), mr_free(3), mr_free(4), mr_free(2));
	EXPECT_VIEW("");
}

TEST_F(render, alias_twice_to_the_same)
{
	ASSERT_COMMIT(mr_mmio(2, 0x1000), mr_alias(3, 2, 0, 0x1000),
		      mr_alias(4, 2, 0, 0x1000), mr_map(3, ROOT, 0x1000, 0),
		      mr_map(4, ROOT, 0x2000, 0));
	EXPECT_VIEW("1000-1fff 2+0, 2000-2fff 2+0");
}

TEST_F(render, alias_of_disabled)
{
	ASSERT_COMMIT(mr_flags(mr_mmio(2, 0x1000), MREGION_REGION_DISABLED),
		      mr_alias(3, 2, 0, 0x1000), mr_map(3, ROOT, 0, 0));
	EXPECT_VIEW("");
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_DISABLED, 0));
	EXPECT_VIEW("0-fff 2+0");
	ASSERT_COMMIT(mr_set_flags(3, MREGION_REGION_DISABLED,
				   MREGION_REGION_DISABLED));
	EXPECT_VIEW("");
}

TEST_F(render, alias_follows_its_target)
{
	ASSERT_COMMIT(mr_container(2, 0x1000), mr_mmio(3, 0x100),
		      mr_map(3, 2, 0, 0), mr_alias(4, 2, 0, 0x1000),
		      mr_map(4, ROOT, 0x10000, 0));
	EXPECT_VIEW("10000-100ff 3+0");
	ASSERT_COMMIT(mr_move(3, 0x200));
	EXPECT_VIEW("10200-102ff 3+0");
	ASSERT_COMMIT(mr_resize(3, 0x80));
	EXPECT_VIEW("10200-1027f 3+0");
	ASSERT_COMMIT(mr_unmap(3));
	EXPECT_VIEW("");
}

TEST_F(render, readonly_alias)
{
	ASSERT_COMMIT(mr_container(2, 0x3000), mr_ram(3, 0x1000),
		      mr_mmio(4, 0x1000), mr_map(3, 2, 0, 0),
		      mr_map(4, 2, 0x1000, 0),
		      mr_flags(mr_alias(5, 2, 0, 0x3000),
			       MREGION_REGION_READONLY),
		      mr_alias(6, 5, 0x800, 0x400),
		      mr_map(2, ROOT, 0, 0), mr_map(5, ROOT, 0x10000, 0),
		      mr_map(6, ROOT, 0x20000, 0));
	EXPECT_VIEW("0-fff 3+0, 1000-1fff 4+0, 10000-10fff 3+0r, "
		    "11000-11fff 4+0r, 20000-203ff 3+800r");
	ASSERT_COMMIT(mr_set_flags(5, MREGION_REGION_READONLY, 0));
	EXPECT_VIEW("0-fff 3+0, 1000-1fff 4+0, 10000-10fff 3+0, "
		    "11000-11fff 4+0, 20000-203ff 3+800");
}

TEST_F(render, readonly_and_nonvolatile_are_inherited)
{
	ASSERT_COMMIT(mr_flags(mr_container(2, 0x3000),
			       MREGION_REGION_READONLY),
		      mr_flags(mr_container(3, 0x2000),
			       MREGION_REGION_NONVOLATILE),
		      mr_ram(4, 0x1000), mr_ram(5, 0x1000),
		      mr_map(4, 3, 0, 0), mr_map(3, 2, 0, 0),
		      mr_map(5, 2, 0x2000, 0), mr_map(2, ROOT, 0, 0));
	EXPECT_VIEW("0-fff 4+0rn, 2000-2fff 5+0r");
}

TEST_F(render, kinds)
{
	static const uint32_t kinds[] = {
		MREGION_RAM, MREGION_ROM, MREGION_ROMD, MREGION_RAMDEV,
		MREGION_MMIO, MREGION_RESERVATION,
	};
	struct mregion_range ranges[ARRAY_SIZE(kinds)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		ASSERT_COMMIT(mr_create(10 + i, kinds[i], 0x1000),
			      mr_map(10 + i, ROOT, 0x2000 * i, 0));
	EXPECT_VIEW("0-fff 10+0, 2000-2fff 11+0r, 4000-4fff 12+0m, "
		    "6000-6fff 13+0, 8000-8fff 14+0, a000-afff 15+0");
	ASSERT_EQ(6, mr_view(self->fd, SPACE, ranges, 6, NULL));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(kinds[i], ranges[i].kind);
		EXPECT_EQ(0, ranges[i].reserved);
	}
}

TEST_F(render, rom_device_modes)
{
	ASSERT_COMMIT(mr_create(2, MREGION_ROMD, 0x1000),
		      mr_map(2, ROOT, 0, 0));
	EXPECT_VIEW("0-fff 2+0m");
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_ROMD_OFF,
				   MREGION_REGION_ROMD_OFF));
	EXPECT_VIEW("0-fff 2+0");
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_ROMD_OFF, 0));
	EXPECT_VIEW("0-fff 2+0m");
}

TEST_F(render, dirty_logging)
{
	ASSERT_COMMIT(mr_ram(2, 0x2000), mr_map(2, ROOT, 0, 0),
		      mr_set_flags(2, MREGION_REGION_LOG_DIRTY,
				   MREGION_REGION_LOG_DIRTY));
	EXPECT_VIEW("0-1fff 2+0d");
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_LOG_DIRTY, 0));
	EXPECT_VIEW("0-1fff 2+0");
}

TEST_F(render, neighbours_merge)
{
	ASSERT_COMMIT(mr_ram(2, 0x10000), mr_alias(3, 2, 0, 0x1000),
		      mr_alias(4, 2, 0x1000, 0x1000),
		      mr_alias(5, 2, 0x2000, 0x1000),
		      mr_map(3, ROOT, 0, 0), mr_map(4, ROOT, 0x1000, 1),
		      mr_map(5, ROOT, 0x2000, 2));
	EXPECT_VIEW("0-2fff 2+0");
	ASSERT_COMMIT(mr_set_alias(4, 0x4000));
	EXPECT_VIEW("0-fff 2+0, 1000-1fff 2+4000, 2000-2fff 2+2000");
	ASSERT_COMMIT(mr_set_alias(4, 0x1000),
		      mr_set_flags(4, MREGION_REGION_READONLY,
				   MREGION_REGION_READONLY));
	EXPECT_VIEW("0-fff 2+0, 1000-1fff 2+1000r, 2000-2fff 2+2000");
	ASSERT_COMMIT(mr_set_flags(4, MREGION_REGION_READONLY |
				   MREGION_REGION_NONVOLATILE,
				   MREGION_REGION_NONVOLATILE));
	EXPECT_VIEW("0-fff 2+0, 1000-1fff 2+1000n, 2000-2fff 2+2000");
	ASSERT_COMMIT(mr_set_flags(4, MREGION_REGION_NONVOLATILE, 0));
	EXPECT_VIEW("0-2fff 2+0");
	ASSERT_COMMIT(mr_move(5, 0x3000));
	EXPECT_VIEW("0-1fff 2+0, 3000-3fff 2+2000");
}

TEST_F(render, unmergeable)
{
	ASSERT_COMMIT(mr_flags(mr_ram(2, 0x10000),
			       MREGION_REGION_UNMERGEABLE),
		      mr_alias(3, 2, 0, 0x1000),
		      mr_alias(4, 2, 0x1000, 0x1000),
		      mr_map(3, ROOT, 0, 0), mr_map(4, ROOT, 0x1000, 0));
	EXPECT_VIEW("0-fff 2+0u, 1000-1fff 2+1000u");
	ASSERT_COMMIT(mr_set_flags(2, MREGION_REGION_UNMERGEABLE, 0));
	EXPECT_VIEW("0-1fff 2+0");
	/* inherited, too */
	ASSERT_COMMIT(mr_set_flags(3, MREGION_REGION_UNMERGEABLE,
				   MREGION_REGION_UNMERGEABLE));
	EXPECT_VIEW("0-fff 2+0u, 1000-1fff 2+1000");
	ASSERT_COMMIT(mr_set_flags(ROOT, MREGION_REGION_UNMERGEABLE,
				   MREGION_REGION_UNMERGEABLE));
	EXPECT_VIEW("0-fff 2+0u, 1000-1fff 2+1000u");
}

/* Two different regions never merge, alike as they may be. */
TEST_F(render, different_regions_do_not_merge)
{
	ASSERT_COMMIT(mr_ram(2, 0x1000), mr_ram(3, 0x1000),
		      mr_map(2, ROOT, 0, 0), mr_map(3, ROOT, 0x1000, 0));
	EXPECT_VIEW("0-fff 2+0, 1000-1fff 3+0");
}

TEST_F(render, two_to_the_64)
{
	ASSERT_COMMIT(mr_mmio(2, 0), mr_map(2, ROOT, 0, 0));
	EXPECT_VIEW("0-ffffffffffffffff 2+0");
	ASSERT_COMMIT(mr_move(2, 1));
	EXPECT_VIEW("1-ffffffffffffffff 2+0");
	ASSERT_COMMIT(mr_move(2, -1ull));
	EXPECT_VIEW("ffffffffffffffff-ffffffffffffffff 2+0");
	ASSERT_COMMIT(mr_unmap(2), mr_alias(3, 2, 0x1000, 0),
		      mr_map(3, ROOT, 0, 0));
	EXPECT_VIEW("0-ffffffffffffefff 2+1000");
	ASSERT_COMMIT(mr_set_alias(3, -1ull));
	EXPECT_VIEW("0-0 2+ffffffffffffffff");
	ASSERT_COMMIT(mr_set_alias(3, 0), mr_ram(4, 1),
		      mr_map(4, ROOT, 0x8000000000000000, 1));
	EXPECT_VIEW("0-7fffffffffffffff 2+0, "
		    "8000000000000000-8000000000000000 4+0, "
		    "8000000000000001-ffffffffffffffff 2+8000000000000001");
}

/* Nothing comes round from behind 2^64, at any depth. */
TEST_F(render, no_wraparound)
{
	ASSERT_COMMIT(mr_mmio(2, 0x2000),
		      mr_map(2, ROOT, 0xfffffffffffff000, 0));
	EXPECT_VIEW("fffffffffffff000-ffffffffffffffff 2+0");
	ASSERT_COMMIT(mr_unmap(2), mr_container(3, 0), mr_container(4, 0),
		      mr_map(2, 4, 0xffffffffffffff00, 0),
		      mr_map(4, 3, 0xffffffffffffff00, 0),
		      mr_map(3, ROOT, 0xffffffffffff0000, 0));
	EXPECT_VIEW("");
	ASSERT_COMMIT(mr_move(2, 0x20), mr_move(4, 0x1000));
	EXPECT_VIEW("ffffffffffff1020-ffffffffffff301f 2+0");
	ASSERT_COMMIT(mr_move(4, 0x10000));
	EXPECT_VIEW("");
}

/* An alias moves what is far up to far down, and back. */
TEST_F(render, far_aliases)
{
	ASSERT_COMMIT(mr_container(2, 0), mr_mmio(3, 0x1000),
		      mr_map(3, 2, 0xfffffffffffff000, 0),
		      mr_alias(4, 2, 0xffffffffffff0000, 0),
		      mr_alias(5, 4, 0xf000, 0x800),
		      mr_map(4, ROOT, 0, 0),
		      mr_map(5, ROOT, 0xfffffffffffffc00, 0));
	EXPECT_VIEW("f000-ffff 3+0, fffffffffffffc00-ffffffffffffffff 3+0");
	ASSERT_COMMIT(mr_container(6, 0x10000), mr_alias(7, 2,
							 0xfffffffffffff000, 0),
		      mr_map(7, 6, 0xf800, 0),
		      mr_alias(8, 6, 0xf000, 0), mr_unmap(4), mr_unmap(5),
		      mr_map(8, ROOT, 0x1000, 0));
	EXPECT_VIEW("1800-1fff 3+0");
}

TEST_F(render, single_bytes)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		ASSERT_COMMIT(mr_mmio(10 + i, 1),
			      mr_map(10 + i, ROOT, 7 - i, 0));
	EXPECT_VIEW("0-0 17+0, 1-1 16+0, 2-2 15+0, 3-3 14+0, 4-4 13+0, "
		    "5-5 12+0, 6-6 11+0, 7-7 10+0");
}

TEST_F(render, port_space_ends_at_64k)
{
	ASSERT_COMMIT(mr_mmio(2, 0), mr_map(2, ROOT, 0, 0),
		      mr_pio_space(7, ROOT));
	EXPECT_STREQ("0-ffff 2+0", mr_view_text(self->fd, 7));
	ASSERT_COMMIT(mr_move(2, 0xffff));
	EXPECT_STREQ("ffff-ffff 2+0", mr_view_text(self->fd, 7));
	ASSERT_COMMIT(mr_move(2, 0x10000));
	EXPECT_STREQ("", mr_view_text(self->fd, 7));
	EXPECT_VIEW("10000-ffffffffffffffff 2+0");
}

TEST_F(render, spaces_share_regions)
{
	ASSERT_COMMIT(mr_container(2, 0x10000), mr_mmio(3, 0x1000),
		      mr_mmio(4, 0x100), mr_container(5, 0),
		      mr_alias(6, 2, 0, 0x10000), mr_alias(7, 2, 0, 0x10000),
		      mr_map(3, 2, 0, 0), mr_map(6, ROOT, 0, 0),
		      mr_map(7, 5, 0, 0), mr_map(4, 5, 0x80, 1),
		      mr_space(2, 5), mr_space(3, 2));
	EXPECT_VIEW("0-fff 3+0");
	EXPECT_STREQ("0-7f 3+0, 80-17f 4+0, 180-fff 3+180",
		     mr_view_text(self->fd, 2));
	EXPECT_STREQ("0-fff 3+0", mr_view_text(self->fd, 3));
	/* One move shows in all three. */
	ASSERT_COMMIT(mr_move(3, 0x100));
	EXPECT_VIEW("100-10ff 3+0");
	EXPECT_STREQ("80-17f 4+0, 180-10ff 3+80", mr_view_text(self->fd, 2));
	EXPECT_STREQ("100-10ff 3+0", mr_view_text(self->fd, 3));
}

/* A root shows from address 0, wherever it is mapped itself. */
TEST_F(render, any_region_is_a_root)
{
	ASSERT_COMMIT(mr_container(2, 0x10000), mr_mmio(3, 0x1000),
		      mr_map(3, 2, 0x100, 0), mr_map(2, ROOT, 0x50000, 0),
		      mr_alias(4, 2, 0x80, 0x100), mr_space(2, 2),
		      mr_space(3, 3), mr_space(4, 4));
	EXPECT_VIEW("50100-510ff 3+0");
	EXPECT_STREQ("100-10ff 3+0", mr_view_text(self->fd, 2));
	EXPECT_STREQ("0-fff 3+0", mr_view_text(self->fd, 3));
	EXPECT_STREQ("80-ff 3+0", mr_view_text(self->fd, 4));
}

/* A reader with too little room gets the first ranges, and the number of all. */
TEST_F(render, partial_reads)
{
	struct mregion_range all[8], some[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		ASSERT_COMMIT(mr_mmio(10 + i, 0x80),
			      mr_map(10 + i, ROOT, 0x100 * i, 0));
	ASSERT_EQ(8, mr_view(self->fd, SPACE, all, 8, NULL));
	for (i = 0; i <= 8; i++) {
		memset(some, 0xa5, sizeof(some));
		EXPECT_EQ(8, mr_view(self->fd, SPACE, some, i, NULL));
		EXPECT_EQ(0, memcmp(all, some, i * sizeof(all[0])));
		if (i < 8)
			EXPECT_EQ(0xa5a5a5a5, some[i].region);
	}
}

/*
 * Readers that know less or more of a range than the kernel: as much as both
 * know is there, the rest of a larger one is zero.
 */
TEST_F(render, range_sizes)
{
	struct {
		struct mregion_range range;
		uint64_t more;
	} large[2];
	struct mregion_view_read view = {
		.size = sizeof(view),
		.space = SPACE,
		.ranges = (uintptr_t)large,
		.nr = 2,
		.range_size = sizeof(large[0]),
	};

	ASSERT_COMMIT(mr_mmio(2, 0x80), mr_map(2, ROOT, 0, 0),
		      mr_mmio(3, 0x80), mr_map(3, ROOT, 0x100, 0));
	memset(large, 0xa5, sizeof(large));
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_VIEW_READ, &view));
	EXPECT_EQ(2, view.nr);
	EXPECT_EQ(2, large[0].range.region);
	EXPECT_EQ(0, large[0].more);
	EXPECT_EQ(3, large[1].range.region);
	EXPECT_EQ(0x100, large[1].range.start);
	EXPECT_EQ(0, large[1].more);

	view.nr = 2;
	view.range_size = sizeof(large[0].range) - 8;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_VIEW_READ, &view));
	view.range_size = 0;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_VIEW_READ, &view));
	view.range_size = -1u;
	EXPECT_NE(0, mr_ioctl(self->fd, MREGION_VIEW_READ, &view));
}

TEST_HARNESS_MAIN
