// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of ioctls, most of them valid, under running guests: several
 * machines that are changed at the same time, attached to several virtual
 * machines, whose vCPUs access them; servers that answer, are slow, silent or die;
 * KVM's own devices in the way; signals; and, where the kernel can inject
 * them, failures of allocations.
 *
 * Each round begins with nothing and ends with nothing. What goes wrong says its
 * seed and round; by these it can be had again:
 *
 *	MREGION_FUZZ_SEED	number that all others are made of
 *	MREGION_FUZZ_ROUND	this round alone, again and again
 *	MREGION_FUZZ_SECONDS	time for each case
 *
 * Every thread's sequence is determined by seed and round; how they are
 * interleaved is not.
 */
#include "kselftest_harness.h"
#include "fuzz_objects.h"

#define MACHINES	2
#define MEDDLERS	2
#define CLOSING_MS	MR_PATIENCE_MS
/* What a meddler does takes less, unless it is stuck until virtual machines are closed. */
#define MEDDLING_MS	1000
/* To meet all there is takes some rounds, and each a minute on a busy machine. */
#define ALL_MET_MS	(5 * MR_PATIENCE_MS)

/* A thread that reads and accesses a machine that another one changes. */
struct meddler {
	struct worker worker;
	struct machine *machines;
	struct fuzz_vm *vms;
};

FIXTURE(fuzz) {
	struct prng prng;
	struct place place;
	struct inject inject;
	struct machine machines[MACHINES];
	struct fuzz_vm vms[FUZZ_VMS];
	struct meddler meddlers[MEDDLERS];
	struct runner totals;
	pthread_t watchdog;
	bool ended;
	bool failures;
	bool one_round;
	unsigned int steps;
	uint64_t msecs;
	long references;
};

FIXTURE_VARIANT(fuzz) {
	bool failures;
};

FIXTURE_VARIANT_ADD(fuzz, valid) { };
FIXTURE_VARIANT_ADD(fuzz, failures) { .failures = true, };

/* ---- Who looks whether all get on -------------------------------------- */

static void tell_stuck(const struct place *place)
{
	char command[64];

	fuzz_wrong(place, "stuck for %llu ms",
		   (unsigned long long)(mr_now_ms() - place->since));
	/* Where everybody is, for root. */
	snprintf(command, sizeof(command), "cat /proc/%d/task/*/stack >&2",
		 getpid());
	if (system(command))
		fprintf(stderr, "# no stacks\n");
	_exit(1);
}

static void look_at(const struct place *place)
{
	uint64_t since = __atomic_load_n(&place->since, __ATOMIC_RELAXED);

	if (since && since + MR_PATIENCE_MS < mr_now_ms())
		tell_stuck(place);
}

static void *watchdog_thread(void *arg)
{
	FIXTURE_DATA(fuzz) *self = arg;
	unsigned int i, j;

	while (!__atomic_load_n(&self->ended, __ATOMIC_ACQUIRE)) {
		sleep(1);
		look_at(&self->place);
		for (i = 0; i < MACHINES; i++)
			look_at(&self->machines[i].place);
		for (i = 0; i < MEDDLERS; i++)
			look_at(&self->meddlers[i].worker.place);
		for (i = 0; i < FUZZ_VMS; i++)
			for (j = 0; j < FUZZ_VCPUS; j++)
				look_at(&self->vms[i].runners[j].worker.place);
	}
	return NULL;
}

/* ---- Setting up -------------------------------------------------------- */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

