// SPDX-License-Identifier: GPL-2.0
/*
 * Readers beside a writer: whatever they read is the state before a commit or
 * the one after it, of all spaces, and never one between two operations.
 *
 * Two regions swap places, in two operations. Between these both would be at
 * one place. One answers reads with zeroes, the other with ones, so that a
 * read over their common edge tells where each of them is.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "mregion_util.h"

#define SECONDS	5

static const char *const views[] = {
	"0-fff 2+0, 1000-1fff 3+0",
	"0-fff 3+0, 1000-1fff 2+0",
};

static const char *const port_views[] = {
	"0-fff 2+0, 1000-1fff 3+0, 8000-8fff 2+0, 9000-9fff 3+0",
	"0-fff 3+0, 1000-1fff 2+0, 8000-8fff 3+0, 9000-9fff 2+0",
};

static const uint64_t edges[] = {
	0xffffffff00000000,
	0x00000000ffffffff,
};

struct reader {
	pthread_t thread;
	int fd;
	const bool *stop;
	int (*read)(struct reader *reader);
	unsigned long seen[2];
	uint64_t generation;
	unsigned long wrong;
	char first_wrong[256];
};

FIXTURE(atomic) {
	struct reader readers[6];
	unsigned int nr;
	bool stop;
	int fd;
};

FIXTURE_SETUP(atomic)
{
	struct mregion_op zeroes = mr_mmio(2, 0x1000);
	struct mregion_op ones = mr_mmio(3, 0x1000);

	/* Nothing that the tests read is as large as they accept. */
	zeroes.create.constraints.valid_min = 8;
	zeroes.create.constraints.valid_max = 8;
	ones.create.constraints = zeroes.create.constraints;
	zeroes.create.constraints.refused = MREGION_POLICY_ZEROES;
	ones.create.constraints.refused = MREGION_POLICY_ONES;
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0x8000), zeroes, ones,
			    mr_map(2, 1, 0, 0), mr_map(3, 1, 0x1000, 0),
			    mr_container(4, 0), mr_alias(5, 1, 0, 0x8000),
			    mr_alias(6, 1, 0, 0x8000), mr_map(5, 4, 0, 0),
			    mr_map(6, 4, 0x8000, 0), mr_space(1, 1),
			    mr_pio_space(2, 4)));
}

FIXTURE_TEARDOWN(atomic)
{
	close(self->fd);
}

static int find_state(const char *text, const char *const *states)
{
	return !strcmp(text, states[0]) ? 0 : !strcmp(text, states[1]) ? 1 : -1;
}

/* Not by mr_view_text(): the generation must be the same view's. */
static int read_view(struct reader *reader, uint32_t space,
		     const char *const *states)
{
	struct mregion_range ranges[8];
	uint64_t generation;
	char text[256] = "", *p = text;
	int i, nr = mr_view(reader->fd, space, ranges, 8, &generation);

	for (i = 0; i < nr && i < 8; i++)
		p += sprintf(p, "%s%llx-%llx %u+%llx", i ? ", " : "",
			     (unsigned long long)ranges[i].start,
			     (unsigned long long)ranges[i].last,
			     ranges[i].region,
			     (unsigned long long)ranges[i].offset);
	if (generation < reader->generation) {
		strcpy(reader->first_wrong, "a generation went back");
		return -1;
	}
	reader->generation = generation;
	i = find_state(text, states);
	if (i < 0)
		strcpy(reader->first_wrong, text);
	return i;
}

static int read_memory_view(struct reader *reader)
{
	return read_view(reader, 1, views);
}

static int read_port_view(struct reader *reader)
{
	return read_view(reader, 2, port_views);
}

static int read_edge(struct reader *reader)
{
	struct mregion_access access;

	if (mr_read(reader->fd, 1, 0xffc, 8, &access) || !access.handled) {
		strcpy(reader->first_wrong, "not handled");
		return -1;
	}
	sprintf(reader->first_wrong, "%#llx", (unsigned long long)access.data);
	return access.data == edges[0] ? 0 : access.data == edges[1] ? 1 : -1;
}

static int read_translation(struct reader *reader)
{
	struct mregion_translate result;

	if (mr_translate(reader->fd, 2, 0x8000, 0x4000, &result))
		return -1;
	sprintf(reader->first_wrong, "region %u to %#llx", result.range.region,
		(unsigned long long)result.range.last);
	if (result.range.last != 0x8fff)
		return -1;
	return result.range.region == 2 ? 0 : result.range.region == 3 ? 1 : -1;
}

