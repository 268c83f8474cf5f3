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
	uint64_t done[MREGION_OP_SHARE + 1];	/* by operation */
	uint64_t refused[MREGION_OP_SHARE + 1];
	uint64_t outcomes[16];		/* of accesses by ioctl */
	uint64_t parts[16];		/* of all, as machines have counted */
	uint64_t commits, dry_runs, failed_commits;
	uint64_t alone;			/* operations that failed alone */
	uint64_t occupied;		/* EXCLUSIVE, and somebody was there */
	uint64_t many_rules;		/* changes beside more than FEW_RULES */
	uint64_t any_len;		/* doorbells for writes of any length */
	uint64_t beyond;		/* devices that take what reaches out */
	uint64_t claims, renewed;	/* lists of what is claimed */
	uint64_t attached, detached, conflicts;
	uint64_t views, handed_out, gone;	/* descriptors, and what they gave */
	uint64_t injected;
	uint64_t lost;			/* descriptors that were not told */
};

static inline void counts_add(struct fuzz_counts *to,
			      const struct fuzz_counts *from)
{
	const uint64_t *number = (const uint64_t *)from;
	uint64_t *sum = (uint64_t *)to;
	unsigned int i;

	for (i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += number[i];
}

/* A thread that goes on until it is told to stop. */
struct worker {
	pthread_t thread;
	struct prng prng;
	struct place place;
	struct inject inject;
	bool failures;			/* it lets things fail */
	bool stop;
	bool done;
	struct fuzz_counts counts;
};

static inline void worker_begin(struct worker *worker)
{
	worker->inject = inject_open(worker->failures);
}

static inline bool worker_goes_on(const struct worker *worker)
{
	return !__atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE);
}

static inline void worker_end(struct worker *worker)
{
	worker->counts.injected += worker->inject.failed;
	inject_close(&worker->inject);
	fuzz_idle(&worker->place);
	__atomic_store_n(&worker->done, true, __ATOMIC_RELEASE);
}

/* Tell it to stop, and wait for that, but not longer than @msecs. */
static inline void worker_ask(struct worker *worker, uint64_t msecs)
{
	uint64_t deadline = mr_now_ms() + msecs;

	__atomic_store_n(&worker->stop, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&worker->done, __ATOMIC_ACQUIRE) &&
	       mr_now_ms() < deadline) {
		pthread_kill(worker->thread, SIGUSR1);
		usleep(1000);
	}
}

/* @run: of the vCPU that it may be in, or NULL. */
static inline void worker_stop(struct worker *worker, struct kvm_run *run)
{
	__atomic_store_n(&worker->stop, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&worker->done, __ATOMIC_ACQUIRE)) {
		if (run)
			run->immediate_exit = 1;
		pthread_kill(worker->thread, SIGUSR1);
		usleep(1000);
	}
	pthread_join(worker->thread, NULL);
}

#define MAX_VIEWS	4

