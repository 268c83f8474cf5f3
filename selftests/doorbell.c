// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: which writes ring which, what they leave in shared memory, and
 * that none is lost or rings twice while rules and regions change.
 */
#include <poll.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "device_util.h"

#define VCPUS	3
#define SHADOW	1
#define RING	1
#define LOAD_MS	800

FIXTURE(doorbell) {
	struct rig rig;
	struct way way;
	uint32_t region;
	int fd;
	int efd;
};

FIXTURE_VARIANT(doorbell) {
	struct way way;
};

FOR_EACH_WAY(doorbell);

FIXTURE_SETUP(doorbell)
{
	if (variant->way.guest && variant->way.pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	self->way = variant->way;
	self->region = way_region(self->way);
	self->fd = self->rig.fd;
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(doorbell)
{
	close(self->efd);
	rig_close(&self->rig);
}

#define WRITE(_offset, _len, _data) \
	way_write(&self->rig, self->way, _offset, _len, _data)

/* A write that is completed and rings one bell once, or that exits. */
#define EXPECT_RINGS(_efd, _offset, _len, _data) do {			\
	EXPECT_EQ(1, WRITE(_offset, _len, _data));			\
	EXPECT_EQ(1, signals(_efd)) {					\
		TH_LOG("%u@%#x: %#llx", (unsigned int)(_len),		\
		       (unsigned int)(_offset),				\
		       (unsigned long long)(_data));			\
	}								\
} while (0)

#define EXPECT_SILENT(_efd, _offset, _len, _data) do {			\
	EXPECT_EQ(0, WRITE(_offset, _len, _data));			\
	EXPECT_EQ(0, signals(_efd)) {					\
		TH_LOG("%u@%#x: %#llx", (unsigned int)(_len),		\
		       (unsigned int)(_offset),				\
		       (unsigned long long)(_data));			\
	}								\
} while (0)

TEST_F(doorbell, any_size)
{
	struct mregion_stats stats;
	unsigned int len, rung = 0;
	uint64_t value;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0x10, 0x10, self->efd))));
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		EXPECT_RINGS(self->efd, 0x10, len, 0x1122334455667788);
		EXPECT_RINGS(self->efd, 0x20 - len, len, 0);
		rung += 2;
		EXPECT_SILENT(self->efd, 0x10 - len, len, 1);
		EXPECT_SILENT(self->efd, 0x20, len, 1);
		/* Reads are the device's. */
		EXPECT_EQ(0, way_read(&self->rig, self->way, 0x10, len,
				      &value));
		EXPECT_EQ(0, signals(self->efd));
	}
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, self->region,
			      &stats));
	EXPECT_EQ(rung, stats.outcomes[MREGION_OUTCOME_DOORBELL]);

	ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region,
					       bell(0x10, 0x10, self->efd))));
	EXPECT_SILENT(self->efd, 0x10, 4, 1);
}

/* What is not whole within the rule's part exits. */
TEST_F(doorbell, part_of_a_register)
{
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0x11, 2, self->efd))));
	EXPECT_RINGS(self->efd, 0x11, 1, 1);
	EXPECT_RINGS(self->efd, 0x12, 1, 1);
	EXPECT_SILENT(self->efd, 0x10, 2, 1);
	EXPECT_SILENT(self->efd, 0x12, 2, 1);
	EXPECT_SILENT(self->efd, 0x10, 4, 1);
}

/* The whole of a region, whatever its length, and also from the middle on. */
TEST_F(doorbell, whole_region)
{
	unsigned int last = self->way.pio ? DEV_PORTS_LEN - 4 : DEV_LEN - 4;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0x40, 0, self->efd))));
	EXPECT_SILENT(self->efd, 0x3c, 4, 1);
	EXPECT_RINGS(self->efd, 0x40, 4, 1);
	EXPECT_RINGS(self->efd, last, 4, 1);
}

TEST_F(doorbell, exact_size)
{
	struct mregion_rule rules[4];
	unsigned int i, len;
	int efds[4];

	for (i = 0; i < 4; i++) {
		efds[i] = new_eventfd();
		ASSERT_LE(0, efds[i]);
		rules[i] = bell(0x10, 8, efds[i]);
		rules[i].access_len = 1 << i;
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
						       rules[i])));
		for (len = 1; len <= 8; len *= 2) {
			if (!way_has(self->way, len))
				continue;
			if (len == rules[i].access_len)
				EXPECT_RINGS(efds[i], 0x10, len, 7);
			else
				EXPECT_SILENT(efds[i], 0x10, len, 7);
		}
		ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region,
						       rules[i])));
	}
	/* One for each size at the same place. */
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rules[0]),
			    RULE_ADD(self->region, rules[1]),
			    RULE_ADD(self->region, rules[2]),
			    RULE_ADD(self->region, rules[3])));
	for (i = 0; i < 4; i++)
		if (way_has(self->way, 1 << i))
			EXPECT_RINGS(efds[i], 0x10, 1 << i, 7);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, signals(efds[i]));
		close(efds[i]);
	}
}