static int read_regions(struct reader *reader)
{
	struct mregion_region_info regions[2];

	if (mr_regions(reader->fd, 2, regions, 2) < 2)
		return -1;
	sprintf(reader->first_wrong, "%u at %#llx, %u at %#llx", regions[0].id,
		(unsigned long long)regions[0].offset, regions[1].id,
		(unsigned long long)regions[1].offset);
	if (regions[0].offset + regions[1].offset != 0x1000)
		return -1;
	return regions[0].offset ? 1 : 0;
}

/* Each commit here changes both spaces. */
static int read_spaces(struct reader *reader)
{
	struct mregion_space_info spaces[2];

	if (mr_spaces(reader->fd, 0, spaces, 2) != 2)
		return -1;
	sprintf(reader->first_wrong, "generations %llu and %llu",
		(unsigned long long)spaces[0].generation,
		(unsigned long long)spaces[1].generation);
	if (spaces[0].generation != spaces[1].generation)
		return -1;
	return spaces[0].generation & 1;
}

static void *reader_thread(void *arg)
{
	struct reader *reader = arg;
	char first[sizeof(reader->first_wrong)] = "";
	int state;

	while (!__atomic_load_n(reader->stop, __ATOMIC_RELAXED)) {
		state = reader->read(reader);
		if (state >= 0)
			__atomic_add_fetch(&reader->seen[state], 1,
					   __ATOMIC_RELAXED);
		else if (!reader->wrong++)
			strcpy(first, reader->first_wrong);
	}
	strcpy(reader->first_wrong, first);
	return NULL;
}

/* Whether each reader has seen both states. */
static bool all_seen(FIXTURE_DATA(atomic) *self)
{
	unsigned int i, state;

	for (i = 0; i < ARRAY_SIZE(self->readers); i++)
		for (state = 0; state < 2; state++)
			if (!__atomic_load_n(&self->readers[i].seen[state],
					     __ATOMIC_RELAXED))
				return false;
	return true;
}

TEST_F_TIMEOUT(atomic, no_state_between, 120)
{
	static int (*const reads[])(struct reader *) = {
		read_memory_view, read_port_view, read_edge, read_translation,
		read_regions, read_spaces,
	};
	static const char *const names[] = {
		"memory view", "port view", "edge", "translation", "regions",
		"spaces",
	};
	unsigned long commits = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		self->readers[i] = (struct reader){
			.fd = self->fd, .stop = &self->stop, .read = reads[i],
		};
		ASSERT_EQ(0, pthread_create(&self->readers[i].thread, NULL,
					    reader_thread, &self->readers[i]));
	}
	mr_for_a_while(SECONDS * 1000, commits > 10 && all_seen(self)) {
		uint64_t places[] = { 0, 0x1000 };

		ASSERT_EQ(0, COMMIT(self->fd, mr_move(2, places[~commits & 1]),
				    mr_move(3, places[commits & 1])));
		commits++;
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		struct reader *reader = &self->readers[i];

		pthread_join(reader->thread, NULL);
		EXPECT_EQ(0, reader->wrong) {
			TH_LOG("%s: %lu of %lu: %s", names[i], reader->wrong,
			       reader->wrong + reader->seen[0] +
			       reader->seen[1], reader->first_wrong);
		}
		/* It did read while there was something to see. */
		EXPECT_LT(0, reader->seen[0]);
		EXPECT_LT(0, reader->seen[1]);
	}
	EXPECT_LT(10, commits);
}

/*
 * That these readers would see a state in between if there were one: the same
 * two operations in two commits.
 */
TEST_F_TIMEOUT(atomic, would_be_seen, 60)
{
	struct reader reader = { .fd = self->fd };

	ASSERT_EQ(0, COMMIT(self->fd, mr_move(2, 0x1000)));
	EXPECT_EQ(-1, read_memory_view(&reader));
	EXPECT_EQ(-1, read_port_view(&reader));
	EXPECT_EQ(-1, read_edge(&reader));
	EXPECT_EQ(-1, read_translation(&reader));
	EXPECT_EQ(-1, read_regions(&reader));
	/* And one that changes one space alone. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(3, 0)));
	EXPECT_LE(0, read_spaces(&reader));
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(6, 0x10000)));
	EXPECT_EQ(-1, read_spaces(&reader));
	/* Whose generations do not go back. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(6, 0x8000)));
	EXPECT_EQ(1, read_memory_view(&reader));
	reader.generation = -1ull;
	EXPECT_EQ(-1, read_memory_view(&reader));
}

TEST_HARNESS_MAIN
