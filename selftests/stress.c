// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses from several threads at once, while rules are swapped, regions moved
 * and freed, and servers come and go. No guest makes them but MREGION_ACCESS, so
 * that the kernel's own races are met, also where a processor with guests has to
 * be emulated in a way that leaves few of them. Each access says what became of
 * it; in the end that is compared with what has arrived.
 */
#include "kselftest_harness.h"
#include "server_util.h"

#define POKERS	3
#define NUMBERS	(1u << 17)	/* that each of them may write */
#define LOAD_MS	800
#define SPIN	50		/* us */

#define WRITE_RULE	MREGION_RULE_WRITE
#define NOTIFY		MREGION_RULE_NOTIFY

static int poke(struct rig *rig, bool pio, uint64_t offset, unsigned int len,
		uint32_t flags, uint64_t data, uint16_t vcpu,
		struct mregion_access *access)
{
	*access = (struct mregion_access){
		.size = sizeof(*access),
		.space = pio ? DEV_PIO : DEV_MEMORY,
		.addr = (pio ? PIO_BASE : MMIO_BASE) + offset,
		.len = len,
		.flags = flags,
		.data = data,
		.vcpu = vcpu,
		.vm_fd = vcpu == MREGION_NO_VCPU ? 0 : rig->vm.fd,
	};
	return mr_ioctl(rig->fd, MREGION_ACCESS, access);
}

/*
 * Have a thread run on one of the processors, so that two threads that are to
 * race are not given the same one.
 */
static void run_on(pthread_t thread, unsigned int nth)
{
	cpu_set_t all, one;
	unsigned int cpu;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	nth %= CPU_COUNT(&all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && !nth--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(thread, sizeof(one), &one);
}

/* ---- Whole values ------------------------------------------------------ */

/*
 * Values whose bytes are all the same are written and read, by the kernel and by
 * the device; one whose bytes differ was torn. Beside the value is another one
 * that one side does touch by halves, as the kernel might, were it wrong: the
 * test goes on until that was found torn, so that it would have seen the other.
 */
FIXTURE(torn) {
	struct rig rig;
	struct mr_shadow shadow;
	unsigned int len;
	bool pio;
	bool kernel_writes;
	bool stop;
	unsigned long values;		/* other than the one before */
	unsigned long torn, torn_halves;
	int err;
};

FIXTURE_VARIANT(torn) {
	unsigned int len;
	bool pio;
	bool kernel_writes;
};

#define TORN(_bus, _len, _pio)						\
FIXTURE_VARIANT_ADD(torn, _bus##_read##_len) {				\
	.len = _len, .pio = _pio,					\
};									\
FIXTURE_VARIANT_ADD(torn, _bus##_write##_len) {				\
	.len = _len, .pio = _pio, .kernel_writes = true,		\
}

TORN(mmio, 2, false);
TORN(mmio, 4, false);
TORN(mmio, 8, false);
TORN(pio, 2, true);
TORN(pio, 4, true);

FIXTURE_SETUP(torn)
{
	self->len = variant->len;
	self->pio = variant->pio;
	self->kernel_writes = variant->kernel_writes;
	ASSERT_EQ(0, rig_open(&self->rig, 0));
	ASSERT_EQ(0, mr_shadow_create(self->rig.fd, 1, 64, &self->shadow));
	ASSERT_EQ(0, COMMIT(self->rig.fd,
			    RULE_ADD(variant->pio ? DEV_PORTS : DEV_MMIO,
				     shadow_rule(0, 64, MREGION_RULE_READ |
						 WRITE_RULE, 1, 0))));
}

FIXTURE_TEARDOWN(torn)
{
	if (self->shadow.memory)
		mr_shadow_unmap(&self->shadow);
	rig_close(&self->rig);
}

enum { WHOLE = 8, HALVES = 16 };	/* offsets of the two values */

static uint64_t load(const void *from, unsigned int len)
{
	if (len == 1)
		return __atomic_load_n((uint8_t *)from, __ATOMIC_RELAXED);
	if (len == 2)
		return __atomic_load_n((uint16_t *)from, __ATOMIC_RELAXED);
	if (len == 4)
		return __atomic_load_n((uint32_t *)from, __ATOMIC_RELAXED);
	return __atomic_load_n((uint64_t *)from, __ATOMIC_RELAXED);
}

static void store(void *to, unsigned int len, uint64_t value)
{
	if (len == 1)
		__atomic_store_n((uint8_t *)to, value, __ATOMIC_RELAXED);
	else if (len == 2)
		__atomic_store_n((uint16_t *)to, value, __ATOMIC_RELAXED);
	else if (len == 4)
		__atomic_store_n((uint32_t *)to, value, __ATOMIC_RELAXED);
	else
		__atomic_store_n((uint64_t *)to, value, __ATOMIC_RELAXED);
}

static uint64_t by_kernel(FIXTURE_DATA(torn) *self, bool write, uint64_t value)
{
	struct mregion_access access;
	int err = poke(&self->rig, self->pio, WHOLE, self->len,
		       write ? MREGION_ACCESS_WRITE : 0, value,
		       MREGION_NO_VCPU, &access);

	if (err || !access.handled)
		__atomic_store_n(&self->err, err ? err : -EPROTO,
				 __ATOMIC_RELAXED);
	return access.data;
}

static uint64_t bytes_of(uint8_t byte, unsigned int len)
{
	return byte * (0x0101010101010101 & ~0ull >> (64 - 8 * len));
}

static bool is_torn(uint64_t value, unsigned int len)
{
	return value != bytes_of(value, len);
}

static void *tearing_writer(void *arg)
{
	FIXTURE_DATA(torn) *self = arg;
	uint8_t *memory = self->shadow.memory;
	unsigned int half = self->len / 2;
	uint64_t value;
	uint8_t i;

	for (i = 1; !__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE); i++) {
		value = bytes_of(i, self->len);
		if (self->kernel_writes) {
			by_kernel(self, true, value);
			store(memory + HALVES, half, value);
			store(memory + HALVES + half, half, value);
		} else {
			store(memory + WHOLE, self->len, value);
			store(memory + HALVES, self->len, value);
		}
	}
	return NULL;
}

