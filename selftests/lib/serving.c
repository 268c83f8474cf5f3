// SPDX-License-Identifier: GPL-2.0
/* What a serving process answers, and what it does not. */
#include "serving_util.h"

#include <sched.h>
#include <stdatomic.h>

#define NR_THREADS	3
#define NR_ROUNDS	1000

TEST_F(serving, answers)
{
	struct device *device = &self->device;

	submit(&self->kernel, 69, 1, 0x10, 0x0807060504030201, 8, true);
	submit(&self->kernel, 3, 1, 0x20, 0, 8, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_TRUE(answered(&self->kernel, 3));
	ASSERT_TRUE(answered(&self->kernel, 69));
	EXPECT_EQ(self->kernel.events, self->serving->header->seen);
	EXPECT_EQ(0, self->serving->header->pending[0] |
		     self->serving->header->pending[1]);

	/* Split by what the device implements, as in the VMM. */
	ASSERT_EQ(4, device->nr);
	EXPECT_EQ(0x20, device->seen[0].offset);
	EXPECT_EQ(0x24, device->seen[1].offset);
	EXPECT_EQ(0x556677ac556677a8, withdraw(&self->kernel, 3));
	EXPECT_EQ(0x04030201, device->seen[2].data);
	EXPECT_EQ(0x08070605, device->seen[3].data);
	EXPECT_EQ(0x14, device->seen[3].offset);
	EXPECT_EQ(4, device->seen[3].len);
	EXPECT_TRUE(device->seen[3].write);
	EXPECT_EQ(0, nr_wakes);
}

/* A device that says what it is told to, and notes what it is told. */
struct tried {
	enum mregion_result result;
	unsigned int calls;
	struct mregion_current current;
};

static enum mregion_result try_read(void *opaque, uint64_t offset,
				    uint64_t *data, unsigned int len,
				    const struct mregion_current *current)
{
	struct tried *tried = opaque;

	(void)offset;
	(void)len;
	tried->calls += current == mregion_current();
	tried->current = *current;
	*data = 0x44332211;
	return tried->result;
}

static enum mregion_result try_write(void *opaque, uint64_t offset,
				     uint64_t data, unsigned int len,
				     const struct mregion_current *current)
{
	return try_read(opaque, offset, &data, len, current);
}

#define TRIED(policy) { \
	.try_read = try_read, .try_write = try_write, \
	.constraints = { .refused = policy } }

TEST_F(serving, results)
{
	static const struct mregion_ops ops[] = {
		TRIED(MREGION_POLICY_ONES), TRIED(MREGION_POLICY_ZEROES),
		TRIED(MREGION_POLICY_ERROR),
	};
	/* That it is an error is not passed on. */
	static const uint32_t answers[] = { 0xffffffff, 0, 0xffffffff };
	struct tried tried = { MREGION_OK };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, mregion_serving_add(self->serving, 10 + i, 8,
						 &ops[i], &tried));
		tried.result = MREGION_OK;
		submit(&self->kernel, 0, 10 + i, 4, 0, 4, false);
		ASSERT_EQ(0, mregion_serve_once(self->serving));
		EXPECT_EQ(0x44332211, withdraw(&self->kernel, 0));
		tried.result = i ? MREGION_ERROR : MREGION_DECODE_ERROR;
		submit(&self->kernel, 0, 10 + i, 4, 0, 4, false);
		ASSERT_EQ(0, mregion_serve_once(self->serving));
		ASSERT_TRUE(answered(&self->kernel, 0));
		EXPECT_EQ(answers[i], withdraw(&self->kernel, 0));
		submit(&self->kernel, 0, 10 + i, 4, 5, 4, true);
		ASSERT_EQ(0, mregion_serve_once(self->serving));
		ASSERT_TRUE(answered(&self->kernel, 0));
		withdraw(&self->kernel, 0);
	}
	EXPECT_EQ(9, tried.calls);
}

TEST_F(serving, current)
{
	static const struct mregion_ops ops = TRIED(MREGION_POLICY_ONES);
	struct mregion_serving *serving = self->serving;
	struct tried tried = { MREGION_OK };

	ASSERT_EQ(0, mregion_serving_add(serving, 10, 64, &ops, &tried));
	serving->slots[0].vcpu = 7;
	submit(&self->kernel, 0, 10, 8, 0, 4, false);
	ASSERT_EQ(0, mregion_serve_once(serving));
	EXPECT_EQ(1, tried.calls);
	EXPECT_EQ(NULL, tried.current.region);
	EXPECT_EQ(10, tried.current.region_id);
	EXPECT_EQ(MREGION_FROM_SERVER, tried.current.source);
	EXPECT_EQ(NULL, tried.current.vm);
	EXPECT_EQ(7, tried.current.vcpu);
	EXPECT_EQ(NULL, tried.current.space);
	EXPECT_EQ(0, tried.current.addr);
	EXPECT_EQ(8, tried.current.offset);
	EXPECT_EQ(NULL, mregion_current());
}

