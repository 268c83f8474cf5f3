// SPDX-License-Identifier: GPL-2.0
/*
 * MREGION_COMMIT: every operation, every errno, and that it is all or nothing:
 * after a commit that fails, everything that can be read is as it was.
 */
#include "kselftest_harness.h"
#include "commit_util.h"
#include "random_util.h"

#define NOWHERE		99	/* an ID that nothing has */

/* Whether @op, behind one that is good, is refused with @err and no trace. */
static bool refused(struct __test_metadata *_metadata, int fd, const char *what,
		    struct mregion_op op, int err)
{
	const struct mregion_op ops[] = {
		mr_mmio(50, 0x10), op, mr_mmio(51, 0x10),
	};
	struct mr_snapshot before;
	uint32_t flags, failed;
	bool ok = true;
	int got;

	if (mr_snapshot_take(fd, &before))
		return false;
	for (flags = 0; flags <= MREGION_COMMIT_DRY_RUN; flags++) {
		got = mr_commit_flags(fd, ops, 3, flags, &failed);
		if (got != err) {
			TH_LOG("%s%s: %s, not %s", what, flags ? " (dry)" : "",
			       strerror(-got), strerror(-err));
			ok = false;
		}
		if (failed != (got ? 1 : 3)) {
			TH_LOG("%s%s: failed at %u", what,
			       flags ? " (dry)" : "", failed);
			ok = false;
		}
		if (!mr_unchanged(fd, &before)) {
			TH_LOG("%s%s: left a trace", what,
			       flags ? " (dry)" : "");
			ok = false;
		}
	}
	mr_snapshot_free(&before);
	return ok;
}

#define EXPECT_REFUSED(err, op) \
	EXPECT_TRUE(refused(_metadata, self->fd, #op, op, -(err)))

TEST_F(commit, create_refused)
{
	struct mregion_op op;
	int fds[2];

	EXPECT_REFUSED(EEXIST, mr_mmio(ROOT, 0x1000));
	EXPECT_REFUSED(EEXIST, mr_mmio(50, 0x1000));
	EXPECT_REFUSED(EINVAL, mr_mmio(0, 0x1000));
	EXPECT_REFUSED(EOPNOTSUPP, mr_create(NOWHERE, 0, 0x1000));
	EXPECT_REFUSED(EOPNOTSUPP, mr_create(NOWHERE, 9, 0x1000));
	EXPECT_REFUSED(EOPNOTSUPP, mr_flags(mr_mmio(NOWHERE, 1), 1 << 6));
	EXPECT_REFUSED(EOPNOTSUPP, mr_flags(mr_mmio(NOWHERE, 1), 1u << 31));
	EXPECT_REFUSED(EINVAL, mr_flags(mr_ram(NOWHERE, 0x1000),
					MREGION_REGION_ROMD_OFF));
	EXPECT_REFUSED(ENOENT, mr_alias(NOWHERE, 77, 0, 0x1000));
	EXPECT_REFUSED(ENOENT, mr_alias(NOWHERE, NOWHERE, 0, 0x1000));

	/* Members that do not go with the kind. */
	op = mr_mmio(NOWHERE, 0x1000);
	op.create.offset = 0x1000;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_mmio(NOWHERE, 0x1000);
	op.create.target = RAM;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_mmio(NOWHERE, 0x1000);
	op.create.backing = MREGION_BACKING_USER;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_container(NOWHERE, 0x1000);
	op.create.constraints.valid_min = 1;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_alias(NOWHERE, RAM, 0, 0x1000);
	op.create.constraints.flags = MREGION_VALID_UNALIGNED;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_alias(NOWHERE, RAM, 0, 0x1000);
	op.create.backing = MREGION_BACKING_FD;
	op.create.fd = self->file;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_ram(NOWHERE, 0x1000);
	op.create.fd = self->file;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_ram(NOWHERE, 0x1000);
	op.create.constraints.valid_max = 4;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_mmio(NOWHERE, 0x1000);
	op.create.reserved = 1;
	EXPECT_REFUSED(EINVAL, op);

	/* Files. */
	op = mr_ram(NOWHERE, 0x1000);
	op.create.backing = MREGION_BACKING_FD;
	op.create.fd = -1;
	EXPECT_REFUSED(EBADF, op);
	op.create.fd = 1000;
	EXPECT_REFUSED(EBADF, op);
	op.create.fd = self->fd;
	EXPECT_REFUSED(EINVAL, op);
	ASSERT_EQ(0, pipe(fds));
	op.create.fd = fds[0];
	EXPECT_REFUSED(EINVAL, op);
	close(fds[0]);
	close(fds[1]);
	op.create.fd = open("/", O_RDONLY | O_DIRECTORY);
	EXPECT_REFUSED(EINVAL, op);
	close(op.create.fd);
	op.create.fd = self->file;
	op.create.len = 0x5000;
	EXPECT_REFUSED(EINVAL, op);
	op.create.len = 0x1000;
	op.create.offset = 0x4000;
	EXPECT_REFUSED(EINVAL, op);
	op.create.offset = 0x800;
	EXPECT_REFUSED(EINVAL, op);
	op.create.offset = -0x1000ull;
	EXPECT_REFUSED(EINVAL, op);
	op.create.len = 0;
	op.create.offset = 0;
	EXPECT_REFUSED(EINVAL, op);

	/* Memory of the VMM. */
	op = mr_ram(NOWHERE, 0x1000);
	op.create.backing = MREGION_BACKING_USER;
	op.create.offset = 0x10800;
	EXPECT_REFUSED(EINVAL, op);
	op.create.offset = -0x1000ull;
	op.create.len = 0x2000;
	EXPECT_REFUSED(EINVAL, op);

	/* Names. */
	op = mr_mmio(NOWHERE, 0x1000);
	memset(op.create.name, 'x', sizeof(op.create.name));
	EXPECT_REFUSED(EINVAL, op);
	op = mr_mmio(NOWHERE, 0x1000);
	memset(op.create.name, 0, sizeof(op.create.name));
	strcpy(op.create.name, "a\nb");
	EXPECT_REFUSED(EINVAL, op);
	strcpy(op.create.name, "\x1b[J");
	EXPECT_REFUSED(EINVAL, op);
	strcpy(op.create.name, "ab\x7f");
	EXPECT_REFUSED(EINVAL, op);
}

/* Names that are fine: none, the longest, not ASCII. */
TEST_F(commit, names)
{
	static const char *const names[] = {
		"", "a b", "Gr\303\266\303\237e",
		"123456789012345678901234567890123456789012345678901234567890123",
	};
	struct mregion_region_info region;
	struct mregion_op op;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		op = mr_mmio(NOWHERE + i, 1);
		memset(op.create.name, 0, sizeof(op.create.name));
		strcpy(op.create.name, names[i]);
		EXPECT_EQ(0, mr_commit(self->fd, &op, 1));
		ASSERT_LE(1, mr_regions(self->fd, NOWHERE + i, &region, 1));
		EXPECT_EQ(NOWHERE + i, region.id);
		EXPECT_STREQ(names[i], region.name);
	}
}

TEST_F(commit, constraints_refused)
{
	static const struct {
		const char *what;
		struct mregion_constraints constraints;
		int err;
	} cases[] = {
		{ "valid_min 3", { .valid_min = 3 }, EINVAL },
		{ "valid_max 16", { .valid_max = 16 }, EINVAL },
		{ "impl_min 5", { .impl_min = 5 }, EINVAL },
		{ "impl_max 255", { .impl_max = 255 }, EINVAL },
		{ "valid min > max", { .valid_min = 4, .valid_max = 2 },
		  EINVAL },
		{ "valid min > default max", { .valid_min = 8 }, EINVAL },
		{ "impl min > max", { .impl_min = 8, .impl_max = 4 }, EINVAL },
		{ "flag 4", { .flags = 1 << 4 }, EOPNOTSUPP },
		{ "flag 7", { .flags = 1 << 7 }, EOPNOTSUPP },
		{ "refused EXIT", { .refused = MREGION_POLICY_EXIT }, EINVAL },
		{ "reserved", { .reserved = 1 }, EINVAL },
	};
	struct mregion_op op;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		op = mr_mmio(NOWHERE, 0x1000);
		op.create.constraints = cases[i].constraints;
		EXPECT_TRUE(refused(_metadata, self->fd, cases[i].what, op,
				    -cases[i].err));
		op = mr_set_constraints(MMIO, cases[i].constraints);
		EXPECT_TRUE(refused(_metadata, self->fd, cases[i].what, op,
				    -cases[i].err));
	}
	EXPECT_REFUSED(ENOENT, mr_set_constraints(NOWHERE,
					(struct mregion_constraints){}));
	EXPECT_REFUSED(EINVAL, mr_set_constraints(RAM,
			(struct mregion_constraints){ .valid_max = 4 }));
	EXPECT_REFUSED(EINVAL, mr_set_constraints(BUS,
			(struct mregion_constraints){ .valid_max = 4 }));
}