FIXTURE_SETUP(fuzz)
{
	unsigned int i;

	catch_signals();
	fuzz.seed = random_seed("MREGION_FUZZ_SEED");
	self->one_round = getenv("MREGION_FUZZ_ROUND");
	fuzz.round = number_from("MREGION_FUZZ_ROUND", 0);
	self->msecs = 1000 * number_from("MREGION_FUZZ_SECONDS", 10);
	self->steps = mr_checking_kernel() ? 80 : 150;
	self->failures = variant->failures && inject_possible();
	fuzz.failures = self->failures;
	self->place = (struct place){ .who = "main" };
	self->inject.fd = -1;
	self->references = mr_module_references();
	for (i = 0; i < FUZZ_VMS; i++) {
		pthread_mutex_init(&self->vms[i].lock, NULL);
		self->vms[i].fd = -1;
		self->vms[i].machines = self->machines;
		self->vms[i].nr_machines = MACHINES;
		self->vms[i].memory = mmap(NULL, FUZZ_SLOTS * FUZZ_SLOT_LEN,
					   PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, self->vms[i].memory);
	}
	for (i = 0; i < MACHINES; i++) {
		pthread_mutex_init(&self->machines[i].lock, NULL);
		self->machines[i].fd = -1;
		self->machines[i].vms = self->vms;
		self->machines[i].inject.fd = -1;
	}
	TH_LOG("seed %#llx", (unsigned long long)fuzz.seed);
	ASSERT_EQ(0, pthread_create(&self->watchdog, NULL, watchdog_thread,
				    self));
}

FIXTURE_TEARDOWN(fuzz)
{
	__atomic_store_n(&self->ended, true, __ATOMIC_RELEASE);
	pthread_join(self->watchdog, NULL);
}

/* ---- A round ----------------------------------------------------------- */

static void *meddler_thread(void *arg)
{
	struct meddler *meddler = arg;
	struct worker *worker = &meddler->worker;
	struct prng *prng = &worker->prng;
	int fd;

	worker_begin(worker);
	while (worker_goes_on(worker)) {
		fuzz_at(&worker->place, "meddling");
		worker->place.step++;
		fd = machine_dup(&meddler->machines[below(prng, MACHINES)]);
		if (fd < 0) {
			sched_yield();
			continue;
		}
		inject_begin(&worker->inject, prng, 5);
		random_accesses(prng, &worker->place, fd, &worker->counts);
		if (one_in(prng, 4))
			random_reads(prng, &worker->place, fd);
		inject_end(&worker->inject);
		if (one_in(prng, 4))
			fuzz_vm_claims(&meddler->vms[below(prng, FUZZ_VMS)],
				       prng, &worker->place, fd,
				       &worker->inject, &worker->counts);
		/* Maybe the last one of the machine. */
		WITH_FAILURES(&worker->inject, prng, 5, close(fd));
		/* The others need processors, too. */
		usleep(below(prng, 2000));
	}
	worker_end(worker);
	return NULL;
}

static void begin_round(struct __test_metadata *_metadata,
			FIXTURE_DATA(fuzz) *self)
{
	unsigned int i;

	self->prng = prng_of(fuzz.seed, 100 * fuzz.round);
	self->place.step = 0;
	fuzz_at(&self->place, "beginning");
	for (i = 0; i < MACHINES; i++) {
		struct machine *machine = &self->machines[i];

		machine->prng = prng_of(fuzz.seed, 100 * fuzz.round + 1 + i);
		machine->place = (struct place){ "machine", i, 0, "", 0 };
		/* Idle is who has finished. */
		fuzz_at(&machine->place, "opening");
		machine->steps = self->steps;
		machine->failures = self->failures;
		machine_open(machine);
		ASSERT_EQ(0, pthread_create(&machine->thread, NULL,
					    machine_thread, machine));
	}
	for (i = 0; i < MEDDLERS; i++) {
		struct meddler *meddler = &self->meddlers[i];

		*meddler = (struct meddler){
			.machines = self->machines,
			.vms = self->vms,
			.worker = {
				.prng = prng_of(fuzz.seed,
						100 * fuzz.round + 50 + i),
				.place = { "meddler", i, 0, "", 0 },
				.failures = self->failures,
			},
		};
		ASSERT_EQ(0, pthread_create(&meddler->worker.thread, NULL,
					    meddler_thread, meddler));
	}
}