/* Several values of one register, as virtqueues are notified. */
TEST_F(doorbell, datamatch)
{
	static const uint64_t values[] = { 0, 1, 2, 0xffff, 0x12345678 };
	struct mregion_rule rule;
	int efds[ARRAY_SIZE(values)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		efds[i] = new_eventfd();
		rule = bell(0x10, 4, efds[i]);
		rule.flags = MREGION_RULE_DATAMATCH;
		rule.datamatch = values[i];
		ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	}
	for (i = 0; i < ARRAY_SIZE(values); i++)
		EXPECT_RINGS(efds[i], 0x10, 4, values[i]);
	EXPECT_EQ(0, WRITE(0x10, 4, 3));
	EXPECT_EQ(0, WRITE(0x10, 4, 0xffffffff));
	EXPECT_EQ(0, WRITE(0x10, 4, 0x112345678 >> 4));
	/* The value is what is written: bytes beyond it do not matter. */
	EXPECT_RINGS(efds[1], 0x10, 1, 0xabcdef01);
	EXPECT_RINGS(efds[3], 0x10, 2, 0xabcdffff);
	EXPECT_RINGS(efds[2], 0x12, 2, 0x50002);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		EXPECT_EQ(0, signals(efds[i]));
		close(efds[i]);
	}
}

TEST_F(doorbell, datamatch_of_a_size)
{
	struct mregion_rule rule = bell(0x10, 8, self->efd);

	rule.flags = MREGION_RULE_DATAMATCH;
	rule.access_len = 2;
	rule.datamatch = 0x1234;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	EXPECT_RINGS(self->efd, 0x10, 2, 0x1234);
	EXPECT_RINGS(self->efd, 0x16, 2, 0x1234);
	EXPECT_SILENT(self->efd, 0x10, 2, 0x1235);
	EXPECT_SILENT(self->efd, 0x10, 4, 0x1234);
	EXPECT_SILENT(self->efd, 0x10, 1, 0x34);
	/* A value of all 8 bytes. */
	ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, rule)));
	rule.access_len = 8;
	rule.datamatch = 0x8877665544332211;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	if (way_has(self->way, 8)) {
		EXPECT_RINGS(self->efd, 0x10, 8, 0x8877665544332211);
		EXPECT_SILENT(self->efd, 0x10, 8, 0x44332211);
	}
	EXPECT_SILENT(self->efd, 0x10, 4, 0x44332211);
}

/* The value is kept, and nothing beside it touched. */
TEST_F(doorbell, stores_the_value)
{
	struct mregion_rule rule = bell(0x10, 0x10, self->efd);
	uint8_t expected[MR_PAGE];
	struct mr_shadow shadow;
	uint64_t value = 0x8877665544332211;
	unsigned int len;

	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, MR_PAGE, &shadow));
	rule.flags = MREGION_RULE_STORE;
	rule.shadow = SHADOW;
	rule.shadow_offset = 0x808;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		memset(shadow.memory, 0xee, MR_PAGE);
		memset(expected, 0xee, MR_PAGE);
		EXPECT_RINGS(self->efd, 0x18, len, value);
		memcpy(expected + 0x810, &value, len);
		EXPECT_EQ(0, memcmp(expected, shadow.memory, MR_PAGE));
		/* Those that are not the rule's are not stored. */
		EXPECT_SILENT(self->efd, 0x20, len, 0);
		EXPECT_SILENT(self->efd, 0x10 - len, len, 0);
		EXPECT_EQ(0, memcmp(expected, shadow.memory, MR_PAGE));
	}
	/* With a value to match, only that is ever stored. */
	ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, rule)));
	rule.flags |= MREGION_RULE_DATAMATCH;
	rule.datamatch = 5;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	memset(shadow.memory, 0, MR_PAGE);
	EXPECT_SILENT(self->efd, 0x10, 4, 6);
	EXPECT_EQ(0, shadow.memory[0x808]);
	EXPECT_RINGS(self->efd, 0x10, 4, 5);
	EXPECT_EQ(5, shadow.memory[0x808]);
	mr_shadow_unmap(&shadow);
	/* The memory is the rule's, too, and stays. */
	EXPECT_EQ(-EBUSY, mr_shadow_free(self->fd, SHADOW));
	EXPECT_RINGS(self->efd, 0x10, 4, 5);
	ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, rule)));
	EXPECT_EQ(0, mr_shadow_free(self->fd, SHADOW));
}

