// SPDX-License-Identifier: GPL-2.0
/*
 * Fast doorbells: the same rule does the same whether or not the host has a fast way,
 * and takes the way that there is.
 *
 * A guest's read tells the way: it rings where KVM does not look at the instruction.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "device_util.h"
#include "trace_util.h"

#define VCPUS		3
#define LOAD_MS		800
#define OFFSET		0x10
#define ALIAS		6
#define OTHER		7
#define RAM		8
#define MAX_CLAIMS	16384

/* Device, alias, RAM and whatever else have page tables for 4 GiB. */
#define FAR_AWAY	0x20000000u

static struct mregion_rule fast_bell(uint64_t offset, int eventfd)
{
	struct mregion_rule rule = bell(offset, 1, eventfd);

	rule.flags = MREGION_RULE_ANY_LEN | MREGION_RULE_FAST;
	return rule;
}

static int ioeventfd(int vm_fd, uint64_t addr, uint32_t len, int efd,
		     uint32_t flags)
{
	struct kvm_ioeventfd arg = {
		.addr = addr,
		.len = len,
		.fd = efd,
		.flags = flags,
	};

	return mr_ioctl(vm_fd, KVM_IOEVENTFD, &arg);
}

static bool parameter_is_set(const char *path)
{
	char value = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = 0;
	close(fd);
	return value == 'Y' || value == '1';
}

/* Whether KVM's own ioeventfds take a fast way. */
static int host_is_fast(bool *fast)
{
	unsigned long exits = 0;
	int efd = new_eventfd(), err;
	struct vm vm;

	err = vm_create(&vm, 1);
	if (err)
		return err;
	err = ioeventfd(vm.fd, MMIO_BASE, 0, efd, 0);
	/* The first access has KVM note that nothing is there. */
	if (!err)
		err = vcpu_writes(&vm.vcpus[0], false, 4, 0, 1, 0);
	if (!err)
		err = vcpu_until_end(&vm.vcpus[0], &exits);
	if (!err && signals(efd) != 1)
		err = -EPROTO;
	if (!err)
		err = vcpu_reads(&vm.vcpus[0], false, 4, 0);
	if (!err)
		err = vcpu_until_end(&vm.vcpus[0], &exits);
	*fast = signals(efd);
	vm_free(&vm);
	close(efd);
	return err;
}

FIXTURE(fast) {
	struct rig rig;
	struct vm *vm;
	struct mregion_claim_info *claims;
	int fd;
	int efd;
	bool host;
};

FIXTURE_SETUP(fast)
{
	ASSERT_EQ(0, host_is_fast(&self->host));
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	self->claims = calloc(MAX_CLAIMS, sizeof(*self->claims));
	ASSERT_NE(NULL, self->claims);
	self->fd = self->rig.fd;
	self->vm = &self->rig.vm;
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(fast)
{
	free(self->claims);
	close(self->efd);
	rig_close(&self->rig);
}

/* A guest's write at an offset from MMIO_BASE: how often it has exited, or an error. */
static int guest_write(struct vm *vm, uint64_t offset, unsigned int len,
		       uint64_t value)
{
	unsigned long exits = 0;
	int err = vcpu_writes(&vm->vcpus[0], false, len, offset, value, 0);

	if (!err)
		err = vcpu_until_end(&vm->vcpus[0], &exits);
	return err ? err : (int)exits;
}

static int guest_read(struct vm *vm, uint64_t offset, unsigned int len)
{
	unsigned long exits = 0;
	int err = vcpu_reads(&vm->vcpus[0], false, len, offset);

	if (!err)
		err = vcpu_until_end(&vm->vcpus[0], &exits);
	return err ? err : (int)exits;
}

/* A guest's write that rings one bell once, and exits not. */
#define EXPECT_RINGS(_efd, _offset) do {				\
	EXPECT_EQ(0, guest_write(self->vm, _offset, 4, 1));		\
	EXPECT_EQ(1, signals(_efd));					\
} while (0)

/* One that exits. */
#define EXPECT_SILENT(_efd, _offset) do {				\
	EXPECT_EQ(1, guest_write(self->vm, _offset, 4, 1));		\
	EXPECT_EQ(0, signals(_efd));					\
} while (0)

/*
 * Whether a bell is on the bus that the fast way is for, which a read tells where there is
 * such a way. (It has been written to before, so KVM knows of nothing there.)
 */
#define EXPECT_FAST(_efd, _offset, _fast) do {				\
	bool _rings = self->host && (_fast);				\
									\
	EXPECT_EQ(!_rings, guest_read(self->vm, _offset, 4));		\
	EXPECT_EQ(_rings, signals(_efd)) {				\
		TH_LOG("a read at %#x", (unsigned int)(_offset));	\
	}								\
} while (0)

static int renew(FIXTURE_DATA(fast) *self)
{
	return mr_claims(self->fd, self->vm->fd, MREGION_BUS_MEMORY,
			 MREGION_CLAIMS_RENEW, NULL, 0);
}

/* How many of a kind there are; *@first is the first one. */
static int claims_of(FIXTURE_DATA(fast) *self, uint32_t kind,
		     struct mregion_claim_info *first)
{
	int i, found = 0, nr = mr_claims(self->fd, self->vm->fd,
					 MREGION_BUS_MEMORY, 0, self->claims,
					 MAX_CLAIMS);

	if (nr > MAX_CLAIMS)
		return -E2BIG;
	for (i = 0; i < nr; i++) {
		if (self->claims[i].kind != kind)
			continue;
		if (!found++)
			*first = self->claims[i];
	}
	return nr < 0 ? nr : found;
}

/*
 * So many on the bus, and so many not; statistics have those of all virtual machines
 * together.
 */
