// SPDX-License-Identifier: GPL-2.0
/* Draining a ring: order, what is dropped, and who may come in between. */
#include "ring_util.h"

#include <sched.h>
#include <stdlib.h>

#include "vm.h"

/* malloc() fails; the library's own calls of it come here. */
static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

TEST_F(ring, order)
{
	size_t i;

	for (i = 0; i < NR_ENTRIES; i++)
		append(self->ring, 1, i, 100 + i, 1);
	EXPECT_TRUE(mregion_ring_memory_pending(&self->ring->memory));
	EXPECT_EQ(NR_ENTRIES, mregion_ring_drain(self->ring));
	EXPECT_FALSE(mregion_ring_memory_pending(&self->ring->memory));
	ASSERT_EQ(NR_ENTRIES, self->device.nr);
	for (i = 0; i < NR_ENTRIES; i++) {
		EXPECT_EQ(i, self->device.seen[i].offset);
		EXPECT_EQ(100 + i, self->device.seen[i].data);
	}
	EXPECT_EQ(0, mregion_ring_drain(self->ring));
}

TEST_F(ring, split)
{
	append(self->ring, 1, 8, 0x1122334455667788, 8);
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	ASSERT_EQ(2, self->device.nr);
	EXPECT_EQ(0x55667788, self->device.seen[0].data);
	EXPECT_EQ(12, self->device.seen[1].offset);
	EXPECT_EQ(0x11223344, self->device.seen[1].data);
	EXPECT_EQ(4, self->device.seen[1].len);
}

TEST_F(ring, nonsense)
{
	append(self->ring, 99, 0, 1, 1);
	append(self->ring, 2, 0, 1, 1);
	append(self->ring, 1, 0, 1, 3);
	append(self->ring, 1, 0, 1, 0);
	append(self->ring, 1, 64, 1, 1);
	append(self->ring, 1, 61, 1, 4);
	append(self->ring, 1, UINT64_MAX, 1, 8);
	append(self->ring, 1, 60, 7, 4);
	EXPECT_EQ(8, mregion_ring_drain(self->ring));
	ASSERT_EQ(1, self->device.nr);
	EXPECT_EQ(60, self->device.seen[0].offset);
}

TEST_F(ring, scribbled)
{
	self->ring->memory.header->producer += NR_ENTRIES + 1;
	EXPECT_EQ(0, mregion_ring_drain(self->ring));
	EXPECT_EQ(0, self->device.nr);
	EXPECT_FALSE(mregion_ring_memory_pending(&self->ring->memory));
	append(self->ring, 1, 0, 5, 1);
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	EXPECT_EQ(1, self->device.nr);
}

/* A write counts as waiting until its device's function has returned. */
TEST_F(ring, from_within)
{
	self->device.drain = self->ring;
	append(self->ring, 1, 0, 1, 1);
	append(self->ring, 1, 1, 2, 1);
	EXPECT_EQ(2, mregion_ring_drain(self->ring));
	EXPECT_EQ(2, self->device.nr);
	EXPECT_EQ(0, self->device.drained);
	EXPECT_TRUE(self->device.pending);
	EXPECT_FALSE(mregion_ring_memory_pending(&self->ring->memory));
}

TEST_F(ring, freed_meanwhile)
{
	self->device.gone = mregion_table_get(&self->machine.regions, 1);
	append(self->ring, 1, 0, 1, 1);
	append(self->ring, 1, 1, 2, 1);
	EXPECT_EQ(2, mregion_ring_drain(self->ring));
	EXPECT_EQ(1, self->device.nr);
	mregion_region_put(self->device.gone);
}

/* Two devices, of a ring each, that make accesses to one another. */
struct pair {
	struct mregion_space *space;
	uint64_t other;
	atomic_uint *inside;
	unsigned int writes;
};

static void pair_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct pair *pair = opaque;
	uint32_t value;

	(void)offset;
	(void)data;
	(void)len;
	pair->writes++;
	/* Until the other's ring is being drained, too. */
	atomic_fetch_add(pair->inside, 1);
	while (atomic_load(pair->inside) < 2)
		sched_yield();
	mregion_space_read(pair->space, pair->other, &value, 4, NULL);
}

static uint64_t pair_read(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return 0;
}

static const struct mregion_ops pair_ops = {
	.read = pair_read,
	.write = pair_write,
};

