// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for sections, and what is done when they have ended: nobody uses what was
 * taken away before.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "section.h"

#define NR_READERS	3
#define NR_ROUNDS	2000

struct shared {
	struct mregion_machine machine;
	/* Which of the two words may be used; the other must be 0. */
	atomic_int current;
	atomic_int words[2];
	atomic_bool stop;
	atomic_uint wrong;
	atomic_uint reads;
};

static void *reader(void *arg)
{
	struct shared *shared = arg;
	struct mregion_section section;
	int i, current;

	while (!atomic_load(&shared->stop)) {
		mregion_section_begin(&section, &shared->machine.sections);
		current = atomic_load(&shared->current);
		for (i = 0; i < 20; i++)
			if (!atomic_load(&shared->words[current]))
				atomic_fetch_add(&shared->wrong, 1);
		mregion_section_end(&section);
		atomic_fetch_add(&shared->reads, 1);
	}
	return NULL;
}

TEST(grace)
{
	struct shared shared;
	pthread_t threads[NR_READERS];
	int i, old;

	memset(&shared, 0, sizeof(shared));
	fixture_init(&shared.machine);
	atomic_store(&shared.words[0], 1);
	for (i = 0; i < NR_READERS; i++)
		pthread_create(&threads[i], NULL, reader, &shared);
	for (i = 0; i < NR_ROUNDS || atomic_load(&shared.reads) < 1000; i++) {
		old = atomic_load(&shared.current);
		atomic_store(&shared.words[!old], 1);
		atomic_store(&shared.current, !old);
		mregion_sections_wait(&shared.machine.sections);
		atomic_store(&shared.words[old], 0);
	}
	atomic_store(&shared.stop, true);
	for (i = 0; i < NR_READERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&shared.wrong));
	fixture_destroy(&shared.machine);
}

static void *synchronizer(void *arg)
{
	struct shared *shared = arg;

	mregion_sections_wait(&shared->machine.sections);
	atomic_store(&shared->stop, true);
	return NULL;
}

static void nap(long msec)
{
	struct timespec time = { .tv_nsec = msec * 1000000 };

	nanosleep(&time, NULL);
}

/* A section that begins during the wait does not prolong it. */
TEST(later_sections)
{
	struct mregion_section early, late;
	struct shared shared;
	pthread_t thread;

	memset(&shared, 0, sizeof(shared));
	fixture_init(&shared.machine);
	mregion_section_begin(&early, &shared.machine.sections);
	pthread_create(&thread, NULL, synchronizer, &shared);
	while (!atomic_load(&shared.machine.sections.busy))
		nap(1);
	mregion_section_begin(&late, &shared.machine.sections);
	nap(20);
	EXPECT_FALSE(atomic_load(&shared.stop));
	mregion_section_end(&late);
	nap(20);
	EXPECT_FALSE(atomic_load(&shared.stop));
	mregion_section_begin(&late, &shared.machine.sections);
	late.outer = NULL;
	mregion_section_end(&early);
	pthread_join(thread, NULL);
	EXPECT_TRUE(atomic_load(&shared.stop));
	mregion_section_end(&late);
	fixture_destroy(&shared.machine);
}

TEST(deadlock)
{
	struct mregion_machine machine, other;
	struct mregion_section outer, inner;

	fixture_init(&machine);
	fixture_init(&other);
	mregion_section_begin(&outer, &machine.sections);
	EXPECT_EQ(-EDEADLK, mregion_synchronize(&machine));
	EXPECT_EQ(0, mregion_synchronize(&other));
	mregion_section_begin(&inner, &other.sections);
	EXPECT_EQ(-EDEADLK, mregion_synchronize(&machine));
	mregion_section_end(&inner);
	mregion_section_end(&outer);
	EXPECT_EQ(0, mregion_synchronize(&machine));
	mregion_begin(&machine);
	EXPECT_EQ(-EDEADLK, mregion_synchronize(&machine));
	mregion_abort(&machine);
	EXPECT_EQ(0, mregion_synchronize(&machine));
	fixture_destroy(&machine);
	fixture_destroy(&other);
}

/* A device that counts how often it is released, and finds out from where. */
struct device {
	struct mregion_machine *machine;
	atomic_uint released;
	bool inside;
	bool locked;
	pthread_t thread;
	/* To be freed by its release function. */
	struct mregion_region *other;
};

static void *trylock(void *arg)
{
	struct device *device = arg;
	pthread_mutex_t *lock = &device->machine->transaction.lock;

	device->locked = pthread_mutex_trylock(lock);
	if (!device->locked)
		pthread_mutex_unlock(lock);
	return NULL;
}

