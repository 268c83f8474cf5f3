// SPDX-License-Identifier: GPL-2.0
/*
 * Data registers: shadows whose place in the memory an index register selects. What is
 * refused, PCI's configuration mechanism 1 as a VMM would have it, and several vCPUs at a
 * pair of registers while rules and memory change.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "device_util.h"

#define SHOWN	1		/* memories */
#define INDICES	2
#define OTHER	3

#define READ	MREGION_RULE_READ
#define WRITE	MREGION_RULE_WRITE

/* Registers of the pair, in the device. */
#define ADDRESS	0
#define DATA	4

#define ENABLE		0x80000000u
#define FUNCTION(bus, dev, fn) \
	(ENABLE | (uint32_t)(bus) << 16 | (dev) << 11 | (fn) << 8)
#define CONFIG_LEN	0x100u

static struct mregion_rule address_rule(void)
{
	struct mregion_rule rule = shadow_rule(ADDRESS, 4, READ | WRITE, INDICES,
					       0);

	rule.access_len = 4;
	return rule;
}

/* Functions from one to another, each as the registers at an offset of a memory. */
static struct mregion_rule config_rule(uint32_t first, uint32_t last, uint32_t id,
				       uint64_t offset)
{
	struct mregion_rule rule = indexed_rule(DATA, READ, id, offset, INDICES,
						0);

	rule.index.bits = 0xfffffffc;
	rule.index.first = first;
	rule.index.last = last + 0xfc;
	rule.index.select = 0xfc;
	return rule;
}

/* ---- Refusals ---------------------------------------------------------- */

FIXTURE(refused) {
	struct rig rig;
	struct mr_shadow shown, indices;
	int fd;
};

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, rig_open_machine(&self->rig));
	self->fd = self->rig.fd;
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHOWN, MR_PAGE, &self->shown));
	ASSERT_EQ(0, mr_shadow_create(self->fd, INDICES, MR_PAGE,
				      &self->indices));
}

FIXTURE_TEARDOWN(refused)
{
	mr_shadow_unmap(&self->shown);
	mr_shadow_unmap(&self->indices);
	rig_close(&self->rig);
}

#define ADD(_rule)	COMMIT(self->fd, RULE_ADD(DEV_MMIO, _rule))
#define DEL(_rule)	COMMIT(self->fd, RULE_DEL(DEV_MMIO, _rule))

/* One change makes a good rule one that is refused. */
#define EXPECT_REFUSED(_errno, ...) do {				\
	struct mregion_rule rule = good;				\
	__VA_ARGS__;							\
	EXPECT_EQ(-(_errno), ADD(rule)) {				\
		TH_LOG("%s", #__VA_ARGS__);				\
		DEL(rule);						\
	}								\
} while (0)

#define EXPECT_TAKEN(...) do {						\
	struct mregion_rule rule = good;				\
	__VA_ARGS__;							\
	EXPECT_EQ(0, ADD(rule)) {					\
		TH_LOG("%s", #__VA_ARGS__);				\
	}								\
	EXPECT_EQ(0, DEL(rule));					\
} while (0)

