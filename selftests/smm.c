// SPDX-License-Identifier: GPL-2.0
/* A space of their own for vCPUs in system management mode. */
#include "kselftest_harness.h"
#include "device_util.h"
#include "server_util.h"
#include "smm_util.h"

#define MEMORY		1u		/* spaces */
#define PORTS		2u
#define SMM		3u
#define MEMORY_ROOT	1u		/* regions */
#define PORTS_ROOT	2u
#define SMM_ROOT	3u
#define OPEN		4u		/* in MEMORY alone, at BASE */
#define HIDDEN		5u		/* in SMM alone, at BASE as well */
#define SECRET		6u		/* in SMM alone, where nothing else is */
#define BASE		0x10000000u
#define SECRET_BASE	0x50000000u	/* in another unit than BASE */
#define SECRET_AWAY	0x50010000u
#define SHADOW		1u
#define LEN		0x1000u
#define MAX_CLAIMS	32

/* What the devices' registers 0 have. */
#define OPEN_VALUE	0x11111111u
#define HIDDEN_VALUE	0x22222222u
#define SECRET_VALUE	0x33333333u

FIXTURE(smm) {
	struct vm vm;
	struct smram smram;
	struct mr_shadow shadow;
	struct vcpu *vcpu;
	int bell;
	int fd;
};

/* Register 0 is in the shadow memory, 8 bytes for each; the rest exits. */
FIXTURE_SETUP(smm)
{
	const uint32_t values[] = {
		OPEN_VALUE, 0, HIDDEN_VALUE, 0, SECRET_VALUE, 0,
	};

	memset(self, 0, sizeof(*self));
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	self->bell = new_eventfd();
	ASSERT_LE(0, self->bell);
	ASSERT_EQ(0, vm_create(&self->vm, 1));
	if (!vm_has_smm(&self->vm))
		SKIP_CASE("KVM has no SMM here");
	self->vcpu = &self->vm.vcpus[0];
	ASSERT_EQ(0, smram_create(&self->smram, &self->vm));
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, sizeof(values),
				      &self->shadow));
	memcpy(self->shadow.memory, values, sizeof(values));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(MEMORY_ROOT, 0),
			    mr_container(PORTS_ROOT, 0x10000),
			    mr_container(SMM_ROOT, 0), mr_mmio(OPEN, LEN),
			    mr_mmio(HIDDEN, LEN), mr_mmio(SECRET, LEN),
			    mr_map(OPEN, MEMORY_ROOT, BASE, 0),
			    mr_map(HIDDEN, SMM_ROOT, BASE, 0),
			    mr_map(SECRET, SMM_ROOT, SECRET_BASE, 0),
			    RULE_ADD(OPEN, shadow_rule(0, 8, MREGION_RULE_READ,
						       SHADOW, 0)),
			    RULE_ADD(HIDDEN, shadow_rule(0, 8, MREGION_RULE_READ,
							 SHADOW, 8)),
			    RULE_ADD(SECRET, shadow_rule(0, 8, MREGION_RULE_READ,
							 SHADOW, 16)),
			    RULE_ADD(SECRET, bell(0x10, 4, self->bell)),
			    mr_space(MEMORY, MEMORY_ROOT),
			    mr_pio_space(PORTS, PORTS_ROOT),
			    mr_space(SMM, SMM_ROOT)));
}

FIXTURE_TEARDOWN(smm)
{
	if (self->shadow.memory)
		mr_shadow_unmap(&self->shadow);
	vm_free(&self->vm);
	smram_free(&self->smram);
	close(self->bell);
	close(self->fd);
}

static int attach(FIXTURE_DATA(smm) *self, struct mregion_attach *result)
{
	return mr_attach_smm(self->fd, self->vm.fd, MEMORY, PORTS, SMM, result);
}

/* Have the handler run before the vCPU does what it is told to; the next exit. */
static int interrupt(struct vcpu *vcpu)
{
	int err = mr_ioctl(vcpu->fd, KVM_SMI, NULL);

	return err ? err : vcpu_run(vcpu);
}

