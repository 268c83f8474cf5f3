// SPDX-License-Identifier: GPL-2.0
/*
 * Servers: the protocol by hand, one request at a time.
 */
#include <sys/epoll.h>

#include "kselftest_harness.h"
#include "protocol_util.h"

TEST_F(protocol, creation_bounds)
{
	struct mregion_server_create args;
	struct mregion_info info;
	uint32_t i;

#define EXPECT_BAD(_errno, ...) do {					\
	args = server_args(2, 1);					\
	__VA_ARGS__;							\
	EXPECT_EQ(-(_errno), mr_ioctl(self->fd, MREGION_SERVER_CREATE,	\
				      &args));				\
} while (0)

	EXPECT_BAD(EINVAL, args.id = 0);
	EXPECT_BAD(EEXIST, args.id = SERVER);
	EXPECT_BAD(EINVAL, args.nr_slots = 0);
	EXPECT_BAD(EINVAL, args.nr_slots = MREGION_SERVER_MAX_SLOTS + 1);
	EXPECT_BAD(EINVAL, args.nr_slots = -1u);
	EXPECT_BAD(EINVAL, args.spin_usecs = 1001);
	EXPECT_BAD(EINVAL, args.spin_usecs = -1u);
	EXPECT_BAD(EINVAL, args.timeout_usecs = -1ull);
	EXPECT_BAD(EINVAL, args.reserved = 1);
	EXPECT_BAD(EOPNOTSUPP, args.flags = 1);
	EXPECT_BAD(EBADF, args.eventfd = -2);
	EXPECT_BAD(EBADF, args.eventfd = 1000);
	EXPECT_BAD(EINVAL, args.eventfd = self->fd);
	ASSERT_EQ(0, mr_info(self->fd, &info));
	EXPECT_EQ(MREGION_SERVER_MAX_SLOTS, info.max_slots);
	/* As many as promised, this one among them, and no more. */
	for (i = 2; i <= info.max_servers; i++) {
		args = server_args(i, 1);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SERVER_CREATE, &args));
		EXPECT_EQ(FD_CLOEXEC, fcntl(args.fd, F_GETFD));
		close(args.fd);
	}
	EXPECT_BAD(ENOSPC, args.id = i);
	EXPECT_EQ(0, mr_server_free(self->fd, 2));
	args = server_args(2, MREGION_SERVER_MAX_SLOTS);
	args.spin_usecs = 1000;
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SERVER_CREATE, &args));
	close(args.fd);
#undef EXPECT_BAD
}

TEST_F(protocol, memory)
{
	struct mr_server *server = &self->server;
	const uint8_t *bytes = (uint8_t *)server->header;
	size_t pages = (server->bytes + MR_PAGE - 1) & ~(MR_PAGE - 1), i;
	char byte;

	EXPECT_EQ(4, server->header->nr_slots);
	EXPECT_EQ(64, sizeof(struct mregion_server_slot));
	/* Nothing of the kernel's shows in what is not used. */
	for (i = 8; i < pages && !bytes[i]; i++)
		;
	EXPECT_EQ(pages, i);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, pages + MR_PAGE, PROT_READ,
				   MAP_SHARED, server->fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED,
				   server->fd, pages));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, pages, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, server->fd, 0));
	EXPECT_EQ(MAP_FAILED, mremap(server->header, pages, 2 * pages,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(-1, read(server->fd, &byte, 1));
	EXPECT_EQ(-1, write(server->fd, &byte, 1));
}

TEST_F(protocol, binding)
{
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_set_server(3, 2)));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_set_server(9, SERVER)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_set_server(1, SERVER)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_set_server(2, SERVER)));
	EXPECT_EQ(-ENOENT, mr_server_free(self->fd, 2));
	EXPECT_EQ(-EBUSY, mr_server_free(self->fd, SERVER));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(4, SERVER),
			    mr_set_server(3, 0)));
	EXPECT_EQ(-EBUSY, mr_server_free(self->fd, SERVER));
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(4), mr_free(4)));
	EXPECT_EQ(0, mr_server_free(self->fd, SERVER));
	EXPECT_EQ(-ENOENT, mr_server_free(self->fd, SERVER));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_set_server(3, SERVER)));
}