TEST_F(refused, members)
{
	const struct mregion_rule good = config_rule(FUNCTION(0, 1, 0),
						     FUNCTION(0, 1, 0), SHOWN,
						     0x40);
	struct mregion_info info;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	EXPECT_TRUE(info.features & MREGION_FEATURE_INDEXED);
	EXPECT_TAKEN();
	EXPECT_REFUSED(ENOENT, rule.shadow = OTHER);
	EXPECT_REFUSED(ENOENT, rule.index.shadow = OTHER);
	EXPECT_REFUSED(ENOENT, rule.index.shadow = 0);
	EXPECT_REFUSED(EINVAL, rule.index.len = 0);
	EXPECT_REFUSED(EINVAL, rule.index.len = 3);
	EXPECT_REFUSED(EINVAL, rule.index.len = 8);
	EXPECT_REFUSED(EINVAL, rule.index.offset = 2);
	EXPECT_REFUSED(EINVAL, rule.index.offset = MR_PAGE);
	EXPECT_REFUSED(EINVAL, rule.index.offset = -4ull);
	EXPECT_TAKEN(rule.index.offset = MR_PAGE - 4);
	EXPECT_REFUSED(EINVAL, rule.index.reserved = 1);
	EXPECT_REFUSED(EINVAL, rule.index.first = rule.index.last + 4);
	EXPECT_REFUSED(EINVAL, rule.index.last |= 1);
	EXPECT_REFUSED(EINVAL, rule.index.first |= 2);
	EXPECT_REFUSED(EINVAL, rule.index.len = 2);
	EXPECT_REFUSED(EINVAL, rule.index.shift = 32);
	EXPECT_REFUSED(EINVAL, rule.index.shift = -32);
	EXPECT_REFUSED(EINVAL, rule.index.shift = INT32_MIN);
	/* Places are to be as aligned as the register is. */
	EXPECT_REFUSED(EINVAL, rule.index.select = 0xfe);
	EXPECT_REFUSED(EINVAL, rule.index.shift = -1);
	EXPECT_TAKEN(rule.index.select = 0xfe, rule.len = 2);
	EXPECT_TAKEN(rule.index.select = 0xff, rule.len = 1);
	EXPECT_TAKEN(rule.index.select = 0xf0, rule.index.shift = -2);
	EXPECT_REFUSED(EINVAL, rule.shadow_offset = 0x42);
	/* The highest place is to be in the memory. */
	EXPECT_TAKEN(rule.shadow_offset = MR_PAGE - 0x100);
	EXPECT_REFUSED(EINVAL, rule.shadow_offset = MR_PAGE - 0xfc);
	EXPECT_REFUSED(EINVAL, rule.shadow_offset = -0x100ull);
	EXPECT_TAKEN(rule.index.shift = 3);
	EXPECT_REFUSED(EINVAL, rule.index.shift = 4);
	EXPECT_REFUSED(EINVAL, rule.index.shift = 31);
	EXPECT_TAKEN(rule.index.select = 0, rule.index.shift = 31);
	EXPECT_TAKEN(rule.index.shift = -31, rule.index.select = 0x7fffffff);
	/* Which accesses it is for. */
	EXPECT_REFUSED(EINVAL, rule.len = 0);
	EXPECT_REFUSED(EINVAL, rule.access_len = 8);
	EXPECT_REFUSED(EINVAL, rule.access_len = 3);
	EXPECT_TAKEN(rule.access_len = 4);
	EXPECT_REFUSED(EINVAL, rule.flags &= ~READ);
	EXPECT_REFUSED(EINVAL, rule.flags |= MREGION_RULE_NOTIFY);
	/* Of nothing but shadows. */
	EXPECT_REFUSED(EINVAL, rule.flags |= MREGION_RULE_STORE);
	EXPECT_REFUSED(EINVAL, rule.kind = MREGION_RULE_COALESCE);
	EXPECT_REFUSED(EINVAL, rule.kind = MREGION_RULE_DOORBELL);
	EXPECT_REFUSED(EINVAL, rule.flags &= ~MREGION_RULE_INDEXED);
	/* What is deleted is equal in all members. */
	ASSERT_EQ(0, ADD(good));
	EXPECT_EQ(-ENOENT, DEL(config_rule(FUNCTION(0, 1, 0), FUNCTION(0, 2, 0),
					   SHOWN, 0x40)));
	EXPECT_EQ(-ENOENT, DEL(config_rule(FUNCTION(0, 1, 0), FUNCTION(0, 1, 0),
					   SHOWN, 0x44)));
	EXPECT_EQ(0, DEL(good));
}