/* A view descriptor of a machine's. */
struct fuzz_view {
	bool open;
	bool gone;			/* so it said, and has to stay */
	int fd;
	uint32_t space;
	uint32_t flags;
	const uint64_t *page;
	uint64_t generation;		/* that it told last */
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
	struct fuzz_view views[MAX_VIEWS];
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

/* A commit, and what became of it as far as userspace is told. */
struct fuzz_commit {
	uint32_t nr;
	struct mregion_op ops[MAX_OPS];
	struct verdict verdicts[MAX_OPS];	/* expected */
	int32_t results[MAX_OPS];
	uint32_t failed;
	uint32_t nr_failed;
	uint32_t occupant;
	int err;
	bool presumed;			/* that is not all told */
};

static inline bool op_may_fail(const struct mregion_op *op)
{
	return op->code & MREGION_OP_MAY_FAIL;
}

static inline void commit_make(struct fuzz_commit *commit, int fd,
			       uint32_t flags)
{
	struct mregion_commit args = {
		.size = sizeof(args),
		.flags = flags,
		.ops = (uintptr_t)commit->ops,
		.nr_ops = commit->nr,
		.op_size = sizeof(commit->ops[0]),
		.failed = ~0u,
		.results = (uintptr_t)commit->results,
		.nr_failed = ~0u,
		.occupant = ~0u,
	};

	memset(commit->results, 0xee, sizeof(commit->results));
	commit->err = mr_ioctl(fd, MREGION_COMMIT, &args);
	commit->failed = args.failed;
	commit->nr_failed = args.nr_failed;
	commit->occupant = args.occupant;
	commit->presumed = false;
}

/* Whether all was told: copies to userspace may fail, too. */
static inline bool commit_told(const struct fuzz_commit *commit)
{
	uint32_t i, nr = 0;

	for (i = 0; i < commit->nr; i++)
		nr += !!commit->results[i];
	return commit->failed <= commit->nr && nr == commit->nr_failed;
}

/*
 * What was not told can only be what was expected: where that may happen, no
 * operation may fail alone that also may succeed.
 */
static inline void commit_presume(struct fuzz_commit *commit)
{
	uint32_t i, end = commit->nr;

	if (commit->failed <= commit->nr)
		end = commit->failed;
	commit->nr_failed = 0;
	for (i = 0; i < commit->nr; i++) {
		bool alone = i < end && commit->verdicts[i].fails &&
			     op_may_fail(&commit->ops[i]);

		commit->results[i] = alone ? commit->verdicts[i].errs[0] : 0;
		commit->nr_failed += alone;
	}
	commit->presumed = true;
	if (!commit->err)
		commit->failed = commit->nr;
}

/* Whether an error that does not say whose it is can be some operation's. */
static inline bool commit_may_fail(const struct machine *machine,
				   const struct fuzz_commit *commit)
{
	const struct verdict *verdict = commit->verdicts;
	uint32_t i;

	for (i = 0; i < commit->nr; i++, verdict++) {
		if (op_may_fail(&commit->ops[i]))
			continue;
		if (verdict_has(verdict, commit->err))
			return true;
		if (verdict->fails)
			return false;
	}
	return commit_may_return(&machine->next, commit->err);
}

/*
 * The operation that @occupant is about: the one that failed the commit, else the
 * first that failed alone.
 */
static inline uint32_t commit_blamed(const struct fuzz_commit *commit)
{
	uint32_t i = 0;

	if (commit->err && commit->failed < commit->nr)
		return commit->failed;
	while (i < commit->nr && !commit->results[i])
		i++;
	return i;
}

/* Whether region @occupant is what was in the way of an operation. */
static inline bool occupant_right(const struct model *model,
				  const struct mregion_op *op, int err,
				  uint32_t occupant)
{
	if ((op->code & ~MREGION_OP_MAY_FAIL) != MREGION_OP_MAP ||
	    err != -EEXIST)
		return !occupant;
	return occupant && occupant <= MAX_REGION &&
	       model_occupies(model, occupant, op->id, &op->map);
}

/*
 * Let the model become what the machine has: what may fail alone is done or not as
 * the results say. Return: whether the commit may have ended so.
 */
static inline bool commit_follow(struct machine *machine,
				 const struct fuzz_commit *commit)
{
	static __thread struct model before;
	uint32_t i, blamed = commit_blamed(commit);
	struct model *next = &machine->next;
	struct verdict verdict;

	*next = machine->model;
	for (i = 0; i < commit->nr; i++) {
		const struct mregion_op *op = &commit->ops[i];
		bool last = commit->err && i == commit->failed;
		int err = last ? commit->err : commit->results[i];

		if (i == blamed && !commit->presumed &&
		    !occupant_right(next, op, err, commit->occupant))
			return false;
		if (err)
			before = *next;
		model_apply(next, op, &verdict);
		if (err ? !verdict_has(&verdict, err) : verdict.fails)
			return false;
		if (err && last == op_may_fail(op))
			return false;
		if (last)
			return true;
		if (err)
			*next = before;
	}
	if (blamed == commit->nr && !commit->presumed && commit->occupant)
		return false;
	return !commit->err || commit_may_return(next, commit->err);
}

static inline void tell_commit(struct machine *machine,
			       const struct fuzz_commit *commit)
{
	uint32_t i;

	fuzz_wrong(&machine->place,
		   "error %d at %u of %u operations, %u alone, occupant %u",
		   commit->err, commit->failed, commit->nr, commit->nr_failed,
		   commit->occupant);
	for (i = 0; i < commit->nr && i <= commit->failed; i++)
		fprintf(stderr, "#  %u: operation %#x on %u: %d, may be %d%s\n",
			i, commit->ops[i].code, commit->ops[i].id,
			commit->results[i], commit->verdicts[i].nr ?
			commit->verdicts[i].errs[0] : 0,
			commit->verdicts[i].fails ? ", must be" : "");
}

static inline void commit_count(const struct machine *machine,
				const struct fuzz_commit *commit,
				struct fuzz_counts *counts)
{
	uint32_t i;