static void *tearing_reader(void *arg)
{
	FIXTURE_DATA(torn) *self = arg;
	uint8_t *memory = self->shadow.memory;
	unsigned int half = self->len / 2;
	uint64_t whole, halves, last = 0;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		if (self->kernel_writes) {
			whole = load(memory + WHOLE, self->len);
			halves = load(memory + HALVES, self->len);
		} else {
			whole = by_kernel(self, false, 0);
			halves = load(memory + HALVES, half);
			halves |= load(memory + HALVES + half, half) <<
				  8 * half;
		}
		if (is_torn(whole, self->len))
			__atomic_add_fetch(&self->torn, 1, __ATOMIC_RELAXED);
		if (is_torn(halves, self->len))
			__atomic_add_fetch(&self->torn_halves, 1,
					   __ATOMIC_RELAXED);
		if (whole != last)
			__atomic_add_fetch(&self->values, 1, __ATOMIC_RELAXED);
		last = whole;
	}
	return NULL;
}

/* Whether what is torn would have been seen by now. */
static bool would_be_seen(FIXTURE_DATA(torn) *self)
{
	return __atomic_load_n(&self->torn_halves, __ATOMIC_RELAXED) > 30;
}

/* On a busy host both processors seldom run at the same time. */
TEST_F_TIMEOUT(torn, never, 150)
{
	uint64_t end = mr_now_ms() + 90000;
	pthread_t writer, reader;

	ASSERT_EQ(0, pthread_create(&writer, NULL, tearing_writer, self));
	ASSERT_EQ(0, pthread_create(&reader, NULL, tearing_reader, self));
	run_on(writer, 0);
	run_on(reader, 1);
	mr_for_a_while(LOAD_MS / 2,
		       __atomic_load_n(&self->values, __ATOMIC_RELAXED) > 100 &&
		       (would_be_seen(self) || mr_now_ms() > end))
		usleep(10000);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	EXPECT_EQ(0, self->err);
	EXPECT_LT(100, self->values);
	EXPECT_EQ(0, self->torn) {
		TH_LOG("%lu torn in %lu values", self->torn, self->values);
	}
	if (!would_be_seen(self))
		SKIP(return, "no two threads run at the same time here");
}

/* ---- Rules, and the regions that have them ----------------------------- */