TEST_F(commit, map_refused)
{
	struct mregion_op op = mr_map(LOOSE, ROOT, 0, 0);

	op.map.flags = 1 << 1;
	EXPECT_REFUSED(EOPNOTSUPP, op);
	op.map.flags = MREGION_MAP_EXCLUSIVE;
	op.map.reserved = 1;
	EXPECT_REFUSED(EINVAL, op);
	EXPECT_REFUSED(ENOENT, mr_map(NOWHERE, ROOT, 0, 0));
	EXPECT_REFUSED(ENOENT, mr_map(LOOSE, NOWHERE, 0, 0));
	EXPECT_REFUSED(EINVAL, mr_map(0, ROOT, 0, 0));
	EXPECT_REFUSED(EBUSY, mr_map(MMIO, BUS, 0, 0));
	EXPECT_REFUSED(EBUSY, mr_map(MMIO, ROOT, 0, 0));
	EXPECT_REFUSED(EINVAL, mr_map(LOOSE, ALIAS, 0, 0));
	/* Into itself. What aliases show is another matter, see render.c. */
	EXPECT_REFUSED(ELOOP, mr_map(LOOSE, LOOSE, 0, 0));
	EXPECT_REFUSED(ELOOP, mr_map(ROOT, ROOT, 0, 0));
	EXPECT_REFUSED(ELOOP, mr_map(ROOT, BUS, 0, 0));
	EXPECT_REFUSED(ELOOP, mr_map(ROOT, MMIO, 0, 0));
	EXPECT_EQ(0, COMMIT(self->fd, mr_container(60, 0x1000),
			    mr_map(CHILDLESS, 60, 0, 0),
			    mr_map(LOOSE, CHILDLESS, 0, 0)));
	EXPECT_REFUSED(ELOOP, mr_map(60, LOOSE, 0, 0));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(LOOSE)));

	EXPECT_REFUSED(ENOENT, mr_unmap(NOWHERE));
	EXPECT_REFUSED(ENOENT, mr_unmap(LOOSE));
	EXPECT_REFUSED(ENOENT, mr_unmap(ROOT));
	EXPECT_REFUSED(ENOENT, mr_move(NOWHERE, 0));
	EXPECT_REFUSED(ENOENT, mr_move(LOOSE, 0));
	EXPECT_REFUSED(EINVAL, mr_move(0, 0));
}

TEST_F(commit, change_refused)
{
	struct mregion_op op;

	EXPECT_REFUSED(ENOENT, mr_resize(NOWHERE, 1));
	EXPECT_REFUSED(EINVAL, mr_resize(FILE_RAM, 0x5000));
	EXPECT_REFUSED(EINVAL, mr_resize(FILE_RAM, 0));
	EXPECT_REFUSED(EINVAL, mr_resize(0, 0));

	EXPECT_REFUSED(ENOENT, mr_set_flags(NOWHERE, 1, 1));
	EXPECT_REFUSED(EINVAL, mr_set_flags(RAM, 1, 3));
	EXPECT_REFUSED(EINVAL, mr_set_flags(RAM, 0, 1));
	EXPECT_REFUSED(EOPNOTSUPP, mr_set_flags(RAM, 1 << 6, 0));
	EXPECT_REFUSED(EOPNOTSUPP, mr_set_flags(RAM, 1u << 31, 1u << 31));
	EXPECT_REFUSED(EINVAL, mr_set_flags(MMIO, MREGION_REGION_ROMD_OFF,
					    MREGION_REGION_ROMD_OFF));

	op = mr_op(MREGION_OP_SET_SERVER, MMIO);
	op.set_server.server = NOWHERE;
	EXPECT_REFUSED(ENOENT, op);
	op.set_server.server = 0;
	op.set_server.reserved = 1;
	EXPECT_REFUSED(EINVAL, op);
	EXPECT_REFUSED(EINVAL, mr_op(MREGION_OP_SET_SERVER, RAM));
	EXPECT_REFUSED(EINVAL, mr_op(MREGION_OP_SET_SERVER, BUS));
	EXPECT_REFUSED(ENOENT, mr_op(MREGION_OP_SET_SERVER, NOWHERE));

	EXPECT_REFUSED(ENOENT, mr_set_alias(NOWHERE, 0));
	EXPECT_REFUSED(EINVAL, mr_set_alias(RAM, 0));

	EXPECT_REFUSED(EOPNOTSUPP, mr_op(0, MMIO));
	EXPECT_REFUSED(EOPNOTSUPP, mr_op(17, MMIO));
	EXPECT_REFUSED(EOPNOTSUPP, mr_op(~MREGION_OP_MAY_FAIL, MMIO));
	EXPECT_REFUSED(EOPNOTSUPP, mr_op(MREGION_OP_UNMAP | 1u << 30, MMIO));
}