/* As many as a region can have, each its own. */
TEST_F(doorbell, many)
{
	struct mregion_op ops[64];
	struct mregion_info info;
	unsigned int i;
	int efds[64];

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ASSERT_LE(64, info.max_rules);
	for (i = 0; i < 64; i++) {
		efds[i] = new_eventfd();
		ASSERT_LE(0, efds[i]);
		ops[i] = RULE_ADD(self->region, bell(4 * i, 2, efds[i]));
	}
	ASSERT_EQ(0, mr_commit(self->fd, ops, 64));
	for (i = 0; i < 64; i++) {
		EXPECT_RINGS(efds[i], 4 * i, 2, i);
		EXPECT_EQ(0, WRITE(4 * i + 2, 2, i));
	}
	for (i = 0; i < 64; i++) {
		EXPECT_EQ(0, signals(efds[i]));
		close(efds[i]);
	}
}

/* A doorbell goes before a ring, and that before a shadow. */
TEST_F(doorbell, goes_first)
{
	struct mregion_rule rule = bell(0x10, 8, self->efd);
	struct mr_shadow shadow;
	struct mr_ring ring;

	rule.flags = MREGION_RULE_DATAMATCH;
	rule.datamatch = 9;
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64, &shadow));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 4, -1, 0, 0, &ring));
	/* Whatever the order they come in. */
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(self->region,
				     shadow_rule(0x10, 12, MREGION_RULE_WRITE,
						 SHADOW, 0)),
			    mr_rule_add(self->region, RING, 0x10, 8),
			    RULE_ADD(self->region, rule)));
	EXPECT_RINGS(self->efd, 0x10, 4, 9);
	EXPECT_EQ(0, mr_ring_waiting(&ring));
	EXPECT_EQ(1, WRITE(0x10, 4, 10));
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_EQ(1, mr_ring_waiting(&ring));
	EXPECT_EQ(0, shadow.memory[0]);
	EXPECT_EQ(1, WRITE(0x18, 4, 11));
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_EQ(1, mr_ring_waiting(&ring));
	EXPECT_EQ(11, shadow.memory[8]);
	mr_ring_unmap(&ring);
	mr_shadow_unmap(&shadow);
}

/* The rule has the eventfd, not its number. */
TEST_F(doorbell, closed_eventfd)
{
	int copy = dup(self->efd), other;
	unsigned int i;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0x10, 4, self->efd))));
	close(self->efd);
	EXPECT_RINGS(copy, 0x10, 4, 1);
	/* Another gets the number: it is not rung, and not what to delete. */
	other = new_eventfd();
	ASSERT_EQ(self->efd, other);
	EXPECT_RINGS(copy, 0x10, 4, 1);
	EXPECT_EQ(0, signals(other));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd,
				  RULE_DEL(self->region, bell(0x10, 4, other))));
	EXPECT_EQ(0, COMMIT(self->fd,
			    RULE_DEL(self->region, bell(0x10, 4, copy))));
	/* Nobody listens any more: the guest must not notice. */
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0x10, 4, copy))));
	close(copy);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(1, WRITE(0x10, 4, i));
	EXPECT_EQ(0, signals(other));
}

/* An eventfd that is full does not stop the guest. */
TEST_F(doorbell, full_eventfd)
{
	uint64_t most = -2ull;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0x10, 4, self->efd))));
	ASSERT_EQ(sizeof(most), write(self->efd, &most, sizeof(most)));
	EXPECT_EQ(1, WRITE(0x10, 4, 1));
	EXPECT_EQ(1, WRITE(0x10, 4, 1));
	EXPECT_LE(most, signals(self->efd));
	EXPECT_RINGS(self->efd, 0x10, 4, 1);
}

