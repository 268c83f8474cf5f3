// SPDX-License-Identifier: GPL-2.0
/* What has changed of a view since a commit, as MREGION_CHANGES tells it. */
#include "kselftest_harness.h"
#include "changes_util.h"
#include "random_util.h"

#define ROOT		1
#define SPACE		1

/* ---- Asking ------------------------------------------------------------ */

static struct mregion_changes_read changes_args(uint32_t space, uint64_t since)
{
	return (struct mregion_changes_read){
		.size = sizeof(struct mregion_changes_read),
		.space = space,
		.since = since,
		.range_size = sizeof(struct mregion_range),
	};
}

/* First how much there is, and then that. */
static int changes_read(int fd, uint32_t space, uint64_t since,
			struct changes *changes)
{
	struct mregion_changes_read args = changes_args(space, since), counted;
	int err = mr_ioctl(fd, MREGION_CHANGES, &args);

	memset(changes, 0, sizeof(*changes));
	if (err)
		return err;
	if (args.nr_intervals > MAX_INTERVALS)
		return -ERANGE;
	counted = args;
	changes->ranges = calloc(args.nr_ranges + 1, sizeof(*changes->ranges));
	if (!changes->ranges)
		return -ENOMEM;
	args.intervals = (uintptr_t)changes->intervals;
	args.ranges = (uintptr_t)changes->ranges;
	err = mr_ioctl(fd, MREGION_CHANGES, &args);
	args.intervals = 0;
	args.ranges = 0;
	if (!err && memcmp(&args, &counted, sizeof(args)))
		err = -EPROTO;
	if (err) {
		changes_free(changes);
		return err;
	}
	changes->nr_intervals = args.nr_intervals;
	changes->nr_ranges = args.nr_ranges;
	changes->generation = args.generation;
	changes->bus = args.bus;
	changes->unassigned = args.unassigned;
	return 0;
}

/* ---- Following --------------------------------------------------------- */

/* Whether the copy is the view. */
static bool copy_is_view(int fd, uint32_t space, const struct copy *copy)
{
	struct mregion_range *ranges = calloc(copy->nr + 1, sizeof(*ranges));
	uint64_t generation;
	bool same = ranges &&
		mr_view(fd, space, ranges, copy->nr, &generation) ==
			(int)copy->nr &&
		generation == copy->generation &&
		!memcmp(ranges, copy->ranges, copy->nr * sizeof(*ranges));

	free(ranges);
	return same;
}

/* Follow once. Return: how many intervals there were, or a negative errno. */
static int follow(int fd, uint32_t space, struct copy *copy)
{
	struct changes changes;
	const char *why;
	int err = changes_read(fd, space, copy->generation, &changes);

	if (err)
		return err;
	why = copy_change(copy, &changes);
	if (!why && !copy_is_view(fd, space, copy))
		why = "what follows is not the view";
	if (why)
		fprintf(stderr, "# space %u: %s\n", space, why);
	changes_free(&changes);
	return why ? -EPROTO : (int)changes.nr_intervals;
}

static bool is_whole(const struct changes *changes)
{
	return changes->nr_intervals == 1 && !changes->intervals[0].start &&
	       changes->intervals[0].last == UINT64_MAX;
}

/* ---- What is asked ----------------------------------------------------- */

#define DEVICES	100u

FIXTURE(changes) {
	int fd;
	struct copy copy;
};

/* Region 2 + i at 0x2000 * i, with nothing between it and the next. */
FIXTURE_SETUP(changes)
{
	struct mregion_op ops[2 * DEVICES + 2] = { mr_container(ROOT, 0) };
	uint32_t i;

	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	for (i = 0; i < DEVICES; i++) {
		ops[1 + 2 * i] = mr_mmio(2 + i, 0x1000);
		ops[2 + 2 * i] = mr_map(2 + i, ROOT, 0x2000 * i, 0);
	}
	ops[2 * DEVICES + 1] = mr_space(SPACE, ROOT);
	ASSERT_EQ(0, mr_commit(self->fd, ops, 2 * DEVICES + 2));
	ASSERT_EQ(1, follow(self->fd, SPACE, &self->copy));
	ASSERT_EQ(DEVICES, self->copy.nr);
}

