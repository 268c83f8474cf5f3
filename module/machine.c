// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include "behaviour.h"
#include "budget.h"
#include "event.h"
#include "kvm_attachment.h"
#include "machine.h"
#include "objects.h"
#include "owner.h"
#include "region.h"
#include "retire.h"
#include "ring.h"
#include "server.h"
#include "watch.h"

/* All machines that are open, by their numbers. */
static DEFINE_XARRAY_ALLOC1(mregion_machines);

/** mregion_machine_alloc() - an empty machine, or NULL */
struct mregion_machine *mregion_machine_alloc(void)
{
	struct mregion_budget *budget = mregion_budget_alloc();
	struct mregion_owner *owner = mregion_owner_alloc();
	struct mregion_machine *machine;
	struct mregion_map *map;

	machine = kzalloc(sizeof(*machine), GFP_KERNEL_ACCOUNT);
	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!budget || !owner || !machine || !map)
		goto err;
	machine->budget = budget;
	machine->owner = owner;
	mregion_view_store_init(&machine->store, budget);
	refcount_set(&machine->users, 1);
	init_completion(&machine->unused);
	RCU_INIT_POINTER(machine->map, map);
	mutex_init(&machine->lock);
	xa_init_flags(&machine->regions, XA_FLAGS_ACCOUNT);
	xa_init_flags(&machine->spaces, XA_FLAGS_ACCOUNT);
	xa_init_flags(&machine->rings, XA_FLAGS_ACCOUNT);
	xa_init_flags(&machine->shadows, XA_FLAGS_ACCOUNT);
	xa_init_flags(&machine->servers, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&machine->all_spaces);
	INIT_LIST_HEAD(&machine->attachments);
	init_waitqueue_head(&machine->retired_wait);
	/* whoever finds it has to wait until it knows its number */
	mutex_lock(&machine->lock);
	if (xa_alloc(&mregion_machines, &machine->id, machine, xa_limit_31b,
		     GFP_KERNEL)) {
		mutex_unlock(&machine->lock);
		goto err;
	}
	owner->machine = machine->id;
	mregion_event_machine(machine, MREGION_CMD_MACHINE_OPENED);
	mutex_unlock(&machine->lock);
	return machine;

err:
	kfree(map);
	kfree(machine);
	mregion_owner_put(owner);
	kfree(budget);
	return NULL;
}

static bool mregion_machine_seen(const struct mregion_machine *machine,
				 const struct net *net)
{
	return machine && net_eq(machine->owner->net, net);
}

/**
 * mregion_machine_find() - find a machine by its number
 * @net: the network namespace that it is to be seen in
 * @id: the number
 *
 * Return: the machine, for mregion_machine_put(), or NULL.
 */
struct mregion_machine *mregion_machine_find(const struct net *net, u32 id)
{
	struct mregion_machine *machine;

	xa_lock(&mregion_machines);
	machine = xa_load(&mregion_machines, id);
	if (mregion_machine_seen(machine, net))
		refcount_inc(&machine->users);
	else
		machine = NULL;
	xa_unlock(&mregion_machines);
	return machine;
}

/**
 * mregion_machine_from() - find the first machine from a number on
 * @net: the network namespace that it is to be seen in
 * @id: the number
 *
 * Return: the machine, for mregion_machine_put(), or NULL.
 */
struct mregion_machine *mregion_machine_from(const struct net *net, u32 id)
{
	struct mregion_machine *machine;
	unsigned long index = id;

	xa_lock(&mregion_machines);
	machine = xa_find(&mregion_machines, &index, INT_MAX, XA_PRESENT);
	while (machine && !mregion_machine_seen(machine, net))
		machine = xa_find_after(&mregion_machines, &index, INT_MAX,
					XA_PRESENT);
	if (machine)
		refcount_inc(&machine->users);
	xa_unlock(&mregion_machines);
	return machine;
}

/**
 * mregion_machine_put() - let go of a machine that was found
 * @machine: the machine; closing it waits for this
 */
void mregion_machine_put(struct mregion_machine *machine)
{
	if (refcount_dec_and_test(&machine->users))
		complete(&machine->unused);
}

/* Regions that are freed together. */
#define MREGION_FREE_BATCH	64

static void mregion_machine_free_regions(struct mregion_machine *machine)
{
	struct mregion_region *regions[MREGION_FREE_BATCH];
	unsigned long id = 0;
	u32 nr;

	do {
		/* to go on, xa_for_each() would look for each from the root */
		nr = xa_extract(&machine->regions, (void **)regions, id,
				U32_MAX, ARRAY_SIZE(regions), XA_PRESENT);
		if (!nr)
			break;
		id = regions[nr - 1]->id + 1ul;
		mregion_regions_free(regions, nr);
		cond_resched();
	} while (nr == ARRAY_SIZE(regions) && id);
}

/**
 * mregion_machine_free() - free a machine that nobody can call any more
 * @machine: the machine
 *
 * Detaches it from all virtual machines, and so waits for their vCPUs to leave.
 */
