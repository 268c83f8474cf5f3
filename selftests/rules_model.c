// SPDX-License-Identifier: GPL-2.0
/*
 * Random rules of one region, some or many, where the kernel searches for the one that is
 * for an access; and a model that looks at one after the other, to compare.
 */
#include <poll.h>

#include "kselftest_harness.h"
#include "device_util.h"
#include "random_util.h"

#define REGION_LEN	64u
#define MAX_RULES	40u
#define SETS		(mr_checking_kernel() ? 20u : 120u)
#define ACCESSES	200u
#define SHADOW		1
#define SHADOW_STEP	64u
#define NR_RINGS	2
#define INDICES		2		/* memory */

/* The values that are written and matched; their ends are values, too. */
static const uint64_t values[] = {
	0, 1, 0x34, 0x1234, 0x12341234, 0x1234123412341234,
};

struct model_rule {
	struct mregion_rule rule;
	int efd;
};

FIXTURE(model) {
	struct rig rig;
	struct prng prng;
	int fd;
	struct mr_ring rings[NR_RINGS];
	struct mr_shadow shadow;
	struct mr_shadow indices;
	uint8_t *memory;		/* what the shadow memory should be */
	struct model_rule rules[MAX_RULES];
	unsigned int nr;
	int efds[MAX_RULES];
};

FIXTURE_SETUP(model)
{
	unsigned int i;

	ASSERT_EQ(0, rig_open(&self->rig, 1));
	self->fd = self->rig.fd;
	for (i = 0; i < NR_RINGS; i++)
		ASSERT_EQ(0, mr_ring_create(self->fd, 1 + i, 16, -1, 0, 0,
					    &self->rings[i]));
	ASSERT_EQ(0, mr_shadow_create(self->fd, SHADOW,
				      MAX_RULES * SHADOW_STEP, &self->shadow));
	ASSERT_EQ(0, mr_shadow_create(self->fd, INDICES, 16, &self->indices));
	self->memory = calloc(1, self->shadow.len);
	ASSERT_TRUE(self->memory);
	for (i = 0; i < MAX_RULES; i++) {
		self->efds[i] = new_eventfd();
		ASSERT_LE(0, self->efds[i]);
	}
	ASSERT_EQ(0, COMMIT(self->fd, mr_resize(DEV_MMIO, REGION_LEN)));
}

FIXTURE_TEARDOWN(model)
{
	unsigned int i;

	for (i = 0; i < MAX_RULES; i++)
		close(self->efds[i]);
	free(self->memory);
	mr_shadow_unmap(&self->shadow);
	mr_shadow_unmap(&self->indices);
	for (i = 0; i < NR_RINGS; i++)
		mr_ring_unmap(&self->rings[i]);
	rig_close(&self->rig);
}

static uint64_t low_bytes(uint64_t value, unsigned int len)
{
	return len < 8 ? value & ((1ull << (8 * len)) - 1) : value;
}

/* The index that a data register's rule looks at. */
static uint32_t model_index(const FIXTURE_DATA(model) *self,
			    const struct mregion_rule *rule)
{
	uint32_t index = 0;

	memcpy(&index, self->indices.memory + rule->index.offset,
	       rule->index.len);
	return index;
}

static bool model_selects(const FIXTURE_DATA(model) *self,
			  const struct mregion_rule *rule)
{
	uint32_t value = model_index(self, rule) & rule->index.bits;

	return !(rule->flags & MREGION_RULE_INDEXED) ||
	       (value >= rule->index.first && value <= rule->index.last);
}

/* How far from that of an index of zero its place is. */
static uint64_t model_distance(const struct mregion_index *by, uint32_t index)
{
	uint64_t selected = index & by->select;
	int shift;

	for (shift = by->shift; shift > 0; shift--)
		selected *= 2;
	for (; shift < 0; shift++)
		selected /= 2;
	return selected;
}

/* Whether two data registers are one, and no index is for both. */
static bool model_apart(const struct mregion_rule *a,
			const struct mregion_rule *b)
{
	return a->flags & b->flags & MREGION_RULE_INDEXED &&
	       a->offset == b->offset && a->len == b->len &&
	       a->index.offset == b->index.offset &&
	       a->index.len == b->index.len && a->index.bits == b->index.bits &&
	       (a->index.first > b->index.last ||
		b->index.first > a->index.last);
}