/* Both memories are in use as long as the rule is there. */
TEST_F(refused, memory_freed)
{
	struct mregion_rule rule = config_rule(FUNCTION(0, 1, 0),
					       FUNCTION(0, 1, 0), SHOWN, 0);

	ASSERT_EQ(0, ADD(rule));
	EXPECT_EQ(-EBUSY, mr_shadow_free(self->fd, SHOWN));
	EXPECT_EQ(-EBUSY, mr_shadow_free(self->fd, INDICES));
	ASSERT_EQ(0, DEL(rule));
	EXPECT_EQ(0, mr_shadow_free(self->fd, SHOWN));
	EXPECT_EQ(0, mr_shadow_free(self->fd, INDICES));
}

TEST_F(refused, overlapping)
{
	const struct mregion_rule good = config_rule(FUNCTION(0, 1, 0),
						     FUNCTION(0, 3, 7), SHOWN,
						     0);

	ASSERT_EQ(0, ADD(good));
	EXPECT_REFUSED(EEXIST);
	EXPECT_REFUSED(EEXIST, rule.index.last = rule.index.first);
	EXPECT_REFUSED(EEXIST, rule.index.first = FUNCTION(0, 3, 7),
		       rule.index.last = FUNCTION(0, 31, 7));
	EXPECT_TAKEN(rule.index.first = FUNCTION(0, 4, 0),
		     rule.index.last = FUNCTION(0, 31, 7));
	EXPECT_TAKEN(rule.index.first = FUNCTION(0, 0, 0),
		     rule.index.last = FUNCTION(0, 0, 7) + 0xfc);
	EXPECT_TAKEN(rule.flags ^= READ | WRITE);
	/* Nobody looks whether other registers can select at the same time. */
	EXPECT_REFUSED(EEXIST, rule.index.offset = 8, rule.index.first = 0,
		       rule.index.last = 4);
	EXPECT_REFUSED(EEXIST, rule.index.bits = 0x3c, rule.index.first = 0,
		       rule.index.last = 4);
	EXPECT_REFUSED(EEXIST, rule.offset = DATA + 2, rule.len = 2,
		       rule.index.first = 0, rule.index.last = 4);
	EXPECT_TAKEN(rule.offset = DATA + 4, rule.index.offset = 8);
	/* Nor shadows without an index. */
	EXPECT_EQ(-EEXIST, ADD(shadow_rule(DATA, 4, READ, SHOWN, 4)));
	EXPECT_EQ(0, ADD(shadow_rule(DATA, 4, WRITE, SHOWN, 4)));
	EXPECT_REFUSED(EEXIST, rule.flags ^= READ | WRITE);
}

TEST_F(refused, too_many)
{
	struct mregion_rule rule;
	struct mregion_info info;
	unsigned int i;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ASSERT_LT(1, info.max_indices);
	for (i = 0; i < info.max_indices; i++) {
		rule = config_rule(FUNCTION(0, 1, 0), FUNCTION(0, 1, 0), SHOWN,
				   0);
		rule.offset += 4 * i;
		ASSERT_EQ(0, ADD(rule));
	}
	rule.offset += 4;
	EXPECT_EQ(-ENOSPC, ADD(rule));
	/* Other ranges of one that is there are no more of them. */
	rule = config_rule(FUNCTION(0, 2, 0), FUNCTION(0, 2, 0), SHOWN, 0);
	EXPECT_EQ(0, ADD(rule));
	rule.flags ^= READ | WRITE;
	EXPECT_EQ(-ENOSPC, ADD(rule));
}

/* ---- Mechanism 1 ------------------------------------------------------- */

FIXTURE(pci) {
	struct rig rig;
	struct mr_shadow shown, indices, other;
	struct way way;
	uint32_t region;
	int fd;
};

FIXTURE_VARIANT(pci) {
	struct way way;
};

FOR_EACH_WAY(pci);

FIXTURE_SETUP(pci)
{
	unsigned int i;

	if (variant->way.guest && variant->way.pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	self->way = variant->way;
	self->region = way_region(self->way);
	self->fd = self->rig.fd;
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHOWN, 16 * CONFIG_LEN,
				      &self->shown));
	ASSERT_EQ(0, mr_shadow_create(self->fd, INDICES, 16, &self->indices));
	ASSERT_EQ(0, mr_shadow_create(self->fd, OTHER, MR_PAGE, &self->other));
	for (i = 0; i < 16 * CONFIG_LEN; i++)
		self->shown.memory[i] = i % 251 + 1;
	memset(self->other.memory, 0xff, MR_PAGE);
}

