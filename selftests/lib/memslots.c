// SPDX-License-Identifier: GPL-2.0
/* Which memory slots a view makes, and how they change with it. */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "flat_copy.h"
#include "memslots.h"
#include "../random_util.h"

#define FIRST_SLOT	8
#define NR_SLOTS	4

static uint8_t memory[64 * 4096] __attribute__((aligned(4096)));

FIXTURE(memslots)
{
	struct mregion_machine machine;
	struct mregion_space space;
	struct mregion_kvm_log log;
	struct mregion_memslots slots;
	struct mregion_region *first;
};

FIXTURE_SETUP(memslots)
{
	static const uint32_t kinds[] = {
		MREGION_RAM, MREGION_ROM, MREGION_ROMD, MREGION_RAMDEV,
	};
	struct mregion_region *region;
	size_t i;

	fixture_init(&self->machine);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		region = fixture_region(&self->machine, i + 1, kinds[i],
					sizeof(memory), NULL, NULL);
		atomic_store(&region->ram.ptr, memory);
		if (!i)
			self->first = region;
	}
	fixture_space(&self->machine, &self->space, MREGION_BUS_MEMORY, NULL,
		      0);
	ASSERT_EQ(0, mregion_memslots_init(&self->slots, &self->log, -1,
					   FIRST_SLOT, NR_SLOTS));
}

FIXTURE_TEARDOWN(memslots)
{
	mregion_memslots_destroy(&self->slots);
	fixture_space_destroy(&self->space);
	fixture_destroy(&self->machine);
}

#define NO_MEMORY	FIXTURE_RANGE(0, 0xfff, 0, 99, MREGION_MMIO, 0)

#define UPDATE(...) ({ \
	const struct mregion_range ranges[] = { __VA_ARGS__ }; \
	fixture_nr_calls = 0; \
	fixture_set_view(&self->space, ranges, ARRAY_SIZE(ranges)); \
	mregion_memslots_update(&self->slots, &self->space); \
})

#define EXPECT_CALL(i, nr, addr, len, off, f) do { \
	const struct kvm_userspace_memory_region *c = &fixture_calls[i]; \
	EXPECT_EQ(FIRST_SLOT + (nr), c->slot); \
	EXPECT_EQ(addr, c->guest_phys_addr); \
	EXPECT_EQ(len, c->memory_size); \
	EXPECT_EQ((uintptr_t)memory + (off), c->userspace_addr); \
	EXPECT_EQ(f, c->flags); \
} while (0)

TEST_F(memslots, kinds)
{
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0x3000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x1000, 0x2fff, 0, 2, MREGION_ROM,
		      MREGION_RANGE_READONLY),
		FIXTURE_RANGE(0x3000, 0x3fff, 0, 3, MREGION_ROMD, MREGION_RANGE_ROMD),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 3, MREGION_ROMD, 0),
		FIXTURE_RANGE(0x5000, 0x5fff, 0, 4, MREGION_RAMDEV,
		      MREGION_RANGE_LOG_DIRTY),
		FIXTURE_RANGE(0x6000, 0x6fff, 0, 99, MREGION_MMIO, 0)));
	ASSERT_EQ(4, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0x1000, 0x3000, 0);
	EXPECT_CALL(1, 1, 0x1000, 0x2000, 0, KVM_MEM_READONLY);
	EXPECT_CALL(2, 2, 0x3000, 0x1000, 0, KVM_MEM_READONLY);
	EXPECT_CALL(3, 3, 0x5000, 0x1000, 0, KVM_MEM_LOG_DIRTY_PAGES);
}