FIXTURE_TEARDOWN(changes)
{
	copy_free(&self->copy);
	close(self->fd);
}

#define FOLLOW()	follow(self->fd, SPACE, &self->copy)

TEST_F(changes, errors)
{
	struct {
		struct mregion_changes_read args;
		uint64_t more;
	} arg;

#define TRY(...) ({							\
	arg.args = changes_args(SPACE, 0);				\
	arg.more = 0;							\
	__VA_ARGS__;							\
	mr_ioctl(self->fd, MREGION_CHANGES, &arg);			\
})
	EXPECT_EQ(0, TRY());
	EXPECT_EQ(-ENOENT, TRY(arg.args.space = SPACE + 1));
	EXPECT_EQ(-ENOENT, TRY(arg.args.space = 0));
	EXPECT_EQ(-EINVAL, TRY(arg.args.reserved = 1));
	EXPECT_EQ(-EINVAL, TRY(arg.args.range_size = 0));
	EXPECT_EQ(-EINVAL, TRY(arg.args.range_size--));
	EXPECT_EQ(0, TRY(arg.args.range_size = 4096));
	EXPECT_EQ(-E2BIG, TRY(arg.args.range_size = 4097));
	EXPECT_EQ(-EINVAL, TRY(arg.args.size = 0));
	EXPECT_EQ(-EINVAL, TRY(arg.args.size--));
	EXPECT_EQ(0, TRY(arg.args.size = sizeof(arg)));
	EXPECT_EQ(-E2BIG, TRY(arg.args.size = sizeof(arg), arg.more = 1));
	EXPECT_EQ(-E2BIG, TRY(arg.args.size = sizeof(arg),
			      arg.more = 1ull << 56));
	EXPECT_EQ(-EFAULT, TRY(arg.args.nr_intervals = 1));
	EXPECT_EQ(-EFAULT, TRY(arg.args.nr_ranges = 1));
	/* What nothing is written to may be nowhere. */
	EXPECT_EQ(0, TRY(arg.args.since = self->copy.generation,
			 arg.args.nr_intervals = 1, arg.args.nr_ranges = 1));
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_CHANGES, NULL));
#undef TRY
}

TEST_F(changes, nothing)
{
	struct changes changes;

	ASSERT_EQ(0, changes_read(self->fd, SPACE, self->copy.generation,
				  &changes));
	EXPECT_EQ(0, changes.nr_intervals);
	EXPECT_EQ(0, changes.nr_ranges);
	EXPECT_EQ(self->copy.generation, changes.generation);
	EXPECT_EQ(MREGION_BUS_MEMORY, changes.bus);
	EXPECT_EQ(MREGION_POLICY_EXIT, changes.unassigned);
	changes_free(&changes);
	/* Commits that fail, are dry runs, or show nowhere. */
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_unmap(2), mr_unmap(1000)));
	EXPECT_EQ(0, mr_commit_flags(self->fd, &(struct mregion_op){
		.code = MREGION_OP_UNMAP, .id = 2,
	}, 1, MREGION_COMMIT_DRY_RUN, NULL));
	EXPECT_EQ(0, FOLLOW());
	EXPECT_EQ(0, COMMIT(self->fd, mr_mmio(1000, 0x1000),
			    mr_container(1001, 0x1000)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_map(1000, 1001, 0, 0)));
	EXPECT_EQ(0, FOLLOW());
	/* There and back again, in one commit. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_move(2, 0x1000), mr_move(2, 0)));
	EXPECT_EQ(0, FOLLOW());
}

TEST_F(changes, all)
{
	struct changes changes;
	uint32_t i;

	ASSERT_EQ(0, changes_read(self->fd, SPACE, 0, &changes));
	EXPECT_TRUE(is_whole(&changes));
	EXPECT_EQ(DEVICES, changes.nr_ranges);
	changes_free(&changes);
	/* And since before it was there. */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(1000 + i, 0x1000)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(2, ROOT)));
	ASSERT_EQ(0, changes_read(self->fd, 2, self->copy.generation,
				  &changes));
	EXPECT_TRUE(is_whole(&changes));
	EXPECT_EQ(DEVICES, changes.nr_ranges);
	changes_free(&changes);
}

