// SPDX-License-Identifier: MIT
/* All that is wanted of a machine, of one generation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../array.h"
#include "snapshot.h"
#include "tool.h"
#include "wall_clock.h"

/*
 * How often a machine is read again that changes meanwhile, and for how many
 * seconds.
 */
#define MAX_TRIES	20
#define MAX_SECONDS	3

const struct live_machine *snapshot_machine(const struct snapshot *snapshot)
{
	return snapshot->machine.items;
}

static int by_id(const void *a, const void *b)
{
	const struct live_region *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int read_views(struct netlink *nl, uint32_t machine,
		      struct snapshot *snapshot)
{
	const struct live_space *spaces = snapshot->spaces.items;
	int ret = 0;
	size_t i;

	snapshot->views = tool_alloc(snapshot->spaces.nr,
				     sizeof(*snapshot->views));
	for (i = 0; i < snapshot->spaces.nr && !ret; i++)
		ret = live_dump_view(nl, machine, spaces[i].id,
				     &snapshot->views[i]);
	return ret;
}

static int read_parts(struct netlink *nl, uint32_t machine, unsigned int parts,
		      struct snapshot *snapshot)
{
	const struct {
		unsigned int part;
		const struct live_type *type;
		struct live_list *list;
	} lists[] = {
		{ SNAPSHOT_REGIONS, &live_region_type, &snapshot->regions },
		{ SNAPSHOT_SPACES, &live_space_type, &snapshot->spaces },
		{ SNAPSHOT_RULES, &live_rule_type, &snapshot->rules },
		{ SNAPSHOT_RINGS, &live_ring_type, &snapshot->rings },
		{ SNAPSHOT_SHADOWS, &live_shadow_type, &snapshot->shadows },
		{ SNAPSHOT_SERVERS, &live_server_type, &snapshot->servers },
		{ SNAPSHOT_VMS, &live_vm_type, &snapshot->vms },
		{ SNAPSHOT_CLAIMS, &live_claim_type, &snapshot->claims },
	};
	int ret = 0;
	size_t i;

	if (parts & SNAPSHOT_VIEWS)
		parts |= SNAPSHOT_SPACES;
	for (i = 0; i < ARRAY_SIZE(lists) && !ret; i++)
		if (parts & lists[i].part)
			ret = live_dump(nl, lists[i].type, machine,
					lists[i].list);
	if (!ret && parts & SNAPSHOT_VIEWS)
		ret = read_views(nl, machine, snapshot);
	if (!ret && snapshot->regions.nr)
		qsort(snapshot->regions.items, snapshot->regions.nr,
		      sizeof(struct live_region), by_id);
	return ret;
}

/* The machine is read before and after, and shows whether it has changed. */
static int read_once(struct netlink *nl, uint32_t machine, unsigned int parts,
		     struct snapshot *snapshot)
{
	uint64_t generation;
	int ret, missing;

	ret = live_machine(nl, machine, &snapshot->machine);
	if (ret)
		return ret;
	generation = snapshot_machine(snapshot)->generation;
	missing = read_parts(nl, machine, parts, snapshot);
	if (missing && missing != -ENOENT)
		return missing;
	live_free(&snapshot->machine);
	ret = live_machine(nl, machine, &snapshot->machine);
	if (ret)
		return ret;
	snapshot->whole = snapshot_machine(snapshot)->generation == generation;
	/* A space that was listed may be gone, and then there was a commit. */
	return snapshot->whole ? missing : 0;
}

int snapshot_read(struct netlink *nl, uint32_t machine, unsigned int parts,
		  struct snapshot *snapshot)
{
	double end = wall_clock_seconds() + MAX_SECONDS;
	unsigned int tries;
	int ret = 0;

	memset(snapshot, 0, sizeof(*snapshot));
	for (tries = 0; tries < MAX_TRIES; tries++) {
		snapshot_free(snapshot);
		ret = read_once(nl, machine, parts, snapshot);
		if (ret || snapshot->whole ||
		    (tries && wall_clock_seconds() > end))
			break;
	}
	return ret;
}

void snapshot_free(struct snapshot *snapshot)
{
	size_t i;

	for (i = 0; snapshot->views && i < snapshot->spaces.nr; i++)
		live_free(&snapshot->views[i]);
	free(snapshot->views);
	live_free(&snapshot->machine);
	live_free(&snapshot->regions);
	live_free(&snapshot->spaces);
	live_free(&snapshot->rules);
	live_free(&snapshot->rings);
	live_free(&snapshot->shadows);
	live_free(&snapshot->servers);
	live_free(&snapshot->vms);
	live_free(&snapshot->claims);
	memset(snapshot, 0, sizeof(*snapshot));
}
