// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow registers: reads served from shared memory and writes stored there,
 * whole and at their place, with a signal when something has changed; and that
 * rules can be swapped under load.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "device_util.h"

#define VCPUS	3
#define SHADOW	1
#define OTHER	2
#define LOAD_MS	800

#define READ_RULE	MREGION_RULE_READ
#define WRITE_RULE	MREGION_RULE_WRITE
#define NOTIFY		MREGION_RULE_NOTIFY

FIXTURE(shadow) {
	struct rig rig;
	struct mr_shadow shadow;
	struct way way;
	uint32_t region;
	int fd;
	int efd;
};

FIXTURE_VARIANT(shadow) {
	struct way way;
};

FOR_EACH_WAY(shadow);

/* Memory of two pages; each byte of it says where it is. */
FIXTURE_SETUP(shadow)
{
	unsigned int i;

	if (variant->way.guest && variant->way.pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	self->way = variant->way;
	self->region = way_region(self->way);
	self->fd = self->rig.fd;
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 2 * MR_PAGE,
				      &self->shadow));
	for (i = 0; i < 2 * MR_PAGE; i++)
		self->shadow.memory[i] = i % 251;
}

FIXTURE_TEARDOWN(shadow)
{
	if (self->shadow.memory)
		mr_shadow_unmap(&self->shadow);
	close(self->efd);
	rig_close(&self->rig);
}

#define WRITE(_offset, _len, _data) \
	way_write(&self->rig, self->way, _offset, _len, _data)

#define ADD(_rule)	COMMIT(self->fd, RULE_ADD(self->region, _rule))
#define DEL(_rule)	COMMIT(self->fd, RULE_DEL(self->region, _rule))

static uint64_t bytes_at(const struct mr_shadow *shadow, uint64_t offset,
			 unsigned int len)
{
	uint64_t value = 0;

	memcpy(&value, shadow->memory + offset, len);
	return value;
}

#define EXPECT_READ(_offset, _len, _handled, _value) do {		\
	uint64_t __value = 0;						\
									\
	EXPECT_EQ(_handled, way_read(&self->rig, self->way, _offset,	\
				     _len, &__value));			\
	if (_handled) {							\
		EXPECT_EQ(_value, __value)				\
			TH_LOG("%u@%#x", (unsigned int)(_len),		\
			       (unsigned int)(_offset));		\
	}								\
} while (0)

TEST_F(shadow, reads)
{
	struct mregion_rule rule = shadow_rule(0x10, 0x20, READ_RULE, SHADOW,
					       0x808);
	unsigned int len, offset, served = 0;
	struct mregion_stats stats;

	ASSERT_EQ(0, ADD(rule));
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		for (offset = 0x10; offset < 0x30; offset += len, served++)
			EXPECT_READ(offset, len, 1,
				    bytes_at(&self->shadow,
					     0x808 + offset - 0x10, len));
		EXPECT_READ(0x10 - len, len, 0, 0);
		EXPECT_READ(0x30, len, 0, 0);
		/* Writes are the device's. */
		EXPECT_EQ(0, WRITE(0x10, len, 0));
	}
	EXPECT_EQ(0x808 % 251, self->shadow.memory[0x808]);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, self->region,
			      &stats));
	EXPECT_EQ(served, stats.outcomes[MREGION_OUTCOME_SHADOW]);
	/* What the device changes is seen by the next read. */
	self->shadow.memory[0x809] = 0xa5;
	EXPECT_READ(0x11, 1, 1, 0xa5);
	ASSERT_EQ(0, DEL(rule));
	EXPECT_READ(0x11, 1, 0, 0);
}