TEST_F(memslots, whole_pages)
{
	ASSERT_EQ(0, UPDATE(
		/* The page between two halves of pages. */
		FIXTURE_RANGE(0x0800, 0x27ff, 0x1800, 1, MREGION_RAM, 0),
		/* No whole page at all: across a boundary, one byte short. */
		FIXTURE_RANGE(0x2800, 0x37ff, 0x0800, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x4000, 0x4ffe, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x5001, 0x5fff, 1, 1, MREGION_RAM, 0),
		/* Pages of the guest that are none of the host. */
		FIXTURE_RANGE(0x6000, 0x7fff, 0x800, 1, MREGION_RAM, 0),
		/* Begins in the last quarter of a page. */
		FIXTURE_RANGE(0x8c00, 0x9fff, 0x4c00, 1, MREGION_RAM, 0),
		/* The last page there is. */
		FIXTURE_RANGE(UINT64_MAX - 0xfff, UINT64_MAX, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(3, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0x1000, 0x1000, 0x2000, 0);
	EXPECT_CALL(1, 1, 0x9000, 0x1000, 0x5000, 0);
	EXPECT_CALL(2, 2, UINT64_MAX - 0xfff, 0x1000, 0, 0);
}

TEST_F(memslots, remove_before_add)
{
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x1000, 0x2fff, 0x1000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(3, fixture_nr_calls);
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x8fff, 0x2000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(0, 1, 0x1000, 0, 0x1000, 0);
	EXPECT_CALL(1, 1, 0x2000, 0x6000, 0x2000, 0);
}

TEST_F(memslots, unchanged)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0),
			    FIXTURE_RANGE(0x1000, 0x1fff, 0, 99, MREGION_MMIO, 0)));
	EXPECT_EQ(0, fixture_nr_calls);
}

TEST_F(memslots, flags)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0)));

	/* Logging begins and ends without a gap in the guest's memory. */
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM,
				  MREGION_RANGE_LOG_DIRTY)));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0x1000, 0, KVM_MEM_LOG_DIRTY_PAGES);

	/* KVM does not let a slot change whether it is read-only. */
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM,
				  MREGION_RANGE_READONLY)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_EQ(0, fixture_calls[0].memory_size);
	EXPECT_CALL(1, 0, 0, 0x1000, 0, KVM_MEM_READONLY);
}

/* As when a region is replaced by another one on the same memory. */
static void count_pause(void *opaque)
{
	/* Nothing has happened to the slots yet. */
	*(unsigned int *)opaque += fixture_nr_calls ? 100 : 1;
}

static void count_resume(void *opaque)
{
	*(unsigned int *)opaque += 10;
}

/* vCPUs are paused where they could miss memory, or a log, and nowhere else. */
TEST_F(memslots, pauses)
{
	unsigned int count = 0;

	self->slots.pause = count_pause;
	self->slots.resume = count_resume;
	self->slots.opaque = &count;
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM, 0)));
	/* more memory, and a log that begins and ends */
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM,
			      MREGION_RANGE_LOG_DIRTY),
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	/* memory that moves, or is other memory, or goes: all of it */
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x9000, 0x9fff, 0x8000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x9000, 0x9fff, 0xa000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(0, count);
	/* a slot is split */
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x3fff, 0x2000, 1, MREGION_RAM, 0)));
	EXPECT_EQ(11, count);
	/* the parts stay when the rest comes back */
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0x3fff, 0, 1, MREGION_RAM,
					  MREGION_RANGE_LOG_DIRTY)));
	EXPECT_EQ(3, fixture_nr_calls);
	EXPECT_EQ(11, count);
	/* it grows, and its memory is mapped elsewhere then */
	atomic_store(&self->first->ram.ptr, memory + 16 * 4096);
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0x7fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(22, count);
	atomic_store(&self->first->ram.ptr, memory);
	/* what is logged goes */
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0x7fff, 0, 1, MREGION_RAM,
					  MREGION_RANGE_LOG_DIRTY)));
	EXPECT_EQ(33, count);
	ASSERT_EQ(0, UPDATE(NO_MEMORY));
	EXPECT_EQ(44, count);
	EXPECT_EQ(4, self->slots.pauses);
}

