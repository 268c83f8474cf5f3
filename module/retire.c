// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>

#include "behaviour.h"
#include "machine.h"
#include "region.h"
#include "retire.h"
#include "rule.h"

/*
 * Commits whose garbage may wait. A caller that commits faster than grace
 * periods pass would otherwise pile up memory without bound.
 */
#define MREGION_MAX_RETIRED	64

static struct workqueue_struct *mregion_retire_wq;

/**
 * mregion_retired_free() - free without waiting
 * @retired: what no reader can have seen, or has stopped using
 */
void mregion_retired_free(struct mregion_retired *retired)
{
	struct mregion_machine *machine = retired->machine;
	struct mregion_behaviour *behaviour, *next_behaviour;
	struct mregion_behaviour_rule *rule, *next_rule;
	struct mregion_region *region, *next_region;
	struct mregion_space *space, *next_space;
	struct mregion_view *view, *next_view;

	list_for_each_entry_safe(view, next_view, &retired->views, retired) {
		mregion_view_free(&machine->store, view);
		cond_resched();
	}
	mregion_update_free_replaced(&machine->store.memory, retired->nodes,
				     &retired->ranges);
	list_for_each_entry_safe(behaviour, next_behaviour,
				 &retired->behaviours, retired) {
		mregion_behaviour_free(behaviour);
		cond_resched();
	}
	list_for_each_entry_safe(rule, next_rule, &retired->rules, retired) {
		mregion_rule_free(rule);
		cond_resched();
	}
	list_for_each_entry_safe(region, next_region, &retired->regions,
				 retired) {
		mregion_counters_fold(&machine->counters, &region->counters);
		mregion_region_free(region);
		cond_resched();
	}
	list_for_each_entry_safe(space, next_space, &retired->spaces, retired) {
		mregion_counters_fold(&machine->counters, &space->counters);
		mregion_space_free(space);
	}
	mregion_map_free(machine, retired->map);
	kfree(retired);
	/* who sees it fall sees the machine's budget without what was freed */
	smp_mb__before_atomic();
	atomic_dec(&machine->nr_retired);
	wake_up_all(&machine->retired_wait);
}

static void mregion_retire_work(struct work_struct *work)
{
	mregion_retired_free(container_of(to_rcu_work(work),
					  struct mregion_retired, rwork));
}

/**
 * mregion_retired_alloc() - have room for what a commit will replace
 * @machine: the machine
 *
 * Taken before the commit changes anything, since freeing must not fail.
 *
 * Return: to be passed to mregion_retire() or mregion_retired_free(), or NULL.
 */
struct mregion_retired *mregion_retired_alloc(struct mregion_machine *machine)
{
	struct mregion_retired *retired;

	retired = kzalloc(sizeof(*retired), GFP_KERNEL_ACCOUNT);
	if (!retired)
		return NULL;
	INIT_RCU_WORK(&retired->rwork, mregion_retire_work);
	retired->machine = machine;
	INIT_LIST_HEAD(&retired->views);
	INIT_LIST_HEAD(&retired->ranges);
	INIT_LIST_HEAD(&retired->behaviours);
	INIT_LIST_HEAD(&retired->rules);
	INIT_LIST_HEAD(&retired->regions);
	INIT_LIST_HEAD(&retired->spaces);
	atomic_inc(&machine->nr_retired);
	return retired;
}

static bool mregion_retired_empty(const struct mregion_retired *retired)
{
	return !retired->map && !retired->nodes &&
	       list_empty(&retired->views) && list_empty(&retired->ranges) &&
	       list_empty(&retired->behaviours) &&
	       list_empty(&retired->rules) && list_empty(&retired->regions) &&
	       list_empty(&retired->spaces);
}

/**
 * mregion_retire() - free after a grace period
 * @retired: what no new reader can find
 */
void mregion_retire(struct mregion_retired *retired)
{
	if (mregion_retired_empty(retired))
		mregion_retired_free(retired);
	else
		queue_rcu_work(mregion_retire_wq, &retired->rwork);
}

/**
 * mregion_retire_throttle() - wait until little enough is to be freed
 * @machine: the machine
 *
 * Called without its lock. Return: 0 or -EINTR.
 */
int mregion_retire_throttle(struct mregion_machine *machine)
{
	if (wait_event_killable(machine->retired_wait,
				atomic_read_acquire(&machine->nr_retired) <
				MREGION_MAX_RETIRED))
		return -EINTR;
	return 0;
}

/**
 * mregion_retire_drain() - wait until all that earlier commits replaced is freed
 * @machine: the machine, locked, with no commit under way
 *
 * What waits to be freed is charged to the machine's budget. No change is refused
 * for the sake of something that is gone.
 *
 * Return: whether there was anything, and it is freed now.
 */
bool mregion_retire_drain(struct mregion_machine *machine)
{
	return atomic_read(&machine->nr_retired) &&
	       !wait_event_killable(machine->retired_wait,
				    !atomic_read_acquire(&machine->nr_retired));
}

/**
 * mregion_retire_flush() - wait until nothing is being freed
 *
 * What has not begun its grace period's work yet is not waited for.
 */
void mregion_retire_flush(void)
{
	flush_workqueue(mregion_retire_wq);
}

int __init mregion_retire_init(void)
{
	mregion_retire_wq = alloc_workqueue("mregion", WQ_UNBOUND, 0);
	return mregion_retire_wq ? 0 : -ENOMEM;
}

void mregion_retire_exit(void)
{
	destroy_workqueue(mregion_retire_wq);
}