TEST_F(shadow, writes)
{
	struct mregion_rule rule = shadow_rule(0x10, 0x20, WRITE_RULE, SHADOW,
					       MR_PAGE - 8);
	uint8_t expected[2 * MR_PAGE];
	uint64_t value = 0x8877665544332211;
	unsigned int len, offset;

	ASSERT_EQ(0, ADD(rule));
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		for (offset = 0x10; offset < 0x30; offset += len) {
			memcpy(expected, self->shadow.memory,
			       sizeof(expected));
			memcpy(expected + MR_PAGE - 8 + offset - 0x10, &value,
			       len);
			EXPECT_EQ(1, WRITE(offset, len, value));
			EXPECT_EQ(0, memcmp(expected, self->shadow.memory,
					    sizeof(expected)));
			value = value * 3 + 1;
		}
		EXPECT_EQ(0, WRITE(0x10 - len, len, value));
		EXPECT_EQ(0, WRITE(0x30, len, value));
		/* Reads are the device's. */
		EXPECT_READ(0x10, len, 0, 0);
		EXPECT_EQ(0, memcmp(expected, self->shadow.memory,
				    sizeof(expected)));
	}
}

TEST_F(shadow, reads_and_writes)
{
	struct mregion_rule rule = shadow_rule(0x20, 0x10,
					       READ_RULE | WRITE_RULE, SHADOW,
					       0);
	unsigned int len;
	uint64_t mask;

	ASSERT_EQ(0, ADD(rule));
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		mask = ~0ull >> (64 - 8 * len);
		EXPECT_EQ(1, WRITE(0x28, len, 0x0123456789abcdef));
		EXPECT_READ(0x28, len, 1, 0x0123456789abcdef & mask);
		EXPECT_READ(0x28, 1, 1, 0xef);
	}
}

/* Reads and writes of one register may go to different places. */
TEST_F(shadow, reads_apart_from_writes)
{
	struct mr_shadow other;

	ASSERT_EQ(0, mr_shadow_create(self->fd, OTHER, 64, &other));
	ASSERT_EQ(0, ADD(shadow_rule(0x10, 8, READ_RULE, SHADOW, 0x100)));
	ASSERT_EQ(0, ADD(shadow_rule(0x10, 8, WRITE_RULE, OTHER, 8)));
	EXPECT_EQ(1, WRITE(0x10, 4, 0x12345678));
	EXPECT_EQ(0x12345678, bytes_at(&other, 8, 8));
	EXPECT_READ(0x10, 4, 1, bytes_at(&self->shadow, 0x100, 4));
	EXPECT_EQ(-EEXIST, ADD(shadow_rule(0x14, 8, READ_RULE, SHADOW, 4)));
	EXPECT_EQ(-EEXIST, ADD(shadow_rule(0x14, 8, WRITE_RULE, SHADOW, 4)));
	EXPECT_EQ(-EBUSY, mr_shadow_free(self->fd, OTHER));
	mr_shadow_unmap(&other);
}

/* A register that one size of access is for. */
TEST_F(shadow, one_size)
{
	struct mregion_rule rule = shadow_rule(0x10, 8, READ_RULE | WRITE_RULE,
					       SHADOW, 0);

	rule.access_len = 4;
	ASSERT_EQ(0, ADD(rule));
	EXPECT_EQ(1, WRITE(0x14, 4, 0x12345678));
	EXPECT_READ(0x14, 4, 1, 0x12345678);
	EXPECT_READ(0x14, 2, 0, 0);
	EXPECT_EQ(0, WRITE(0x15, 1, 0));
	EXPECT_EQ(0x12345678, bytes_at(&self->shadow, 4, 4));
	/* The others are for another rule. */
	rule.access_len = 2;
	EXPECT_EQ(0, ADD(rule));
	EXPECT_EQ(1, WRITE(0x16, 2, 0));
	EXPECT_EQ(0x5678, bytes_at(&self->shadow, 4, 4));
	rule.access_len = 0;
	EXPECT_EQ(-EEXIST, ADD(rule));
}