/* Where there are not enough slots for the parts of a range, it has one. */
TEST_F(memslots, too_few_for_parts)
{
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0x0000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x2fff, 0x2000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x4000, 0x4fff, 0x4000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x4fff, 0x0000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(4, fixture_nr_calls);
	EXPECT_EQ(0, fixture_calls[2].memory_size);
	EXPECT_EQ(0x5000, fixture_calls[3].memory_size);
	EXPECT_EQ(1, self->slots.nr);
}

TEST_F(memslots, other_region)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 4, MREGION_RAMDEV, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_EQ(0, fixture_calls[0].memory_size);
	EXPECT_EQ(0x1000, fixture_calls[1].memory_size);
}

TEST_F(memslots, too_few)
{
	ASSERT_EQ(-ENOSPC, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x2fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x6000, 0x6fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(4, fixture_nr_calls);
	EXPECT_NE(0, strlen(mregion_error()));

	/* Once there is room, the one that had none gets its slot. */
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x2000, 0x2fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x6000, 0x6fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0, 0);
	EXPECT_CALL(1, 0, 0x8000, 0x1000, 0, 0);
}

/* Memory for the numbers of slots is for those that are used. */
TEST_F(memslots, numbers)
{
	EXPECT_EQ(NULL, self->slots.free);
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(1, self->slots.nr_used);
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0x2000, 0x2fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(1, self->slots.nr_used);
}

static int nr_kvm_slots;

static int kvm(unsigned long request, void *arg)
{
	if (request != KVM_CHECK_EXTENSION ||
	    (uintptr_t)arg != KVM_CAP_NR_MEMSLOTS)
		return -ENOTTY;
	return nr_kvm_slots;
}

TEST_F(memslots, all_of_kvm)
{
	struct mregion_memslots all;

	fixture_ioctl = kvm;
	nr_kvm_slots = FIRST_SLOT;
	EXPECT_EQ(-EINVAL, mregion_memslots_init(&all, &self->log, -1,
						 FIRST_SLOT,
						 MREGION_ALL_SLOTS));
	nr_kvm_slots = -EBADF;
	EXPECT_EQ(-EBADF, mregion_memslots_init(&all, &self->log, -1,
						FIRST_SLOT,
						MREGION_ALL_SLOTS));
	nr_kvm_slots = 32764;
	ASSERT_EQ(0, mregion_memslots_init(&self->slots, &self->log, -1,
					   FIRST_SLOT, MREGION_ALL_SLOTS));
	EXPECT_EQ(32764 - FIRST_SLOT, self->slots.max);
	nr_kvm_slots = FIRST_SLOT + 2;
	ASSERT_EQ(0, mregion_memslots_init(&self->slots, &self->log, -1,
					   FIRST_SLOT, MREGION_ALL_SLOTS));
	EXPECT_EQ(-ENOSPC, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x2fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(1, 1, 0x2000, 0x1000, 0, 0);
}

TEST_F(memslots, refused)
{
	fixture_bad_slot = FIRST_SLOT;
	ASSERT_EQ(-EEXIST, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0)));
	fixture_bad_slot = -1;
	/* It is tried again, in the same slot, at the next change. */
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0x1000, 0, 0);
}

