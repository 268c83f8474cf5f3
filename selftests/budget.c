// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory a machine holds is counted to the byte, and limited for who
 * may not have more; what is refused changes nothing.
 */
#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "mregion_util.h"

#define PARAMETER	"/sys/module/mregion/parameters/machine_memory"
#define NOBODY		65534
#define MIB		(1ull << 20)
#define SPACE		1
#define RING		1
#define ROOT		1
#define MMIO		2

static uint64_t memory_of(int fd)
{
	struct mregion_stats stats;

	if (mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats))
		return 0;
	return stats.memory;
}

static uint64_t max_memory(int fd)
{
	struct mregion_info info;

	return mr_info(fd, &info) ? 0 : info.max_memory;
}

/* What has been replaced is freed after a while. */
static bool is_again(int fd, uint64_t memory)
{
	return mr_until(memory_of(fd) == memory);
}

/* Return: its descriptor, or a negative errno. */
static int shadow_create(int fd, uint32_t id, uint64_t len)
{
	struct mregion_shadow_create create = {
		.size = sizeof(create), .id = id, .len = len, .fd = -1,
	};

	return mr_ioctl(fd, MREGION_SHADOW_CREATE, &create) ?: create.fd;
}

static int shadow_free(int fd, uint32_t id)
{
	struct mregion_shadow_free arg = { .size = sizeof(arg), .id = id };

	return mr_ioctl(fd, MREGION_SHADOW_FREE, &arg);
}

static int server_create(int fd, uint32_t id)
{
	struct mregion_server_create create = {
		.size = sizeof(create), .id = id, .nr_slots = 256, .fd = -1,
		.eventfd = -1,
	};

	return mr_ioctl(fd, MREGION_SERVER_CREATE, &create) ?: create.fd;
}

static int server_free(int fd, uint32_t id)
{
	struct mregion_server_free arg = { .size = sizeof(arg), .id = id };

	return mr_ioctl(fd, MREGION_SERVER_FREE, &arg);
}

static unsigned long read_parameter(void)
{
	FILE *file = fopen(PARAMETER, "r");
	unsigned long value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static int write_parameter(unsigned long value)
{
	FILE *file = fopen(PARAMETER, "w");
	int err = 0;

	if (!file)
		return -errno;
	fprintf(file, "%lu\n", value);
	if (fclose(file))
		err = -errno;
	return err;
}

FIXTURE(budget) {
	struct mr_ring ring;
	uint64_t before;
	unsigned long parameter;
	int fd;
};

FIXTURE_SETUP(budget)
{
	self->parameter = read_parameter();
	ASSERT_LT(0, self->parameter);
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, memory_of(self->fd));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 2, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0),
			    mr_mmio(MMIO, 0x1000), mr_map(MMIO, ROOT, 0, 0),
			    mr_space(SPACE, ROOT)));
	self->before = memory_of(self->fd);
}

FIXTURE_TEARDOWN(budget)
{
	EXPECT_EQ(0, write_parameter(self->parameter));
	mr_ring_unmap(&self->ring);
	close(self->fd);
}

/* ---- Counted ----------------------------------------------------------- */

TEST_F(budget, counts_shared_memory)
{
	uint64_t with_shadow;
	struct mr_ring ring;
	int shadow, server;

	shadow = shadow_create(self->fd, 1, MIB);
	ASSERT_LE(0, shadow);
	with_shadow = memory_of(self->fd);
	EXPECT_LE(self->before + MIB, with_shadow);
	EXPECT_GE(self->before + MIB + MIB / 16, with_shadow);
	/* Who has its descriptor still has it. */
	ASSERT_EQ(0, shadow_free(self->fd, 1));
	EXPECT_EQ(with_shadow, memory_of(self->fd));
	close(shadow);
	EXPECT_TRUE(is_again(self->fd, self->before));

	ASSERT_EQ(0, mr_ring_create(self->fd, 2, 32768, -1, 0, 0, &ring));
	EXPECT_LE(self->before + 32768 * sizeof(struct mregion_ring_entry),
		  memory_of(self->fd));
	ASSERT_EQ(0, mr_ring_free(self->fd, 2));
	mr_ring_unmap(&ring);
	EXPECT_TRUE(is_again(self->fd, self->before));

	server = server_create(self->fd, 1);
	ASSERT_LE(0, server);
	EXPECT_LE(self->before + 256 * sizeof(struct mregion_server_slot),
		  memory_of(self->fd));
	ASSERT_EQ(0, server_free(self->fd, 1));
	close(server);
	EXPECT_TRUE(is_again(self->fd, self->before));
}