/* Every size and alignment, where guests have no instruction for it. */
TEST_F(shadow, odd_sizes)
{
	struct mregion_constraints any = MREGION_ANY_ACCESS;
	struct mregion_access access;
	unsigned int len, offset, i;
	uint8_t expected[64];
	uint64_t mask, value;

	if (self->way.guest)
		SKIP(return, "for the ioctl alone");
	ASSERT_EQ(0, ADD(shadow_rule(0, 64, READ_RULE | WRITE_RULE, SHADOW,
				     0)));
	/* In parts that are aligned, and, where the device can, in one. */
	for (i = 0; i < 2; i++) {
		for (len = 1; len <= 8; len++) {
			mask = ~0ull >> (64 - 8 * len);
			for (offset = 0; offset + len <= 24; offset++) {
				value = 0x8877665544332211 * (offset + 2 * i + 1);
				memcpy(expected, self->shadow.memory, 64);
				memcpy(expected + offset, &value, len);
				ASSERT_EQ(0, way_ioctl(&self->rig, self->way,
						       offset, len,
						       MREGION_ACCESS_WRITE,
						       value, &access));
				EXPECT_EQ(1, access.handled);
				EXPECT_EQ(MREGION_OUTCOME_SHADOW,
					  access.outcome);
				ASSERT_EQ(0, memcmp(expected,
						    self->shadow.memory, 64)) {
					TH_LOG("%u@%u", len, offset);
				}
				ASSERT_EQ(0, way_ioctl(&self->rig, self->way,
						       offset, len, 0, 0,
						       &access));
				EXPECT_EQ(1, access.handled);
				EXPECT_EQ(value & mask, access.data);
			}
		}
		/* What does not fit as a whole is not done by halves. */
		memcpy(expected, self->shadow.memory, 64);
		ASSERT_EQ(0, way_ioctl(&self->rig, self->way, 61, 7,
				       MREGION_ACCESS_WRITE, 0, &access));
		EXPECT_EQ(0, access.handled);
		EXPECT_EQ(0, memcmp(expected, self->shadow.memory, 64));
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_set_constraints(self->region, any)));
	}
}

/* A signal says that something is different now. */
TEST_F(shadow, notifies_of_changes)
{
	struct mregion_rule rule = shadow_rule(0x10, 0x10,
					       READ_RULE | WRITE_RULE | NOTIFY,
					       SHADOW, 0);
	unsigned int len;

	rule.eventfd = self->efd;
	ASSERT_EQ(0, ADD(rule));
	memset(self->shadow.memory, 0, 0x10);
	for (len = 1; len <= 8; len *= 2) {
		if (!way_has(self->way, len))
			continue;
		EXPECT_EQ(1, WRITE(0x18, len, 0));
		EXPECT_EQ(0, signals(self->efd));
		EXPECT_EQ(1, WRITE(0x18, len, 0xa5));
		EXPECT_EQ(1, signals(self->efd));
		EXPECT_EQ(1, WRITE(0x18, len, 0xa5));
		EXPECT_EQ(0, signals(self->efd));
		/* Any byte of it counts. */
		EXPECT_EQ(1, WRITE(0x18, len, 0xa5 | 1ull << (8 * len - 1)));
		EXPECT_EQ(len > 1, signals(self->efd));
		/* Bytes that are not written do not. */
		if (len < 8)
			EXPECT_EQ(1, WRITE(0x18, len, 1ull << 8 * len | 0xa5 |
					   1ull << (8 * len - 1)));
		EXPECT_EQ(0, signals(self->efd));
		EXPECT_READ(0x18, 1, 1, 0xa5);
		EXPECT_EQ(0, signals(self->efd));
		EXPECT_EQ(1, WRITE(0x18, len, 0));
		EXPECT_EQ(1, signals(self->efd));
	}
	/* Nor does what the device itself stores. */
	self->shadow.memory[8] = 7;
	EXPECT_EQ(0, signals(self->efd));
	EXPECT_EQ(1, WRITE(0x18, 1, 7));
	EXPECT_EQ(0, signals(self->efd));
	/* The rule has the eventfd, not its number. */
	close(self->efd);
	EXPECT_EQ(1, WRITE(0x18, 1, 8));
	self->efd = new_eventfd();
	EXPECT_EQ(1, WRITE(0x18, 1, 9));
	EXPECT_EQ(0, signals(self->efd));
}

