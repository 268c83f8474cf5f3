// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "answer.h"
#include "bench.h"
#include "floor/floor.h"

#define ID_SPACE	1
#define ID_ROOT		1
#define ID_FIRST	2		/* of the regions */
#define ID_RING		1
#define ID_SHADOW	1
#define RING_ENTRIES	1024
#define RULES_LEN	4		/* part of a region that its rule is for */
#define NR_RANGES	16u		/* of an index, each of INDEX_RANGE */
#define INDEX_RANGE	0x10u
#define INDEX_AT	0x800u		/* in the shadow memory */

/* KVM_COALESCED_MMIO_MAX is in terms of it. */
#define PAGE_SIZE	4096

static void must(int err, const char *what)
{
	if (err < 0)
		die("%s: %s", what, strerror(-err));
}

/*
 * Keep a virtual machine for all of the time: as the last one goes, KVM patches
 * the kernel's code, and some emulators go on executing the old code.
 */
void bench_keep_vm(void)
{
	static struct vm kept;

	if (!kept.nr_vcpus)
		must(vm_create(&kept, 1), "creating a virtual machine");
}

static void open_floor(struct bench *bench)
{
	struct floor_claim claim = {
		.addr = bench_addr(bench, 0),
		.len = bench_addr(bench, bench->nr) - bench_addr(bench, 0),
		.bus = bench->pio,
		.vm_fd = bench->vm.fd,
		.eventfd = bench->answer == ANSWER_SIGNAL ? bench->eventfd : -1,
	};
	int fd = open("/dev/mregion-floor", O_RDWR | O_CLOEXEC);

	must(fd < 0 ? -errno : 0, "/dev/mregion-floor");
	must(mr_ioctl(fd, FLOOR_CLAIM, &claim), "FLOOR_CLAIM");
	close(fd);
}

/* KVM's ring, with one zone in the place of the middle region. */
static void open_kvm_ring(struct bench *bench)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = bench_addr(bench, bench->nr / 2),
		.size = bench->pio ? BENCH_PIO_LEN : BENCH_MMIO_LEN,
		.pio = bench->pio,
	};
	int offset = ioctl(bench->vm.fd, KVM_CHECK_EXTENSION,
			   KVM_CAP_COALESCED_MMIO);

	if (offset <= 0)
		die("KVM has no coalesced MMIO");
	must(mr_ioctl(bench->vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone),
	     "KVM_REGISTER_COALESCED_MMIO");
	bench->kvm_ring = (void *)((char *)bench->vm.vcpus[0].run +
				   offset * PAGE_SIZE);
	bench_drain(bench);
}

static void open_kvm_ioeventfd(struct bench *bench)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = bench_addr(bench, bench->nr / 2),
		.len = bench->answer == ANSWER_KVM_ANY_LEN ? 0 : 4,
		.datamatch = BENCH_DATA,
		.fd = bench->eventfd,
	};

	if (bench->answer == ANSWER_KVM_DATAMATCH)
		ioeventfd.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	if (bench->pio)
		ioeventfd.flags |= KVM_IOEVENTFD_FLAG_PIO;
	must(mr_ioctl(bench->vm.fd, KVM_IOEVENTFD, &ioeventfd),
	     "KVM_IOEVENTFD");
}

/*
 * KVM's ioeventfd @i of those that are told apart by address or by value. The last one
 * is for BENCH_DATA.
 */
void bench_add_kvm_ioeventfd(struct bench *bench, uint32_t i, bool add)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = bench_addr(bench, i),
		.len = bench->answer == ANSWER_KVM_AMONG_ANY_LEN ? 0 : 4,
		.fd = bench->eventfd,
	};

	if (bench_by_value(bench->answer)) {
		ioeventfd.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
		ioeventfd.datamatch = BENCH_DATA - (bench->nr - 1) + i;
	}
	if (!add)
		ioeventfd.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	must(mr_ioctl(bench->vm.fd, KVM_IOEVENTFD, &ioeventfd),
	     "KVM_IOEVENTFD");
}