/* Each of these and its opposite. */
TEST_F(budget, counts_what_commits_make)
{
	const struct {
		struct mregion_op make[2], undo[2];
		uint32_t nr;
	} changes[] = {
		{ { mr_mmio(10, 8) }, { mr_free(10) }, 1 },
		{ { mr_container(4000000000u, 8) }, { mr_free(4000000000u) }, 1 },
		{ { mr_rule_add(MMIO, RING, 0, 8) },
		  { mr_rule_del(MMIO, RING, 0, 8) }, 1 },
		{ { mr_space(2, ROOT) }, { mr_space_free(2) }, 1 },
		{ { mr_mmio(10, 8), mr_map(10, ROOT, 0x2000, 0) },
		  { mr_unmap(10), mr_free(10) }, 2 },
	};
	uint64_t with;
	unsigned int i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		ASSERT_EQ(0, mr_commit(self->fd, changes[i].make,
				       changes[i].nr));
		with = memory_of(self->fd);
		EXPECT_LT(self->before, with);
		ASSERT_EQ(0, mr_commit(self->fd, changes[i].undo,
				       changes[i].nr));
		EXPECT_TRUE(is_again(self->fd, self->before));
		/* Nothing is left of what failed, or was tried only. */
		EXPECT_EQ(0, mr_commit_flags(self->fd, changes[i].make,
					     changes[i].nr,
					     MREGION_COMMIT_DRY_RUN, NULL));
		EXPECT_EQ(self->before, memory_of(self->fd));
		EXPECT_EQ(-ENOENT, COMMIT(self->fd, changes[i].make[0],
					  mr_free(99)));
		EXPECT_EQ(self->before, memory_of(self->fd));
	}
}

/* ---- Limited ----------------------------------------------------------- */

/* Run the rest in a process that may do nothing more than others. */
#define UNPRIVILEGED(lock_limit, ...) do {				\
	const struct rlimit __limit = { lock_limit, lock_limit };	\
	pid_t __child = fork();						\
	int __status = -1;						\
									\
	ASSERT_LE(0, __child);						\
	if (!__child) {							\
		if (setrlimit(RLIMIT_MEMLOCK, &__limit) ||		\
		    setgroups(0, NULL) || setgid(NOBODY) ||		\
		    setuid(NOBODY))					\
			_exit(100);					\
		__VA_ARGS__;						\
		_exit(0);						\
	}								\
	waitpid(__child, &__status, 0);					\
	EXPECT_EQ(0, __status);						\
} while (0)

/* Which line it was that is not true, as the process's status. */
#define OR_EXIT(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "# line %d: not so: %s\n", __LINE__,	\
			#condition);					\
		_exit(1);						\
	}								\
} while (0)

TEST_F(budget, is_told_to_each)
{
	EXPECT_EQ(~0ull, max_memory(self->fd));
	UNPRIVILEGED(0, OR_EXIT(max_memory(self->fd) == self->parameter));
	UNPRIVILEGED(self->parameter + 1,
		     OR_EXIT(max_memory(self->fd) == self->parameter + 1));
	UNPRIVILEGED(RLIM_INFINITY, OR_EXIT(max_memory(self->fd) == ~0ull));
	ASSERT_EQ(0, write_parameter(5 * MIB));
	UNPRIVILEGED(4 * MIB, OR_EXIT(max_memory(self->fd) == 5 * MIB));
	UNPRIVILEGED(6 * MIB, OR_EXIT(max_memory(self->fd) == 6 * MIB));
}

