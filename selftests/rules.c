// SPDX-License-Identifier: GPL-2.0
/*
 * How rules are kept: each as a group of its own, which goes and comes again in any
 * order.
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

TEST_HARNESS_MAIN