#define EXPECT_CLAIMS_OF_ALL(_fast, _slow, _all_fast, _all_slow) do {	\
	struct mregion_claim_info _claim;				\
	struct mregion_stats _stats;					\
									\
	EXPECT_EQ(_fast, claims_of(self, MREGION_CLAIM_FAST, &_claim));	\
	EXPECT_EQ(_slow, claims_of(self, MREGION_CLAIM_SLOW, &_claim));	\
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0,	\
			      &_stats));				\
	EXPECT_EQ(_all_fast, _stats.fast);				\
	EXPECT_EQ(_all_slow, _stats.slow);				\
} while (0)

#define EXPECT_CLAIMS(_fast, _slow)					\
	EXPECT_CLAIMS_OF_ALL(_fast, _slow, _fast, _slow)

static uint64_t windows_changed(int fd)
{
	struct mregion_stats stats;

	return mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats) ?
	       ~0ull : stats.windows;
}

/* The machine that this runs on has what it should have. */
TEST_F(fast, host)
{
	if (parameter_is_set("/sys/module/kvm_intel/parameters/ept"))
		EXPECT_TRUE(self->host);
	TH_LOG("the host has %s fast way", self->host ? "a" : "no");
}

TEST_F(fast, feature)
{
	struct mregion_info info;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	EXPECT_TRUE(info.features & MREGION_FEATURE_FAST);
	EXPECT_LE(1000, info.max_fast);
}

TEST_F(fast, rings)
{
	uint32_t region = DEV_MMIO;
	struct mregion_stats stats;
	unsigned int len, rung = 0;

	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(region, fast_bell(OFFSET, self->efd))));
	for (len = 1; len <= 8; len *= 2) {
		/* the first is the slow way: KVM has to find out */
		EXPECT_EQ(0, guest_write(self->vm, OFFSET, len, 7));
		EXPECT_EQ(0, guest_write(self->vm, OFFSET, len, 8));
		EXPECT_EQ(2, signals(self->efd));
		rung += 2;
		EXPECT_EQ(1, guest_write(self->vm, OFFSET - len, len, 7));
		EXPECT_EQ(1, guest_write(self->vm, OFFSET + len, len, 7));
		EXPECT_EQ(0, signals(self->efd));
	}
	/* What is around it is not hidden. */
	for (len = 1; len < 16; len++) {
		EXPECT_EQ(1, guest_write(self->vm, OFFSET - len, 1, 7));
		EXPECT_EQ(1, guest_write(self->vm, OFFSET + len, 1, 7));
	}
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_FAST(self->efd, OFFSET, true);
	rung += self->host;
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, region, &stats));
	EXPECT_EQ(rung, stats.outcomes[MREGION_OUTCOME_DOORBELL]);
	EXPECT_CLAIMS(1, 0);

	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_DEL(region, fast_bell(OFFSET, self->efd))));
	EXPECT_SILENT(self->efd, OFFSET);
	EXPECT_CLAIMS(0, 0);
}

/* Where a read rings, its register keeps the value. */
TEST_F(fast, reads)
{
	struct vcpu *vcpu = &self->vm->vcpus[0];

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(OFFSET,
								   self->efd))));
	EXPECT_RINGS(self->efd, OFFSET);
	memset(vcpu->run->mmio.data, 0, 8);
	EXPECT_FAST(self->efd, OFFSET, true);
	/* the guest has cleared it before; or it is what the VMM has said */
	EXPECT_EQ(0, vcpu_value(vcpu));
}

/* How often a text is in the trace. */
static int traced(const char *text)
{
	char *trace = trace_read("trace"), *at = trace;
	int nr = 0;

	if (!trace)
		return -1;
	for (; (at = strstr(at, text)); at++)
		nr++;
	free(trace);
	return nr;
}

/* What rings by the fast way is told as such, by KVM as well. */
TEST_F(fast, events)
{
	int i, err = trace_mount();
	char text[64];
	bool kvm;

	if (err)
		SKIP(return, "no events: %s", strerror(-err));
	kvm = !access(TRACEFS "/events/kvm/kvm_fast_mmio", F_OK);
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(OFFSET,
								   self->efd))));
	EXPECT_RINGS(self->efd, OFFSET);
	ASSERT_EQ(0, trace_write("tracing_on", "1"));
	ASSERT_EQ(0, trace_enable(NULL, false));
	ASSERT_EQ(0, trace_clear());
	ASSERT_EQ(0, trace_enable("mregion_doorbell", true));
	if (kvm)
		trace_write("events/kvm/kvm_fast_mmio/enable", "1");
	for (i = 0; i < 5; i++)
		EXPECT_RINGS(self->efd, OFFSET);
	if (kvm) {
		trace_write("events/kvm/kvm_fast_mmio/enable", "0");
		snprintf(text, sizeof(text), "kvm_fast_mmio: fast mmio at gpa 0x%x",
			 MMIO_BASE + OFFSET);
		EXPECT_EQ(self->host ? 5 : 0, traced(text));
	}
	EXPECT_EQ(5, traced("mregion_doorbell: "));
	snprintf(text, sizeof(text), "len=0 addr=0x%x data=0x0 region=%u",
		 MMIO_BASE + OFFSET, DEV_MMIO);
	EXPECT_EQ(self->host ? 5 : 0, traced(text));
	snprintf(text, sizeof(text), "len=4 addr=0x%x data=0x1 region=%u",
		 MMIO_BASE + OFFSET, DEV_MMIO);
	EXPECT_EQ(self->host ? 0 : 5, traced(text));
	trace_enable(NULL, false);
	trace_clear();
}