/* A thread that writes the numbers from 1 on to a register of its own. */
struct poker {
	pthread_t thread;
	struct rig *rig;
	unsigned int index;
	bool pio;
	const bool *stop;
	uint32_t numbers;		/* written by now */
	uint32_t last_stored;		/* in shadow memory */
	uint64_t outcomes[16];
	uint64_t coalesced[NUMBERS / 64];
	int err;
};

static void bit_set(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= 1ull << i % 64;
}

static bool bit_is_set(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void *poker_thread(void *arg)
{
	struct poker *poker = arg;
	struct mregion_access access;
	uint32_t number;
	bool handled;

	for (number = 1; number < NUMBERS &&
	     !__atomic_load_n(poker->stop, __ATOMIC_ACQUIRE); number++) {
		poker->err = poke(poker->rig, poker->pio, 8 * poker->index, 4,
				  MREGION_ACCESS_WRITE, number, poker->index,
				  &access);
		if (poker->err)
			break;
		handled = access.outcome == MREGION_OUTCOME_COALESCED ||
			  access.outcome == MREGION_OUTCOME_DOORBELL ||
			  access.outcome == MREGION_OUTCOME_SHADOW;
		if (access.outcome >= 16 || access.handled != handled) {
			poker->err = -EPROTO;
			break;
		}
		__atomic_add_fetch(&poker->outcomes[access.outcome], 1,
				   __ATOMIC_RELAXED);
		if (access.outcome == MREGION_OUTCOME_COALESCED)
			bit_set(poker->coalesced, number);
		if (access.outcome == MREGION_OUTCOME_SHADOW)
			poker->last_stored = number;
		__atomic_store_n(&poker->numbers, number, __ATOMIC_RELEASE);
		/* Who could make room needs a processor for it. */
		if (access.outcome == MREGION_OUTCOME_RING_FULL)
			sched_yield();
	}
	return NULL;
}

#define RINGS	2
#define MANY	128	/* rings that are made anew */

FIXTURE(rules) {
	struct rig rig;
	uint32_t region;
	struct poker *pokers;
	struct mr_ring rings[RINGS];
	struct mr_shadow shadows[2];
	int efds[4];
	uint64_t signalled[4];
	pthread_t drainer;
	struct {
		uint64_t seen[NUMBERS / 64];
		uint32_t last[RINGS];
	} *consumed;				/* of each poker */
	uint64_t entries, wrong;
	bool stop, drain;
};

FIXTURE_VARIANT(rules) {
	bool pio;
};

FIXTURE_VARIANT_ADD(rules, mmio) { };
FIXTURE_VARIANT_ADD(rules, pio) { .pio = true, };

FIXTURE_SETUP(rules)
{
	unsigned int i;

	self->region = variant->pio ? DEV_PORTS : DEV_MMIO;
	self->pokers = calloc(POKERS, sizeof(*self->pokers));
	self->consumed = calloc(POKERS, sizeof(*self->consumed));
	ASSERT_TRUE(self->pokers && self->consumed);
	ASSERT_EQ(0, rig_open(&self->rig, 0));
	for (i = 0; i < ARRAY_SIZE(self->efds); i++) {
		self->efds[i] = new_eventfd();
		ASSERT_LE(0, self->efds[i]);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, mr_ring_create(self->rig.fd, 1 + i, 256, -1, 0, 0,
					    &self->rings[i]));
		ASSERT_EQ(0, mr_shadow_create(self->rig.fd, 1 + i, 64,
					      &self->shadows[i]));
	}
}

FIXTURE_TEARDOWN(rules)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (self->rings[i].header)
			mr_ring_unmap(&self->rings[i]);
		if (self->shadows[i].memory)
			mr_shadow_unmap(&self->shadows[i]);
	}
	for (i = 0; i < ARRAY_SIZE(self->efds); i++)
		close(self->efds[i]);
	rig_close(&self->rig);
	free(self->pokers);
	free(self->consumed);
}

