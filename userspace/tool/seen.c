// SPDX-License-Identifier: MIT
/* Which commits of machines have been seen, and so which have been lost. */
#include <stdlib.h>
#include <string.h>

#include "seen.h"
#include "tool.h"

/* Index of the first machine whose ID is at least @id. */
static size_t find(const struct seen *seen, uint32_t id)
{
	size_t first = 0, end = seen->nr;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (seen->machines[middle].id < id)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static bool is_at(const struct seen *seen, size_t i, uint32_t id)
{
	return i < seen->nr && seen->machines[i].id == id;
}

/* A machine that is not known has made no commit yet. */
static struct seen_machine *get(struct seen *seen, uint32_t id)
{
	size_t i = find(seen, id);

	if (is_at(seen, i, id))
		return &seen->machines[i];
	if (seen->nr == seen->room) {
		seen->room = seen->room ? 2 * seen->room : 16;
		seen->machines = tool_grow(seen->machines, seen->room,
					   sizeof(*seen->machines));
	}
	memmove(&seen->machines[i + 1], &seen->machines[i],
		(seen->nr - i) * sizeof(*seen->machines));
	seen->nr++;
	seen->machines[i] = (struct seen_machine){ .id = id };
	return &seen->machines[i];
}

void seen_listed(struct seen *seen, uint32_t id, uint64_t generation)
{
	struct seen_machine *machine = get(seen, id);

	machine->listed = true;
	machine->generation = generation;
}

uint64_t seen_commit(struct seen *seen, uint32_t id, uint64_t generation)
{
	struct seen_machine *machine = get(seen, id);
	uint64_t before = machine->generation;

	/* It was listed after this commit; those that follow are yet to come. */
	if (machine->listed && generation <= before)
		before = generation - 1;
	machine->listed = false;
	if (generation <= before)
		return 0;
	machine->generation = generation;
	return generation - before - 1;
}

uint64_t seen_until(struct seen *seen, uint32_t id, uint64_t generation)
{
	struct seen_machine *machine = get(seen, id);
	uint64_t before = machine->generation;

	if (generation <= before)
		return 0;
	machine->generation = generation;
	return generation - before;
}

void seen_closed(struct seen *seen, uint32_t id)
{
	size_t i = find(seen, id);

	if (!is_at(seen, i, id))
		return;
	seen->nr--;
	memmove(&seen->machines[i], &seen->machines[i + 1],
		(seen->nr - i) * sizeof(*seen->machines));
}

void seen_free(struct seen *seen)
{
	free(seen->machines);
	memset(seen, 0, sizeof(*seen));
}
