// SPDX-License-Identifier: GPL-2.0
/*
 * As many doorbells in one region as there can be, where the kernel searches for the one
 * that is for an access.
 */
#include "kselftest_harness.h"
#include "device_util.h"
#include "random_util.h"

#define NR_EFDS		61
#define STEP		8
#define MATCHES		1024u

FIXTURE(many) {
	struct rig rig;
	struct prng prng;
	int fd;
	uint32_t max;
	uint32_t *order;
	struct mregion_op *ops;
	int efds[NR_EFDS];
};

FIXTURE_SETUP(many)
{
	struct mregion_info info;
	unsigned int i;
	uint64_t seed;

	seed = random_seed("MREGION_SEED");
	TH_LOG("seed %#llx", (unsigned long long)seed);
	self->prng = prng_of(seed, 0);
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	self->fd = self->rig.fd;
	ASSERT_EQ(0, mr_info(self->fd, &info));
	self->max = info.max_rules;
	ASSERT_LE(4096, self->max);
	self->ops = calloc(self->max + 1, sizeof(self->ops[0]));
	self->order = calloc(self->max, sizeof(self->order[0]));
	ASSERT_TRUE(self->ops && self->order);
	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_resize(DEV_MMIO, STEP * (self->max + 1ull))));
	for (i = 0; i < NR_EFDS; i++) {
		self->efds[i] = new_eventfd();
		ASSERT_LE(0, self->efds[i]);
	}
}

FIXTURE_TEARDOWN(many)
{
	unsigned int i;

	for (i = 0; i < NR_EFDS; i++)
		close(self->efds[i]);
	free(self->order);
	free(self->ops);
	rig_close(&self->rig);
}

/* Doorbell @i, at a register of its own or for a value of its own. */
static struct mregion_rule many_rule(FIXTURE_DATA(many) *self, bool match,
				     uint32_t i)
{
	int efd = self->efds[i % NR_EFDS];
	struct mregion_rule rule = bell(match ? 0 : STEP * i, 4, efd);

	if (match) {
		rule.flags = MREGION_RULE_DATAMATCH;
		rule.access_len = 4;
		rule.datamatch = 3 * i;
	}
	return rule;
}

static void many_shuffle(FIXTURE_DATA(many) *self, uint32_t nr)
{
	uint32_t i, j, swap;

	for (i = 0; i < nr; i++)
		self->order[i] = i;
	for (i = nr; i > 1; i--) {
		j = below(&self->prng, i);
		swap = self->order[i - 1];
		self->order[i - 1] = self->order[j];
		self->order[j] = swap;
	}
}

/*
 * Ring those at @order[@first] and behind; those before are not there. Some by the
 * guest, too.
 */
static void many_check(struct __test_metadata *_metadata,
		       FIXTURE_DATA(many) *self, bool match, uint32_t first,
		       uint32_t nr)
{
	struct way way = { };
	uint32_t i, j, wrong = 0;

	for (j = 0; j < nr && !wrong; j++) {
		i = self->order[j];
		way.guest = !(j % 64);
		wrong += way_write(&self->rig, way, match ? 0 : STEP * i, 4,
				   match ? 3 * i : i) != (j >= first);
		wrong += signals(self->efds[i % NR_EFDS]) != (j >= first);
		/* between two of them */
		wrong += way_write(&self->rig, way, match ? 0 : STEP * i + 4,
				   4, 3 * i + 1) != 0;
		EXPECT_EQ(0, wrong) {
			TH_LOG("doorbell %u, %u of %u, by %s", i, j, nr,
			       way.guest ? "a guest" : "an ioctl");
		}
	}
	for (i = 0; i < NR_EFDS; i++)
		EXPECT_EQ(0, signals(self->efds[i]));
}

/* Delete them in random order, and look after some of them. */
static void many_delete(struct __test_metadata *_metadata,
			FIXTURE_DATA(many) *self, bool match, uint32_t nr)
{
	uint32_t i, left = nr;
	struct mregion_rule rule;

	many_shuffle(self, nr);
	while (left) {
		/* one by one, and then as many as that at once */
		for (i = 0; i < 16 && left; i++, left--) {
			rule = many_rule(self, match, self->order[nr - left]);
			ASSERT_EQ(0, COMMIT(self->fd,
					    RULE_DEL(DEV_MMIO, rule)));
		}
		for (i = 0; i < nr / 4 && i < left; i++)
			self->ops[i] = RULE_DEL(DEV_MMIO,
						many_rule(self, match,
							  self->order[nr - left + i]));
		ASSERT_EQ(0, mr_commit(self->fd, self->ops, i));
		left -= i;
		many_check(_metadata, self, match, nr - left, nr);
	}
}

static uint64_t many_memory(FIXTURE_DATA(many) *self)
{
	struct mregion_stats stats;

	if (mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats))
		return -1ull;
	return stats.memory;
}

TEST_F_TIMEOUT(many, registers_at_once, 300)
{
	uint64_t before = many_memory(self);
	uint32_t i;

	many_shuffle(self, self->max);
	for (i = 0; i < self->max; i++)
		self->ops[i] = RULE_ADD(DEV_MMIO,
					many_rule(self, false, self->order[i]));
	self->ops[i] = RULE_ADD(DEV_MMIO, many_rule(self, false, self->max));
	EXPECT_EQ(-ENOSPC, mr_commit(self->fd, self->ops, self->max + 1));
	ASSERT_EQ(0, mr_commit(self->fd, self->ops, self->max));
	EXPECT_EQ(-ENOSPC, mr_commit(self->fd, self->ops + self->max, 1));
	many_check(_metadata, self, false, 0, self->max);
	many_delete(_metadata, self, false, self->max);
	/* Nothing of them stays, once what was replaced is freed. */
	EXPECT_TRUE(mr_until(many_memory(self) <= before));
}

TEST_F_TIMEOUT(many, registers_one_by_one, 300)
{
	uint32_t i, nr = mr_checking_kernel() ? self->max / 8 : self->max;

	many_shuffle(self, nr);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, COMMIT(self->fd,
				    RULE_ADD(DEV_MMIO,
					     many_rule(self, false,
						       self->order[i]))));
	many_check(_metadata, self, false, 0, nr);
	many_delete(_metadata, self, false, nr);
}

TEST_F_TIMEOUT(many, values_of_a_register, 300)
{
	uint32_t i;

	many_shuffle(self, MATCHES);
	for (i = 0; i < MATCHES; i++)
		self->ops[i] = RULE_ADD(DEV_MMIO,
					many_rule(self, true, self->order[i]));
	ASSERT_EQ(0, mr_commit(self->fd, self->ops, MATCHES));
	many_check(_metadata, self, true, 0, MATCHES);
	many_delete(_metadata, self, true, MATCHES);
}

TEST_HARNESS_MAIN