TEST_F(doorbell, bad_rules)
{
	struct mregion_rule good = bell(0x10, 4, self->efd), rule;
	struct mr_snapshot before;
	struct mr_shadow shadow;
	int pipefd[2];

#define EXPECT_BAD(_errno, ...) do {					\
	rule = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(-(_errno), COMMIT(self->fd,				\
				    RULE_ADD(self->region, rule)));	\
} while (0)

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, MR_PAGE, &shadow));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_BAD(EBADF, rule.eventfd = 1000);
	EXPECT_BAD(EBADF, rule.eventfd = -1);
	EXPECT_BAD(EINVAL, rule.eventfd = pipefd[0]);
	EXPECT_BAD(EINVAL, rule.eventfd = self->fd);
	EXPECT_BAD(EINVAL, rule.access_len = 3);
	EXPECT_BAD(EINVAL, rule.access_len = 16);
	EXPECT_BAD(EINVAL, rule.access_len = -1u);
	EXPECT_BAD(EINVAL, rule.datamatch = 1);
	EXPECT_BAD(EINVAL, rule.ring = 1);
	EXPECT_BAD(EINVAL, rule.shadow = SHADOW);
	EXPECT_BAD(EINVAL, rule.shadow_offset = 8);
	EXPECT_BAD(EINVAL, rule.reserved = 1);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_READ);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_WRITE);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_NOTIFY);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_POSTED);
	EXPECT_BAD(EOPNOTSUPP, rule.flags = 1u << 31);
	EXPECT_BAD(EINVAL, rule.offset = DEV_LEN);
	good.flags = MREGION_RULE_STORE;
	EXPECT_BAD(ENOENT, rule.shadow = 2);
	EXPECT_BAD(ENOENT, rule.shadow = 0);
	good.shadow = SHADOW;
	EXPECT_BAD(EINVAL, rule.shadow_offset = 4);
	EXPECT_BAD(EINVAL, rule.shadow_offset = MR_PAGE);
	EXPECT_BAD(EINVAL, rule.shadow_offset = -8ull);
	EXPECT_BAD(EINVAL, rule.len = MR_PAGE + 1);
	EXPECT_BAD(EINVAL, rule.len = 0);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
	mr_shadow_unmap(&shadow);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Two that could be for the same write cannot both be. */
TEST_F(doorbell, clashes)
{
	struct mregion_rule rule = bell(0x10, 4, self->efd), other;

	rule.access_len = 4;
	rule.flags = MREGION_RULE_DATAMATCH;
	rule.datamatch = 1;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(self->region, rule)));
	other = rule;
	other.access_len = 0;
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(self->region, other)));
	other = rule;
	other.flags = 0;
	other.datamatch = 0;
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(self->region, other)));
	other = rule;
	other.offset = 0x0e;
	other.len = 6;
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(self->region, other)));
	/* No 4 bytes are in both. */
	other.offset = 0x12;
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, other),
			    RULE_DEL(self->region, other)));
	other = rule;
	other.access_len = 2;
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, other)));
	/* A value that takes more than that. */
	other.access_len = 0;
	other.offset = 0x18;
	other.len = 8;
	other.datamatch = 0x10000;
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, other)));
	other.flags = 0;
	other.datamatch = 0;
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(self->region, other)));
	other.access_len = 2;
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, other)));
	other = rule;
	other.datamatch = 2;
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, other)));
	other = rule;
	other.offset = 0x14;
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, other)));
	/* None equal in every member. */
	other.eventfd = new_eventfd();
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, RULE_DEL(self->region, other)));
	close(other.eventfd);
	other = rule;
	other.datamatch = 3;
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, RULE_DEL(self->region, other)));
	EXPECT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, rule)));
}

/* ---- Writes of any length ---------------------------------------------- */

static struct mregion_rule any_len(uint64_t offset, int eventfd)
{
	struct mregion_rule rule = bell(offset, 1, eventfd);

	rule.flags = MREGION_RULE_ANY_LEN;
	return rule;
}

/* What begins there, and nothing that begins beside it. */
TEST_F(doorbell, any_len)
{
	struct mregion_stats stats;
	unsigned int len, rung = 0;
	int other = new_eventfd();
	uint64_t value;

	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(self->region, any_len(0x11, self->efd)),
			    RULE_ADD(self->region, any_len(0x15, other))));
	for (len = 1; len <= 8; len++) {
		if (!way_has(self->way, len))
			continue;
		EXPECT_RINGS(self->efd, 0x11, len, 0x1122334455667788);
		EXPECT_EQ(0, signals(other));
		EXPECT_RINGS(other, 0x15, len, 0);
		EXPECT_EQ(0, signals(self->efd));
		rung += 2;
		EXPECT_SILENT(self->efd, 0x10, len, 1);
		EXPECT_SILENT(self->efd, 0x12, len, 1);
		EXPECT_SILENT(other, 0x14, len, 1);
		EXPECT_SILENT(other, 0x16, len, 1);
		EXPECT_EQ(0, way_read(&self->rig, self->way, 0x11, len,
				      &value));
		EXPECT_EQ(0, signals(self->efd));
	}
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, self->region,
			      &stats));
	EXPECT_EQ(rung, stats.outcomes[MREGION_OUTCOME_DOORBELL]);
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_DEL(self->region, any_len(0x11, self->efd))));
	EXPECT_SILENT(self->efd, 0x11, 1, 1);
	EXPECT_RINGS(other, 0x15, 1, 1);
	close(other);
}