TEST_F(ring, crosswise)
{
	static const struct mregion_range ranges[] = {
		{ .start = 0, .last = 63, .region = 3, .kind = MREGION_MMIO },
		{ .start = 64, .last = 127, .region = 4, .kind = MREGION_MMIO },
	};
	struct mregion_ring *rings[2];
	struct mregion_space space;
	atomic_uint inside = 0;
	pthread_t threads[2];
	struct pair pairs[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pairs[i] = (struct pair){ &space, i ? 0 : 64, &inside, 0 };
		fixture_region(&self->machine, 3 + i, MREGION_MMIO, 64,
			       &pair_ops, &pairs[i]);
		rings[i] = fixture_ring(&self->machine, 2 + i);
		append(rings[i], 3 + i, 0, 1, 4);
		append(rings[i], 3 + i, 0, 2, 4);
	}
	fixture_space(&self->machine, &space, MREGION_BUS_MEMORY, ranges, 2);
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, drain_once, rings[i]);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(2, pairs[i].writes);
		mregion_ring_release(rings[i]);
	}
	fixture_space_destroy(&space);
}

TEST_F(ring, all_rings)
{
	append(self->ring, 1, 0, 1, 1);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(1, self->device.nr);
}

/* Rings come and go in any order; those that go need no memory for it. */
TEST_F(ring, come_and_go)
{
	struct mregion_rings *rings = &self->machine.rings;
	struct mregion_ring *more[4];
	unsigned int round, i;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < 4; i++)
			more[i] = fixture_ring(&self->machine, 2 + i);
		no_memory = true;
		for (i = 0; i < 4; i++)
			mregion_ring_release(more[(i * 3 + round) % 4]);
		no_memory = false;
		append(self->ring, 1, 0, 1, 1);
		mregion_rings_drain(rings);
		EXPECT_EQ(round + 1, self->device.nr);
	}
}

/* Two threads that drain at once make no write twice, nor out of order. */
static void *drain_many(void *arg)
{
	size_t i;

	for (i = 0; i < 100000; i++)
		mregion_ring_drain(arg);
	return NULL;
}

struct counter {
	uint64_t expected;
	uint64_t wrong;
};

static void count_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct counter *counter = opaque;

	(void)offset;
	(void)len;
	counter->wrong += data != counter->expected;
	counter->expected = data + 1;
}

static const struct mregion_ops counter_ops = {
	.write = count_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

TEST_F(ring, two_threads)
{
	struct mregion_ring *ring = self->ring;
	struct counter counter = { 0 };
	pthread_t threads[2];
	uint64_t i;

	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &counter_ops,
		       &counter);
	pthread_create(&threads[0], NULL, drain_many, ring);
	pthread_create(&threads[1], NULL, drain_many, ring);
	for (i = 0; i < 100000; ) {
		if (ring->memory.header->producer -
		    __atomic_load_n(&ring->memory.header->consumer,
				    __ATOMIC_ACQUIRE) < NR_ENTRIES)
			append(ring, 3, 0, i++, 8);
		else
			mregion_ring_drain(ring);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	mregion_ring_drain(ring);
	EXPECT_EQ(100000, counter.expected);
	EXPECT_EQ(0, counter.wrong);
}

/* Whatever a vCPU exits for, such as its end. */
TEST_F(ring, all_exits)
{
	static const uint32_t reasons[] = {
		KVM_EXIT_HLT, KVM_EXIT_SHUTDOWN, KVM_EXIT_INTERNAL_ERROR,
		KVM_EXIT_FAIL_ENTRY, KVM_EXIT_INTR, UINT32_MAX,
	};
	struct mregion_vm vm = { .machine = &self->machine };
	struct kvm_run run;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		run.exit_reason = reasons[i];
		append(self->ring, 1, 0, i, 1);
		EXPECT_EQ(1, mregion_vm_exit(&vm, 0, &run));
		EXPECT_EQ(i + 1, self->device.nr);
	}
}

TEST_F(ring, all_rings_counted)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 2);

	EXPECT_EQ(0, mregion_drain(&self->machine));
	append(self->ring, 1, 0, 1, 1);
	append(ring, 1, 1, 2, 1);
	append(ring, 1, 2, 3, 1);
	EXPECT_EQ(3, mregion_drain(&self->machine));
	EXPECT_EQ(3, self->device.nr);
	mregion_ring_release(ring);
}

TEST_HARNESS_MAIN
