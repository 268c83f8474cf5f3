/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that no kernel knows of, put together by hand, and ioctl() as KVM
 * would answer it.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "space.h"

/* What KVM_SET_USER_MEMORY_REGION was called with, in order. */
#define MAX_CALLS	64
extern struct kvm_userspace_memory_region fixture_calls[MAX_CALLS];
extern size_t fixture_nr_calls;

/* Slot that KVM refuses to set, with EEXIST; -1 for none. */
extern int fixture_bad_slot;

/* Slot that KVM refuses to remove, with an errno; -1 for none. */
extern int fixture_stuck_slot;
extern int fixture_stuck_errno;

/* Answers all other ioctls if it is not NULL: what they return, or minus errno. */
extern int (*fixture_ioctl)(unsigned long request, void *arg);

/*
 * An answer for fixture_ioctl: commits succeed, or fail with fixture_refuse and
 * have fixture_commit look at them if it is not NULL; operations fail alone with
 * fixture_results, if that is not NULL and they may; all views are fixture_view.
 */
extern int fixture_refuse;
extern const int *fixture_results;
extern uint32_t fixture_failed;		/* struct mregion_commit.failed */
extern uint32_t fixture_occupant;
extern void (*fixture_commit)(const struct mregion_commit *commit);
extern const struct mregion_range *fixture_view;
extern size_t fixture_view_nr;
extern unsigned int fixture_nr_commits;
extern unsigned int fixture_nr_changes;	/* how often MREGION_CHANGES was asked */
extern unsigned int fixture_nr_views;	/* and MREGION_VIEW_READ */
int fixture_kernel(unsigned long request, void *arg);

/* The same, which from now on refuses all commits (ENOENT), or none. */
void fixture_refuse_commits(bool refuse);

/* A range of a view. */
#define FIXTURE_RANGE(from, to, off, id, k, f) { \
	.start = from, .last = to, .offset = off, .region = id, .kind = k, \
	.flags = f }

void fixture_init(struct mregion_machine *machine);
void fixture_destroy(struct mregion_machine *machine);

/* A region, in the machine's table. */
struct mregion_region *fixture_region(struct mregion_machine *machine,
				      uint32_t id, uint32_t kind, uint64_t len,
				      const struct mregion_ops *ops,
				      void *opaque);

/* A space with a view of @nr ranges; @space is filled in. */
void fixture_space(struct mregion_machine *machine,
		   struct mregion_space *space, uint32_t bus,
		   const struct mregion_range *ranges, size_t nr);
void fixture_set_view(struct mregion_space *space,
		      const struct mregion_range *ranges, size_t nr);

/* What a commit has changed, for mregion_flat_follow() and those behind it. */
void fixture_changed(struct mregion_space *space,
		     const struct mregion_interval *intervals,
		     size_t nr_intervals, const struct mregion_range *ranges,
		     size_t nr_ranges);
void fixture_space_destroy(struct mregion_space *space);

/* An empty ring, and the kernel's part in it. @nr_entries: at most 128. */
void fixture_ring_memory(struct mregion_ring_memory *memory,
			 uint32_t nr_entries);

/* A ring of the machine's, of FIXTURE_NR_ENTRIES. */
#define FIXTURE_NR_ENTRIES	8
struct mregion_ring *fixture_ring(struct mregion_machine *machine,
				  uint32_t id);

void fixture_append(struct mregion_ring_memory *memory, uint32_t region,
		    uint64_t offset, uint64_t data, unsigned int len);

#endif