static void a_signal(FIXTURE_DATA(fuzz) *self)
{
	struct fuzz_vm *vm = &self->vms[below(&self->prng, FUZZ_VMS)];

	if (one_in(&self->prng, 3))
		pthread_kill(self->meddlers[below(&self->prng, MEDDLERS)]
			     .worker.thread, SIGUSR1);
	else if (one_in(&self->prng, 3))
		pthread_kill(self->machines[below(&self->prng, MACHINES)]
			     .thread, SIGUSR1);
	else if (vm->fd >= 0 && vm->nr_runners)
		pthread_kill(vm->runners[below(&self->prng, vm->nr_runners)]
			     .worker.thread, SIGUSR1);
}

/* As long as the machines' threads go on, virtual machines come and go. */
static void go_on(FIXTURE_DATA(fuzz) *self)
{
	unsigned int i, nr;
	struct fuzz_vm *vm;

	self->inject = inject_open(self->failures);
	do {
		self->place.step++;
		fuzz_at(&self->place, "virtual machines");
		nr = below(&self->prng, FUZZ_VMS);
		vm = &self->vms[nr];
		if (vm->fd < 0) {
			fuzz_vm_open(vm, &self->prng, self->failures, nr);
		} else if (one_in(&self->prng, 60)) {
			fuzz_vm_close(vm, &self->prng, &self->totals);
		} else {
			fuzz_vm_step(vm, &self->prng, &self->inject);
		}
		a_signal(self);
		usleep(below(&self->prng, 3000));
		for (i = 0, nr = 0; i < MACHINES; i++)
			nr += !__atomic_load_n(&self->machines[i].place.since,
					       __ATOMIC_RELAXED);
	} while (nr < MACHINES);
	self->totals.worker.counts.injected += self->inject.failed;
	inject_close(&self->inject);
	self->inject.fd = -1;
}

/* Descriptors of the module's that are still there: those that were lost. */
static unsigned int close_lost(void)
{
	char path[64], target[64];
	unsigned int nr = 0;
	ssize_t len;
	int fd;

	for (fd = 3; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (strstr(target, "mregion")) {
			nr++;
			close(fd);
		}
	}
	return nr;
}

/* In any order, and each of it soon. */
static void end_round(struct __test_metadata *_metadata,
		      FIXTURE_DATA(fuzz) *self)
{
	unsigned int i, first = below(&self->prng, MACHINES + FUZZ_VMS), nr;
	uint64_t lost = 0, begin;

	for (i = 0; i < MACHINES; i++)
		pthread_join(self->machines[i].thread, NULL);
	/* So that machines end as they are closed */
	for (i = 0; i < MEDDLERS; i++)
		worker_ask(&self->meddlers[i].worker, MEDDLING_MS);
	begin = mr_now_ms();
	for (i = 0; i < MACHINES + FUZZ_VMS; i++) {
		fuzz_at(&self->place, "closing");
		nr = (first + i) % (MACHINES + FUZZ_VMS);
		if (nr >= FUZZ_VMS)
			machine_close(&self->machines[nr - FUZZ_VMS]);
		else
			fuzz_vm_close(&self->vms[nr], &self->prng,
				      &self->totals);
	}
	/*
	 * Not all of them before: one whose signals are blocked may wait for a server's slot, and
	 * all slots have answers that no vCPU comes for any more.
	 */
	for (i = 0; i < MEDDLERS; i++) {
		struct meddler *meddler = &self->meddlers[i];

		worker_stop(&meddler->worker, NULL);
		counts_add(&self->totals.worker.counts,
			   &meddler->worker.counts);
	}
	for (i = 0; i < MACHINES; i++) {
		lost += self->machines[i].counts.lost;
		counts_add(&self->totals.worker.counts,
			   &self->machines[i].counts);
		memset(&self->machines[i].counts, 0,
		       sizeof(self->machines[i].counts));
	}
	EXPECT_GT(CLOSING_MS, mr_now_ms() - begin);
	nr = close_lost();
	FUZZ_CHECK(&self->place, nr == lost,
		   "%u descriptors are left, not %llu", nr,
		   (unsigned long long)lost);
	FUZZ_CHECK(&self->place,
		   mr_until(mr_module_references() == self->references),
		   "%ld references to the module are left, not %ld",
		   mr_module_references(), self->references);
	fuzz_idle(&self->place);
}