/* By ports and by ioctl it is as one for any length. */
TEST_F(fast, other_ways)
{
	struct mregion_claim_info claim;
	struct mregion_access access;
	uint64_t changed = windows_changed(self->fd);
	struct way way = { .pio = true };
	unsigned int len;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_PORTS,
					       fast_bell(OFFSET, self->efd))));
	/* nothing for the bus */
	EXPECT_EQ(changed, windows_changed(self->fd));
	EXPECT_EQ(0, claims_of(self, MREGION_CLAIM_FAST, &claim));
	EXPECT_EQ(0, claims_of(self, MREGION_CLAIM_SLOW, &claim));
	for (way.guest = false;; way.guest = true) {
		for (len = 1; len <= 4; len *= 2) {
			EXPECT_EQ(1, way_write(&self->rig, way, OFFSET, len, 1));
			EXPECT_EQ(1, signals(self->efd));
			EXPECT_EQ(0, way_write(&self->rig, way, OFFSET + 4, len,
					       1));
			EXPECT_EQ(0, signals(self->efd));
		}
		if (way.guest || !VM_HAS_PORTS)
			break;
	}
	way = (struct way){ };
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO,
					       fast_bell(OFFSET, self->efd))));
	EXPECT_EQ(1, way_write(&self->rig, way, OFFSET, 8, 1));
	EXPECT_EQ(1, signals(self->efd));
	/* a read by ioctl is known to be one */
	EXPECT_EQ(0, way_ioctl(&self->rig, way, OFFSET, 4, 0, 0, &access));
	EXPECT_FALSE(access.handled);
	EXPECT_EQ(0, signals(self->efd));
}

/* Beside other rules, among many, and beside slow bells. */
TEST_F(fast, among_others)
{
	enum { NR = 40 };
	struct mregion_op ops[2 * NR];
	struct mregion_rule rule;
	int efds[NR], i, nr = 0;

	for (i = 0; i < NR; i++) {
		efds[i] = new_eventfd();
		ASSERT_LE(0, efds[i]);
		rule = fast_bell(8 * i, efds[i]);
		if (i % 3 == 2)
			rule.flags &= ~MREGION_RULE_FAST;
		ops[nr++] = RULE_ADD(DEV_MMIO, rule);
		ops[nr++] = RULE_ADD(DEV_MMIO, bell(8 * i + 4, 4, self->efd));
	}
	for (i = nr; i > 0; i -= nr / 4)
		ASSERT_EQ(0, mr_commit(self->fd, ops + i - nr / 4, nr / 4));
	EXPECT_CLAIMS(NR - NR / 3, 0);
	for (i = 0; i < NR; i++) {
		EXPECT_RINGS(efds[i], 8 * i);
		EXPECT_RINGS(efds[i], 8 * i);
		EXPECT_RINGS(self->efd, 8 * i + 4);
		EXPECT_FAST(efds[i], 8 * i, i % 3 != 2);
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(0, signals(efds[i]));
		close(efds[i]);
	}
}

/* ---- What is refused --------------------------------------------------- */

#define EXPECT_BAD(_err, ...) do {					\
	rule = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(-(_err), COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));	\
} while (0)

TEST_F(fast, bad_rules)
{
	struct mregion_rule good = fast_bell(OFFSET, self->efd), rule;
	struct mr_snapshot before;
	struct mr_shadow shadow;
	struct mr_ring ring;

	ASSERT_EQ(0, mr_shadow_create(self->fd, 1, 64, &shadow));
	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_create(RAM, MREGION_ROMD, 0x1000),
			    mr_ram(OTHER, 0x1000)));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_FAST);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_FAST, rule.len = 0);
	EXPECT_BAD(EINVAL, rule.flags = MREGION_RULE_FAST, rule.len = 4,
		   rule.access_len = 4);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_DATAMATCH);
	EXPECT_BAD(EINVAL, rule.datamatch = 1);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_STORE, rule.shadow = 1);
	EXPECT_BAD(EINVAL, rule.shadow = 1);
	EXPECT_BAD(EINVAL, rule.access_len = 2);
	EXPECT_BAD(EINVAL, rule.len = 0);
	EXPECT_BAD(EINVAL, rule.len = 2);
	EXPECT_BAD(EINVAL, rule.offset = DEV_LEN);
	EXPECT_BAD(EOPNOTSUPP, rule.flags |= 1u << 31);
	good = shadow_rule(0x10, 1, MREGION_RULE_WRITE, 1, 0);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_FAST);
	good = mr_rule_add(DEV_MMIO, 1, 0x10, 1).rule;
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_FAST);
	/* Regions that the guest may read as memory. */
	good = fast_bell(OFFSET, self->efd);
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, RULE_ADD(RAM, good)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd,
				  mr_set_flags(RAM, MREGION_REGION_ROMD_OFF,
					       MREGION_REGION_ROMD_OFF),
				  RULE_ADD(RAM, good)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, RULE_ADD(OTHER, good)));
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
	mr_ring_unmap(&ring);
	mr_shadow_unmap(&shadow);
}

/* One for any length clashes with it, and is not the same. */
TEST_F(fast, clashes)
{
	struct mregion_rule good = fast_bell(OFFSET, self->efd), slow = good;

	slow.flags &= ~MREGION_RULE_FAST;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, good)));
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(DEV_MMIO, good)));
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(DEV_MMIO, slow)));
	EXPECT_EQ(-EEXIST, COMMIT(self->fd, RULE_ADD(DEV_MMIO,
						     bell(OFFSET, 4,
							  self->efd))));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, RULE_DEL(DEV_MMIO, slow)));
	EXPECT_CLAIMS(1, 0);
	EXPECT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, good),
			    RULE_ADD(DEV_MMIO, slow)));
	EXPECT_CLAIMS(0, 0);
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_FAST(self->efd, OFFSET, false);
	EXPECT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, slow),
			    RULE_ADD(DEV_MMIO, good)));
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_FAST(self->efd, OFFSET, true);
}

