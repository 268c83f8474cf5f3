// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fixture.h"
#include "flat_copy.h"
#include "machine_open.h"

struct kvm_userspace_memory_region fixture_calls[MAX_CALLS];
size_t fixture_nr_calls;
int fixture_bad_slot = -1;
int fixture_stuck_slot = -1;
int fixture_stuck_errno = ENOMEM;
int (*fixture_ioctl)(unsigned long request, void *arg);

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct kvm_userspace_memory_region *arg;
	va_list args;
	int ret;

	(void)fd;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request != KVM_SET_USER_MEMORY_REGION && fixture_ioctl) {
		ret = fixture_ioctl(request, arg);
		if (ret >= 0)
			return ret;
		errno = -ret;
		return -1;
	}
	if (request != KVM_SET_USER_MEMORY_REGION ||
	    fixture_nr_calls == MAX_CALLS) {
		errno = ENOTTY;
		return -1;
	}
	fixture_calls[fixture_nr_calls++] = *arg;
	if (arg->memory_size && (int)arg->slot == fixture_bad_slot) {
		errno = EEXIST;
		return -1;
	}
	if (!arg->memory_size && (int)arg->slot == fixture_stuck_slot) {
		errno = fixture_stuck_errno;
		return -1;
	}
	return 0;
}

int fixture_refuse;
const int *fixture_results;
uint32_t fixture_failed;
uint32_t fixture_occupant;
void (*fixture_commit)(const struct mregion_commit *commit);
const struct mregion_range *fixture_view;
size_t fixture_view_nr;
unsigned int fixture_nr_commits;
unsigned int fixture_nr_changes;
unsigned int fixture_nr_views;

/* All has changed, each time. */
static int fixture_changes(struct mregion_changes_read *arg)
{
	static uint64_t generation;

	*(struct mregion_interval *)(uintptr_t)arg->intervals =
		(struct mregion_interval){ .last = UINT64_MAX };
	if (arg->nr_ranges >= fixture_view_nr && fixture_view_nr)
		memcpy((void *)(uintptr_t)arg->ranges, fixture_view,
		       fixture_view_nr * sizeof(*fixture_view));
	arg->nr_intervals = 1;
	arg->nr_ranges = fixture_view_nr;
	arg->generation = ++generation;
	fixture_nr_changes++;
	return 0;
}

/* It is another view after each commit. */
static int fixture_view_read(struct mregion_view_read *arg)
{
	size_t nr = arg->nr < fixture_view_nr ? arg->nr : fixture_view_nr;

	if (nr)
		memcpy((void *)(uintptr_t)arg->ranges, fixture_view,
		       nr * sizeof(*fixture_view));
	arg->nr = fixture_view_nr;
	arg->generation = 1 + fixture_nr_commits;
	fixture_nr_views++;
	return 0;
}

static void fixture_fail_alone(struct mregion_commit *commit)
{
	const struct mregion_op *ops = (void *)(uintptr_t)commit->ops;
	int *results = (void *)(uintptr_t)commit->results;
	uint32_t i;

	commit->failed = fixture_refuse ? fixture_failed : commit->nr_ops;
	commit->occupant = fixture_occupant;
	for (i = 0; results && i < commit->nr_ops; i++) {
		results[i] = 0;
		if (fixture_results && i < commit->failed &&
		    ops[i].code & MREGION_OP_MAY_FAIL)
			results[i] = fixture_results[i];
		commit->nr_failed += !!results[i];
	}
}

int fixture_kernel(unsigned long request, void *arg)
{
	switch (request) {
	case MREGION_COMMIT:
		if (fixture_commit)
			fixture_commit(arg);
		fixture_fail_alone(arg);
		fixture_nr_commits++;
		return fixture_refuse;
	case MREGION_CHANGES:
		return fixture_changes(arg);
	case MREGION_VIEW_READ:
		return fixture_view_read(arg);
	default:
		return 0;
	}
}

void fixture_refuse_commits(bool refuse)
{
	fixture_refuse = refuse ? -ENOENT : 0;
	fixture_failed = 0;
}

void fixture_init(struct mregion_machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->fd = -1;
	machine->info.features = MREGION_FEATURE_ATTACH |
				 MREGION_FEATURE_CHANGES;
	machine->page_size = 4096;
	if (mregion_machine_init(machine))
		abort();
	fixture_nr_calls = 0;
	fixture_bad_slot = -1;
	fixture_stuck_slot = -1;
	fixture_stuck_errno = ENOMEM;
	fixture_ioctl = NULL;
	fixture_refuse = 0;
	fixture_results = NULL;
	fixture_failed = UINT32_MAX;
	fixture_occupant = 0;
	fixture_commit = NULL;
	fixture_view = NULL;
	fixture_view_nr = 0;
	fixture_nr_commits = 0;
	fixture_nr_changes = 0;
	fixture_nr_views = 0;
}

