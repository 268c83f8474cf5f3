/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine that one thread changes at random and compares with its model after
 * each change, while others access it.
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include "fuzz_ops.h"
#include "fuzz_server.h"

#define MAX_OPS		100
#define MAX_RANGES	1024

/* How often what happened, over all machines. */
struct fuzz_counts {
	uint64_t done[MREGION_OP_SET_SERVER + 1];	/* by operation */
	uint64_t refused[MREGION_OP_SET_SERVER + 1];
	uint64_t outcomes[16];		/* of accesses by ioctl */
	uint64_t parts[16];		/* of all, as machines have counted */
	uint64_t commits, dry_runs, failed_commits;
	uint64_t attached, detached, conflicts;
	uint64_t injected;
	uint64_t lost;			/* descriptors that were not told */
};

struct machine {
	pthread_t thread;
	pthread_mutex_t lock;		/* of @fd, for those who dup it */
	int fd;
	struct prng prng;
	struct place place;
	struct inject inject;
	struct model model, next;
	struct resources resources;
	struct mr_ring rings[MAX_OBJECT + 1];
	struct mr_ring freed;		/* nothing is appended to it any more */
	uint32_t freed_producer;
	struct mr_shadow shadows[MAX_OBJECT + 1];
	struct fuzz_server *servers[MAX_OBJECT + 1];
	struct fuzz_vm *vms;
	bool failures;			/* its thread lets things fail */
	unsigned int steps;
	struct fuzz_counts counts;
};

static inline int machine_dup(struct machine *machine)
{
	int fd;

	pthread_mutex_lock(&machine->lock);
	fd = machine->fd < 0 ? -1 : fcntl(machine->fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&machine->lock);
	return fd;
}

/* ---- Reading it back --------------------------------------------------- */

/*
 * What is so of every view: sorted, disjoint, within the bus, of regions that
 * have something of their own. @model: if nobody changes the machine meanwhile.
 */
static inline void check_view(struct place *place, int fd, uint32_t space,
			      const struct model *model)
{
	struct mregion_range *range, *ranges;
	struct mregion_view_read view = {
		.size = sizeof(view),
		.space = space,
		.nr = MAX_RANGES,
		.range_size = sizeof(*range),
	};
	const struct model_region *region;
	uint32_t i;
	int err;

	ranges = calloc(MAX_RANGES, sizeof(*ranges));
	if (!ranges)
		return;			/* what can fail, does */
	view.ranges = (uintptr_t)ranges;
	err = mr_ioctl(fd, MREGION_VIEW_READ, &view);
	if (err) {
		FUZZ_CHECK(place, !model && (err == -ENOENT ||
				     may_be_injected(err)),
			   "view %u: error %d", space, err);
		view.nr = 0;
	}
	for (i = 0; i < view.nr && i < MAX_RANGES; i++) {
		range = &ranges[i];
		FUZZ_CHECK(place, range->last >= range->start &&
			   (!i || range->start > ranges[i - 1].last) &&
			   (view.bus == MREGION_BUS_MEMORY ||
			    range->last <= 0xffff),
			   "view %u: range %u is %#llx-%#llx", space, i,
			   range->start, range->last);
		FUZZ_CHECK(place, range->region && range->region <= MAX_REGION &&
			   range->kind != MREGION_CONTAINER &&
			   range->kind != MREGION_ALIAS && !range->reserved,
			   "view %u: range %u is of region %u, kind %u", space,
			   i, range->region, range->kind);
		if (!model || range->region > MAX_REGION)
			continue;
		region = &model->regions[range->region];
		FUZZ_CHECK(place, region->kind == range->kind &&
			   range->offset + (range->last - range->start) <=
			   region->len - 1,
			   "view %u: range %u is %u+%#llx of kind %u", space, i,
			   range->region, range->offset, range->kind);
	}
	free(ranges);
}