/* The whole access, as it was made, and not in parts. */
TEST_F(protocol, requests)
{
	uint64_t data = 0x8877665544332211, mask;
	struct mregion_server_slot *slot;
	struct mregion_stats stats;
	unsigned int len, write, i = 0;
	struct asker asker;
	uint32_t number;
	int index;

	for (len = 1; len <= 8; len++) {
		mask = ~0ull >> (64 - 8 * len);
		for (write = 0; write < 2; write++, i++) {
			uint16_t vcpu = i % 3 ? i : MREGION_NO_VCPU;

			ASSERT_EQ(0, ask(&asker, self->fd, 0x100 + i, len,
					 write, data, vcpu));
			index = take(&self->server, &number);
			ASSERT_LE(0, index);
			slot = &self->server.slots[index];
			EXPECT_EQ(0x100 + i, slot->offset);
			EXPECT_EQ(write ? data & mask : 0, slot->data);
			EXPECT_EQ(3, slot->region);
			EXPECT_EQ(vcpu, slot->vcpu);
			EXPECT_EQ(len, slot->len);
			EXPECT_EQ(write ? MREGION_SERVER_WRITE : 0,
				  slot->flags);
			mr_server_answer(&self->server, index, number,
					 ~data);
			answer_of(&asker);
			/* As many bytes as were asked for. */
			if (!write)
				EXPECT_EQ(~data & mask, asker.access.data);
			EXPECT_EQ(0, asker.err);
			EXPECT_EQ(1, asker.access.handled);
			EXPECT_EQ(MREGION_OUTCOME_SERVED,
				  asker.access.outcome);
		}
	}
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_SERVER, SERVER,
			      &stats));
	EXPECT_EQ(i, stats.outcomes[MREGION_OUTCOME_SERVED]);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_REGION, 3, &stats));
	EXPECT_EQ(i, stats.outcomes[MREGION_OUTCOME_SERVED]);
}

/* Rules and what the device refuses come first; servers get the rest. */
TEST_F(protocol, what_is_forwarded)
{
	struct mregion_constraints picky = { .valid_min = 4, .valid_max = 4 };
	struct mregion_access access;
	struct asker asker;
	int efd = new_eventfd();
	uint32_t number;
	int index;

	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(3, bell(0, 4, efd))));
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 0, 4, 1, &access));
	EXPECT_EQ(MREGION_OUTCOME_DOORBELL, access.outcome);
	/* An access to two regions is the VMM's, as is one to another. */
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 0xffc, 8, 1, &access));
	EXPECT_EQ(0, access.handled);
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 0x1000, 4, 1, &access));
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(MREGION_OUTCOME_EXIT, access.outcome);
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(3, picky)));
	ASSERT_EQ(0, mr_read(self->fd, DEV_MEMORY, 8, 2, &access));
	EXPECT_EQ(MREGION_OUTCOME_REFUSED, access.outcome);
	EXPECT_EQ(0, mr_server_events(&self->server));
	/* A doorbell's reads. */
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, MREGION_NO_VCPU));
	index = take(&self->server, &number);
	ASSERT_LE(0, index);
	mr_server_answer(&self->server, index, number, 0x1234);
	EXPECT_EQ(0x1234, answer_of(&asker));
	close(efd);
}

TEST_F(protocol, many_at_once)
{
	struct mr_server *server = &self->server;
	struct asker askers[12];
	unsigned int i;
	uint32_t number;
	int slot;

	/* More than there are slots: those that find none wait for one. */
	for (i = 0; i < ARRAY_SIZE(askers); i++)
		ASSERT_EQ(0, ask(&askers[i], self->fd, 8 * i, 4, false, 0,
				 MREGION_NO_VCPU));
	for (i = 0; i < ARRAY_SIZE(askers); i++) {
		slot = take(server, &number);
		ASSERT_LE(0, slot);
		mr_server_answer(server, slot, number,
				 0x1000 + server->slots[slot].offset);
	}
	for (i = 0; i < ARRAY_SIZE(askers); i++)
		EXPECT_EQ(0x1000 + 8 * i, answer_of(&askers[i]));
	EXPECT_EQ(-1, mr_server_take(server, &number));
}

