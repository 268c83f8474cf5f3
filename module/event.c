// SPDX-License-Identifier: GPL-2.0
#include <linux/pid.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>

#include "event.h"
#include "kvm_attachment.h"
#include "machine.h"
#include "netlink.h"
#include "owner.h"
#include "region.h"

/* Of the family's groups, the only one. */
#define MREGION_GROUP	0

/* What an event may take: some hundred ranges, or some fifty intervals. */
#define MREGION_EVENT_SIZE	16384

/* More than a range or an interval takes, with MREGION_A_EVENT_CUT behind it. */
#define MREGION_EVENT_ROOM	128

static struct workqueue_struct *mregion_event_wq;

/** mregion_event_wanted() - whether anybody listens to a machine's events */
bool mregion_event_wanted(const struct mregion_owner *owner)
{
	return genl_has_listeners(&mregion_family, owner->net, MREGION_GROUP);
}

/**
 * mregion_event_later() - have a function called that may sleep
 * @work: the function; ends before the module goes
 *
 * Return: whether it is to be called once more because of this.
 */
bool mregion_event_later(struct work_struct *work)
{
	return queue_work(mregion_event_wq, work);
}

/* A process's number as it knows it itself. */
static u32 mregion_event_pid(struct pid *pid)
{
	return pid_nr_ns(pid, ns_of_pid(pid));
}

/* An event's message with the machine in it; NULL if it is of no use. */
static struct sk_buff *mregion_event_new(const struct mregion_owner *owner,
					 enum mregion_cmd cmd, size_t size,
					 void **head)
{
	struct sk_buff *skb;

	if (!mregion_event_wanted(owner))
		return NULL;
	skb = genlmsg_new(size, GFP_KERNEL);
	if (!skb)
		return NULL;
	*head = genlmsg_put(skb, 0, 0, &mregion_family, 0, cmd);
	if (*head && !nla_put_u32(skb, MREGION_A_EVENT_MACHINE, owner->machine))
		return skb;
	nlmsg_free(skb);
	return NULL;
}

/* Those who listen, and get no message for want of memory, are told of that. */
static void mregion_event_send(const struct mregion_owner *owner,
			       struct sk_buff *skb, void *head)
{
	genlmsg_end(skb, head);
	genlmsg_multicast_netns(&mregion_family, owner->net, skb, 0,
				MREGION_GROUP, GFP_KERNEL);
}

/**
 * mregion_event_machine() - tell that a machine was opened or closed
 * @machine: the machine
 * @cmd: MREGION_CMD_MACHINE_OPENED or _CLOSED
 */
void mregion_event_machine(const struct mregion_machine *machine,
			   enum mregion_cmd cmd)
{
	const struct mregion_owner *owner = machine->owner;
	struct sk_buff *skb;
	void *head;

	skb = mregion_event_new(owner, cmd, GENLMSG_DEFAULT_SIZE, &head);
	if (!skb)
		return;
	if (nla_put_u32(skb, MREGION_A_EVENT_PID,
			mregion_event_pid(owner->pid)) ||
	    nla_put_string(skb, MREGION_A_EVENT_COMM, owner->comm))
		nlmsg_free(skb);
	else
		mregion_event_send(owner, skb, head);
}

/**
 * mregion_event_vm() - tell that an attachment has begun or ended
 * @machine: the machine
 * @cmd: MREGION_CMD_ATTACHED or _DETACHED
 * @vm: the attachment
 */
void mregion_event_vm(const struct mregion_machine *machine,
		      enum mregion_cmd cmd, const struct mregion_vm *vm)
{
	const struct mregion_owner *owner = machine->owner;
	struct sk_buff *skb;
	void *head;

	skb = mregion_event_new(owner, cmd, GENLMSG_DEFAULT_SIZE, &head);
	if (!skb)
		return;
	if (nla_put_u32(skb, MREGION_A_EVENT_VM, vm->id) ||
	    nla_put_u32(skb, MREGION_A_EVENT_VM_PID,
			mregion_event_pid(vm->pid)) ||
	    mregion_put_id(skb, MREGION_A_EVENT_MEMORY, vm->memory) ||
	    mregion_put_id(skb, MREGION_A_EVENT_PIO, vm->pio) ||
	    mregion_put_id(skb, MREGION_A_EVENT_SMM, vm->smm))
		nlmsg_free(skb);
	else
		mregion_event_send(owner, skb, head);
}