/* What KVM cannot remove is the guest's as before, until it can. */
TEST_F(memslots, stuck)
{
	struct mregion_region *region;

	region = mregion_table_get(&self->machine.regions, 1);
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
			    FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	fixture_stuck_slot = FIRST_SLOT;
	ASSERT_EQ(-ENOMEM, UPDATE(
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 2, MREGION_ROM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0, 0);
	EXPECT_CALL(1, 2, 0x4000, 0x1000, 0, KVM_MEM_READONLY);

	/* It fails again, and takes part in nothing else. */
	ASSERT_EQ(-ENOMEM, UPDATE(
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0, 0);
	EXPECT_CALL(1, 2, 0x4000, 0, 0, 0);

	/* Wanted again, it is there already. */
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	EXPECT_EQ(0, fixture_nr_calls);
	ASSERT_EQ(-ENOMEM, UPDATE(
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(1, fixture_nr_calls);

	/* Others go, and come, on both sides of it. */
	fixture_stuck_slot = FIRST_SLOT + 1;
	ASSERT_EQ(-ENOMEM, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0x2000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x9000, 0x9fff, 0x2000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(4, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0, 0);
	EXPECT_CALL(1, 1, 0x8000, 0, 0x8000, 0);
	EXPECT_CALL(2, 0, 0, 0x1000, 0x2000, 0);
	EXPECT_CALL(3, 2, 0x9000, 0x1000, 0x2000, 0);
	fixture_stuck_slot = -1;
	ASSERT_EQ(0, UPDATE(NO_MEMORY));
	ASSERT_EQ(3, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0x2000, 0);
	EXPECT_CALL(1, 1, 0x8000, 0, 0x8000, 0);
	EXPECT_CALL(2, 2, 0x9000, 0, 0x2000, 0);
	EXPECT_EQ(2, atomic_load(&region->refs));
	mregion_region_put(region);
}

/* KVM says so when it has no such slot: then it need not be tried again. */
TEST_F(memslots, gone)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0)));
	fixture_stuck_slot = FIRST_SLOT;
	fixture_stuck_errno = EINVAL;
	ASSERT_EQ(-EINVAL, UPDATE(NO_MEMORY));
	ASSERT_EQ(0, UPDATE(NO_MEMORY));
	EXPECT_EQ(0, fixture_nr_calls);
}

TEST_F(memslots, flags_refused)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0)));
	fixture_bad_slot = FIRST_SLOT;
	ASSERT_EQ(-EEXIST, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM,
					MREGION_RANGE_LOG_DIRTY)));
	fixture_bad_slot = -1;
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM,
				  MREGION_RANGE_LOG_DIRTY)));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0x1000, 0, KVM_MEM_LOG_DIRTY_PAGES);
}

/* Of an error of several slots the first is told, with its own text. */
TEST_F(memslots, first_error)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0, 0xfff, 0, 1, MREGION_RAM, 0)));
	fixture_stuck_slot = FIRST_SLOT;
	fixture_bad_slot = FIRST_SLOT + 1;
	ASSERT_EQ(-ENOMEM, UPDATE(
		FIXTURE_RANGE(0x2000, 0x2fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_NE(NULL, strstr(mregion_error(), "remove memory slot 8"));
	EXPECT_EQ(ENOMEM, errno);
	fixture_stuck_slot = -1;
}

/* ---- After a commit ---------------------------------------------------- */

#define INTERVALS(...)	((const struct mregion_interval[]){ __VA_ARGS__ })

/* Only in the intervals has the view changed: to these ranges. */
#define FOLLOW(intervals, ...) ({ \
	const struct mregion_range new[] = { __VA_ARGS__ }; \
	fixture_nr_calls = 0; \
	fixture_changed(&self->space, intervals, ARRAY_SIZE(intervals), new, \
			ARRAY_SIZE(new)); \
	ASSERT_EQ(0, mregion_flat_follow(&self->space.flat, &self->machine, \
					 &self->space.changed)); \
	mregion_memslots_follow(&self->slots, &self->space); \
})

static uint8_t elsewhere[64 * 4096] __attribute__((aligned(4096)));

/* Who looks at a slot outside of the intervals finds its memory elsewhere. */
static void move_memory(struct mregion_machine *machine)
{
	struct mregion_region *region;

	region = mregion_table_get(&machine->regions, 1);
	atomic_store(&region->ram.ptr, elsewhere);
	mregion_region_put(region);
}

