// SPDX-License-Identifier: GPL-2.0
/*
 * A machine of 10,000 regions whose BARs move all the time, while vCPUs write to
 * where they are, or were: each write arrives once and in its vCPU's order, in the
 * ring or as an exit, and what moves hold of the kernel's memory they give back.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "kvm_util.h"
#include "random_util.h"

#define VCPUS		2
#define REGIONS		10000u
#define BARS		20u
#define MOVES		(1000 * BARS)
/* A kernel that checks itself takes minutes for all: it may end when these are done. */
#define MIN_MOVES	(50 * BARS)
#define SLOW_MS		20000
#define WARM_UP		(4 * BARS)

/* Where BARs can be: more places than there are BARs. Guests write to one by one. */
#define PLACES		32u
#define PLACE_SIZE	0x2000u
#define PLACES_BASE	0x10000000u
#define OTHERS_BASE	0x100000000ull

/* Regions: the BARs, and behind them all others. */
enum { ROOT = 1, WINDOW, OTHERS, FIRST_BAR, FIRST_OTHER = FIRST_BAR + BARS };

#define SPACE		1
#define RING		1
#define RING_ENTRIES	256
#define ROUND		500	/* numbers that a vCPU writes before it halts */

/* More than a few nodes of trees: what it takes is a matter of where BARs are. */
#define MEMORY_SLACK	(64 * 1024)

FIXTURE(bars) {
	struct vm vm;
	struct mr_ring ring;
	struct prng prng;
	uint64_t seed;
	int fd;
	uint32_t place_of[BARS];
	bool taken[PLACES];
	pthread_mutex_t lock;		/* of the ring's consumer, and what follows */
	uint32_t next[VCPUS];
	uint64_t coalesced, exits, wrong;
	bool stop;
};

/* So many that one commit would be long. */
static int add_others(int fd)
{
	struct mregion_op ops[1000];
	uint32_t i, id, nr = 0;
	int err = 0;

	for (id = FIRST_OTHER; id <= REGIONS && !err; id++) {
		i = id - FIRST_OTHER;
		ops[nr++] = mr_mmio(id, 0x1000);
		ops[nr++] = mr_map(id, OTHERS, 0x2000ull * i, 0);
		if (nr == ARRAY_SIZE(ops) || id == REGIONS) {
			err = mr_commit(fd, ops, nr);
			nr = 0;
		}
	}
	return err;
}

FIXTURE_SETUP(bars)
{
	uint32_t i;

	self->seed = random_seed("MREGION_SEED");
	self->prng = prng_of(self->seed, 0);
	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)self->seed);
	pthread_mutex_init(&self->lock, NULL);
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, vm_create(&self->vm, VCPUS));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, RING_ENTRIES, -1, 0, 0,
				    &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0),
			    mr_container(WINDOW, PLACES * PLACE_SIZE),
			    mr_container(OTHERS, 0x10000000),
			    mr_map(WINDOW, ROOT, PLACES_BASE, 0),
			    mr_map(OTHERS, ROOT, OTHERS_BASE, 0)));
	for (i = 0; i < BARS; i++) {
		self->place_of[i] = i;
		self->taken[i] = true;
		ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(FIRST_BAR + i, 0x1000),
				    mr_rule_add(FIRST_BAR + i, RING, 0, 0),
				    mr_map(FIRST_BAR + i, WINDOW,
					   PLACE_SIZE * i, 0)));
	}
	ASSERT_EQ(0, add_others(self->fd));
	ASSERT_EQ(REGIONS, mr_regions(self->fd, 0, NULL, 0));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(SPACE, ROOT)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, 0, NULL));
}

FIXTURE_TEARDOWN(bars)
{
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	vm_free(&self->vm);
	close(self->fd);
}

/* A write has arrived. With the lock held. */
static void received(FIXTURE_DATA(bars) *self, unsigned int vcpu, uint64_t offset,
		     unsigned int len, uint64_t data, const char *path)
{
	uint32_t expected = vcpu < VCPUS ? self->next[vcpu] : 0;

	if (vcpu >= VCPUS || len != 4 || offset != 8 * vcpu ||
	    data != expected) {
		if (!self->wrong++)
			fprintf(stderr, "# %s, vCPU %u: %u@%#llx: %#llx; expected %#x\n",
				path, vcpu, len, (unsigned long long)offset,
				(unsigned long long)data, expected);
	}
	if (vcpu < VCPUS)
		self->next[vcpu]++;
}

/* With the lock held. */
static void drain(FIXTURE_DATA(bars) *self)
{
	struct mregion_ring_entry entry;

	while (mr_ring_take(&self->ring, &entry)) {
		if (entry.region < FIRST_BAR || entry.region >= FIRST_OTHER)
			self->wrong++;
		received(self, entry.vcpu, entry.offset, entry.len, entry.data,
			 "ring");
		self->coalesced++;
	}
}

/* Where no BAR was, or the ring was full: what came before is in the ring. */
static void exited(FIXTURE_DATA(bars) *self, struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t place = PLACES_BASE + mmio_data(run) % PLACES * PLACE_SIZE;

	pthread_mutex_lock(&self->lock);
	drain(self);
	if (!run->mmio.is_write)
		self->wrong++;
	received(self, vcpu->index, run->mmio.phys_addr - place, run->mmio.len,
		 mmio_data(run), "exit");
	__atomic_add_fetch(&self->exits, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&self->lock);
}

