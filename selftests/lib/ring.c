// SPDX-License-Identifier: GPL-2.0
/* Draining a ring: order, what is dropped, and who may come in between. */
#include <kselftest_harness.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fixture.h"
#include "ring.h"
#include "server.h"

#define NR_ENTRIES	FIXTURE_NR_ENTRIES

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

static void append(struct mregion_ring *ring, uint32_t region,
		   uint64_t offset, uint64_t data, unsigned int len)
{
	fixture_append(&ring->memory, region, offset, data, len);
}

FIXTURE(ring)
{
	struct mregion_machine machine;
	struct mregion_ring *ring;
	struct device device;
};

FIXTURE_SETUP(ring)
{
	struct mregion_ring *ring;

	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	fixture_region(&self->machine, 1, MREGION_MMIO, 64, &device_ops,
		       &self->device);
	fixture_region(&self->machine, 2, MREGION_RAM, 64, NULL, NULL);

	ring = fixture_ring(&self->machine, 1);
	/* Indices wrap before the test is over. */
	ring->memory.header->producer = UINT32_MAX - 2;
	ring->memory.header->consumer = UINT32_MAX - 2;
	self->ring = ring;
}

FIXTURE_TEARDOWN(ring)
{
	mregion_ring_release(self->ring);
	fixture_destroy(&self->machine);
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

/* The kernel, which carries out all commits, or none. */
static bool refuse;
static unsigned int nr_commits;

static int kernel(unsigned long request, void *arg)
{
	struct mregion_commit *commit = arg;

	if (request == MREGION_RING_FREE || request == MREGION_SERVER_FREE)
		return 0;
	if (request != MREGION_COMMIT)
		return -ENOTTY;
	nr_commits++;
	commit->failed = refuse ? 0 : commit->nr_ops;
	return refuse ? -ENOENT : 0;
}

static struct mregion_region *bind(struct mregion_machine *machine,
				   uint32_t id, struct mregion_server *server)
{
	struct mregion_region *region = mregion_table_get(&machine->regions,
							  id);

	mregion_region_put(region);
	atomic_store(&region->server, server);
	atomic_store(&region->next_server, server);
	fixture_ioctl = kernel;
	refuse = false;
	return region;
}

/* What is posted to a server is left to it while it lives. */
TEST_F(ring, posted)
{
	struct mregion_server server = { .machine = &self->machine };
	struct mregion_region *region = bind(&self->machine, 1, &server);

	ASSERT_EQ(0, mregion_post(region, 0, 8, self->ring));
	append(self->ring, 1, 0, 1, 1);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(0, mregion_ring_drain(self->ring));
	EXPECT_EQ(0, self->device.nr);
	EXPECT_TRUE(mregion_ring_memory_pending(&self->ring->memory));
	atomic_store(&server.dead, true);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(1, self->device.nr);
}

/* Its process may have left what no guest has written. */
TEST_F(ring, forged)
{
	struct mregion_server server = { .machine = &self->machine };
	struct mregion_region *region = bind(&self->machine, 1, &server);
	struct device reset = { 0 };

	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &device_ops,
		       &reset);
	ASSERT_EQ(0, mregion_post(region, 8, 8, self->ring));
	append(self->ring, 3, 8, 1, 1);
	append(self->ring, 1, 7, 1, 1);
	append(self->ring, 1, 14, 1, 4);
	append(self->ring, 1, 16, 1, 1);
	append(self->ring, 1, UINT64_MAX, 1, 1);
	/* Of the right part, and not what the device accepts. */
	append(self->ring, 1, 9, 0x2211, 2);
	append(self->ring, 1, 12, 7, 4);
	atomic_store(&server.dead, true);
	EXPECT_EQ(7, mregion_ring_drain(self->ring));
	EXPECT_EQ(0, reset.nr);
	ASSERT_EQ(3, self->device.nr);
	EXPECT_EQ(9, self->device.seen[0].offset);
	EXPECT_EQ(1, self->device.seen[0].len);
	EXPECT_EQ(12, self->device.seen[2].offset);

	/* It is not for sale to the VMM's own devices. */
	EXPECT_EQ(-EBUSY, mregion_coalesce(region, 32, 8, self->ring));
}

TEST_F(ring, posted_what_is_not_valid)
{
	static const struct mregion_ops words = {
		.write = device_write,
		.constraints = { .valid_min = 4, .valid_max = 4 },
	};
	struct mregion_server server = { .machine = &self->machine };
	struct device device = { 0 };

	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &words, &device);
	ASSERT_EQ(0, mregion_post(bind(&self->machine, 3, &server), 0, 0,
				  self->ring));
	append(self->ring, 3, 0, 1, 2);
	append(self->ring, 3, 4, 2, 4);
	atomic_store(&server.dead, true);
	EXPECT_EQ(2, mregion_ring_drain(self->ring));
	ASSERT_EQ(1, device.nr);
	EXPECT_EQ(4, device.seen[0].offset);
}

