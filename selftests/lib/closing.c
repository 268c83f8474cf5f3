// SPDX-License-Identifier: GPL-2.0
/* Closing a machine whose devices are called with a recursive lock. */
#include <kselftest_harness.h>

#include <stdlib.h>
#include <sys/eventfd.h>

#include "fixture.h"
#include "ring.h"

struct device {
	pthread_mutex_t lock;
	atomic_uint writes;
};

static bool lock(void *opaque)
{
	pthread_mutex_lock(opaque);
	return true;
}

static void unlock(void *opaque)
{
	pthread_mutex_unlock(opaque);
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	(void)offset;
	(void)data;
	(void)len;
	device->writes++;
}

static const struct mregion_ops device_ops = { .write = device_write };

/* The thread of a ring is on its way, and has the lock or waits for it. */
TEST(recursive_lock)
{
	pthread_mutexattr_t attr;
	struct device device = { .writes = 0 };
	struct mregion_machine *machine;
	struct mregion_ring *ring;
	unsigned int i;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&device.lock, &attr);
	pthread_mutexattr_destroy(&attr);
	for (i = 1; i <= 20; i++) {
		machine = malloc(sizeof(*machine));
		fixture_init(machine);
		ASSERT_EQ(0, mregion_machine_set_lock(machine, lock, unlock,
						      &device.lock));
		ring = fixture_ring(machine, 1);
		fixture_region(machine, 3, MREGION_MMIO, 64, &device_ops,
			       &device);
		/* Within it the library takes it once more. */
		lock(&device.lock);
		ASSERT_EQ(0, mregion_ring_start_thread(ring));
		fixture_append(&ring->memory, 3, 0, 0, 1);
		EXPECT_EQ(1, mregion_ring_drain(ring));
		fixture_append(&ring->memory, 3, 0, 0, 1);
		eventfd_write(ring->eventfd, 1);
		unlock(&device.lock);
		mregion_machine_close(machine);
		EXPECT_EQ(2 * i, device.writes);
	}
	/* It is free afterwards, for whoever comes. */
	EXPECT_EQ(0, pthread_mutex_trylock(&device.lock));
	unlock(&device.lock);
	pthread_mutex_destroy(&device.lock);
}

TEST_HARNESS_MAIN