FIXTURE_TEARDOWN(pci)
{
	mr_shadow_unmap(&self->shown);
	mr_shadow_unmap(&self->indices);
	mr_shadow_unmap(&self->other);
	rig_close(&self->rig);
}

#undef ADD
#undef DEL
#define ADD(_rule)	RULE_ADD(self->region, _rule)
#define DEL(_rule)	RULE_DEL(self->region, _rule)

static uint64_t bytes_at(const uint8_t *memory, unsigned int len)
{
	uint64_t value = 0;

	memcpy(&value, memory, len);
	return value;
}

static bool select_by(FIXTURE_DATA(pci) *self, uint32_t address)
{
	return way_write(&self->rig, self->way, ADDRESS, 4, address) == 1;
}

/* All sizes at all places of all registers of a function are as in memory; NULL: exit. */
static bool shows(FIXTURE_DATA(pci) *self, uint32_t function,
		  const uint8_t *memory)
{
	unsigned int reg, len, at;
	uint64_t value;
	int handled;

	for (reg = 0; reg < CONFIG_LEN; reg += 4) {
		if (!select_by(self, function | reg))
			return false;
		for (len = 1; len <= 4; len *= 2)
			for (at = 0; at < 4; at += len) {
				handled = way_read(&self->rig, self->way,
						   DATA + at, len, &value);
				if (handled != !!memory)
					return false;
				if (handled && value != bytes_at(memory + reg + at, len))
					return false;
			}
		/* one is enough of what is the VMM's */
		if (!memory)
			break;
	}
	return true;
}

/* A few functions, some that are not there, and some that are the VMM's. */
TEST_F_TIMEOUT(pci, functions, 120)
{
	struct mregion_stats stats;
	uint64_t value, none = 0;

	ASSERT_EQ(0, COMMIT(self->fd, ADD(address_rule()),
			    ADD(config_rule(FUNCTION(0, 0, 0),
					    FUNCTION(0, 0, 0), SHOWN, 0)),
			    ADD(config_rule(FUNCTION(0, 0, 1),
					    FUNCTION(0, 2, 7), OTHER, 0)),
			    ADD(config_rule(FUNCTION(0, 3, 0),
					    FUNCTION(0, 3, 0), SHOWN, 0x300)),
			    ADD(config_rule(FUNCTION(0, 3, 1),
					    FUNCTION(0, 4, 7), OTHER, 0)),
			    ADD(config_rule(FUNCTION(0, 6, 0),
					    FUNCTION(255, 31, 7), OTHER, 0))));
	EXPECT_TRUE(shows(self, FUNCTION(0, 0, 0), self->shown.memory));
	EXPECT_TRUE(shows(self, FUNCTION(0, 0, 1), self->other.memory));
	EXPECT_TRUE(shows(self, FUNCTION(0, 2, 7), self->other.memory));
	EXPECT_TRUE(shows(self, FUNCTION(0, 3, 0), self->shown.memory + 0x300));
	EXPECT_TRUE(shows(self, FUNCTION(0, 3, 7), self->other.memory));
	EXPECT_TRUE(shows(self, FUNCTION(0, 5, 0), NULL));
	EXPECT_TRUE(shows(self, FUNCTION(0, 5, 7), NULL));
	EXPECT_TRUE(shows(self, FUNCTION(0, 6, 0), self->other.memory));
	EXPECT_TRUE(shows(self, FUNCTION(255, 31, 7), self->other.memory));
	/* Without the bit that enables it, and beyond all functions. */
	EXPECT_TRUE(shows(self, 0, NULL));
	EXPECT_TRUE(shows(self, FUNCTION(0, 3, 0) & ~ENABLE, NULL));
	EXPECT_TRUE(shows(self, 0xff000000, NULL));

	/* Bits that are in no mask do not matter, and the address reads as written. */
	ASSERT_TRUE(select_by(self, FUNCTION(0, 3, 0) | 7));
	EXPECT_EQ(1, way_read(&self->rig, self->way, DATA, 4, &value));
	EXPECT_EQ(bytes_at(self->shown.memory + 0x304, 4), value);
	EXPECT_EQ(1, way_read(&self->rig, self->way, ADDRESS, 4, &value));
	EXPECT_EQ(FUNCTION(0, 3, 0) | 7, value);
	/* Other sizes are none of that register. */
	EXPECT_EQ(0, way_read(&self->rig, self->way, ADDRESS, 2, &none));
	EXPECT_EQ(0, way_write(&self->rig, self->way, ADDRESS + 1, 1, 6));
	EXPECT_EQ(FUNCTION(0, 3, 0) | 7, bytes_at(self->indices.memory, 4));
	/* Writes are the device's. */
	EXPECT_EQ(0, way_write(&self->rig, self->way, DATA, 4, 6));

	/* What the VMM changes is there. */
	self->shown.memory[0x304] ^= 0x55;
	EXPECT_EQ(1, way_read(&self->rig, self->way, DATA, 1, &value));
	EXPECT_EQ(self->shown.memory[0x304], value);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, self->region,
			      &stats));
	EXPECT_LT(1000, stats.outcomes[MREGION_OUTCOME_SHADOW]);

	/* A function goes, and another takes its place with other memory. */
	ASSERT_EQ(0, COMMIT(self->fd,
			    DEL(config_rule(FUNCTION(0, 3, 0),
					    FUNCTION(0, 3, 0), SHOWN, 0x300)),
			    ADD(config_rule(FUNCTION(0, 3, 0),
					    FUNCTION(0, 3, 0), SHOWN, 0x500))));
	EXPECT_TRUE(shows(self, FUNCTION(0, 3, 0), self->shown.memory + 0x500));
}