static void release(void *opaque)
{
	struct device *device = opaque;
	pthread_t thread;

	device->inside |= mregion_sections_inside(&device->machine->sections);
	/* The lock is recursive, so another thread has to look. */
	pthread_create(&thread, NULL, trylock, device);
	pthread_join(thread, NULL);
	device->thread = pthread_self();
	device->released++;
	mregion_free(device->other);
}

static const struct mregion_ops ops = { .release = release };

#define EXPECT_RELEASED(nr, device) do { \
	EXPECT_EQ(nr, (device)->released); \
	EXPECT_FALSE((device)->inside); \
	EXPECT_FALSE((device)->locked); \
} while (0)

FIXTURE(release)
{
	struct mregion_machine machine;
	struct device device;
	struct mregion_region *region;
};

FIXTURE_SETUP(release)
{
	fixture_init(&self->machine);
	fixture_ioctl = fixture_kernel;
	self->device = (struct device){ .machine = &self->machine };
	self->region = mregion_new_mmio(&self->machine, "device", 64, &ops,
					&self->device);
	ASSERT_NE(NULL, self->region);
	EXPECT_EQ(&self->device, mregion_opaque(self->region));
}

FIXTURE_TEARDOWN(release)
{
	fixture_destroy(&self->machine);
}

TEST_F(release, at_once)
{
	EXPECT_EQ(0, mregion_free(self->region));
	EXPECT_RELEASED(1, &self->device);
	EXPECT_EQ(0, mregion_synchronize(&self->machine));
	EXPECT_EQ(1, self->device.released);
}

/* Not when it is freed, but when that is committed; if it is. */
TEST_F(release, committed)
{
	mregion_begin(&self->machine);
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_free(self->region));
	EXPECT_EQ(0, mregion_commit(&self->machine));
	EXPECT_EQ(0, self->device.released);
	mregion_abort(&self->machine);
	EXPECT_EQ(0, self->device.released);

	fixture_refuse_commits(true);
	EXPECT_EQ(-ENOENT, mregion_free(self->region));
	EXPECT_EQ(0, self->device.released);
	fixture_refuse_commits(false);
	mregion_begin(&self->machine);
	EXPECT_EQ(0, mregion_free(self->region));
	EXPECT_EQ(0, self->device.released);
	EXPECT_EQ(0, mregion_commit(&self->machine));
	EXPECT_RELEASED(1, &self->device);
}

/* A handle, too, whose creation was undone; but not what there never was. */
TEST_F(release, undone)
{
	struct device device = { .machine = &self->machine };
	struct mregion_region *region;

	fixture_refuse_commits(true);
	EXPECT_EQ(NULL, mregion_new_mmio(&self->machine, "none", 64, &ops,
					 &device));
	EXPECT_EQ(0, device.released);
	mregion_begin(&self->machine);
	region = mregion_new_mmio(&self->machine, "undone", 64, &ops, &device);
	ASSERT_NE(NULL, region);
	EXPECT_EQ(-ENOENT, mregion_commit(&self->machine));
	EXPECT_EQ(0, device.released);
	EXPECT_EQ(0, mregion_free(region));
	EXPECT_RELEASED(1, &device);
}

/* By its own function, perhaps within another one's: after the outermost. */
TEST_F(release, from_within)
{
	struct mregion_section outer, inner;

	mregion_section_begin(&outer, &self->machine.sections);
	mregion_section_begin(&inner, &self->machine.sections);
	EXPECT_EQ(0, mregion_free(self->region));
	EXPECT_EQ(0, self->device.released);
	mregion_section_end(&inner);
	EXPECT_EQ(0, self->device.released);
	mregion_section_end(&outer);
	EXPECT_RELEASED(1, &self->device);
}

/* What is around sections has something held. */
TEST_F(release, around)
{
	struct mregion_section around, section;

	mregion_section_around(&around, &self->machine.sections);
	mregion_section_begin(&section, &self->machine.sections);
	EXPECT_EQ(0, mregion_free(self->region));
	mregion_section_end(&section);
	EXPECT_EQ(0, self->device.released);
	mregion_section_end(&around);
	EXPECT_RELEASED(1, &self->device);
}

/* An access in a transaction ends while that is open. */
TEST_F(release, in_transaction)
{
	struct mregion_section outer, section;

	mregion_section_begin(&outer, &self->machine.sections);
	EXPECT_EQ(0, mregion_free(self->region));
	mregion_begin(&self->machine);
	mregion_section_begin(&section, &self->machine.sections);
	mregion_section_end(&section);
	mregion_section_end(&outer);
	EXPECT_EQ(0, self->device.released);
	mregion_abort(&self->machine);
	EXPECT_RELEASED(1, &self->device);
}