/* Once each, and in order as far as one ring has them. */
static void consume(FIXTURE_DATA(rules) *self)
{
	struct mregion_ring_entry entry;
	unsigned int i;

	for (i = 0; i < RINGS; i++) {
		while (mr_ring_take(&self->rings[i], &entry)) {
			self->entries++;
			if (entry.vcpu >= POKERS || entry.len != 4 ||
			    entry.offset != 8 * entry.vcpu ||
			    entry.region != self->region ||
			    entry.data >= NUMBERS ||
			    entry.data <= self->consumed[entry.vcpu].last[i] ||
			    bit_is_set(self->consumed[entry.vcpu].seen,
				       entry.data)) {
				self->wrong++;
				continue;
			}
			self->consumed[entry.vcpu].last[i] = entry.data;
			bit_set(self->consumed[entry.vcpu].seen, entry.data);
		}
	}
}

static void *drainer_thread(void *arg)
{
	FIXTURE_DATA(rules) *self = arg;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		consume(self);
		sched_yield();
	}
	return NULL;
}

static int pokers_start(FIXTURE_DATA(rules) *self, bool pio, bool drain)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < POKERS && !err; i++) {
		self->pokers[i].rig = &self->rig;
		self->pokers[i].index = i;
		self->pokers[i].pio = pio;
		self->pokers[i].stop = &self->stop;
		err = pthread_create(&self->pokers[i].thread, NULL,
				     poker_thread, &self->pokers[i]);
	}
	self->drain = drain;
	if (!err && drain)
		err = pthread_create(&self->drainer, NULL, drainer_thread,
				     self);
	return -err;
}

/* How many of the writes ended so, by now. */
static uint64_t outcomes(FIXTURE_DATA(rules) *self, unsigned int outcome)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < POKERS; i++)
		sum += __atomic_load_n(&self->pokers[i].outcomes[outcome],
				       __ATOMIC_RELAXED);
	return sum;
}

/* ... and that the kernel has counted the same. */
static void pokers_stop(struct __test_metadata *_metadata,
			FIXTURE_DATA(rules) *self)
{
	struct mregion_stats stats;
	unsigned int i;

	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < POKERS; i++) {
		pthread_join(self->pokers[i].thread, NULL);
		EXPECT_EQ(0, self->pokers[i].err);
		EXPECT_LT(0, self->pokers[i].numbers);
	}
	if (self->drain) {
		pthread_join(self->drainer, NULL);
		consume(self);
	}
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_MACHINE, 0, &stats));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(outcomes(self, i), stats.outcomes[i])
			TH_LOG("outcome %u", i);
	}
}

/* What the kernel says to have put into rings has come out of them. */
static void expect_all_consumed(struct __test_metadata *_metadata,
				FIXTURE_DATA(rules) *self)
{
	unsigned int i;

	EXPECT_EQ(0, self->wrong);
	EXPECT_EQ(outcomes(self, MREGION_OUTCOME_COALESCED), self->entries);
	for (i = 0; i < POKERS; i++)
		EXPECT_EQ(0, memcmp(self->pokers[i].coalesced,
				    self->consumed[i].seen,
				    sizeof(self->consumed[i].seen)));
}

static struct mregion_rule ring_rule(uint32_t ring)
{
	return (struct mregion_rule){
		.kind = MREGION_RULE_COALESCE,
		.len = 8 * POKERS,
		.ring = ring,
	};
}

static void collect_signals(FIXTURE_DATA(rules) *self)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(self->efds); i++)
		self->signalled[i] += signals(self->efds[i]);
}

/* Whether each of the kinds has been met often. */
static bool all_kinds_met(FIXTURE_DATA(rules) *self)
{
	return outcomes(self, MREGION_OUTCOME_DOORBELL) > 20 &&
	       outcomes(self, MREGION_OUTCOME_COALESCED) > 20 &&
	       outcomes(self, MREGION_OUTCOME_SHADOW) > 20;
}

/*
 * One commit takes a rule away and adds another: at any time there is one, of
 * any kind, and nothing exits but what finds a ring full.
 */