TEST_F(changes, one)
{
	struct changes changes;

	ASSERT_EQ(0, COMMIT(self->fd, mr_resize(12, 0x800)));
	ASSERT_EQ(0, changes_read(self->fd, SPACE, self->copy.generation,
				  &changes));
	ASSERT_EQ(1, changes.nr_intervals);
	EXPECT_EQ(0x14000, changes.intervals[0].start);
	EXPECT_EQ(0x14fff, changes.intervals[0].last);
	ASSERT_EQ(1, changes.nr_ranges);
	EXPECT_EQ(12, changes.ranges[0].region);
	EXPECT_EQ(0x147ff, changes.ranges[0].last);
	changes_free(&changes);
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(0, FOLLOW());
	/* What is gone leaves an interval, and nothing in it. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(12)));
	ASSERT_EQ(0, changes_read(self->fd, SPACE, self->copy.generation,
				  &changes));
	ASSERT_EQ(1, changes.nr_intervals);
	EXPECT_EQ(0x14000, changes.intervals[0].start);
	EXPECT_EQ(0x147ff, changes.intervals[0].last);
	EXPECT_EQ(0, changes.nr_ranges);
	changes_free(&changes);
	EXPECT_EQ(1, FOLLOW());
	/* From here to there: two. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(2, 0x100000000)));
	EXPECT_EQ(2, FOLLOW());
	/* The ends of the space. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(2, -0x1000ull),
			    mr_move(3, 0)));
	EXPECT_EQ(4, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(2), mr_unmap(3)));
	EXPECT_EQ(2, FOLLOW());
}

/* How many there are is told all the same, and the first are. */
TEST_F(changes, too_small)
{
	struct mregion_changes_read args = changes_args(SPACE,
							self->copy.generation);
	struct {
		struct mregion_range range;
		uint64_t more[2];
	} ranges[8];
	struct mregion_interval intervals[8];
	uint32_t i, room;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, COMMIT(self->fd, mr_resize(2 + 2 * i, 0x800)));
	for (room = 0; room <= 6; room++) {
		memset(intervals, 0x5a, sizeof(intervals));
		memset(ranges, 0x5a, sizeof(ranges));
		args.intervals = (uintptr_t)intervals;
		args.ranges = (uintptr_t)ranges;
		args.nr_intervals = room;
		args.nr_ranges = 6 - room;
		args.range_size = sizeof(ranges[0]);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_CHANGES, &args));
		ASSERT_EQ(5, args.nr_intervals);
		ASSERT_EQ(5, args.nr_ranges);
		for (i = 0; i < 8; i++) {
			if (i < room && i < 5) {
				EXPECT_EQ(0x4000 * i, intervals[i].start);
				EXPECT_EQ(0x4000 * i + 0xfff,
					  intervals[i].last);
			} else {
				EXPECT_EQ(0x5a5a5a5a5a5a5a5a,
					  intervals[i].start);
			}
			if (i < 6 - room && i < 5) {
				EXPECT_EQ(0x4000 * i, ranges[i].range.start);
				EXPECT_EQ(2 + 2 * i, ranges[i].range.region);
				/* of a newer program's, all is set */
				EXPECT_EQ(0, ranges[i].more[0]);
				EXPECT_EQ(0, ranges[i].more[1]);
			} else {
				EXPECT_EQ(0x5a5a5a5a, ranges[i].range.region);
				EXPECT_EQ(0x5a5a5a5a5a5a5a5a,
					  ranges[i].more[1]);
			}
		}
	}
}