void fixture_destroy(struct mregion_machine *machine)
{
	struct mregion_region *region;

	while (machine->vms)
		mregion_detach(machine->vms);
	while (machine->spaces)
		mregion_space_release(machine->spaces);
	mregion_sections_flush(&machine->sections);
	while ((region = mregion_table_pop(&machine->regions)))
		mregion_region_put(region);
	mregion_machine_destroy(machine);
}

struct mregion_region *fixture_region(struct mregion_machine *machine,
				      uint32_t id, uint32_t kind, uint64_t len,
				      const struct mregion_ops *ops,
				      void *opaque)
{
	struct mregion_region *region = calloc(1, sizeof(*region));

	atomic_init(&region->refs, 1);
	atomic_init(&region->len, len);
	region->id = id;
	region->kind = kind;
	region->machine = machine;
	region->ops = ops;
	region->opaque = opaque;
	strcpy(region->name, "fixture");
	mregion_ram_init(&region->ram, machine->page_size,
			 kind == MREGION_ROM || kind == MREGION_ROMD);
	if (ops)
		mregion_region_set_constraints(region, &ops->constraints);
	mregion_table_add(&machine->regions, region);
	return region;
}

void fixture_changed(struct mregion_space *space,
		     const struct mregion_interval *intervals,
		     size_t nr_intervals, const struct mregion_range *ranges,
		     size_t nr_ranges)
{
	struct mregion_changed *changed = &space->changed;

	mregion_changed_free(changed);
	changed->intervals = calloc(nr_intervals + 1, sizeof(intervals[0]));
	changed->ranges = calloc(nr_ranges + 1, sizeof(ranges[0]));
	changed->nr_intervals = nr_intervals;
	changed->nr_ranges = nr_ranges;
	changed->generation++;
	if (nr_intervals)
		memcpy(changed->intervals, intervals,
		       nr_intervals * sizeof(intervals[0]));
	if (nr_ranges)
		memcpy(changed->ranges, ranges, nr_ranges * sizeof(ranges[0]));
}

void fixture_set_view(struct mregion_space *space,
		      const struct mregion_range *ranges, size_t nr)
{
	const struct mregion_interval all = { .last = UINT64_MAX };

	/* As if all had changed. */
	fixture_changed(space, &all, 1, ranges, nr);
	if (mregion_flat_follow(&space->flat, space->machine,
				&space->changed))
		abort();
}

void fixture_space(struct mregion_machine *machine,
		   struct mregion_space *space, uint32_t bus,
		   const struct mregion_range *ranges, size_t nr)
{
	memset(space, 0, sizeof(*space));
	space->machine = machine;
	space->id = 1;
	space->bus = bus;
	space->live = true;
	mregion_flat_init(&space->flat);
	fixture_set_view(space, ranges, nr);
}

void fixture_space_destroy(struct mregion_space *space)
{
	mregion_flat_destroy(&space->flat);
	mregion_changed_free(&space->changed);
}

void fixture_ring_memory(struct mregion_ring_memory *memory,
			 uint32_t nr_entries)
{
	void *ptr = mmap(NULL, 2 * MREGION_RING_ENTRIES,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);

	if (ptr == MAP_FAILED)
		abort();
	mregion_ring_memory_init(memory, ptr, nr_entries);
	memory->mapped = 2 * MREGION_RING_ENTRIES;
}

struct mregion_ring *fixture_ring(struct mregion_machine *machine,
				  uint32_t id)
{
	struct mregion_ring *ring = calloc(1, sizeof(*ring));

	fixture_ring_memory(&ring->memory, FIXTURE_NR_ENTRIES);
	ring->machine = machine;
	ring->id = id;
	ring->fd = -1;
	ring->eventfd = eventfd(0, EFD_NONBLOCK);
	atomic_init(&ring->refs, 1);
	pthread_mutex_init(&ring->lock, NULL);
	if (mregion_rings_add(&machine->rings, ring))
		abort();
	return ring;
}

void fixture_append(struct mregion_ring_memory *memory, uint32_t region,
		    uint64_t offset, uint64_t data, unsigned int len)
{
	uint32_t i = memory->header->producer;

	memory->entries[i % memory->nr_entries] = (struct mregion_ring_entry){
		.region = region,
		.offset = offset,
		.data = data,
		.len = len,
	};
	__atomic_store_n(&memory->header->producer, i + 1, __ATOMIC_RELEASE);
}