/* How many accesses to a region, or to nothing in a space, have ended in a way. */
static uint64_t outcomes(int fd, uint32_t object, uint32_t id, uint32_t outcome)
{
	struct mregion_stats stats;

	return mr_stats(fd, object, id, &stats) ? ~0ull :
						  stats.outcomes[outcome];
}

#define SHADOW_READS(region)						\
	outcomes(self->fd, MREGION_OBJECT_REGION, region,		\
		 MREGION_OUTCOME_SHADOW)

/* ---- Accesses ---------------------------------------------------------- */

/* One address, two devices, and no exit for either. */
TEST_F(smm, registers_are_those_of_the_mode)
{
	unsigned int i;

	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, attach(self, NULL));
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
		ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
		EXPECT_EQ(OPEN_VALUE, vcpu_value(self->vcpu));
		EXPECT_EQ(HIDDEN_VALUE, smram_at(&self->smram, SMM_RESULT));
		EXPECT_EQ(i, smram_at(&self->smram, SMM_MARK));
		EXPECT_EQ(i, SHADOW_READS(OPEN));
		EXPECT_EQ(i, SHADOW_READS(HIDDEN));
	}
	/* SMRAM is KVM's business, and as it should be, too. */
	EXPECT_EQ(0, *(uint32_t *)(self->vm.ram + SMRAM + SMM_MARK));
}

/* Without a space for SMM both modes see the same, as ever. */
TEST_F(smm, without_a_space_of_its_own)
{
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, MEMORY, PORTS, NULL));
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
	ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
	EXPECT_EQ(OPEN_VALUE, vcpu_value(self->vcpu));
	EXPECT_EQ(OPEN_VALUE, smram_at(&self->smram, SMM_RESULT));
	EXPECT_EQ(2, SHADOW_READS(OPEN));
}

/* The same where it is the space of all. */
TEST_F(smm, with_the_space_of_all)
{
	struct mregion_space_info info;

	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, mr_attach_smm(self->fd, self->vm.fd, MEMORY, PORTS, MEMORY,
				   NULL));
	ASSERT_LE(1, mr_spaces(self->fd, MEMORY, &info, 1));
	EXPECT_EQ(1, info.nr_vms);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
	ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
	EXPECT_EQ(OPEN_VALUE, smram_at(&self->smram, SMM_RESULT));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(MEMORY)));
}

/* What is in SMM alone is claimed, and nobody else's. */
TEST_F(smm, doorbell_of_smm_alone)
{
	ASSERT_EQ(0, attach(self, NULL));
	SMM_HANDLER(&self->smram, write);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_write4,
			       .addr = SECRET_BASE + 0x10, .number = 7));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	/* The handler has rung it; what comes out is the code's own write. */
	EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
	EXPECT_EQ(1, smram_at(&self->smram, SMM_MARK));
	EXPECT_EQ(1, signals(self->bell));
	EXPECT_EQ(SECRET_BASE + 0x10, self->vcpu->run->mmio.phys_addr);
	ASSERT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
	EXPECT_EQ(0, signals(self->bell));
	EXPECT_EQ(1, outcomes(self->fd, MREGION_OBJECT_SPACE, MEMORY,
			      MREGION_OUTCOME_UNASSIGNED_EXIT));
	EXPECT_EQ(0, outcomes(self->fd, MREGION_OBJECT_SPACE, SMM,
			      MREGION_OUTCOME_UNASSIGNED_EXIT));
}

/*
 * KVM has one bus for fast doorbells, too. At one address each mode has its own, at
 * another SMM alone has one, and a third one is in the other mode alone.
 */
