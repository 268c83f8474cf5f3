// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <mregion.h>

#include "machine.h"
#include "report.h"
#include "screen.h"
#include "stats.h"

/* Regions with the most exits; others are left out. */
#define TOP_REGIONS	10

struct region_exits {
	char name[MREGION_NAME_SIZE];
	uint64_t exits;
};

static uint64_t exits_of(const struct mregion_stats *stats)
{
	return stats->outcomes[MREGION_OUTCOME_EXIT] +
	       stats->outcomes[MREGION_OUTCOME_RING_FULL] +
	       stats->outcomes[MREGION_OUTCOME_REFUSED_EXIT];
}

static int compare(const void *a, const void *b)
{
	const struct region_exits *left = a, *right = b;

	if (left->exits != right->exits)
		return left->exits < right->exits ? 1 : -1;
	return strcmp(left->name, right->name);
}

/* All regions of the machine; free() it. */
static struct mregion_region_info *list_regions(const struct machine *machine,
						uint32_t *nr)
{
	int fd = mregion_machine_fd(machine->mregion);
	struct mregion_regions list = {
		.size = sizeof(list),
		.region_size = sizeof(struct mregion_region_info),
	};
	struct mregion_region_info *regions;

	if (ioctl(fd, MREGION_REGIONS, &list) < 0)
		return NULL;
	/* Nobody creates or frees any now. */
	regions = calloc(list.nr ? list.nr : 1, sizeof(*regions));
	if (!regions)
		return NULL;
	list.regions = (uintptr_t)regions;
	if (ioctl(fd, MREGION_REGIONS, &list) < 0) {
		free(regions);
		return NULL;
	}
	*nr = list.nr;
	return regions;
}

static int print_regions(const struct machine *machine, FILE *file)
{
	struct mregion_region_info *regions;
	struct region_exits *exits;
	struct mregion_stats stats;
	uint32_t nr, i;

	regions = list_regions(machine, &nr);
	if (!regions)
		return -errno;
	exits = calloc(nr ? nr : 1, sizeof(*exits));
	if (!exits) {
		free(regions);
		return -ENOMEM;
	}

	for (i = 0; i < nr; i++) {
		memcpy(exits[i].name, regions[i].name, MREGION_NAME_SIZE);
		if (!mregion_stats(machine->mregion, MREGION_OBJECT_REGION,
				   regions[i].id, &stats))
			exits[i].exits = exits_of(&stats);
	}
	qsort(exits, nr, sizeof(*exits), compare);
	for (i = 0; i < nr && i < TOP_REGIONS && exits[i].exits; i++)
		fprintf(file, "exits.region.%s %" PRIu64 "\n", exits[i].name,
			exits[i].exits);

	free(exits);
	free(regions);
	return 0;
}

static void print_count(FILE *file, const char *name, uint64_t count)
{
	fprintf(file, "%s %" PRIu64 "\n", name, count);
}

int stats_print(const struct machine *machine, double seconds,
		const struct screen_counts *screen, FILE *file)
{
	struct vcpu_exits exits = vcpus_count(&machine->vcpus);
	struct mregion_slot_stats slots;
	struct mregion_stats stats;
	const __u64 *outcomes = stats.outcomes;
	int error;

	error = mregion_stats(machine->mregion, MREGION_OBJECT_MACHINE, 0,
			      &stats);
	if (error) {
		report("cannot read the counters: %s", mregion_error());
		return error;
	}

	fprintf(file, "seconds %.3f\n", seconds);
	print_count(file, "exits.mmio", exits.mmio);
	print_count(file, "exits.pio", exits.pio);
	print_count(file, "exits.halt", exits.halt);
	print_count(file, "exits.other", exits.other);
	print_count(file, "exits.total", exits.mmio + exits.pio + exits.halt +
		    exits.other);
	print_count(file, "coalesced", outcomes[MREGION_OUTCOME_COALESCED]);
	print_count(file, "ring.wakeups", stats.wakeups);
	print_count(file, "ring.full", outcomes[MREGION_OUTCOME_RING_FULL]);
	print_count(file, "doorbells", outcomes[MREGION_OUTCOME_DOORBELL]);
	print_count(file, "shadow", outcomes[MREGION_OUTCOME_SHADOW]);
	print_count(file, "served", outcomes[MREGION_OUTCOME_SERVED]);
	print_count(file, "served.exit", outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	print_count(file, "unassigned", outcomes[MREGION_OUTCOME_UNASSIGNED] +
		    outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT]);
	print_count(file, "refused", outcomes[MREGION_OUTCOME_REFUSED] +
		    outcomes[MREGION_OUTCOME_REFUSED_EXIT]);
	mregion_vm_slot_stats(machine->vm, &slots);
	print_count(file, "slots.changes", slots.changes);
	print_count(file, "slots.pauses", slots.pauses);
	if (screen) {
		print_count(file, "screen.updates", screen->updates);
		print_count(file, "screen.pages", screen->pages);
		print_count(file, "screen.whole", screen->whole);
	}

	error = print_regions(machine, file);
	if (error)
		report("cannot list the regions: %s", strerror(-error));
	if (!error && (fflush(file) || ferror(file))) {
		error = -EIO;
		report("cannot write the counters: %s", strerror(errno));
	}
	return error;
}