/* ---- Where it is ------------------------------------------------------- */

TEST_F(fast, moves)
{
	uint64_t away = MMIO_AWAY - MMIO_BASE;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(OFFSET,
								   self->efd))));
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_SILENT(self->efd, away + OFFSET);
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEV_MMIO, MMIO_AWAY)));
	EXPECT_SILENT(self->efd, OFFSET);
	EXPECT_EQ(1, guest_read(self->vm, OFFSET, 4));
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_RINGS(self->efd, away + OFFSET);
	EXPECT_FAST(self->efd, away + OFFSET, true);
	EXPECT_CLAIMS(1, 0);
	/* Nothing of that is the bus's business. */
	ASSERT_EQ(0, COMMIT(self->fd, dev_create(OTHER, 0x1000),
			    mr_map(OTHER, 1, MMIO_BASE, 0)));
	EXPECT_EQ(1, windows_changed(self->fd) - 1);
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_flags(DEV_MMIO,
						   MREGION_REGION_DISABLED,
						   MREGION_REGION_DISABLED)));
	EXPECT_SILENT(self->efd, away + OFFSET);
	EXPECT_CLAIMS(0, 0);
}

/* Several places, one of which is in part, and one read-only. */
TEST_F(fast, aliases)
{
	struct mregion_claim_info claim;

	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(DEV_MMIO, fast_bell(OFFSET, self->efd)),
			    RULE_ADD(DEV_MMIO, fast_bell(0x800, self->efd)),
			    mr_alias(ALIAS, DEV_MMIO, 0x800, 0x800),
			    mr_map(ALIAS, 1, MMIO_BASE + 0x4000, 0),
			    mr_flags(mr_alias(OTHER, DEV_MMIO, 0, 0x1000),
				     MREGION_REGION_READONLY),
			    mr_map(OTHER, 1, MMIO_BASE + 0x5000, 0)));
	EXPECT_CLAIMS(3, 0);
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_RINGS(self->efd, 0x800);
	EXPECT_RINGS(self->efd, 0x4000);
	EXPECT_FAST(self->efd, OFFSET, true);
	EXPECT_FAST(self->efd, 0x800, true);
	EXPECT_FAST(self->efd, 0x4000, true);
	EXPECT_SILENT(self->efd, 0x4000 + OFFSET);
	/* refused there, and so dropped */
	EXPECT_EQ(0, guest_write(self->vm, 0x5000 + OFFSET, 4, 1));
	EXPECT_EQ(0, guest_write(self->vm, 0x5800, 4, 1));
	EXPECT_EQ(0, signals(self->efd));
	/* what merges with nothing has bells as others have */
	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_set_flags(DEV_MMIO, MREGION_REGION_UNMERGEABLE,
					 MREGION_REGION_UNMERGEABLE)));
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_RINGS(self->efd, 0x4000);
	EXPECT_FAST(self->efd, 0x4000, true);
	EXPECT_EQ(3, claims_of(self, MREGION_CLAIM_FAST, &claim));
	EXPECT_EQ(MMIO_BASE + OFFSET, claim.start);
	EXPECT_EQ(MMIO_BASE + OFFSET, claim.last);
	EXPECT_EQ(DEV_MMIO, claim.region);
	EXPECT_EQ(MREGION_CLAIM_RULES, claim.flags);
}

/* KVM keeps for a while that nothing is at an address where memory is by now. */
TEST_F(fast, becomes_memory)
{
	uint64_t page = MMIO_BASE;
	uint32_t *memory;
	int i;

	memory = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, COMMIT(self->fd, mr_ram(RAM, 0x1000),
			    RULE_ADD(DEV_MMIO, fast_bell(OFFSET, self->efd))));
	for (i = 1; i <= 5; i++) {
		EXPECT_RINGS(self->efd, OFFSET);
		EXPECT_RINGS(self->efd, OFFSET);
		ASSERT_EQ(0, COMMIT(self->fd, mr_map(RAM, 1, page, 1)));
		EXPECT_CLAIMS(0, 0);
		/* no slot yet */
		EXPECT_SILENT(self->efd, OFFSET);
		ASSERT_EQ(0, vm_memslot(self->vm, 1, page, 0x1000, memory));
		EXPECT_EQ(0, guest_write(self->vm, OFFSET, 4, i));
		EXPECT_EQ(0, signals(self->efd));
		EXPECT_EQ(i, memory[OFFSET / 4]);
		EXPECT_EQ(0, guest_read(self->vm, OFFSET, 4));
		EXPECT_EQ(i, vcpu_value(&self->vm->vcpus[0]));
		EXPECT_EQ(0, signals(self->efd));
		ASSERT_EQ(0, vm_memslot(self->vm, 1, page, 0, memory));
		ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(RAM)));
		EXPECT_CLAIMS(1, 0);
	}
	munmap(memory, 0x1000);
}

/* ---- Beside others ----------------------------------------------------- */

/*
 * An ioeventfd of KVM's where a bell is: for any length, when it is on both buses, or
 * for four bytes, when it is on the memory bus alone. @ours: whose bell rings.
 */
static void expect_ours(struct __test_metadata *_metadata,
			FIXTURE_DATA(fast) *self, int theirs, bool ours)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, guest_write(self->vm, OFFSET, 4, 1));
	EXPECT_EQ(ours ? 2 : 0, signals(self->efd));
	EXPECT_EQ(ours ? 0 : 2, signals(theirs));
}

