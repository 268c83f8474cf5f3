/* SPDX-License-Identifier: GPL-2.0 */
/* Who answers the accesses that are measured. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/mregion.h>

#include "../kvm_util.h"

/*
 * Where regions are: one a page of guest-physical addresses, so that each is
 * another page to KVM too, with a hole behind it; ports have no room for holes.
 */
#define BENCH_MMIO	0x40000000ull
#define BENCH_MMIO_STEP	0x1000u
#define BENCH_MMIO_LEN	0x800u
#define BENCH_PIO	0x1000ull
#define BENCH_PIO_STEP	4u
#define BENCH_PIO_LEN	4u
/* Doorbells among others of their region are this far apart. */
#define BENCH_AMONG_STEP	4u

/* What is written. */
#define BENCH_DATA	0x12345678u

enum answer {
	ANSWER_FLOOR,		/* a device in the kernel that does nothing */
	ANSWER_SIGNAL,		/* one that does nothing but signal an eventfd */
	ANSWER_VMM,		/* a VMM that does nothing */
	ANSWER_KVM_RING,
	ANSWER_KVM_IOEVENTFD,
	ANSWER_KVM_ANY_LEN,	/* by the fast way where the host has one */
	ANSWER_KVM_DATAMATCH,
	ANSWER_KVM_AMONG,	/* the last of @nr ioeventfds */
	ANSWER_KVM_AMONG_DATAMATCH,
	ANSWER_KVM_AMONG_ANY_LEN,
	ANSWER_COALESCE,
	ANSWER_DOORBELL,
	ANSWER_ANY_LEN,
	ANSWER_FAST,		/* the same, by the fast way where there is one */
	ANSWER_DATAMATCH,
	ANSWER_STORE,
	ANSWER_AMONG,		/* the last of @nr doorbells of one region */
	ANSWER_AMONG_DATAMATCH,
	ANSWER_AMONG_FAST,
	ANSWER_SHADOW,
	ANSWER_INDEXED,		/* a shadow whose place an index selects */
	ANSWER_RANGES,		/* one of several of these, by the index's range */
	ANSWER_REFUSED,
	ANSWER_UNASSIGNED,
	ANSWER_EXIT,		/* a VMM, through regions without a rule */
};

/**
 * struct bench - a virtual machine with somebody who answers its accesses
 * @vm: the virtual machine
 * @answer: who
 * @pio: whether accesses are to ports
 * @nr: how many regions there are; where the last of several doorbells answers, how
 *	many there are of those, in one region
 * @machine: descriptor of the regions' machine, or -1
 * @eventfd: what is signalled, or -1
 * @ring: where coalesced writes land, if @ring.header
 * @kvm_ring: the same, of KVM's
 */
struct bench {
	struct vm vm;
	enum answer answer;
	bool pio;
	uint32_t nr;
	int machine;
	int eventfd;
	struct mr_ring ring;
	struct kvm_coalesced_mmio_ring *kvm_ring;
};

void bench_add_kvm_ioeventfd(struct bench *bench, uint32_t i, bool add);
struct mregion_op bench_among_op(const struct bench *bench, uint32_t i,
				 bool add);
void bench_open(struct bench *bench, enum answer answer, bool pio, uint32_t nr);
void bench_drain(struct bench *bench);
void bench_check(struct bench *bench, uint64_t nr_accesses);
void bench_close(struct bench *bench);

/* Whether one of several in the same region answers. */
static inline bool bench_among(enum answer answer)
{
	return answer == ANSWER_KVM_AMONG || answer == ANSWER_AMONG ||
	       answer == ANSWER_KVM_AMONG_DATAMATCH ||
	       answer == ANSWER_AMONG_DATAMATCH ||
	       answer == ANSWER_KVM_AMONG_ANY_LEN ||
	       answer == ANSWER_AMONG_FAST;
}

/* Whether those are told apart by what is written, and not by where. */
static inline bool bench_by_value(enum answer answer)
{
	return answer == ANSWER_AMONG_DATAMATCH ||
	       answer == ANSWER_KVM_AMONG_DATAMATCH;
}

/* Address of a region, or of the hole behind it. */
static inline uint64_t bench_addr(const struct bench *bench, uint32_t i)
{
	if (bench_among(bench->answer))
		return BENCH_MMIO + (bench_by_value(bench->answer) ? 0 :
				     (uint64_t)i * BENCH_AMONG_STEP);
	if (bench->pio)
		return BENCH_PIO + (uint64_t)i * BENCH_PIO_STEP;
	return BENCH_MMIO + (uint64_t)i * BENCH_MMIO_STEP +
	       (bench->answer == ANSWER_UNASSIGNED ? BENCH_MMIO_LEN : 0);
}

/* Whether each access reaches the VMM. */
static inline bool bench_exits(const struct bench *bench)
{
	return bench->answer == ANSWER_VMM || bench->answer == ANSWER_EXIT;
}

#endif /* ANSWER_H */
