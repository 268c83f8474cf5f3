// SPDX-License-Identifier: GPL-2.0
/* Draining a ring: order, what is dropped, and who may come in between. */
#include <kselftest_harness.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "ring.h"
#include "server.h"
#include "vm.h"

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

static bool process_consume(void *opaque,
			    const struct mregion_ring_entry *entry)
{
	struct process *process = opaque;

	(void)entry;
	if (++process->seen != 2)
		return true;
	if (process->frees)
		mregion_server_free(process->server);
	else
		atomic_store(&process->server->dead, true);
	mregion_ring_drain(process->ring);
	append(process->ring, 1, 0, 9, 1);
	return true;
}

static void run_process(struct process *process)
{
	void *ptr = process->ring->memory.header;

	mregion_ring_memory_init(&process->memory, ptr, NR_ENTRIES);
	process->memory.claims = true;
	mregion_ring_memory_begin(&process->memory, MREGION_RING_FOR_EVER);
	mregion_ring_memory_consume(&process->memory, process_consume, process);
	mregion_ring_memory_end(&process->memory);
	pthread_cond_destroy(&process->memory.ended);
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
	mregion_rings_join(&self->machine.rings);
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

/*
 * A VMM with one big lock. Its device takes it, or is called with it; the thread
 * @inside is at a write when it has set that.
 */
struct big {
	pthread_mutex_t lock;
	bool takes;
	atomic_bool inside;
	unsigned int msecs;
	atomic_uint writes;
	atomic_uint wrong;
	struct mregion_ring *ring;
	atomic_int ret;
};

static __thread bool has_big;

static bool big_lock(void *opaque)
{
	struct big *big = opaque;

	if (has_big)
		return false;
	pthread_mutex_lock(&big->lock);
	has_big = true;
	return true;
}

static void big_unlock(void *opaque)
{
	struct big *big = opaque;

	has_big = false;
	pthread_mutex_unlock(&big->lock);
}

static void big_write(void *opaque, uint64_t offset, uint64_t data,
		      unsigned int len)
{
	struct big *big = opaque;

	(void)offset;
	(void)len;
	atomic_store(&big->inside, true);
	if (big->takes)
		big_lock(big);
	else if (!has_big)
		big->wrong++;
	usleep(big->msecs * 1000);
	if (data != atomic_load(&big->writes))
		big->wrong++;
	big->writes++;
	if (big->takes)
		big_unlock(big);
}

static const struct mregion_ops big_ops = {
	.write = big_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

static void *drain_locked(void *arg)
{
	struct big *big = arg;

	big_lock(big);
	big->ret = mregion_ring_drain(big->ring);
	big_unlock(big);
	return NULL;
}

static bool soon(const atomic_bool *value)
{
	unsigned int i;

	for (i = 0; i < 60000 && !atomic_load(value); i++)
		usleep(1000);
	return atomic_load(value);
}

static bool joined(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	return !pthread_timedjoin_np(thread, NULL, &until);
}

/* The library does not know of the lock, so it gives up; nothing is lost by it. */
TEST_F_TIMEOUT(ring, lock_unknown, 120)
{
	struct big big = { .lock = PTHREAD_MUTEX_INITIALIZER, .takes = true };
	unsigned int i;

	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &big_ops, &big);
	for (i = 0; i < 3; i++)
		append(self->ring, 3, 0, i, 1);
	big_lock(&big);
	ASSERT_EQ(0, mregion_ring_start_thread(self->ring));
	eventfd_write(self->ring->eventfd, 1);
	ASSERT_TRUE(soon(&big.inside));
	EXPECT_EQ(-EBUSY, mregion_ring_drain(self->ring));
	EXPECT_EQ(-EBUSY, mregion_drain(&self->machine));
	EXPECT_EQ(0, big.writes);
	big_unlock(&big);
	while (mregion_ring_memory_pending(&self->ring->memory))
		usleep(1000);
	EXPECT_EQ(3, big.writes);
	EXPECT_EQ(0, big.wrong);
	mregion_ring_release(self->ring);
	mregion_rings_join(&self->machine.rings);
	self->ring = fixture_ring(&self->machine, 3);
}

/* A thread that gets on is waited for, however long it takes. */
TEST_F_TIMEOUT(ring, slow, 120)
{
	struct big big = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.takes = true,
		.msecs = 400,
		.ring = self->ring,
	};
	pthread_t thread;
	unsigned int i;

	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &big_ops, &big);
	for (i = 0; i < 4; i++)
		append(self->ring, 3, 0, i, 1);
	pthread_create(&thread, NULL, drain_once, self->ring);
	ASSERT_TRUE(soon(&big.inside));
	EXPECT_EQ(0, mregion_ring_drain(self->ring));
	EXPECT_EQ(4, big.writes);
	EXPECT_EQ(0, big.wrong);
	pthread_join(thread, NULL);
}