/* Whatever the VMM says: a process does not write beyond its registers for it. */
TEST_F(serving, end_of_region)
{
	static const struct mregion_ops ops = TRIED(MREGION_POLICY_ZEROES);
	struct tried tried = { MREGION_OK };

	ASSERT_EQ(0, mregion_serving_add(self->serving, 10, 6, &ops, &tried));
	submit(&self->kernel, 0, 10, 4, 0, 4, false);
	submit(&self->kernel, 1, 10, 8, 0, 4, false);
	submit(&self->kernel, 2, 10, UINT64_MAX - 3, 0, 4, true);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(0, tried.calls);
	EXPECT_EQ(0, withdraw(&self->kernel, 0));
	EXPECT_EQ(0, withdraw(&self->kernel, 1));
	submit(&self->kernel, 0, 10, 4, 0, 2, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(1, tried.calls);

	/* Unless it looks for itself. */
	EXPECT_EQ(-EINVAL, mregion_serving_add(self->serving, 11, 0, &ops,
					       &tried));
	ASSERT_EQ(0, mregion_serving_add(self->serving, 11, MREGION_WHOLE, &ops,
					 &tried));
	submit(&self->kernel, 3, 11, UINT64_MAX - 3, 0, 4, true);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(2, tried.calls);
}

/* Three bytes that are not aligned; the kernel forwards them whole. */
TEST_F(serving, split)
{
	struct device *device = &self->device;

	submit(&self->kernel, 0, 1, 0x11, 0x332211, 3, true);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_EQ(2, device->nr);
	EXPECT_EQ(0x11, device->seen[0].data);
	EXPECT_EQ(1, device->seen[0].len);
	EXPECT_EQ(0x3322, device->seen[1].data);
	EXPECT_EQ(0x12, device->seen[1].offset);
}

TEST_F(serving, refused)
{
	submit(&self->kernel, 0, 65, 0, 0, 2, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_TRUE(answered(&self->kernel, 0));
	EXPECT_EQ(0, withdraw(&self->kernel, 0));
	EXPECT_EQ(0, self->picky.nr);

	/* Nobody's: all-ones. */
	submit(&self->kernel, 0, 99, 0, 0, 2, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_TRUE(answered(&self->kernel, 0));
	EXPECT_EQ(0xffff, withdraw(&self->kernel, 0) & 0xffff);
}

TEST_F(serving, wakes)
{
	submit(&self->kernel, 5, 1, 0, 0, 4, false);
	self->serving->slots[5].sleeping = 1;
	submit(&self->kernel, 6, 1, 0, 0, 4, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_EQ(1, nr_wakes);
	EXPECT_EQ(5, wakes[0].slot);
	EXPECT_EQ(sizeof(wakes[0]), wakes[0].size);
}

static void withdraw_before(void *opaque)
{
	struct kernel *kernel = opaque;

	withdraw(kernel, 2);
}

TEST_F(serving, withdrawn)
{
	/* Before it was taken. */
	submit(&self->kernel, 2, 1, 0, 0, 4, false);
	withdraw(&self->kernel, 2);
	self->serving->header->pending[0] = 1 << 2;
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(0, self->device.nr);
	EXPECT_EQ(0, self->serving->header->pending[0]);

	/* While the device is at it. */
	self->device.within = withdraw_before;
	self->device.opaque = &self->kernel;
	submit(&self->kernel, 2, 1, 0, 0xdead, 4, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(1, self->device.nr);
	EXPECT_EQ(state(&self->kernel, 2, MREGION_SERVER_IDLE),
		  self->serving->slots[2].state);
	EXPECT_EQ(0xdead, self->serving->slots[2].data);
}

static void replace(void *opaque)
{
	struct kernel *kernel = opaque;

	withdraw(kernel, 2);
	/* Of another region, so that this happens once. */
	submit(kernel, 2, 65, 8, 0xbeef, 4, true);
}

/* The answer is not for the request that has the slot now; that comes next. */
TEST_F(serving, replaced)
{
	self->device.within = replace;
	self->device.opaque = &self->kernel;
	submit(&self->kernel, 2, 1, 0, 0, 4, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(1, self->device.nr);
	ASSERT_EQ(1, self->picky.nr);
	EXPECT_EQ(0xbeef, self->picky.seen[0].data);
	EXPECT_TRUE(answered(&self->kernel, 2));
	EXPECT_EQ(self->kernel.events, self->serving->header->seen);
}

static void submit_behind(void *opaque)
{
	struct kernel *kernel = opaque;

	if (kernel->number[0])
		return;
	kernel->number[0] = 1;
	submit(kernel, 0, 65, 8, 0xbeef, 4, true);
}

/* What comes while a round is under way is not taken for seen. */
TEST_F(serving, seen)
{
	uint32_t before;

	self->device.within = submit_behind;
	self->device.opaque = &self->kernel;
	submit(&self->kernel, 9, 1, 0, 0, 4, true);
	before = self->kernel.events;
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(before, self->serving->header->seen);
	EXPECT_NE(self->kernel.events, self->serving->header->seen);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_TRUE(answered(&self->kernel, 0));
	EXPECT_EQ(self->kernel.events, self->serving->header->seen);
}

TEST_F(serving, add)
{
	EXPECT_EQ(-EEXIST, mregion_serving_add(self->serving, 65, 4096, &device_ops,
					       NULL));
	EXPECT_STREQ("serve region 65: it was added before (EEXIST)",
		     mregion_error());
	EXPECT_EQ(0, mregion_serving_add(self->serving, 129, 4096, &device_ops,
					 NULL));
	EXPECT_EQ(NULL, mregion_serving_device(self->serving, 193));
	EXPECT_EQ(&self->picky,
		  mregion_serving_device(self->serving, 65)->opaque);
}

/* Unplugged, also by somebody who should not. */
static void unplug_within(void *opaque)
{
	struct kernel *kernel = opaque;

	if (mregion_serving_del(kernel->serving, 65) != -EDEADLK ||
	    mregion_serving_del_ring(kernel->serving, 0) != -EDEADLK)
		abort();
}

TEST_F(serving, del)
{
	struct mregion_serving *serving = self->serving;
	struct device other = { 0 };

	self->device.within = unplug_within;
	self->device.opaque = &self->kernel;
	ASSERT_EQ(0, mregion_serving_add(serving, 129, 4096, &device_ops,
					 &other));
	submit(&self->kernel, 0, 1, 0, 0, 4, false);
	ASSERT_EQ(0, mregion_serve_once(serving));
	withdraw(&self->kernel, 0);
	EXPECT_EQ(-ENOENT, mregion_serving_del(serving, 193));
	ASSERT_EQ(0, mregion_serving_del(serving, 65));
	EXPECT_EQ(-ENOENT, mregion_serving_del(serving, 65));
	EXPECT_STREQ("stop serving region 65: it was not added (ENOENT)",
		     mregion_error());
	submit(&self->kernel, 0, 65, 0, 0, 4, false);
	submit(&self->kernel, 1, 129, 0, 0, 4, false);
	ASSERT_EQ(0, mregion_serve_once(serving));
	EXPECT_EQ(0xffffffff, withdraw(&self->kernel, 0) & 0xffffffff);
	EXPECT_EQ(0, self->picky.nr);
	EXPECT_EQ(1, other.nr);
	ASSERT_EQ(0, mregion_serving_add(serving, 65, 4096, &picky_ops,
					 &self->picky));
}

static void *serve(void *arg)
{
	return (void *)(intptr_t)mregion_serve(arg, 20);
}

/* A vCPU that writes, posts, and reads back what it wrote. */
struct vcpu {
	struct kernel *kernel;
	unsigned int index;
	unsigned int wrong;
	pthread_t thread;
};

struct counter {
	atomic_ullong last[NR_THREADS];
	atomic_uint wrong;
};

static uint64_t counter_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct counter *counter = opaque;

	(void)len;
	return counter->last[offset / 8];
}

static void counter_write(void *opaque, uint64_t offset, uint64_t data,
			  unsigned int len)
{
	struct counter *counter = opaque;

	(void)len;
	counter->wrong += atomic_exchange(&counter->last[offset / 8], data) !=
			  data - 1;
}

static const struct mregion_ops counter_ops = {
	.read = counter_read,
	.write = counter_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

static uint64_t make(struct vcpu *vcpu, uint64_t data, bool write)
{
	struct kernel *kernel = vcpu->kernel;

	submit(kernel, vcpu->index, 7, vcpu->index * 8, data, 8, write);
	while (!answered(kernel, vcpu->index))
		sched_yield();
	return withdraw(kernel, vcpu->index);
}

static void *run_vcpu(void *arg)
{
	struct vcpu *vcpu = arg;
	uint64_t i;

	for (i = 1; i < NR_ROUNDS; i++) {
		make(vcpu, i, true);
		vcpu->wrong += make(vcpu, 0, false) != i;
	}
	return NULL;
}

/* The ring has one producer: under the kernel's lock, as several vCPUs'. */
static void *run_poster(void *arg)
{
	struct vcpu *vcpu = arg;
	struct kernel *kernel = vcpu->kernel;
	struct mregion_ring_memory *memory;
	uint64_t i;

	memory = &atomic_load(&kernel->serving->rings)->memory;
	for (i = 1; i < NR_ROUNDS; i++) {
		while (memory->header->producer -
		       __atomic_load_n(&memory->header->consumer,
				       __ATOMIC_ACQUIRE) == 8)
			sched_yield();
		fixture_append(memory, 7, vcpu->index * 8, i, 8);
		event(kernel);
		if (i % 4 == 0)
			vcpu->wrong += make(vcpu, 0, false) != i;
	}
	return NULL;
}

TEST_F(serving, threads)
{
	struct counter counter = { 0 };
	struct vcpu vcpus[NR_THREADS];
	pthread_t servers[NR_THREADS];
	unsigned int i;
	void *ret;

	ASSERT_EQ(0, mregion_serving_add(self->serving, 7, 4096, &counter_ops,
					 &counter));
	add_ring(self->serving);
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&servers[i], NULL, serve,
					    self->serving));
	for (i = 0; i < NR_THREADS; i++) {
		vcpus[i] = (struct vcpu){
			.kernel = &self->kernel,
			.index = i,
		};
		ASSERT_EQ(0, pthread_create(&vcpus[i].thread, NULL,
					    i ? run_vcpu : run_poster,
					    &vcpus[i]));
	}
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(vcpus[i].thread, NULL);
		EXPECT_EQ(0, vcpus[i].wrong);
	}
	mregion_serving_stop(self->serving);
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(servers[i], &ret);
		EXPECT_EQ(NULL, ret);
	}
	EXPECT_EQ(0, counter.wrong);
	/* Nothing was seen before its time. */
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	for (i = 0; i < NR_THREADS; i++)
		EXPECT_EQ(NR_ROUNDS - 1, counter.last[i]);
	EXPECT_EQ(0, mregion_serve(self->serving, 0));
}

/* Devices come and go under load; their state is gone right after. */
struct plugger {
	struct kernel *kernel;
	unsigned int wrong;
};

static void *plug(void *arg)
{
	struct plugger *plugger = arg;
	struct mregion_serving *serving = plugger->kernel->serving;
	struct device *device;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		device = calloc(1, sizeof(*device));
		if (mregion_serving_add(serving, 7, 4096, &device_ops,
					device) ||
		    (sched_yield(), mregion_serving_del(serving, 7)))
			plugger->wrong++;
		free(device);
	}
	return NULL;
}

TEST_F(serving, unplug)
{
	struct plugger plugger = { .kernel = &self->kernel };
	struct vcpu vcpu = { .kernel = &self->kernel };
	pthread_t servers[NR_THREADS], thread;
	unsigned int i;

	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&servers[i], NULL, serve,
					    self->serving));
	ASSERT_EQ(0, pthread_create(&thread, NULL, plug, &plugger));
	for (i = 0; i < NR_ROUNDS; i++)
		make(&vcpu, 0, false);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, plugger.wrong);
	mregion_serving_stop(self->serving);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(servers[i], NULL);
}