/* Regions, spaces and views; no counters, since others make accesses. */
static inline int machine_snapshot(int fd, struct mr_snapshot *snapshot)
{
	static __thread struct mregion_region_info regions[MAX_REGION];
	static __thread struct mregion_space_info spaces[MAX_SPACE];
	int i, nr_regions = mr_regions(fd, 0, regions, MAX_REGION);
	int nr_spaces = mr_spaces(fd, 0, spaces, MAX_SPACE), err = 0;

	snapshot->data = NULL;
	snapshot->len = 0;
	if (nr_regions < 0 || nr_spaces < 0)
		return nr_regions < 0 ? nr_regions : nr_spaces;
	for (i = 0; i < nr_spaces; i++)
		spaces[i].nr_vms = 0;
	mr_snapshot_add(snapshot, &nr_regions, sizeof(nr_regions));
	mr_snapshot_add(snapshot, regions, nr_regions * sizeof(regions[0]));
	mr_snapshot_add(snapshot, spaces, nr_spaces * sizeof(spaces[0]));
	for (i = 0; i < nr_spaces && !err; i++)
		err = mr_snapshot_view(fd, spaces[i].id, snapshot);
	return err;
}

static inline bool region_is(const struct mregion_region_info *info,
			     const struct model_region *region)
{
	return info->kind == region->kind && info->flags == region->flags &&
	       info->parent == region->parent && info->len == region->len &&
	       info->offset == region->offset &&
	       info->priority == region->priority &&
	       info->target == region->target &&
	       info->target_offset == region->target_offset &&
	       info->backing == region->backing &&
	       info->nr_rules == region->nr_rules &&
	       info->server == region->server &&
	       !memcmp(&info->constraints, &region->constraints,
		       sizeof(info->constraints));
}

/* Whether the machine is what the model says. */
static inline void check_machine(struct machine *machine)
{
	static __thread struct mregion_region_info regions[MAX_REGION];
	static __thread struct mregion_space_info spaces[MAX_SPACE];
	struct model *model = &machine->model;
	struct place *place = &machine->place;
	int nr, i = 0;
	uint32_t id;

	nr = mr_regions(machine->fd, 0, regions, MAX_REGION);
	FUZZ_CHECK(place, nr == (int)model_nr_regions(model),
		   "%d regions, not %u", nr, model_nr_regions(model));
	for (id = 1; id <= MAX_REGION; id++) {
		if (!model->regions[id].kind)
			continue;
		FUZZ_CHECK(place, i < nr && regions[i].id == id &&
			   region_is(&regions[i], &model->regions[id]),
			   "region %u is not what it was made", id);
		i++;
	}
	nr = mr_spaces(machine->fd, 0, spaces, MAX_SPACE);
	for (id = 1, i = 0; id <= MAX_SPACE; id++) {
		if (!model->spaces[id].root)
			continue;
		FUZZ_CHECK(place, i < nr && spaces[i].id == id &&
			   spaces[i].root == model->spaces[id].root &&
			   spaces[i].bus == model->spaces[id].bus &&
			   spaces[i].unassigned == model->spaces[id].unassigned,
			   "space %u is not what it was made", id);
		check_view(place, machine->fd, id, model);
		i++;
	}
	FUZZ_CHECK(place, nr == i, "%d spaces, not %d", nr, i);
}

/* ---- Commits ----------------------------------------------------------- */

static inline bool commit_result_right(const struct machine *machine,
				       const struct verdict *verdicts,
				       uint32_t nr, uint32_t failed, int err)
{
	uint32_t i;

	for (i = 0; i < nr && (!err || i != failed); i++) {
		/* Where copies to userspace fail, it is not told which. */
		if (err && failed > nr && verdict_has(&verdicts[i], err))
			return true;
		if (verdicts[i].fails)
			return false;
	}
	if (!err)
		return true;
	return i < nr ? verdict_has(&verdicts[i], err) :
			commit_may_return(&machine->next, err);
}