/* And so does that beside it. */
static void expect_both(struct __test_metadata *_metadata,
			FIXTURE_DATA(fast) *self, int theirs, bool ours)
{
	expect_ours(_metadata, self, theirs, ours);
	EXPECT_RINGS(self->efd, 0x20);
	EXPECT_FAST(self->efd, 0x20, true);
	EXPECT_EQ(0, signals(theirs));
}

static void comes_first(struct __test_metadata *_metadata,
			FIXTURE_DATA(fast) *self, uint32_t len)
{
	struct mregion_claim_info claim;
	int theirs = new_eventfd();

	ASSERT_EQ(0, mr_detach(self->fd, self->vm->fd));
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(DEV_MMIO, fast_bell(OFFSET, self->efd)),
			    RULE_ADD(DEV_MMIO, fast_bell(0x20, self->efd))));
	ASSERT_EQ(0, ioeventfd(self->vm->fd, MMIO_BASE + OFFSET, len, theirs,
			       0));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm->fd, DEV_MEMORY, DEV_PIO,
			       NULL));
	EXPECT_CLAIMS(1, 1);
	EXPECT_EQ(1, claims_of(self, MREGION_CLAIM_CONFLICT, &claim));
	EXPECT_EQ(1, claims_of(self, MREGION_CLAIM_SLOW, &claim));
	EXPECT_EQ(MMIO_BASE + OFFSET, claim.start);
	expect_both(_metadata, self, theirs, false);
	/* It goes: what it had is nobody's, until that is looked at again. */
	ASSERT_EQ(0, ioeventfd(self->vm->fd, MMIO_BASE + OFFSET, len, theirs,
			       KVM_IOEVENTFD_FLAG_DEASSIGN));
	EXPECT_SILENT(self->efd, OFFSET);
	/* also when bells change: no window is there */
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(0x30,
								   self->efd))));
	EXPECT_CLAIMS(2, 1);
	EXPECT_SILENT(self->efd, OFFSET);
	ASSERT_LE(0, renew(self));
	EXPECT_CLAIMS(3, 0);
	expect_both(_metadata, self, theirs, true);
	EXPECT_FAST(self->efd, OFFSET, true);
	close(theirs);
}

TEST_F(fast, theirs_for_any_length_comes_first)
{
	comes_first(_metadata, self, 0);
}

TEST_F(fast, theirs_comes_first)
{
	comes_first(_metadata, self, 4);
}

static void comes_later(struct __test_metadata *_metadata,
			FIXTURE_DATA(fast) *self, uint32_t len)
{
	int theirs = new_eventfd();

	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(DEV_MMIO, fast_bell(OFFSET, self->efd)),
			    RULE_ADD(DEV_MMIO, fast_bell(0x20, self->efd))));
	ASSERT_EQ(0, ioeventfd(self->vm->fd, MMIO_BASE + OFFSET, len, theirs,
			       0));
	EXPECT_CLAIMS(2, 0);
	/* rules go first, as in any window */
	expect_ours(_metadata, self, theirs, true);
	ASSERT_LE(0, renew(self));
	EXPECT_CLAIMS(1, 1);
	expect_both(_metadata, self, theirs, false);
	/* and so it stays when bells change */
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(0x30,
								   self->efd))));
	EXPECT_CLAIMS(2, 1);
	expect_both(_metadata, self, theirs, false);
	ASSERT_EQ(0, ioeventfd(self->vm->fd, MMIO_BASE + OFFSET, len, theirs,
			       KVM_IOEVENTFD_FLAG_DEASSIGN));
	ASSERT_LE(0, renew(self));
	EXPECT_CLAIMS(3, 0);
	expect_both(_metadata, self, theirs, true);
	close(theirs);
}

TEST_F(fast, theirs_for_any_length_comes_later)
{
	comes_later(_metadata, self, 0);
}

TEST_F(fast, theirs_comes_later)
{
	comes_later(_metadata, self, 4);
}

/* A commit that a late ioeventfd has nothing to do with. */
enum late_commit { LATE_BELL, LATE_WINDOWS };

struct late {
	int rung[2];		/* ours and theirs */
	int exits;
};

/* KVM may miss a window where the access is longer than the range in it is: it exits. */
#define LATE_SIZES(len)	((len) ? 3 : 4)

static void late_writes(struct __test_metadata *_metadata,
			FIXTURE_DATA(fast) *self, int theirs, uint32_t their_len,
			struct late *late)
{
	unsigned int len;
	int exits;

	memset(late, 0, sizeof(*late));
	for (len = 1; len < 1u << LATE_SIZES(their_len); len *= 2) {
		exits = guest_write(self->vm, OFFSET, len, 1);
		ASSERT_LE(0, exits);
		late->exits += exits;
	}
	late->rung[0] = signals(self->efd);
	late->rung[1] = signals(theirs);
	EXPECT_EQ(LATE_SIZES(their_len),
		  late->exits + late->rung[0] + late->rung[1]);
}

/* All that happens to a bell; *@before and *@after say what a guest's writes do. */
static void late_case(struct __test_metadata *_metadata,
		      FIXTURE_DATA(fast) *self, uint32_t flags, uint32_t len,
		      enum late_commit commit, struct late *before,
		      struct late *after)
{
	struct mregion_rule rule = fast_bell(OFFSET, self->efd);
	bool fast = flags & MREGION_RULE_FAST;
	int theirs = new_eventfd();
	uint64_t changed;

