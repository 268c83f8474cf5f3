// SPDX-License-Identifier: GPL-2.0
/* Logs of written pages, bit by bit, without a guest. */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "kvm_log.h"
#include "memslots.h"
#include "region_log.h"
#include "written.h"
#include "../random_util.h"

#define PAGE	4096ull
#define PAGES	300u

static bool bit(const uint64_t *bits, unsigned int n)
{
	return bits[n / 64] >> n % 64 & 1;
}

/* Any part of any bitmap: that part is taken, and nothing else changes. */
TEST(take_bits)
{
	uint64_t words[6], before[6], out[6], count, expected;
	struct prng prng = prng_of(random_seed("MREGION_SEED"), 0);
	unsigned int round, first, nr, i;

	for (round = 0; round < 20000; round++) {
		for (i = 0; i < 6; i++)
			words[i] = random64(&prng) & random64(&prng);
		memcpy(before, words, sizeof(words));
		memset(out, 0xff, sizeof(out));
		first = below(&prng, 6 * 64);
		nr = below(&prng, 6 * 64 - first + 1);
		count = mregion_log_take_bits(words, first, nr, out);
		expected = 0;
		for (i = 0; i < nr; i++)
			expected += bit(before, first + i);
		ASSERT_EQ(expected, count);
		for (i = 0; i < (nr + 63) / 64 * 64; i++)
			ASSERT_EQ(i < nr && bit(before, first + i),
				  bit(out, i));
		for (i = 0; i < 6 * 64; i++)
			ASSERT_EQ(bit(before, i) &&
				  (i < first || i >= first + nr),
				  bit(words, i));
	}
	EXPECT_EQ(0, mregion_log_take_bits(words, 5, 0, NULL));
}

FIXTURE(log)
{
	struct mregion_machine machine;
	struct mregion_region *region;
	uint8_t *memory;
};

FIXTURE_SETUP(log)
{
	fixture_init(&self->machine);
	fixture_ioctl = fixture_kernel;
	self->memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	self->region = fixture_region(&self->machine, 1, MREGION_RAM,
				      PAGES * PAGE, NULL, NULL);
	atomic_store(&self->region->ram.ptr, self->memory);
}

FIXTURE_TEARDOWN(log)
{
	mregion_logs_close(&self->machine);
	fixture_destroy(&self->machine);
	munmap(self->memory, PAGES * PAGE);
}

static uint64_t take_one(struct mregion_log *log, unsigned int page)
{
	return mregion_log_take(log, page, 1, NULL);
}

/* Who is told of which page. */
TEST_F(log, clients)
{
	struct mregion_log *a, *b;

	/* Nobody wants to know. */
	mregion_mark(self->region, 0, PAGES * PAGE);
	a = mregion_log_start(self->region);
	ASSERT_NE(NULL, a);
	EXPECT_EQ(PAGES, mregion_log_pages(a));
	EXPECT_EQ(self->region, mregion_log_region(a));
	mregion_mark(self->region, 5 * PAGE + 7, 1);
	b = mregion_log_start(self->region);
	ASSERT_NE(NULL, b);
	/* from the last byte of one page to the first of the page after next */
	mregion_mark(self->region, 63 * PAGE - 1, PAGE + 2);
	mregion_mark(self->region, PAGES * PAGE - 1, 100);
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(1, take_one(a, 5));
	EXPECT_EQ(0, take_one(a, 5));
	EXPECT_EQ(0, take_one(b, 5));
	EXPECT_EQ(3, mregion_log_take(a, 60, 6, NULL));
	EXPECT_EQ(3, mregion_log_take(b, 60, 6, NULL));
	EXPECT_EQ(1, mregion_log_take(b, 0, UINT64_MAX, NULL));
	mregion_log_stop(b);
	EXPECT_EQ(1, mregion_log_take(a, PAGES - 1, 1000, NULL));
	EXPECT_EQ(0, mregion_log_take(a, 0, UINT64_MAX, NULL));
	mregion_log_stop(a);
	/* A mark that is made while nobody logs is in no later log. */
	mregion_mark(self->region, 0, 1);
	a = mregion_log_start(self->region);
	ASSERT_NE(NULL, a);
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(0, mregion_log_take(a, 0, UINT64_MAX, NULL));
	mregion_log_stop(a);
}