TEST_F(rules, swapped)
{
	struct mregion_rule rules[6] = {
		bell(0, 8 * POKERS, self->efds[0]),
		ring_rule(1),
		shadow_rule(0, 8 * POKERS, WRITE_RULE | NOTIFY, 1, 0),
		bell(0, 8 * POKERS, self->efds[1]),
		ring_rule(2),
		shadow_rule(0, 8 * POKERS, WRITE_RULE | NOTIFY, 2, 0),
	};
	unsigned int i, rule = 0, seed = 1, next;
	uint32_t stored[2], last;

	rules[2].eventfd = self->efds[2];
	rules[5].eventfd = self->efds[3];
	ASSERT_EQ(0, COMMIT(self->rig.fd, RULE_ADD(self->region, rules[0])));
	ASSERT_EQ(0, pokers_start(self, variant->pio, true));
	mr_for_a_while(LOAD_MS, all_kinds_met(self)) {
		next = (rule + 1 + rand_r(&seed) % 5) % 6;
		ASSERT_EQ(0, COMMIT(self->rig.fd,
				    RULE_DEL(self->region, rules[rule]),
				    RULE_ADD(self->region, rules[next])));
		rule = next;
		if (rand_r(&seed) % 2)
			usleep(rand_r(&seed) % 500);
		collect_signals(self);
	}
	pokers_stop(_metadata, self);
	collect_signals(self);
	EXPECT_TRUE(all_kinds_met(self));
	expect_all_consumed(_metadata, self);
	EXPECT_EQ(0, outcomes(self, MREGION_OUTCOME_EXIT));
	EXPECT_EQ(0, outcomes(self, MREGION_OUTCOME_UNASSIGNED_EXIT));
	EXPECT_EQ(outcomes(self, MREGION_OUTCOME_DOORBELL),
		  self->signalled[0] + self->signalled[1]);
	/* Each number is new to the memory. */
	EXPECT_EQ(outcomes(self, MREGION_OUTCOME_SHADOW),
		  self->signalled[2] + self->signalled[3]);
	for (i = 0; i < POKERS; i++) {
		memcpy(&stored[0], self->shadows[0].memory + 8 * i, 4);
		memcpy(&stored[1], self->shadows[1].memory + 8 * i, 4);
		last = MAX(stored[0], stored[1]);
		EXPECT_EQ(self->pokers[i].last_stored, last);
	}
}

/* One ring, then the other: all writes are in one of them, and in order. */
TEST_F(rules, rings_swapped)
{
	unsigned int i = 0, swaps = 0;

	ASSERT_EQ(0, COMMIT(self->rig.fd,
			    RULE_ADD(self->region, ring_rule(1))));
	ASSERT_EQ(0, pokers_start(self, variant->pio, true));
	mr_for_a_while(LOAD_MS, swaps > 20 &&
		       outcomes(self, MREGION_OUTCOME_COALESCED) > 100) {
		ASSERT_EQ(0, COMMIT(self->rig.fd,
				    RULE_DEL(self->region, ring_rule(1 + i)),
				    RULE_ADD(self->region, ring_rule(2 - i))));
		i = !i;
		swaps++;
		sched_yield();
	}
	pokers_stop(_metadata, self);
	expect_all_consumed(_metadata, self);
	EXPECT_LT(100, self->entries);
	EXPECT_EQ(0, outcomes(self, MREGION_OUTCOME_EXIT));
	EXPECT_LT(0, self->rings[0].header->producer);
	EXPECT_LT(0, self->rings[1].header->producer);
}

/* What a write of the test's own meets right now. */
static int outcome_now(FIXTURE_DATA(rules) *self, bool pio)
{
	struct mregion_access access;
	int err = poke(&self->rig, pio, 8 * POKERS, 4, MREGION_ACCESS_WRITE, 0,
		       POKERS, &access);

	return err ? err : (int)access.outcome;
}

/* Another machine's worth of questions, whose answers are not looked at. */
static void *looker_thread(void *arg)
{
	FIXTURE_DATA(rules) *self = arg;
	struct mregion_region_info regions[8];
	struct mregion_translate translate;
	struct mregion_range ranges[8];
	struct mregion_stats stats;
	unsigned int i;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		for (i = MREGION_OBJECT_MACHINE; i <= MREGION_OBJECT_SERVER;
		     i++)
			mr_stats(self->rig.fd, i, i ? self->region : 0, &stats);
		mr_view(self->rig.fd, DEV_MEMORY, ranges, 8, NULL);
		mr_view(self->rig.fd, DEV_PIO, ranges, 8, NULL);
		mr_translate(self->rig.fd, DEV_MEMORY, MMIO_BASE, 16,
			     &translate);
		mr_regions(self->rig.fd, 0, regions, 8);
	}
	return NULL;
}