TEST_F(commit, free_refused)
{
	EXPECT_REFUSED(ENOENT, mr_free(NOWHERE));
	EXPECT_REFUSED(EINVAL, mr_free(0));
	EXPECT_REFUSED(EBUSY, mr_free(MMIO));		/* mapped */
	EXPECT_REFUSED(EBUSY, mr_free(ROOT));		/* has subregions */
	EXPECT_REFUSED(EBUSY, mr_free(PIO_ROOT));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(RAM)));
	EXPECT_REFUSED(EBUSY, mr_free(RAM));		/* aliased */
	EXPECT_EQ(0, COMMIT(self->fd, mr_space(5, CHILDLESS)));
	EXPECT_REFUSED(EBUSY, mr_free(CHILDLESS));	/* root of a space */

	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(5), mr_free(CHILDLESS)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(ALIAS), mr_free(ALIAS),
			    mr_free(RAM)));
	/* A region with a rule may go; the ring may then go, too. */
	EXPECT_EQ(-EBUSY, mr_ring_free(self->fd, RING));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(MMIO), mr_free(MMIO)));
	EXPECT_EQ(0, mr_ring_free(self->fd, RING));
}

TEST_F(commit, rule_refused)
{
	struct mregion_op op;

	EXPECT_REFUSED(ENOENT, mr_rule_add(NOWHERE, RING, 0, 4));
	EXPECT_REFUSED(ENOENT, mr_rule_add(MMIO, NOWHERE, 0, 4));
	EXPECT_REFUSED(EEXIST, mr_rule_add(MMIO, RING, 0x10, 0x10));
	EXPECT_REFUSED(EEXIST, mr_rule_add(MMIO, RING, 0x1f, 1));
	EXPECT_REFUSED(EEXIST, mr_rule_add(MMIO, RING, 0, 0x11));
	EXPECT_REFUSED(EEXIST, mr_rule_add(MMIO, RING, 0, 0));
	EXPECT_REFUSED(EINVAL, mr_rule_add(MMIO, RING, 0x1000, 1));
	EXPECT_REFUSED(EINVAL, mr_rule_add(MMIO, RING, -1ull, 1));
	EXPECT_REFUSED(EINVAL, mr_rule_add(RAM, RING, 0, 4));
	EXPECT_REFUSED(EINVAL, mr_rule_add(BUS, RING, 0, 4));
	EXPECT_REFUSED(EINVAL, mr_rule_add(ALIAS, RING, 0, 4));
	EXPECT_REFUSED(EINVAL, mr_rule_add(RESERVED, RING, 0, 4));
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.kind = 0;
	EXPECT_REFUSED(EOPNOTSUPP, op);
	op.rule.kind = 4;
	EXPECT_REFUSED(EOPNOTSUPP, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.flags = 1 << 9;
	EXPECT_REFUSED(EOPNOTSUPP, op);
	op.rule.flags = 1u << 31;
	EXPECT_REFUSED(EOPNOTSUPP, op);
	/* Flags and members of other kinds. */
	op.rule.flags = MREGION_RULE_DATAMATCH;
	EXPECT_REFUSED(EINVAL, op);
	op.rule.flags = MREGION_RULE_READ;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.shadow = 1;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.datamatch = 1;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.access_len = 4;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.eventfd = self->file;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	op.rule.reserved = 1;
	EXPECT_REFUSED(EINVAL, op);
	op = mr_rule_add(MMIO, RING, 0x100, 4);
	((char *)&op.rule)[sizeof(op.rule) - 1] = 1;
	EXPECT_REFUSED(EINVAL, op);

	EXPECT_REFUSED(ENOENT, mr_rule_del(NOWHERE, RING, 0, 4));
	EXPECT_REFUSED(ENOENT, mr_rule_del(MMIO, RING, 0, 4));
	EXPECT_REFUSED(ENOENT, mr_rule_del(MMIO, RING, 0x10, 0xf));
	EXPECT_REFUSED(ENOENT, mr_rule_del(MMIO, NOWHERE, 0x10, 0x10));
	EXPECT_REFUSED(ENOENT, mr_rule_del(RAM, RING, 0x10, 0x10));

	EXPECT_EQ(0, COMMIT(self->fd, mr_rule_del(MMIO, RING, 0x10, 0x10),
			    mr_rule_add(MMIO, RING, 0xf00, 0),
			    mr_rule_add(MMIO, RING, 0, 0xf00),
			    mr_rule_add(ROMD, RING, 0x800, 0x10),
			    mr_rule_del(MMIO, RING, 0xf00, 0)));
}

TEST_F(commit, max_rules)
{
	uint32_t i, n = 0, nr = self->info.max_rules;
	struct mregion_op ops[64];

	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(60, 0x10000000)));
	for (i = 0; i < nr; i++) {
		ops[n++] = mr_rule_add(60, RING, i * 8, 4);
		if (n < ARRAY_SIZE(ops) && i + 1 < nr)
			continue;
		ASSERT_EQ(0, mr_commit(self->fd, ops, n));
		n = 0;
	}
	EXPECT_REFUSED(ENOSPC, mr_rule_add(60, RING, nr * 8, 4));
	EXPECT_EQ(0, COMMIT(self->fd, mr_rule_del(60, RING, 0, 4),
			    mr_rule_add(60, RING, nr * 8, 4)));
}