/* An index of one byte, at each place in a word, and of two. */
TEST_F(pci, other_indices)
{
	struct mregion_rule rule = indexed_rule(DATA, READ, SHOWN, 0, INDICES, 0);
	unsigned int i, len;
	uint64_t value;

	for (len = 1; len <= 2; len++)
		for (i = 0; i < 16; i += len) {
			memset(self->indices.memory, 0xff, 16);
			rule.index.offset = i;
			rule.index.len = len;
			rule.index.bits = 0x7f;
			rule.index.first = 3;
			rule.index.last = 0x7f;
			rule.index.select = 0x7f;
			rule.index.shift = 3;
			ASSERT_EQ(0, COMMIT(self->fd, ADD(rule)));
			self->indices.memory[i] = 0x80 + 5 * len + i;
			EXPECT_EQ(1, way_read(&self->rig, self->way, DATA, 4,
					      &value));
			EXPECT_EQ(bytes_at(self->shown.memory +
					   8 * (5 * len + i), 4), value);
			self->indices.memory[i] = 2;
			EXPECT_EQ(0, way_read(&self->rig, self->way, DATA, 4,
					      &value));
			ASSERT_EQ(0, COMMIT(self->fd, DEL(rule)));
		}
}

/* Writes go to the place that is selected, and signal. */
TEST_F(pci, writes)
{
	struct mregion_rule rule = indexed_rule(DATA, READ | WRITE, SHOWN, 0x80,
						INDICES, 0);
	int efd = new_eventfd();
	uint8_t expected[2 * CONFIG_LEN];

	ASSERT_LE(0, efd);
	rule.flags |= MREGION_RULE_NOTIFY;
	rule.eventfd = efd;
	rule.index.bits = rule.index.select = 0x7c;
	rule.index.last = 0x3c;
	ASSERT_EQ(0, COMMIT(self->fd, ADD(address_rule()), ADD(rule)));
	memcpy(expected, self->shown.memory, sizeof(expected));
	expected[0x80 + 0x14 + 2] = 0xee;
	ASSERT_TRUE(select_by(self, 0x14));
	EXPECT_EQ(1, way_write(&self->rig, self->way, DATA + 2, 1, 0xee));
	EXPECT_EQ(0, memcmp(expected, self->shown.memory, sizeof(expected)));
	EXPECT_EQ(1, signals(efd));
	EXPECT_EQ(1, way_write(&self->rig, self->way, DATA + 2, 1, 0xee));
	EXPECT_EQ(0, signals(efd));
	ASSERT_TRUE(select_by(self, 0x40));
	EXPECT_EQ(0, way_write(&self->rig, self->way, DATA, 4, 0));
	EXPECT_EQ(0, memcmp(expected, self->shown.memory, sizeof(expected)));
	close(efd);
}