TEST_F(smm, fast_doorbells)
{
	struct mregion_claims_read read = {
		.size = sizeof(read),
		.vm_fd = self->vm.fd,
		.claim_size = sizeof(struct mregion_claim_info),
	};
	struct mregion_claim_info list[MAX_CLAIMS];
	unsigned int i, fast[2] = {}, slow = 0;
	struct mregion_rule rule;
	int efds[2];

	for (i = 0; i < 2; i++) {
		efds[i] = new_eventfd();
		ASSERT_LE(0, efds[i]);
	}
	SMM_HANDLER(&self->smram, write);
	rule = bell(0x40, 1, efds[0]);
	rule.flags = MREGION_RULE_ANY_LEN | MREGION_RULE_FAST;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(OPEN, rule)));
	rule.eventfd = efds[1];
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(HIDDEN, rule),
			    RULE_ADD(SECRET, rule)));
	ASSERT_EQ(0, attach(self, NULL));
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_write4,
				       .addr = BASE + 0x40, .number = i));
		ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
		EXPECT_EQ(1, signals(efds[0]));
		EXPECT_EQ(1, signals(efds[1]));
		/* out of SMM nothing is there */
		ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_write4,
				       .addr = SECRET_BASE + 0x40, .number = i));
		ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
		EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
		ASSERT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
		EXPECT_EQ(0, signals(efds[0]));
		EXPECT_EQ(1, signals(efds[1]));
	}
	read.claims = (uintptr_t)list;
	read.nr = MAX_CLAIMS;
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	ASSERT_LE(read.nr, MAX_CLAIMS);
	for (i = 0; i < read.nr; i++) {
		if (list[i].kind == MREGION_CLAIM_FAST)
			fast[!!(list[i].flags & MREGION_CLAIM_SMM)]++;
		slow += list[i].kind == MREGION_CLAIM_SLOW;
	}
	EXPECT_EQ(1, fast[0]);
	EXPECT_EQ(2, fast[1]);
	EXPECT_EQ(0, slow);
	close(efds[0]);
	close(efds[1]);
}

/* An exit says in which mode it was, and MREGION_ACCESS is told by the space. */
TEST_F(smm, exits)
{
	struct mregion_access access;

	ASSERT_EQ(0, attach(self, NULL));
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE + 0x20));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	EXPECT_TRUE(vcpu_is_in_smm(self->vcpu));
	ASSERT_EQ(0, mr_access(self->fd, SMM, BASE + 0x20, 4,
			       MREGION_ACCESS_PART, 0, &access));
	EXPECT_EQ(HIDDEN, access.region);
	EXPECT_EQ(1, outcomes(self->fd, MREGION_OBJECT_REGION, HIDDEN,
			      MREGION_OUTCOME_EXIT));
	memcpy(self->vcpu->run->mmio.data, "\x44\x33\x22\x11", 4);
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(self->vcpu));
	EXPECT_EQ(0x11223344, smram_at(&self->smram, SMM_RESULT));
	EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
	ASSERT_EQ(0, mr_access(self->fd, MEMORY, BASE + 0x20, 4,
			       MREGION_ACCESS_PART, 0, &access));
	EXPECT_EQ(OPEN, access.region);
	memcpy(self->vcpu->run->mmio.data, "\x01\x00\x00\x00", 4);
	ASSERT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
	EXPECT_EQ(1, vcpu_value(self->vcpu));
}

/* What a vCPU has left with a server in SMM is taken up by the same space. */
TEST_F(smm, server)
{
	struct mregion_access access;
	struct mr_server server;
	uint32_t number = 0;
	int slot;

	ASSERT_EQ(0, mr_server_create(self->fd, 1, 2, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(SECRET, 1)));
	ASSERT_EQ(0, attach(self, NULL));
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4,
			       .addr = SECRET_BASE + 0x20));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	ASSERT_TRUE(vcpu_is_in_smm(self->vcpu));
	slot = mr_server_take(&server, &number);
	ASSERT_LE(0, slot);
	EXPECT_EQ(SECRET, server.slots[slot].region);
	mr_server_answer(&server, slot, number, 0x55);
	access = (struct mregion_access){
		.size = sizeof(access), .space = SMM, .vm_fd = self->vm.fd,
		.addr = SECRET_BASE + 0x20, .len = 4,
	};
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_ACCESS, &access));
	EXPECT_TRUE(access.handled);
	EXPECT_EQ(0x55, access.data);
	memcpy(self->vcpu->run->mmio.data, &access.data, 4);
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(self->vcpu));
	EXPECT_EQ(0x55, smram_at(&self->smram, SMM_RESULT));
	EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
	mr_server_close(&server);
}