/* Rules and constraints say what becomes of accesses, not where. */
TEST_F(changes, behaviours)
{
	struct mr_ring ring;

	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 2, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, 1, 0, 4),
			    mr_rule_add(3, 1, 0, 4)));
	EXPECT_EQ(0, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_del(2, 1, 0, 4)));
	EXPECT_EQ(0, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_set_constraints(3, (struct mregion_constraints){
				.valid_max = 8 })));
	EXPECT_EQ(0, FOLLOW());
	/* Together with what does, it may be told. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_del(3, 1, 0, 4), mr_unmap(5)));
	EXPECT_LE(1, FOLLOW());
	mr_ring_unmap(&ring);
}

TEST_F(changes, unassigned)
{
	struct changes changes;

	ASSERT_EQ(0, COMMIT(self->fd, mr_space_set(SPACE, ROOT,
						   MREGION_BUS_MEMORY,
						   MREGION_POLICY_ZEROES)));
	ASSERT_EQ(0, changes_read(self->fd, SPACE, self->copy.generation,
				  &changes));
	EXPECT_EQ(0, changes.nr_intervals);
	EXPECT_EQ(MREGION_POLICY_ZEROES, changes.unassigned);
	EXPECT_LT(self->copy.generation, changes.generation);
	changes_free(&changes);
	EXPECT_EQ(0, FOLLOW());
	/* Another root, which shows the same, and one that does not. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_alias(1000, ROOT, 0, 0),
			    mr_space_set(SPACE, 1000, MREGION_BUS_MEMORY, 0)));
	EXPECT_EQ(0, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_space_set(SPACE, 2, MREGION_BUS_MEMORY, 0)));
	EXPECT_LE(1, FOLLOW());
	EXPECT_EQ(1, self->copy.nr);
}

/* A space of the same ID is not the same space. */
TEST_F(changes, created_again)
{
	struct changes changes;

	/* on the same bus, by one commit and by several */
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(2), mr_space_free(SPACE),
			    mr_space(SPACE, ROOT)));
	ASSERT_EQ(0, changes_read(self->fd, SPACE, self->copy.generation,
				  &changes));
	EXPECT_TRUE(is_whole(&changes));
	changes_free(&changes);
	EXPECT_EQ(1, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE)));
	EXPECT_EQ(-ENOENT, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(3)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(SPACE, ROOT)));
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(DEVICES - 2, self->copy.nr);
	/* and on a shorter one, whose end a range was across */
	ASSERT_EQ(0, COMMIT(self->fd, mr_ram(1000, 0x20000),
			    mr_map(1000, ROOT, 0xf000, 1)));
	EXPECT_LE(1, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE),
			    mr_pio_space(SPACE, ROOT)));
	EXPECT_EQ(1, FOLLOW());
	ASSERT_LT(0, self->copy.nr);
	EXPECT_EQ(0xffff, self->copy.ranges[self->copy.nr - 1].last);
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE),
			    mr_space(SPACE, ROOT)));
	EXPECT_EQ(1, FOLLOW());
}

TEST_F(changes, many_in_a_commit)
{
	struct mregion_op ops[DEVICES];
	uint32_t i, nr;

	/* around as many as can be told */
	for (nr = MAX_INTERVALS - 2; nr < MAX_INTERVALS + 3; nr++) {
		for (i = 0; i < nr; i++)
			ops[i] = mr_resize(2 + i, 0x1000 - nr);
		ASSERT_EQ(0, mr_commit(self->fd, ops, nr));
		EXPECT_LE(1, FOLLOW());
	}
	for (i = 0; i < DEVICES; i++)
		ops[i] = mr_resize(2 + i, 0x900);
	ASSERT_EQ(0, mr_commit(self->fd, ops, DEVICES));
	EXPECT_LE(1, FOLLOW());
	/* few that touch each other are one */
	for (i = 0; i < DEVICES; i++)
		ops[i] = mr_resize(2 + i, 0x2000);
	ASSERT_EQ(0, mr_commit(self->fd, ops, DEVICES));
	EXPECT_LE(1, FOLLOW());
	for (i = 0; i < DEVICES; i++)
		ops[i] = mr_set_flags(2 + i, MREGION_REGION_DISABLED,
				      MREGION_REGION_DISABLED);
	ASSERT_EQ(0, mr_commit(self->fd, ops, DEVICES));
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(0, self->copy.nr);
}