/* As much as it may be, and not a page more. */
static void fill(int fd, uint64_t max)
{
	struct mr_snapshot before;
	struct mregion_op op = mr_mmio(50, 8);
	uint64_t memory;
	uint32_t id = 10;
	int shadow;

	while ((shadow = shadow_create(fd, id, MIB)) >= 0) {
		OR_EXIT(memory_of(fd) <= max);
		close(shadow);
		id++;
	}
	OR_EXIT(shadow == -ENOBUFS);
	OR_EXIT(memory_of(fd) + MIB + MIB / 16 > max);
	while ((shadow = shadow_create(fd, id, 1)) >= 0) {
		close(shadow);
		id++;
	}
	OR_EXIT(shadow == -ENOBUFS);
	memory = memory_of(fd);
	OR_EXIT(memory <= max);
	OR_EXIT(!mr_snapshot_take(fd, &before));
	OR_EXIT(shadow_create(fd, id, MIB) == -ENOBUFS);
	OR_EXIT(server_create(fd, 1) == -ENOBUFS);
	for (op.id = 50; !mr_commit(fd, &op, 1); op.id++)
		;
	OR_EXIT(mr_commit(fd, &op, 1) == -ENOBUFS);
	OR_EXIT(memory_of(fd) >= memory && memory_of(fd) <= max);
	mr_snapshot_free(&before);
	/* Now nothing goes any more, and nothing changes. */
	memory = memory_of(fd);
	OR_EXIT(!mr_snapshot_take(fd, &before));
	OR_EXIT(mr_commit(fd, &op, 1) == -ENOBUFS);
	OR_EXIT(mr_unchanged(fd, &before));
	OR_EXIT(is_again(fd, memory));
	mr_snapshot_free(&before);
	/* There is room again. */
	OR_EXIT(!shadow_free(fd, 10));
	shadow = shadow_create(fd, 10, MIB);
	OR_EXIT(shadow >= 0);
	close(shadow);
}

TEST_F(budget, limits_who_may_not)
{
	int shadow;

	ASSERT_EQ(0, write_parameter(6 * MIB));
	UNPRIVILEGED(0, fill(self->fd, 6 * MIB));
	/* Its memory is there still, and who has the capability adds to it. */
	EXPECT_LT(5 * MIB, memory_of(self->fd));
	shadow = shadow_create(self->fd, 200, 2 * MIB);
	ASSERT_LE(0, shadow);
	close(shadow);
	/* Which is more than may be asked of others, but they can look. */
	UNPRIVILEGED(0,
		     struct mr_snapshot all;

		     OR_EXIT(!mr_snapshot_take(self->fd, &all));
		     OR_EXIT(shadow_create(self->fd, 201, 1) == -ENOBUFS);
		     OR_EXIT(!shadow_free(self->fd, 200)));
	UNPRIVILEGED(7 * MIB,
		     int more = shadow_create(self->fd, 202, MIB / 2);

		     OR_EXIT(more >= 0));
}

#define MANY		1024

/* Each of many commits replaces a large view, for which there is room twice. */
TEST_F(budget, waits_for_what_was_replaced)
{
	struct mregion_op *ops = calloc(1 + 2 * MANY, sizeof(*ops));
	uint64_t before;
	unsigned int i;

	ASSERT_NE(NULL, ops);
	ops[0] = mr_container(3, 0);
	for (i = 0; i < MANY; i++) {
		ops[1 + 2 * i] = mr_alias(1000 + i, MMIO, i % 64, 8);
		ops[2 + 2 * i] = mr_map(1000 + i, 3, 0x10000 + 16 * i, 0);
	}
	ASSERT_EQ(0, mr_commit(self->fd, ops, 1 + 2 * MANY));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(2, 3)));
	before = memory_of(self->fd);
	/* That is less than three views, of some 80 bytes for each range. */
	ASSERT_EQ(0, write_parameter(before + 190 * MANY));
	UNPRIVILEGED(0,
		for (i = 0; i < 40; i++)
			OR_EXIT(!COMMIT(self->fd, mr_move(1000, i % 2 ? 0 : 8))));
	free(ops);
}

TEST_HARNESS_MAIN
