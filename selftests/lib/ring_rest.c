// SPDX-License-Identifier: GPL-2.0
/* What stays in a ring as it is drained, for whom, and what becomes of it. */
#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fixture.h"
#include "ring.h"
#include "ring_drain.h"
#include "server_in_vmm.h"

/* A device, and what its function does the first time: each, if it is set. */
struct device {
	char name;
	char *log;
	struct mregion_ring *stop;
	struct mregion_space *dma;
	struct mregion_ring *drain;
	struct mregion_ring *free;
	int ret;
	uint16_t vcpu;
};

static void add(char *log, char c)
{
	log[strlen(log)] = c;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;
	struct device once = *device;

	(void)offset;
	(void)len;
	device->stop = NULL;
	device->dma = NULL;
	device->drain = NULL;
	device->free = NULL;
	device->vcpu = mregion_current()->vcpu;
	add(device->log, device->name);
	add(device->log, '0' + data);
	if (once.stop)
		device->ret = mregion_ring_stop_thread(once.stop);
	if (once.dma)
		device->ret = mregion_space_write(once.dma, 0x2000, "\7", 1,
						  NULL);
	if (once.drain)
		device->ret = mregion_ring_drain(once.drain);
	if (once.free)
		device->ret = mregion_ring_free(once.free);
	add(device->log, '.');
}

static const struct mregion_ops guarded = {
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
	.flags = MREGION_OPS_NOT_REENTRANT,
};

#define RANGE(from, to, id) { \
	.start = from, .last = to, .region = id, .kind = MREGION_MMIO }

static const struct mregion_range ranges[] = {
	RANGE(0x1000, 0x103f, 1),
	RANGE(0x2000, 0x203f, 2),
};

FIXTURE(rest)
{
	struct mregion_machine machine;
	struct mregion_space space;
	struct mregion_ring *ring;
	struct mregion_server server;
	struct mregion_region *region;
	char log[128];
	struct device a;
	struct device b;
};

/* What happens as a server is freed, which the kernel refuses. */
static void (*as_server_is_freed)(void);

static int kernel(unsigned long request, void *arg)
{
	switch (request) {
	case MREGION_RING_FREE:
		return 0;
	case MREGION_SERVER_FREE:
		as_server_is_freed();
		return -EBUSY;
	default:
		return fixture_kernel(request, arg);
	}
}

FIXTURE_SETUP(rest)
{
	struct mregion_machine *machine = &self->machine;

	memset(self, 0, sizeof(*self));
	fixture_init(machine);
	fixture_ioctl = kernel;
	self->a = (struct device){ .name = 'a', .log = self->log };
	self->b = (struct device){ .name = 'b', .log = self->log };
	self->region = fixture_region(machine, 1, MREGION_MMIO, 64, &guarded,
				      &self->a);
	fixture_region(machine, 2, MREGION_MMIO, 64, &guarded, &self->b);
	fixture_space(machine, &self->space, MREGION_BUS_MEMORY, ranges,
		      ARRAY_SIZE(ranges));
	self->ring = fixture_ring(machine, 1);
	self->server.machine = machine;
	self->server.id = 1;
	self->server.eventfd = eventfd(0, EFD_CLOEXEC);
	atomic_store(&machine->servers, &self->server);
	atomic_store(&self->region->server, &self->server);
	atomic_store(&self->region->next_server, &self->server);
}

FIXTURE_TEARDOWN(rest)
{
	mregion_ring_release(self->ring);
	close(self->server.eventfd);
	fixture_space_destroy(&self->space);
	fixture_destroy(&self->machine);
}

/* The device does DMA to another one, before which rings are drained. */
TEST_F(rest, not_reentrant)
{
	struct mregion_ring *other = fixture_ring(&self->machine, 2);

	fixture_append(&other->memory, 1, 0, 1, 1);
	fixture_append(&self->ring->memory, 2, 0, 2, 1);
	fixture_append(&self->ring->memory, 1, 0, 3, 1);
	fixture_append(&self->ring->memory, 2, 0, 4, 1);
	self->a.dma = &self->space;
	EXPECT_EQ(1, mregion_ring_drain(other));
	EXPECT_STREQ("a1b2.b7..", self->log);
	EXPECT_EQ(0, self->a.ret);
	EXPECT_EQ(2, mregion_ring_drain(self->ring));
	EXPECT_STREQ("a1b2.b7..a3.b4.", self->log);

	/* Or drains itself. */
	memset(self->log, 0, sizeof(self->log));
	fixture_append(&other->memory, 1, 0, 1, 1);
	fixture_append(&self->ring->memory, 1, 0, 2, 1);
	self->a.drain = self->ring;
	EXPECT_EQ(1, mregion_ring_drain(other));
	EXPECT_EQ(0, self->a.ret);
	EXPECT_STREQ("a1.", self->log);
	EXPECT_EQ(0, mregion_reentries(&self->machine));
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	EXPECT_STREQ("a1.a2.", self->log);
	mregion_ring_release(other);
}

