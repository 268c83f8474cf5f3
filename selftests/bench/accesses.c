// SPDX-License-Identifier: GPL-2.0
/*
 * What an access costs, by the way that it takes.
 *
 * A guest makes BATCH accesses in a loop and halts. What the loop takes without
 * the access is subtracted, so what remains is everything that follows from one
 * instruction of the guest's, in the guest's processor, in KVM and in whoever
 * answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "bench.h"
#include "output.h"

/* No more than KVM's ring takes, which has one page. */
#define BATCH		160
#define BATCHES		24
/* The next of N regions is this far on: coprime to N, and out of order. */
#define LEAP		7919

enum loop { LOOP_NONE, LOOP_WRITE, LOOP_READ, LOOP_OUT, LOOP_IN };

enum where {
	ONE,			/* one region, and no others matter */
	SAME,			/* one of many regions */
	EACH,			/* each access to another region */
	LAST,			/* the last of many in one region */
};

static const struct way {
	const char *name;
	enum answer answer;
	enum loop loop;
	enum where where;
} ways[] = {
	{ "write: floor", ANSWER_FLOOR, LOOP_WRITE, ONE },
	{ "write: floor that signals an eventfd",
	  ANSWER_SIGNAL, LOOP_WRITE, ONE },
	{ "write: exit to a VMM that does nothing",
	  ANSWER_VMM, LOOP_WRITE, ONE },
	{ "write: KVM's coalesced ring",
	  ANSWER_KVM_RING, LOOP_WRITE, ONE },
	{ "write: KVM's ioeventfd",
	  ANSWER_KVM_IOEVENTFD, LOOP_WRITE, ONE },
	{ "write: KVM's ioeventfd for any length",
	  ANSWER_KVM_ANY_LEN, LOOP_WRITE, ONE },
	{ "write: KVM's ioeventfd, datamatch",
	  ANSWER_KVM_DATAMATCH, LOOP_WRITE, ONE },
	{ "write: coalesced", ANSWER_COALESCE, LOOP_WRITE, SAME },
	{ "write: doorbell", ANSWER_DOORBELL, LOOP_WRITE, SAME },
	{ "write: doorbell for any length", ANSWER_ANY_LEN, LOOP_WRITE, SAME },
	{ "write: fast doorbell", ANSWER_FAST, LOOP_WRITE, SAME },
	{ "write: doorbell, size and datamatch",
	  ANSWER_DATAMATCH, LOOP_WRITE, SAME },
	{ "write: doorbell that stores the value",
	  ANSWER_STORE, LOOP_WRITE, SAME },
	{ "write: KVM's ioeventfd, last of many",
	  ANSWER_KVM_AMONG, LOOP_WRITE, LAST },
	{ "write: doorbell, last of many in its region",
	  ANSWER_AMONG, LOOP_WRITE, LAST },
	{ "write: KVM's ioeventfd for any length, last of many",
	  ANSWER_KVM_AMONG_ANY_LEN, LOOP_WRITE, LAST },
	{ "write: fast doorbell, last of many in its region",
	  ANSWER_AMONG_FAST, LOOP_WRITE, LAST },
	{ "write: KVM's ioeventfd, last of many values",
	  ANSWER_KVM_AMONG_DATAMATCH, LOOP_WRITE, LAST },
	{ "write: doorbell, last of many values",
	  ANSWER_AMONG_DATAMATCH, LOOP_WRITE, LAST },
	{ "write: shadow", ANSWER_SHADOW, LOOP_WRITE, SAME },
	{ "write: exit through an attached machine",
	  ANSWER_EXIT, LOOP_WRITE, SAME },
	{ "write to another region each: floor",
	  ANSWER_FLOOR, LOOP_WRITE, EACH },
	{ "write to another region each: coalesced",
	  ANSWER_COALESCE, LOOP_WRITE, EACH },
	{ "write to another region each: doorbell",
	  ANSWER_DOORBELL, LOOP_WRITE, EACH },
	{ "write to another region each: fast doorbell",
	  ANSWER_FAST, LOOP_WRITE, EACH },
	{ "read: floor", ANSWER_FLOOR, LOOP_READ, ONE },
	{ "read: exit to a VMM that does nothing",
	  ANSWER_VMM, LOOP_READ, ONE },
	{ "read: shadow", ANSWER_SHADOW, LOOP_READ, SAME },
	{ "read: data register", ANSWER_INDEXED, LOOP_READ, SAME },
	{ "read: data register, last of 16 ranges of the index",
	  ANSWER_RANGES, LOOP_READ, ONE },
	{ "read: refused", ANSWER_REFUSED, LOOP_READ, SAME },
	{ "read: unassigned", ANSWER_UNASSIGNED, LOOP_READ, SAME },
	{ "read: exit through an attached machine",
	  ANSWER_EXIT, LOOP_READ, SAME },
	{ "read of another region each: floor",
	  ANSWER_FLOOR, LOOP_READ, EACH },
	{ "read of another region each: shadow",
	  ANSWER_SHADOW, LOOP_READ, EACH },
#if VM_HAS_PORTS
	{ "out: floor", ANSWER_FLOOR, LOOP_OUT, ONE },
	{ "out: exit to a VMM that does nothing",
	  ANSWER_VMM, LOOP_OUT, ONE },
	{ "out: KVM's coalesced ring",
	  ANSWER_KVM_RING, LOOP_OUT, ONE },
	{ "out: coalesced", ANSWER_COALESCE, LOOP_OUT, SAME },
	{ "in: floor", ANSWER_FLOOR, LOOP_IN, ONE },
	{ "in: exit to a VMM that does nothing",
	  ANSWER_VMM, LOOP_IN, ONE },
	{ "in: shadow", ANSWER_SHADOW, LOOP_IN, SAME },
	{ "in: data register", ANSWER_INDEXED, LOOP_IN, SAME },
	{ "in: data register, last of 16 ranges of the index",
	  ANSWER_RANGES, LOOP_IN, ONE },
#endif
};