TEST_F(shadow, bad_rules)
{
	struct mregion_rule good = shadow_rule(0x10, 8, READ_RULE, SHADOW, 8);
	struct mregion_rule rule;
	struct mr_snapshot before;

#define EXPECT_BAD(_errno, ...) do {					\
	rule = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(-(_errno), ADD(rule));				\
} while (0)

	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_BAD(ENOENT, rule.shadow = OTHER);
	EXPECT_BAD(ENOENT, rule.shadow = 0);
	EXPECT_BAD(EINVAL, rule.flags = 0);
	EXPECT_BAD(EINVAL, rule.flags |= NOTIFY; rule.eventfd = self->efd);
	EXPECT_BAD(EINVAL, rule.eventfd = self->efd);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_STORE);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_DATAMATCH);
	EXPECT_BAD(EINVAL, rule.flags |= MREGION_RULE_POSTED);
	EXPECT_BAD(EINVAL, rule.ring = 1);
	EXPECT_BAD(EINVAL, rule.access_len = 3);
	EXPECT_BAD(EINVAL, rule.access_len = 8; rule.len = 4);
	EXPECT_BAD(EINVAL, rule.access_len = 16);
	EXPECT_BAD(EINVAL, rule.index.len = 4);
	EXPECT_BAD(EINVAL, rule.datamatch = 4);
	EXPECT_BAD(EINVAL, rule.shadow_offset = 9);
	EXPECT_BAD(EINVAL, rule.shadow_offset = 2 * MR_PAGE);
	EXPECT_BAD(EINVAL, rule.shadow_offset = -8ull);
	EXPECT_BAD(EINVAL, rule.shadow_offset = 2 * MR_PAGE - 8; rule.len = 9);
	EXPECT_BAD(EINVAL, rule.len = 0);
	EXPECT_BAD(EINVAL, rule.len = -1ull);
	EXPECT_BAD(EINVAL, rule.offset = DEV_LEN);
	EXPECT_BAD(EINVAL, rule.reserved = 1);
	good.flags = WRITE_RULE | NOTIFY;
	EXPECT_BAD(EBADF, rule.eventfd = 1000);
	EXPECT_BAD(EINVAL, rule.eventfd = self->fd);
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
	/* The last bytes of the memory are to be had. */
	good.flags = READ_RULE;
	good.shadow_offset = 2 * MR_PAGE - 8;
	EXPECT_EQ(0, ADD(good));
	EXPECT_READ(0x14, 4, 1, bytes_at(&self->shadow, 2 * MR_PAGE - 4, 4));
}

/* ---- The memory -------------------------------------------------------- */

FIXTURE(memory) {
	struct mregion_info info;
	int fd;
};

FIXTURE_SETUP(memory)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_info(self->fd, &self->info));
	ASSERT_EQ(0, COMMIT(self->fd, dev_create(1, DEV_LEN),
			    mr_space(DEV_MEMORY, 1)));
}

FIXTURE_TEARDOWN(memory)
{
	close(self->fd);
}

static struct mregion_shadow_create shadow_args(uint32_t id, uint64_t len)
{
	struct mregion_shadow_create create = {
		.size = sizeof(create),
		.id = id,
		.len = len,
		.fd = -1,
	};

	return create;
}