/* In one piece, too: where the device takes what is not aligned. */
TEST_F(doorbell, any_len_of_an_unaligned_device)
{
	struct mregion_constraints any = MREGION_ANY_ACCESS;
	unsigned int len;

	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(self->region, any),
			    RULE_ADD(self->region, any_len(0x11, self->efd))));
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		EXPECT_RINGS(self->efd, 0x11, len, 3);
		EXPECT_SILENT(self->efd, 0x10, len, 3);
		EXPECT_SILENT(self->efd, 0x12, len, 3);
	}
}

/* Whatever the device accepts. */
TEST_F(doorbell, any_len_without_constraints)
{
	static const struct mregion_constraints constraints[] = {
		{ .valid_max = 1 },
		{ .valid_min = 2, .valid_max = 2 },
		{ .valid_min = 4, .valid_max = 4 },
		{ .valid_min = 8, .valid_max = 8,
		  .refused = MREGION_POLICY_ERROR },
	};
	struct mregion_rule odd = any_len(0x11, self->efd);
	struct mregion_rule even = any_len(0x20, self->efd);
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(constraints); i++) {
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_set_constraints(self->region,
						       constraints[i]),
				    RULE_ADD(self->region, odd),
				    RULE_ADD(self->region, even)));
		for (len = 1; len <= 8; len++) {
			if (!way_has(self->way, len))
				continue;
			EXPECT_RINGS(self->efd, 0x11, len, 5);
			EXPECT_RINGS(self->efd, 0x20, len, 5);
		}
		ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, odd),
				    RULE_DEL(self->region, even)));
	}
	/* They are in force: without the bell this is an error. */
	EXPECT_SILENT(self->efd, 0x11, 1, 5);
	EXPECT_SILENT(self->efd, 0x20, 1, 5);
}

/* All of the write is the bell's, also what reaches into another region. */
TEST_F(doorbell, any_len_into_the_neighbour)
{
	const uint32_t next = 7;
	int other = new_eventfd();
	unsigned int len;

	ASSERT_EQ(0, COMMIT(self->fd, mr_resize(self->region, 0x20),
			    dev_create(next, 0x20),
			    mr_map(next, self->way.pio ? 4 : 1,
				   (self->way.pio ? PIO_BASE : MMIO_BASE) + 0x20,
				   0),
			    RULE_ADD(next, bell(0, 0, other)),
			    RULE_ADD(self->region, any_len(0x1e, self->efd))));
	for (len = 1; len <= 8; len++) {
		if (!way_has(self->way, len))
			continue;
		EXPECT_RINGS(self->efd, 0x1e, len, 1);
		EXPECT_EQ(0, signals(other));
		EXPECT_SILENT(self->efd, 0x1d, len, 1);
		EXPECT_EQ(0, signals(other));
	}
	EXPECT_RINGS(other, 0x20, 4, 1);
	EXPECT_EQ(0, signals(self->efd));
	close(other);
}

/* Whether rules are few or many, and in whatever order they come. */
TEST_F(doorbell, any_len_goes_first)
{
	struct mr_shadow shadow;
	struct mr_ring ring;
	unsigned int i;

	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64, &shadow));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(self->region,
				     shadow_rule(0x10, 16, MREGION_RULE_WRITE,
						 SHADOW, 0)),
			    mr_rule_add(self->region, RING, 0x10, 8),
			    RULE_ADD(self->region, any_len(0x10, self->efd))));
	for (i = 0; i < 8; i++) {
		EXPECT_RINGS(self->efd, 0x10, 4, 9);
		EXPECT_RINGS(self->efd, 0x10, 1, 9);
		EXPECT_EQ(i, mr_ring_waiting(&ring));
		EXPECT_EQ(0, shadow.memory[0]);
		EXPECT_EQ(1, WRITE(0x14, 4, 10));
		EXPECT_EQ(i + 1, mr_ring_waiting(&ring));
		EXPECT_EQ(1, WRITE(0x18, 4, 20 + i));
		EXPECT_EQ(20 + i, shadow.memory[8]);
		EXPECT_EQ(0, signals(self->efd));
		ASSERT_EQ(0, COMMIT(self->fd,
				    RULE_ADD(self->region,
					     any_len(0x40 + 3 * i,
						     self->efd))));
	}
	mr_ring_unmap(&ring);
	mr_shadow_unmap(&shadow);
}