	counts->occupied += commit->occupant && !commit->presumed;
	for (i = 0; i < commit->nr && !commit->err; i++) {
		const struct mregion_op *op = &commit->ops[i];
		uint32_t code = op->code & ~MREGION_OP_MAY_FAIL;
		const struct model_region *region;

		if (commit->results[i]) {
			counts->refused[code]++;
			counts->alone++;
			continue;
		}
		counts->done[code]++;
		counts->any_len += code == MREGION_OP_RULE_ADD &&
				   op->rule.flags & MREGION_RULE_ANY_LEN;
		counts->beyond += code == MREGION_OP_SET_CONSTRAINTS &&
				  op->constraints.flags & MREGION_VALID_BEYOND;
		if (code != MREGION_OP_SET_CONSTRAINTS &&
		    code != MREGION_OP_SET_SERVER)
			continue;
		region = &machine->model.regions[op->id];
		counts->many_rules += region->kind &&
				      region->nr_rules > FEW_RULES;
	}
	if (commit->err && commit->failed < commit->nr)
		counts->refused[commit->ops[commit->failed].code &
				~MREGION_OP_MAY_FAIL]++;
}

/* Carry out operations, which would have the effect that is in machine->next. */
static inline int machine_commit(struct machine *machine,
				 struct fuzz_commit *commit, uint32_t flags)
{
	struct fuzz_counts *counts = &machine->counts;
	struct mr_snapshot before, after;
	bool failures, right;

	machine_snapshot(machine->fd, &before);
	failures = WITH_FAILURES(&machine->inject, &machine->prng, 4,
				 commit_make(commit, machine->fd, flags));