/* It knows of it: whoever has it drains, and nobody waits for anybody. */
TEST_F_TIMEOUT(ring, lock_known, 180)
{
	struct big big = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct mregion_rings *rings = &self->machine.rings;
	pthread_t thread;
	unsigned int i;

	/* Before there is a ring. */
	EXPECT_EQ(-EBUSY, mregion_machine_set_lock(&self->machine, big_lock,
						   big_unlock, &big));
	mregion_ring_release(self->ring);
	EXPECT_EQ(-EINVAL, mregion_machine_set_lock(&self->machine, big_lock,
						    NULL, &big));
	ASSERT_EQ(0, mregion_machine_set_lock(&self->machine, big_lock,
					      big_unlock, &big));
	self->ring = fixture_ring(&self->machine, 1);
	big.ring = self->ring;
	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &big_ops, &big);
	ASSERT_EQ(0, mregion_ring_start_thread(self->ring));

	/* The ring's thread is on its way, and has nothing that is waited for. */
	big_lock(&big);
	append(self->ring, 3, 0, 0, 1);
	eventfd_write(self->ring->eventfd, 1);
	usleep(20000);
	EXPECT_EQ(0, mregion_synchronize(&self->machine));
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	big_unlock(&big);

	for (i = 1; i < 1000; ) {
		if (self->ring->memory.header->producer -
		    __atomic_load_n(&self->ring->memory.header->consumer,
				    __ATOMIC_ACQUIRE) == NR_ENTRIES) {
			mregion_rings_drain(rings);
			continue;
		}
		append(self->ring, 3, 0, i++, 8);
		eventfd_write(self->ring->eventfd, 1);
		if (i % 100)
			continue;
		pthread_create(&thread, NULL, drain_locked, &big);
		ASSERT_TRUE(joined(thread));
		EXPECT_LE(0, big.ret);
	}
	big_lock(&big);
	EXPECT_LE(0, mregion_drain(&self->machine));
	EXPECT_EQ(1000, big.writes);
	EXPECT_EQ(0, big.wrong);
	big_unlock(&big);
	mregion_ring_release(self->ring);
	mregion_rings_join(rings);
	self->ring = fixture_ring(&self->machine, 3);
}

/* The thread leaves what it has not begun, and says so. */
TEST_F_TIMEOUT(ring, stop_thread, 120)
{
	struct big big = { .lock = PTHREAD_MUTEX_INITIALIZER, .takes = true };
	struct pollfd poll_fd = {
		.fd = self->ring->eventfd,
		.events = POLLIN,
	};
	unsigned int i;

	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &big_ops, &big);
	EXPECT_EQ(-ENOENT, mregion_ring_stop_thread(self->ring));
	for (i = 0; i < 4; i++)
		append(self->ring, 3, 0, i, 1);
	big_lock(&big);
	ASSERT_EQ(0, mregion_ring_start_thread(self->ring));
	eventfd_write(self->ring->eventfd, 1);
	ASSERT_TRUE(soon(&big.inside));
	EXPECT_EQ(0, mregion_ring_stop_thread(self->ring));
	EXPECT_EQ(-ENOENT, mregion_ring_stop_thread(self->ring));
	big_unlock(&big);
	EXPECT_EQ(0, mregion_synchronize(&self->machine));
	EXPECT_EQ(1, big.writes);
	mregion_rings_join(&self->machine.rings);
	EXPECT_EQ(1, big.writes);
	EXPECT_EQ(1, poll(&poll_fd, 1, 0));
	EXPECT_EQ(3, mregion_ring_drain(self->ring));
	EXPECT_EQ(4, big.writes);

	/* Others follow, and none stays behind. */
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, mregion_ring_start_thread(self->ring));
		EXPECT_EQ(-EBUSY, mregion_ring_start_thread(self->ring));
		EXPECT_EQ(0, mregion_ring_stop_thread(self->ring));
	}
	EXPECT_EQ(0, mregion_ring_start_thread(self->ring));
	append(self->ring, 3, 0, 4, 1);
	eventfd_write(self->ring->eventfd, 1);
	while (mregion_ring_memory_pending(&self->ring->memory))
		usleep(1000);
	mregion_ring_release(self->ring);
	mregion_rings_join(&self->machine.rings);
	EXPECT_EQ(5, big.writes);
	EXPECT_EQ(0, big.wrong);
	self->ring = fixture_ring(&self->machine, 3);
}