/* Answered in another order than asked. */
TEST_F(protocol, any_order)
{
	struct mr_server *server = &self->server;
	struct asker askers[4];
	uint32_t numbers[4];
	unsigned int i;
	int slots[4];

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, ask(&askers[i], self->fd, 8 * i, 4, false, 0, i));
	for (i = 0; i < 4; i++) {
		slots[i] = take(server, &numbers[i]);
		ASSERT_LE(0, slots[i]);
	}
	for (i = 4; i-- > 0; )
		mr_server_answer(server, slots[i], numbers[i],
				 server->slots[slots[i]].vcpu + 7);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(7 + i, answer_of(&askers[i]));
}

/* Who has waited for a slot gets it, in order, and nobody who comes later. */
TEST_F(protocol, slots_in_order)
{
	struct mr_server *server = &self->server;
	struct asker askers[10], late[6];
	unsigned int i;
	uint32_t numbers[16];
	int slots[16];

	for (i = 0; i < ARRAY_SIZE(askers); i++) {
		ASSERT_EQ(0, ask(&askers[i], self->fd, 8 * i, 4, false, 0,
				 MREGION_NO_VCPU));
		if (i >= 4) {
			ASSERT_TRUE(mr_until(thread_sleeps(&askers[i].tid)));
			continue;
		}
		slots[i] = take(server, &numbers[i]);
		ASSERT_LE(0, slots[i]);
	}
	for (i = 0; i < 16; i++) {
		mr_server_answer(server, slots[i], numbers[i], i);
		if (i < ARRAY_SIZE(late))
			ASSERT_EQ(0, ask(&late[i], self->fd, 0x80, 4, false, 0,
					 MREGION_NO_VCPU));
		if (i >= 12)
			continue;
		slots[i + 4] = take(server, &numbers[i + 4]);
		ASSERT_LE(0, slots[i + 4]);
		EXPECT_EQ(i < 6 ? 8 * (i + 4) : 0x80,
			  server->slots[slots[i + 4]].offset);
	}
	for (i = 0; i < ARRAY_SIZE(askers); i++)
		EXPECT_EQ(i, answer_of(&askers[i]));
	for (i = 0; i < ARRAY_SIZE(late); i++)
		EXPECT_LE(10, answer_of(&late[i]));
}

/* ---- Waiting ----------------------------------------------------------- */

TEST_F(protocol, wait_arguments)
{
	struct mregion_server_wait wait = { .size = sizeof(wait) };
	struct mregion_server_wake wake = { .size = sizeof(wake) };
	uint8_t large[8192] = {};

	wait.timeout_usecs = 1;
	wait.size = 8;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->server.fd, MREGION_SERVER_WAIT,
				    &wait));
	wait.size = sizeof(wait);
	wait.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->server.fd, MREGION_SERVER_WAIT,
					&wait));
	EXPECT_EQ(-EFAULT, mr_ioctl(self->server.fd, MREGION_SERVER_WAIT,
				    (void *)8));
	*(uint32_t *)large = sizeof(wait) + 8;
	large[8] = 1;
	EXPECT_EQ(-ETIMEDOUT, mr_ioctl(self->server.fd, MREGION_SERVER_WAIT,
				       large));
	large[sizeof(wait)] = 1;
	EXPECT_EQ(-E2BIG, mr_ioctl(self->server.fd, MREGION_SERVER_WAIT,
				   large));
	EXPECT_EQ(-EINVAL, mr_server_wake(&self->server, 4));
	EXPECT_EQ(-EINVAL, mr_server_wake(&self->server, -1u));
	EXPECT_EQ(0, mr_server_wake(&self->server, 3));
	wake.size = 4;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->server.fd, MREGION_SERVER_WAKE,
				    &wake));
	EXPECT_EQ(-ENOTTY, mr_ioctl(self->server.fd, MREGION_INFO, &wait));
	EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd, MREGION_SERVER_WAIT, &wait));
}