TEST_F(doorbell, any_len_bad_rules)
{
	struct mregion_rule good = any_len(0x10, self->efd), rule;
	struct mr_snapshot before;
	struct mr_shadow shadow;
	struct mr_ring ring;

	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64, &shadow));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_DATAMATCH);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_DATAMATCH,
		   rule.datamatch = 1);
	EXPECT_BAD(EINVAL, rule.datamatch = 1);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_STORE,
		   rule.shadow = SHADOW);
	EXPECT_BAD(EINVAL, rule.shadow = SHADOW);
	EXPECT_BAD(EINVAL, rule.access_len = 1);
	EXPECT_BAD(EINVAL, rule.access_len = 4);
	EXPECT_BAD(EINVAL, rule.len = 0);
	EXPECT_BAD(EINVAL, rule.len = 2);
	EXPECT_BAD(EINVAL, rule.len = 8);
	EXPECT_BAD(EINVAL, rule.offset = DEV_LEN);
	good = shadow_rule(0x10, 1, MREGION_RULE_WRITE, SHADOW, 0);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_ANY_LEN);
	good = mr_rule_add(self->region, RING, 0x10, 1).rule;
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_ANY_LEN);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
	mr_ring_unmap(&ring);
	mr_shadow_unmap(&shadow);
}

/* A bell of a size could be for a write that begins there, or not. */
TEST_F(doorbell, any_len_clashes)
{
	static const struct {
		uint64_t offset, len;
		uint32_t access_len;
		bool match;
		int err;
	} cases[] = {
		{ 0x12, 1, 0, false, -EEXIST },
		{ 0x10, 8, 0, false, -EEXIST },
		{ 0x10, 3, 0, false, -EEXIST },
		{ 0x10, 0, 0, false, -EEXIST },
		{ 0x10, 8, 4, false, -EEXIST },
		{ 0x10, 6, 4, false, -EEXIST },
		{ 0x12, 4, 4, true, -EEXIST },
		{ 0x10, 2, 0, false, 0 },
		{ 0x13, 8, 0, false, 0 },
		{ 0x10, 4, 4, false, 0 },
		{ 0x10, 5, 4, false, 0 },
		{ 0x10, 4, 4, true, 0 },
		{ 0x10, 8, 8, false, 0 },
	};
	struct mregion_rule any = any_len(0x12, self->efd), rule;
	struct mr_ring ring;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		rule = bell(cases[i].offset, cases[i].len, self->efd);
		rule.access_len = cases[i].access_len;
		if (cases[i].match) {
			rule.flags = MREGION_RULE_DATAMATCH;
			rule.datamatch = 1;
		}
		EXPECT_EQ(cases[i].err, COMMIT(self->fd,
					       RULE_ADD(self->region, any),
					       RULE_ADD(self->region, rule),
					       RULE_DEL(self->region, rule),
					       RULE_DEL(self->region, any))) {
			TH_LOG("case %u", i);
		}
		EXPECT_EQ(cases[i].err, COMMIT(self->fd,
					       RULE_ADD(self->region, rule),
					       RULE_ADD(self->region, any),
					       RULE_DEL(self->region, rule),
					       RULE_DEL(self->region, any))) {
			TH_LOG("case %u, the other way round", i);
		}
	}
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, any)));
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(self->region, any)));
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       any_len(0x11, self->efd))));
	/* What is of another kind never clashes. */
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	EXPECT_EQ(0, COMMIT(self->fd,
			    mr_rule_add(self->region, RING, 0x10, 8)));
	mr_ring_unmap(&ring);
}

/* Rules that no access could ever match. */
TEST_F(doorbell, for_no_access)
{
	static const struct mregion_constraints picky = {
		.valid_min = 2, .valid_max = 4,
	};
	static const struct mregion_constraints four = { };
	struct mregion_rule good = bell(0x10, 8, self->efd), rule;
	struct mr_snapshot before;
	struct mr_ring ring;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	/* A size that the part has no room for. */
	EXPECT_BAD(EINVAL, rule.access_len = 4, rule.len = 2);
	EXPECT_BAD(EINVAL, rule.access_len = 8, rule.len = 7);
	EXPECT_BAD(EINVAL, rule.access_len = 2, rule.len = 1);
	/* A value that the size has no room for. */
	good.flags = MREGION_RULE_DATAMATCH;
	EXPECT_BAD(EINVAL, rule.access_len = 1, rule.datamatch = 0x100);
	EXPECT_BAD(EINVAL, rule.access_len = 2, rule.datamatch = 0x10000);
	EXPECT_BAD(EINVAL, rule.access_len = 4, rule.datamatch = 1ull << 32);
	EXPECT_BAD(EINVAL, rule.len = 1, rule.datamatch = 0x100);
	EXPECT_BAD(EINVAL, rule.len = 3, rule.datamatch = 0x10000);
	EXPECT_BAD(EINVAL, rule.len = 7, rule.datamatch = 1ull << 32);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);

	/* The most that there is room for. */