/** mregion_event_server_dead() - tell that a server is dead; may sleep */
void mregion_event_server_dead(const struct mregion_owner *owner, u32 server)
{
	struct sk_buff *skb;
	void *head;

	skb = mregion_event_new(owner, MREGION_CMD_SERVER_DEAD,
				GENLMSG_DEFAULT_SIZE, &head);
	if (!skb)
		return;
	if (nla_put_u32(skb, MREGION_A_EVENT_SERVER, server))
		nlmsg_free(skb);
	else
		mregion_event_send(owner, skb, head);
}

/** mregion_event_ring_full() - tell that a ring was full, so often; may sleep */
void mregion_event_ring_full(const struct mregion_owner *owner, u32 ring,
			     u64 full)
{
	struct sk_buff *skb;
	void *head;

	skb = mregion_event_new(owner, MREGION_CMD_RING_FULL,
				GENLMSG_DEFAULT_SIZE, &head);
	if (!skb)
		return;
	if (nla_put_u32(skb, MREGION_A_EVENT_RING, ring) ||
	    mregion_put_u64(skb, MREGION_A_EVENT_FULL, full,
			    MREGION_A_EVENT_PAD))
		nlmsg_free(skb);
	else
		mregion_event_send(owner, skb, head);
}

/* ---- Commits ----------------------------------------------------------- */

/**
 * mregion_event_begin() - a commit will succeed
 * @event: its event
 * @machine: the machine, locked, before the commit's generation
 */
void mregion_event_begin(struct mregion_event *event,
			 const struct mregion_machine *machine)
{
	*event = (struct mregion_event) { .machine = machine };
	event->skb = mregion_event_new(machine->owner, MREGION_CMD_COMMITTED,
				       MREGION_EVENT_SIZE, &event->head);
	if (!event->skb ||
	    !mregion_put_u64(event->skb, MREGION_A_EVENT_GENERATION,
			     machine->generation + 1, MREGION_A_EVENT_PAD))
		return;
	nlmsg_free(event->skb);
	event->skb = NULL;
}

/* What of a range is in an interval, as a nest; whether it fits. */
static bool mregion_event_range(struct mregion_event *event,
				const struct mregion_view_range *range,
				u64 start, u64 last)
{
	struct mregion_range desc;
	struct nlattr *nest;

	if (skb_tailroom(event->skb) < MREGION_EVENT_ROOM)
		return false;
	nest = nla_nest_start(event->skb, MREGION_A_CHANGE_RANGE);
	if (!nest)
		return false;
	mregion_view_describe(range, mregion_region_of(range->node)->id, &desc);
	if (desc.start < start) {
		desc.offset += start - desc.start;
		desc.start = start;
	}
	desc.last = min(desc.last, last);
	if (mregion_put_range(event->skb, &desc)) {
		nla_nest_cancel(event->skb, nest);
		return false;
	}
	nla_nest_end(event->skb, nest);
	return true;
}

/* Tell of an interval that has changed, and what @view has there now. */
static void mregion_event_interval(struct mregion_event *event, u32 space,
				   const struct mregion_view *view, u64 start,
				   u64 last)
{
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	struct sk_buff *skb = event->skb;
	struct nlattr *nest = NULL;

	if (skb_tailroom(skb) >= MREGION_EVENT_ROOM)
		nest = nla_nest_start(skb, MREGION_A_EVENT_CHANGE);
	if (!nest || nla_put_u32(skb, MREGION_A_CHANGE_SPACE, space) ||
	    mregion_put_u64(skb, MREGION_A_CHANGE_START, start,
			    MREGION_A_CHANGE_PAD) ||
	    mregion_put_u64(skb, MREGION_A_CHANGE_LAST, last,
			    MREGION_A_CHANGE_PAD)) {
		nla_nest_cancel(skb, nest);
		event->cut = true;
		return;
	}
	if (view)
		mregion_view_for_each(range, &cursor, view, start) {
			if (range->start > last)
				break;
			event->cut = !mregion_event_range(event, range, start,
							  last);
			if (event->cut)
				break;
		}
	nla_nest_end(skb, nest);
}

