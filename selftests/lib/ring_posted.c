// SPDX-License-Identifier: GPL-2.0
/* What is posted to a server: whose it is, and who does it when the server is gone. */
#include "ring_util.h"

#include <sys/eventfd.h>

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
	int ret = fixture_kernel(request, arg);

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
	fixture_ioctl = fixture_kernel;
	fixture_refuse_commits(true);
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
	fixture_refuse_commits(true);
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

TEST_HARNESS_MAIN