TEST_F(commit, space_refused)
{
	struct mregion_op op;

	EXPECT_REFUSED(EEXIST, mr_space(SPACE, ROOT));
	EXPECT_REFUSED(ENOENT, mr_space(NOWHERE, NOWHERE));
	EXPECT_REFUSED(ENOENT, mr_space(NOWHERE, 0));
	EXPECT_REFUSED(EINVAL, mr_space(0, ROOT));
	EXPECT_REFUSED(EINVAL, mr_space_op(MREGION_OP_SPACE_CREATE, NOWHERE,
					   ROOT, 2, 0));
	op = mr_space(NOWHERE, ROOT);
	op.space.reserved = 1;
	EXPECT_REFUSED(EINVAL, op);

	EXPECT_REFUSED(ENOENT, mr_space_set(NOWHERE, ROOT, 0, 0));
	EXPECT_REFUSED(ENOENT, mr_space_set(SPACE, NOWHERE, 0, 0));
	EXPECT_REFUSED(EINVAL, mr_space_set(SPACE, ROOT, MREGION_BUS_PIO, 0));
	EXPECT_REFUSED(EINVAL, mr_space_set(PIO_SPACE, ROOT,
					    MREGION_BUS_MEMORY, 0));
	EXPECT_REFUSED(ENOENT, mr_space_free(NOWHERE));
	EXPECT_REFUSED(EINVAL, mr_space_free(0));

	EXPECT_EQ(0, COMMIT(self->fd, mr_space_set(SPACE, BUS, 0,
						   MREGION_POLICY_ONES)));
	EXPECT_STREQ("0-fff 3+0", mr_view_text(self->fd, SPACE));
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE)));
	EXPECT_EQ(-ENOENT, mr_view(self->fd, SPACE, NULL, 0, NULL));
}

/* What an operation does not use must be zero, to its last byte. */
TEST_F_TIMEOUT(commit, unused_bytes, 180)
{
	const struct {
		struct mregion_op op;
		size_t used;
	} cases[] = {
		{ mr_unmap(MMIO), 0 },
		{ mr_free(LOOSE), 0 },
		{ mr_space_free(SPACE), 0 },
		{ mr_map(LOOSE, ROOT, 0, 0), sizeof(struct mregion_op_map) },
		{ mr_move(MMIO, 1), 8 },
		{ mr_resize(MMIO, 1), 8 },
		{ mr_set_alias(ALIAS, 1), 8 },
		{ mr_set_flags(RAM, 1, 1), sizeof(struct mregion_op_set_flags) },
		{ mr_set_constraints(MMIO, (struct mregion_constraints){}),
		  sizeof(struct mregion_constraints) },
		{ mr_space(NOWHERE, ROOT), sizeof(struct mregion_op_space) },
		{ mr_rule_add(MMIO, RING, 0x40, 4), sizeof(struct mregion_rule) },
		{ mr_op(MREGION_OP_SET_SERVER, MMIO),
		  sizeof(struct mregion_op_set_server) },
		{ mr_share(FILE_RAM, -1), sizeof(struct mregion_op_share) },
	};
	const size_t start = offsetof(struct mregion_op, reserved);
	const size_t step = mr_checking_kernel() ? 29 : 7;
	struct mregion_op op;
	char what[32];
	unsigned int i;
	size_t byte;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (byte = cases[i].used; start + byte < sizeof(op);
		     byte += start + byte + step < sizeof(op) ? step : 1) {
			op = cases[i].op;
			((char *)&op)[start + byte] = 1;
			sprintf(what, "op %u, byte %zu", op.code, byte);
			EXPECT_TRUE(refused(_metadata, self->fd, what, op,
					    -EINVAL));
		}
	}
}

TEST_F(commit, as_a_whole)
{
	struct mregion_op ops[2] = { mr_mmio(50, 1), mr_mmio(51, 1) };
	struct mregion_commit commit, good = {
		.size = sizeof(good),
		.ops = (uintptr_t)ops,
		.nr_ops = 2,
		.op_size = sizeof(ops[0]),
	};
	struct mr_snapshot before;
	struct {
		struct mregion_op op;
		char more[8];
	} longer[2] = { { .op = ops[0] }, { .op = ops[1] } };
	char *page;

	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));

	commit = good;
	commit.flags = 2;
	EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit = good;
	commit.reserved = 1;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit = good;
	commit.nr_ops = self->info.max_ops + 1;
	EXPECT_EQ(-EMSGSIZE, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit.nr_ops = -1u;
	EXPECT_EQ(-EMSGSIZE, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit = good;
	commit.op_size = sizeof(ops[0]) - 1;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit.op_size = 0;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit = good;
	commit.ops = 0;
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	commit.ops = -8ull;
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_COMMIT, &commit));

	/* The second operation is where nothing is mapped. */
	page = mmap(NULL, 2 * MR_PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + MR_PAGE, MR_PAGE));
	memcpy(page + MR_PAGE - sizeof(ops[0]), &ops[0], sizeof(ops[0]));
	commit = good;
	commit.ops = (uintptr_t)page + MR_PAGE - sizeof(ops[0]);
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_COMMIT, &commit));

	/* Operations that know more than this kernel. */
	commit = good;
	commit.ops = (uintptr_t)longer;
	commit.op_size = sizeof(longer[0]);
	longer[1].more[7] = 1;
	EXPECT_EQ(-E2BIG, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);

	longer[1].more[7] = 0;
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
	EXPECT_EQ(2, commit.failed);
	EXPECT_EQ(2, mr_regions(self->fd, 50, NULL, 0));
}

TEST_F(commit, dry_run_changes_nothing)
{
	const struct mregion_op ops[] = {
		mr_mmio(50, 0x10), mr_map(50, ROOT, 0x5000, 0),
		mr_unmap(MMIO), mr_space(9, BUS),
	};
	struct mr_snapshot before;
	uint32_t failed;

	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_EQ(0, mr_commit_flags(self->fd, ops, 4, MREGION_COMMIT_DRY_RUN,
				     &failed));
	EXPECT_EQ(4, failed);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	EXPECT_EQ(0, mr_commit_flags(self->fd, ops, 4, 0, &failed));
	EXPECT_FALSE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
}

/* An operation sees what those before it did. */
TEST_F(commit, operations_in_order)
{
	struct mregion_region_info info;

	EXPECT_EQ(0, COMMIT(self->fd,
		mr_mmio(50, 0x10), mr_map(50, ROOT, 0x5000, 0),
		mr_move(50, 0x6000), mr_resize(50, 0x20), mr_unmap(50),
		mr_free(50), mr_ram(50, 0x2000), mr_map(50, ROOT, 0x4000, 3)));
	ASSERT_LE(1, mr_regions(self->fd, 50, &info, 1));
	EXPECT_EQ(50, info.id);
	EXPECT_EQ(MREGION_RAM, info.kind);
	EXPECT_EQ(ROOT, info.parent);
	EXPECT_EQ(0x4000, info.offset);
	EXPECT_EQ(0x2000, info.len);
	EXPECT_EQ(3, info.priority);
}

TEST_F(commit, generation_grows)
{
	uint64_t generation, before;
	int i;

	ASSERT_LE(0, mr_view(self->fd, SPACE, NULL, 0, &before));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, COMMIT(self->fd, mr_move(MMIO, i * 16 + 16)));
		ASSERT_LE(0, mr_view(self->fd, SPACE, NULL, 0, &generation));
		EXPECT_LT(before, generation);
		before = generation;
	}
}

