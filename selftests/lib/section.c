// SPDX-License-Identifier: GPL-2.0
/* Waiting for sections: nobody uses what was taken away before the wait. */
#include <kselftest_harness.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
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
	while (!atomic_load(&shared.machine.sections.waiting))
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

TEST_HARNESS_MAIN