/* A write of both registers does not go by the index from before. */
TEST_F(pci, index_and_data_at_once)
{
	struct mregion_constraints bytes = { .valid_max = 1, .impl_max = 1 };
	struct mregion_rule rule = indexed_rule(1, READ | WRITE, SHOWN, 0, INDICES,
						0);
	uint8_t expected[2 * CONFIG_LEN];
	uint64_t value;

	rule.len = rule.index.len = 1;
	rule.index.bits = rule.index.select = rule.index.last = 0xff;
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(self->region, bytes),
			    ADD(shadow_rule(0, 1, READ | WRITE, INDICES, 0)),
			    ADD(rule)));
	memcpy(expected, self->shown.memory, sizeof(expected));
	/* All of it is the VMM's, which makes it part by part. */
	EXPECT_EQ(0, way_write(&self->rig, self->way, 0, 2, 0x0f02));
	EXPECT_EQ(0, self->indices.memory[0]);
	EXPECT_EQ(0, memcmp(expected, self->shown.memory, sizeof(expected)));
	EXPECT_EQ(1, way_write(&self->rig, self->way, 0, 1, 2));
	EXPECT_EQ(1, way_write(&self->rig, self->way, 1, 1, 0xf));
	expected[2] = 0xf;
	EXPECT_EQ(0, memcmp(expected, self->shown.memory, sizeof(expected)));
	/* Nothing changes while it is read. */
	EXPECT_EQ(1, way_read(&self->rig, self->way, 0, 2, &value));
	EXPECT_EQ(0x0f02, value);
	/* An index that no part of the write changes. */
	ASSERT_EQ(0, COMMIT(self->fd,
			    DEL(shadow_rule(0, 1, READ | WRITE, INDICES, 0)),
			    ADD(shadow_rule(0, 1, READ | WRITE, OTHER, 0))));
	EXPECT_EQ(1, way_write(&self->rig, self->way, 0, 2, 0x1103));
	expected[2] = 0x11;
	EXPECT_EQ(0, memcmp(expected, self->shown.memory, sizeof(expected)));
}

/* ---- Several vCPUs ----------------------------------------------------- */

#define VCPUS		3
#define PLACES		64u		/* of 4 bytes; the low half says which */
#define STOP_WORD	0x9000u		/* in the guest's RAM; then, whose turn it is */

FIXTURE(pair) {
	struct rig rig;
	struct mr_shadow shown[2], indices;
	uint32_t region;
	bool pio;
	int fd;
};

FIXTURE_VARIANT(pair) {
	bool pio;
};

FIXTURE_VARIANT_ADD(pair, mmio) { };
FIXTURE_VARIANT_ADD(pair, pio) { .pio = true, };

static void show_place(struct mr_shadow *shadow, unsigned int i,
		       uint32_t version)
{
	__atomic_store_n((uint32_t *)shadow->memory + i, version << 16 | 4 * i,
			 __ATOMIC_RELEASE);
}

