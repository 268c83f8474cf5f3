// SPDX-License-Identifier: GPL-2.0
/*
 * A machine read back and made again: CREATE of every region, targets before
 * their aliases, then MAP in the order of struct mregion_region_info.order, and
 * the spaces. Random machines, with aliases in what they show.
 */
#include "kselftest_harness.h"
#include "mregion_util.h"
#include "random_util.h"

#define MACHINES	150
#define STEPS		200
#define REGIONS		16	/* IDs of regions are up to this */
#define SPACES		3
#define RANGES		4096

/* A machine, as it is read. */
struct state {
	struct mregion_region_info regions[REGIONS];
	struct mregion_space_info spaces[SPACES];
	struct mregion_range ranges[SPACES][RANGES];
	int nr_regions;
	int nr_spaces;
	int nr_ranges[SPACES];
};

static struct state before, after;

static struct prng prng;

static uint32_t some_id(void)
{
	return 1 + below(&prng, REGIONS);
}

/* The root of a space, most likely, at least in the beginning. */
static uint32_t some_holder(void)
{
	return below(&prng, 2) ? some_id() : REGIONS;
}

static uint64_t some_length(void)
{
	return below(&prng, 8) ? 1 + below(&prng, 0x4000) : 0;
}

static struct mregion_op some_create(uint32_t id)
{
	static const uint32_t kinds[] = {
		MREGION_CONTAINER, MREGION_CONTAINER, MREGION_CONTAINER,
		MREGION_MMIO, MREGION_MMIO, MREGION_RAM, MREGION_ROM,
		MREGION_ROMD, MREGION_RAMDEV, MREGION_RESERVATION,
	};
	struct mregion_op op;

	if (below(&prng, 2))
		op = mr_alias(id, some_holder(), below(&prng, 0x4000),
			      some_length());
	else
		op = mr_create(id, kinds[below(&prng, ARRAY_SIZE(kinds))],
			       some_length());
	if (!below(&prng, 4))
		op.create.flags = 1 << below(&prng, 4);
	if (op.create.kind == MREGION_MMIO && !below(&prng, 2))
		op.create.constraints.valid_max = 8;
	return op;
}

static struct mregion_op some_op(void)
{
	uint32_t id = some_id();

	switch (below(&prng, 16)) {
	case 0 ... 3:
		return some_create(id);
	case 4 ... 8:
		return mr_map(id, some_holder(), below(&prng, 0x4000),
			      (int)below(&prng, 3) - 1);
	case 9:
		return mr_unmap(id);
	case 10:
		return mr_move(id, below(&prng, 0x4000));
	case 11:
		return mr_resize(id, some_length());
	case 12:
		return mr_set_alias(id, below(&prng, 0x4000));
	case 13:
		return mr_set_flags(id, MREGION_REGION_DISABLED,
				    below(&prng, 4) ? 0 : MREGION_REGION_DISABLED);
	case 14:
		return mr_free(id);
	default:
		id = 1 + below(&prng, SPACES);
		return mr_space_op(below(&prng, 2) ? MREGION_OP_SPACE_CREATE :
				   MREGION_OP_SPACE_SET, id, some_id(),
				   MREGION_BUS_MEMORY, below(&prng, 4));
	}
}

static int take_state(int fd, struct state *state)
{
	int i, nr;

	memset(state, 0, sizeof(*state));
	state->nr_regions = mr_regions(fd, 0, state->regions, REGIONS);
	if (state->nr_regions < 0)
		return state->nr_regions;
	state->nr_spaces = mr_spaces(fd, 0, state->spaces, SPACES);
	for (i = 0; i < state->nr_spaces; i++) {
		nr = mr_view(fd, state->spaces[i].id, state->ranges[i], RANGES,
			     NULL);
		if (nr < 0 || nr > RANGES)
			return nr < 0 ? nr : -EFBIG;
		state->nr_ranges[i] = nr;
	}
	return state->nr_spaces < 0 ? state->nr_spaces : 0;
}

static const struct mregion_region_info *find(const struct state *state,
					      uint32_t id)
{
	int i;

	for (i = 0; i < state->nr_regions; i++)
		if (state->regions[i].id == id)
			return &state->regions[i];
	return NULL;
}

/* Whether an alias shows a region that it is somewhere in. */
static bool shows_holder(const struct state *state,
			 const struct mregion_region_info *alias)
{
	const struct mregion_region_info *target = alias, *region = alias;

	while (target->target)
		target = find(state, target->target);
	while (region->parent) {
		region = find(state, region->parent);
		if (region == target)
			return true;
	}
	return false;
}

static struct mregion_op op_to_create(const struct mregion_region_info *info)
{
	struct mregion_op op = mr_create(info->id, info->kind, info->len);

	op.create.flags = info->flags;
	op.create.target = info->target;
	op.create.offset = info->target_offset;
	op.create.constraints = info->constraints;
	return op;
}