/* What MREGION_REGIONS tells is what was committed. */
TEST_F(commit, read_back)
{
	struct mregion_constraints constraints = {
		.valid_min = 2, .valid_max = 8, .impl_min = 1, .impl_max = 4,
		.flags = MREGION_VALID_UNALIGNED | MREGION_BIG_ENDIAN,
		.refused = MREGION_POLICY_ZEROES,
	};
	struct mregion_region_info info[3];
	struct mregion_op file_ram = mr_ram(62, 0x1000);
	struct mregion_op mmio = mr_mmio(60, 0x800);
	struct mregion_space_info space;

	mmio.create.constraints = constraints;
	mmio.create.flags = MREGION_REGION_DISABLED;
	memset(mmio.create.name, 0, sizeof(mmio.create.name));
	strcpy(mmio.create.name, "a name");
	file_ram.create.backing = MREGION_BACKING_FD;
	file_ram.create.fd = self->file;
	file_ram.create.offset = 0x3000;
	ASSERT_EQ(0, COMMIT(self->fd, mmio, mr_alias(61, BUS, 0x123, 0x456),
			    file_ram, mr_map(60, BUS, 0x9000, -7),
			    mr_rule_add(60, RING, 0, 4),
			    mr_rule_add(60, RING, 4, 4)));
	ASSERT_EQ(3, mr_regions(self->fd, 60, info, 3));
	EXPECT_EQ(60, info[0].id);
	EXPECT_EQ(MREGION_MMIO, info[0].kind);
	EXPECT_EQ(MREGION_REGION_DISABLED, info[0].flags);
	EXPECT_EQ(BUS, info[0].parent);
	EXPECT_EQ(0x800, info[0].len);
	EXPECT_EQ(0x9000, info[0].offset);
	EXPECT_EQ(-7, info[0].priority);
	EXPECT_EQ(2, info[0].nr_rules);
	EXPECT_EQ(0, memcmp(&constraints, &info[0].constraints,
			    sizeof(constraints)));
	EXPECT_STREQ("a name", info[0].name);
	EXPECT_EQ(61, info[1].id);
	EXPECT_EQ(BUS, info[1].target);
	EXPECT_EQ(0x123, info[1].target_offset);
	EXPECT_EQ(0x456, info[1].len);
	EXPECT_EQ(0, info[1].parent);
	EXPECT_EQ(62, info[2].id);
	EXPECT_EQ(MREGION_BACKING_FD, info[2].backing);
	EXPECT_EQ(0x3000, info[2].backing_offset);

	ASSERT_EQ(2, mr_spaces(self->fd, 0, &space, 1));
	EXPECT_EQ(SPACE, space.id);
	EXPECT_EQ(ROOT, space.root);
	EXPECT_EQ(MREGION_BUS_MEMORY, space.bus);
	EXPECT_EQ(0, space.nr_vms);
	EXPECT_EQ(mr_view(self->fd, SPACE, NULL, 0, NULL),
		  (int)space.nr_ranges);
}

/* The region keeps the file, not the descriptor. */
TEST_F(commit, file_outlives_descriptor)
{
	struct mregion_op op = mr_ram(60, 0x1000);
	struct mr_snapshot before;
	int fd = memfd_create("gone", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 0x2000));
	op.create.backing = MREGION_BACKING_FD;
	op.create.fd = fd;
	EXPECT_EQ(0, mr_commit(self->fd, &op, 1));
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(0, COMMIT(self->fd, mr_map(60, ROOT, 0x100000, 0)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_resize(60, 0x2000)));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_resize(60, 0x3000)));
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
}

TEST_F_TIMEOUT(commit, fails_at_each_index, 180)
{
	const struct {
		struct mregion_op op;
		int err;
	} bad[] = {
		{ mr_mmio(ROOT, 1), -EEXIST },
		{ mr_map(ROOT, MMIO, 0, 0), -ELOOP },
		{ mr_free(BUS), -EBUSY },
		{ mr_unmap(LOOSE), -ENOENT },
		{ mr_op(77, 1), -EOPNOTSUPP },
		{ mr_rule_del(MMIO, RING, 0x10, 1), -ENOENT },
		{ mr_space(PIO_SPACE, ROOT), -EEXIST },
		{ mr_resize(FILE_RAM, 0x100000), -EINVAL },
	};
	struct mregion_op ops[LONG_OPS], good;
	struct mr_snapshot before;
	uint32_t i, failed, nr_ops;

	nr_ops = long_commit(ops);
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (i = 0; i < nr_ops; i++) {
		good = ops[i];
		ops[i] = bad[i % ARRAY_SIZE(bad)].op;
		ASSERT_EQ(bad[i % ARRAY_SIZE(bad)].err,
			  mr_commit_flags(self->fd, ops, nr_ops, 0, &failed));
		ASSERT_EQ(i, failed);
		ASSERT_TRUE(mr_unchanged(self->fd, &before)) {
			TH_LOG("failed at %u and left a trace", i);
		}
		ops[i] = good;
	}
	mr_snapshot_free(&before);
	EXPECT_EQ(0, mr_commit_flags(self->fd, ops, nr_ops,
				     MREGION_COMMIT_DRY_RUN, &failed));
	EXPECT_EQ(0, mr_commit_flags(self->fd, ops, nr_ops, 0, &failed));
	EXPECT_EQ(nr_ops, failed);
}

/*
 * The regions as they are read, but for @order, of which only the comparison
 * means something.
 */
static int regions_without_order(int fd, struct mregion_region_info *regions,
				 uint32_t max)
{
	int i, nr = mr_regions(fd, 0, regions, max);

	for (i = 0; i < nr && i < (int)max; i++)
		regions[i].order = 0;
	return nr;
}

/* Failures leave nothing that a later success would show. */
TEST_F(commit, failures_leave_no_trace_in_the_next)
{
	struct mregion_region_info clean[128], after[128];
	struct mregion_op ops[LONG_OPS], one;
	int nr;
	FIXTURE_DATA(commit) other = {};
	uint32_t i, nr_ops;

	commit_setup(_metadata, &other, NULL);
	nr_ops = long_commit(ops);
	for (i = 1; i < nr_ops; i += 7) {
		one = ops[i];
		ops[i] = mr_op(77, 1);
		EXPECT_EQ(-EOPNOTSUPP, mr_commit(self->fd, ops, nr_ops));
		ops[i] = one;
	}
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr_ops));
	ASSERT_EQ(0, mr_commit(other.fd, ops, nr_ops));
	nr = regions_without_order(self->fd, after, 128);
	ASSERT_LT(0, nr);
	ASSERT_GE(128, nr);
	ASSERT_EQ(nr, regions_without_order(other.fd, clean, 128));
	EXPECT_EQ(0, memcmp(clean, after, nr * sizeof(clean[0])));
	for (i = 0; i < 200; i++)
		EXPECT_STREQ(mr_view_text(other.fd, i),
			     mr_view_text(self->fd, i));
	commit_teardown(_metadata, &other, NULL);
}

