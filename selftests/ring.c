// SPDX-License-Identifier: GPL-2.0
/*
 * Coalescing rings: their memory, the order of what is in them, when they
 * overflow, when they wake their consumer, and that a consumer harms only
 * itself.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "mregion_util.h"

#define SPACE	1
#define RING	1

FIXTURE(ring) {
	struct mregion_info info;
	int fd;
};

/* A space with two regions of 0x1000 bytes, 2 at address 0 and 3 behind it. */
FIXTURE_SETUP(ring)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_info(self->fd, &self->info));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_mmio(2, 0x1000),
			    mr_mmio(3, 0x1000), mr_map(2, 1, 0, 0),
			    mr_map(3, 1, 0x1000, 0), mr_space(SPACE, 1)));
}

FIXTURE_TEARDOWN(ring)
{
	close(self->fd);
}

static struct mregion_ring_create ring_args(uint32_t id, uint32_t nr_entries)
{
	struct mregion_ring_create create = {
		.size = sizeof(create),
		.id = id,
		.nr_entries = nr_entries,
		.eventfd = -1,
		.fd = -1,
	};

	return create;
}

/* What became of a write of 4 bytes; a negative errno. */
static int write4(int fd, uint64_t addr, uint32_t value)
{
	struct mregion_access access;
	int err = mr_write(fd, SPACE, addr, 4, value, &access);

	if (err)
		return err;
	if (access.handled != (access.outcome == MREGION_OUTCOME_COALESCED))
		return -EPROTO;
	return access.outcome;
}

static bool readable(int fd, int msecs)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, msecs) == 1;
}

TEST_F(ring, creation_bounds)
{
	static const uint32_t bad[] = { 0, 1, 3, 5, 6, 1000, -1u, 1u << 31 };
	struct mregion_ring_create create;
	unsigned int i;
	int fds[2];

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		create = ring_args(RING, bad[i]);
		EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_RING_CREATE,
					    &create)) {
			TH_LOG("%u entries", bad[i]);
		}
	}
	create = ring_args(RING, self->info.max_ring_entries * 2);
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	create = ring_args(0, 16);
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	create = ring_args(RING, 16);
	create.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->fd, MREGION_RING_CREATE,
					&create));
	create = ring_args(RING, 16);
	create.notify_usecs = 10000001;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	create = ring_args(RING, 16);
	create.eventfd = 1000;
	EXPECT_EQ(-EBADF, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	ASSERT_EQ(0, pipe(fds));
	create.eventfd = fds[0];
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	close(fds[0]);
	close(fds[1]);

	create = ring_args(RING, 2);
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	EXPECT_LE(0, create.fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(create.fd, F_GETFD));
	close(create.fd);
	create = ring_args(RING, 4);
	EXPECT_EQ(-EEXIST, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	create = ring_args(2, self->info.max_ring_entries);
	create.eventfd = eventfd(0, EFD_CLOEXEC);
	create.notify_usecs = 10000000;
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	close(create.fd);
	close(create.eventfd);
}

TEST_F(ring, as_many_as_promised)
{
	struct mregion_ring_create create;
	uint32_t i;

	for (i = 1; i <= self->info.max_rings; i++) {
		create = ring_args(i, 2);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
		close(create.fd);
	}
	create = ring_args(i, 2);
	EXPECT_EQ(-ENOSPC, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	EXPECT_EQ(0, mr_ring_free(self->fd, 1));
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	close(create.fd);
}

/* No descriptor is left where the caller cannot be told of it. */
TEST_F(ring, bad_pointer_makes_no_ring)
{
	struct mregion_ring_create create = ring_args(RING, 16);
	int before = dup(0), after;
	void *page = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	memcpy(page, &create, sizeof(create));
	ASSERT_EQ(0, mprotect(page, MR_PAGE, PROT_READ));
	close(before);
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_RING_CREATE, page));
	after = dup(0);
	EXPECT_EQ(before, after);
	close(after);
	/* The ID is free for the next try. */
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	close(create.fd);
}