const char *bench_way = "";
bool bench_few;

static const char *const columns[] = {
	"way", "ranges", "instructions", "median", "adds", NULL
};

static const uint32_t numbers[] = { 10, 1000, 10000 };
/* Of doorbells in one region. */
static const uint32_t among[] = { 1, 64, 1024, 4096 };

#define NR_NUMBERS	(sizeof(numbers) / sizeof(numbers[0]))
#define NR_AMONG	(sizeof(among) / sizeof(among[0]))
#define NR_WAYS		(sizeof(ways) / sizeof(ways[0]))

static void start(struct vcpu *vcpu, enum loop loop, struct guest_regs regs)
{
	static const struct guest_code *const loops[] = {
		[LOOP_NONE] = &guest_bench_none,
		[LOOP_WRITE] = &guest_bench_write,
		[LOOP_READ] = &guest_bench_read,
#if VM_HAS_PORTS
		[LOOP_OUT] = &guest_bench_out,
		[LOOP_IN] = &guest_bench_in,
#endif
	};

	if (vcpu_start(vcpu, loops[loop], regs))
		die("cannot set a vCPU's registers");
}

/* Run a loop once, beginning at region @first; the time of one pass of it. */
static double batch(struct bench *bench, enum loop loop, bool each,
		    uint32_t first)
{
	struct vcpu *vcpu = &bench->vm.vcpus[0];
	uint64_t addr = bench_addr(bench, first);
	uint64_t begin, end, exits = 0;
	struct guest_regs regs = {
		.value = BENCH_DATA, .addr = addr, .port = addr, .end = BATCH,
		.arg[1] = bench_addr(bench, bench->nr),
		.arg[2] = bench_addr(bench, bench->nr) - bench_addr(bench, 0),
	};
	int reason;

	if (each)
		regs.arg[0] = (uint64_t)(LEAP % bench->nr) *
			  (bench->pio ? BENCH_PIO_STEP : BENCH_MMIO_STEP);
	start(vcpu, loop, regs);
	begin = bench_now();
	while ((reason = vcpu_run(vcpu)) != VCPU_ENDED) {
		if (reason != KVM_EXIT_MMIO && reason != KVM_EXIT_IO)
			die("a vCPU exits for reason %d", reason);
		exits++;
	}
	end = bench_now();
	if (exits != (loop && bench_exits(bench) ? BATCH : 0))
		die("%llu exits of %d accesses", (unsigned long long)exits,
		    BATCH);
	bench_drain(bench);
	return (double)(end - begin) / BATCH;
}

static void measure(const struct way *way, uint32_t nr,
		    struct bench_sample *sample)
{
	bool each = way->where == EACH;
	/* Every region has its turn before measuring: KVM learns pages. */
	uint32_t warm = each ? (nr + BATCH - 1) / BATCH : 2;
	bool pio = way->loop == LOOP_OUT || way->loop == LOOP_IN;
	double values[BATCHES], empty[BATCHES];
	struct bench_sample none;
	struct bench bench;
	uint32_t i, first;

	bench_open(&bench, way->answer, pio, nr);
	for (i = 0; i < BATCHES; i++)
		empty[i] = batch(&bench, LOOP_NONE, each, 0);
	bench_sort(empty, BATCHES, &none);
	for (i = 0; i < warm + BATCHES; i++) {
		first = each ? (uint64_t)i * BATCH * LEAP % nr :
			way->where == LAST ? nr - 1 : nr / 2;
		values[i < warm ? 0 : i - warm] =
			batch(&bench, way->loop, each, first) - none.least;
	}
	bench_sort(values, BATCHES, sample);
	bench_check(&bench, (uint64_t)(warm + BATCHES) * BATCH);
	bench_close(&bench);
}

static void report(const struct way *way, uint32_t nr,
		   const struct bench_sample *sample, double floor)
{
	output_text(way->name);
	if (way->where == ONE)
		output_none();
	else
		output_number(nr, 0);
	output_number(sample->least, 0);
	output_number(sample->median, 0);
	if (way->answer == ANSWER_FLOOR)
		output_none();
	else
		output_number(sample->least - floor, 0);
}

void bench_accesses(void)
{
	unsigned int nr_numbers = bench_few ? 1 : NR_NUMBERS;
	unsigned int nr_among = bench_few ? 2 : NR_AMONG;
	struct bench_sample sample;
	double floor[NR_NUMBERS] = { 0 };
	unsigned int i, n;

	bench_keep_vm();
	output_part("accesses", "Instructions for one access of 4 bytes",
		    columns);
	for (i = 0; i < NR_WAYS; i++) {
		/* others stand on the floor */
		if (!strstr(ways[i].name, bench_way) &&
		    ways[i].answer != ANSWER_FLOOR)
			continue;
		for (n = 0; ways[i].where == LAST && n < nr_among; n++) {
			measure(&ways[i], among[n], &sample);
			report(&ways[i], among[n], &sample, floor[0]);
		}
		if (ways[i].where == LAST)
			continue;
		for (n = 0; n < (ways[i].where == ONE ? 1 : nr_numbers); n++) {
			measure(&ways[i], numbers[n], &sample);
			/* a floor comes before what stands on it */
			if (ways[i].answer == ANSWER_FLOOR) {
				floor[n] = sample.least;
				if (ways[i].where == ONE)
					floor[1] = floor[2] = floor[0];
			}
			report(&ways[i], numbers[n], &sample, floor[n]);
		}
	}
}
