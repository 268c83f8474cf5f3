// SPDX-License-Identifier: GPL-2.0
/* Threads of rings, locks of the VMM's that they meet, and their end. */
#include "ring_util.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

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

	fixture_ioctl = fixture_kernel;
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

	fixture_ioctl = fixture_kernel;
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