/* Whether a rule is for an access, by what its documentation says, and some index. */
static bool model_matches(const struct mregion_rule *rule, uint64_t offset,
			  unsigned int len, bool write, uint64_t value)
{
	if (rule->flags & MREGION_RULE_ANY_LEN)
		return write && offset == rule->offset;
	if (offset < rule->offset ||
	    (rule->len && offset + len > rule->offset + rule->len))
		return false;
	switch (rule->kind) {
	case MREGION_RULE_COALESCE:
		return write;
	case MREGION_RULE_DOORBELL:
		return write && (!rule->access_len || rule->access_len == len) &&
		       (!(rule->flags & MREGION_RULE_DATAMATCH) ||
			rule->datamatch == low_bytes(value, len));
	default:
		return rule->flags & (write ? MREGION_RULE_WRITE :
					      MREGION_RULE_READ) &&
		       (!rule->access_len || rule->access_len == len);
	}
}

static unsigned int model_rank(const struct mregion_rule *rule)
{
	if (rule->flags & MREGION_RULE_ANY_LEN)
		return 0;
	return rule->kind == MREGION_RULE_DOORBELL ? 1 :
	       rule->kind == MREGION_RULE_COALESCE ? 2 : 3;
}

/* The value that a rule matches, if any, is one that both may. */
static uint64_t model_value(const struct mregion_rule *a,
			    const struct mregion_rule *b)
{
	return a->flags & MREGION_RULE_DATAMATCH ? a->datamatch : b->datamatch;
}

/* Whether some access is for both, by trying all. */
static bool model_both(const struct mregion_rule *a,
		       const struct mregion_rule *b)
{
	uint64_t offset, value = model_value(a, b);
	unsigned int len, write;

	for (write = 0; write < 2; write++)
		for (len = 1; len <= 8; len *= 2)
			for (offset = 0; offset < 2 * REGION_LEN; offset++)
				if (model_matches(a, offset, len, write, value) &&
				    model_matches(b, offset, len, write, value))
					return true;
	return false;
}

static int model_add(FIXTURE_DATA(model) *self, const struct mregion_rule *rule)
{
	unsigned int i;

	if (!model_both(rule, rule))
		return -EINVAL;
	for (i = 0; i < self->nr; i++)
		if (self->rules[i].rule.kind == rule->kind &&
		    !model_apart(&self->rules[i].rule, rule) &&
		    model_both(&self->rules[i].rule, rule))
			return -EEXIST;
	return 0;
}

static struct model_rule *model_find(FIXTURE_DATA(model) *self, uint64_t offset,
				     unsigned int len, bool write,
				     uint64_t value)
{
	struct model_rule *best = NULL;
	unsigned int i;

	for (i = 0; i < self->nr; i++) {
		struct model_rule *rule = &self->rules[i];

		if (model_matches(&rule->rule, offset, len, write, value) &&
		    model_selects(self, &rule->rule) &&
		    (!best || model_rank(&rule->rule) < model_rank(&best->rule)))
			best = rule;
	}
	return best;
}

/* Where in the shadow memory an access is. */
static uint8_t *model_memory(FIXTURE_DATA(model) *self,
			     const struct model_rule *rule, uint64_t offset)
{
	uint64_t distance = 0;

	if (rule->rule.flags & MREGION_RULE_INDEXED)
		distance = model_distance(&rule->rule.index,
					  model_index(self, &rule->rule));
	return self->memory + rule->rule.shadow_offset + distance +
	       (offset - rule->rule.offset);
}

/*
 * Make a shadow a data register: one of two, of one of two index registers, and with what
 * these have in them as one of few ranges of bits.
 */