TEST_F(ring, header)
{
	struct mr_ring ring;
	const uint8_t *bytes;
	unsigned int i;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 64, -1, 0, 0, &ring));
	EXPECT_EQ(0, ring.header->producer);
	EXPECT_EQ(0, ring.header->consumer);
	EXPECT_EQ(64, ring.header->nr_entries);
	EXPECT_EQ(sizeof(struct mregion_ring_entry), ring.header->entry_size);
	/* Nothing of the kernel's shows in what is not used. */
	bytes = (const uint8_t *)ring.header;
	for (i = sizeof(*ring.header); i < ring.bytes; i++)
		if (bytes[i])
			break;
	EXPECT_EQ(ring.bytes, i);
	mr_ring_unmap(&ring);
}

TEST_F(ring, mapping)
{
	struct mregion_ring_create create = ring_args(RING, 1024);
	size_t bytes = MREGION_RING_ENTRIES +
		1024 * sizeof(struct mregion_ring_entry);
	void *memory;
	char byte;

	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_RING_CREATE, &create));
	memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, create.fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ(0, munmap(memory, bytes));
	memory = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      create.fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	/* It does not grow into what is behind it. */
	EXPECT_EQ(MAP_FAILED, mremap(memory, MR_PAGE, bytes + 16 * MR_PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(0, munmap(memory, MR_PAGE));

	/* More than there is, and beyond it. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, bytes + MR_PAGE,
				   PROT_READ | PROT_WRITE, MAP_SHARED,
				   create.fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED,
				   create.fd, (bytes + MR_PAGE - 1) &
				   ~(MR_PAGE - 1)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, bytes, PROT_READ, MAP_SHARED,
				   create.fd, MR_PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED,
				   create.fd, 1ull << 62));
	/* It is memory, no file. */
	EXPECT_EQ(-1, read(create.fd, &byte, 1));
	EXPECT_EQ(-1, write(create.fd, &byte, 1));
	EXPECT_EQ(-1, ftruncate(create.fd, 0));
	close(create.fd);
}

TEST_F(ring, entries)
{
	static const uint32_t lens[] = { 1, 2, 4 };
	struct mregion_ring_entry entry;
	struct mregion_access access;
	struct mr_ring ring;
	unsigned int i;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(3, RING, 0, 0)));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(0, mr_write(self->fd, SPACE, 0x1010 + 4 * i, lens[i],
				      0x8877665544332211, &access));
		EXPECT_EQ(MREGION_OUTCOME_COALESCED, access.outcome);
		EXPECT_EQ(1, access.handled);
	}
	EXPECT_EQ(ARRAY_SIZE(lens), mr_ring_waiting(&ring));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_TRUE(mr_ring_take(&ring, &entry));
		EXPECT_EQ(0x10 + 4 * i, entry.offset);
		EXPECT_EQ(0x8877665544332211 &
			  ((1ull << (8 * lens[i])) - 1), entry.data);
		EXPECT_EQ(3, entry.region);
		EXPECT_EQ(MREGION_NO_VCPU, entry.vcpu);
		EXPECT_EQ(lens[i], entry.len);
		EXPECT_EQ(0, entry.reserved);
	}
	EXPECT_FALSE(mr_ring_take(&ring, &entry));
	mr_ring_unmap(&ring);
}

/* Reads of a part that coalesces are the device's. */
TEST_F(ring, reads_are_forwarded)
{
	struct mregion_access access;
	struct mr_ring ring;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	ASSERT_EQ(0, mr_read(self->fd, SPACE, 0x10, 4, &access));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, access.outcome);
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(0, mr_ring_waiting(&ring));
	mr_ring_unmap(&ring);
}

TEST_F(ring, two_regions_share_one)
{
	struct mregion_ring_entry entry;
	struct mr_ring ring;
	unsigned int i;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 64, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0),
			    mr_rule_add(3, RING, 0, 0)));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(MREGION_OUTCOME_COALESCED,
			  write4(self->fd, i % 3 ? 0x20 : 0x1020, i));
	for (i = 0; i < 40; i++) {
		ASSERT_TRUE(mr_ring_take(&ring, &entry));
		EXPECT_EQ(i, entry.data);
		EXPECT_EQ(i % 3 ? 2 : 3, entry.region);
	}
	mr_ring_unmap(&ring);
}