/* Commits of one interval each: since each of them, and since long ago. */
TEST_F_TIMEOUT(changes, many_commits, 240)
{
	uint64_t generations[DEVICES + 1];
	struct copy old[DEVICES + 1] = { };
	struct changes changes;
	uint32_t i, nr;

	for (i = 0; i <= DEVICES; i++) {
		generations[i] = self->copy.generation;
		ASSERT_EQ(0, changes_read(self->fd, SPACE, 0, &changes));
		ASSERT_EQ(NULL, copy_change(&old[i], &changes));
		changes_free(&changes);
		if (i == DEVICES)
			break;
		ASSERT_EQ(0, COMMIT(self->fd, mr_resize(2 + i, 0x800)));
		EXPECT_EQ(1, FOLLOW());
	}
	for (i = 0; i <= DEVICES; i++) {
		ASSERT_EQ(0, changes_read(self->fd, SPACE, generations[i],
					  &changes));
		nr = DEVICES - i;
		if (nr > MAX_INTERVALS) {
			EXPECT_TRUE(is_whole(&changes));
		} else {
			EXPECT_EQ(nr, changes.nr_intervals);
			EXPECT_EQ(nr, changes.nr_ranges);
		}
		changes_free(&changes);
		if (i % 9 == 0 || nr == MAX_INTERVALS || nr == MAX_INTERVALS + 1)
			EXPECT_LE(0, follow(self->fd, SPACE, &old[i]));
		copy_free(&old[i]);
	}
	/* The same address again and again: one interval, or all of it. */
	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, COMMIT(self->fd, mr_resize(2, 1 + i)));
		ASSERT_EQ(0, changes_read(self->fd, SPACE,
					  self->copy.generation, &changes));
		ASSERT_EQ(1, changes.nr_intervals);
		EXPECT_EQ(i >= MAX_INTERVALS, is_whole(&changes));
		changes_free(&changes);
	}
	EXPECT_EQ(1, FOLLOW());
}

/* What does not merge, and what was one range and is two. */
TEST_F(changes, merging)
{
	const uint32_t flag = MREGION_REGION_UNMERGEABLE;

	ASSERT_EQ(0, COMMIT(self->fd, mr_ram(1000, 0x4000),
			    mr_alias(1001, 1000, 0, 0x2000),
			    mr_alias(1002, 1000, 0x2000, 0x2000),
			    mr_map(1001, ROOT, 0x1000000, 0),
			    mr_map(1002, ROOT, 0x1002000, 0)));
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(DEVICES + 1, self->copy.nr);
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_flags(1001, flag, flag)));
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(DEVICES + 2, self->copy.nr);
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(1002, 0x1003000)));
	EXPECT_EQ(1, FOLLOW());
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(1002, 0x1002000),
			    mr_set_flags(1001, flag, 0)));
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(DEVICES + 1, self->copy.nr);
	/* A hole in the middle of it. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(1003, 0x100),
			    mr_map(1003, ROOT, 0x1001f80, 1)));
	EXPECT_EQ(1, FOLLOW());
	EXPECT_EQ(DEVICES + 3, self->copy.nr);
}

/* ---- Random commits ---------------------------------------------------- */

/*
 * Regions that are created once and then changed in every way. What cannot be, such
 * as a container in itself, is refused.
 */
enum {
	BUS = 2,		/* of the ports, and mapped into the root */
	FIRST_CONTAINER,
	FIRST_ALIAS = FIRST_CONTAINER + 5,
	FIRST_LEAF = FIRST_ALIAS + 8,
	LAST_REGION = FIRST_LEAF + 39,
};

enum { WHOLE_SPACE = 1, PORTS, ANY_SPACE, LAST_SPACE = ANY_SPACE };