/* The operations one at a time end where the one commit ends. */
TEST_F(commit, one_by_one_is_the_same)
{
	struct mregion_range together[64], apart[64];
	struct mregion_op ops[LONG_OPS];
	FIXTURE_DATA(commit) other = {};
	uint32_t i, nr_ops;
	int nr;

	commit_setup(_metadata, &other, NULL);
	nr_ops = long_commit(ops);
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr_ops));
	for (i = 0; i < nr_ops; i++)
		ASSERT_EQ(0, mr_commit(other.fd, &ops[i], 1));
	nr = mr_view(self->fd, SPACE, together, 64, NULL);
	ASSERT_LT(0, nr);
	ASSERT_GE(64, nr);
	ASSERT_EQ(nr, mr_view(other.fd, SPACE, apart, 64, NULL));
	EXPECT_EQ(0, memcmp(together, apart, nr * sizeof(apart[0])));
	commit_teardown(_metadata, &other, NULL);
}

/* Commit with results; all but @size, @ops, @nr_ops and @op_size is as given. */
static int commit_results(int fd, const struct mregion_op *ops, uint32_t nr,
			  struct mregion_commit *commit, int32_t *results)
{
	commit->size = sizeof(*commit);
	commit->ops = (uintptr_t)ops;
	commit->nr_ops = nr;
	commit->op_size = sizeof(*ops);
	commit->failed = commit->nr_failed = commit->occupant = 0xdeadbeef;
	commit->results = (uintptr_t)results;
	return mr_ioctl(fd, MREGION_COMMIT, commit);
}

/* What may fail does so alone, with its errno; the rest is carried out. */
TEST_F(commit, fails_alone)
{
	const struct mregion_op ops[] = {
		mr_may_fail(mr_mmio(50, 0x1000)),
		mr_may_fail(mr_mmio(ROOT, 0x1000)),		/* EEXIST */
		mr_may_fail(mr_map(50, ROOT, 0x5000000, 0)),
		mr_may_fail(mr_map(50, BUS, 0, 0)),		/* EBUSY */
		mr_map(LOOSE, ROOT, 0x6000000, 0),
		mr_may_fail(mr_map(ROOT, LOOSE, 0, 0)),		/* ELOOP */
		mr_may_fail(mr_rule_add(50, NOWHERE, 0, 4)),	/* ENOENT */
		mr_may_fail(mr_rule_add(50, RING, 0, 4)),
		mr_may_fail(mr_rule_add(50, RING, 0, 4)),	/* EEXIST */
		mr_may_fail(mr_op(77, MMIO)),			/* EOPNOTSUPP */
		mr_may_fail(mr_unmap(0)),			/* EINVAL */
		mr_may_fail(mr_space(SPACE, ROOT)),		/* EEXIST */
		mr_resize(50, 0x800),
	};
	static const int32_t expected[ARRAY_SIZE(ops)] = {
		0, -EEXIST, 0, -EBUSY, 0, -ELOOP, -ENOENT, 0, -EEXIST,
		-EOPNOTSUPP, -EINVAL, -EEXIST, 0,
	};
	struct mregion_commit commit = { .flags = MREGION_COMMIT_DRY_RUN };
	int32_t results[ARRAY_SIZE(ops) + 1];
	struct mregion_region_info info;
	struct mr_snapshot before;
	uint64_t generation;

	/* A dry run says the same, and changes nothing. */
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	memset(results, 0x5a, sizeof(results));
	EXPECT_EQ(0, commit_results(self->fd, ops, ARRAY_SIZE(ops), &commit,
				    results));
	EXPECT_EQ(0, memcmp(expected, results, sizeof(expected)));
	EXPECT_EQ(8, commit.nr_failed);
	EXPECT_EQ(ARRAY_SIZE(ops), commit.failed);
	EXPECT_EQ(0, commit.occupant);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	generation = commit.generation;

	commit.flags = 0;
	memset(results, 0x5a, sizeof(results));
	EXPECT_EQ(0, commit_results(self->fd, ops, ARRAY_SIZE(ops), &commit,
				    results));
	EXPECT_EQ(0, memcmp(expected, results, sizeof(expected)));
	EXPECT_EQ(0x5a5a5a5a, results[ARRAY_SIZE(ops)]);
	EXPECT_EQ(8, commit.nr_failed);
	EXPECT_EQ(ARRAY_SIZE(ops), commit.failed);
	EXPECT_EQ(generation + 1, commit.generation);
	ASSERT_LE(1, mr_regions(self->fd, 50, &info, 1));
	EXPECT_EQ(50, info.id);
	EXPECT_EQ(ROOT, info.parent);
	EXPECT_EQ(0x800, info.len);
	EXPECT_EQ(1, info.nr_rules);
	ASSERT_LE(1, mr_regions(self->fd, LOOSE, &info, 1));
	EXPECT_EQ(ROOT, info.parent);

	/* Nobody need be told. All of it may fail: that is a commit, too. */
	EXPECT_EQ(0, commit_results(self->fd, &ops[1], 1, &commit, NULL));
	EXPECT_EQ(1, commit.nr_failed);
	EXPECT_EQ(generation + 2, commit.generation);
	mr_snapshot_free(&before);
}

/* What builds upon what has failed fails, and the commit if it may not. */
TEST_F(commit, fails_for_what_failed_alone)
{
	struct mregion_op ops[] = {
		mr_mmio(50, 0x1000),
		mr_may_fail(mr_alias(51, NOWHERE, 0, 0x1000)),
		mr_map(51, ROOT, 0x5000000, 0),
		mr_may_fail(mr_op(77, MMIO)),
	};
	struct mregion_commit commit = { 0 };
	struct mr_snapshot before;
	int32_t results[4];

	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	memset(results, 0x5a, sizeof(results));
	EXPECT_EQ(-ENOENT, commit_results(self->fd, ops, 4, &commit, results));
	EXPECT_EQ(2, commit.failed);
	EXPECT_EQ(1, commit.nr_failed);
	EXPECT_EQ(0, results[0]);
	EXPECT_EQ(-ENOENT, results[1]);
	EXPECT_EQ(0, results[2]);
	EXPECT_EQ(0, results[3]);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);

	ops[2] = mr_may_fail(ops[2]);
	EXPECT_EQ(0, commit_results(self->fd, ops, 4, &commit, results));
	EXPECT_EQ(3, commit.nr_failed);
	EXPECT_EQ(-ENOENT, results[2]);
	EXPECT_EQ(-EOPNOTSUPP, results[3]);
	EXPECT_EQ(1 + mr_regions(self->fd, 51, NULL, 0),
		  mr_regions(self->fd, 50, NULL, 0));
}