/* A release function may free what else the device had. */
TEST_F(release, chain)
{
	struct device second = { .machine = &self->machine };

	self->device.other = mregion_new_mmio(&self->machine, "second", 64,
					      &ops, &second);
	EXPECT_EQ(0, mregion_free(self->region));
	EXPECT_RELEASED(1, &self->device);
	EXPECT_RELEASED(1, &second);
}

struct visitor {
	struct mregion_machine *machine;
	atomic_bool in;
	atomic_bool leave;
};

static void *visit(void *arg)
{
	struct visitor *visitor = arg;
	struct mregion_section section;

	mregion_section_begin(&section, &visitor->machine->sections);
	atomic_store(&visitor->in, true);
	while (!atomic_load(&visitor->leave))
		nap(1);
	mregion_section_end(&section);
	return NULL;
}

/* The last one that leaves does it; who comes later is no reason to wait. */
TEST_F(release, by_another_thread)
{
	struct visitor visitors[2] = {
		{ .machine = &self->machine }, { .machine = &self->machine },
	};
	struct mregion_section late;
	pthread_t threads[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pthread_create(&threads[i], NULL, visit, &visitors[i]);
		while (!atomic_load(&visitors[i].in))
			nap(1);
	}
	EXPECT_EQ(0, mregion_free(self->region));
	EXPECT_EQ(0, self->device.released);
	atomic_store(&visitors[0].leave, true);
	pthread_join(threads[0], NULL);
	EXPECT_EQ(0, self->device.released);
	mregion_section_begin(&late, &self->machine.sections);
	atomic_store(&visitors[1].leave, true);
	pthread_join(threads[1], NULL);
	EXPECT_RELEASED(1, &self->device);
	EXPECT_TRUE(pthread_equal(threads[1], self->device.thread));
	mregion_section_end(&late);
}

/*
 * Devices come and go, of which others get hold. A device's state is gone with its
 * release: the sanitizer finds who is late.
 */
struct plugs {
	struct mregion_machine machine;
	_Atomic(struct mregion_region *) plugged;
	atomic_bool stop;
	atomic_uint seen;
	atomic_uint released;
};

struct plug {
	struct plugs *plugs;
	atomic_uint users;
};

static uint64_t plug_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct plug *plug = opaque;

	(void)offset;
	(void)len;
	return plug->users++;
}

static void plug_release(void *opaque)
{
	struct plug *plug = opaque;

	plug->plugs->released++;
	free(plug);
}

static const struct mregion_ops plug_ops = {
	.read = plug_read,
	.release = plug_release,
};

static void *use_plugged(void *arg)
{
	struct plugs *plugs = arg;
	struct mregion_section section;
	struct mregion_region *region;
	unsigned int i;

	while (!atomic_load(&plugs->stop)) {
		mregion_section_begin(&section, &plugs->machine.sections);
		region = atomic_load(&plugs->plugged);
		for (i = 0; region && i < 20; i++)
			region->ops->read(region->opaque, 0, 4);
		mregion_section_end(&section);
		plugs->seen += region != NULL;
	}
	return NULL;
}

TEST_F_TIMEOUT(release, under_load, 120)
{
	struct mregion_region *region;
	pthread_t threads[NR_READERS];
	struct plugs plugs = { 0 };
	unsigned int i, nr, seen;
	struct plug *plug;

	fixture_init(&plugs.machine);
	fixture_ioctl = fixture_kernel;
	for (i = 0; i < NR_READERS; i++)
		pthread_create(&threads[i], NULL, use_plugged, &plugs);
	for (nr = 0; nr < NR_ROUNDS / 8; nr++) {
		seen = plugs.seen;
		plug = calloc(1, sizeof(*plug));
		plug->plugs = &plugs;
		region = mregion_new_mmio(&plugs.machine, "plug", 64,
					  &plug_ops, plug);
		atomic_store(&plugs.plugged, region);
		while (plugs.seen == seen)
			sched_yield();
		atomic_store(&plugs.plugged, NULL);
		ASSERT_EQ(0, mregion_free(region));
		if (!(nr & 7))
			ASSERT_EQ(0, mregion_synchronize(&plugs.machine));
	}
	atomic_store(&plugs.stop, true);
	for (i = 0; i < NR_READERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(nr, plugs.released);
	fixture_destroy(&plugs.machine);
}

TEST_HARNESS_MAIN