#define MAX_OPS		6
#define FOLLOWERS	6	/* of each space */

/* A copy, and how many commits it still lets pass. */
struct follower {
	struct copy copy;
	uint32_t skip;
};

FIXTURE(random) {
	struct prng prng;
	uint64_t seed;
	struct follower followers[LAST_SPACE][FOLLOWERS];
	unsigned long commits, refused, follows, intervals, most;
	int fd;
};

static uint64_t random_addr(struct prng *prng)
{
	if (one_in(prng, 12))
		return -0x1000ull * (1 + below(prng, 8));
	if (one_in(prng, 4))
		return 0x400 * below(prng, 256);
	return 0x1000 * below(prng, 64);
}

static uint64_t random_len(struct prng *prng)
{
	return one_in(prng, 4) ? 1 + below(prng, 0x4000) :
				 0x1000 * (1 + below(prng, 4));
}

static uint32_t random_id(struct prng *prng)
{
	return BUS + below(prng, LAST_REGION - BUS + 1);
}

static struct mregion_op random_create(struct prng *prng, uint32_t id)
{
	static const uint32_t leaves[] = {
		MREGION_MMIO, MREGION_RAM, MREGION_ROM, MREGION_ROMD,
		MREGION_RAMDEV, MREGION_RESERVATION,
	};

	if (id == BUS)
		return mr_container(id, 0x20000);
	if (id < FIRST_ALIAS)
		return mr_container(id, 8 * random_len(prng));
	/* of the root, which shows the alias, too; and of containers and leaves */
	if (id < FIRST_LEAF)
		return mr_alias(id, id < FIRST_ALIAS + 3 ? ROOT :
				id < FIRST_ALIAS + 6 ? id - 6 :
				FIRST_LEAF + (uint32_t)below(prng, 40),
				random_addr(prng), random_len(prng));
	return mr_create(id, leaves[id % ARRAY_SIZE(leaves)],
			 random_len(prng));
}

static struct mregion_op random_map(struct prng *prng, uint32_t id)
{
	uint32_t parent = one_in(prng, 3) ?
			  BUS + below(prng, FIRST_ALIAS - BUS) : ROOT;

	return mr_map(id, parent, random_addr(prng), (int)below(prng, 4) - 1);
}

static struct mregion_op random_op(struct prng *prng)
{
	uint32_t flag, id = random_id(prng);

	switch (below(prng, 16)) {
	case 0:
	case 1:
	case 2:
		return random_map(prng, id);
	case 3:
		return mr_unmap(id);
	case 4:
	case 5:
	case 6:
		return mr_move(id, random_addr(prng));
	case 7:
	case 8:
		return mr_resize(id, random_len(prng));
	case 9:
	case 10:
		id = FIRST_ALIAS + below(prng, FIRST_LEAF - FIRST_ALIAS);
		return mr_set_alias(id, random_addr(prng));
	case 11:
		return mr_set_flags(id, MREGION_REGION_DISABLED,
				    one_in(prng, 6) * MREGION_REGION_DISABLED);
	case 12:
		return mr_set_constraints(id, (struct mregion_constraints){
			.valid_max = 1 << below(prng, 4),
		});
	case 13:
		/* mostly the spaces' unassigned accesses */
		return mr_space_set(ANY_SPACE, one_in(prng, 4) ? id : ROOT,
				    MREGION_BUS_MEMORY, below(prng, 5));
	default:
		flag = 1u << below(prng, 6);
		return mr_set_flags(id, flag, below(prng, 2) * flag);
	}
}

