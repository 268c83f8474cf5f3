// SPDX-License-Identifier: GPL-2.0
/*
 * What is too much is refused, each with the errno that is documented, in
 * bounded time, and changes nothing. A fatal signal ends what takes long.
 */
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "mregion_util.h"

#define SPACE		1
/*
 * Milliseconds of processor time, in emulation; a kernel that checks all it does
 * takes longer.
 */
#define PATIENCE	(mr_checking_kernel() ? 300000 : 30000)
/* For a test, and enough for either kernel. */
#define SECONDS		900

FIXTURE(limits) {
	struct mregion_info info;
	struct mregion_op *ops;
	uint32_t nr;		/* operations that wait in @ops */
	int fd;
};

FIXTURE_SETUP(limits)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_info(self->fd, &self->info));
	self->ops = calloc(self->info.max_ops, sizeof(*self->ops));
	ASSERT_NE(NULL, self->ops);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(SPACE, 1)));
}

FIXTURE_TEARDOWN(limits)
{
	free(self->ops);
	close(self->fd);
}

static int flush(FIXTURE_DATA(limits) *self)
{
	int err = self->nr ? mr_commit(self->fd, self->ops, self->nr) : 0;

	self->nr = 0;
	return err;
}

static int add(FIXTURE_DATA(limits) *self, struct mregion_op op)
{
	self->ops[self->nr++] = op;
	return self->nr == self->info.max_ops ? flush(self) : 0;
}

/* Containers in one another, or aliases of one another, without a space. */
static void chain(FIXTURE_DATA(limits) *self, uint32_t first, uint32_t nr,
		  bool aliases)
{
	uint32_t i;

	add(self, mr_mmio(first, 1));
	for (i = 1; i < nr; i++) {
		if (aliases) {
			add(self, mr_alias(first + i, first + i - 1, 0, 1));
		} else {
			add(self, mr_container(first + i, 0));
			add(self, mr_map(first + i - 1, first + i, 0, 0));
		}
	}
}

TEST_F(limits, depth)
{
	uint32_t depth = self->info.max_depth;
	struct mr_snapshot before;
	int aliases;

	for (aliases = 0; aliases < 2; aliases++) {
		uint32_t first = 1000 + 100000 * aliases;

		/* Below the root there may be one less than in all. */
		chain(self, first, depth - 1, aliases);
		add(self, mr_map(first + depth - 2, 1, 0x10 * aliases, 0));
		ASSERT_EQ(0, flush(self));
		EXPECT_STREQ(aliases ? "0-0 1000+0, 10-10 101000+0" :
			     "0-0 1000+0", mr_view_text(self->fd, SPACE));
		chain(self, first + 10000, depth, aliases);
		ASSERT_EQ(0, flush(self));
		ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
		EXPECT_EQ(-EMLINK, COMMIT(self->fd,
			mr_map(first + 10000 + depth - 1, 1, 0x100, 0)));
		EXPECT_EQ(-EMLINK, COMMIT(self->fd,
			mr_map(first + 10000 + depth - 1, 1, 0x100, -1)));
		EXPECT_TRUE(mr_unchanged(self->fd, &before));
		mr_snapshot_free(&before);
	}
}

/* Deep, and nowhere to be seen: not a way to make the kernel recurse either. */
TEST_F_TIMEOUT(limits, very_deep, SECONDS)
{
	uint64_t start = mr_cpu_ms();
	uint32_t i, nr = mr_checking_kernel() ? 4000 : 20000;

	ASSERT_EQ(0, add(self, mr_mmio(10, 1)));
	for (i = 1; i < nr; i++) {
		/* Refused or not, it is over soon. */
		add(self, mr_container(10 + i, 0));
		add(self, mr_map(10 + i - 1, 10 + i, 0, 0));
	}
	flush(self);
	EXPECT_GT(0, COMMIT(self->fd, mr_map(10 + nr - 1, 1, 0, 0)));
	EXPECT_GT(0, COMMIT(self->fd, mr_map(10 + nr - 1, 10, 0, 0)));
	EXPECT_STREQ("", mr_view_text(self->fd, SPACE));
	EXPECT_GT(PATIENCE, mr_cpu_ms() - start);
}

