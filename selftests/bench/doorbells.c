// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to add one doorbell, and to delete it, where others are, beside one of
 * KVM's ioeventfds where as many are.
 *
 * The machine has other regions, each with a rule, as machines have; to KVM they are
 * nothing. No vCPU runs meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "bench.h"
#include "output.h"

#define REGIONS		125u
#define ID_OTHERS	1000u
#define ROUNDS		24

static const char *const columns[] = {
	"what", "others", "instructions", "median", NULL
};

static const uint32_t numbers[] = { 1, 64, 1024 };

/* Others, a page each, behind the region with the doorbells. */
static void create_others(struct bench *bench)
{
	static struct mregion_op ops[3 * REGIONS];
	uint32_t i, id, nr = 0;
	int err;

	for (i = 0; i < REGIONS - 1; i++) {
		id = ID_OTHERS + i;
		ops[nr++] = mr_mmio(id, BENCH_MMIO_LEN);
		ops[nr] = mr_op(MREGION_OP_RULE_ADD, id);
		ops[nr].rule = (struct mregion_rule){
			.kind = MREGION_RULE_DOORBELL,
			.len = 4,
			.eventfd = bench->eventfd,
		};
		nr++;
		ops[nr++] = mr_map(id, 1, BENCH_MMIO +
				   (16 + i) * BENCH_MMIO_STEP, 0);
	}
	err = mr_commit(bench->machine, ops, nr);
	if (err)
		die("MREGION_COMMIT: %s", strerror(-err));
}

static void change(struct bench *bench, bool add)
{
	struct mregion_op op;
	int err;

	if (bench->answer == ANSWER_KVM_AMONG) {
		bench_add_kvm_ioeventfd(bench, bench->nr, add);
		return;
	}
	op = bench_among_op(bench, bench->nr, add);
	err = mr_commit(bench->machine, &op, 1);
	if (err)
		die("MREGION_COMMIT: %s", strerror(-err));
}

static void report(const char *what, uint32_t nr, double values[ROUNDS])
{
	struct bench_sample sample;

	bench_sort(values, ROUNDS, &sample);
	output_text(what);
	output_number(nr, 0);
	output_number(sample.least, 0);
	output_number(sample.median, 0);
}

static void measure(enum answer answer, uint32_t nr)
{
	bool kvm = answer == ANSWER_KVM_AMONG;
	double values[2][ROUNDS];
	struct bench bench;
	uint64_t begin;
	unsigned int i, add;

	bench_open(&bench, answer, false, nr);
	if (!kvm)
		create_others(&bench);
	for (i = 0; i < ROUNDS; i++) {
		for (add = 2; add--; ) {
			begin = bench_now();
			change(&bench, add);
			values[add][i] = bench_now() - begin;
		}
	}
	report(kvm ? "add KVM's ioeventfd" : "add a doorbell", nr, values[1]);
	report(kvm ? "delete KVM's ioeventfd" : "delete a doorbell", nr,
	       values[0]);
	bench_close(&bench);
}

void bench_doorbells(void)
{
	unsigned int i;

	bench_keep_vm();
	output_part("doorbells",
		    "Instructions for adding or deleting a doorbell among others",
		    columns);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		measure(ANSWER_KVM_AMONG, numbers[i]);
		measure(ANSWER_AMONG, numbers[i]);
	}
}
