// SPDX-License-Identifier: GPL-2.0
/* Draining a ring: order, what is dropped, and who may come in between. */
#include <kselftest_harness.h>

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "fixture.h"
#include "ring.h"
#include "server.h"

#define NR_ENTRIES	8

/* malloc() fails; the library's own calls of it come here. */
static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

struct seen {
	uint64_t offset;
	uint64_t data;
	unsigned int len;
};

struct device {
	struct seen seen[64];
	size_t nr;
	/* To be drained from within the function; what that returned. */
	struct mregion_ring *drain;
	unsigned int drained;
	bool pending;
	/* To be taken off the machine from within the function. */
	struct mregion_region *gone;
};

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	device->seen[device->nr++] = (struct seen){ offset, data, len };
	if (device->drain) {
		device->drained += mregion_ring_drain(device->drain);
		device->pending |= mregion_ring_memory_pending(&device->drain->memory);
	}
	if (device->gone)
		atomic_store(&device->gone->freed, true);
}

static const struct mregion_ops device_ops = {
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 4 },
};

FIXTURE(ring)
{
	struct mregion_machine machine;
	struct mregion_ring *ring;
	struct device device;
};

FIXTURE_SETUP(ring)
{
	pthread_mutexattr_t attr;
	struct mregion_ring *ring;

	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	fixture_region(&self->machine, 1, MREGION_MMIO, 64, &device_ops,
		       &self->device);
	fixture_region(&self->machine, 2, MREGION_RAM, 64, NULL, NULL);

	ring = calloc(1, sizeof(*ring));
	fixture_ring_memory(&ring->memory, NR_ENTRIES);
	ring->machine = &self->machine;
	ring->fd = -1;
	ring->eventfd = eventfd(0, EFD_NONBLOCK);
	atomic_init(&ring->refs, 1);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&ring->lock, &attr);
	/* Indices wrap before the test is over. */
	ring->memory.header->producer = UINT32_MAX - 2;
	ring->memory.header->consumer = UINT32_MAX - 2;
	self->ring = ring;
	ASSERT_EQ(0, mregion_rings_add(&self->machine.rings, ring));
}

FIXTURE_TEARDOWN(ring)
{
	mregion_ring_release(self->ring);
	fixture_destroy(&self->machine);
}

static void append(struct mregion_ring *ring, uint32_t region,
		   uint64_t offset, uint64_t data, unsigned int len)
{
	fixture_append(&ring->memory, region, offset, data, len);
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

/* What is posted to a server is left to it while it lives. */
TEST_F(ring, posted)
{
	struct mregion_server server = { .machine = &self->machine };

	atomic_store(&self->ring->server, &server);
	append(self->ring, 1, 0, 1, 1);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(0, mregion_ring_drain(self->ring));
	EXPECT_EQ(0, self->device.nr);
	EXPECT_TRUE(mregion_ring_memory_pending(&self->ring->memory));
	atomic_store(&server.dead, true);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(1, self->device.nr);
}

TEST_F(ring, all_rings)
{
	append(self->ring, 1, 0, 1, 1);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(1, self->device.nr);
}

static struct mregion_ring *another(struct mregion_machine *machine)
{
	struct mregion_ring *ring = calloc(1, sizeof(*ring));

	ring->machine = machine;
	ring->fd = -1;
	ring->eventfd = -1;
	atomic_init(&ring->refs, 1);
	pthread_mutex_init(&ring->lock, NULL);
	return ring;
}

/* Rings come and go in any order; those that go need no memory for it. */
TEST_F(ring, come_and_go)
{
	struct mregion_rings *rings = &self->machine.rings;
	struct mregion_ring *more[4];
	unsigned int round, i;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < 4; i++) {
			more[i] = another(&self->machine);
			ASSERT_EQ(0, mregion_rings_add(rings, more[i]));
		}
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

TEST_HARNESS_MAIN