TEST_F(protocol, wait_until_a_time)
{
	uint64_t start;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		start = mr_now_ms();
		EXPECT_EQ(-ETIMEDOUT, mr_server_wait(&self->server, 60000));
		EXPECT_LE(59, mr_now_ms() - start);
	}
	/* Until something comes, and as long as it has not been seen. */
	self->server.header->seen = -1u;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, mr_server_wait(&self->server, 0));
	self->server.header->seen = 0;
	EXPECT_EQ(-ETIMEDOUT, mr_server_wait(&self->server, 1));
}

TEST_F(protocol, wait_until_a_signal)
{
	struct waiter waiter;

	ASSERT_EQ(0, start_sleeper(&waiter, &self->server));
	EXPECT_FALSE(__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE));
	while (!__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE)) {
		pthread_kill(waiter.thread, SIGUSR1);
		usleep(1000);
	}
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(-EINTR, waiter.err);
}

TEST_F(protocol, wait_until_an_event)
{
	struct mr_server *server = &self->server;
	struct mregion_stats stats;
	struct waiter waiter;
	struct asker asker;
	uint32_t number = 0;
	int slot;

	ASSERT_EQ(0, start_sleeper(&waiter, server));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 1));
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(0, waiter.err);
	EXPECT_EQ(1, mr_server_events(server));
	/* It is there already: nothing has to be waited for. */
	slot = mr_server_take(server, &number);
	ASSERT_LE(0, slot);
	mr_server_answer(server, slot, number, 5);
	EXPECT_EQ(5, answer_of(&asker));
	mr_server_seen(server, 1);
	EXPECT_EQ(-ETIMEDOUT, mr_server_wait(server, 1000));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_SERVER, SERVER,
			      &stats));
	EXPECT_EQ(1, stats.wakeups);
}

/* One event is for one thread. */
TEST_F(protocol, one_is_woken)
{
	struct mr_server *server = &self->server;
	struct waiter waiters[3];
	unsigned int i, woken = 0;
	struct mregion_stats stats;
	struct asker asker;
	uint32_t number;
	int slot;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, start_sleeper(&waiters[i], server));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 1));
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	mr_server_seen(server, mr_server_events(server));
	mr_server_answer(server, slot, number, 5);
	EXPECT_EQ(5, answer_of(&asker));
	usleep(100000);
	for (i = 0; i < 3; i++)
		woken += __atomic_load_n(&waiters[i].done, __ATOMIC_ACQUIRE);
	EXPECT_GE(1, woken);
	/* It may have come too late to find anything, but was woken. */
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_SERVER, SERVER,
			      &stats));
	EXPECT_LE(1, stats.wakeups);
	/* All of them, when it is over. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 0)));
	ASSERT_EQ(0, mr_server_free(self->fd, SERVER));
	for (i = 0; i < 3; i++) {
		pthread_join(waiters[i].thread, NULL);
		if (waiters[i].err)
			EXPECT_EQ(-ENODEV, waiters[i].err);
	}
}

static short polled(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	poll(&pollfd, 1, 0);
	return pollfd.revents;
}

TEST_F(protocol, polled)
{
	struct epoll_event event = { .events = EPOLLIN }, got;
	int slot, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct mr_server *server = &self->server;
	struct asker asker;
	uint32_t number;

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, server->fd, &event));
	EXPECT_EQ(0, polled(server->fd));
	EXPECT_EQ(0, epoll_wait(epoll, &got, 1, 20));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 1));
	ASSERT_EQ(1, epoll_wait(epoll, &got, 1, MR_PATIENCE_MS));
	EXPECT_EQ(EPOLLIN, got.events);
	EXPECT_EQ(POLLIN, polled(server->fd));
	/* Until it says that it has seen it. */
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	EXPECT_EQ(POLLIN, polled(server->fd));
	mr_server_seen(server, mr_server_events(server));
	EXPECT_EQ(0, polled(server->fd));
	mr_server_answer(server, slot, number, 5);
	EXPECT_EQ(5, answer_of(&asker));
	EXPECT_EQ(0, epoll_wait(epoll, &got, 1, 20));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 0)));
	ASSERT_EQ(0, mr_server_free(self->fd, SERVER));
	ASSERT_EQ(1, epoll_wait(epoll, &got, 1, MR_PATIENCE_MS));
	EXPECT_TRUE(got.events & EPOLLHUP);
	EXPECT_TRUE(polled(server->fd) & POLLHUP);
	close(epoll);
}