TEST_F(ring, overflow)
{
	struct mregion_ring_entry entry;
	struct mregion_stats stats;
	struct mr_ring ring;
	uint32_t i, next = 0;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 4, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, i));
	EXPECT_EQ(MREGION_OUTCOME_RING_FULL, write4(self->fd, 0, 77));
	EXPECT_EQ(MREGION_OUTCOME_RING_FULL, write4(self->fd, 0, 78));
	/* Round and round: one out, one in. */
	for (; i < 100; i++) {
		ASSERT_TRUE(mr_ring_take(&ring, &entry));
		EXPECT_EQ(next++, entry.data);
		EXPECT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, i));
		EXPECT_EQ(MREGION_OUTCOME_RING_FULL, write4(self->fd, 0, 79));
	}
	while (mr_ring_take(&ring, &entry))
		EXPECT_EQ(next++, entry.data);
	EXPECT_EQ(100, next);
	EXPECT_EQ(100, ring.header->producer);

	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, 2, &stats));
	EXPECT_EQ(100, stats.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(98, stats.outcomes[MREGION_OUTCOME_RING_FULL]);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_RING, RING, &stats));
	EXPECT_EQ(100, stats.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(98, stats.outcomes[MREGION_OUTCOME_RING_FULL]);
	mr_ring_unmap(&ring);
}

/* An access of several parts does not go into a ring by halves. */
TEST_F(ring, no_half_access)
{
	struct mregion_ring_entry entry;
	struct mregion_access access;
	struct mr_ring ring;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 2, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	EXPECT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, 1));
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0, 8, -1ull, &access));
	EXPECT_EQ(MREGION_OUTCOME_RING_FULL, access.outcome);
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(1, mr_ring_waiting(&ring));
	EXPECT_TRUE(mr_ring_take(&ring, &entry));
	ASSERT_EQ(0, mr_write(self->fd, SPACE, 0, 8, -1ull, &access));
	EXPECT_EQ(MREGION_OUTCOME_COALESCED, access.outcome);
	EXPECT_EQ(2, mr_ring_waiting(&ring));
	mr_ring_unmap(&ring);
}

TEST_F(ring, wakes_on_entries)
{
	int efd = new_eventfd();
	struct mregion_ring_entry entry;
	struct mregion_stats stats;
	struct mr_ring ring;
	int i, round;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, efd, 3, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 2; i++)
			ASSERT_EQ(MREGION_OUTCOME_COALESCED,
				  write4(self->fd, 0, i));
		EXPECT_FALSE(readable(efd, 50));
		ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, i));
		EXPECT_TRUE(readable(efd, MR_PATIENCE_MS));
		signals(efd);
		while (mr_ring_take(&ring, &entry))
			;
	}
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_RING, RING, &stats));
	EXPECT_EQ(3, stats.wakeups);
	mr_ring_unmap(&ring);
	close(efd);
}

/* A consumer that takes less than all is woken again when N wait again. */
TEST_F(ring, wakes_a_slow_consumer)
{
	int efd = new_eventfd();
	struct mregion_ring_entry entry;
	struct mr_ring ring;
	int i;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 8, efd, 4, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	for (i = 0; i < 4; i++)
		write4(self->fd, 0, i);
	EXPECT_TRUE(readable(efd, MR_PATIENCE_MS));
	signals(efd);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(mr_ring_take(&ring, &entry));
		ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, i));
		EXPECT_TRUE(readable(efd, MR_PATIENCE_MS)) {
			TH_LOG("four wait, and nobody was told (%d)", i);
		}
		signals(efd);
	}
	mr_ring_unmap(&ring);
	close(efd);
}

TEST_F(ring, wakes_after_time)
{
	int efd = new_eventfd();
	struct mregion_ring_entry entry;
	struct mr_ring ring;
	int round;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, efd, 0, 20000, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	EXPECT_FALSE(readable(efd, 60));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, 1));
		EXPECT_TRUE(readable(efd, MR_PATIENCE_MS));
		signals(efd);
		/* Once is enough. */
		EXPECT_FALSE(readable(efd, 60));
		while (mr_ring_take(&ring, &entry))
			;
	}
	mr_ring_unmap(&ring);
	close(efd);
}