/*
 * The region moves away and back, and is freed, with its ring, its shadow memory
 * and the eventfd of its doorbell; others of the same IDs follow. When a commit
 * has returned, so it is; and what was under way then arrived somewhere.
 */
TEST_F(rules, freed)
{
	uint64_t home = variant->pio ? PIO_BASE : MMIO_BASE;
	uint64_t away = variant->pio ? PIO_AWAY : MMIO_AWAY;
	uint32_t parent = variant->pio ? 4 : 1;
	uint64_t rung = 0, entries = 0, own[3] = {};
	struct mr_ring rings[MANY];
	struct mr_shadow shadow;
	unsigned int round = 0, i;
	pthread_t looker;
	int efds[MANY], met;

	ASSERT_EQ(0, pokers_start(self, variant->pio, false));
	ASSERT_EQ(0, pthread_create(&looker, NULL, looker_thread, self));
	mr_for_a_while(LOAD_MS, all_kinds_met(self) &&
		       outcomes(self, MREGION_OUTCOME_UNASSIGNED_EXIT) > 20) {
		struct mregion_op rule;

		if (round == MANY)
			break;
		efds[round] = new_eventfd();
		ASSERT_LE(0, efds[round]);
		ASSERT_EQ(0, mr_ring_create(self->rig.fd, 7, 64, -1, 0, 0,
					    &rings[round]));
		ASSERT_EQ(0, mr_shadow_create(self->rig.fd, 7, 64, &shadow));
		/* The ring is read in the end: what is left by then. */
		rule = round % 3 == 0 ?
			RULE_ADD(self->region, bell(0, 64, efds[round])) :
			round % 3 == 1 ?
			mr_rule_add(self->region, 7, 0, 64) :
			RULE_ADD(self->region,
				 shadow_rule(0, 64, WRITE_RULE, 7, 0));
		ASSERT_EQ(0, COMMIT(self->rig.fd, rule));
		met = outcome_now(self, variant->pio);
		/* others may have been quick to fill the ring */
		if (round % 3 != 1 || met != MREGION_OUTCOME_RING_FULL) {
			ASSERT_EQ(round % 3 == 0 ? MREGION_OUTCOME_DOORBELL :
				  round % 3 == 2 ? MREGION_OUTCOME_SHADOW :
				  (int)MREGION_OUTCOME_COALESCED, met);
			own[round % 3]++;
		}
		usleep(200);
		ASSERT_EQ(0, COMMIT(self->rig.fd, mr_move(self->region, away)));
		ASSERT_EQ(MREGION_OUTCOME_UNASSIGNED_EXIT,
			  outcome_now(self, variant->pio));
		sched_yield();
		ASSERT_EQ(0, COMMIT(self->rig.fd, mr_move(self->region, home)));
		usleep(200);
		ASSERT_EQ(0, COMMIT(self->rig.fd, mr_unmap(self->region),
				    mr_free(self->region)));
		ASSERT_EQ(0, mr_ring_free(self->rig.fd, 7));
		ASSERT_EQ(0, mr_shadow_free(self->rig.fd, 7));
		mr_shadow_unmap(&shadow);
		ASSERT_EQ(MREGION_OUTCOME_UNASSIGNED_EXIT,
			  outcome_now(self, variant->pio));
		ASSERT_EQ(0, COMMIT(self->rig.fd,
				    dev_create(self->region, 0x100),
				    mr_map(self->region, parent, home, 0)));
		ASSERT_EQ(MREGION_OUTCOME_EXIT,
			  outcome_now(self, variant->pio));
		round++;
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < POKERS; i++) {
		pthread_join(self->pokers[i].thread, NULL);
		EXPECT_EQ(0, self->pokers[i].err);
	}
	pthread_join(looker, NULL);
	EXPECT_TRUE(all_kinds_met(self));
	for (i = 0; i < round; i++) {
		rung += signals(efds[i]);
		entries += rings[i].header->producer;
		close(efds[i]);
		mr_ring_unmap(&rings[i]);
	}
	EXPECT_EQ(outcomes(self, MREGION_OUTCOME_DOORBELL) + own[0], rung);
	EXPECT_EQ(outcomes(self, MREGION_OUTCOME_COALESCED) + own[1], entries);
}