/* What it left when a rule went is brought once, and no more after that. */
TEST_F(ring, unposted)
{
	struct mregion_server server = { .machine = &self->machine };
	struct mregion_region *region = bind(&self->machine, 1, &server);

	ASSERT_EQ(0, mregion_post(region, 0, 8, self->ring));
	append(self->ring, 1, 0, 1, 1);
	ASSERT_EQ(0, mregion_unpost(region, 0, 8, self->ring));
	atomic_store(&server.dead, true);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(1, self->device.nr);
	append(self->ring, 1, 0, 1, 1);
	mregion_rings_drain(&self->machine.rings);
	EXPECT_EQ(1, self->device.nr);
}

static struct mregion_ring *freed;

static void *free_ring(void *arg)
{
	mregion_ring_free(arg);
	return NULL;
}

/* Another thread frees a ring as soon as the kernel has no rule for it. */
static int kernel_of_two(unsigned long request, void *arg)
{
	struct mregion_ring *ring = freed;
	pthread_t thread;
	int ret = kernel(request, arg);

	if (request == MREGION_COMMIT && ring) {
		freed = NULL;
		pthread_create(&thread, NULL, free_ring, ring);
		pthread_join(thread, NULL);
	}
	return ret;
}

TEST_F(ring, freed_while_unposted)
{
	struct mregion_server server = { .machine = &self->machine };
	struct mregion_region *region = bind(&self->machine, 1, &server);
	struct mregion_ring *ring = fixture_ring(&self->machine, 2);

	fixture_ioctl = kernel_of_two;
	ASSERT_EQ(0, mregion_post(region, 0, 8, ring));
	freed = ring;
	EXPECT_EQ(0, mregion_unpost(region, 0, 8, ring));
	EXPECT_EQ(NULL, freed);

	/* And it is not kept for ever if that fails, or is undone. */
	ring = fixture_ring(&self->machine, 2);
	fixture_ioctl = kernel;
	refuse = true;
	EXPECT_EQ(-ENOENT, mregion_unpost(region, 0, 8, ring));
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_unpost(region, 0, 8, ring));
	EXPECT_LT(2, atomic_load(&ring->refs));
	mregion_abort(&self->machine);
	EXPECT_EQ(2, atomic_load(&ring->refs));
	mregion_ring_release(ring);
}

/* A ring is one side's, and stays it; but not for what never came about. */
TEST_F(ring, whose)
{
	struct mregion_server server = { .machine = &self->machine };
	struct mregion_server other = { .machine = &self->machine };
	struct mregion_region *region = bind(&self->machine, 1, NULL);
	struct mregion_machine *machine = &self->machine;

	EXPECT_EQ(-EINVAL, mregion_post(region, 0, 8, self->ring));
	bind(machine, 1, &other);
	refuse = true;
	EXPECT_EQ(-ENOENT, mregion_post(region, 0, 8, self->ring));
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_post(region, 0, 8, self->ring));
	EXPECT_EQ(0, mregion_post(region, 8, 8, self->ring));
	mregion_abort(machine);

	/* Nor for another server, or the VMM. */
	bind(machine, 1, &server);
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_post(region, 0, 8, self->ring));
	EXPECT_EQ(-EBUSY, mregion_coalesce(region, 8, 8, self->ring));
	mregion_abort(machine);
	EXPECT_EQ(0, mregion_coalesce(region, 0, 8, self->ring));
	append(self->ring, 1, 0, 1, 1);
	EXPECT_EQ(-EBUSY, mregion_post(region, 8, 8, self->ring));
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	EXPECT_EQ(1, self->device.nr);
	EXPECT_EQ(0, mregion_uncoalesce(region, 0, 8, self->ring));
	EXPECT_EQ(-EBUSY, mregion_post(region, 8, 8, self->ring));
}

struct binder {
	struct mregion_region *region;
	struct mregion_server *server;
	int ret;
};

static void *set_server(void *arg)
{
	struct binder *binder = arg;

	binder->ret = mregion_set_server(binder->region, binder->server);
	return NULL;
}

/* What another thread does waits for the end of a transaction, all of it. */
TEST_F(ring, bound_by_another_thread)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_server server = { .machine = machine, .id = 1 };
	struct mregion_server other = {
		.machine = machine,
		.id = 2,
		.next = &server,
	};
	struct mregion_region *region = bind(machine, 1, &server);
	struct binder binder = { region, &other, 1 };
	unsigned int i;
	pthread_t thread;

	atomic_store(&machine->servers, &other);
	mregion_begin(machine);
	pthread_create(&thread, NULL, set_server, &binder);
	for (i = 0; i < 20 && atomic_load(&region->next_server) == &server; i++)
		usleep(10000);
	EXPECT_EQ(0, mregion_post(region, 0, 8, self->ring));
	EXPECT_EQ(0, mregion_commit(machine));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, binder.ret);
	EXPECT_EQ(&server, atomic_load(&self->ring->server));
	EXPECT_EQ(&other, atomic_load(&region->server));
	EXPECT_EQ(&other, atomic_load(&region->next_server));
}