static int compare_order(const void *a, const void *b)
{
	const struct mregion_region_info *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* As the documentation of struct mregion_region_info has it. */
static int make_again(int fd, const struct state *state)
{
	struct mregion_region_info sorted[REGIONS];
	struct mregion_op ops[2 * REGIONS + SPACES];
	bool created[REGIONS + 1] = { true };
	int i, nr_created = 0, nr = 0;

	while (nr_created < state->nr_regions) {
		for (i = 0; i < state->nr_regions; i++) {
			const struct mregion_region_info *info;

			info = &state->regions[i];
			if (created[info->id] || !created[info->target])
				continue;
			ops[nr++] = op_to_create(info);
			created[info->id] = true;
			nr_created++;
		}
	}
	memcpy(sorted, state->regions, sizeof(sorted));
	qsort(sorted, state->nr_regions, sizeof(sorted[0]), compare_order);
	for (i = 0; i < state->nr_regions; i++)
		if (sorted[i].parent)
			ops[nr++] = mr_map(sorted[i].id, sorted[i].parent,
					   sorted[i].offset,
					   sorted[i].priority);
	for (i = 0; i < state->nr_spaces; i++)
		ops[nr++] = mr_space_op(MREGION_OP_SPACE_CREATE,
					state->spaces[i].id,
					state->spaces[i].root,
					state->spaces[i].bus,
					state->spaces[i].unassigned);
	return nr ? mr_commit(fd, ops, nr) : 0;
}

/* Of @order only the comparison means something, and of generations nothing. */
static void normalise(struct state *state)
{
	struct mregion_region_info *info, *regions = state->regions;
	uint64_t rank[REGIONS];
	int i, k;

	for (i = 0; i < state->nr_regions; i++) {
		rank[i] = 0;
		for (k = 0; k < state->nr_regions; k++)
			rank[i] += regions[k].order < regions[i].order;
	}
	for (i = 0, info = regions; i < state->nr_regions; i++, info++)
		info->order = info->parent ? rank[i] : 0;
	for (i = 0; i < state->nr_spaces; i++)
		state->spaces[i].generation = 0;
}

FIXTURE(restore) {
	int fd;
};

FIXTURE_SETUP(restore)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(restore)
{
	close(self->fd);
}

/* An alias that is its target's subregion, and has the lower ID of the two. */
TEST_F(restore, alias_in_what_it_shows)
{
	int other = mr_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(9, 0), mr_mmio(5, 0x10),
			    mr_alias(3, 9, 0x1000, 0x1000),
			    mr_map(5, 9, 0x1800, 0), mr_map(3, 9, 0x4000, 0),
			    mr_space(1, 9)));
	ASSERT_EQ(0, take_state(self->fd, &before));
	ASSERT_EQ(0, make_again(other, &before));
	EXPECT_STREQ("1800-180f 5+0, 4800-480f 5+0", mr_view_text(other, 1));
	close(other);
}

/*
 * The space can show the hierarchy, but not half of it: one that shows itself
 * without end unless it is covered by what was mapped later.
 */
TEST_F(restore, in_one_commit)
{
	int other = mr_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0x1000),
			    mr_alias(2, 1, 0, 0x1000), mr_ram(3, 0x1000),
			    mr_map(2, 1, 0, 0), mr_map(3, 1, 0, 0),
			    mr_space(1, 1)));
	EXPECT_EQ(-EMLINK, COMMIT(self->fd, mr_unmap(3)));
	ASSERT_EQ(0, take_state(self->fd, &before));
	ASSERT_EQ(0, make_again(other, &before));
	EXPECT_STREQ("0-fff 3+0", mr_view_text(other, 1));
	close(other);
}

/* What machines had, over all of them. */
struct met {
	int holders;		/* aliases in what they show */
	int endless;		/* operations after which one would show itself so */
	int large;		/* machines that are more than can be compared */
};

/* Return: whether the machine is small enough to be made again at once. */
static bool random_machine(struct __test_metadata *_metadata, int fd,
			   struct met *met)
{
	int k, err;

	ASSERT_EQ(0, COMMIT(fd, mr_container(REGIONS, 0),
			    mr_space(1, REGIONS)));
	for (k = 0; k < STEPS; k++) {
		struct mregion_op op = some_op();

		err = mr_commit(fd, &op, 1);
		if (err == -EDQUOT || err == -EFBIG)
			return false;
		met->endless += err == -EMLINK;
		ASSERT_TRUE(!err || err == -EEXIST || err == -ENOENT ||
			    err == -EBUSY || err == -EINVAL ||
			    err == -ELOOP || err == -EMLINK) {
			TH_LOG("operation %u: %s", op.code, strerror(-err));
		}
	}
	err = take_state(fd, &before);
	if (err != -EFBIG)
		ASSERT_EQ(0, err);
	return !err;
}

TEST_F_TIMEOUT(restore, random_machines, 180)
{
	uint64_t seed = random_seed("MREGION_SEED");
	int i, k, err, fd, other;
	struct met met = { 0 };

	TH_LOG("seed %#llx", (unsigned long long)seed);
	for (i = 0; i < MACHINES; i++) {
		prng = prng_of(seed, i);
		fd = mr_open();
		other = mr_open();
		ASSERT_LE(0, fd);
		ASSERT_LE(0, other);
		err = random_machine(_metadata, fd, &met) ?
		      make_again(other, &before) : -EDQUOT;
		if (err == -EDQUOT) {
			met.large++;
			close(other);
			close(fd);
			continue;
		}
		ASSERT_EQ(0, err);
		ASSERT_EQ(0, take_state(other, &after));
		for (k = 0; k < before.nr_regions; k++)
			met.holders += shows_holder(&before,
						    &before.regions[k]);
		normalise(&before);
		normalise(&after);
		ASSERT_EQ(0, memcmp(&before, &after, sizeof(before))) {
			TH_LOG("machine %d is another one", i);
		}
		close(other);
		close(fd);
	}
	/* Else this has not looked at what it is for. */
	EXPECT_LT(0, met.holders);
	EXPECT_LT(0, met.endless);
	EXPECT_GT(MACHINES / 4, met.large);
	TH_LOG("%d aliases in what they show, %d endless, %d machines too large",
	       met.holders, met.endless, met.large);
}

TEST_HARNESS_MAIN