/* ---- Commits ----------------------------------------------------------- */

static uint64_t windows_changed(int fd)
{
	struct mregion_stats stats;

	return mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats) ?
	       ~0ull : stats.windows;
}

/* A region that moves in the space for SMM alone is there for the next access. */
TEST_F(smm, moves)
{
	uint64_t windows;

	ASSERT_EQ(0, attach(self, NULL));
	windows = windows_changed(self->fd);
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(SECRET, SECRET_AWAY)));
	EXPECT_EQ(windows, windows_changed(self->fd));
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = SECRET_AWAY));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	EXPECT_EQ(SECRET_VALUE, smram_at(&self->smram, SMM_RESULT));
	EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));

	/* To another unit, which has to be claimed. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(SECRET, 0xb0000000)));
	EXPECT_EQ(windows + 1, windows_changed(self->fd));
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = 0xb0000000));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	EXPECT_EQ(SECRET_VALUE, smram_at(&self->smram, SMM_RESULT));
	EXPECT_EQ(2, smram_at(&self->smram, SMM_MARK));
	EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));

	/* Away from there it is not, and exits. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(SECRET)));
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = 0xb0000000));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	EXPECT_TRUE(vcpu_is_in_smm(self->vcpu));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(self->vcpu));
	EXPECT_FALSE(vcpu_is_in_smm(self->vcpu));
}

/* A space gets another root while it is attached. */
TEST_F(smm, another_root)
{
	ASSERT_EQ(0, attach(self, NULL));
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_set(SMM, MEMORY_ROOT,
						   MREGION_BUS_MEMORY,
						   MREGION_POLICY_DEFAULT)));
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
	ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
	EXPECT_EQ(OPEN_VALUE, smram_at(&self->smram, SMM_RESULT));
	EXPECT_EQ(2, SHADOW_READS(OPEN));
}

struct mover {
	pthread_t thread;
	int fd;
	bool stop;
	unsigned int commits;
	int err;
};

/* Both spaces change in each commit, and have the devices at BASE or behind it. */
static void *mover_thread(void *arg)
{
	struct mover *mover = arg;
	uint32_t at = 0;

	while (!__atomic_load_n(&mover->stop, __ATOMIC_ACQUIRE) && !mover->err) {
		at ^= LEN;
		mover->err = COMMIT(mover->fd, mr_move(OPEN, BASE + at),
				    mr_move(HIDDEN, BASE + at));
		mover->commits++;
		usleep(200);
	}
	return NULL;
}