/* The server's process, at a posted write as its ring is taken away. */
struct process {
	struct mregion_ring_memory memory;
	struct mregion_ring *ring;
	struct mregion_server *server;
	bool frees;
	unsigned int seen;
};

static void process_consume(void *opaque,
			    const struct mregion_ring_entry *entry)
{
	struct process *process = opaque;

	(void)entry;
	if (++process->seen != 2)
		return;
	if (process->frees)
		mregion_server_free(process->server);
	else
		atomic_store(&process->server->dead, true);
	mregion_ring_drain(process->ring);
	append(process->ring, 1, 0, 9, 1);
}

static void run_process(struct process *process)
{
	void *ptr = process->ring->memory.header;

	mregion_ring_memory_init(&process->memory, ptr, NR_ENTRIES);
	process->memory.claims = true;
	mregion_ring_memory_begin(&process->memory, true);
	mregion_ring_memory_consume(&process->memory, process_consume, process);
	mregion_ring_memory_end(&process->memory);
	pthread_mutex_destroy(&process->memory.lock);
}

TEST_F(ring, taken)
{
	struct mregion_server server = {
		.machine = &self->machine,
		.eventfd = -1,
	};
	struct process process = {
		.ring = self->ring,
		.server = &server,
		.frees = true,
	};
	struct device *device = &self->device;
	unsigned int i;

	ASSERT_EQ(0, mregion_post(bind(&self->machine, 1, &server), 0, 0,
				  self->ring));
	for (i = 1; i <= 4; i++)
		append(self->ring, 1, 0, i, 1);
	/* Freed while the process lives: what it is at is its. */
	run_process(&process);
	EXPECT_EQ(2, process.seen);
	ASSERT_EQ(2, device->nr);
	EXPECT_EQ(3, device->seen[0].data);
	EXPECT_EQ(4, device->seen[1].data);
	run_process(&process);
	EXPECT_EQ(2, process.seen);
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	EXPECT_EQ(9, device->seen[2].data);
}

/* It died at it, for all that is known, so it may not have been done. */
TEST_F(ring, taken_from_the_dead)
{
	struct mregion_server server = { .machine = &self->machine };
	struct process process = { .ring = self->ring, .server = &server };
	unsigned int i;

	ASSERT_EQ(0, mregion_post(bind(&self->machine, 1, &server), 0, 0,
				  self->ring));
	for (i = 1; i <= 4; i++)
		append(self->ring, 1, 0, i, 1);
	run_process(&process);
	EXPECT_EQ(2, process.seen);
	ASSERT_EQ(3, self->device.nr);
	EXPECT_EQ(2, self->device.seen[0].data);
}

/* Or was killed at it, as the kernel has told before the server is freed. */
TEST_F(ring, freed_when_dead)
{
	struct mregion_server server = {
		.machine = &self->machine,
		.eventfd = eventfd(1, EFD_CLOEXEC),
	};
	struct process process = {
		.ring = self->ring,
		.server = &server,
		.frees = true,
	};
	unsigned int i;

	ASSERT_EQ(0, mregion_post(bind(&self->machine, 1, &server), 0, 0,
				  self->ring));
	for (i = 1; i <= 4; i++)
		append(self->ring, 1, 0, i, 1);
	run_process(&process);
	EXPECT_EQ(2, process.seen);
	ASSERT_EQ(3, self->device.nr);
	EXPECT_EQ(2, self->device.seen[0].data);
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

static void *drain_once(void *ring)
{
	mregion_ring_drain(ring);
	return NULL;
}

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

struct freer {
	struct mregion_ring *ring;
	unsigned int writes;
	int ret;
};

static void free_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct freer *freer = opaque;
	uint64_t one = 1;

	(void)offset;
	(void)data;
	(void)len;
	if (freer->writes++)
		return;
	/* Let the ring's thread wait for its lock. */
	if (write(freer->ring->eventfd, &one, sizeof(one)) < 0)
		abort();
	usleep(20000);
	freer->ret = mregion_ring_free(freer->ring);
}

static const struct mregion_ops free_ops = {
	.write = free_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

/* From a device's function that another thread than the ring's has called. */
TEST_F(ring, freed_from_within)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 2);
	struct freer freer = { .ring = ring, .ret = 1 };

	fixture_ioctl = kernel;
	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &free_ops, &freer);
	append(ring, 3, 0, 1, 1);
	append(ring, 3, 0, 2, 1);
	ASSERT_EQ(0, mregion_ring_start_thread(ring));
	mregion_ring_drain(ring);
	EXPECT_EQ(0, freer.ret);
	EXPECT_EQ(2, freer.writes);
	mregion_ring_release(self->ring);
	mregion_rings_stop(&self->machine.rings);
	self->ring = fixture_ring(&self->machine, 3);
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

TEST_HARNESS_MAIN