/* ---- What was met ------------------------------------------------------ */

static void tell_counts(struct __test_metadata *_metadata,
			const struct runner *totals, unsigned int rounds)
{
	const struct fuzz_counts *counts = &totals->worker.counts;
	unsigned int i;

	TH_LOG("%u rounds; %llu commits, %llu failed, %llu dry runs", rounds,
	       (unsigned long long)counts->commits,
	       (unsigned long long)counts->failed_commits,
	       (unsigned long long)counts->dry_runs);
	TH_LOG("%llu operations failed alone, %llu found somebody there, %llu with many rules, %llu bells for any length",
	       (unsigned long long)counts->alone,
	       (unsigned long long)counts->occupied,
	       (unsigned long long)counts->many_rules,
	       (unsigned long long)counts->any_len);
	TH_LOG("%llu devices take what reaches out; %llu lists of claims, %llu renewed",
	       (unsigned long long)counts->beyond,
	       (unsigned long long)counts->claims,
	       (unsigned long long)counts->renewed);
	TH_LOG("%llu attached, %llu detached, %llu conflicts; %llu failures injected, %llu descriptors lost",
	       (unsigned long long)counts->attached,
	       (unsigned long long)counts->detached,
	       (unsigned long long)counts->conflicts,
	       (unsigned long long)counts->injected,
	       (unsigned long long)counts->lost);
	TH_LOG("%llu views opened, %llu files handed out, %llu views gone",
	       (unsigned long long)counts->views,
	       (unsigned long long)counts->handed_out,
	       (unsigned long long)counts->gone);
	TH_LOG("guests: %llu rounds, %llu exits, %llu signals, %llu astray",
	       (unsigned long long)totals->rounds,
	       (unsigned long long)totals->exits,
	       (unsigned long long)totals->signals,
	       (unsigned long long)totals->astray);
	for (i = 1; i <= MREGION_OP_SHARE; i++)
		TH_LOG("operation %u: %llu done, %llu refused", i,
		       (unsigned long long)counts->done[i],
		       (unsigned long long)counts->refused[i]);
	for (i = 0; i <= MREGION_OUTCOME_SERVER_EXIT; i++)
		TH_LOG("outcome %u: %llu by ioctl, %llu in all", i,
		       (unsigned long long)counts->outcomes[i],
		       (unsigned long long)counts->parts[i]);
}

/* A run that met nothing has shown nothing. */
static bool all_met(const struct runner *totals, bool failures)
{
	const struct fuzz_counts *counts = &totals->worker.counts;
	unsigned int i;

	for (i = 1; i <= MREGION_OP_SHARE; i++)
		if (!counts->done[i])
			return false;
	for (i = 0; i <= MREGION_OUTCOME_SERVER_EXIT; i++)
		if (!counts->outcomes[i])
			return false;
	return counts->failed_commits && counts->dry_runs && counts->alone &&
	       counts->occupied && counts->many_rules && counts->any_len &&
	       counts->beyond && counts->claims && counts->renewed &&
	       counts->views && counts->handed_out && counts->gone &&
	       counts->attached && counts->detached && totals->rounds &&
	       totals->exits && (!failures || counts->injected);
}

TEST_F_TIMEOUT(fuzz, under_guests, 1000000)
{
	uint64_t end = mr_now_ms() + self->msecs;
	unsigned int rounds = 0;

	if (variant->failures && !self->failures)
		SKIP(return, "this kernel cannot inject failures");
	while (mr_now_ms() < end ||
	       (!self->one_round && mr_now_ms() < end + ALL_MET_MS &&
		!all_met(&self->totals, self->failures))) {
		begin_round(_metadata, self);
		go_on(self);
		end_round(_metadata, self);
		if (fuzz_failed())
			break;
		rounds++;
		fuzz.round += !self->one_round;
	}
	EXPECT_FALSE(fuzz_failed());
	tell_counts(_metadata, &self->totals, rounds);
	if (!self->one_round && !fuzz_failed())
		EXPECT_TRUE(all_met(&self->totals, self->failures));
}

TEST_HARNESS_MAIN