#define EXPECT_GOOD(...) do {						\
	rule = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule),	\
			    RULE_DEL(self->region, rule)));		\
} while (0)

	EXPECT_GOOD(rule.access_len = 1, rule.datamatch = 0xff);
	EXPECT_GOOD(rule.access_len = 2, rule.datamatch = 0xffff);
	EXPECT_GOOD(rule.access_len = 4, rule.datamatch = 0xffffffff);
	EXPECT_GOOD(rule.access_len = 8, rule.datamatch = -1ull);
	good.flags = 0;
	EXPECT_GOOD(rule.access_len = 8);
	EXPECT_GOOD(rule.access_len = 1, rule.len = 1);

	/* Sizes that the device does not accept. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(self->region, picky)));
	EXPECT_BAD(EINVAL, rule.access_len = 1);
	EXPECT_BAD(EINVAL, rule.access_len = 8);
	EXPECT_BAD(EINVAL, rule.len = 1);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_DATAMATCH,
		   rule.datamatch = 1ull << 32);
	EXPECT_GOOD(rule.access_len = 2);
	EXPECT_GOOD(rule.access_len = 4);
	EXPECT_GOOD(rule.len = 2);
	EXPECT_EQ(-EINVAL, COMMIT(self->fd,
				  mr_rule_add(self->region, RING, 0x10, 1)));
	/* Where it does not say, 4 is the largest. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(self->region, four)));
	EXPECT_BAD(EINVAL, rule.access_len = 8);
	EXPECT_GOOD(rule.access_len = 4);
	EXPECT_GOOD(rule.len = 1);
#undef EXPECT_GOOD
	mr_ring_unmap(&ring);
}

/* Who deletes a rule may have closed its eventfd. */
TEST_F(doorbell, deleted_without_its_eventfd)
{
	struct mregion_rule rule = bell(0x10, 4, new_eventfd()), other;

	ASSERT_LE(0, rule.eventfd);
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule),
			    RULE_ADD(self->region, bell(0x14, 4, self->efd))));
	close(rule.eventfd);
	EXPECT_EQ(-EBADF, COMMIT(self->fd, RULE_DEL(self->region, rule)));
	rule.eventfd = -1;
	/* All else is still to be equal. */
	other = rule;
	other.len = 2;
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, RULE_DEL(self->region, other)));
	other = rule;
	other.access_len = 4;
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, RULE_DEL(self->region, other)));
	EXPECT_EQ(1, WRITE(0x10, 4, 1));
	EXPECT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, rule)));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, RULE_DEL(self->region, rule)));
	EXPECT_EQ(0, WRITE(0x10, 4, 1));
	EXPECT_RINGS(self->efd, 0x14, 4, 1);
}

/* ---- Under load -------------------------------------------------------- */

FIXTURE(load) {
	struct rig rig;
	struct load load;
	uint32_t region;
	int fd;
};

FIXTURE_VARIANT(load) {
	bool pio;
};

FIXTURE_VARIANT_ADD(load, mmio) { };
FIXTURE_VARIANT_ADD(load, pio) { .pio = true, };

FIXTURE_SETUP(load)
{
	if (variant->pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	ASSERT_EQ(0, rig_open(&self->rig, VCPUS));
	self->fd = self->rig.fd;
	self->region = variant->pio ? DEV_PORTS : DEV_MMIO;
}

FIXTURE_TEARDOWN(load)
{
	rig_close(&self->rig);
}

/* Each write either rings or exits. */
TEST_F_TIMEOUT(load, rule_comes_and_goes, 120)
{
	int efd = new_eventfd();

	come_and_go(_metadata, &self->load, &self->rig, variant->pio,
		    bell(0, 8 * VCPUS, efd), efd, MREGION_OUTCOME_DOORBELL,
		    LOAD_MS);
	close(efd);
}

TEST_F_TIMEOUT(load, eventfds_swapped, 120)
{
	const int efds[2] = { new_eventfd(), new_eventfd() };
	const struct mregion_rule rules[2] = {
		bell(0, 8 * VCPUS, efds[0]), bell(0, 8 * VCPUS, efds[1]),
	};

	swap_rules(_metadata, &self->load, &self->rig, variant->pio, rules,
		   efds, LOAD_MS);
	close(efds[0]);
	close(efds[1]);
}

/* The eventfds of neighbours come, go and are closed; this one's stays. */
TEST_F_TIMEOUT(load, neighbours_change, 120)
{
	int efd = new_eventfd(), other;
	uint64_t rung = 0, deadline;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0, 8 * VCPUS, efd))));
	ASSERT_EQ(0, load_start(&self->load, &self->rig, variant->pio));
	deadline = mr_now_ms() + LOAD_MS;
	while (mr_now_ms() < deadline) {
		other = new_eventfd();
		ASSERT_EQ(0, COMMIT(self->fd,
				    RULE_ADD(self->region,
					     bell(0x80, 4, other))));
		ASSERT_EQ(0, COMMIT(self->fd,
				    RULE_DEL(self->region,
					     bell(0x80, 4, other))));
		EXPECT_EQ(0, signals(other));
		close(other);
		rung += signals(efd);
	}
	load_stop(_metadata, &self->load);
	rung += signals(efd);
	EXPECT_EQ(0, self->load.exits);
	EXPECT_EQ(self->load.writes, rung);
	close(efd);
}