static void random_index(struct prng *prng, struct mregion_rule *rule)
{
	static const struct mregion_index registers[] = {
		{ .shadow = INDICES, .offset = 4, .len = 4, .bits = 0x80000f0f },
		{ .shadow = INDICES, .offset = 11, .len = 1, .bits = 0x3c },
		{ .shadow = INDICES, .offset = 14, .len = 2, .bits = 0xffff },
	};
	struct mregion_index index = registers[below(prng, ARRAY_SIZE(registers))];
	uint32_t a = (uint32_t)random64(prng) & index.bits;
	uint32_t b = below(prng, 4) ? (uint32_t)random64(prng) & index.bits : a;

	rule->flags |= MREGION_RULE_INDEXED;
	rule->offset = below(prng, 2) ? 24 : 40;
	rule->len = rule->offset == 24 ? 4 : 1;
	index.first = a < b ? a : b;
	index.last = a < b ? b : a;
	index.shift = (int)below(prng, 16) - 12;
	/* distances of up to 32, of which 8 bytes are beyond what a place has */
	index.select = (uint32_t)random64(prng) & (index.len == 1 ? 0xff : 0xffff);
	while (model_distance(&index, -1u) > SHADOW_STEP / 2)
		index.select &= index.select - 1;
	while (model_distance(&index, -1u) % rule->len)
		index.select &= ~(1u << __builtin_ctz(index.select));
	rule->index = index;
}

static struct model_rule random_rule(FIXTURE_DATA(model) *self,
				     unsigned int place)
{
	static const uint32_t sizes[] = { 0, 1, 2, 4, 8 };
	struct prng *prng = &self->prng;
	uint64_t offset = below(prng, REGION_LEN);
	uint64_t len = below(prng, 8) ? 1 + below(prng, 16) : 0;
	struct mregion_rule rule = bell(offset, len, self->efds[place]);

	/* many of them are small and beside each other */
	if (below(prng, 2)) {
		rule.offset &= ~3;
		rule.len = 4;
	}
	switch (below(prng, 8)) {
	case 0:
		rule.flags = MREGION_RULE_ANY_LEN;
		rule.len = 1;
		if (below(prng, 2))
			rule.flags |= MREGION_RULE_FAST;
		break;
	case 1:
		rule = mr_rule_add(DEV_MMIO, 1 + below(prng, NR_RINGS),
				   rule.offset, rule.len).rule;
		break;
	case 2:
	case 3:
		if (!rule.len)
			rule.len = 8;
		rule = shadow_rule(rule.offset, rule.len,
				   below(prng, 3) + 1, SHADOW, 0);
		rule.flags *= MREGION_RULE_READ;
		if (rule.flags & MREGION_RULE_WRITE && below(prng, 2)) {
			rule.flags |= MREGION_RULE_NOTIFY;
			rule.eventfd = self->efds[place];
		}
		if (below(prng, 2))
			random_index(prng, &rule);
		else if (!below(prng, 4))
			rule.access_len = sizes[below(prng, ARRAY_SIZE(sizes))];
		break;
	default:
		rule.access_len = sizes[below(prng, ARRAY_SIZE(sizes))];
		if (below(prng, 2)) {
			rule.flags |= MREGION_RULE_DATAMATCH;
			rule.datamatch = values[below(prng, ARRAY_SIZE(values))];
		}
		if (rule.len && !below(prng, 3)) {
			rule.flags |= MREGION_RULE_STORE;
			rule.shadow = SHADOW;
		}
	}
	if (rule.shadow)
		rule.shadow_offset = place * SHADOW_STEP + rule.offset % 8;
	return (struct model_rule){ .rule = rule, .efd = self->efds[place] };
}

struct model_access {
	uint64_t offset;
	unsigned int len;
	bool write;
	uint64_t value;
};

/* What the model says becomes of an access; changes its memory. */
static uint32_t model_apply(FIXTURE_DATA(model) *self,
			    const struct model_access *access,
			    const struct model_rule *rule, bool *signal,
			    uint64_t *value)
{
	uint64_t data = low_bytes(access->value, access->len);
	bool changed;
	uint8_t *at;

	*signal = false;
	if (!rule)
		return MREGION_OUTCOME_EXIT;
	if (rule->rule.kind == MREGION_RULE_COALESCE)
		return MREGION_OUTCOME_COALESCED;
	at = model_memory(self, rule, access->offset);
	if (!access->write) {
		*value = 0;
		memcpy(value, at, access->len);
		return MREGION_OUTCOME_SHADOW;
	}
	changed = access->offset % access->len ||
		  memcmp(at, &data, access->len);
	if (rule->rule.shadow)
		memcpy(at, &data, access->len);
	if (rule->rule.kind == MREGION_RULE_DOORBELL) {
		*signal = true;
		return MREGION_OUTCOME_DOORBELL;
	}
	*signal = changed && rule->rule.flags & MREGION_RULE_NOTIFY;
	return MREGION_OUTCOME_SHADOW;
}