TEST_F(memslots, follow)
{
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 4, MREGION_RAMDEV, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(UINT64_MAX - 0xfff, UINT64_MAX, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(4, fixture_nr_calls);
	move_memory(&self->machine);
	/* In the middle, between two that begin and end where it does. */
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x1000, 0x7fff }),
		FIXTURE_RANGE(0x6000, 0x6fff, 0, 4, MREGION_RAMDEV, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(0, 1, 0x4000, 0, 0, 0);
	EXPECT_CALL(1, 1, 0x6000, 0x1000, 0, 0);
	/* What is there already stays. */
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x6000, 0x6fff }),
		FIXTURE_RANGE(0x6000, 0x6fff, 0, 4, MREGION_RAMDEV, 0)));
	EXPECT_EQ(0, fixture_nr_calls);
	/* No memory before, and none now. */
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x2000, 0x5fff }),
		FIXTURE_RANGE(0x2000, 0x2fff, 0, 99, MREGION_MMIO, 0)));
	EXPECT_EQ(0, fixture_nr_calls);
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x6000, 0x6fff })));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 1, 0x6000, 0, 0, 0);
	/* Nothing has changed. */
	fixture_nr_calls = 0;
	fixture_changed(&self->space, NULL, 0, NULL, 0);
	ASSERT_EQ(0, mregion_memslots_follow(&self->slots, &self->space));
	EXPECT_EQ(0, fixture_nr_calls);
	EXPECT_EQ(3, self->slots.nr);
	/* Several, at both ends. */
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0, 0xfff },
				      { UINT64_MAX - 0xfff, UINT64_MAX }),
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 4, MREGION_RAMDEV, 0)));
	ASSERT_EQ(3, fixture_nr_calls);
	EXPECT_EQ(0, fixture_calls[0].memory_size);
	EXPECT_EQ(0, fixture_calls[1].memory_size);
	EXPECT_EQ(UINT64_MAX - 0xfff, fixture_calls[1].guest_phys_addr);
	EXPECT_EQ(0x1000, fixture_calls[2].memory_size);
	/* And now all: the one that nobody has looked at is found elsewhere. */
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0, UINT64_MAX }),
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 4, MREGION_RAMDEV, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_EQ(0x8000, fixture_calls[0].guest_phys_addr);
	EXPECT_EQ((uintptr_t)elsewhere, fixture_calls[1].userspace_addr);
}

/* What has failed is tried again by the next commit, whatever that has changed. */
TEST_F(memslots, follow_again)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0)));
	fixture_bad_slot = FIRST_SLOT + 1;
	ASSERT_EQ(-EEXIST, FOLLOW(INTERVALS({ 0x4000, 0x4fff }),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(1, fixture_nr_calls);
	/* Not yet. */
	ASSERT_EQ(-EEXIST, FOLLOW(INTERVALS({ 0x8000, 0x8fff }),
		FIXTURE_RANGE(0x8000, 0x8fff, 0, 99, MREGION_MMIO, 0)));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 1, 0x4000, 0x1000, 0, 0);
	fixture_bad_slot = -1;
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x9000, 0x9fff }),
		FIXTURE_RANGE(0x9000, 0x9fff, 0, 99, MREGION_MMIO, 0)));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 1, 0x4000, 0x1000, 0, 0);
	/* And that is all. */
	move_memory(&self->machine);
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x9000, 0x9fff })));
	EXPECT_EQ(0, fixture_nr_calls);

	/* What cannot be removed, too; it is in the way of nothing else. */
	fixture_stuck_slot = FIRST_SLOT;
	ASSERT_EQ(-ENOMEM, FOLLOW(INTERVALS({ 0, 0xfff })));
	EXPECT_EQ(1, fixture_nr_calls);
	fixture_stuck_slot = -1;
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x4000, 0x4fff })));
	EXPECT_EQ(2, fixture_nr_calls);
	EXPECT_EQ(0, self->slots.nr);
}