/* KVM's bitmaps begin at any page of a region. */
TEST_F(log, any_page)
{
	struct prng prng = prng_of(random_seed("MREGION_SEED"), 1);
	struct mregion_log *log = mregion_log_start(self->region);
	uint64_t out[PAGES / 64 + 1], bits;
	unsigned int round, i, page;

	ASSERT_NE(NULL, log);
	for (round = 0; round < 2000; round++) {
		page = below(&prng, PAGES);
		bits = random64(&prng);
		mregion_logging_bits(self->region, page, bits);
		mregion_log_take(log, 0, PAGES, out);
		for (i = 0; i < PAGES; i++)
			ASSERT_EQ(i >= page && i - page < 64 &&
				  bits >> (i - page) & 1, bit(out, i));
	}
	mregion_log_stop(log);
}

TEST_F(log, grows)
{
	struct mregion_log *log = mregion_log_start(self->region);

	ASSERT_NE(NULL, log);
	mregion_mark(self->region, 7 * PAGE, 1);
	ASSERT_EQ(0, mregion_logging_grow(self->region, 100 * PAGES * PAGE));
	EXPECT_EQ(100 * PAGES, mregion_log_pages(log));
	mregion_mark(self->region, 200 * PAGE, UINT64_MAX);
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(100 * PAGES - 200, mregion_log_take(log, 200, UINT64_MAX,
						      NULL));
	mregion_mark(self->region, 99 * PAGES * PAGE, 1);
	ASSERT_EQ(0, mregion_logging_grow(self->region, PAGE));
	EXPECT_EQ(100 * PAGES, mregion_log_pages(log));
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(1, take_one(log, 7));
	EXPECT_EQ(1, take_one(log, 99 * PAGES));
	EXPECT_EQ(0, mregion_log_take(log, 0, UINT64_MAX, NULL));
	EXPECT_LE(100 * PAGES / 8, lseek(mregion_log_fd(log), 0, SEEK_END));
	/* Nobody makes it smaller. */
	EXPECT_EQ(-1, ftruncate(mregion_log_fd(log), 0));
	mregion_log_stop(log);
}

/* A client in another process, or the same, maps the bitmap. */
TEST_F(log, is_shared)
{
	struct mregion_log *log = mregion_log_start(self->region);
	uint64_t *words;

	ASSERT_NE(NULL, log);
	words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     mregion_log_fd(log), 0);
	ASSERT_NE(MAP_FAILED, words);
	mregion_mark(self->region, 65 * PAGE, 1);
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(1, mregion_log_take_bits(words, 64, 10, NULL));
	EXPECT_EQ(0, take_one(log, 65));
	munmap(words, PAGE);
	mregion_log_stop(log);
}

/* All memory, also that of regions that come later. */
TEST_F(log, all)
{
	struct mregion_logs *logs;
	struct mregion_region *later;
	struct mregion_log *log;

	fixture_region(&self->machine, 2, MREGION_CONTAINER, PAGE, NULL, NULL);
	self->machine.last_region_id = 2;
	logs = mregion_logs_start(&self->machine);
	ASSERT_NE(NULL, logs);
	log = mregion_logs_next(logs, NULL);
	ASSERT_NE(NULL, log);
	EXPECT_EQ(self->region, mregion_log_region(log));
	EXPECT_EQ(NULL, mregion_logs_next(logs, log));

	later = mregion_new_ram(&self->machine, MREGION_RAM, "later",
				70 * PAGE);
	ASSERT_NE(NULL, later);
	log = mregion_logs_next(logs, log);
	ASSERT_NE(NULL, log);
	EXPECT_EQ(later, mregion_log_region(log));
	/* Nobody has seen what it began with. */
	EXPECT_EQ(70, mregion_log_take(log, 0, UINT64_MAX, NULL));
	mregion_mark(later, 69 * PAGE, 1);
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(1, mregion_log_take(log, 0, UINT64_MAX, NULL));

	/* Nor what it grows by */
	ASSERT_EQ(0, mregion_resize(later, 90 * PAGE));
	EXPECT_EQ(20, mregion_log_take(log, 0, UINT64_MAX, NULL));

	/* A creation that is undone leaves no log. */
	fixture_refuse_commits(true);
	EXPECT_EQ(NULL, mregion_new_ram(&self->machine, MREGION_RAM, "never",
					PAGE));
	fixture_refuse_commits(false);
	EXPECT_EQ(NULL, mregion_logs_next(logs, log));

	/* Of one that was freed the log stays, and its memory. */
	mregion_mark(later, 0, 1);
	ASSERT_EQ(0, mregion_free(later));
	EXPECT_EQ(NULL, mregion_log_region(log));
	EXPECT_EQ(0, mregion_log_sync(&self->machine));
	EXPECT_EQ(1, take_one(log, 0));
	mregion_logs_stop(logs);
	EXPECT_EQ(NULL, self->machine.logged);
}