TEST_F(ring, does_not_wake_for_what_is_consumed)
{
	int efd = new_eventfd();
	struct mregion_ring_entry entry;
	struct mr_ring ring;
	unsigned int tries;
	uint64_t start;
	bool in_time;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, efd, 0, 500000,
				    &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	/* It has to be consumed before the time is up. */
	for (tries = 0, in_time = false; !in_time && tries < 20; tries++) {
		start = mr_now_ms();
		ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, 1));
		ASSERT_TRUE(mr_ring_take(&ring, &entry));
		in_time = mr_now_ms() - start < 400;
		EXPECT_FALSE(readable(efd, 1000) && in_time);
		signals(efd);
	}
	EXPECT_TRUE(in_time);
	mr_ring_unmap(&ring);
	close(efd);
}

/* A machine that goes away while a wake-up is due. */
TEST_F(ring, closed_before_the_time)
{
	int i, efd = new_eventfd();
	struct mr_ring ring;

	ASSERT_LE(0, efd);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, efd, 0, 2000,
					    &ring));
		ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
		ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, 1));
		mr_ring_unmap(&ring);
		if (i % 2) {
			ASSERT_EQ(0, COMMIT(self->fd,
					    mr_rule_del(2, RING, 0, 0)));
			ASSERT_EQ(0, mr_ring_free(self->fd, RING));
		} else {
			ring_teardown(_metadata, self, NULL);
			ring_setup(_metadata, self, NULL);
		}
	}
	close(efd);
	usleep(20000);
}

TEST_F(ring, free_while_used)
{
	struct mr_ring ring = {}, other = {};

	EXPECT_EQ(-ENOENT, mr_ring_free(self->fd, RING));
	EXPECT_EQ(-ENOENT, mr_ring_free(self->fd, 0));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 4),
			    mr_rule_add(2, RING, 8, 4)));
	ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 8, 0x1234));
	EXPECT_EQ(-EBUSY, mr_ring_free(self->fd, RING));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_del(2, RING, 0, 4)));
	EXPECT_EQ(-EBUSY, mr_ring_free(self->fd, RING));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_del(2, RING, 8, 4)));
	EXPECT_EQ(0, mr_ring_free(self->fd, RING));
	EXPECT_EQ(-ENOENT, mr_ring_free(self->fd, RING));

	/* Its memory stays, and is not that of a new ring of the same ID. */
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &other));
	EXPECT_EQ(0x1234, ring.entries[0].data);
	EXPECT_EQ(0, other.entries[0].data);
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 4)));
	ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, 0x5678));
	EXPECT_EQ(0x1234, ring.entries[0].data);
	EXPECT_EQ(0x5678, other.entries[0].data);
	mr_ring_unmap(&ring);
	mr_ring_unmap(&other);
}

TEST_F(ring, outlives_its_machine)
{
	struct mr_ring ring, again;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, RING, 0, 0)));
	ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 4, 0xabcd));
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_EQ(0xabcd, ring.entries[0].data);
	ring.header->consumer = 1;
	ASSERT_EQ(0, mr_ring_map(&again, ring.fd, 16));
	EXPECT_EQ(1, again.header->producer);
	EXPECT_EQ(1, again.header->consumer);
	munmap(again.header, again.bytes);
	/* The mapping alone keeps the memory, too. */
	ASSERT_EQ(0, close(ring.fd));
	EXPECT_EQ(0xabcd, ring.entries[0].data);
	munmap(ring.header, ring.bytes);
}