TEST_F_TIMEOUT(limits, regions, SECONDS)
{
	uint32_t i, max = self->info.max_regions;

	if (max > 300000 || mr_checking_kernel())
		SKIP(return, "%u regions take too long", max);
	for (i = 2; i <= max; i++)
		ASSERT_EQ(0, add(self, mr_mmio(i, 1)));
	ASSERT_EQ(0, flush(self));
	EXPECT_EQ(max, (uint32_t)mr_regions(self->fd, 0, NULL, 0));
	EXPECT_EQ(-ENOSPC, COMMIT(self->fd, mr_mmio(max + 1, 1)));
	EXPECT_EQ(-ENOSPC, COMMIT(self->fd, mr_free(max),
				  mr_mmio(max + 1, 1), mr_mmio(max + 2, 1)));
	EXPECT_EQ(max, (uint32_t)mr_regions(self->fd, 0, NULL, 0));
	EXPECT_EQ(0, COMMIT(self->fd, mr_free(max), mr_mmio(max + 1, 1)));
	EXPECT_EQ(max, (uint32_t)mr_regions(self->fd, 0, NULL, 0));
}

/* Of all regions together, as each can hold an eventfd that nobody else counts. */
TEST_F_TIMEOUT(limits, rules, SECONDS)
{
	uint32_t i, max = self->info.max_machine_rules;
	uint32_t each = self->info.max_rules, last = 10 + max / each;
	struct mr_ring ring;

	if (max > 300000 || mr_checking_kernel())
		SKIP(return, "%u rules take too long", max);
	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 2, -1, 0, 0, &ring));
	for (i = 0; i < max; i++) {
		if (!(i % each))
			ASSERT_EQ(0, add(self, mr_mmio(10 + i / each,
						       8 * each)));
		ASSERT_EQ(0, add(self, mr_rule_add(10 + i / each, 1,
						   8 * (i % each), 8)));
	}
	ASSERT_EQ(0, add(self, mr_mmio(last, 8)));
	ASSERT_EQ(0, flush(self));
	EXPECT_EQ(-ENOSPC, COMMIT(self->fd, mr_rule_add(last, 1, 0, 8)));
	/* what is undone does not count, nor what is deleted or freed */
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_rule_del(10, 1, 0, 8),
				  mr_free(last + 1)));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_free(11), mr_free(last + 1)));
	EXPECT_EQ(-ENOSPC, COMMIT(self->fd, mr_rule_add(last, 1, 0, 8)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_rule_del(10, 1, 0, 8),
			    mr_rule_add(last, 1, 0, 8)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_free(11),
			    mr_rule_add(10, 1, 0, 8)));
	mr_ring_unmap(&ring);
}

TEST_F(limits, spaces)
{
	uint32_t i, max = self->info.max_spaces;

	for (i = 2; i <= max; i++)
		ASSERT_EQ(0, add(self, mr_space(i, 1)));
	ASSERT_EQ(0, flush(self));
	EXPECT_EQ(-ENOSPC, COMMIT(self->fd, mr_space(max + 1, 1)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(max),
			    mr_space(max + 1, 1)));
}

/*
 * A comb of teeth, and many aliases of it side by side: many ranges of few
 * regions.
 */
TEST_F_TIMEOUT(limits, ranges, SECONDS)
{
	const uint32_t teeth = 512;
	uint32_t i, combs = self->info.max_ranges / teeth + 1;
	struct mr_snapshot before;
	uint64_t start;

	if (combs > 2000 || mr_checking_kernel())
		SKIP(return, "%u ranges take too long", self->info.max_ranges);
	ASSERT_EQ(0, add(self, mr_container(2, 2 * teeth)));
	for (i = 0; i < teeth; i++) {
		ASSERT_EQ(0, add(self, mr_mmio(10 + i, 1)));
		ASSERT_EQ(0, add(self, mr_map(10 + i, 2, 2 * i, 0)));
	}
	for (i = 0; i < combs; i++)
		ASSERT_EQ(0, add(self, mr_alias(10000 + i, 2, 0, 2 * teeth)));
	ASSERT_EQ(0, flush(self));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (i = 0; i < combs; i++)
		self->ops[i] = mr_map(10000 + i, 1, 2ull * teeth * i, 0);
	start = mr_cpu_ms();
	EXPECT_EQ(-EFBIG, mr_commit(self->fd, self->ops, combs));
	EXPECT_GT(PATIENCE, mr_cpu_ms() - start);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
	EXPECT_EQ(0, mr_commit(self->fd, self->ops, combs - 1));
	EXPECT_EQ((combs - 1) * teeth,
		  (uint32_t)mr_view(self->fd, SPACE, NULL, 0, NULL));
}

/*
 * Each container shows the one before twice: what is at the bottom is there
 * 2^levels times. @leaf: whether something is; without it no range is made,
 * and the work alone must be the limit.
 */