TEST_F(memory, creation_bounds)
{
	struct mregion_shadow_create create;
	uint64_t bad[] = { 0, self->info.max_shadow_len + 1, -1ull, 1ull << 63 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		create = shadow_args(SHADOW, bad[i]);
		EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_SHADOW_CREATE,
					    &create));
	}
	create = shadow_args(0, 16);
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_SHADOW_CREATE, &create));
	create = shadow_args(SHADOW, 16);
	create.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->fd, MREGION_SHADOW_CREATE,
					&create));
	EXPECT_EQ(-ENOENT, mr_shadow_free(self->fd, SHADOW));
	create = shadow_args(SHADOW, 1);
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SHADOW_CREATE, &create));
	EXPECT_EQ(FD_CLOEXEC, fcntl(create.fd, F_GETFD));
	close(create.fd);
	create = shadow_args(SHADOW, 16);
	EXPECT_EQ(-EEXIST, mr_ioctl(self->fd, MREGION_SHADOW_CREATE, &create));
	create = shadow_args(OTHER, self->info.max_shadow_len);
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SHADOW_CREATE, &create));
	close(create.fd);
	EXPECT_EQ(0, mr_shadow_free(self->fd, SHADOW));
	EXPECT_EQ(0, mr_shadow_free(self->fd, OTHER));
	EXPECT_EQ(-ENOENT, mr_shadow_free(self->fd, OTHER));
}

TEST_F(memory, as_many_as_promised)
{
	struct mregion_shadow_create create;
	uint32_t i;

	for (i = 1; i <= self->info.max_shadows; i++) {
		create = shadow_args(i, 16);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SHADOW_CREATE,
				      &create));
		close(create.fd);
	}
	create = shadow_args(i, 16);
	EXPECT_EQ(-ENOSPC, mr_ioctl(self->fd, MREGION_SHADOW_CREATE, &create));
	EXPECT_EQ(0, mr_shadow_free(self->fd, 7));
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_SHADOW_CREATE, &create));
	close(create.fd);
}

TEST_F(memory, mapping)
{
	struct mr_shadow shadow;
	unsigned int i;
	char byte;

	/* Rounded up to whole pages, all of it zero and usable. */
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, MR_PAGE + 1, &shadow));
	for (i = 0; i < 2 * MR_PAGE && !shadow.memory[i]; i++)
		;
	EXPECT_EQ(2 * MR_PAGE, i);
	shadow.memory[2 * MR_PAGE - 1] = 1;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, shadow.fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 3 * MR_PAGE, PROT_READ, MAP_SHARED,
				   shadow.fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED,
				   shadow.fd, 2 * MR_PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED,
				   shadow.fd, 1ull << 62));
	EXPECT_EQ(MAP_FAILED, mremap(shadow.memory, 2 * MR_PAGE, 4 * MR_PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(-1, read(shadow.fd, &byte, 1));
	EXPECT_EQ(-1, write(shadow.fd, &byte, 1));
	EXPECT_EQ(-1, ftruncate(shadow.fd, 0));
	mr_shadow_unmap(&shadow);
}

/* It is there as long as anybody has it. */
TEST_F(memory, outlives_its_machine)
{
	struct mregion_access access;
	struct mr_shadow shadow, other;
	uint8_t *again;

	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64, &shadow));
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_ADD(1, shadow_rule(0, 64, WRITE_RULE, SHADOW,
						    0))));
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 8, 4, 0xabcd, &access));
	EXPECT_EQ(-EBUSY, mr_shadow_free(self->fd, SHADOW));
	ASSERT_EQ(0, COMMIT(self->fd,
			    RULE_DEL(1, shadow_rule(0, 64, WRITE_RULE, SHADOW,
						    0))));
	EXPECT_EQ(0, mr_shadow_free(self->fd, SHADOW));
	/* One of the same ID is other memory. */
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64, &other));
	EXPECT_EQ(0, bytes_at(&other, 8, 4));
	EXPECT_EQ(0xabcd, bytes_at(&shadow, 8, 4));
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	again = mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED, shadow.fd, 0);
	ASSERT_NE(MAP_FAILED, again);
	shadow.memory[9] = 0x11;
	EXPECT_EQ(0x11, again[9]);
	mr_shadow_unmap(&shadow);
	EXPECT_EQ(0xcd, again[8]);
	munmap(again, MR_PAGE);
	mr_shadow_unmap(&other);
}