/* A view that could not be read is read as a whole by the next commit. */
TEST_F(memslots, follow_nothing)
{
	ASSERT_EQ(0, UPDATE(FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
			    FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0)));
	fixture_nr_calls = 0;
	self->space.changed.nr_intervals = 0;
	ASSERT_EQ(0, mregion_flat_follow(&self->space.flat, &self->machine,
					 NULL));
	EXPECT_EQ(0, self->space.flat.generation);
	ASSERT_EQ(-ENOMEM, mregion_memslots_follow(&self->slots,
						   &self->space));
	/* The guest keeps what it has. */
	EXPECT_EQ(0, fixture_nr_calls);
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0, UINT64_MAX }),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(1, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0, 0);
}

#define EXPECT_TEXT(text) EXPECT_NE(NULL, strstr(mregion_error(), text)) { \
	TH_LOG("%s", mregion_error()); \
}

/* Those outside of the intervals count, too. */
TEST_F(memslots, follow_too_few)
{
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x2fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x8000, 0x8fff, 0, 1, MREGION_RAM, 0)));
	ASSERT_EQ(-ENOSPC, FOLLOW(INTERVALS({ 0x4000, 0x7fff }),
		FIXTURE_RANGE(0x4000, 0x4fff, 0, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x6000, 0x6fff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(1, fixture_nr_calls);
	EXPECT_TEXT("the view needs 5, and there are 4 to use");
	/* So does one that has no slot since the commit before. */
	ASSERT_EQ(-ENOSPC, FOLLOW(INTERVALS({ 0xa000, 0xafff }),
		FIXTURE_RANGE(0xa000, 0xafff, 0, 1, MREGION_RAM, 0)));
	EXPECT_EQ(0, fixture_nr_calls);
	EXPECT_TEXT("the view needs 6, and there are 4 to use");
	/* Where one becomes free, the first that has none gets it. */
	ASSERT_EQ(-ENOSPC, FOLLOW(INTERVALS({ 0, 0xfff })));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(0, 0, 0, 0, 0, 0);
	EXPECT_CALL(1, 0, 0x6000, 0x1000, 0, 0);
	EXPECT_TEXT("the view needs 5, and there are 4 to use");
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x2000, 0x2fff })));
	ASSERT_EQ(2, fixture_nr_calls);
	EXPECT_CALL(1, 1, 0xa000, 0x1000, 0, 0);
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x2000, 0x2fff })));
	EXPECT_EQ(0, fixture_nr_calls);
}

/* Also where the parts are that take too many, and nothing changes. */
TEST_F(memslots, follow_too_few_for_parts)
{
	ASSERT_EQ(0, UPDATE(
		FIXTURE_RANGE(0x0000, 0x0fff, 0x0000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0x2000, 0x2fff, 0x2000, 1, MREGION_RAM, 0)));
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0, 0x2fff }),
		FIXTURE_RANGE(0x0000, 0x2fff, 0x0000, 1, MREGION_RAM, 0)));
	EXPECT_EQ(1, fixture_nr_calls);
	EXPECT_EQ(3, self->slots.nr);
	ASSERT_EQ(0, FOLLOW(INTERVALS({ 0x8000, 0xafff }),
		FIXTURE_RANGE(0x8000, 0x8fff, 0x8000, 1, MREGION_RAM, 0),
		FIXTURE_RANGE(0xa000, 0xafff, 0xa000, 1, MREGION_RAM, 0)));
	EXPECT_EQ(6, fixture_nr_calls);
	EXPECT_EQ(3, self->slots.nr);
}

/*
 * Random views of pages of which each has its place, or is away. Who follows has the
 * slots in the end that who looks at all has.
 */
#define PAGES	16u

static size_t random_page(struct mregion_range *ranges, uint32_t page,
			  uint32_t look)
{
	if (!look)
		return 0;
	ranges[0] = (struct mregion_range)FIXTURE_RANGE(page * 0x1000,
		page * 0x1000 + 0xfff, look * 0x1000, look == 1 ? 99 : 1,
		look == 1 ? MREGION_MMIO : MREGION_RAM,
		look == 2 ? MREGION_RANGE_READONLY : 0);
	return 1;
}