/* What only the whole shows fails the whole, whoever may fail. */
TEST_F(commit, whole_fails_with_those_that_may)
{
	uint32_t i, depth = self->info.max_depth;
	struct mregion_commit commit = { 0 };
	struct mr_snapshot before;
	struct mregion_op ops[2 * 80];
	int32_t results[2 * 80];

	ASSERT_GT(80, depth);
	for (i = 0; i < depth; i++) {
		ops[2 * i] = mr_may_fail(mr_container(100 + i, 0x1000));
		ops[2 * i + 1] = mr_may_fail(mr_map(100 + i,
						    i ? 99 + i : ROOT, 0, 0));
	}
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_EQ(-EMLINK, commit_results(self->fd, ops, 2 * depth, &commit,
					  results));
	EXPECT_EQ(2 * depth, commit.failed);
	EXPECT_EQ(0, commit.nr_failed);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
}

/* Results that cannot be told are found out before anything is done. */
TEST_F(commit, results_nowhere)
{
	struct mregion_op ops[] = {
		mr_mmio(50, 1), mr_may_fail(mr_mmio(ROOT, 1)),
	};
	struct mregion_commit commit = { 0 };
	struct mr_snapshot before;
	char *page = mmap(NULL, 2 * MR_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *nowhere[] = {
		(void *)-8, (void *)8, page + MR_PAGE - 4, page + MR_PAGE,
	};
	uint32_t i;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + MR_PAGE, MR_PAGE, PROT_READ));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		commit.flags = 0;
		EXPECT_EQ(-EFAULT, commit_results(self->fd, ops, 2, &commit,
						  nowhere[i]));
		commit.flags = MREGION_COMMIT_DRY_RUN;
		EXPECT_EQ(-EFAULT, commit_results(self->fd, ops, 2, &commit,
						  nowhere[i]));
		EXPECT_EQ(2, commit.failed);
		EXPECT_EQ(0, commit.nr_failed);
	}
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	commit.flags = 0;
	EXPECT_EQ(0, commit_results(self->fd, ops, 2, &commit,
				    (void *)(page + MR_PAGE - 8)));
	EXPECT_EQ(-EEXIST, *(int32_t *)(page + MR_PAGE - 4));
	munmap(page, 2 * MR_PAGE);
	mr_snapshot_free(&before);
}

/* Of long commits, each operation may fail; those that are possible are done. */
TEST_F(commit, fails_alone_in_long_commits)
{
	struct mregion_op ops[LONG_OPS], bad = mr_may_fail(mr_mmio(ROOT, 1));
	struct mregion_region_info clean[128], after[128];
	FIXTURE_DATA(commit) other = {};
	struct mregion_commit commit = { 0 };
	int32_t results[LONG_OPS];
	uint32_t i, k, nr_ops = long_commit(ops);
	int nr, nr_clean;

	/* In each group another operation is left out for the bad one. */
	for (i = 0; i < nr_ops; i += LONG_GROUP + 1) {
		commit_teardown(_metadata, self, NULL);
		commit_setup(_metadata, self, NULL);
		commit_setup(_metadata, &other, NULL);
		/* All of them may fail, and one must. */
		long_commit(ops);
		for (k = 0; k < nr_ops; k++)
			ops[k] = k == i ? bad : mr_may_fail(ops[k]);
		EXPECT_EQ(0, commit_results(self->fd, ops, nr_ops, &commit,
					    results));
		EXPECT_EQ(-EEXIST, results[i]);
		/* One at a time they have the same fates, and the same end. */
		for (k = 0; k < nr_ops; k++) {
			ops[k].code &= ~MREGION_OP_MAY_FAIL;
			EXPECT_EQ(results[k], mr_commit(other.fd, &ops[k], 1));
			commit.nr_failed -= !!results[k];
		}
		EXPECT_EQ(0, commit.nr_failed);
		nr = mr_regions(self->fd, 0, after, 128);
		nr_clean = mr_regions(other.fd, 0, clean, 128);
		ASSERT_LT(0, nr);
		ASSERT_GE(128, nr);
		ASSERT_EQ(nr_clean, nr);
		for (k = 0; k < (uint32_t)nr; k++)
			clean[k].order = after[k].order = 0;
		EXPECT_EQ(0, memcmp(clean, after, nr * sizeof(clean[0])));
		for (k = 0; k < 200; k++)
			EXPECT_STREQ(mr_view_text(other.fd, k),
				     mr_view_text(self->fd, k));
		commit_teardown(_metadata, &other, NULL);
	}
}

/* What @op would find where it maps; 0: nothing. */
static uint32_t occupant(int fd, struct mregion_op op)
{
	struct mregion_commit commit = { .flags = MREGION_COMMIT_DRY_RUN };
	int err = commit_results(fd, &op, 1, &commit, NULL);

	if (err && err != -EEXIST)
		return -1;
	return commit.occupant;
}