static void stop_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct freer *freer = opaque;

	(void)offset;
	(void)data;
	(void)len;
	if (freer->writes++)
		return;
	freer->ret = mregion_ring_stop_thread(freer->ring);
	freer->ret |= mregion_ring_free(freer->ring);
}

static const struct mregion_ops stop_ops = { .write = stop_write };

/* By itself, which then frees the ring: what remains is nobody else's to do. */
TEST_F(ring, stopped_and_freed_from_within)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 2);
	struct freer freer = { .ring = ring, .ret = 1 };

	fixture_ioctl = kernel;
	fixture_region(&self->machine, 3, MREGION_MMIO, 64, &stop_ops, &freer);
	append(ring, 3, 0, 1, 1);
	append(ring, 3, 0, 2, 1);
	ASSERT_EQ(0, mregion_ring_start_thread(ring));
	eventfd_write(ring->eventfd, 1);
	mregion_rings_join(&self->machine.rings);
	EXPECT_EQ(0, freer.ret);
	EXPECT_EQ(2, freer.writes);
}

/* A device that, at the machine's end, still writes to another one. */
struct heir {
	struct mregion_machine *machine;
	struct mregion_ring *ring;
	struct big *big;
	unsigned int writes;
	unsigned int released;
	unsigned int late;
};

static void heir_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct heir *heir = opaque;

	(void)offset;
	(void)len;
	heir->late += heir->released;
	heir->writes++;
	if (data)
		append(heir->ring, 3, 0, data - 1, 1);
}

static void heir_release(void *opaque)
{
	struct heir *heir = opaque;

	heir->released++;
}

static const struct mregion_ops heir_ops = {
	.write = heir_write,
	.release = heir_release,
};

/* All that was written comes to the devices before they are told that it ends. */
TEST(closed)
{
	struct mregion_machine *machine = malloc(sizeof(*machine));
	struct mregion_server dead = { .eventfd = eventfd(1, EFD_CLOEXEC) };
	struct mregion_server *server = malloc(sizeof(*server));
	struct heir heir = { .machine = machine };
	struct mregion_ring *other;

	fixture_init(machine);
	*server = dead;
	server->machine = machine;
	atomic_store(&machine->servers, server);
	heir.ring = fixture_ring(machine, 1);
	other = fixture_ring(machine, 2);
	/* Nobody has noticed yet that its process has died. */
	atomic_store(&other->server, server);
	fixture_region(machine, 3, MREGION_MMIO, 64, &heir_ops, &heir);
	ASSERT_EQ(0, mregion_post(bind(machine, 3, server), 0, 0, other));
	ASSERT_EQ(0, mregion_ring_start_thread(heir.ring));
	append(heir.ring, 3, 0, 0, 1);
	append(heir.ring, 3, 0, 3, 1);
	append(other, 3, 8, 0, 1);
	mregion_machine_close(machine);
	EXPECT_EQ(6, heir.writes);
	EXPECT_EQ(1, heir.released);
	EXPECT_EQ(0, heir.late);
}

static void *close_locked(void *arg)
{
	struct heir *heir = arg;

	big_lock(heir->big);
	mregion_begin(heir->machine);
	mregion_machine_close(heir->machine);
	big_unlock(heir->big);
	return NULL;
}

/* With the lock that a ring's thread waits for, in a transaction. */
TEST(closed_with_lock)
{
	struct big big = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct mregion_machine *machine;
	struct heir heir;
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		machine = malloc(sizeof(*machine));
		fixture_init(machine);
		ASSERT_EQ(0, mregion_machine_set_lock(machine, big_lock,
						      big_unlock, &big));
		heir = (struct heir){
			.machine = machine,
			.ring = fixture_ring(machine, 1),
			.big = &big,
		};
		fixture_region(machine, 3, MREGION_MMIO, 64, &heir_ops, &heir);
		ASSERT_EQ(0, mregion_ring_start_thread(heir.ring));
		append(heir.ring, 3, 0, 0, 1);
		eventfd_write(heir.ring->eventfd, 1);
		pthread_create(&thread, NULL, close_locked, &heir);
		ASSERT_TRUE(joined(thread));
		EXPECT_EQ(1, heir.writes);
		EXPECT_EQ(1, heir.released);
		EXPECT_EQ(0, heir.late);
	}
}

TEST_HARNESS_MAIN