/* Whatever the consumer writes: each access ends, and other rings are whole. */
TEST_F(ring, consumer_writes_nonsense)
{
	static const uint32_t nonsense[] = {
		1, 2, 17, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	};
	struct mregion_ring_entry entry;
	struct mr_ring ring, good;
	unsigned int i, j, seed = 12345, next = 0;
	int outcome, efd = new_eventfd();

	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 16, efd, 4, 1000, &ring));
	ASSERT_EQ(0, mr_ring_create(self->fd, 2, 4, -1, 0, 0, &good));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(2, 1, 0, 0),
			    mr_rule_add(3, 2, 0, 0)));
	for (i = 0; i < 500; i++) {
		ring.header->consumer = i % 2 ? (uint32_t)rand_r(&seed) :
			nonsense[i / 2 % ARRAY_SIZE(nonsense)];
		if (i % 3 == 0)
			ring.header->producer = rand_r(&seed);
		if (i % 5 == 0)
			ring.header->nr_entries = rand_r(&seed);
		if (i % 7 == 0)
			ring.header->entry_size = rand_r(&seed);
		if (i % 11 == 0)
			memset(ring.header, rand_r(&seed), ring.bytes);
		for (j = 0; j < 20; j++) {
			outcome = write4(self->fd, 0, i);
			ASSERT_TRUE(outcome == MREGION_OUTCOME_COALESCED ||
				    outcome == MREGION_OUTCOME_RING_FULL) {
				TH_LOG("outcome %d", outcome);
			}
		}
		ASSERT_EQ(MREGION_OUTCOME_COALESCED,
			  write4(self->fd, 0x1000, i));
		ASSERT_TRUE(mr_ring_take(&good, &entry));
		ASSERT_EQ(next++, entry.data);
	}
	/*
	 * Back to sense. How many entries there were by then, the kernel knows;
	 * a consumer that has lost count can find it, by what lets writes in.
	 */
	ring.header->producer = 0;
	for (i = 0; i < 500 * 20 + 1 && !ring.header->producer; i += 16) {
		ring.header->consumer = i;
		write4(self->fd, 0, 0);
	}
	ASSERT_NE(0, ring.header->producer);
	ring.header->consumer = ring.header->producer;
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(MREGION_OUTCOME_COALESCED, write4(self->fd, 0, i));
		ASSERT_EQ(1, mr_ring_waiting(&ring));
		ASSERT_TRUE(mr_ring_take(&ring, &entry));
		EXPECT_EQ(i, entry.data);
	}
	EXPECT_EQ(4, good.header->nr_entries);
	EXPECT_EQ(next, good.header->producer);
	mr_ring_unmap(&ring);
	mr_ring_unmap(&good);
	close(efd);
}

/* Many producers at once, and a consumer beside them. */
#define PRODUCERS	4
#define WRITES		1500

struct producer {
	pthread_t thread;
	int fd;
	int index;
	int errors;
};

static void *produce(void *arg)
{
	struct producer *producer = arg;
	uint32_t i;
	int outcome;

	for (i = 0; i < WRITES; ) {
		outcome = write4(producer->fd, 0x100 * producer->index, i);
		if (outcome == MREGION_OUTCOME_RING_FULL) {
			sched_yield();
			continue;
		}
		if (outcome != MREGION_OUTCOME_COALESCED)
			producer->errors++;
		i++;
	}
	return NULL;
}

FIXTURE(producers) {
	FIXTURE_DATA(ring) ring;
};

FIXTURE_VARIANT(producers) {
	uint32_t nr_entries;
};

FIXTURE_SETUP(producers)
{
	ring_setup(_metadata, &self->ring, NULL);
}

FIXTURE_TEARDOWN(producers)
{
	ring_teardown(_metadata, &self->ring, NULL);
}

FIXTURE_VARIANT_ADD(producers, small) {
	.nr_entries = 2,
};

FIXTURE_VARIANT_ADD(producers, large) {
	.nr_entries = 256,
};

TEST_F_TIMEOUT(producers, complete_and_in_order, 120)
{
	struct producer producers[PRODUCERS];
	uint32_t next[PRODUCERS] = {};
	struct mregion_ring_entry entry;
	unsigned int i, total = 0, index;
	uint64_t deadline;
	struct mr_ring ring;

	ASSERT_EQ(0, mr_ring_create(self->ring.fd, RING, variant->nr_entries, -1,
				    0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->ring.fd, mr_rule_add(2, RING, 0, 0)));
	for (i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ .fd = self->ring.fd, .index = i };
		ASSERT_EQ(0, pthread_create(&producers[i].thread, NULL,
					    produce, &producers[i]));
	}
	deadline = mr_now_ms() + 100000;
	while (total < PRODUCERS * WRITES && mr_now_ms() < deadline) {
		if (!mr_ring_take(&ring, &entry)) {
			sched_yield();
			continue;
		}
		index = entry.offset / 0x100;
		ASSERT_GT(PRODUCERS, index);
		ASSERT_EQ(next[index], entry.data);
		next[index]++;
		total++;
	}
	EXPECT_EQ(PRODUCERS * WRITES, total);
	for (i = 0; i < PRODUCERS; i++) {
		pthread_join(producers[i].thread, NULL);
		EXPECT_EQ(0, producers[i].errors);
	}
	EXPECT_EQ(0, mr_ring_waiting(&ring));
	mr_ring_unmap(&ring);
}

TEST_HARNESS_MAIN