/* ---- Ends -------------------------------------------------------------- */

TEST_F(protocol, server_freed)
{
	struct waiter waiter;

	ASSERT_EQ(0, start_sleeper(&waiter, &self->server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 0)));
	EXPECT_FALSE(__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, mr_server_free(self->fd, SERVER));
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(-ENODEV, waiter.err);
	EXPECT_EQ(-ENODEV, mr_server_wait(&self->server, 0));
	/* Its memory stays, for whoever has it. */
	self->server.header->seen = 1;
	EXPECT_EQ(4, self->server.header->nr_slots);
	EXPECT_EQ(0, mr_server_wake(&self->server, 0));
}

TEST_F(protocol, machine_closed)
{
	struct waiter waiter;

	ASSERT_EQ(0, start_sleeper(&waiter, &self->server));
	close(self->fd);
	self->fd = -1;
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(-ENODEV, waiter.err);
	EXPECT_EQ(-ENODEV, mr_server_wait(&self->server, 0));
	EXPECT_TRUE(polled(self->server.fd) & POLLHUP);
}

/* Who waits for a server that has gone is told, and who comes later, too. */
TEST_F(protocol, server_closed)
{
	struct mregion_access access;
	struct mregion_stats stats;
	struct asker askers[6];
	unsigned int i;
	uint32_t number;

	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, ask(&askers[i], self->fd, 8 * i, 4, i & 1, 7, i));
	ASSERT_LE(0, take(&self->server, &number));
	/* The mapping keeps it alive. */
	close(self->server.fd);
	self->server.fd = -1;
	usleep(50000);
	for (i = 0; i < 6; i++)
		EXPECT_FALSE(__atomic_load_n(&askers[i].done,
					     __ATOMIC_ACQUIRE));
	mr_server_close(&self->server);
	for (i = 0; i < 6; i++) {
		pthread_join(askers[i].thread, NULL);
		EXPECT_EQ(0, askers[i].err);
		EXPECT_EQ(0, askers[i].access.handled);
		EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT,
			  askers[i].access.outcome);
	}
	ASSERT_EQ(0, mr_read(self->fd, DEV_MEMORY, 0, 4, &access));
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, access.outcome);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_SERVER, SERVER,
			      &stats));
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVED]);
	EXPECT_EQ(7, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	/* Unbound, the accesses are plain exits. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 0)));
	ASSERT_EQ(0, mr_read(self->fd, DEV_MEMORY, 0, 4, &access));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, access.outcome);
	EXPECT_EQ(0, mr_server_free(self->fd, SERVER));
}

/* Once, whoever kills it. */
TEST_F(protocol, death_is_told)
{
	struct mregion_server_create args = server_args(2, 1);
	struct mregion_access access;

	args.eventfd = new_eventfd();
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SERVER_CREATE, &args));
	EXPECT_EQ(0, signals(args.eventfd));
	close(args.fd);
	EXPECT_EQ(1, signals(args.eventfd));
	EXPECT_EQ(0, mr_server_free(self->fd, 2));
	EXPECT_EQ(0, signals(args.eventfd));

	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SERVER_CREATE, &args));
	EXPECT_EQ(0, mr_server_free(self->fd, 2));
	EXPECT_EQ(1, signals(args.eventfd));
	close(args.fd);
	EXPECT_EQ(0, signals(args.eventfd));

	/* The descriptor may be closed meanwhile, of which this is a copy. */
	args.timeout_usecs = 1000;
	args.eventfd = dup(args.eventfd);
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SERVER_CREATE, &args));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(4, 2)));
	ASSERT_EQ(0, mr_read(self->fd, DEV_MEMORY, 0x1000, 4, &access));
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, access.outcome);
	EXPECT_EQ(1, signals(args.eventfd));
	close(args.fd);
	close(args.eventfd);
}

