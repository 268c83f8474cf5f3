/* SPDX-License-Identifier: GPL-2.0 */
/* Machines: all that one open of /dev/mregion owns. */
#ifndef MREGION_MACHINE_H
#define MREGION_MACHINE_H

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "changes.h"
#include "counters.h"
#include "delta.h"
#include "limits.h"
#include "tree.h"
#include "update.h"
#include "view.h"
#include "view_memory.h"

struct mregion_budget;
struct mregion_owner;
struct mregion_region;
struct mregion_watch;
struct net;
struct seq_file;

/**
 * struct mregion_space_state - all that a commit can change about a space
 * @root: the region at its address 0
 * @unassigned: enum mregion_policy, never DEFAULT
 */
struct mregion_space_state {
	struct mregion_region *root;
	u32 unassigned;
};

/**
 * struct mregion_space - an address space
 * @id: its ID
 * @machine: that it is in
 * @list: in the machine's @all_spaces
 * @bus: enum mregion_bus
 * @slot: index of its view in struct mregion_map
 * @nr_vms: attachments that show it; it cannot be freed while there are any
 * @state: what a commit can change
 * @delta: where the commit under way may have changed it; once its view is rendered,
 *	where it has
 * @view: its view, or NULL before its first commit ends
 * @pending: the view that the commit under way will publish, or NULL
 * @update: how @pending was made of @view
 * @changes: what the last commits have changed
 * @counters: accesses to addresses where it has nothing
 * @watch: what its view descriptors share, or NULL before the first; a reference
 * @published: KVM's bus as it was made last for the only attachment, for no more
 *	than to compare it; NULL where there are several. Read by vCPUs
 * @published_nr: how many ranges that has
 * @retired: in the list of what is freed after a grace period
 *
 * All but @id, @machine, @bus, @slot and @counters is under the machine's lock.
 */
struct mregion_space {
	u32 id;
	struct mregion_machine *machine;
	struct list_head list;
	u32 bus;
	u32 slot;
	u32 nr_vms;
	struct mregion_space_state state;
	struct mregion_delta delta;
	struct mregion_view *view;
	struct mregion_view *pending;
	struct mregion_update update;
	struct mregion_changes changes;
	struct mregion_counters counters;
	struct mregion_watch *watch;
	const void *published;
	int published_nr;
	struct list_head retired;
};

/**
 * struct mregion_map - the views of all spaces of a machine
 * @nr: number of @views
 * @views: by struct mregion_space.slot; NULL where no space is
 *
 * Readers find every view through the one pointer to the map, so that a commit
 * that changes several spaces takes effect in all of them at once.
 */
struct mregion_map {
	u32 nr;
	struct mregion_view *views[];
};

/**
 * struct mregion_machine - a machine
 * @id: its number, for people
 * @users: its file, and threads that have found it by @id or by a view descriptor
 * @unused: completed when there are no @users
 * @owner: the process that has opened it
 * @map: the views for vCPUs and other readers; RCU
 * @budget: the limit on its memory
 * @lock: serialises all changes, and protects everything below
 * @generation: number of commits so far
 * @regions: by ID
 * @spaces: by ID
 * @all_spaces: the same, by @list; for commits, as going through @spaces takes longer
 * @rings: by ID
 * @shadows: by ID
 * @servers: by ID
 * @nr_regions: number of @regions
 * @nr_spaces: number of @spaces
 * @nr_rings: number of @rings
 * @nr_shadows: number of @shadows
 * @nr_servers: number of @servers
 * @nr_rules: rules of all @regions
 * @nr_fast: how many of them are fast doorbells
 * @tree: of @regions
 * @store: what views are made of
 * @last_view: the last struct mregion_view.id given out
 * @last_serial: the last struct mregion_region.serial given out
 * @slots: of the map that are taken
 * @attachments: struct mregion_attachment, to virtual machines; also walked by
 *	RCU
 * @last_vm: number of the attachment that was made last
 * @counters: of objects that have been freed
 * @wakeups: of rings and servers that have been freed
 * @sleeps: of servers that have been freed
 * @windows: times that what is claimed on a bus changed
 * @nr_retired: commits of which objects are still to be freed
 * @retired_wait: for @nr_retired to fall
 *
 * Lock order: @lock, then a virtual machine's slots_lock.
 */
struct mregion_machine {
	u32 id;
	refcount_t users;
	struct completion unused;
	struct mregion_owner *owner;
	struct mregion_map __rcu *map;
	struct mregion_budget *budget;
	struct mutex lock;	/* of all below */
	u64 generation;
	struct xarray regions;
	struct xarray spaces;
	struct list_head all_spaces;
	struct xarray rings;
	struct xarray shadows;
	struct xarray servers;
	u32 nr_regions;
	u32 nr_spaces;
	u32 nr_rings;
	u32 nr_shadows;
	u32 nr_servers;
	u32 nr_rules;
	u32 nr_fast;
	struct mregion_tree tree;
	struct mregion_view_store store;
	u64 last_view;
	u64 last_serial;
	DECLARE_BITMAP(slots, MREGION_MAX_SPACES);
	struct list_head attachments;
	u32 last_vm;
	struct mregion_counters counters;
	u64 wakeups;
	u64 sleeps;
	u64 windows;
	atomic_t nr_retired;
	wait_queue_head_t retired_wait;
};

/**
 * mregion_machine_view() - the view of a space, for an attachment
 * @machine: the machine
 * @slot: of a space that cannot be freed meanwhile
 *
 * Called in an RCU read-side section of any flavour, which the view stays for.
 */
static inline const struct mregion_view *
mregion_machine_view(struct mregion_machine *machine, u32 slot)
{
	const struct mregion_map *map = rcu_dereference_check(machine->map,
						rcu_read_lock_any_held());

	return map->views[slot];
}

/** mregion_bus_last() - last address of a space of a kind */
static inline u64 mregion_bus_last(u32 bus)
{
	return bus == MREGION_BUS_PIO ? 0xffff : U64_MAX;
}

struct mregion_machine *mregion_machine_alloc(void);
void mregion_machine_free(struct mregion_machine *machine);
struct mregion_machine *mregion_machine_find(const struct net *net, u32 id);
struct mregion_machine *mregion_machine_from(const struct net *net, u32 id);
void mregion_machine_put(struct mregion_machine *machine);
struct mregion_space *mregion_space_alloc(struct mregion_machine *machine);
void mregion_space_free(struct mregion_space *space);
void mregion_space_describe(const struct mregion_space *space,
			    struct mregion_space_info *info);
struct mregion_map *mregion_map_alloc(struct mregion_machine *machine, u32 nr);
void mregion_map_free(struct mregion_machine *machine, struct mregion_map *map);
const struct mregion_view *mregion_space_view(const struct mregion_space *space);
const struct mregion_view *
mregion_machine_find_view(struct mregion_machine *machine, u32 space);
void mregion_machine_sum(struct mregion_machine *machine,
			 struct mregion_stats *stats);
int mregion_machine_stats(struct mregion_machine *machine,
			  struct mregion_stats *stats);
void mregion_machine_show(struct mregion_machine *machine,
			  struct seq_file *seq);

#endif /* MREGION_MACHINE_H */