	rule.flags = flags;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));
	EXPECT_RINGS(self->efd, OFFSET);
	ASSERT_EQ(0, ioeventfd(self->vm->fd, MMIO_BASE + OFFSET, len, theirs,
			       0));
	late_writes(_metadata, self, theirs, len, before);
	changed = windows_changed(self->fd);
	if (commit == LATE_BELL) {
		rule.offset = 0x30;
		ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));
		EXPECT_CLAIMS(fast ? 2 : 0, 0);
		EXPECT_EQ(changed + fast, windows_changed(self->fd));
	} else {
		ASSERT_EQ(0, COMMIT(self->fd, dev_create(OTHER, 0x1000),
				    mr_map(OTHER, 1, 0x5000000000, 0)));
		EXPECT_CLAIMS(0, fast ? 1 : 0);
		/* and the other bus with it */
		EXPECT_EQ(changed + 1 + fast, windows_changed(self->fd));
	}
	late_writes(_metadata, self, theirs, len, after);
	/* as it was */
	if (commit == LATE_BELL) {
		ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, rule)));
		rule.offset = OFFSET;
	} else {
		ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(OTHER), mr_free(OTHER)));
	}
	ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, rule)));
	ASSERT_EQ(0, ioeventfd(self->vm->fd, MMIO_BASE + OFFSET, len, theirs,
			       KVM_IOEVENTFD_FLAG_DEASSIGN));
	ASSERT_LE(0, renew(self));
	close(theirs);
}

/*
 * Which one rings is the same on all hosts, and the same as for a bell that is not fast.
 * (Where there is a fast way, theirs for any length is fast, and ahead of such a bell.)
 */
static void late(struct __test_metadata *_metadata, FIXTURE_DATA(fast) *self,
		 uint32_t len, enum late_commit commit)
{
	const uint32_t flags[] = {
		MREGION_RULE_ANY_LEN, MREGION_RULE_ANY_LEN | MREGION_RULE_FAST,
	};
	const int nr = LATE_SIZES(len);
	struct late before, after;
	int i, ours;

	for (i = 0; i < 2; i++) {
		ours = !i && !len && self->host ? 0 : nr;
		late_case(_metadata, self, flags[i], len, commit, &before,
			  &after);
		EXPECT_EQ(ours, before.rung[0]);
		EXPECT_EQ(nr - ours, before.rung[1]);
		if (commit == LATE_WINDOWS) {
			/* of theirs with a length, the others exit */
			EXPECT_EQ(0, after.rung[0]);
			EXPECT_EQ(len ? 1 : nr, after.rung[1]);
		} else {
			EXPECT_EQ(ours, after.rung[0]);
			EXPECT_EQ(nr - ours, after.rung[1]);
		}
	}
}

TEST_F(fast, late_for_any_length_and_a_bell)
{
	late(_metadata, self, 0, LATE_BELL);
}

TEST_F(fast, late_and_a_bell)
{
	late(_metadata, self, 4, LATE_BELL);
}

TEST_F(fast, late_for_any_length_and_windows)
{
	late(_metadata, self, 0, LATE_WINDOWS);
}

TEST_F(fast, late_and_windows)
{
	late(_metadata, self, 4, LATE_WINDOWS);
}

/* In one of two virtual machines somebody else has the address. */
TEST_F(fast, two_virtual_machines)
{
	uint64_t away = MMIO_AWAY - MMIO_BASE;
	int theirs = new_eventfd();
	struct vm other;

	ASSERT_EQ(0, vm_create(&other, 1));
	ASSERT_EQ(0, ioeventfd(other.fd, MMIO_BASE + OFFSET, 0, theirs, 0));
	ASSERT_EQ(0, mr_attach(self->fd, other.fd, DEV_MEMORY, 0, NULL));
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(DEV_MMIO, fast_bell(OFFSET, self->efd)),
			    RULE_ADD(DEV_MMIO, fast_bell(0x20, self->efd))));
	EXPECT_CLAIMS_OF_ALL(2, 0, 3, 1);
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_FAST(self->efd, OFFSET, true);
	EXPECT_EQ(0, guest_write(&other, OFFSET, 4, 1));
	EXPECT_EQ(0, guest_write(&other, OFFSET, 4, 1));
	EXPECT_EQ(2, signals(theirs));
	EXPECT_EQ(0, guest_write(&other, 0x20, 4, 1));
	EXPECT_EQ(0, guest_write(&other, 0x20, 4, 1));
	EXPECT_EQ(2, signals(self->efd));
	EXPECT_EQ(!self->host, guest_read(&other, 0x20, 4));
	EXPECT_EQ(self->host, signals(self->efd));
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEV_MMIO, MMIO_AWAY)));
	EXPECT_CLAIMS_OF_ALL(2, 0, 4, 0);
	EXPECT_RINGS(self->efd, away + OFFSET);
	EXPECT_EQ(0, guest_write(&other, away + OFFSET, 4, 1));
	EXPECT_EQ(1, signals(self->efd));
	EXPECT_EQ(0, guest_write(&other, OFFSET, 4, 1));
	EXPECT_EQ(1, signals(theirs));
	vm_free(&other);
	EXPECT_CLAIMS(2, 0);
	EXPECT_RINGS(self->efd, away + OFFSET);
	close(theirs);
}