/* Whether the eventfd of @rule was signalled once if @signal, and no other. */
static bool model_signals(FIXTURE_DATA(model) *self,
			  const struct model_rule *rule, bool signal)
{
	struct pollfd polls[MAX_RULES];
	unsigned int i;

	if (signal && signals(rule->efd) != 1)
		return false;
	for (i = 0; i < MAX_RULES; i++)
		polls[i] = (struct pollfd){
			.fd = self->efds[i], .events = POLLIN,
		};
	return poll(polls, MAX_RULES, 0) == 0;
}

static bool model_rings(FIXTURE_DATA(model) *self,
			const struct model_access *access, uint32_t ring)
{
	struct mregion_ring_entry entry;
	unsigned int i;

	for (i = 0; i < NR_RINGS; i++) {
		if (ring != 1 + i) {
			if (mr_ring_waiting(&self->rings[i]))
				return false;
			continue;
		}
		if (mr_ring_waiting(&self->rings[i]) != 1 ||
		    !mr_ring_take(&self->rings[i], &entry) ||
		    entry.offset != access->offset ||
		    entry.len != access->len ||
		    entry.data != low_bytes(access->value, access->len))
			return false;
	}
	return true;
}

/* Make one access, in the machine and in the model; NULL or what differs. */
static const char *model_access(FIXTURE_DATA(model) *self,
				const struct model_access *access, bool guest)
{
	struct model_rule *rule = model_find(self, access->offset, access->len,
					     access->write, access->value);
	struct mregion_access result = { .outcome = -1u };
	struct way way = { .guest = guest };
	uint64_t expected = 0, value = 0;
	uint32_t outcome;
	bool signal;
	int handled;

	outcome = model_apply(self, access, rule, &signal, &expected);
	if (!guest) {
		if (way_ioctl(&self->rig, way, access->offset, access->len,
			      access->write ? MREGION_ACCESS_WRITE : 0,
			      access->value, &result))
			return "error";
		if (result.outcome != outcome)
			return "outcome";
		handled = result.handled;
		value = result.data;
	} else if (access->write) {
		handled = way_write(&self->rig, way, access->offset,
				    access->len, access->value);
	} else {
		handled = way_read(&self->rig, way, access->offset,
				   access->len, &value);
	}
	if (handled != !!rule)
		return "handled";
	if (rule && !access->write && value != expected)
		return "value";
	if (!model_signals(self, rule, signal))
		return "eventfd";
	if (!model_rings(self, access, rule ? rule->rule.ring : 0))
		return "ring";
	if (memcmp(self->memory, self->shadow.memory, self->shadow.len))
		return "shadow";
	return NULL;
}

/* Whether a guest's access is a read that may ring, which nothing is said of. */
static bool model_undefined(const FIXTURE_DATA(model) *self,
			    const struct model_access *access)
{
	unsigned int i;

	for (i = 0; i < self->nr; i++)
		if (self->rules[i].rule.flags & MREGION_RULE_FAST &&
		    self->rules[i].rule.offset == access->offset)
			return !access->write;
	return false;
}

/* As a VMM that keeps the indices itself; often not where a rule is. */
static void model_set_indices(FIXTURE_DATA(model) *self)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		self->indices.memory[i] = random64(&self->prng) &
					  random64(&self->prng);
}