/* The same of a doorbell. */
struct mregion_op bench_among_op(const struct bench *bench, uint32_t i,
				 bool add)
{
	struct mregion_op op = mr_op(add ? MREGION_OP_RULE_ADD :
					   MREGION_OP_RULE_DEL, ID_FIRST);

	op.rule.kind = MREGION_RULE_DOORBELL;
	op.rule.offset = bench_addr(bench, i) - BENCH_MMIO;
	op.rule.len = 4;
	op.rule.access_len = 4;
	op.rule.eventfd = bench->eventfd;
	if (bench->answer == ANSWER_AMONG_FAST) {
		op.rule.flags = MREGION_RULE_ANY_LEN | MREGION_RULE_FAST;
		op.rule.len = 1;
		op.rule.access_len = 0;
	}
	if (bench_by_value(bench->answer)) {
		op.rule.flags = MREGION_RULE_DATAMATCH;
		op.rule.datamatch = BENCH_DATA - (bench->nr - 1) + i;
	}
	return op;
}

static void open_kvm_among(struct bench *bench)
{
	uint32_t i;

	for (i = 0; i < bench->nr; i++)
		bench_add_kvm_ioeventfd(bench, i, true);
}

/* The rule of every region, or none. */
static bool bench_rule(const struct bench *bench, struct mregion_rule *rule)
{
	*rule = (struct mregion_rule) { .len = RULES_LEN };
	switch (bench->answer) {
	case ANSWER_COALESCE:
		rule->kind = MREGION_RULE_COALESCE;
		rule->ring = ID_RING;
		return true;
	case ANSWER_STORE:
		rule->flags |= MREGION_RULE_STORE;
		rule->shadow = ID_SHADOW;
		__attribute__((fallthrough));
	case ANSWER_DATAMATCH:
	case ANSWER_DOORBELL:
	case ANSWER_ANY_LEN:
	case ANSWER_FAST:
		rule->kind = MREGION_RULE_DOORBELL;
		rule->eventfd = bench->eventfd;
		if (bench->answer == ANSWER_DATAMATCH) {
			rule->flags |= MREGION_RULE_DATAMATCH;
			rule->datamatch = BENCH_DATA;
			rule->access_len = 4;
		}
		if (bench->answer == ANSWER_ANY_LEN ||
		    bench->answer == ANSWER_FAST) {
			rule->flags |= MREGION_RULE_ANY_LEN;
			rule->len = 1;
		}
		if (bench->answer == ANSWER_FAST)
			rule->flags |= MREGION_RULE_FAST;
		return true;
	case ANSWER_SHADOW:
		rule->kind = MREGION_RULE_SHADOW;
		rule->flags = MREGION_RULE_READ | MREGION_RULE_WRITE;
		rule->shadow = ID_SHADOW;
		return true;
	case ANSWER_INDEXED:
	case ANSWER_RANGES:
		rule->kind = MREGION_RULE_SHADOW;
		rule->flags = MREGION_RULE_READ | MREGION_RULE_INDEXED;
		rule->shadow = ID_SHADOW;
		rule->index = (struct mregion_index) {
			.shadow = ID_SHADOW, .len = 4, .offset = INDEX_AT,
			.bits = 0x80fffffc, .select = 0xfc,
			.last = (bench->answer == ANSWER_INDEXED ?
				 NR_RANGES : 1) * INDEX_RANGE - 4,
		};
		return true;
	default:
		return false;
	}
}

static void create_shadow(struct bench *bench)
{
	uint32_t index = bench->answer == ANSWER_RANGES ?
			 (NR_RANGES - 1) * INDEX_RANGE : 0;
	struct mregion_shadow_create shadow = {
		.size = sizeof(shadow),
		.id = ID_SHADOW,
		.len = PAGE_SIZE,
	};
	char *memory;

	must(mr_ioctl(bench->machine, MREGION_SHADOW_CREATE, &shadow),
	     "MREGION_SHADOW_CREATE");
	memory = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      shadow.fd, 0);
	must(memory == MAP_FAILED ? -errno : 0, "mapping shadow memory");
	memcpy(memory + INDEX_AT, &index, sizeof(index));
	munmap(memory, PAGE_SIZE);
	close(shadow.fd);
}

/* The rules of the ranges behind the first one. */
static uint32_t add_ranges(struct mregion_op *ops, uint32_t region,
			   struct mregion_rule rule)
{
	uint32_t i;