/* The region moves away and back, and its rule is closed meanwhile. */
TEST_F_TIMEOUT(load, region_moves, 120)
{
	int efd = new_eventfd(), copy;
	uint32_t home = variant->pio ? PIO_BASE : MMIO_BASE;
	uint32_t away = variant->pio ? PIO_AWAY : MMIO_AWAY;
	uint64_t rung = 0;

	copy = dup(efd);
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region,
					       bell(0, 8 * VCPUS, efd))));
	close(efd);
	ASSERT_EQ(0, load_start(&self->load, &self->rig, variant->pio));
	mr_for_a_while(LOAD_MS, rung && rig_has_exited(&self->rig)) {
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(self->region, away)));
		usleep(300);
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(self->region, home)));
		usleep(700);
		rung += signals(copy);
	}
	load_stop(_metadata, &self->load);
	rung += signals(copy);
	EXPECT_LT(0, rung);
	EXPECT_LT(0, self->load.exits);
	EXPECT_EQ(self->load.writes, rung + self->load.exits);
	close(copy);
}

/* Who is rung finds the value of that write, or a later one. */
struct listener {
	pthread_t thread;
	int efd;
	uint32_t *value;
	uint64_t until;
	uint64_t rung;
	unsigned long early;
};

static void *listen_thread(void *arg)
{
	struct listener *listener = arg;
	struct pollfd pollfd = { .fd = listener->efd, .events = POLLIN };

	while (listener->rung <
	       __atomic_load_n(&listener->until, __ATOMIC_ACQUIRE)) {
		if (poll(&pollfd, 1, 100) != 1)
			continue;
		listener->rung += signals(listener->efd);
		/* The first write was of 1, and each is one more. */
		if (__atomic_load_n(listener->value, __ATOMIC_ACQUIRE) <
		    listener->rung)
			listener->early++;
	}
	return NULL;
}

TEST_F_TIMEOUT(load, value_is_there_before_the_signal, 120)
{
	struct listener listeners[VCPUS];
	struct mr_shadow shadow;
	struct mregion_rule rule;
	unsigned int i;

	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64, &shadow));
	for (i = 0; i < VCPUS; i++) {
		listeners[i] = (struct listener){
			.efd = new_eventfd(),
			.value = (uint32_t *)(shadow.memory + 8 * i),
			.until = -1ull,
		};
		rule = bell(8 * i, 4, listeners[i].efd);
		rule.flags = MREGION_RULE_STORE;
		rule.shadow = SHADOW;
		rule.shadow_offset = 8 * i;
		ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule)));
		ASSERT_EQ(0, pthread_create(&listeners[i].thread, NULL,
					    listen_thread, &listeners[i]));
	}
	ASSERT_EQ(0, load_start(&self->load, &self->rig, variant->pio));
	usleep(LOAD_MS * 1000);
	load_stop(_metadata, &self->load);
	EXPECT_EQ(0, self->load.exits);
	for (i = 0; i < VCPUS; i++) {
		__atomic_store_n(&listeners[i].until,
				 self->load.writers[i].writes,
				 __ATOMIC_RELEASE);
		pthread_join(listeners[i].thread, NULL);
		EXPECT_EQ(0, listeners[i].early);
		EXPECT_EQ(self->load.writers[i].writes, listeners[i].rung);
		EXPECT_EQ(self->load.writers[i].writes, *listeners[i].value);
		close(listeners[i].efd);
	}
	mr_shadow_unmap(&shadow);
}

TEST_HARNESS_MAIN
