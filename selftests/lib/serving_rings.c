// SPDX-License-Identifier: GPL-2.0
/* Rings of a serving process: what is posted comes before requests. */
#include "serving_util.h"

#include <sched.h>
#include <stdatomic.h>

TEST_F(serving, posted_first)
{
	struct mregion_serving_ring *ring = add_ring(self->serving);

	submit(&self->kernel, 0, 1, 0x40, 0, 4, false);
	fixture_append(&ring->memory, 1, 0x30, 7, 4);
	fixture_append(&ring->memory, 99, 0x30, 7, 4);
	fixture_append(&ring->memory, 1, 0x34, 8, 1);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_EQ(3, self->device.nr);
	EXPECT_EQ(7, self->device.seen[0].data);
	EXPECT_EQ(8, self->device.seen[1].data);
	EXPECT_FALSE(self->device.seen[2].write);
	EXPECT_FALSE(mregion_ring_memory_pending(&ring->memory));
}

static void post_more(void *opaque)
{
	struct mregion_serving_ring *ring = opaque;

	if (ring->memory.header->producer < 2)
		fixture_append(&ring->memory, 1, 0x50, 9, 4);
}

/* What was posted after the drain, and before the next request, too. */
TEST_F(serving, posted_between)
{
	struct mregion_serving_ring *ring = add_ring(self->serving);

	self->device.within = post_more;
	self->device.opaque = ring;
	submit(&self->kernel, 0, 1, 0x40, 0, 4, false);
	submit(&self->kernel, 1, 1, 0x44, 0, 4, false);
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	ASSERT_EQ(3, self->device.nr);
	EXPECT_EQ(0x40, self->device.seen[0].offset);
	EXPECT_EQ(0x50, self->device.seen[1].offset);
	EXPECT_EQ(0x44, self->device.seen[2].offset);
	/* And what was posted during that drain is for the next round. */
	EXPECT_TRUE(mregion_ring_memory_pending(&ring->memory));
	ASSERT_EQ(0, mregion_serve_once(self->serving));
	EXPECT_EQ(4, self->device.nr);
}

static int ring_fd(struct mregion_ring_header **header)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 2 * MREGION_RING_ENTRIES))
		abort();
	*header = mmap(NULL, 2 * MREGION_RING_ENTRIES, PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);
	if (*header == MAP_FAILED)
		abort();
	(*header)->entry_size = sizeof(struct mregion_ring_entry);
	(*header)->nr_entries = 16;
	return fd;
}

TEST_F(serving, same_ring)
{
	struct mregion_serving *serving = self->serving;
	struct mregion_ring_memory memory;
	struct mregion_ring_header *headers[2];
	int fds[2], again;

	fds[0] = ring_fd(&headers[0]);
	fds[1] = ring_fd(&headers[1]);
	again = dup(fds[0]);
	EXPECT_EQ(0, mregion_serving_add_ring(serving, fds[0]));
	EXPECT_EQ(-EEXIST, mregion_serving_add_ring(serving, fds[0]));
	EXPECT_NE(NULL, strstr(mregion_error(), "it was added before (EEXIST)"));
	EXPECT_EQ(0, mregion_serving_add_ring(serving, fds[1]));
	EXPECT_EQ(-EEXIST, mregion_serving_add_ring(serving, again));
	EXPECT_EQ(-EEXIST, mregion_serving_add_ring(serving, fds[1]));

	/* What is in it is done, and then it is let alone. */
	mregion_ring_memory_init(&memory, headers[0], 16);
	fixture_append(&memory, 1, 0, 1, 4);
	EXPECT_EQ(0, mregion_serving_del_ring(serving, again));
	EXPECT_EQ(1, self->device.nr);
	EXPECT_EQ(-ENOENT, mregion_serving_del_ring(serving, fds[0]));
	EXPECT_NE(NULL, strstr(mregion_error(), "it was not added (ENOENT)"));
	EXPECT_EQ(-EBADF, mregion_serving_del_ring(serving, -1));
	fixture_append(&memory, 1, 0, 2, 4);
	ASSERT_EQ(0, mregion_serve_once(serving));
	EXPECT_EQ(1, self->device.nr);
	EXPECT_EQ(0, mregion_serving_add_ring(serving, again));
	ASSERT_EQ(0, mregion_serve_once(serving));
	EXPECT_EQ(2, self->device.nr);
	mregion_ring_memory_unmap(&memory);
	close(fds[0]);
	close(fds[1]);
	close(again);
}

/* A device that is slow, once. */
static void be_slow(void *opaque)
{
	atomic_uint *stage = opaque;
	unsigned int none = 0;

	if (atomic_compare_exchange_strong(stage, &none, 1))
		while (atomic_load(stage) == 1)
			sched_yield();
}

static void *serve_once(void *serving)
{
	mregion_serve_once(serving);
	return NULL;
}

struct del {
	struct mregion_serving *serving;
	int fd;
	int ret;
};

static void *del_ring(void *arg)
{
	struct del *del = arg;

	del->ret = mregion_serving_del_ring(del->serving, del->fd);
	return NULL;
}

/* Who has posted a write, and then reads, finds it done all along. */
TEST_F(serving, ring_deleted_meanwhile)
{
	struct mregion_serving *serving = self->serving;
	struct mregion_ring_header *header;
	struct del del = { .serving = serving, .ret = 1 };
	struct mregion_serving_ring *ring;
	pthread_t slow, deleter;
	atomic_uint stage = 0;

	del.fd = ring_fd(&header);
	ASSERT_EQ(0, mregion_serving_add_ring(serving, del.fd));
	ring = atomic_load(&serving->rings);

	/* One thread is at another device; who deletes the ring waits for it. */
	self->picky.within = be_slow;
	self->picky.opaque = &stage;
	submit(&self->kernel, 0, 65, 0, 0, 4, false);
	pthread_create(&slow, NULL, serve_once, serving);
	while (!atomic_load(&stage))
		sched_yield();
	fixture_append(&ring->memory, 1, 0x30, 7, 4);
	pthread_create(&deleter, NULL, del_ring, &del);
	while (atomic_load(&serving->rings))
		sched_yield();

	submit(&self->kernel, 1, 1, 0x30, 0, 4, false);
	EXPECT_EQ(0, mregion_serve_once(serving));
	EXPECT_TRUE(answered(&self->kernel, 1));
	atomic_store(&stage, 2);
	pthread_join(slow, NULL);
	pthread_join(deleter, NULL);
	EXPECT_EQ(0, del.ret);
	ASSERT_EQ(2, self->device.nr);
	EXPECT_TRUE(self->device.seen[0].write);
	EXPECT_FALSE(self->device.seen[1].write);
	munmap(header, 2 * MREGION_RING_ENTRIES);
	close(del.fd);
}

TEST(open_ring)
{
	struct mregion_ring_memory memory = { 0 };
	struct mregion_ring_header *header;
	int fd = ring_fd(&header);

	header->nr_entries = 12;
	EXPECT_EQ(-EINVAL, mregion_ring_memory_map(&memory, fd, 0));
	header->nr_entries = 16;
	ASSERT_EQ(0, mregion_ring_memory_map(&memory, fd, 0));
	EXPECT_EQ(16, memory.nr_entries);
	mregion_ring_memory_unmap(&memory);
	munmap(header, 2 * MREGION_RING_ENTRIES);
	close(fd);
}

TEST_HARNESS_MAIN