	for (i = 0; i < NR_RANGES - 1; i++) {
		rule.index.first += INDEX_RANGE;
		rule.index.last += INDEX_RANGE;
		ops[i] = mr_op(MREGION_OP_RULE_ADD, region);
		ops[i].rule = rule;
	}
	return i;
}

static void create_regions(struct bench *bench)
{
	struct mregion_op *ops = calloc((2 + NR_RANGES) * bench->nr + 2,
					sizeof(*ops));
	uint32_t policy = bench->answer == ANSWER_UNASSIGNED ?
			  MREGION_POLICY_ONES : MREGION_POLICY_DEFAULT;
	struct mregion_rule rule;
	uint32_t i, nr = 0;

	if (!ops)
		die("out of memory");
	ops[nr++] = mr_container(ID_ROOT, bench->pio ? 0x10000 : 0);
	for (i = 0; i < bench->nr; i++) {
		struct mregion_op *op = &ops[nr];

		ops[nr++] = mr_mmio(ID_FIRST + i, bench->pio ? BENCH_PIO_LEN :
						  BENCH_MMIO_LEN);
		if (bench->answer == ANSWER_REFUSED) {
			op->create.constraints.valid_min = 8;
			op->create.constraints.valid_max = 8;
		}
		if (bench_rule(bench, &rule)) {
			ops[nr] = mr_op(MREGION_OP_RULE_ADD, ID_FIRST + i);
			ops[nr++].rule = rule;
			if (bench->answer == ANSWER_RANGES)
				nr += add_ranges(&ops[nr], ID_FIRST + i, rule);
		}
		ops[nr++] = mr_map(ID_FIRST + i, ID_ROOT, bench->pio ?
				   bench_addr(bench, i) :
				   BENCH_MMIO + (uint64_t)i * BENCH_MMIO_STEP,
				   0);
	}
	ops[nr++] = mr_space_op(MREGION_OP_SPACE_CREATE, ID_SPACE, ID_ROOT,
				bench->pio ? MREGION_BUS_PIO :
				MREGION_BUS_MEMORY, policy);
	must(mr_commit(bench->machine, ops, nr), "MREGION_COMMIT");
	free(ops);
}

/* One region with all of the doorbells, and room for as many again. */
static void create_among(struct bench *bench)
{
	struct mregion_op *ops = calloc(bench->nr + 4, sizeof(*ops));
	uint32_t i, nr = 0;

	if (!ops)
		die("out of memory");
	ops[nr++] = mr_container(ID_ROOT, 0);
	ops[nr++] = mr_mmio(ID_FIRST, 2ull * bench->nr * BENCH_AMONG_STEP);
	ops[nr++] = mr_map(ID_FIRST, ID_ROOT, BENCH_MMIO, 0);
	for (i = 0; i < bench->nr; i++)
		ops[nr++] = bench_among_op(bench, i, true);
	ops[nr++] = mr_space_op(MREGION_OP_SPACE_CREATE, ID_SPACE, ID_ROOT,
				MREGION_BUS_MEMORY, MREGION_POLICY_DEFAULT);
	must(mr_commit(bench->machine, ops, nr), "MREGION_COMMIT");
	free(ops);
}

static void open_regions(struct bench *bench)
{
	uint32_t expected = bench_among(bench->answer) ? 1 : bench->nr;
	int nr;

	bench->machine = mr_open();
	must(bench->machine, MR_DEVICE);
	must(mr_ring_create(bench->machine, ID_RING, RING_ENTRIES, -1, 0, 0,
			    &bench->ring), "MREGION_RING_CREATE");
	create_shadow(bench);
	if (bench_among(bench->answer))
		create_among(bench);
	else
		create_regions(bench);
	must(mr_attach(bench->machine, bench->vm.fd, bench->pio ? 0 : ID_SPACE,
		       bench->pio ? ID_SPACE : 0, NULL), "MREGION_ATTACH");
	nr = mr_view(bench->machine, ID_SPACE, NULL, 0, NULL);
	if (nr != (int)expected)
		die("the view has %d ranges instead of %u", nr, expected);
}