struct writer {
	pthread_t thread;
	FIXTURE_DATA(bars) *self;
	struct vcpu *vcpu;
	uint32_t written;
	int ended_by;
};

static void *writer_thread(void *arg)
{
	struct writer *writer = arg;
	FIXTURE_DATA(bars) *self = writer->self;
	struct vcpu *vcpu = writer->vcpu;

	do {
		const struct guest_regs regs = {
			.addr = PLACES_BASE + 8 * vcpu->index,
			.number = writer->written,
			.end = writer->written + ROUND,
		};

		writer->ended_by = vcpu_start(vcpu, &guest_write_places, regs);
		if (writer->ended_by)
			break;
		for (;;) {
			writer->ended_by = vcpu_run(vcpu);
			if (writer->ended_by == KVM_EXIT_MMIO)
				exited(self, vcpu);
			else if (writer->ended_by != -EINTR)
				break;
		}
		if (writer->ended_by != VCPU_ENDED)
			break;
		writer->written += ROUND;
	} while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE));
	return NULL;
}

static uint64_t memory(int fd)
{
	struct mregion_stats stats;

	return mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats) ? 0 :
							       stats.memory;
}

/* What is replaced is freed when nobody can use it any more. */
static uint64_t memory_at_rest(int fd, uint64_t limit)
{
	uint64_t now = 0;

	mr_until((now = memory(fd)) <= limit);
	return now;
}

/* A BAR goes to some place that is free. */
static int move(FIXTURE_DATA(bars) *self, uint32_t bar)
{
	uint32_t to;
	int err;

	do
		to = below(&self->prng, PLACES);
	while (self->taken[to]);
	err = COMMIT(self->fd, mr_move(FIRST_BAR + bar, PLACE_SIZE * to));
	if (err)
		return err;
	self->taken[self->place_of[bar]] = false;
	self->taken[to] = true;
	self->place_of[bar] = to;
	return 0;
}

static uint64_t arrived(FIXTURE_DATA(bars) *self)
{
	return __atomic_load_n(&self->ring.header->producer, __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&self->exits, __ATOMIC_ACQUIRE);
}

static uint64_t outcomes(int fd, enum mregion_outcome outcome)
{
	struct mregion_stats stats;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < BARS; i++)
		if (!mr_stats(fd, MREGION_OBJECT_REGION, FIRST_BAR + i, &stats))
			sum += stats.outcomes[outcome];
	return sum;
}

TEST_F_TIMEOUT(bars, move, 900)
{
	struct writer writers[VCPUS];
	uint64_t before, after, seen, begin, msecs, written = 0;
	bool slow = mr_checking_kernel();
	unsigned int i, moves;

	for (i = 0; i < WARM_UP; i++)
		ASSERT_EQ(0, move(self, i % BARS));
	before = memory_at_rest(self->fd, memory(self->fd));
	for (i = 0; i < VCPUS; i++) {
		writers[i] = (struct writer){
			.self = self, .vcpu = &self->vm.vcpus[i],
		};
		ASSERT_EQ(0, pthread_create(&writers[i].thread, NULL,
					    writer_thread, &writers[i]));
	}
	begin = mr_now_ms();
	for (moves = 0; moves < MOVES; moves++) {
		msecs = mr_now_ms() - begin;
		if (slow && moves >= MIN_MOVES && msecs > SLOW_MS)
			break;
		/*
		 * However few processors there are, vCPUs get on meanwhile. Where one
		 * thread emulates all, each wait takes until a timer's next tick.
		 */
		if (moves % BARS == 0) {
			pthread_mutex_lock(&self->lock);
			drain(self);
			pthread_mutex_unlock(&self->lock);
			seen = arrived(self);
			ASSERT_TRUE(mr_until(arrived(self) != seen));
		}
		ASSERT_EQ(0, move(self, moves % BARS));
	}
	msecs = mr_now_ms() - begin;
	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < VCPUS; i++) {
		pthread_join(writers[i].thread, NULL);
		EXPECT_EQ(VCPU_ENDED, writers[i].ended_by);
	}
	drain(self);

	for (i = 0; i < VCPUS; i++) {
		EXPECT_EQ(writers[i].written, self->next[i]);
		written += writers[i].written;
	}
	after = memory_at_rest(self->fd, before + MEMORY_SLACK);
	TH_LOG("%u moves of %u%s in %llu ms; %llu writes: %llu in the ring, %llu exits",
	       moves, MOVES, moves < MOVES ? ", as this kernel is slow," : "",
	       (unsigned long long)msecs, (unsigned long long)written,
	       (unsigned long long)self->coalesced,
	       (unsigned long long)self->exits);
	TH_LOG("memory %llu, then %llu", (unsigned long long)before,
	       (unsigned long long)after);
	EXPECT_EQ(0, self->wrong);
	EXPECT_LE(slow ? MIN_MOVES : MOVES, moves);
	EXPECT_EQ(written, self->coalesced + self->exits);
	EXPECT_EQ(self->coalesced,
		  outcomes(self->fd, MREGION_OUTCOME_COALESCED));
	EXPECT_LT(0, self->coalesced);
	/* Also where no BAR was, and not just of a ring that was full. */
	EXPECT_LT(outcomes(self->fd, MREGION_OUTCOME_RING_FULL), self->exits);
	EXPECT_LT(0, before);
	EXPECT_GE(before + MEMORY_SLACK, after);
}

TEST_HARNESS_MAIN