TEST_F(serving, dead)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_LE(0, dup2(fds[0], self->serving->fd));
	close(fds[0]);
	EXPECT_EQ(0, mregion_serve_once(self->serving));
	close(fds[1]);
	EXPECT_EQ(-ENODEV, mregion_serve_once(self->serving));
	EXPECT_EQ(-ENODEV, mregion_serve(self->serving, 50));
}

TEST(open_server)
{
	struct mregion_server_header *header;
	struct mregion_serving *serving;
	int fd = memfd_create("server", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(NULL, mregion_serving_open(-1));
	EXPECT_EQ(EBADF, errno);
	ASSERT_EQ(0, ftruncate(fd, 2 * MREGION_SERVER_SLOTS));
	/* No slots: it is no server's. */
	EXPECT_EQ(NULL, mregion_serving_open(fd));
	EXPECT_EQ(EINVAL, errno);
	header = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, header);
	header->nr_slots = MREGION_SERVER_MAX_SLOTS + 1;
	EXPECT_EQ(NULL, mregion_serving_open(fd));
	header->nr_slots = 4;
	serving = mregion_serving_open(fd);
	ASSERT_NE(NULL, serving);
	EXPECT_NE(fd, mregion_serving_fd(serving));
	EXPECT_EQ(4, serving->nr_slots);
	EXPECT_EQ(-EINVAL, mregion_serving_add_ring(serving, fd));
	EXPECT_EQ(-EBADF, mregion_serving_add_ring(serving, -1));
	mregion_serving_close(serving);
	munmap(header, 4096);
	close(fd);
}

TEST_HARNESS_MAIN