static void model_accesses(struct __test_metadata *_metadata,
			   FIXTURE_DATA(model) *self, bool unaligned,
			   unsigned int set)
{
	struct prng *prng = &self->prng;
	unsigned int i;

	for (i = 0; i < ACCESSES; i++) {
		bool guest = !(i % 32);
		struct model_access access = {
			.len = 1 << below(prng, 4),
			.write = below(prng, 4),
			.value = values[below(prng, ARRAY_SIZE(values))],
		};
		const char *what;

		access.offset = below(prng, REGION_LEN - access.len + 1);
		/* what the device does not take in one piece has parts */
		if (!unaligned)
			access.offset -= access.offset % access.len;
		guest &= !model_undefined(self, &access);
		model_set_indices(self);
		what = model_access(self, &access, guest);
		ASSERT_EQ(NULL, what) {
			TH_LOG("set %u, %u rules: %s of %u@%llu %#llx by %s: %s",
			       set, self->nr, access.write ? "write" : "read",
			       access.len, (unsigned long long)access.offset,
			       (unsigned long long)access.value,
			       guest ? "a guest" : "an ioctl", what);
		}
	}
}

static void model_fill(FIXTURE_DATA(model) *self)
{
	unsigned int i;

	for (i = 0; i < self->shadow.len; i++)
		self->memory[i] = below(&self->prng, 256);
	memcpy(self->shadow.memory, self->memory, self->shadow.len);
}

/* What the region keeps its rules through. */
static int model_constrain(FIXTURE_DATA(model) *self, bool unaligned)
{
	struct mregion_constraints any = MREGION_ANY_ACCESS;
	struct mregion_constraints aligned = { .valid_max = 8, .impl_max = 8 };

	any.refused = MREGION_POLICY_ONES + below(&self->prng, 2);
	aligned.refused = any.refused;
	return COMMIT(self->fd, mr_set_constraints(DEV_MMIO,
						   unaligned ? any : aligned));
}

/* Random rules, some of which are refused, come and go. */
TEST_F_TIMEOUT(model, random_rules, 400)
{
	unsigned int set, i, tries, clashed = 0, most = 0, indexed = 0;
	uint64_t seed;
	bool unaligned;
	int expected;

	seed = random_seed("MREGION_SEED");
	TH_LOG("seed %#llx", (unsigned long long)seed);
	self->prng = prng_of(seed, 0);
	for (set = 0; set < SETS; set++) {
		unaligned = set % 2;
		ASSERT_EQ(0, model_constrain(self, unaligned));
		model_fill(self);
		tries = 1 + below(&self->prng, 2 * MAX_RULES);
		for (i = 0; i < tries && self->nr < MAX_RULES; i++) {
			struct model_rule rule = random_rule(self, self->nr);

			expected = model_add(self, &rule.rule);
			ASSERT_EQ(expected, COMMIT(self->fd,
						   RULE_ADD(DEV_MMIO,
							    rule.rule))) {
				TH_LOG("set %u, %u rules: kind %u, flags %#x, %llu@%llu, size %u, value %#llx",
				       set, self->nr, rule.rule.kind,
				       rule.rule.flags,
				       (unsigned long long)rule.rule.len,
				       (unsigned long long)rule.rule.offset,
				       rule.rule.access_len,
				       (unsigned long long)rule.rule.datamatch);
			}
			if (!expected)
				self->rules[self->nr++] = rule;
			indexed += !expected && rule.rule.index.len;
			clashed += expected == -EEXIST;
			if (!below(&self->prng, 8))
				ASSERT_EQ(0, model_constrain(self, unaligned));
		}
		most = MAX(most, self->nr);
		model_accesses(_metadata, self, unaligned, set);
		/* half of them go, and then the rest */
		for (i = 0; self->nr; i++) {
			unsigned int at = below(&self->prng, self->nr);

			ASSERT_EQ(0, COMMIT(self->fd,
					    RULE_DEL(DEV_MMIO,
						     self->rules[at].rule)));
			self->rules[at] = self->rules[--self->nr];
			if (!below(&self->prng, 8))
				ASSERT_EQ(0, model_constrain(self, unaligned));
			if (i == self->nr)
				model_accesses(_metadata, self, unaligned, set);
		}
	}
	EXPECT_LT(0, clashed);
	EXPECT_LE(16, most);
	EXPECT_LT(SETS, indexed);
}

TEST_HARNESS_MAIN