static int bomb(FIXTURE_DATA(limits) *self, uint32_t levels, uint64_t step,
		bool leaf)
{
	uint32_t i, id = 100;

	add(self, mr_container(id, 0));
	if (leaf) {
		add(self, mr_mmio(id - 1, 1));
		add(self, mr_map(id - 1, id, 0, 0));
	}
	for (i = 1; i <= levels; i++, id += 3) {
		add(self, mr_container(id + 3, 0));
		add(self, mr_alias(id + 1, id, 0, 0));
		add(self, mr_alias(id + 2, id, 0, 0));
		add(self, mr_map(id + 1, id + 3, 0, 0));
		add(self, mr_map(id + 2, id + 3, step << i, 0));
	}
	flush(self);
	return COMMIT(self->fd, mr_map(id, 1, 0, 0));
}

/* As deep as may be: a container and an alias a level. 2^40 are enough. */
static uint32_t bomb_levels(const FIXTURE_DATA(limits) *self)
{
	uint32_t levels = (self->info.max_depth - 3) / 2;

	return levels > 40 ? 40 : levels;
}

FIXTURE(bombs) {
	FIXTURE_DATA(limits) limits;
};

FIXTURE_VARIANT(bombs) {
	uint64_t step;
	bool leaf;
	bool ranges;	/* whether the limit of ranges may be met first */
};

FIXTURE_VARIANT_ADD(bombs, of_nothing) {
	.step = 1,
};

FIXTURE_VARIANT_ADD(bombs, of_nothing_at_one_place) {
	.step = 0,
};

FIXTURE_VARIANT_ADD(bombs, of_a_byte) {
	.step = 1, .leaf = true, .ranges = true,
};

FIXTURE_VARIANT_ADD(bombs, of_a_byte_at_one_place) {
	.step = 0, .leaf = true,
};

FIXTURE_SETUP(bombs)
{
	limits_setup(_metadata, &self->limits, NULL);
}

FIXTURE_TEARDOWN(bombs)
{
	limits_teardown(_metadata, &self->limits, NULL);
}

TEST_F_TIMEOUT(bombs, defused, SECONDS)
{
	FIXTURE_DATA(limits) *limits = &self->limits;
	uint64_t start = mr_cpu_ms();
	int err;

	err = bomb(limits, bomb_levels(limits), variant->step, variant->leaf);
	if (variant->ranges && err == -EFBIG)
		err = -EDQUOT;
	EXPECT_EQ(-EDQUOT, err);
	EXPECT_GT(PATIENCE, mr_cpu_ms() - start);
	EXPECT_STREQ("", mr_view_text(limits->fd, SPACE));
	/* Without the space it may stay, and the next commit is quick again. */
	start = mr_cpu_ms();
	EXPECT_EQ(0, COMMIT(limits->fd, mr_mmio(50, 1), mr_map(50, 1, 0, 0)));
	EXPECT_GT(PATIENCE / 6, mr_cpu_ms() - start);
}

/*
 * A region that aliases show within itself: as often as the limit of depth allows
 * and not once more; without end; and in 2^30 ways to nothing.
 */
TEST_F_TIMEOUT(limits, shown_within_itself, SECONDS)
{
	/* From one address to the next, an alias and the container more. */
	uint32_t i, times = (self->info.max_depth - 2) / 2;
	uint64_t start = mr_cpu_ms();
	struct mr_snapshot before;

	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(2, 1), mr_map(2, 1, 0, 0),
			    mr_alias(3, 1, 0, times), mr_map(3, 1, 1, 0)));
	EXPECT_EQ((int)times + 1, mr_view(self->fd, SPACE, NULL, 0, NULL));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_EQ(-EMLINK, COMMIT(self->fd, mr_resize(3, times + 1)));
	EXPECT_EQ(-EMLINK, COMMIT(self->fd, mr_move(3, 0)));
	EXPECT_EQ(-EMLINK, COMMIT(self->fd, mr_resize(3, 0)));
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);

	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(3), mr_unmap(2)));
	for (i = 0; i < 1000; i++)
		add(self, mr_alias(10 + i, 1, 0, 0));
	for (i = 0; i < 1000; i++)
		add(self, mr_map(10 + i, 1, 0, 0));
	EXPECT_EQ(-EMLINK, flush(self));
	EXPECT_EQ(-EDQUOT, COMMIT(self->fd, mr_alias(10, 1, 0, 30),
				  mr_alias(11, 1, 0, 30),
				  mr_map(10, 1, 1, 0), mr_map(11, 1, 1, 0)));
	EXPECT_STREQ("", mr_view_text(self->fd, SPACE));
	EXPECT_GT(PATIENCE, mr_cpu_ms() - start);
}