/* Memory of a transaction that fails, where all memory is shared with other processes. */
TEST_F(log, shared_and_undone)
{
	struct mregion_region *region;

	self->machine.last_region_id = 1;
	self->machine.shared = true;
	mregion_begin(&self->machine);
	EXPECT_EQ(-EINVAL, mregion_map(NULL, self->region, 0, 0));
	region = mregion_new_ram(&self->machine, MREGION_RAM, "undone", PAGE);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(-EINVAL, mregion_commit(&self->machine));
	EXPECT_EQ(0, mregion_free(region));
	fixture_nr_commits = 0;
	region = mregion_new_ram(&self->machine, MREGION_RAM, "done", PAGE);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(1, fixture_nr_commits);
	EXPECT_EQ(0, mregion_free(region));
}

TEST_F(log, refused)
{
	struct mregion_region *mmio;

	mmio = fixture_region(&self->machine, 2, MREGION_MMIO, PAGE, NULL,
			      NULL);
	EXPECT_EQ(NULL, mregion_log_start(mmio));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, mregion_log_start(NULL));
	EXPECT_EQ(EINVAL, errno);
	atomic_store(&self->region->ram.ptr, self->memory + 8);
	EXPECT_EQ(NULL, mregion_log_start(self->region));
	EXPECT_EQ(EINVAL, errno);
	atomic_store(&self->region->ram.ptr, self->memory);
	mregion_begin(&self->machine);
	EXPECT_EQ(NULL, mregion_log_start(self->region));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(NULL, mregion_logs_start(&self->machine));
	EXPECT_EQ(EBUSY, errno);
	mregion_abort(&self->machine);
	/* The kernel does not have it logged. */
	fixture_refuse_commits(true);
	EXPECT_EQ(NULL, mregion_log_start(self->region));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(NULL, mregion_logs_start(&self->machine));
	EXPECT_EQ(ENOENT, errno);
	fixture_refuse_commits(false);
	EXPECT_EQ(NULL, self->machine.logged);
	EXPECT_EQ(NULL, self->machine.logs);
	mregion_log_stop(NULL);
	mregion_logs_stop(NULL);
}

static void count_bits(void *opaque, uint64_t word, uint64_t bits)
{
	uint64_t *out = opaque;

	out[word] |= bits;
}

#define ENTRIES		8u
#define FIRST_SLOT	4u

static struct mregion_log *watched;
static unsigned int nr_resets, told_early;

/* KVM, whose work a signal ends twice: it resets two entries at a time. */
static int reset_some(unsigned long request, void *arg)
{
	if (request != KVM_RESET_DIRTY_RINGS)
		return fixture_kernel(request, arg);
	told_early += mregion_log_take(watched, 0, UINT64_MAX, NULL);
	if (nr_resets++ == 1)
		return -EINTR;
	return 2;
}