static inline void tell_commit(struct machine *machine,
			       const struct mregion_op *ops,
			       const struct verdict *verdicts, uint32_t nr,
			       uint32_t failed, int err)
{
	uint32_t i;

	fuzz_wrong(&machine->place, "error %d at %u of %u operations", err,
		   failed, nr);
	for (i = 0; i < nr && i <= failed; i++)
		fprintf(stderr, "#  %u: operation %u on %u, may be %d%s\n", i,
			ops[i].code, ops[i].id,
			verdicts[i].nr ? verdicts[i].errs[0] : 0,
			verdicts[i].fails ? ", must be" : "");
}

/* Carry out operations whose effect is in machine->next. */
static inline int machine_commit(struct machine *machine,
				 const struct mregion_op *ops,
				 const struct verdict *verdicts, uint32_t nr,
				 uint32_t flags)
{
	struct fuzz_counts *counts = &machine->counts;
	struct mr_snapshot before, after;
	uint32_t failed = nr, i;
	bool failures;
	int err;

	machine_snapshot(machine->fd, &before);
	inject_begin(&machine->inject, &machine->prng, 4);
	err = mr_commit_flags(machine->fd, ops, nr, flags, &failed);
	failures = inject_end(&machine->inject);

	if (!(failures && injected(err)) &&
	    ((!failures && failed > nr) ||
	     !commit_result_right(machine, verdicts, nr, failed, err)))
		tell_commit(machine, ops, verdicts, nr, failed, err);
	for (i = 0; i < nr && !err; i++)
		counts->done[ops[i].code]++;
	if (err && failed < nr)
		counts->refused[ops[failed].code]++;
	if (err || flags) {
		counts->failed_commits += !!err;
		counts->dry_runs += !err;
		FUZZ_CHECK(&machine->place,
			   !machine_snapshot(machine->fd, &after) &&
			   mr_snapshot_equal(&before, &after),
			   "changed by a commit that %s",
			   err ? "failed" : "was a dry run");
		mr_snapshot_free(&after);
	} else {
		counts->commits++;
		machine->model = machine->next;
		check_machine(machine);
	}
	mr_snapshot_free(&before);
	return err;
}

static inline void random_commit(struct machine *machine)
{
	static __thread struct mregion_op ops[MAX_OPS];
	static __thread struct verdict verdicts[MAX_OPS];
	struct prng *prng = &machine->prng;
	uint32_t i, nr = 1 + below(prng, one_in(prng, 20) ? MAX_OPS : 5);
	uint32_t flags = one_in(prng, 10) ? MREGION_COMMIT_DRY_RUN : 0;

	machine->next = machine->model;
	for (i = 0; i < nr; i++) {
		ops[i] = random_op(prng, &machine->next, &machine->resources);
		model_apply(&machine->next, &ops[i], &verdicts[i]);
		/* Long ones would never succeed by chance alone. */
		if (verdicts[i].fails && nr > 5 && !one_in(prng, 2 * nr)) {
			i--;
			nr--;
		}
	}
	machine_commit(machine, ops, verdicts, nr, flags);
}

/* ---- Accesses ---------------------------------------------------------- */

/*
 * The one place where the fuzzer makes an access by ioctl, of nobody's: which
 * vCPU made it is not told.
 */
static inline int make_access(struct place *place, int fd, uint32_t space,
			      uint64_t addr, uint32_t len, uint32_t flags,
			      uint64_t data, struct fuzz_counts *counts)
{
	struct mregion_access access;
	int err = mr_access(fd, space, addr, len, flags, data, &access);

	if (err) {
		FUZZ_CHECK(place, err == -ENOENT || err == -EINVAL ||
			   err == -EINTR || may_be_injected(err),
			   "access of %u@%#llx: error %d", len,
			   (unsigned long long)addr, err);
		return err;
	}
	if (FUZZ_CHECK(place, access.outcome <= MREGION_OUTCOME_SERVER_EXIT &&
		       access.handled <= 1 && access.part &&
		       access.part <= len &&
		       (access.part == len || flags & MREGION_ACCESS_PART),
		       "access of %u@%#llx: outcome %u, handled %u, part %u",
		       len, (unsigned long long)addr, access.outcome,
		       access.handled, access.part))
		counts->outcomes[access.outcome]++;
	if (!(flags & MREGION_ACCESS_WRITE) && access.handled)
		FUZZ_CHECK(place, access.part == 8 ||
			   !(access.data >> 8 * access.part),
			   "read of %u@%#llx: %#llx", len,
			   (unsigned long long)addr, access.data);
	return access.handled;
}