/* No access sees the view of the other mode, whatever is published meanwhile. */
TEST_F(smm, modes_and_commits_at_once)
{
	struct mover mover = { .fd = self->fd };
	unsigned int i = 0, exits = 0, exits_in_smm = 0;
	uint32_t seen[2] = {}, value;
	int reason;

	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, attach(self, NULL));
	ASSERT_EQ(0, pthread_create(&mover.thread, NULL, mover_thread, &mover));
	mr_for_a_while(3000, seen[0] && seen[1] && exits && exits_in_smm) {
		ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
		reason = interrupt(self->vcpu);
		while (reason == KVM_EXIT_MMIO) {
			if (vcpu_is_in_smm(self->vcpu))
				exits_in_smm++;
			else
				exits++;
			memset(self->vcpu->run->mmio.data, 0, 8);
			reason = vcpu_run(self->vcpu);
		}
		ASSERT_EQ(VCPU_ENDED, reason);
		i++;
		value = vcpu_value(self->vcpu);
		ASSERT_TRUE(value == OPEN_VALUE || !value) {
			TH_LOG("%#x out of SMM", value);
		}
		seen[0] += value == OPEN_VALUE;
		value = smram_at(&self->smram, SMM_RESULT);
		ASSERT_TRUE(value == HIDDEN_VALUE || !value) {
			TH_LOG("%#x in SMM", value);
		}
		seen[1] += value == HIDDEN_VALUE;
	}
	__atomic_store_n(&mover.stop, true, __ATOMIC_RELEASE);
	pthread_join(mover.thread, NULL);
	EXPECT_EQ(0, mover.err);
	EXPECT_EQ(i, smram_at(&self->smram, SMM_MARK));
	EXPECT_EQ(i, seen[0] + exits);
	EXPECT_EQ(i, seen[1] + exits_in_smm);
	EXPECT_EQ(seen[0], SHADOW_READS(OPEN));
	EXPECT_EQ(seen[1], SHADOW_READS(HIDDEN));
	EXPECT_LT(0, seen[0]);
	EXPECT_LT(0, seen[1]);
	TH_LOG("%u interrupts, %u commits, %u and %u exits", i, mover.commits,
	       exits, exits_in_smm);
}

/* ---- Claims ------------------------------------------------------------ */

static int claims(FIXTURE_DATA(smm) *self, uint32_t kind, uint32_t flags,
		  struct mregion_claim_info *found)
{
	struct mregion_claim_info all[MAX_CLAIMS];
	int i, nr = 0, nr_all = mr_claims(self->fd, self->vm.fd, MREGION_BUS_MEMORY,
					  flags, all, MAX_CLAIMS);

	if (nr_all > MAX_CLAIMS)
		return -E2BIG;
	if (nr_all < 0)
		return nr_all;
	for (i = 0; i < nr_all; i++)
		if (all[i].kind == kind)
			found[nr++] = all[i];
	return nr;
}

#define EXPECT_CLAIM(_claim, _start, _last, _region, _flags) do {	\
	EXPECT_EQ(_start, (_claim).start);				\
	EXPECT_EQ(_last, (_claim).last);				\
	EXPECT_EQ(_region, (_claim).region);				\
	EXPECT_EQ(_flags, (_claim).flags);				\
} while (0)

#define RESERVED	20u