TEST_F(memslots, follow_random)
{
	struct mregion_range ranges[PAGES];
	struct mregion_interval intervals[PAGES];
	struct mregion_memslots all;
	uint32_t looks[PAGES] = { 0 };
	uint64_t seed = random_seed("MREGION_SEED");
	struct prng prng = prng_of(seed, 0);
	size_t i, nr, nr_intervals, round, compared = 0;

	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)seed);
	ASSERT_EQ(0, mregion_memslots_init(&all, &self->log, -1, 100, PAGES));
	self->slots.max = PAGES;
	for (round = 0; round < 3000; round++) {
		nr = 0;
		nr_intervals = 0;
		for (i = 0; i < PAGES; i++) {
			if (!one_in(&prng, 4))
				continue;
			looks[i] = below(&prng, 5);
			intervals[nr_intervals++] = (struct mregion_interval){
				i * 0x1000, i * 0x1000 + 0xfff,
			};
			nr += random_page(ranges + nr, i, looks[i]);
		}
		fixture_nr_calls = 0;
		/* Some cannot be set, or removed. */
		fixture_bad_slot = one_in(&prng, 4) ?
			FIRST_SLOT + (int)below(&prng, PAGES) : -1;
		fixture_stuck_slot = one_in(&prng, 4) ?
			FIRST_SLOT + (int)below(&prng, PAGES) : -1;
		fixture_changed(&self->space, intervals, nr_intervals, ranges,
				nr);
		ASSERT_EQ(0, mregion_flat_follow(&self->space.flat,
						 &self->machine,
						 &self->space.changed));
		if (mregion_memslots_follow(&self->slots, &self->space))
			continue;
		compared++;
		fixture_nr_calls = 0;
		ASSERT_EQ(0, mregion_memslots_update(&all, &self->space));
		ASSERT_EQ(all.nr, self->slots.nr);
		for (i = 0; i < all.nr; i++) {
			ASSERT_EQ(all.slots[i].gpa, self->slots.slots[i].gpa);
			ASSERT_EQ(all.slots[i].hva, self->slots.slots[i].hva);
			ASSERT_EQ(all.slots[i].size, self->slots.slots[i].size);
			ASSERT_EQ(all.slots[i].flags,
				  self->slots.slots[i].flags);
		}
	}
	EXPECT_LT(1000, compared);
	fixture_bad_slot = -1;
	fixture_stuck_slot = -1;
	mregion_memslots_destroy(&all);
}

/* ---- The fewest changes ------------------------------------------------- */

/* What a page is. RAM has its address as offset, but for the last. */
enum look { AWAY, DEVICE, ROM, RAM, LOGGED, OTHER_RAM, NR_LOOKS };

static uint32_t flags_of(enum look look)
{
	return look == ROM ? KVM_MEM_READONLY :
	       look == LOGGED ? KVM_MEM_LOG_DIRTY_PAGES : 0;
}

static uint64_t offset_of(enum look look, size_t page)
{
	return (page + (look == OTHER_RAM ? 20 : 0)) * 0x1000;
}

static bool is_memory(enum look look)
{
	return look != AWAY && look != DEVICE;
}

/* Pages that look the same are one range. Return: how many ranges. */
static size_t ranges_of(const enum look *looks, struct mregion_range *ranges)
{
	size_t i, nr = 0;

	for (i = 0; i < PAGES; i++) {
		if (looks[i] == AWAY)
			continue;
		if (i && looks[i - 1] == looks[i]) {
			ranges[nr - 1].last += 0x1000;
			continue;
		}
		ranges[nr++] = (struct mregion_range)FIXTURE_RANGE(i * 0x1000,
			i * 0x1000 + 0xfff, offset_of(looks[i], i),
			looks[i] == DEVICE ? 99 : 1,
			looks[i] == DEVICE ? MREGION_MMIO : MREGION_RAM,
			(looks[i] == ROM ? MREGION_RANGE_READONLY : 0) |
			(looks[i] == LOGGED ? MREGION_RANGE_LOG_DIRTY : 0));
	}
	return nr;
}