FIXTURE_SETUP(pair)
{
	unsigned int i;

	if (variant->pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	ASSERT_EQ(0, rig_open(&self->rig, VCPUS));
	self->fd = self->rig.fd;
	self->pio = variant->pio;
	self->region = variant->pio ? DEV_PORTS : DEV_MMIO;
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHOWN, MR_PAGE,
				      &self->shown[0]));
	ASSERT_EQ(0, mr_shadow_create(self->fd, OTHER, MR_PAGE,
				      &self->shown[1]));
	ASSERT_EQ(0, mr_shadow_create(self->fd, INDICES, MR_PAGE,
				      &self->indices));
	for (i = 0; i < PLACES; i++) {
		show_place(&self->shown[0], i, 0);
		show_place(&self->shown[1], i, 1);
	}
	ASSERT_EQ(0, COMMIT(self->fd, ADD(address_rule())));
}

FIXTURE_TEARDOWN(pair)
{
	mr_shadow_unmap(&self->shown[0]);
	mr_shadow_unmap(&self->shown[1]);
	mr_shadow_unmap(&self->indices);
	rig_close(&self->rig);
}

struct runner {
	pthread_t thread;
	struct vcpu *vcpu;
	const struct mr_shadow *indices;
	unsigned long exits;
	int err;
};

/* As a VMM: what is the data register's is selected by the index that it keeps. */
static int answer(struct runner *runner)
{
	uint32_t index = __atomic_load_n((uint32_t *)runner->indices->memory,
					 __ATOMIC_ACQUIRE);
	struct vcpu_exit exit;

	if (!vcpu_exit_access(runner->vcpu, &exit) || exit.write || exit.len != 4)
		return -EPROTO;
	memcpy(exit.data, &index, 4);
	runner->exits++;
	return 0;
}

static void *runner_thread(void *arg)
{
	struct runner *runner = arg;
	int reason;

	do {
		reason = vcpu_run(runner->vcpu);
		if (reason == VCPU_ENDED)
			return NULL;
		runner->err = reason == -EINTR ? 0 :
			      reason < 0 ? reason : answer(runner);
	} while (!runner->err);
	return NULL;
}

static const struct guest_code *pair_code(bool pio)
{
#if VM_HAS_PORTS
	if (pio)
		return &guest_pio_pair;
#endif
	return pio ? NULL : &guest_mmio_pair;
}