/* Another priority is another mapping, of what was mapped or not. */
static unsigned int random_ops(struct prng *prng, struct mregion_op *ops)
{
	unsigned int i, nr = one_in(prng, 2) ? 1 : 1 + below(prng, MAX_OPS);
	uint32_t id;

	for (i = 0; i < nr; i++) {
		if (i + 1 < nr && one_in(prng, 6)) {
			id = random_id(prng);
			ops[i++] = mr_may_fail(mr_unmap(id));
			ops[i] = mr_may_fail(random_map(prng, id));
		} else {
			ops[i] = mr_may_fail(random_op(prng));
		}
	}
	/* the space may be another one, on the other bus */
	if (nr == MAX_OPS && one_in(prng, 2)) {
		id = one_in(prng, 2) ? ROOT : BUS;
		ops[0] = mr_may_fail(mr_space_free(ANY_SPACE));
		ops[1] = one_in(prng, 4) ? mr_pio_space(ANY_SPACE, id) :
					   mr_space(ANY_SPACE, id);
		ops[1] = mr_may_fail(ops[1]);
	}
	return nr;
}

FIXTURE_SETUP(random)
{
	uint32_t id;

	self->seed = random_seed("MREGION_SEED");
	self->prng = prng_of(self->seed, 0);
	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)self->seed);
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0)));
	/* what aliases show comes first */
	for (id = FIRST_LEAF; id <= LAST_REGION; id++)
		ASSERT_EQ(0, COMMIT(self->fd,
				    random_create(&self->prng, id)));
	for (id = BUS; id < FIRST_LEAF; id++)
		ASSERT_EQ(0, COMMIT(self->fd,
				    random_create(&self->prng, id)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(WHOLE_SPACE, ROOT),
			    mr_pio_space(PORTS, BUS),
			    mr_space(ANY_SPACE, ROOT)));
	for (id = BUS; id <= LAST_REGION; id++)
		COMMIT(self->fd, random_map(&self->prng, id));
}

FIXTURE_TEARDOWN(random)
{
	unsigned int i, j;

	for (i = 0; i < LAST_SPACE; i++)
		for (j = 0; j < FOLLOWERS; j++)
			copy_free(&self->followers[i][j].copy);
	close(self->fd);
}

/* The first follows each commit, and each other one fewer than the one before. */
static int follow_all(FIXTURE_DATA(random) *self)
{
	struct follower *follower;
	uint32_t i, j;
	int nr;

	for (i = 0; i < LAST_SPACE; i++) {
		for (j = 0; j < FOLLOWERS; j++) {
			follower = &self->followers[i][j];
			if (follower->skip) {
				follower->skip--;
				continue;
			}
			follower->skip = below(&self->prng, 1 << 2 * j);
			nr = follow(self->fd, 1 + i, &follower->copy);
			if (nr < 0)
				return nr;
			self->follows++;
			self->intervals += nr;
			self->most = MAX(self->most, (unsigned long)nr);
		}
	}
	return 0;
}

TEST_F_TIMEOUT(random, followers, 600)
{
	unsigned int round, most = 600, least = mr_checking_kernel() ? 60 : 200;
	struct mregion_op ops[MAX_OPS];
	struct copy *copy;
	uint64_t begin = mr_now_ms();
	uint32_t nr, view = 0;

	for (round = 0; round < most; round++) {
		/* as many as this kernel and machine do in a few seconds */
		if (round >= least && mr_now_ms() - begin > 8000)
			break;
		nr = random_ops(&self->prng, ops);
		if (mr_commit(self->fd, ops, nr)) {
			self->refused++;
			continue;
		}
		self->commits++;
		ASSERT_EQ(0, follow_all(self)) {
			TH_LOG("round %u", round);
		}
		copy = &self->followers[WHOLE_SPACE - 1][0].copy;
		view = MAX(view, copy->nr);
	}
	TH_LOG("%lu commits, %lu refused, in %llu ms; up to %u ranges",
	       self->commits, self->refused,
	       (unsigned long long)(mr_now_ms() - begin), view);
	TH_LOG("followed %lu times, by %lu intervals, at most %lu",
	       self->follows, self->intervals, self->most);
	/* It was worth it. */
	EXPECT_LT(least / 2, self->commits);
	EXPECT_LT(self->commits, self->intervals);
	EXPECT_LT(4, self->most);
	EXPECT_LT(12, view);
}

TEST_HARNESS_MAIN