/* Can a slot stay, as it is or with another flag for its log? */
static bool can_stay(const struct mregion_memslot *slot, const enum look *looks)
{
	size_t first = slot->gpa / 0x1000, i;

	for (i = first; i < first + slot->size / 0x1000; i++)
		if (looks[i] != looks[first])
			return false;
	return is_memory(looks[first]) &&
	       offset_of(looks[first], first) == slot->offset &&
	       !((flags_of(looks[first]) ^ slot->flags) & KVM_MEM_READONLY);
}

/*
 * Whoever changes fewer slots leaves a page wrong: each slot that cannot stay has to go,
 * or to change its flag, and each stretch of one range that no slot has needs one.
 */
static size_t fewest_changes(const struct mregion_memslots *slots,
			     const enum look *looks)
{
	bool covered[PAGES] = { false };
	size_t i, k, first, changes = 0;

	for (i = 0; i < slots->nr; i++) {
		const struct mregion_memslot *slot = &slots->slots[i];

		first = slot->gpa / 0x1000;
		if (!can_stay(slot, looks)) {
			changes++;
			continue;
		}
		changes += slot->flags != flags_of(looks[first]);
		for (k = 0; k < slot->size / 0x1000; k++)
			covered[first + k] = true;
	}
	for (i = 0; i < PAGES; i++)
		changes += is_memory(looks[i]) && !covered[i] &&
			   (!i || covered[i - 1] || looks[i - 1] != looks[i]);
	return changes;
}

/* Does each page of memory have a slot, and nothing else? */
static bool slots_are_right(const struct mregion_memslots *slots,
			    const enum look *looks)
{
	size_t i, k, first, page = 0;

	for (i = 0; i < slots->nr; i++) {
		const struct mregion_memslot *slot = &slots->slots[i];

		first = slot->gpa / 0x1000;
		for (; page < first; page++)
			if (is_memory(looks[page]))
				return false;
		for (k = 0; k < slot->size / 0x1000; k++, page++)
			if (!is_memory(looks[page]) ||
			    slot->flags != flags_of(looks[page]) ||
			    slot->hva + k * 0x1000 != (uintptr_t)memory +
				    offset_of(looks[page], page))
				return false;
	}
	for (; page < PAGES; page++)
		if (is_memory(looks[page]))
			return false;
	return true;
}

TEST_F(memslots, fewest_changes)
{
	struct mregion_range ranges[PAGES];
	enum look looks[PAGES] = { AWAY };
	uint64_t seed = random_seed("MREGION_SEED");
	struct prng prng = prng_of(seed, 0);
	size_t i, end, nr, round, expected, kept = 0;
	enum look look;
	bool scarce;

	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)seed);
	for (round = 0; round < 5000; round++) {
		i = below(&prng, PAGES);
		end = i + 1 + below(&prng, PAGES - i);
		look = below(&prng, NR_LOOKS);
		for (; i < end; i++)
			looks[i] = look;
		expected = fewest_changes(&self->slots, looks);
		nr = ranges_of(looks, ranges);
		/* A slot for each range is enough, at any time. */
		scarce = one_in(&prng, 8);
		self->slots.max = scarce && nr ? nr : 2 * PAGES;
		fixture_nr_calls = 0;
		fixture_set_view(&self->space, ranges, nr);
		ASSERT_EQ(0, mregion_memslots_update(&self->slots, &self->space));
		if (!scarce)
			ASSERT_EQ(expected, fixture_nr_calls);
		ASSERT_TRUE(slots_are_right(&self->slots, looks));
		kept += self->slots.nr > nr;
	}
	/* Ranges were made of several slots. */
	EXPECT_LT(100, kept);
}

TEST_HARNESS_MAIN