static int pair_start(FIXTURE_DATA(pair) *self, struct runner *runners)
{
	unsigned int i;
	int err;

	for (i = 0; i < VCPUS; i++) {
		const struct guest_regs regs = {
			.addr = MMIO_BASE,
			.port = PIO_BASE,
			.number = i * 7,
			.arg = { i, (i + 1) % VCPUS, STOP_WORD },
		};

		runners[i] = (struct runner){
			.vcpu = &self->rig.vm.vcpus[i],
			.indices = &self->indices,
		};
		err = vcpu_start(runners[i].vcpu, pair_code(self->pio), regs);
		if (err)
			return err;
	}
	for (i = 0; i < VCPUS; i++) {
		err = -pthread_create(&runners[i].thread, NULL, runner_thread,
				      &runners[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Stop the vCPUs; how many accesses have exited. Each has seen right values only. */
static unsigned long pair_end(struct __test_metadata *_metadata,
			      FIXTURE_DATA(pair) *self, struct runner *runners)
{
	struct guest_regs regs;
	unsigned long exits = 0;
	unsigned int i;

	__atomic_store_n((uint32_t *)(self->rig.vm.ram + STOP_WORD), 1,
			 __ATOMIC_RELEASE);
	for (i = 0; i < VCPUS; i++) {
		pthread_join(runners[i].thread, NULL);
		EXPECT_EQ(0, runners[i].err);
		EXPECT_EQ(0, vcpu_regs(runners[i].vcpu, &regs));
		EXPECT_EQ(0, regs.count);
		EXPECT_LT(i * 7 + 2, regs.number);
		exits += runners[i].exits;
	}
	return exits;
}

/* Places from one to before another, in one of the memories. */
static struct mregion_rule places(unsigned int from, unsigned int end,
				  unsigned int memory)
{
	struct mregion_rule rule = indexed_rule(DATA, READ,
						memory ? OTHER : SHOWN, 0,
						INDICES, 0);

	rule.index.bits = rule.index.select = 4 * PLACES - 4;
	rule.index.first = 4 * from;
	rule.index.last = 4 * end - 4;
	return rule;
}

#define LOAD_MS		800
#define LOAD_READS	(32 * VCPUS)

/* Whether all vCPUs have had enough turns to tell anything. */
static bool pair_was_used(FIXTURE_DATA(pair) *self)
{
	struct mregion_stats stats;

	return !mr_stats(self->fd, MREGION_OBJECT_REGION, self->region,
			 &stats) &&
	       stats.outcomes[MREGION_OUTCOME_SHADOW] >= 2 * LOAD_READS;
}

/* What is shown changes all the time, in both memories. */
TEST_F_TIMEOUT(pair, memory_changes, 120)
{
	struct runner runners[VCPUS];
	uint32_t i;

	ASSERT_EQ(0, COMMIT(self->fd, ADD(places(0, 30, 0)),
			    ADD(places(30, PLACES, 1))));
	ASSERT_EQ(0, pair_start(self, runners));
	i = 0;
	mr_for_a_while(LOAD_MS, pair_was_used(self)) {
		i++;
		show_place(&self->shown[i % 2], i / 2 % PLACES, i);
	}
	EXPECT_EQ(0, pair_end(_metadata, self, runners));
}

/*
 * The two ranges meet somewhere else after each commit, and sometimes leave a gap, for
 * which the VMM answers.
 */
TEST_F_TIMEOUT(pair, rules_move, 120)
{
	unsigned int at = 30, gap = 0, next_at, next_gap, commits = 0;
	struct runner runners[VCPUS];
	unsigned long exits;

	ASSERT_EQ(0, COMMIT(self->fd, ADD(places(0, at, 0)),
			    ADD(places(at, PLACES, 1))));
	ASSERT_EQ(0, pair_start(self, runners));
	mr_for_a_while(LOAD_MS, commits > 4 && pair_was_used(self)) {
		next_at = 1 + (at * 5 + 3) % (PLACES - 9);
		next_gap = commits % 4 ? 0 : 8;
		ASSERT_EQ(0, COMMIT(self->fd, DEL(places(0, at, commits % 2)),
				    DEL(places(at + gap, PLACES,
					       !(commits % 2))),
				    ADD(places(0, next_at, !(commits % 2))),
				    ADD(places(next_at + next_gap, PLACES,
					       commits % 2))));
		at = next_at;
		gap = next_gap;
		commits++;
	}
	exits = pair_end(_metadata, self, runners);
	EXPECT_LT(4, commits);
	TH_LOG("%u commits, %lu accesses of the VMM's", commits, exits);
}

/* A commit that has returned is what the next access sees. */
TEST_F_TIMEOUT(pair, seen_at_once, 120)
{
	struct mregion_access access;
	struct runner runners[VCPUS];
	unsigned int i;

	ASSERT_EQ(0, COMMIT(self->fd, ADD(places(0, PLACES, 0))));
	ASSERT_EQ(0, pair_start(self, runners));
	i = 0;
	mr_for_a_while(LOAD_MS, i > 4 && pair_was_used(self)) {
		ASSERT_EQ(0, COMMIT(self->fd, DEL(places(0, PLACES, i % 2)),
				    ADD(places(0, PLACES, !(i % 2)))));
		/* by whatever index the guest has selected */
		ASSERT_EQ(0, mr_read(self->fd, self->pio ? DEV_PIO : DEV_MEMORY,
				     (self->pio ? PIO_BASE : MMIO_BASE) + DATA,
				     4, &access));
		ASSERT_EQ(MREGION_OUTCOME_SHADOW, access.outcome);
		ASSERT_EQ(!(i % 2), access.data >> 16);
		i++;
	}
	EXPECT_EQ(0, pair_end(_metadata, self, runners));
	EXPECT_LT(4, i);
}

TEST_HARNESS_MAIN