/* Neighbours of KVM's are found, though ours are around them. */
static void neighbours(struct __test_metadata *_metadata,
		       FIXTURE_DATA(fast) *self, uint32_t len)
{
	int i, theirs = new_eventfd();
	uint64_t offset;

	for (i = 0; i < 32; i++)
		ASSERT_EQ(0, COMMIT(self->fd,
				    RULE_ADD(DEV_MMIO, fast_bell(0x100 + 16 * i,
								 self->efd))));
	for (i = 0; i < 32; i++)
		ASSERT_EQ(0, ioeventfd(self->vm->fd,
				       MMIO_BASE + 0x108 + 16 * i, len, theirs,
				       0));
	EXPECT_CLAIMS(32, 0);
	ASSERT_LE(0, renew(self));
	EXPECT_CLAIMS(32, 0);
	for (i = 0; i < 32; i++) {
		offset = 0x100 + 16 * i;
		EXPECT_RINGS(self->efd, offset);
		EXPECT_RINGS(self->efd, offset);
		EXPECT_RINGS(theirs, offset + 8);
		EXPECT_RINGS(theirs, offset + 8);
	}
	/* they are there, and all of them, when ours have gone */
	ASSERT_EQ(0, mr_detach(self->fd, self->vm->fd));
	for (i = 0; i < 32; i++) {
		EXPECT_SILENT(self->efd, 0x100 + 16 * i);
		EXPECT_RINGS(theirs, 0x108 + 16 * i);
	}
	close(theirs);
}

TEST_F(fast, neighbours_for_any_length)
{
	neighbours(_metadata, self, 0);
}

TEST_F(fast, neighbours)
{
	neighbours(_metadata, self, 4);
}

/* ---- Many -------------------------------------------------------------- */

/* More than there may be: those at higher addresses ring the slow way. */
TEST_F_TIMEOUT(fast, too_many, 300)
{
	enum { RULES = 512 };
	struct mregion_op *ops = calloc(2 * RULES, sizeof(*ops));
	struct mregion_claim_info claim;
	struct mregion_info info;
	unsigned int i, nr;

	ASSERT_NE(NULL, ops);
	ASSERT_EQ(0, mr_info(self->fd, &info));
	for (i = 0; i < RULES; i++)
		ops[i] = RULE_ADD(DEV_MMIO, fast_bell(8 * i, self->efd));
	ASSERT_EQ(0, mr_commit(self->fd, ops, RULES));
	EXPECT_CLAIMS(RULES, 0);
	nr = info.max_fast / RULES + 1;
	for (i = 1; i < nr; i++) {
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_alias(100 + i, DEV_MMIO, 0, DEV_LEN),
				    mr_map(100 + i, 1,
					   MMIO_BASE + i * DEV_LEN, 0)));
	}
	EXPECT_CLAIMS(info.max_fast, nr * RULES - info.max_fast);
	EXPECT_EQ((int)(nr * RULES - info.max_fast),
		  claims_of(self, MREGION_CLAIM_SLOW, &claim));
	EXPECT_EQ(MMIO_BASE + 8ull * info.max_fast, claim.start);
	EXPECT_RINGS(self->efd, 0);
	EXPECT_RINGS(self->efd, 8 * info.max_fast - 8);
	EXPECT_RINGS(self->efd, 8 * info.max_fast);
	EXPECT_RINGS(self->efd, 8 * (nr * RULES - 1));
	EXPECT_FAST(self->efd, 0, true);
	EXPECT_FAST(self->efd, 8 * info.max_fast - 8, true);
	EXPECT_FAST(self->efd, 8 * info.max_fast, false);
	/* KVM has room for all of its own. */
	for (i = 0; i < 900; i++)
		if (ioeventfd(self->vm->fd, FAR_AWAY + 8 * i, 0, self->efd, 0))
			break;
	EXPECT_EQ(900, i);
	/* Room is taken by those that had none. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(101)));
	EXPECT_CLAIMS((nr - 1) * RULES, 0);
	EXPECT_RINGS(self->efd, 8 * info.max_fast);
	EXPECT_FAST(self->efd, 8 * info.max_fast, true);
	for (i = 0; i < RULES; i++)
		ops[i].code = MREGION_OP_RULE_DEL;
	ASSERT_EQ(0, mr_commit(self->fd, ops, RULES));
	EXPECT_CLAIMS(0, 0);
	free(ops);
}

static uint64_t memory_of(int fd)
{
	struct mregion_stats stats;

	return mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats) ?
	       ~0ull : stats.memory;
}

/* Room for all that there may be is charged while there are any. */
TEST_F(fast, memory)
{
	struct mregion_op op = RULE_ADD(DEV_MMIO, fast_bell(OFFSET, self->efd));
	uint64_t before = memory_of(self->fd), room;
	struct mregion_info info;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	room = 16 * info.max_fast;
	ASSERT_EQ(0, mr_commit_flags(self->fd, &op, 1, MREGION_COMMIT_DRY_RUN,
				     NULL));
	EXPECT_GT(before + room, memory_of(self->fd));
	/* no region ~0 is there */
	ASSERT_EQ(-ENOENT, COMMIT(self->fd, op, mr_unmap(~0u)));
	EXPECT_GT(before + room, memory_of(self->fd));
	ASSERT_EQ(0, mr_commit(self->fd, &op, 1));
	EXPECT_LT(before + room, memory_of(self->fd));
	ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, op.rule)));
	EXPECT_GT(before + room, memory_of(self->fd));
	EXPECT_CLAIMS(0, 0);
}

/* ---- Ends -------------------------------------------------------------- */

TEST_F(fast, detached)
{
	int i;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(OFFSET,
								   self->efd))));
	for (i = 0; i < 3; i++) {
		EXPECT_RINGS(self->efd, OFFSET);
		EXPECT_RINGS(self->efd, OFFSET);
		ASSERT_EQ(0, mr_detach(self->fd, self->vm->fd));
		EXPECT_SILENT(self->efd, OFFSET);
		ASSERT_EQ(0, mr_attach(self->fd, self->vm->fd, DEV_MEMORY, 0,
				       NULL));
	}
	EXPECT_RINGS(self->efd, OFFSET);
	/* The machine goes first, and leaves nothing. */
	close(self->fd);
	EXPECT_SILENT(self->efd, OFFSET);
	self->rig.fd = -1;
}