/* ---- Under load -------------------------------------------------------- */

#define STOP_WORD	0x9000u		/* in the guest's RAM */

FIXTURE(torn) {
	struct rig rig;
	struct mr_shadow shadow;
};

FIXTURE_VARIANT(torn) {
	const struct guest_code *read, *write;
	unsigned int len;
	bool pio;
};

#define TORN(_bus, _len, _pio)						\
FIXTURE_VARIANT_ADD(torn, _bus##_len) {					\
	.read = &guest_torn_##_bus##_read##_len,			\
	.write = &guest_torn_##_bus##_write##_len,			\
	.len = _len, .pio = _pio,					\
}

TORN(mmio, 2, false);
TORN(mmio, 4, false);
TORN(mmio, 8, false);
#if VM_HAS_PORTS
TORN(pio, 2, true);
TORN(pio, 4, true);
#endif

FIXTURE_SETUP(torn)
{
	ASSERT_EQ(0, rig_open(&self->rig, VCPUS));
	ASSERT_EQ(0, mr_shadow_create(self->rig.fd, SHADOW, 64,
				      &self->shadow));
	ASSERT_EQ(0, COMMIT(self->rig.fd,
			    RULE_ADD(variant->pio ? DEV_PORTS : DEV_MMIO,
				     shadow_rule(0, 64, READ_RULE | WRITE_RULE,
						 SHADOW, 0))));
}

FIXTURE_TEARDOWN(torn)
{
	mr_shadow_unmap(&self->shadow);
	rig_close(&self->rig);
}

struct runner {
	pthread_t thread;
	struct vcpu *vcpu;
	unsigned long exits;
	int err;
};

static void *runner_thread(void *arg)
{
	struct runner *runner = arg;

	runner->err = vcpu_until_end(runner->vcpu, &runner->exits);
	return NULL;
}

static void store(void *to, unsigned int len, uint64_t value)
{
	if (len == 2)
		__atomic_store_n((uint16_t *)to, value, __ATOMIC_RELAXED);
	else if (len == 4)
		__atomic_store_n((uint32_t *)to, value, __ATOMIC_RELAXED);
	else
		__atomic_store_n((uint64_t *)to, value, __ATOMIC_RELAXED);
}

/* The first vCPU and this thread write, the others read. */
TEST_F_TIMEOUT(torn, never, 120)
{
	uint64_t ones = 0x0101010101010101, deadline, i;
	struct runner runners[VCPUS] = {};
	struct guest_regs regs;

	for (i = 0; i < VCPUS; i++) {
		regs = (struct guest_regs){
			.addr = MMIO_BASE + 8,
			.port = PIO_BASE + 8,
			.arg[0] = STOP_WORD,
		};
		runners[i].vcpu = &self->rig.vm.vcpus[i];
		ASSERT_EQ(0, vcpu_start(runners[i].vcpu,
					i ? variant->read : variant->write,
					regs));
	}
	for (i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, pthread_create(&runners[i].thread, NULL,
					    runner_thread, &runners[i]));
	deadline = mr_now_ms() + LOAD_MS;
	for (i = 0; mr_now_ms() < deadline; i++)
		store(self->shadow.memory + 8, variant->len,
		      ones * (i & 0xff));
	store(self->rig.vm.ram + STOP_WORD, 4, 1);
	for (i = 0; i < VCPUS; i++) {
		pthread_join(runners[i].thread, NULL);
		EXPECT_EQ(0, runners[i].err);
		EXPECT_EQ(0, runners[i].exits);
		ASSERT_EQ(0, vcpu_regs(runners[i].vcpu, &regs));
		EXPECT_EQ(0, regs.count) {
			TH_LOG("%llu of %llu reads torn",
			       (unsigned long long)regs.count,
			       (unsigned long long)regs.number);
		}
		EXPECT_LT(1, regs.number);
	}
}

