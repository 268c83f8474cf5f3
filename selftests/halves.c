// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's write across a page, of which KVM makes two accesses: while the first
 * one waits for the VMM, no rule may complete the second.
 */
#include "kselftest_harness.h"
#include "device_util.h"

#define RING	1
#define SHADOW	1
#define SECOND	0x1000u		/* offset of the second page */
#define VALUE	0x44332211u

enum what { BELL, ANY_LEN, COALESCE, STORE };

FIXTURE(halves) {
	struct rig rig;
	struct mr_ring ring;
	struct mr_shadow shadow;
	int efd;
};

FIXTURE_VARIANT(halves) {
	enum what what;
};

FIXTURE_VARIANT_ADD(halves, doorbell) { .what = BELL, };
FIXTURE_VARIANT_ADD(halves, any_len) { .what = ANY_LEN, };
FIXTURE_VARIANT_ADD(halves, coalesce) { .what = COALESCE, };
FIXTURE_VARIANT_ADD(halves, shadow) { .what = STORE, };

static struct mregion_rule rule_at(FIXTURE_DATA(halves) *self, enum what what,
				   uint64_t offset)
{
	struct mregion_rule rule = bell(offset, 8, self->efd);

	switch (what) {
	case BELL:
		break;
	case ANY_LEN:
		rule.flags = MREGION_RULE_ANY_LEN;
		rule.len = 1;
		break;
	case COALESCE:
		return mr_rule_add(DEV_MMIO, RING, offset, 8).rule;
	case STORE:
		return shadow_rule(offset, 8, MREGION_RULE_WRITE, SHADOW,
				   offset % MR_PAGE);
	}
	return rule;
}

FIXTURE_SETUP(halves)
{
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	ASSERT_EQ(0, mr_ring_create(self->rig.fd, RING, 16, -1, 0, 0,
				    &self->ring));
	ASSERT_EQ(0, mr_shadow_create(self->rig.fd, SHADOW, MR_PAGE,
				      &self->shadow));
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
	ASSERT_EQ(0, COMMIT(self->rig.fd, mr_resize(DEV_MMIO, 2 * SECOND),
			    RULE_ADD(DEV_MMIO, rule_at(self, variant->what,
						       SECOND))));
}

FIXTURE_TEARDOWN(halves)
{
	close(self->efd);
	mr_shadow_unmap(&self->shadow);
	mr_ring_unmap(&self->ring);
	rig_close(&self->rig);
}

/* How often the rule has taken effect since the last time. */
static unsigned int count_effects(FIXTURE_DATA(halves) *self)
{
	struct mregion_ring_entry entry;
	unsigned int nr = signals(self->efd), i;

	while (mr_ring_take(&self->ring, &entry))
		nr++;
	for (i = 0; i < MR_PAGE; i += 8)
		nr += !!self->shadow.memory[i];
	memset(self->shadow.memory, 0, MR_PAGE);
	return nr;
}

/* The VMM does its part of a write, part by part. */
static int complete_write(FIXTURE_DATA(halves) *self, const struct vcpu_exit *exit,
			  struct mregion_access *access)
{
	return mr_access(self->rig.fd, DEV_MEMORY, exit->addr, exit->len,
			 MREGION_ACCESS_WRITE | MREGION_ACCESS_PART,
			 vcpu_exit_value(exit), access);
}

TEST_F(halves, second_waits_for_the_first)
{
	struct vcpu *vcpu = &self->rig.vm.vcpus[0];
	bool coalesced = variant->what == COALESCE;
	struct mregion_access access;
	struct vcpu_exit exit;

	if (!VM_SPLITS_PAGES)
		SKIP(return, NO_SPLITS);
	ASSERT_EQ(0, vcpu_writes(vcpu, false, 4, SECOND - 2, VALUE, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vcpu));
	ASSERT_TRUE(vcpu_exit_access(vcpu, &exit));
	EXPECT_EQ(MMIO_BASE + SECOND - 2, exit.addr);
	EXPECT_EQ(2, exit.len);
	EXPECT_EQ(VALUE & 0xffff, vcpu_exit_value(&exit));
	EXPECT_EQ(0, count_effects(self));
	ASSERT_EQ(0, complete_write(self, &exit, &access));
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(0, count_effects(self));

	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vcpu));
	ASSERT_TRUE(vcpu_exit_access(vcpu, &exit));
	EXPECT_EQ(MMIO_BASE + SECOND, exit.addr);
	EXPECT_EQ(2, exit.len);
	EXPECT_EQ(VALUE >> 16, vcpu_exit_value(&exit));
	EXPECT_EQ(0, count_effects(self));
	/* what would be coalesced is the VMM's */
	ASSERT_EQ(0, complete_write(self, &exit, &access));
	EXPECT_EQ(!coalesced, access.handled);
	EXPECT_EQ(2, access.part);
	EXPECT_EQ(!coalesced, count_effects(self));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(vcpu));
	EXPECT_EQ(0, count_effects(self));
}

/* Where a rule completes the first one, the second need not wait. */
TEST_F(halves, both_have_rules)
{
	struct vcpu *vcpu = &self->rig.vm.vcpus[0];
	unsigned long exits = 0;

	if (!VM_SPLITS_PAGES)
		SKIP(return, NO_SPLITS);
	/* of any length, too, ends with the page: KVM has made two of it */
	ASSERT_EQ(0, COMMIT(self->rig.fd,
			    RULE_ADD(DEV_MMIO, rule_at(self, variant->what,
						       SECOND - 8))));
	if (variant->what == ANY_LEN)
		ASSERT_EQ(0, COMMIT(self->rig.fd,
				    RULE_ADD(DEV_MMIO,
					     rule_at(self, ANY_LEN,
						     SECOND - 2))));
	ASSERT_EQ(0, vcpu_writes(vcpu, false, 4, SECOND - 2, VALUE, 0));
	ASSERT_EQ(0, vcpu_until_end(vcpu, &exits));
	EXPECT_EQ(0, exits);
	/* the shadow's first word is not written, its second is */
	EXPECT_EQ(variant->what == STORE ? 1 : 2, count_effects(self));
}

/* Another instruction's write is no second half, whatever exited before. */
TEST_F(halves, another_instruction)
{
	struct vcpu *vcpu = &self->rig.vm.vcpus[0];
	unsigned long exits = 0;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vcpu_writes(vcpu, false, 4, SECOND - 4, VALUE, 0));
		ASSERT_EQ(0, vcpu_until_end(vcpu, &exits));
		EXPECT_EQ(1, exits);
		EXPECT_EQ(0, count_effects(self));
		exits = 0;
		ASSERT_EQ(0, vcpu_writes(vcpu, false, 4, SECOND, VALUE, 0));
		ASSERT_EQ(0, vcpu_until_end(vcpu, &exits));
		EXPECT_EQ(0, exits);
		EXPECT_EQ(1, count_effects(self));
	}
}

TEST_HARNESS_MAIN