/* ---- Servers ----------------------------------------------------------- */

/*
 * Askers do what a VMM's vCPUs do: write a number and read it back, ask again
 * when a signal has interrupted them, and are the device where nobody serves.
 */
struct asker {
	pthread_t thread;
	struct rig *rig;
	struct device *device;
	unsigned int index;
	bool pio;
	const bool *stop;
	uint32_t numbers;
	uint32_t interrupts;
	uint32_t mismatches;
	int err;
};

static uint64_t asker_access(struct asker *asker, bool write, uint64_t data)
{
	uint64_t offset = REGISTERS * asker->index + (write ? 0 : 4);
	struct mregion_access access;
	int err;

	while ((err = poke(asker->rig, asker->pio, offset, 4,
			   write ? MREGION_ACCESS_WRITE : 0, data,
			   asker->index, &access)) == -EINTR)
		count(&asker->interrupts);
	if (err)
		asker->err = err;
	if (err || access.handled)
		return access.data;
	count(&asker->device->here);
	return device_access(asker->device, asker->index, offset, 4, write,
			     data);
}

static void *asker_thread(void *arg)
{
	struct asker *asker = arg;
	uint32_t number = 0;

	while (!asker->err && !__atomic_load_n(asker->stop, __ATOMIC_ACQUIRE)) {
		number++;
		asker_access(asker, true, number);
		if (!asker->err &&
		    asker_access(asker, false, 0) != number)
			asker->mismatches++;
		__atomic_store_n(&asker->numbers, number, __ATOMIC_RELEASE);
	}
	return NULL;
}

FIXTURE(servers) {
	struct rig rig;
	struct device *device;
	struct serving serving[2];
	struct asker askers[POKERS];
	bool stop;
};

FIXTURE_SETUP(servers)
{
	catch_signals();
	self->serving[0].server.fd = -1;
	self->serving[1].server.fd = -1;
	self->device = device_new();
	ASSERT_NE(NULL, self->device);
	ASSERT_EQ(0, rig_open(&self->rig, 0));
}

FIXTURE_TEARDOWN(servers)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (self->serving[i].child)
			serving_kill(&self->serving[i]);
	rig_close(&self->rig);
	for (i = 0; i < 2; i++) {
		serving_join(&self->serving[i]);
		mr_server_close(&self->serving[i].server);
	}
	munmap(self->device, sizeof(*self->device));
}

static int new_server(FIXTURE_DATA(servers) *self, unsigned int i,
		      uint32_t nr_slots)
{
	memset(&self->serving[i], 0, sizeof(self->serving[i]));
	self->serving[i].device = self->device;
	return mr_server_create(self->rig.fd, 1 + i, nr_slots, SPIN, 0,
				&self->serving[i].server);
}

static int askers_start(FIXTURE_DATA(servers) *self)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < POKERS && !err; i++) {
		self->askers[i] = (struct asker){
			.rig = &self->rig, .device = self->device, .index = i,
			.pio = i == POKERS - 1, .stop = &self->stop,
		};
		err = pthread_create(&self->askers[i].thread, NULL,
				     asker_thread, &self->askers[i]);
	}
	return -err;
}

static void askers_interrupt(FIXTURE_DATA(servers) *self)
{
	unsigned int i;

	for (i = 0; i < POKERS; i++)
		pthread_kill(self->askers[i].thread, SIGUSR1);
}

/* Each access once, but for @repeats that a server was at as it was killed. */
static void askers_stop(struct __test_metadata *_metadata,
			FIXTURE_DATA(servers) *self, uint32_t repeats)
{
	unsigned int i;

	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < POKERS; i++) {
		struct asker *asker = &self->askers[i];
		typeof(&self->device->of[i]) of = &self->device->of[i];

		pthread_join(asker->thread, NULL);
		EXPECT_EQ(0, asker->err);
		EXPECT_EQ(0, asker->mismatches);
		EXPECT_LT(0, asker->numbers);
		EXPECT_EQ(asker->numbers, of->last);
		EXPECT_EQ(0, of->wrong);
		EXPECT_EQ(asker->numbers + of->repeated, of->writes);
		EXPECT_LE(asker->numbers, of->reads);
		EXPECT_GE(repeats, of->repeated + of->reads - asker->numbers);
	}
	EXPECT_LT(0, self->device->here);
	EXPECT_LT(0, self->device->served);
}