	if (failures && !commit_told(commit))
		commit_presume(commit);
	if (failures && injected(commit->err))
		right = true;
	else if (failures && commit->failed > commit->nr)
		right = commit_may_fail(machine, commit);
	else
		right = commit_told(commit) && commit_follow(machine, commit);
	if (!right)
		tell_commit(machine, commit);
	commit_count(machine, commit, counts);
	if (commit->err || flags) {
		counts->failed_commits += !!commit->err;
		counts->dry_runs += !commit->err;
		FUZZ_CHECK(&machine->place,
			   !machine_snapshot(machine->fd, &after) &&
			   mr_snapshot_equal(&before, &after),
			   "changed by a commit that %s",
			   commit->err ? "failed" : "was a dry run");
		mr_snapshot_free(&after);
	} else {
		counts->commits++;
		machine->model = machine->next;
		check_machine(machine);
	}
	mr_snapshot_free(&before);
	return commit->err;
}

/* Put an operation at the end of a commit, and let machine->next follow. */
static inline void commit_put(struct machine *machine,
			      struct fuzz_commit *commit, struct mregion_op op,
			      bool may_fail)
{
	struct verdict *verdict = &commit->verdicts[commit->nr];

	model_apply(&machine->next, &op, verdict);
	/* See commit_presume(). */
	if (may_fail && (!machine->failures || verdict->fails || !verdict->nr))
		op.code |= MREGION_OP_MAY_FAIL;
	commit->ops[commit->nr] = op;
}

static inline void random_commit(struct machine *machine)
{
	static __thread struct fuzz_commit commit;
	struct prng *prng = &machine->prng;
	uint32_t nr = 1 + below(prng, one_in(prng, 20) ? MAX_OPS : 5), id = 0;
	uint32_t flags = one_in(prng, 10) ? MREGION_COMMIT_DRY_RUN : 0;
	struct mregion_op op;

	machine->next = machine->model;
	if (one_in(prng, 8)) {
		id = PICK_REGION(prng, &machine->next, region,
				 has_rules(region->kind));
		nr = 8 + below(prng, 16);
	}
	commit.nr = 0;
	while (commit.nr < nr) {
		op = id ? random_op_of(prng, &machine->next,
				       &machine->resources, id) :
			  random_op(prng, &machine->next, &machine->resources);
		commit_put(machine, &commit, op, one_in(prng, 4));
		/* Long ones would never succeed by chance alone. */
		if (commit.verdicts[commit.nr].fails && nr > 5 &&
		    !op_may_fail(&commit.ops[commit.nr]) &&
		    !one_in(prng, 2 * nr))
			nr--;
		else
			commit.nr++;
	}
	machine_commit(machine, &commit, flags);
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

/* Fast doorbells are listed together, be they on their bus or not. */
static inline uint32_t claim_group(const struct mregion_claim_info *claim)
{
	return claim->kind == MREGION_CLAIM_SLOW ? MREGION_CLAIM_FAST : claim->kind;
}

/*
 * What is claimed on the bus of a virtual machine that has descriptor @vm_fd: windows
 * first, then what is in the way, then what is missing, then fast doorbells, each by
 * address, and of all but windows those of SMM's space at the end.
 */
static inline void check_claims(struct place *place,
				const struct mregion_claim_info *claims,
				uint32_t nr, uint32_t bus)
{
	const struct mregion_claim_info *claim, *before = NULL;
	uint32_t i;

	for (i = 0; i < nr; i++, before = claim) {
		bool window, same;

		claim = &claims[i];
		window = claim->kind == MREGION_CLAIM_WINDOW;
		same = before && claim_group(before) == claim_group(claim) &&
		       !((before->flags ^ claim->flags) & MREGION_CLAIM_SMM);
		FUZZ_CHECK(place, claim->kind >= MREGION_CLAIM_WINDOW &&
			   claim->kind <= MREGION_CLAIM_SLOW &&
			   claim->last >= claim->start &&
			   (claim_group(claim) != MREGION_CLAIM_FAST ||
			    (bus == MREGION_BUS_MEMORY &&
			     claim->last == claim->start)) &&
			   (bus == MREGION_BUS_MEMORY ||
			    claim->last <= 0xffff) && !claim->reserved &&
			   !(claim->flags & ~(MREGION_CLAIM_RULES |
					      MREGION_CLAIM_POLICY |
					      MREGION_CLAIM_INSIDE |
					      MREGION_CLAIM_SMM)) &&
			   claim->region <= MAX_REGION &&
			   window == !claim->region,
			   "claim %u: %#llx-%#llx of kind %u, region %u, flags %#x",
			   i, claim->start, claim->last, claim->kind,
			   claim->region, claim->flags);
		FUZZ_CHECK(place, !before ||
			   claim_group(before) < claim_group(claim) ||
			   (claim_group(before) == claim_group(claim) &&
			    (before->flags & MREGION_CLAIM_SMM) <=
			    (claim->flags & MREGION_CLAIM_SMM)),
			   "claim %u: kind %u, flags %#x come before kind %u, flags %#x",
			   i, before ? before->kind : 0,
			   before ? before->flags : 0, claim->kind,
			   claim->flags);
		/* Others may lie in each other's way, too. */
		FUZZ_CHECK(place, !same ||
			   (claim->kind == MREGION_CLAIM_CONFLICT ?
			    claim->start >= before->start :
			    claim->start > before->last),
			   "claim %u: %#llx is behind %#llx", i, claim->start,
			   same ? before->start : 0);
	}
}

static inline void random_claims(struct prng *prng, struct place *place, int fd,
				 int vm_fd, struct fuzz_counts *counts)
{
	static __thread struct mregion_claim_info claims[64];
	struct mregion_claims_read read = {
		.size = sizeof(read),
		.vm_fd = vm_fd,
		.bus = below(prng, 2),
		.flags = one_in(prng, 2) ? MREGION_CLAIMS_RENEW : 0,
		.claims = (uintptr_t)claims,
		.nr = below(prng, ARRAY_SIZE(claims) + 1),
		.claim_size = sizeof(claims[0]),
	};
	uint32_t room = read.nr;
	int err = mr_ioctl(fd, MREGION_CLAIMS, &read);

	if (err) {
		/* KVM throws a bus away that it has no memory to change. */
		FUZZ_CHECK(place, err == -ENOENT || may_be_injected(err) ||
			   (fuzz.failures && err == -ENOMEM),
			   "claims: error %d", err);
		return;
	}
	/* Where copies fail, it is not told how many there are. */
	if (!inject_armed)
		check_claims(place, claims, read.nr < room ? read.nr : room,
			     read.bus);
	counts->claims += !!read.nr;
	counts->renewed += read.flags == MREGION_CLAIMS_RENEW;
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