/* Many regions in ways that are hard to insert: each in bounded time. */
#define CROWD	50000

static struct mregion_op crowd(uint32_t pattern, uint32_t i)
{
	uint32_t id = 1000 + i, order = (i * 2654435761u) >> 8;

	switch (pattern) {
	case 0:		/* descending: each before all others */
		return mr_map(id, 1, 2ull * (CROWD - i) * 0x1000, 0);
	case 1:		/* in one another, the smallest on top */
		return mr_map(id, 1, i, i);
	case 2:		/* in one another, the largest on top */
		return mr_map(id, 1, i, -(int)i);
	case 3:		/* here and there */
		return mr_map(id, 1, 0x800ull * order, i % 7);
	default:	/* all at one place */
		return mr_map(id, 1, 0, 0);
	}
}

TEST_F_TIMEOUT(limits, crowds, SECONDS)
{
	uint32_t i, pattern;
	uint64_t start, took;
	int err;

	if (mr_checking_kernel())
		SKIP(return, "5 times %u regions take too long", CROWD);
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, add(self, mr_mmio(1000 + i, 0x1000 +
					       2 * (CROWD - i))));
	ASSERT_EQ(0, flush(self));
	for (pattern = 0; pattern < 5; pattern++) {
		/* Out of sight: one commit shows them all. */
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_set_flags(1, MREGION_REGION_DISABLED,
						 MREGION_REGION_DISABLED)));
		for (i = 0; i < CROWD; i++)
			ASSERT_EQ(0, add(self, crowd(pattern, i)));
		ASSERT_EQ(0, flush(self));
		start = mr_cpu_ms();
		err = COMMIT(self->fd, mr_set_flags(1, MREGION_REGION_DISABLED,
						    0));
		took = mr_cpu_ms() - start;
		TH_LOG("pattern %u: %s, %d ranges, %llu ms", pattern,
		       strerror(-err),
		       mr_view(self->fd, SPACE, NULL, 0, NULL),
		       (unsigned long long)took);
		EXPECT_TRUE(!err || err == -EFBIG || err == -EDQUOT);
		EXPECT_GT(PATIENCE, took);
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_set_flags(1, MREGION_REGION_DISABLED,
						 MREGION_REGION_DISABLED)));
		for (i = 0; i < CROWD; i++)
			ASSERT_EQ(0, add(self, mr_unmap(1000 + i)));
		ASSERT_EQ(0, flush(self));
	}
}

/* From when the last of it was asked for until a process is gone, in us. */
static int64_t kill_takes(pid_t pid)
{
	uint64_t start = mr_now_us();
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		return -1;
	return mr_now_us() - start;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * A process that is killed in the middle of the longest of commits is gone, and
 * does not finish it. Most of them, as a machine may stall at any time.
 */
#define KILLS	11

TEST_F_TIMEOUT(limits, killed, SECONDS)
{
	uint32_t i, levels = bomb_levels(self);
	struct mregion_op last = mr_map(100 + 3 * levels, 1, 0, 0);
	struct mr_snapshot before;
	int64_t took[KILLS];
	uint64_t start, whole;
	pid_t pid;

	ASSERT_EQ(-EDQUOT, bomb(self, levels, 1, false));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	start = mr_now_us();
	ASSERT_EQ(-EDQUOT, mr_commit(self->fd, &last, 1));
	whole = mr_now_us() - start;
	for (i = 0; i < KILLS; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			for (;;)
				mr_commit(self->fd, &last, 1);
		/* Somewhere in the first half of one of its commits. */
		usleep(3000 + whole * i / (2 * KILLS));
		took[i] = kill_takes(pid);
		ASSERT_LE(0, took[i]);
		ASSERT_TRUE(mr_unchanged(self->fd, &before));
	}
	qsort(took, KILLS, sizeof(took[0]), compare);
	EXPECT_GT(whole / 4, took[KILLS / 2]) {
		TH_LOG("a commit takes %llu us, a kill %lld, %lld to %lld",
		       (unsigned long long)whole,
		       (long long)took[KILLS / 2], (long long)took[0],
		       (long long)took[KILLS - 1]);
	}
	mr_snapshot_free(&before);
}

TEST_HARNESS_MAIN