static bool askers_seen(FIXTURE_DATA(servers) *self)
{
	unsigned int i;

	for (i = 0; i < POKERS; i++)
		if (counted(&self->askers[i].numbers) < 20)
			return false;
	return counted(&self->device->here) && counted(&self->device->served);
}

static bool askers_interrupted(FIXTURE_DATA(servers) *self)
{
	unsigned int i;

	for (i = 0; i < POKERS; i++)
		if (counted(&self->askers[i].interrupts))
			return true;
	return false;
}

/*
 * Two servers of this process, one with few slots; the devices are bound to one,
 * to the other, to none, and moved; and signals come meanwhile.
 */
TEST_F(servers, swapped)
{
	unsigned int seed = 3, i, last = 0, next;
	uint64_t served = 0;
	struct mregion_stats stats;

	self->device->delay = 50;
	ASSERT_EQ(0, new_server(self, 0, POKERS));
	ASSERT_EQ(0, new_server(self, 1, 1));
	ASSERT_EQ(0, serving_threads(&self->serving[0], 2));
	ASSERT_EQ(0, serving_threads(&self->serving[1], 1));
	ASSERT_EQ(0, askers_start(self));
	mr_for_a_while(LOAD_MS, askers_seen(self) && askers_interrupted(self)) {
		next = rand_r(&seed) % 3;
		if (next != last)
			ASSERT_EQ(0, bind_devices(&self->rig, next));
		last = next;
		if (rand_r(&seed) % 4 == 0)
			askers_interrupt(self);
		if (rand_r(&seed) % 8 == 0) {
			ASSERT_EQ(0, COMMIT(self->rig.fd,
					    mr_move(DEV_MMIO, MMIO_AWAY),
					    mr_move(DEV_PORTS, PIO_AWAY)));
			ASSERT_EQ(0, COMMIT(self->rig.fd,
					    mr_move(DEV_MMIO, MMIO_BASE),
					    mr_move(DEV_PORTS, PIO_BASE)));
		}
		usleep(rand_r(&seed) % 1000);
	}
	askers_stop(_metadata, self, 0);
	EXPECT_TRUE(askers_interrupted(self));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_SERVER,
				      1 + i, &stats));
		EXPECT_LT(0, stats.outcomes[MREGION_OUTCOME_SERVED]);
		EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
		served += stats.outcomes[MREGION_OUTCOME_SERVED];
	}
	EXPECT_EQ(self->device->served, served);
}

/* A server's process is killed, again and again, and freed with its regions. */
TEST_F(servers, killed)
{
	unsigned int seed = 5, kills = 0;
	uint32_t served;

	ASSERT_EQ(0, askers_start(self));
	mr_for_a_while(2 * LOAD_MS, kills >= 5 && askers_seen(self)) {
		served = counted(&self->device->served);
		ASSERT_EQ(0, new_server(self, 0, 1 + kills % POKERS));
		ASSERT_EQ(0, bind_devices(&self->rig, 1));
		ASSERT_EQ(0, serving_process(&self->serving[0], &self->rig,
					     1 + kills % 2, NULL));
		if (kills % 4 != 3)
			ASSERT_TRUE(mr_until(counted(&self->device->served) !=
					     served));
		usleep(rand_r(&seed) % 5000);
		/* Somebody who waits is interrupted, and comes back. */
		if (kills % 2)
			askers_interrupt(self);
		ASSERT_TRUE(serving_kill(&self->serving[0]));
		kills++;
		usleep(rand_r(&seed) % 2000);
		if (kills % 3) {
			ASSERT_EQ(0, bind_devices(&self->rig, 0));
		} else {
			ASSERT_EQ(0, COMMIT(self->rig.fd, mr_unmap(DEV_MMIO),
					    mr_free(DEV_MMIO),
					    dev_create(DEV_MMIO, DEV_LEN),
					    mr_map(DEV_MMIO, 1, MMIO_BASE, 0),
					    mr_set_server(DEV_PORTS, 0)));
		}
		ASSERT_EQ(0, mr_server_free(self->rig.fd, 1));
	}
	askers_stop(_metadata, self, kills);
}

TEST_HARNESS_MAIN