/* A ring that is freed from there can keep nothing: that is refused, and counted. */
TEST_F(rest, freed_by_one_that_is_not_reentrant)
{
	struct mregion_ring *other = fixture_ring(&self->machine, 2);

	fixture_append(&self->ring->memory, 1, 0, 1, 1);
	fixture_append(&other->memory, 1, 0, 2, 1);
	fixture_append(&other->memory, 2, 0, 3, 1);
	self->a.free = other;
	EXPECT_EQ(1, mregion_ring_drain(self->ring));
	EXPECT_EQ(0, self->a.ret);
	EXPECT_STREQ("a1b3..", self->log);
	EXPECT_EQ(1, mregion_reentries(&self->machine));
}

/* A thread that is told to end leaves what there is of a rule that is gone. */
TEST_F(rest, stopped)
{
	struct mregion_ring *ring = self->ring;

	ASSERT_EQ(0, mregion_post(self->region, 0, 8, ring));
	fixture_append(&ring->memory, 1, 0, 1, 1);
	fixture_append(&ring->memory, 1, 0, 2, 1);
	ASSERT_EQ(0, mregion_unpost(self->region, 0, 8, ring));
	eventfd_write(self->server.eventfd, 1);
	EXPECT_TRUE(mregion_server_dead(&self->server));
	atomic_store(&ring->thread, 5);
	self->a.stop = ring;
	EXPECT_EQ(1, mregion_ring_bring(ring, 0, 5));
	EXPECT_EQ(0, self->a.ret);
	EXPECT_STREQ("a1.", self->log);
	EXPECT_EQ(1, mregion_ring_drain(ring));
	EXPECT_STREQ("a1.a2.", self->log);
	EXPECT_EQ(NULL, ring->posted);
}

/* A part is posted no more, and the rule that was to follow has failed alone. */
TEST_F(rest, unposted)
{
	static const int results[] = { 0, -EEXIST };
	struct mregion_machine *machine = &self->machine;
	struct mregion_ring *ring = self->ring;
	int result;

	ASSERT_EQ(0, mregion_post(self->region, 0, 8, ring));
	mregion_begin(machine);
	EXPECT_EQ(0, mregion_unpost(self->region, 0, 8, ring));
	EXPECT_EQ(0, mregion_may_fail(machine, &result));
	EXPECT_EQ(0, mregion_post(self->region, 0, 8, ring));
	fixture_results = results;
	EXPECT_EQ(0, mregion_commit(machine));
	fixture_results = NULL;
	EXPECT_EQ(-EEXIST, result);

	/* What is there is brought, and no more after that. */
	fixture_append(&ring->memory, 1, 0, 1, 1);
	eventfd_write(self->server.eventfd, 1);
	EXPECT_TRUE(mregion_server_dead(&self->server));
	EXPECT_EQ(1, mregion_ring_drain(ring));
	EXPECT_STREQ("a1.", self->log);
	EXPECT_EQ(NULL, ring->posted);
}

/* The process dies at a posted write, just as its server is not freed after all. */
static struct mregion_ring *looked_at;

static void die(void)
{
	struct mregion_server *server = atomic_load(&looked_at->server);

	eventfd_write(server->eventfd, 1);
	mregion_server_dead(server);
	mregion_ring_drain(looked_at);
}

TEST_F(rest, not_freed)
{
	struct mregion_ring *ring = self->ring;

	ASSERT_EQ(0, mregion_post(self->region, 0, 8, ring));
	fixture_append(&ring->memory, 1, 0, 1, 1);
	fixture_append(&ring->memory, 1, 0, 2, 1);
	ring->memory.consumers->claim = 1;
	looked_at = ring;
	as_server_is_freed = die;
	EXPECT_EQ(-EBUSY, mregion_server_free(&self->server));
	EXPECT_TRUE(mregion_server_dead(&self->server));
	mregion_ring_drain(ring);
	EXPECT_STREQ("a1.a2.", self->log);
}

/* Whose a write was is the kernel's to say, not a dead server's. */
TEST_F(rest, whose)
{
	struct mregion_ring *other = fixture_ring(&self->machine, 2);
	struct mregion_ring *ring = self->ring;

	ASSERT_EQ(0, mregion_post(self->region, 0, 8, ring));
	fixture_append(&ring->memory, 1, 0, 1, 1);
	ring->memory.entries[0].vcpu = 7;
	eventfd_write(self->server.eventfd, 1);
	EXPECT_TRUE(mregion_server_dead(&self->server));
	EXPECT_EQ(1, mregion_ring_drain(ring));
	EXPECT_EQ(MREGION_NO_VCPU, self->a.vcpu);
	fixture_append(&other->memory, 1, 0, 2, 1);
	other->memory.entries[0].vcpu = 7;
	EXPECT_EQ(1, mregion_ring_drain(other));
	EXPECT_EQ(7, self->a.vcpu);
	mregion_ring_release(other);
}

TEST_HARNESS_MAIN