/* Make a virtual machine and @nr regions, and let @answer answer for them. */
void bench_open(struct bench *bench, enum answer answer, bool pio, uint32_t nr)
{
	memset(bench, 0, sizeof(*bench));
	bench->answer = answer;
	bench->pio = pio;
	bench->nr = nr;
	bench->machine = -1;
	must(vm_create(&bench->vm, 1), "creating a virtual machine");
	bench->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(bench->eventfd, "eventfd");
	switch (answer) {
	case ANSWER_VMM:
		break;
	case ANSWER_FLOOR:
	case ANSWER_SIGNAL:
		open_floor(bench);
		break;
	case ANSWER_KVM_RING:
		open_kvm_ring(bench);
		break;
	case ANSWER_KVM_IOEVENTFD:
	case ANSWER_KVM_ANY_LEN:
	case ANSWER_KVM_DATAMATCH:
		open_kvm_ioeventfd(bench);
		break;
	case ANSWER_KVM_AMONG:
	case ANSWER_KVM_AMONG_DATAMATCH:
	case ANSWER_KVM_AMONG_ANY_LEN:
		open_kvm_among(bench);
		break;
	default:
		open_regions(bench);
	}
}

/* Make room in the rings. */
void bench_drain(struct bench *bench)
{
	if (bench->ring.header)
		__atomic_store_n(&bench->ring.header->consumer,
				 bench->ring.header->producer,
				 __ATOMIC_RELEASE);
	/*
	 * KVM computes the room as (first - last - 1) % 170 in 32 bits, which
	 * is 84 too little where the difference is negative. So begin where it
	 * is not for the longest time.
	 */
	if (bench->kvm_ring)
		bench->kvm_ring->first = bench->kvm_ring->last =
			KVM_COALESCED_MMIO_MAX - 1;
}

/* End with an error unless all accesses took the way that was to be measured. */
void bench_check(struct bench *bench, uint64_t nr_accesses)
{
	static const int outcomes[] = {
		[ANSWER_COALESCE] = MREGION_OUTCOME_COALESCED,
		[ANSWER_DOORBELL] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_ANY_LEN] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_FAST] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_DATAMATCH] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_STORE] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_AMONG] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_AMONG_DATAMATCH] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_AMONG_FAST] = MREGION_OUTCOME_DOORBELL,
		[ANSWER_SHADOW] = MREGION_OUTCOME_SHADOW,
		[ANSWER_INDEXED] = MREGION_OUTCOME_SHADOW,
		[ANSWER_RANGES] = MREGION_OUTCOME_SHADOW,
		[ANSWER_REFUSED] = MREGION_OUTCOME_REFUSED,
		[ANSWER_UNASSIGNED] = MREGION_OUTCOME_UNASSIGNED,
		[ANSWER_EXIT] = MREGION_OUTCOME_EXIT,
	};
	struct mregion_stats stats;
	uint64_t signals, count;

	if (bench->answer >= ANSWER_COALESCE) {
		must(mr_stats(bench->machine, MREGION_OBJECT_MACHINE, 0,
			      &stats), "MREGION_STATS");
		count = stats.outcomes[outcomes[bench->answer]];
		if (count != nr_accesses)
			die("%llu accesses of %llu took another way",
			    (unsigned long long)(nr_accesses - count),
			    (unsigned long long)nr_accesses);
	}
	switch (bench->answer) {
	case ANSWER_SIGNAL:
	case ANSWER_KVM_IOEVENTFD:
	case ANSWER_KVM_ANY_LEN:
	case ANSWER_KVM_DATAMATCH:
	case ANSWER_KVM_AMONG:
	case ANSWER_KVM_AMONG_DATAMATCH:
	case ANSWER_KVM_AMONG_ANY_LEN:
	case ANSWER_DOORBELL:
	case ANSWER_ANY_LEN:
	case ANSWER_FAST:
	case ANSWER_DATAMATCH:
	case ANSWER_STORE:
	case ANSWER_AMONG:
	case ANSWER_AMONG_DATAMATCH:
	case ANSWER_AMONG_FAST:
		if (read(bench->eventfd, &signals, sizeof(signals)) < 0 ||
		    signals != nr_accesses)
			die("the eventfd was not signalled for each access");
		break;
	default:
		break;
	}
}

void bench_close(struct bench *bench)
{
	if (bench->ring.header)
		mr_ring_unmap(&bench->ring);
	if (bench->machine >= 0)
		close(bench->machine);
	close(bench->eventfd);
	vm_free(&bench->vm);
}