void mregion_machine_free(struct mregion_machine *machine)
{
	struct mregion_space *space;
	unsigned long id;

	xa_for_each(&machine->spaces, id, space)
		mregion_watch_end(space->watch);
	/* its number stays taken until all of it is gone */
	xa_store(&mregion_machines, machine->id, XA_ZERO_ENTRY, GFP_KERNEL);
	mregion_machine_put(machine);
	wait_for_completion(&machine->unused);

	mregion_detach_all(machine);
	wait_event(machine->retired_wait,
		   !atomic_read_acquire(&machine->nr_retired));
	mregion_retire_flush();

	xa_for_each(&machine->spaces, id, space) {
		space->view->whole = true;
		mregion_view_free(&machine->store, space->view);
		mregion_space_free(space);
	}
	mregion_machine_free_regions(machine);
	mregion_objects_free(machine);
	mregion_event_machine(machine, MREGION_CMD_MACHINE_CLOSED);
	xa_destroy(&machine->spaces);
	xa_destroy(&machine->regions);
	xa_erase(&mregion_machines, machine->id);
	mregion_owner_put(machine->owner);
	mregion_map_free(machine, rcu_dereference_protected(machine->map, true));
	mregion_budget_put(machine->budget);
	kfree(machine);
}

#define MREGION_SPACE_BYTES	(sizeof(struct mregion_space) + MREGION_BUDGET_ID)

/**
 * mregion_space_alloc() - a space that nothing is known of but its machine
 * @machine: the machine
 *
 * Return: the space, or an ERR_PTR: -ENOMEM, -ENOBUFS.
 */
struct mregion_space *mregion_space_alloc(struct mregion_machine *machine)
{
	int ret = mregion_budget_charge(machine->budget, MREGION_SPACE_BYTES);
	struct mregion_space *space;

	if (ret)
		return ERR_PTR(ret);
	space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	if (!space) {
		mregion_budget_uncharge(machine->budget, MREGION_SPACE_BYTES);
		return ERR_PTR(-ENOMEM);
	}
	space->machine = machine;
	return space;
}

/**
 * mregion_space_free() - undo mregion_space_alloc()
 * @space: one that is in no table, and whose view is somebody else's
 */
void mregion_space_free(struct mregion_space *space)
{
	if (space->watch)
		mregion_watch_put(space->watch);
	mregion_budget_uncharge(space->machine->budget, MREGION_SPACE_BYTES);
	kfree(space);
}

/**
 * mregion_space_describe() - a space as userspace gets to see it
 * @space: the space; its machine is locked
 * @info: to be filled in
 */
void mregion_space_describe(const struct mregion_space *space,
			    struct mregion_space_info *info)
{
	*info = (struct mregion_space_info) {
		.id = space->id,
		.root = space->state.root->id,
		.bus = space->bus,
		.unassigned = space->state.unassigned,
		.generation = space->view->generation,
		.nr_ranges = space->view->tree.nr,
		.nr_vms = space->nr_vms,
	};
}

static u64 mregion_map_bytes(u32 nr)
{
	/* what an empty machine has is not charged */
	return nr * sizeof(struct mregion_view *);
}

/**
 * mregion_map_alloc() - a map without views
 * @machine: the machine
 * @nr: number of its slots
 *
 * Return: the map, or an ERR_PTR: -ENOMEM, -ENOBUFS.
 */
struct mregion_map *mregion_map_alloc(struct mregion_machine *machine, u32 nr)
{
	int ret = mregion_budget_charge(machine->budget, mregion_map_bytes(nr));
	struct mregion_map *map;

	if (ret)
		return ERR_PTR(ret);
	map = kvzalloc(struct_size(map, views, nr), GFP_KERNEL_ACCOUNT);
	if (!map) {
		mregion_budget_uncharge(machine->budget, mregion_map_bytes(nr));
		return ERR_PTR(-ENOMEM);
	}
	map->nr = nr;
	return map;
}

/**
 * mregion_map_free() - free a map, and not its views
 * @machine: the machine
 * @map: one that nobody can reach, or NULL
 */
void mregion_map_free(struct mregion_machine *machine, struct mregion_map *map)
{
	if (!map)
		return;
	mregion_budget_uncharge(machine->budget, mregion_map_bytes(map->nr));
	kvfree(map);
}

/**
 * mregion_machine_find_view() - the view of a space, by the space's ID
 * @machine: the machine
 * @space: the ID
 *
 * Called in an RCU read-side section, which the view stays for. Looks at what
 * is published, not at the table of spaces, where a commit under way may have
 * been already.
 *
 * Return: the view, or NULL if there is no such space.
 */
const struct mregion_view *
mregion_machine_find_view(struct mregion_machine *machine, u32 space)
{
	const struct mregion_map *map = rcu_dereference_check(machine->map,
						rcu_read_lock_any_held());
	u32 i;

	for (i = 0; i < map->nr; i++)
		if (map->views[i] && map->views[i]->space->id == space)
			return map->views[i];
	return NULL;
}