TEST_F(commit, map_exclusive)
{
	struct mregion_commit commit = { 0 };
	const struct mregion_op two[] = {
		mr_mmio(70, 0x100), mr_map(70, CHILDLESS, 0, 0),
		mr_may_fail(mr_map_exclusive(LOOSE, CHILDLESS, 0xff, 0)),
		mr_may_fail(mr_map_exclusive(LOOSE, CHILDLESS, 0x100, 0)),
	};
	int32_t results[4];

	ASSERT_EQ(0, COMMIT(self->fd, mr_container(60, 0x10000),
			    mr_mmio(61, 0x1000), mr_mmio(62, 0x1000),
			    mr_mmio(63, 0), mr_container(64, 0x100),
			    mr_map(61, 60, 0x1000, 0), mr_map(62, 60, 0x3000, 7),
			    mr_map(64, 60, 0x8000, 0)));

	EXPECT_REFUSED(EEXIST, mr_map_exclusive(LOOSE, 60, 0x1000, 0));
	/* Every byte counts, and only of siblings of the same priority. */
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0xf00, 0)));
	EXPECT_EQ(61, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0xf01, 0)));
	EXPECT_EQ(61, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x1fff, 0)));
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x2000, 0)));
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x1000, 7)));
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x1000, -1)));
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x3000, 0)));
	EXPECT_EQ(62, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x3000, 7)));
	/* It is about addresses: an empty container is there, too. */
	EXPECT_EQ(64, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x8000, 0)));
	/* Regions that reach up to 2^64, and beyond. */
	EXPECT_EQ(61, occupant(self->fd, mr_map_exclusive(63, 60, 0, 0)));
	EXPECT_EQ(64, occupant(self->fd, mr_map_exclusive(63, 60, 0x80ff, 0)));
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(63, 60, 0x8100, 0)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_map(63, 60, 0x9000, 0)));
	EXPECT_EQ(63, occupant(self->fd, mr_map_exclusive(LOOSE, 60, -1ull, 0)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(63)));

	/* Without the flag anything goes; and so does it afterwards. */
	EXPECT_EQ(0, COMMIT(self->fd,
			    mr_map_exclusive(LOOSE, 60, 0x2000, 0),
			    mr_move(LOOSE, 0x1000), mr_resize(LOOSE, 0x2000),
			    mr_mmio(65, 1), mr_map(65, 60, 0x1000, 0)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(LOOSE), mr_unmap(65),
			    mr_resize(LOOSE, 0x100)));

	/* What is disabled is not there; what is to be mapped is. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_set_flags(61, MREGION_REGION_DISABLED,
						   MREGION_REGION_DISABLED)));
	EXPECT_EQ(0, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x1000, 0)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_set_flags(61, MREGION_REGION_DISABLED,
						   0),
			    mr_set_flags(LOOSE, MREGION_REGION_DISABLED,
					 MREGION_REGION_DISABLED)));
	EXPECT_EQ(61, occupant(self->fd, mr_map_exclusive(LOOSE, 60, 0x1000, 0)));

	/* It sees what the commit did before, and is told of it by its ID. */
	EXPECT_EQ(0, commit_results(self->fd, two, 4, &commit, results));
	EXPECT_EQ(1, commit.nr_failed);
	EXPECT_EQ(-EEXIST, results[2]);
	EXPECT_EQ(0, results[3]);
	EXPECT_EQ(70, commit.occupant);
}

/* Exclusive and not, at random: as few lines of arithmetic have it. */
TEST_F(commit, map_exclusive_random)
{
	struct { uint64_t addr, len; int priority; bool mapped, off; } r[24];
	uint64_t seed = random_seed("MREGION_SEED");
	unsigned int i, k, n, refused = 0, mapped = 0;
	unsigned int rounds = mr_checking_kernel() ? 500 : 2000;
	struct prng prng = prng_of(seed, 0);
	struct mregion_commit commit = { 0 };
	struct mregion_op op;
	bool clash;
	int err;

	TH_LOG("seed %#llx", (unsigned long long)seed);
	memset(r, 0, sizeof(r));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(60, 0x40)));
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		r[i].len = 1 + i % 7;
		ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(100 + i, r[i].len)));
	}
	for (n = 0; n < rounds; n++) {
		i = below(&prng, ARRAY_SIZE(r));
		if (r[i].mapped) {
			ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(100 + i)));
			r[i].mapped = false;
			continue;
		}
		if (one_in(&prng, 8)) {
			r[i].off = !r[i].off;
			ASSERT_EQ(0, COMMIT(self->fd,
				mr_set_flags(100 + i, MREGION_REGION_DISABLED,
					     r[i].off * MREGION_REGION_DISABLED)));
		}
		r[i].addr = below(&prng, 0x50);
		r[i].priority = (int)below(&prng, 3) - 1;
		clash = false;
		for (k = 0; k < ARRAY_SIZE(r); k++)
			clash |= r[k].mapped && !r[k].off &&
				 r[k].priority == r[i].priority &&
				 r[k].addr < r[i].addr + r[i].len &&
				 r[i].addr < r[k].addr + r[k].len;
		op = one_in(&prng, 4) ?
		     mr_map(100 + i, 60, r[i].addr, r[i].priority) :
		     mr_map_exclusive(100 + i, 60, r[i].addr, r[i].priority);
		if (!op.map.flags)
			clash = false;
		err = commit_results(self->fd, &op, 1, &commit, NULL);
		ASSERT_EQ(clash ? -EEXIST : 0, err);
		refused += clash;
		mapped += !clash;
		r[i].mapped = !clash;
		if (!clash)
			continue;
		/* Whoever is told to be there is. */
		k = commit.occupant - 100;
		ASSERT_GT(ARRAY_SIZE(r), k);
		ASSERT_TRUE(r[k].mapped && !r[k].off &&
			    r[k].priority == r[i].priority &&
			    r[k].addr < r[i].addr + r[i].len &&
			    r[i].addr < r[k].addr + r[k].len);
	}
	/* About one in 20, and one in two. */
	EXPECT_LT(rounds / 100, refused);
	EXPECT_LT(rounds / 20, mapped);
}

/* A flash chip's memory may be the VMM's own, as any memory. */
TEST_F(commit, romd_of_the_vmm)
{
	char *page = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mregion_op op = mr_create(60, MREGION_ROMD, MR_PAGE);
	struct mregion_region_info info;
	struct mregion_range range[16];
	int i, nr;

	ASSERT_NE(MAP_FAILED, page);
	op.create.backing = MREGION_BACKING_USER;
	op.create.offset = (uintptr_t)page;
	op.create.constraints.valid_max = 8;
	ASSERT_EQ(0, COMMIT(self->fd, op, mr_map(60, ROOT, 0x5000000, 0)));
	ASSERT_LE(1, mr_regions(self->fd, 60, &info, 1));
	EXPECT_EQ(MREGION_ROMD, info.kind);
	EXPECT_EQ(MREGION_BACKING_USER, info.backing);
	EXPECT_EQ((uintptr_t)page, info.backing_offset);
	EXPECT_EQ(8, info.constraints.valid_max);
	nr = mr_view(self->fd, SPACE, range, 16, NULL);
	for (i = 0; i < nr && range[i].region != 60; i++)
		;
	ASSERT_LT(i, nr);
	EXPECT_EQ(MREGION_RANGE_ROMD, range[i].flags & MREGION_RANGE_ROMD);
	/* It has rules, and grows no further than the VMM's memory can. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_rule_add(60, RING, 0, 4)));
	EXPECT_REFUSED(EINVAL, mr_resize(60, 0));
	munmap(page, MR_PAGE);
}

TEST_HARNESS_MAIN