FIXTURE(load) {
	struct rig rig;
	struct load load;
	struct mr_shadow shadows[2];
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
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW, 64,
				      &self->shadows[0]));
	ASSERT_EQ(0, mr_shadow_create(self->fd, OTHER, 64, &self->shadows[1]));
}

FIXTURE_TEARDOWN(load)
{
	mr_shadow_unmap(&self->shadows[0]);
	mr_shadow_unmap(&self->shadows[1]);
	rig_close(&self->rig);
}

/* The last of what each vCPU wrote is in one of the memories. */
static bool last_is_there(FIXTURE_DATA(load) *self, unsigned int vcpu)
{
	uint64_t last = self->load.writers[vcpu].writes;

	return bytes_at(&self->shadows[0], 8 * vcpu, 4) == last ||
	       bytes_at(&self->shadows[1], 8 * vcpu, 4) == last;
}

/* As each vCPU writes something new each time, each write is signalled once. */
static struct mregion_rule notifying(uint32_t shadow, int efd)
{
	struct mregion_rule rule = shadow_rule(0, 8 * VCPUS,
					       WRITE_RULE | NOTIFY, shadow, 0);

	rule.eventfd = efd;
	return rule;
}

/* All writes are stored in the one memory or the other. */
TEST_F_TIMEOUT(load, memories_swapped, 120)
{
	const int efds[2] = { new_eventfd(), new_eventfd() };
	const struct mregion_rule rules[2] = {
		notifying(SHADOW, efds[0]), notifying(OTHER, efds[1]),
	};
	unsigned int i;

	swap_rules(_metadata, &self->load, &self->rig, variant->pio, rules,
		   efds, LOAD_MS);
	for (i = 0; i < VCPUS; i++)
		EXPECT_TRUE(last_is_there(self, i));
	close(efds[0]);
	close(efds[1]);
}

/* Each write is either stored or exits. */
TEST_F_TIMEOUT(load, rule_comes_and_goes, 120)
{
	int efd = new_eventfd();

	come_and_go(_metadata, &self->load, &self->rig, variant->pio,
		    notifying(SHADOW, efd), efd, MREGION_OUTCOME_SHADOW,
		    LOAD_MS);
	close(efd);
}

/* The device moves, and its memory is freed and made anew while it is away. */
TEST_F_TIMEOUT(load, memory_replaced, 120)
{
	struct mregion_rule rule = shadow_rule(0, 8 * VCPUS,
					       READ_RULE | WRITE_RULE, 3, 0);
	uint32_t home = variant->pio ? PIO_BASE : MMIO_BASE;
	uint32_t away = variant->pio ? PIO_AWAY : MMIO_AWAY;
	unsigned int stored = 0;
	struct mr_shadow shadow;

	ASSERT_EQ(0, load_start(&self->load, &self->rig, variant->pio));
	mr_for_a_while(LOAD_MS, stored && rig_has_exited(&self->rig)) {
		ASSERT_EQ(0, mr_shadow_create(self->fd, 3, 64, &shadow));
		ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(self->region, rule),
				    mr_move(self->region, home)));
		usleep(1000);
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(self->region, away)));
		ASSERT_EQ(0, COMMIT(self->fd, RULE_DEL(self->region, rule)));
		ASSERT_EQ(0, mr_shadow_free(self->fd, 3));
		stored += !!bytes_at(&shadow, 0, 4);
		mr_shadow_unmap(&shadow);
	}
	load_stop(_metadata, &self->load);
	EXPECT_LT(0, stored);
	EXPECT_LT(0, self->load.exits);
	EXPECT_GT(self->load.writes, self->load.exits);
}

TEST_HARNESS_MAIN