/**
 * mregion_space_view() - the view of a space that a commit may have freed
 * @space: the space; its memory, and the machine, stay meanwhile
 *
 * Called in an RCU read-side section, which the view stays for.
 *
 * Return: the view, or NULL if the space is no more.
 */
const struct mregion_view *mregion_space_view(const struct mregion_space *space)
{
	const struct mregion_map *map =
		rcu_dereference_check(space->machine->map,
				      rcu_read_lock_any_held());
	const struct mregion_view *view;

	if (space->slot >= map->nr)
		return NULL;
	view = map->views[space->slot];
	/* another one may have the slot by now */
	return view && view->space == space ? view : NULL;
}

/**
 * mregion_machine_sum() - add up all of a machine's counters
 * @machine: the machine, locked
 * @stats: zeroed; filled in but for what is not claimed
 */
void mregion_machine_sum(struct mregion_machine *machine,
			 struct mregion_stats *stats)
{
	struct mregion_region *region;
	struct mregion_space *space;
	struct mregion_server *server;
	struct mregion_ring *ring;
	unsigned long id;

	xa_for_each(&machine->regions, id, region) {
		mregion_counters_sum(&region->counters, stats);
		cond_resched();
	}
	xa_for_each(&machine->spaces, id, space)
		mregion_counters_sum(&space->counters, stats);
	mregion_counters_sum(&machine->counters, stats);
	xa_for_each(&machine->rings, id, ring)
		stats->wakeups += atomic64_read(&ring->wakeups);
	stats->wakeups += machine->wakeups;
	xa_for_each(&machine->servers, id, server)
		mregion_server_stats_add(server, stats);
	stats->sleeps += machine->sleeps;
	stats->commits = machine->generation;
	stats->windows = machine->windows;
	stats->memory = mregion_budget_used(machine->budget);
}

/**
 * mregion_machine_stats() - read counters
 * @machine: the machine, locked
 * @stats: which ones; filled in
 *
 * Return: 0 or a negative errno, see MREGION_STATS.
 */
int mregion_machine_stats(struct mregion_machine *machine,
			  struct mregion_stats *stats)
{
	struct mregion_region *region;
	struct mregion_space *space;
	struct mregion_server *server;
	struct mregion_ring *ring;
	u32 object = stats->object, id = stats->id;

	if (stats->reserved)
		return -EINVAL;
	*stats = (struct mregion_stats) {
		.size = stats->size,
		.object = object,
		.id = id,
	};
	switch (object) {
	case MREGION_OBJECT_MACHINE:
		if (id)
			return -EINVAL;
		mregion_machine_sum(machine, stats);
		return mregion_attachments_stats(machine, stats);
	case MREGION_OBJECT_REGION:
		region = xa_load(&machine->regions, id);
		if (!region)
			return -ENOENT;
		mregion_counters_sum(&region->counters, stats);
		return 0;
	case MREGION_OBJECT_SPACE:
		space = xa_load(&machine->spaces, id);
		if (!space)
			return -ENOENT;
		mregion_counters_sum(&space->counters, stats);
		return 0;
	case MREGION_OBJECT_RING:
		ring = xa_load(&machine->rings, id);
		if (!ring)
			return -ENOENT;
		mregion_ring_stats(ring, stats);
		return 0;
	case MREGION_OBJECT_SERVER:
		server = xa_load(&machine->servers, id);
		if (!server)
			return -ENOENT;
		mregion_server_stats(server, stats);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * mregion_machine_show() - what a machine's fdinfo says
 * @machine: the machine
 * @seq: where to
 *
 * Its number is the one in tracepoints. The format is part of the interface: see
 * Documentation/tracing.rst.
 */
void mregion_machine_show(struct mregion_machine *machine,
			  struct seq_file *seq)
{
	seq_printf(seq, "mregion-machine:\t%u\n", machine->id);
	seq_printf(seq, "mregion-memory:\t%llu\n",
		   mregion_budget_used(machine->budget));
	/* a commit can take long */
	if (mutex_lock_killable(&machine->lock))
		return;
	mregion_attachments_reap(machine);
	seq_printf(seq, "mregion-generation:\t%llu\n", machine->generation);
	seq_printf(seq, "mregion-regions:\t%u\n", machine->nr_regions);
	seq_printf(seq, "mregion-rules:\t%u\n", machine->nr_rules);
	seq_printf(seq, "mregion-spaces:\t%u\n", machine->nr_spaces);
	seq_printf(seq, "mregion-rings:\t%u\n", machine->nr_rings);
	seq_printf(seq, "mregion-shadows:\t%u\n", machine->nr_shadows);
	seq_printf(seq, "mregion-servers:\t%u\n", machine->nr_servers);
	seq_printf(seq, "mregion-vms:\t%zu\n",
		   list_count_nodes(&machine->attachments));
	mutex_unlock(&machine->lock);
}