TEST_F(fast, vm_dies_first)
{
	struct mregion_stats stats;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, fast_bell(OFFSET,
								   self->efd))));
	EXPECT_RINGS(self->efd, OFFSET);
	EXPECT_CLAIMS(1, 0);
	vm_free(self->vm);
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEV_MMIO, MMIO_AWAY)));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(0, stats.fast + stats.slow);
	ASSERT_EQ(0, vm_create(self->vm, 1));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm->fd, DEV_MEMORY, 0, NULL));
	EXPECT_RINGS(self->efd, MMIO_AWAY - MMIO_BASE + OFFSET);
	EXPECT_FAST(self->efd, MMIO_AWAY - MMIO_BASE + OFFSET, true);
}

/* Those without such bells leave the bus alone. */
TEST_F(fast, none)
{
	struct mregion_rule rule = fast_bell(OFFSET, self->efd);
	uint64_t changed = windows_changed(self->fd);

	rule.flags &= ~MREGION_RULE_FAST;
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEV_MMIO, MMIO_AWAY)));
	EXPECT_LE(0, renew(self));
	/* that of the windows alone */
	EXPECT_EQ(changed + 1, windows_changed(self->fd));
	EXPECT_CLAIMS(0, 0);
}

/* ---- Under load -------------------------------------------------------- */

FIXTURE(load) {
	struct rig rig;
	struct load load;
	int fd;
	int efds[2];
};

FIXTURE_SETUP(load)
{
	ASSERT_EQ(0, rig_open(&self->rig, VCPUS));
	self->fd = self->rig.fd;
	self->efds[0] = new_eventfd();
	self->efds[1] = new_eventfd();
}

FIXTURE_TEARDOWN(load)
{
	close(self->efds[0]);
	close(self->efds[1]);
	rig_close(&self->rig);
}

/* A bell for each of the load's registers. */
static int add_bells(int fd, uint32_t region, int efd)
{
	int i, err = 0;

	for (i = 0; i < VCPUS && !err; i++)
		err = COMMIT(fd, RULE_ADD(region, fast_bell(8 * i, efd)));
	return err;
}

/* The region moves away and back: each write rings, or exits. */
TEST_F_TIMEOUT(load, region_moves, 240)
{
	uint64_t rung = 0;

	ASSERT_EQ(0, add_bells(self->fd, DEV_MMIO, self->efds[0]));
	ASSERT_EQ(0, load_start(&self->load, &self->rig, false));
	mr_for_a_while(LOAD_MS, rung && rig_has_exited(&self->rig)) {
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEV_MMIO, MMIO_AWAY)));
		usleep(300);
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEV_MMIO, MMIO_BASE)));
		usleep(700);
		rung += signals(self->efds[0]);
	}
	load_stop(_metadata, &self->load);
	rung += signals(self->efds[0]);
	EXPECT_LT(0, rung);
	EXPECT_LT(0, self->load.exits);
	EXPECT_EQ(self->load.writes, rung + self->load.exits);
}

/*
 * Two take each other's place: each write rings one of them. The bus stays, since there
 * is a bell at the same addresses as before.
 */
TEST_F_TIMEOUT(load, change_places, 240)
{
	uint64_t rung[2] = {}, changed;
	int i, there = 0;

	ASSERT_EQ(0, COMMIT(self->fd, dev_create(OTHER, DEV_LEN),
			    mr_map(OTHER, 1, MMIO_AWAY, 0)));
	ASSERT_EQ(0, add_bells(self->fd, DEV_MMIO, self->efds[0]));
	ASSERT_EQ(0, add_bells(self->fd, OTHER, self->efds[1]));
	changed = windows_changed(self->fd);
	ASSERT_EQ(0, load_start(&self->load, &self->rig, false));
	mr_for_a_while(LOAD_MS, rung[0] && rung[1]) {
		there = !there;
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_move(DEV_MMIO, there ? MMIO_AWAY :
							      MMIO_BASE),
				    mr_move(OTHER, there ? MMIO_BASE :
							   MMIO_AWAY)));
		usleep(300);
		for (i = 0; i < 2; i++)
			rung[i] += signals(self->efds[i]);
	}
	load_stop(_metadata, &self->load);
	EXPECT_EQ(changed, windows_changed(self->fd));
	EXPECT_EQ(0, self->load.exits);
	for (i = 0; i < 2; i++) {
		rung[i] += signals(self->efds[i]);
		EXPECT_LT(0, rung[i]);
	}
	EXPECT_EQ(self->load.writes, rung[0] + rung[1]);
}

/* Others of the region come and go, fast and not. */
TEST_F_TIMEOUT(load, neighbours_change, 240)
{
	struct mregion_rule rule = fast_bell(0x80, self->efds[1]);
	uint64_t rung = 0;

	ASSERT_EQ(0, add_bells(self->fd, DEV_MMIO, self->efds[0]));
	ASSERT_EQ(0, load_start(&self->load, &self->rig, false));
	mr_for_a_while(LOAD_MS, rung) {
		ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(DEV_MMIO, rule)));
		ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(DEV_MMIO, rule)));
		rule.flags ^= MREGION_RULE_FAST;
		rung += signals(self->efds[0]);
	}
	load_stop(_metadata, &self->load);
	rung += signals(self->efds[0]);
	EXPECT_EQ(0, self->load.exits);
	EXPECT_EQ(self->load.writes, rung);
	EXPECT_EQ(0, signals(self->efds[1]));
}

TEST_HARNESS_MAIN