/* What would have been posted to it exits: nobody would come for it. */
TEST_F(protocol, server_closed_with_a_ring)
{
	struct mregion_op rule = mr_rule_add(3, 1, 0, 8);
	struct mregion_access access;
	struct mr_ring ring;

	rule.rule.flags = MREGION_RULE_POSTED;
	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, rule));
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 0, 4, 1, &access));
	EXPECT_EQ(MREGION_OUTCOME_COALESCED, access.outcome);
	mr_server_close(&self->server);
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 0, 4, 2, &access));
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, access.outcome);
	EXPECT_EQ(1, mr_ring_waiting(&ring));
	/* Without a server, it is a ring like others. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 0)));
	ASSERT_EQ(0, mr_write(self->fd, DEV_MEMORY, 0, 4, 3, &access));
	EXPECT_EQ(MREGION_OUTCOME_COALESCED, access.outcome);
	EXPECT_EQ(2, mr_ring_waiting(&ring));
	mr_ring_unmap(&ring);
}

/* Descriptors in another process are as good as one's own. */
TEST_F(protocol, other_process_has_it)
{
	struct asker asker;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		uint32_t number;
		int slot;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(self->fd);
		slot = take(&self->server, &number);
		if (slot < 0)
			_exit(1);
		mr_server_answer(&self->server, slot, number, 0x42);
		for (;;)
			pause();
	}
	mr_server_close(&self->server);
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
	EXPECT_EQ(0x42, answer_of(&asker));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
	usleep(20000);
	EXPECT_FALSE(__atomic_load_n(&asker.done, __ATOMIC_ACQUIRE));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	pthread_join(asker.thread, NULL);
	EXPECT_EQ(0, asker.err);
	EXPECT_EQ(0, asker.access.handled);
}

/* An answer in time is one, and nothing is left of the limit. */
TEST_F(protocol, time_limit_kept)
{
	struct mr_server limited;
	struct asker asker;
	uint32_t number;
	int slot;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 5000000, &limited));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
	slot = take(&limited, &number);
	ASSERT_LE(0, slot);
	mr_server_answer(&limited, slot, number, 1);
	EXPECT_EQ(1, answer_of(&asker));
	usleep(5500000);
	EXPECT_EQ(POLLIN, polled(limited.fd));
	mr_server_seen(&limited, mr_server_events(&limited));
	EXPECT_EQ(0, polled(limited.fd));
	mr_server_close(&limited);
}

TEST_F(protocol, time_limit_exceeded)
{
	uint64_t start, took, shortest = -1ull;
	struct mregion_access access;
	struct mr_server limited;
	struct asker asker;
	uint32_t number;
	unsigned int i;
	int slot;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 300000, &limited));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	start = mr_now_ms();
	ASSERT_EQ(0, mr_read(self->fd, DEV_MEMORY, 0, 4, &access));
	EXPECT_EQ(0, access.handled);
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, access.outcome);
	EXPECT_LE(299, mr_now_ms() - start);
	EXPECT_TRUE(polled(limited.fd) & POLLHUP);
	mr_server_seen(&limited, mr_server_events(&limited));
	EXPECT_EQ(-ENODEV, mr_server_wait(&limited, 0));
	/* For good: nobody waits that long again, whatever else takes time. */
	for (i = 0; i < 10; i++) {
		start = mr_now_ms();
		ASSERT_EQ(0, mr_read(self->fd, DEV_MEMORY, 0, 4, &access));
		EXPECT_EQ(0, access.handled);
		took = mr_now_ms() - start;
		shortest = took < shortest ? took : shortest;
	}
	EXPECT_GT(250, shortest);
	/* Another one takes over. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, SERVER)));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
	slot = take(&self->server, &number);
	ASSERT_LE(0, slot);
	mr_server_answer(&self->server, slot, number, 2);
	EXPECT_EQ(2, answer_of(&asker));
	mr_server_close(&limited);
}

TEST_HARNESS_MAIN