/* Windows are those of both, without what is reserved in either. */
TEST_F(smm, windows_of_both)
{
	struct mregion_claim_info found[MAX_CLAIMS];
	struct mregion_attach result;

	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_create(RESERVED, MREGION_RESERVATION, 0x1000),
			    mr_create(RESERVED + 1, MREGION_RESERVATION, 0x1000),
			    mr_map(RESERVED, MEMORY_ROOT, SECRET_BASE + 0x800,
				   0),
			    mr_map(RESERVED + 1, SMM_ROOT, 0x20000000, 0)));
	ASSERT_EQ(0, attach(self, &result));
	EXPECT_EQ(4, result.nr_windows);
	EXPECT_EQ(0, result.nr_conflicts);
	ASSERT_EQ(4, claims(self, MREGION_CLAIM_WINDOW, 0, found));
	EXPECT_CLAIM(found[0], 0, 0x1fffffff, 0, 0);
	EXPECT_CLAIM(found[1], 0x20001000, 0x3fffffff, 0, 0);
	EXPECT_CLAIM(found[2], 0x40000000, SECRET_BASE + 0x7ff, 0, 0);
	EXPECT_CLAIM(found[3], SECRET_BASE + 0x1800, 0x7fffffff, 0, 0);
	/* So the rest of the device exits. */
	ASSERT_EQ(1, claims(self, MREGION_CLAIM_UNCLAIMED, 0, found));
	EXPECT_CLAIM(found[0], SECRET_BASE + 0x800, SECRET_BASE + 0xfff, SECRET,
		     MREGION_CLAIM_RULES | MREGION_CLAIM_SMM);

	/* A commit that takes them away claims what was left out, and back. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(RESERVED)));
	EXPECT_EQ(0, claims(self, MREGION_CLAIM_UNCLAIMED, 0, found));
	ASSERT_EQ(0, COMMIT(self->fd, mr_map(RESERVED, SMM_ROOT, BASE, 1)));
	ASSERT_EQ(1, claims(self, MREGION_CLAIM_UNCLAIMED, 0, found));
	EXPECT_CLAIM(found[0], BASE, BASE + 0xfff, OPEN, MREGION_CLAIM_RULES);
}

/* An ioeventfd in the way of SMM's device, and one in the way of both. */
TEST_F(smm, conflicts)
{
	struct kvm_ioeventfd other = {
		.addr = SECRET_BASE + 0x10, .len = 4, .fd = self->bell,
	};
	struct mregion_claim_info found[MAX_CLAIMS];
	struct mregion_attach result;

	ASSERT_EQ(0, mr_ioctl(self->vm.fd, KVM_IOEVENTFD, &other));
	other.addr = BASE + 0x10;
	ASSERT_EQ(0, mr_ioctl(self->vm.fd, KVM_IOEVENTFD, &other));
	ASSERT_EQ(0, attach(self, &result));
	EXPECT_EQ(2, result.nr_conflicts);
	ASSERT_EQ(2, claims(self, MREGION_CLAIM_CONFLICT, 0, found));
	EXPECT_CLAIM(found[0], BASE + 0x10, BASE + 0x13, OPEN,
		     MREGION_CLAIM_RULES);
	EXPECT_CLAIM(found[1], SECRET_BASE + 0x10, SECRET_BASE + 0x13, SECRET,
		     MREGION_CLAIM_RULES | MREGION_CLAIM_SMM);

	/* One that comes later is found by the window, in both modes. */
	other.addr = SECRET_BASE + 0x40;
	ASSERT_EQ(0, mr_ioctl(self->vm.fd, KVM_IOEVENTFD, &other));
	SMM_HANDLER(&self->smram, write);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_write4,
			       .addr = SECRET_BASE + 0x40, .number = 7));
	ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
	EXPECT_EQ(2, signals(self->bell));
	ASSERT_EQ(3, claims(self, MREGION_CLAIM_CONFLICT, MREGION_CLAIMS_RENEW,
			    found));
	EXPECT_CLAIM(found[2], SECRET_BASE + 0x40, SECRET_BASE + 0x43, SECRET,
		     MREGION_CLAIM_RULES | MREGION_CLAIM_SMM);
}

/* More windows than there may be: those that SMM alone has are left out. */
TEST_F(smm, as_many_windows_as_there_may_be)
{
	struct mregion_stats stats;
	struct mregion_info info;
	struct mregion_op *ops;
	uint32_t i, nr = 0;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ops = calloc(info.max_windows, 2 * sizeof(*ops));
	ASSERT_NE(NULL, ops);
	for (i = 0; i < info.max_windows; i++) {
		if (i == SECRET_BASE >> 30 || i == BASE >> 30)
			continue;
		ops[nr++] = mr_mmio(100 + i, 0x1000);
		ops[nr++] = mr_map(100 + i, MEMORY_ROOT, (uint64_t)i << 30, 0);
	}
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr));
	free(ops);
	ASSERT_EQ(0, attach(self, NULL));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(0, stats.unclaimed);
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(100 + i, 0x1000),
			    mr_map(100 + i, MEMORY_ROOT, (uint64_t)i << 30,
				   0)));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(1, stats.unclaimed);
	/* It exits, and is the VMM's. */
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = SECRET_BASE));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	EXPECT_TRUE(vcpu_is_in_smm(self->vcpu));
	/* Once there are fewer, it has one. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(100 + i)));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(0, stats.unclaimed);
}

/* ---- Attachments ------------------------------------------------------- */