/* A view as it is gone through: what it has at an address, and up to where. */
struct mregion_walker {
	struct mregion_btree_cursor cursor;
	const struct mregion_view_range *range;	/* there or behind, or NULL */
};

static void mregion_walker_begin(struct mregion_walker *walker,
				 const struct mregion_view *view, u64 addr)
{
	walker->range = view ? mregion_btree_first(&view->tree, addr,
						   &walker->cursor) : NULL;
}

static const struct mregion_view_range *
mregion_walker_at(const struct mregion_walker *walker, u64 addr, u64 *last)
{
	const struct mregion_view_range *range = walker->range;

	if (!range)
		return NULL;
	if (range->start > addr) {
		*last = min(*last, range->start - 1);
		return NULL;
	}
	*last = min(*last, range->last);
	return range;
}

static void mregion_walker_pass(struct mregion_walker *walker, u64 last)
{
	if (walker->range && walker->range->last <= last)
		walker->range = mregion_btree_next(&walker->cursor);
}

/* Whether accesses to an address that both have may tell them apart. */
static bool mregion_ranges_differ(const struct mregion_view_range *a,
				  const struct mregion_view_range *b)
{
	if (!a || !b)
		return a != b;
	return a->node != b->node || a->flags != b->flags ||
	       a->behaviour != b->behaviour ||
	       a->delta != b->delta;
}

/* Tell what of an interval differs between two views of a space. */
static void mregion_event_compare(struct mregion_event *event,
				  const struct mregion_space *space,
				  const struct mregion_view *view, u64 addr,
				  u64 end)
{
	struct mregion_walker old, new;
	bool differ, before = false;
	u64 last, start = 0;

	mregion_walker_begin(&old, space->view, addr);
	mregion_walker_begin(&new, view, addr);
	do {
		last = end;
		differ = mregion_ranges_differ(mregion_walker_at(&old, addr,
								 &last),
					       mregion_walker_at(&new, addr,
								 &last));
		if (before && !differ)
			mregion_event_interval(event, space->id, view, start,
					       addr - 1);
		else if (!before && differ)
			start = addr;
		before = differ;
		mregion_walker_pass(&old, last);
		mregion_walker_pass(&new, last);
		addr = last + 1;
		cond_resched();
	} while (last < end && !event->cut);
	if (before && !event->cut)
		mregion_event_interval(event, space->id, view, start, last);
}

/**
 * mregion_event_change() - a space changes
 * @event: of the commit
 * @space: the space, which still has its view of before, and knows what differs
 * @view: what it is to have, or NULL if it goes
 */
void mregion_event_change(struct mregion_event *event,
			  const struct mregion_space *space,
			  const struct mregion_view *view)
{
	const struct mregion_delta *delta = &space->delta;
	u32 i;

	if (!event->skb || event->cut)
		return;
	if (!view || !space->view) {
		mregion_event_compare(event, space, view, 0,
				      mregion_bus_last(space->bus));
		return;
	}
	for (i = 0; i < delta->nr && !event->cut; i++)
		mregion_event_compare(event, space, view,
				      delta->interval[i].start,
				      delta->interval[i].last);
}

/**
 * mregion_event_end() - a commit has succeeded
 * @event: its event, which is sent
 */
void mregion_event_end(struct mregion_event *event)
{
	struct sk_buff *skb = event->skb;

	if (!skb)
		return;
	/* for which MREGION_EVENT_ROOM has left room */
	if (event->cut && nla_put_flag(skb, MREGION_A_EVENT_CUT)) {
		nlmsg_free(skb);
		return;
	}
	mregion_event_send(event->machine->owner, skb, event->head);
}

int __init mregion_event_init(void)
{
	mregion_event_wq = alloc_workqueue("mregion-event", WQ_UNBOUND, 0);
	return mregion_event_wq ? 0 : -ENOMEM;
}

void mregion_event_exit(void)
{
	destroy_workqueue(mregion_event_wq);
}