/* Pages of a ring are told once all of them are reset; of any slot, in any order. */
TEST_F(log, ring)
{
	struct kvm_dirty_gfn entries[ENTRIES] = { 0 };
	struct mregion_vcpu_ring ring = { .entries = entries, .next = 6 };
	struct mregion_kvm_log log = {
		.page_size = PAGE,
		.ring_bytes = sizeof(entries),
		.rings = &ring,
		.nr_rings = 1,
	};
	struct mregion_memslot slots[2] = {
		{ .slot = 1, .size = 8 * PAGE, .offset = 100 * PAGE },
		{ .slot = 0, .size = 4 * PAGE, .offset = 0 },
	};
	struct mregion_memslot in_smm = {
		.slot = 1, .size = 2 * PAGE, .offset = 150 * PAGE,
	};
	const struct mregion_memslots memslots[2] = {
		{ .first = FIRST_SLOT, .slots = slots, .nr = 2 },
		{ .first = FIRST_SLOT | 1 << 16, .slots = &in_smm, .nr = 1 },
	};
	/*
	 * The third is of no slot, the fourth behind one, the sixth of SMM's, and the last
	 * of no address space.
	 */
	static const uint32_t told[][2] = {
		{ 1, 7 }, { 0, 3 }, { 2, 0 }, { 0, 4 }, { 1, 0 },
		{ 1 << 16 | 1, 1 }, { 2 << 16 | 1, 2 },
	};
	unsigned int i;

	slots[0].region = slots[1].region = self->region;
	in_smm.region = self->region;
	log.memslots[0] = &memslots[0];
	log.memslots[1] = &memslots[1];
	watched = mregion_log_start(self->region);
	ASSERT_NE(NULL, watched);
	for (i = 0; i < ARRAY_SIZE(told); i++) {
		entries[(6 + i) % ENTRIES].slot = FIRST_SLOT + told[i][0];
		entries[(6 + i) % ENTRIES].offset = told[i][1];
		entries[(6 + i) % ENTRIES].flags = KVM_DIRTY_GFN_F_DIRTY;
	}
	fixture_ioctl = reset_some;
	nr_resets = told_early = 0;
	ASSERT_EQ(0, mregion_kvm_log_rings(&log));
	EXPECT_EQ(5, nr_resets);
	EXPECT_EQ(0, told_early);
	EXPECT_EQ(13, ring.next);
	for (i = 0; i < ARRAY_SIZE(told); i++)
		EXPECT_EQ(KVM_DIRTY_GFN_F_RESET, entries[(6 + i) % ENTRIES].flags);
	EXPECT_EQ(1, take_one(watched, 107));
	EXPECT_EQ(1, take_one(watched, 3));
	EXPECT_EQ(1, take_one(watched, 100));
	EXPECT_EQ(1, take_one(watched, 151));
	EXPECT_EQ(0, mregion_log_take(watched, 0, UINT64_MAX, NULL));
	/* Nothing is there any more. */
	ASSERT_EQ(0, mregion_kvm_log_rings(&log));
	EXPECT_EQ(5, nr_resets);
	fixture_ioctl = fixture_kernel;
	mregion_log_stop(watched);
}

/* A process that writes may die at it: what it was at counts as written. */
TEST(in_flight)
{
	struct mregion_written *mine = mregion_written_new("memory", 200);
	struct mregion_in_flight *flight;
	struct mregion_written *other;
	uint64_t out[4] = { 0 };

	ASSERT_NE(NULL, mine);
	other = mregion_written_open(dup(mine->fd));
	ASSERT_NE(NULL, other);
	mregion_written_mark(other, 0, 199);
	mregion_written_collect(mine, count_bits, out);
	EXPECT_EQ(0, out[0] | out[1] | out[2] | out[3]);

	atomic_store(&mine->header->active, 1);
	flight = &other->header->in_flight[3][MREGION_MAX_SPANS - 1];
	atomic_store(&flight->first, 62);
	atomic_store(&flight->end, 66);
	mregion_written_mark(other, 130, 130);
	mregion_written_collect(mine, count_bits, out);
	EXPECT_EQ(3ull << 62, out[0]);
	EXPECT_EQ(3, out[1]);
	EXPECT_EQ(4, out[2]);
	memset(out, 0, sizeof(out));
	mregion_written_settle(mine, 2);
	mregion_written_collect(mine, count_bits, out);
	EXPECT_EQ(3, out[1]);
	memset(out, 0, sizeof(out));
	mregion_written_settle(mine, 3);
	mregion_written_collect(mine, count_bits, out);
	EXPECT_EQ(3, out[1]);
	memset(out, 0, sizeof(out));
	mregion_written_collect(mine, count_bits, out);
	EXPECT_EQ(0, out[0] | out[1] | out[2] | out[3]);

	/* A holder that means harm does none here. */
	atomic_store(&flight->first, UINT64_MAX - 1);
	atomic_store(&flight->end, UINT64_MAX);
	mregion_written_collect(mine, count_bits, out);
	atomic_store(&flight->first, 0);
	mregion_written_collect(mine, count_bits, out);
	EXPECT_EQ(~0ull, out[0]);
	mregion_written_free(other);
	mregion_written_free(mine);
}

TEST_HARNESS_MAIN