#define EXPECT_ATTACH(_err, _memory, _pio, _smm)			\
	EXPECT_EQ(-(_err), mr_attach_smm(self->fd, self->vm.fd, _memory,	\
					 _pio, _smm, NULL))

TEST_F(smm, spaces)
{
	struct mregion_info info;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	EXPECT_TRUE(info.features & MREGION_FEATURE_SMM);
	EXPECT_ATTACH(ENOENT, MEMORY, PORTS, 99);
	EXPECT_ATTACH(ENOENT, 99, PORTS, SMM);
	EXPECT_ATTACH(EINVAL, MEMORY, PORTS, PORTS);
	EXPECT_ATTACH(EINVAL, 0, PORTS, SMM);
	EXPECT_ATTACH(EINVAL, 0, 0, SMM);
	EXPECT_ATTACH(0, MEMORY, 0, SMM);
	EXPECT_ATTACH(EEXIST, MEMORY, 0, SMM);
	EXPECT_ATTACH(EEXIST, MEMORY, 0, 0);
}

TEST_F(smm, space_in_use)
{
	struct mregion_space_info info;

	ASSERT_EQ(0, attach(self, NULL));
	ASSERT_EQ(1, mr_spaces(self->fd, SMM, &info, 1));
	EXPECT_EQ(1, info.nr_vms);
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_space_free(SMM)));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	ASSERT_EQ(1, mr_spaces(self->fd, SMM, &info, 1));
	EXPECT_EQ(0, info.nr_vms);
	/* Nobody answers any more. */
	SMM_HANDLER(&self->smram, read);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
	ASSERT_EQ(KVM_EXIT_MMIO, interrupt(self->vcpu));
	EXPECT_TRUE(vcpu_is_in_smm(self->vcpu));
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(SMM)));
}

TEST_F(smm, virtual_machine_goes_first)
{
	ASSERT_EQ(0, attach(self, NULL));
	vm_free(&self->vm);
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(SMM),
			    mr_space_free(MEMORY)));
}

/* What is SMM's space here can be everybody's in another virtual machine. */
TEST_F(smm, two_virtual_machines)
{
	struct mregion_space_info info;
	struct smram smram;
	struct vm other;

	ASSERT_EQ(0, vm_create(&other, 1));
	ASSERT_EQ(0, smram_create(&smram, &other));
	ASSERT_EQ(0, attach(self, NULL));
	ASSERT_EQ(0, mr_attach_smm(self->fd, other.fd, SMM, 0, MEMORY, NULL));
	ASSERT_EQ(1, mr_spaces(self->fd, SMM, &info, 1));
	EXPECT_EQ(2, info.nr_vms);
	SMM_HANDLER(&self->smram, read);
	SMM_HANDLER(&smram, read);
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, mmio_read4, .addr = BASE));
	ASSERT_EQ(VCPU_ENDED, interrupt(self->vcpu));
	EXPECT_EQ(OPEN_VALUE, vcpu_value(self->vcpu));
	EXPECT_EQ(HIDDEN_VALUE, smram_at(&self->smram, SMM_RESULT));
	ASSERT_EQ(0, GUEST_RUN(&other.vcpus[0], mmio_read4, .addr = BASE));
	ASSERT_EQ(VCPU_ENDED, interrupt(&other.vcpus[0]));
	EXPECT_EQ(HIDDEN_VALUE, vcpu_value(&other.vcpus[0]));
	EXPECT_EQ(OPEN_VALUE, smram_at(&smram, SMM_RESULT));
	vm_free(&other);
	smram_free(&smram);
	EXPECT_EQ(0, COMMIT(self->fd, mr_mmio(30, 8)));
	ASSERT_EQ(1, mr_spaces(self->fd, SMM, &info, 1));
	EXPECT_EQ(1, info.nr_vms);
}

TEST_HARNESS_MAIN