/* Where a space has something. */
struct hot {
	struct mregion_range ranges[16];
	int nr;
};

static inline void hot_read(struct hot *hot, int fd, uint32_t space)
{
	hot->nr = mr_view(fd, space, hot->ranges, 16, NULL);
	if (hot->nr > 16)
		hot->nr = 16;
}

/* Often there. */
static inline uint64_t hot_addr(const struct hot *hot, struct prng *prng,
				bool pio)
{
	uint64_t addr;

	if (hot->nr <= 0 || one_in(prng, 3))
		return random_addr(prng, pio);
	addr = hot->ranges[below(prng, hot->nr)].start +
	       8 * below(prng, one_in(prng, 2) ? 4 : 24);
	return one_in(prng, 6) ? addr + below(prng, 8) : addr;
}

static inline void random_accesses(struct prng *prng, struct place *place,
				   int fd, struct fuzz_counts *counts)
{
	uint32_t space = 1 + below(prng, one_in(prng, 3) ? MAX_SPACE : 2);
	struct hot hot;
	uint64_t addr;
	unsigned int i;

	hot_read(&hot, fd, space);
	for (i = 0; i < 12; i++) {
		addr = hot_addr(&hot, prng, space % 2 == 0);
		if (one_in(prng, 100))
			addr = ~0ull - below(prng, 8);
		make_access(place, fd, space, addr,
			    one_in(prng, 4) ? 1 + below(prng, 8) :
					      1u << below(prng, 4),
			    below(prng, 4), below(prng, 4), counts);
	}
}

/* All that reads a machine, while it may be changed. */
static inline void random_reads(struct prng *prng, struct place *place, int fd)
{
	uint32_t space = 1 + below(prng, MAX_SPACE);
	static __thread struct mregion_region_info regions[8];
	struct mregion_space_info spaces[2];
	struct mregion_translate translate;
	struct mregion_stats stats;
	uint64_t addr;
	int err;

	check_view(place, fd, space, NULL);
	addr = random_addr(prng, space % 2 == 0);
	err = mr_translate(fd, space, addr, 1 + below(prng, 0x2000),
			   &translate);
	FUZZ_CHECK(place, !err || err == -ENOENT || err == -EINVAL ||
		   may_be_injected(err), "translate: error %d", err);
	if (!err)
		FUZZ_CHECK(place, translate.range.start == addr &&
			   translate.range.last >= addr &&
			   translate.range.last - addr < 0x2000,
			   "translation of %#llx is %#llx-%#llx",
			   (unsigned long long)addr, translate.range.start,
			   translate.range.last);
	err = mr_regions(fd, below(prng, MAX_REGION), regions, 8);
	FUZZ_CHECK(place, err >= 0 || may_be_injected(err),
		   "regions: error %d", err);
	err = mr_spaces(fd, below(prng, MAX_SPACE), spaces, 2);
	FUZZ_CHECK(place, err >= 0 || may_be_injected(err),
		   "spaces: error %d", err);
	err = mr_stats(fd, below(prng, 5), below(prng, 8), &stats);
	FUZZ_CHECK(place, !err || err == -ENOENT || err == -EINVAL ||
		   may_be_injected(err), "counters: error %d", err);
}

#endif /* FUZZ_MACHINE_H */
