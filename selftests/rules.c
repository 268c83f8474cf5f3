// SPDX-License-Identifier: GPL-2.0
/*
 * How rules are kept: each as a group of its own, which goes and comes again in any
 * order; and parts that end where all addresses do.
 */
#include "kselftest_harness.h"
#include "device_util.h"

#define RING	1
#define SHADOW	1

/* ---- Groups ------------------------------------------------------------- */

#define NR_RULES	6
#define NR_ORDERS	720	/* of so many */
#define STEP		16	/* from one to the next */

FIXTURE(groups) {
	struct rig rig;
	struct mr_ring ring;
	struct mr_shadow shadow;
	struct mregion_rule rules[NR_RULES];
	bool there[NR_RULES];
	int fd;
	int efd;
};

/* No two have the same kind and sizes. */
FIXTURE_SETUP(groups)
{
	unsigned int i;

	ASSERT_EQ(0, rig_open_machine(&self->rig));
	self->fd = self->rig.fd;
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 64, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, MR_PAGE,
				      &self->shadow));
	for (i = 0; i < 4; i++) {
		self->rules[i] = bell(STEP * i, 8, self->efd);
		self->rules[i].access_len = 1 << i;
	}
	self->rules[4] = mr_rule_add(DEV_MMIO, RING, STEP * 4, 8).rule;
	self->rules[5] = shadow_rule(STEP * 5, 8, MREGION_RULE_READ, SHADOW, 0);
}

FIXTURE_TEARDOWN(groups)
{
	mr_shadow_unmap(&self->shadow);
	mr_ring_unmap(&self->ring);
	close(self->efd);
	rig_close(&self->rig);
}

/* Whether each rule completes the access that it is for, and is there to do so. */
static bool groups_are_right(FIXTURE_DATA(groups) *self)
{
	unsigned int i;

	for (i = 0; i < NR_RULES; i++) {
		uint32_t outcome = i < 4 ? MREGION_OUTCOME_DOORBELL :
				   i < 5 ? MREGION_OUTCOME_COALESCED :
					   MREGION_OUTCOME_SHADOW;
		struct mregion_access access;

		if (way_ioctl(&self->rig, (struct way){}, STEP * i,
			      i < 4 ? 1 << i : 8,
			      i < 5 ? MREGION_ACCESS_WRITE : 0, 0, &access))
			return false;
		if (access.outcome !=
		    (self->there[i] ? outcome : MREGION_OUTCOME_EXIT))
			return false;
	}
	self->ring.header->consumer = self->ring.header->producer;
	return true;
}

static int groups_change(FIXTURE_DATA(groups) *self, unsigned int i, bool add)
{
	self->there[i] = add;
	return add ? COMMIT(self->fd, RULE_ADD(DEV_MMIO, self->rules[i])) :
		     COMMIT(self->fd, RULE_DEL(DEV_MMIO, self->rules[i]));
}

/* One of the orders, as indices. */
static void groups_order(unsigned int number, unsigned int order[NR_RULES])
{
	unsigned int i, at, swap;

	for (i = 0; i < NR_RULES; i++)
		order[i] = i;
	for (i = NR_RULES; i > 1; i--) {
		at = number % i;
		number /= i;
		swap = order[i - 1];
		order[i - 1] = order[at];
		order[at] = swap;
	}
}

TEST_F_TIMEOUT(groups, go_and_come, 300)
{
	unsigned int number, i, order[NR_RULES];

	for (i = 0; i < NR_RULES; i++)
		ASSERT_EQ(0, groups_change(self, i, true));
	for (number = 0; number < NR_ORDERS; number++) {
		groups_order(number, order);
		for (i = 0; i < 2 * NR_RULES; i++) {
			ASSERT_EQ(0, groups_change(self, order[i % NR_RULES],
						   i >= NR_RULES));
			ASSERT_TRUE(groups_are_right(self)) {
				TH_LOG("order %u: wrong after change %u",
				       number, i);
			}
		}
	}
}

/* ---- The end of all addresses ------------------------------------------- */

FIXTURE(end) {
	struct mr_ring ring;
	int fd;
	int efds[2];
};

/* A region of 2^64 bytes. */
FIXTURE_SETUP(end)
{
	unsigned int i;

	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 2; i++) {
		self->efds[i] = new_eventfd();
		ASSERT_LE(0, self->efds[i]);
	}
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, dev_create(DEV_MMIO, 0),
			    mr_space(DEV_MEMORY, DEV_MMIO)));
}

FIXTURE_TEARDOWN(end)
{
	mr_ring_unmap(&self->ring);
	close(self->efds[0]);
	close(self->efds[1]);
	close(self->fd);
}

/* What does not fit before the end is no size that the part has room for. */
TEST_F(end, cuts_sizes)
{
	static const uint64_t lens[] = { 0, 5, 8, 1ull << 63 };
	struct mregion_access access;
	struct mregion_rule rule;
	unsigned int i, room, len;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (room = 1; room <= 8; room++) {
			for (len = 1; len <= 8; len *= 2) {
				rule = bell(-(uint64_t)room, lens[i],
					    self->efds[0]);
				rule.access_len = len;
				EXPECT_EQ(len <= room && (!lens[i] ||
							  len <= lens[i]) ?
					  0 : -EINVAL,
					  COMMIT(self->fd,
						 RULE_ADD(DEV_MMIO, rule))) {
					TH_LOG("size %u in %llu bytes of %u",
					       len,
					       (unsigned long long)lens[i],
					       room);
				}
				COMMIT(self->fd, RULE_DEL(DEV_MMIO, rule));
			}
		}
	}
	/* A value that takes more. */
	rule = bell(-4ull, 8, self->efds[0]);
	rule.flags = MREGION_RULE_DATAMATCH;
	rule.datamatch = 1ull << 32;
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));
	/* Those that fit are completed. */
	rule = bell(-4ull, 8, self->efds[0]);
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));
	for (len = 1; len <= 4; len *= 2) {
		ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, -(uint64_t)len, len,
				      1, &access));
		EXPECT_EQ(MREGION_OUTCOME_DOORBELL, access.outcome);
	}
	EXPECT_EQ(3, signals(self->efds[0]));
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, -8ull, 8, 1, &access));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, access.outcome);
}

/* Of two in the same place there is never one that cannot be deleted. */
TEST_F(end, tells_rules_apart)
{
	struct mregion_rule rules[2];
	unsigned int i, size;
	int err;

	for (size = 0; size <= 8; size = size ? 2 * size : 1) {
		for (i = 0; i < 2; i++) {
			rules[i] = bell(-4ull, 8, self->efds[i]);
			rules[i].access_len = size;
		}
		if (COMMIT(self->fd, RULE_ADD(DEV_MMIO, rules[0])))
			continue;
		EXPECT_GT(8, size);
		err = COMMIT(self->fd, RULE_ADD(DEV_MMIO, rules[1]));
		EXPECT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, rules[0])));
		EXPECT_EQ(err ? -ENOENT : 0,
			  COMMIT(self->fd, RULE_DEL(DEV_MMIO, rules[1])));
	}
}

TEST_HARNESS_MAIN
