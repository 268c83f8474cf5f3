// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "access.h"
#include "compat.h"
#include "event.h"
#include "limits.h"
#include "owner.h"
#include "server.h"
#include "trace.h"

/**
 * struct mregion_server_waiter - an access that waits for a slot
 * @node: in mregion_server.waiters; with that's lock
 */
struct mregion_server_waiter {
	struct list_head node;
};

/**
 * mregion_server_alloc() - make a server
 * @args: as userspace has given them
 * @budget: to charge it to
 * @owner: of the machine
 *
 * Return: the server with one reference, or an ERR_PTR: -EINVAL, -EOPNOTSUPP,
 * -EBADF, -ENOMEM, -ENOBUFS.
 */
struct mregion_server *
mregion_server_alloc(const struct mregion_server_create *args,
		     struct mregion_budget *budget, struct mregion_owner *owner)
{
	struct eventfd_ctx *eventfd = NULL;
	struct mregion_server *server;
	int ret = -ENOMEM;
	u32 i;

	if (args->flags)
		return ERR_PTR(-EOPNOTSUPP);
	if (!args->nr_slots || args->nr_slots > MREGION_SERVER_MAX_SLOTS ||
	    args->spin_usecs > MREGION_MAX_SPIN_USECS || args->reserved ||
	    args->timeout_usecs > MREGION_MAX_TIMEOUT_USECS)
		return ERR_PTR(-EINVAL);

	if (args->eventfd != -1) {
		eventfd = eventfd_ctx_fdget(args->eventfd);
		if (IS_ERR(eventfd))
			return ERR_CAST(eventfd);
	}
	server = kvzalloc(struct_size(server, calls, args->nr_slots),
			  GFP_KERNEL_ACCOUNT);
	if (!server)
		goto err_eventfd;
	ret = mregion_memory_alloc(&server->memory, budget,
				   MREGION_SERVER_SLOTS +
				   args->nr_slots * sizeof(*server->slots),
				   struct_size(server, calls, args->nr_slots));
	if (ret)
		goto err_free;

	server->id = args->id;
	server->owner = mregion_owner_get(owner);
	kref_init(&server->kref);
	raw_spin_lock_init(&server->lock);
	init_waitqueue_head(&server->wait);
	init_waitqueue_head(&server->slot_wait);
	INIT_LIST_HEAD(&server->waiters);
	for (i = 0; i < args->nr_slots; i++)
		init_waitqueue_head(&server->calls[i].wait);
	server->nr_slots = args->nr_slots;
	server->max_spin_ns = args->spin_usecs * NSEC_PER_USEC;
	server->spin_ns = server->max_spin_ns;
	mregion_server_clock_init(server, args->timeout_usecs);
	server->header = server->memory.addr;
	server->header->nr_slots = args->nr_slots;
	server->slots = server->memory.addr + MREGION_SERVER_SLOTS;
	server->eventfd = eventfd;
	return server;

err_free:
	kvfree(server);
err_eventfd:
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return ERR_PTR(ret);
}

static void mregion_server_release(struct kref *kref)
{
	struct mregion_server *server = container_of(kref,
						     struct mregion_server,
						     kref);

	mregion_memory_free(&server->memory);
	put_pid(server->process);
	if (server->eventfd)
		eventfd_ctx_put(server->eventfd);
	mregion_owner_put(server->owner);
	kvfree_rcu(server, rcu);
}

/** mregion_server_get() - take a reference */
void mregion_server_get(struct mregion_server *server)
{
	kref_get(&server->kref);
}

/** mregion_server_put() - drop a reference; may sleep */
void mregion_server_put(struct mregion_server *server)
{
	kref_put(&server->kref, mregion_server_release);
}

/* There is something new to do. Called with the lock held. */
static void mregion_server_event(struct mregion_server *server)
{
	WRITE_ONCE(server->events, server->events + 1);
	/*
	 * Pairs with the server's acquire: who sees this sees what it is about,
	 * be it a bit of @pending or an entry of a ring.
	 */
	smp_store_release(&server->header->events, server->events);
}

static void mregion_server_rouse(struct mregion_server *server)
{
	/*
	 * Has a full barrier, which pairs with that of WAIT or poll(): either
	 * the thread is seen waiting here, or the event is seen there.
	 */
	if (!wq_has_sleeper(&server->wait))
		return;
	atomic64_inc(&server->wakeups);
	wake_up_interruptible_poll(&server->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * mregion_server_post() - tell a server that one of its rings has an entry
 * @server: the server
 */
void mregion_server_post(struct mregion_server *server)
{
	raw_spin_lock(&server->lock);
	mregion_server_event(server);
	raw_spin_unlock(&server->lock);
	mregion_server_rouse(server);
}

static u32 mregion_server_state(const struct mregion_server_call *call,
				enum mregion_server_state state)
{
	return call->number << 2 | state;
}

/*
 * Whether a request is for that access. What the view has there does not
 * matter: it may have changed since.
 */
static bool mregion_call_is(const struct mregion_server_call *call,
			    const struct mregion_request *request)
{
	return call->owner == request->owner && call->vcpu == request->vcpu &&
	       call->len == request->len &&
	       call->write == request->write &&
	       call->space == request->space && call->addr == request->addr &&
	       (!call->write || call->data == request->data);
}

/* Make a slot free. Its number changes, so that its answers are to nothing. */
static void mregion_server_free_slot(struct mregion_server *server, u32 slot)
{
	struct mregion_server_call *call = &server->calls[slot];

	call->number++;
	WRITE_ONCE(server->slots[slot].state,
		   mregion_server_state(call, MREGION_SERVER_IDLE));
	__clear_bit(slot, server->busy);
}

static bool mregion_server_taken(struct mregion_server *server, u32 slot)
{
	/* pairs with the server's answer, after which it leaves the slot alone */
	return smp_load_acquire(&server->slots[slot].state) ==
	       mregion_server_state(&server->calls[slot],
				    MREGION_SERVER_TAKEN);
}

/*
 * Give a slot up. If a thread of the server is at it, the slot stays busy until
 * it has answered: it still reads and writes there. Called with the lock held.
 */
static void mregion_server_release_slot(struct mregion_server *server, u32 slot)
{
	struct mregion_server_call *call = &server->calls[slot];

	if (call->parked) {
		call->parked = false;
		WRITE_ONCE(server->nr_parked, server->nr_parked - 1);
	}
	/* without order: a bit for nothing does no harm */
	clear_bit(slot, (unsigned long *)server->header->pending);
	/* from now on, no thread can take it */
	cmpxchg(&server->slots[slot].state,
		mregion_server_state(call, MREGION_SERVER_REQUEST),
		mregion_server_state(call, MREGION_SERVER_IDLE));
	/* pairs with the barrier between the server's answer and its look */
	smp_store_mb(server->slots[slot].sleeping, 1);
	if (mregion_server_taken(server, slot)) {
		call->late = true;
		server->nr_late++;
	} else {
		mregion_server_free_slot(server, slot);
	}
}

/* Free slots that are late no more. Lock held. Returns whether there was any. */
static bool mregion_server_reap(struct mregion_server *server)
{
	bool freed = false;
	u32 slot;

	if (!server->nr_late)
		return false;
	for_each_set_bit(slot, server->busy, server->nr_slots) {
		if (!server->calls[slot].late ||
		    mregion_server_taken(server, slot))
			continue;
		server->calls[slot].late = false;
		server->nr_late--;
		mregion_server_free_slot(server, slot);
		freed = true;
	}
	return freed;
}

/**
 * mregion_server_let_go() - a thread has answered, and says so
 * @server: its server
 * @slot: of the answer
 */
void mregion_server_let_go(struct mregion_server *server, u32 slot)
{
	bool late;

	wake_up(&server->calls[slot].wait);
	raw_spin_lock(&server->lock);
	late = server->nr_late;
	mregion_server_reap(server);
	raw_spin_unlock(&server->lock);
	/* who has reaped it meanwhile may have used but one of several */
	if (late || wq_has_sleeper(&server->slot_wait))
		wake_up_all(&server->slot_wait);
}

/*
 * Forget what a vCPU has left behind, as it runs again: it has been completed by
 * the VMM. Lock held. Returns whether there was anything.
 */
static bool mregion_server_drop_parked(struct mregion_server *server,
				       const struct mregion_request *request)
{
	bool dropped = false;
	u32 slot;

	if (!server->nr_parked)
		return false;
	for_each_set_bit(slot, server->busy, server->nr_slots) {
		const struct mregion_server_call *call = &server->calls[slot];

		if (!call->parked || call->vcpu != request->vcpu ||
		    call->owner != request->owner)
			continue;
		mregion_server_release_slot(server, slot);
		dropped = true;
	}
	return dropped;
}

/* Forget all that is parked. Lock held. */
static void mregion_server_drop_all(struct mregion_server *server)
{
	u32 slot;

	for_each_set_bit(slot, server->busy, server->nr_slots)
		if (server->calls[slot].parked)
			mregion_server_release_slot(server, slot);
}

/**
 * mregion_server_forget() - a virtual machine is detached, or gone
 * @server: a server
 * @owner: the virtual machine, see struct mregion_request
 *
 * Its vCPUs make no more requests, and nobody can ask for what they have left here.
 */
void mregion_server_forget(struct mregion_server *server, const void *owner)
{
	u32 slot;

	raw_spin_lock(&server->lock);
	for_each_set_bit(slot, server->busy, server->nr_slots) {
		struct mregion_server_call *call = &server->calls[slot];

		if (call->owner != owner)
			continue;
		call->owner = NULL;
		if (call->parked)
			mregion_server_release_slot(server, slot);
	}
	raw_spin_unlock(&server->lock);
	wake_up_all(&server->slot_wait);
}

/**
 * mregion_server_kill() - let nobody wait for a server any more
 * @server: the server; may be dead already
 *
 * May sleep.
 */
void mregion_server_kill(struct mregion_server *server)
{
	bool was_dead;
	u32 i;

	raw_spin_lock(&server->lock);
	was_dead = server->dead;
	WRITE_ONCE(server->dead, true);
	/* all is the VMM's now: nobody is to find an answer from before */
	mregion_server_drop_all(server);
	raw_spin_unlock(&server->lock);
	for (i = 0; i < server->nr_slots; i++)
		wake_up_all(&server->calls[i].wait);
	wake_up_all(&server->slot_wait);
	wake_up_all(&server->wait);
	if (was_dead)
		return;
	mregion_event_server_dead(server->owner, server->id);
	if (server->eventfd) {
		/* who has found it alive has posted by then what it posts */
		synchronize_rcu_expedited();
		mregion_eventfd_signal(server->eventfd);
	}
}

/* Somebody waits, and it has taken too long. */
static void mregion_server_expire(struct mregion_server *server)
{
	if (!mregion_server_is_dead(server))
		mregion_owner_warn(server->owner,
				   "server %u has taken more than %llu ms, and is taken for dead",
				   server->id,
				   div_u64(server->timeout_ns, NSEC_PER_MSEC));
	mregion_server_kill(server);
}

/**
 * mregion_server_take_up() - take up what an access's vCPU has left behind
 * @server: a server, by RCU
 * @request: the access; what is set for a server is set
 *
 * Return: whether the server has the access already. mregion_server_resume() is
 * to follow then, and mregion_server_put().
 */
bool mregion_server_take_up(struct mregion_server *server,
			    struct mregion_request *request)
{
	struct mregion_server_call *call;
	bool found = false;
	u32 slot;

	/* what this vCPU has left here was left before it came back */
	if (!READ_ONCE(server->nr_parked))
		return false;
	raw_spin_lock(&server->lock);
	for_each_set_bit(slot, server->busy, server->nr_slots) {
		call = &server->calls[slot];
		if (!call->parked || !mregion_call_is(call, request))
			continue;
		/* without a reference left there is nothing parked any more */
		if (WARN_ON_ONCE(!kref_get_unless_zero(&server->kref)))
			break;
		call->parked = false;
		WRITE_ONCE(server->nr_parked, server->nr_parked - 1);
		request->server = server;
		request->slot = slot;
		request->region = call->region;
		request->offset = call->offset;
		found = true;
		break;
	}
	raw_spin_unlock(&server->lock);
	return found;
}

/*
 * Find a slot for an access, which is @waiter if it has waited. Who waits has one
 * first, in order: a vCPU that has just given a slot up is otherwise back before
 * the next has run, and on a single processor always is. Lock held.
 *
 * Return: the slot, or -EAGAIN: there is none, or others come first.
 */
static int mregion_server_find_slot(struct mregion_server *server,
				    const struct mregion_server_waiter *waiter)
{
	const struct list_head *first = server->waiters.next;
	u32 slot;

	if (first != (waiter ? &waiter->node : &server->waiters))
		return -EAGAIN;
	slot = find_first_zero_bit(server->busy, server->nr_slots);
	return slot == server->nr_slots ? -EAGAIN : slot;
}

/*
 * Make a request; @running: for a vCPU that runs. What that had parked is of an
 * access that the VMM has completed by itself: it has nothing left to complete.
 * @waiter has waited for a slot, or is NULL.
 *
 * Return: the slot; -ENODEV if the server is dead; -EAGAIN if all slots are
 * taken, or are for others.
 */
static int mregion_server_submit(struct mregion_server *server,
				 const struct mregion_request *request,
				 bool running,
				 struct mregion_server_waiter *waiter)
{
	struct mregion_server_slot *shared;
	struct mregion_server_call *call;
	bool freed = false;
	int slot;

	raw_spin_lock(&server->lock);
	slot = -ENODEV;
	if (server->dead)
		goto out;
	if (running)
		freed = mregion_server_drop_parked(server, request);
	freed |= mregion_server_reap(server);
	slot = mregion_server_find_slot(server, waiter);
	if (slot < 0)
		goto out;
	if (waiter) {
		list_del_init(&waiter->node);
		/* the next is first now, and may find one, too */
		freed |= !list_empty(&server->waiters);
	}
	__set_bit(slot, server->busy);

	call = &server->calls[slot];
	call->owner = request->owner;
	call->vcpu = request->vcpu;
	call->len = request->len;
	call->write = request->write;
	call->space = request->space;
	call->region = request->region;
	call->addr = request->addr;
	call->offset = request->offset;
	call->data = request->data;
	call->since = ktime_get_ns();
	call->due = mregion_server_due(server);

	shared = &server->slots[slot];
	WRITE_ONCE(shared->sleeping, 0);
	WRITE_ONCE(shared->offset, request->offset);
	WRITE_ONCE(shared->data, request->write ? request->data : 0);
	WRITE_ONCE(shared->region, request->region);
	WRITE_ONCE(shared->vcpu, request->vcpu);
	WRITE_ONCE(shared->len, request->len);
	WRITE_ONCE(shared->flags, request->write ? MREGION_SERVER_WRITE : 0);
	/* pairs with the server's acquire of the state: the rest is there */
	smp_store_release(&shared->state,
			  mregion_server_state(call, MREGION_SERVER_REQUEST));
	/*
	 * Pairs with the server's acquire as it takes the bit: the state is
	 * there, or the server would take the bit for nothing, and nobody would
	 * look at the slot again. The release above orders what is before it
	 * only, and set_bit() nothing.
	 */
	smp_mb__before_atomic();
	set_bit(slot, (unsigned long *)server->header->pending);
	mregion_server_event(server);
	raw_spin_unlock(&server->lock);
	mregion_server_rouse(server);
	if (freed)
		wake_up_all(&server->slot_wait);
	return slot;
out:
	raw_spin_unlock(&server->lock);
	if (freed)
		wake_up_all(&server->slot_wait);
	return slot;
}

static bool mregion_server_answered(struct mregion_server *server, u32 slot)
{
	/*
	 * Pairs with the server's release: its data is there, and it has read
	 * all it wants of a request that the next one will overwrite.
	 */
	return smp_load_acquire(&server->slots[slot].state) ==
	       mregion_server_state(&server->calls[slot],
				    MREGION_SERVER_ANSWERED);
}

static bool mregion_server_done(struct mregion_server *server, u32 slot)
{
	return mregion_server_answered(server, slot) ||
	       READ_ONCE(server->dead);
}

/* Spin for an answer; returns whether there is one. */
static bool mregion_server_spin(struct mregion_server *server, u32 slot)
{
	u32 limit = READ_ONCE(server->spin_ns);
	u64 start;
	int i;

	if (!limit || num_online_cpus() == 1)
		return mregion_server_answered(server, slot);
	start = ktime_get_ns();
	do {
		/* the clock costs more than a look */
		for (i = 0; i < 16; i++) {
			if (mregion_server_done(server, slot))
				return mregion_server_answered(server, slot);
			cpu_relax();
		}
		if (need_resched() || signal_pending(current))
			break;
	} while (ktime_get_ns() - start < limit);
	return mregion_server_answered(server, slot);
}

/*
 * Learn how long to spin: as long as allowed if that would have been enough
 * this time, and ever less if it takes several times as long. Enough is also
 * what is there by the time that the VMM asks, whenever that may be.
 */
static void mregion_server_adapt(struct mregion_server *server, u64 took)
{
	u32 spin = READ_ONCE(server->spin_ns);

	if (took <= server->max_spin_ns)
		WRITE_ONCE(server->spin_ns, server->max_spin_ns);
	else if (took > 4ull * server->max_spin_ns && spin)
		WRITE_ONCE(server->spin_ns, spin / 2);
}

/*
 * Take the answer, if there is one, and give the slot up; -ENODEV if there is
 * none.
 */
static int mregion_server_finish(struct mregion_server *server, u32 slot,
				 struct mregion_request *request)
{
	bool answered = mregion_server_answered(server, slot);
	u64 since = server->calls[slot].since;

	if (answered && !request->write)
		request->data = READ_ONCE(server->slots[slot].data) &
				(~0ull >> (64 - request->len * 8));
	raw_spin_lock(&server->lock);
	if (answered)
		mregion_server_free_slot(server, slot);
	else
		mregion_server_release_slot(server, slot);
	raw_spin_unlock(&server->lock);
	if (wq_has_sleeper(&server->slot_wait))
		wake_up(&server->slot_wait);
	atomic64_inc(answered ? &server->served : &server->exits);
	if (trace_mregion_server_wait_enabled())
		trace_mregion_server_wait(request, server->id,
					  ktime_get_ns() - since, answered);
	return answered ? 0 : -ENODEV;
}

/* Leave a request to the server, for the VMM to come back to. */
static void mregion_server_park(struct mregion_server *server, u32 slot)
{
	bool released;

	raw_spin_lock(&server->lock);
	server->calls[slot].parked = true;
	WRITE_ONCE(server->nr_parked, server->nr_parked + 1);
	/* nor does anybody come whose virtual machine was detached */
	released = server->dead || !server->calls[slot].owner;
	if (released)
		mregion_server_release_slot(server, slot);
	raw_spin_unlock(&server->lock);
	if (released)
		wake_up_all(&server->slot_wait);
}

/**
 * mregion_server_call_vcpu() - have a server answer a vCPU's access
 * @server: the server
 * @request: the access; for a read that is answered, @request->data is set
 *
 * Spins, but does not sleep: see struct mregion_server_header in
 * <linux/mregion.h>.
 *
 * Return: 0 if it is answered. If not, the access is to exit: -ENODEV if the
 * server is dead; -EAGAIN if all slots are taken, or others wait for one;
 * -EINPROGRESS if the request is under way, for mregion_server_take_up().
 */
int mregion_server_call_vcpu(struct mregion_server *server,
			     struct mregion_request *request)
{
	int slot = mregion_server_submit(server, request, true, NULL);

	if (slot < 0) {
		if (slot == -ENODEV)
			atomic64_inc(&server->exits);
		return slot;
	}
	if (mregion_server_spin(server, slot))
		return mregion_server_finish(server, slot, request);
	atomic64_inc(&server->sleeps);
	mregion_server_park(server, slot);
	return -EINPROGRESS;
}

/*
 * Sleep until there is an answer, or none to be had any more, or a signal; a
 * fatal one if @killable.
 */
static int mregion_server_sleep(struct mregion_server *server, u32 slot,
				bool killable)
{
	struct mregion_server_call *call = &server->calls[slot];
	struct mregion_server_slot *shared = &server->slots[slot];
	u64 clock = mregion_server_look(server, 1);
	long ret;

	WRITE_ONCE(shared->sleeping, 1);
	/*
	 * Pairs with the barrier between the server's answer and its look:
	 * either the answer is seen here, or @sleeping is seen there.
	 */
	smp_mb();
	for (;;) {
		if (clock >= call->due && !mregion_server_done(server, slot))
			mregion_server_expire(server);
		if (killable)
			ret = wait_event_killable_timeout(call->wait,
							  mregion_server_done(server, slot),
							  server->look);
		else
			ret = wait_event_interruptible_timeout(call->wait,
							       mregion_server_done(server, slot),
							       server->look);
		if (ret)
			break;
		clock = mregion_server_look(server, 0);
	}
	WRITE_ONCE(shared->sleeping, 0);
	mregion_server_look(server, -1);
	return ret < 0 ? -EINTR : 0;
}

/* Give up a request that no thread has taken; false if one has. */
static bool mregion_server_withdraw(struct mregion_server *server, u32 slot)
{
	struct mregion_server_call *call = &server->calls[slot];
	u32 state = mregion_server_state(call, MREGION_SERVER_REQUEST);
	bool withdrawn;

	raw_spin_lock(&server->lock);
	withdrawn = cmpxchg(&server->slots[slot].state, state,
			    mregion_server_state(call, MREGION_SERVER_IDLE)) ==
		    state;
	if (withdrawn)
		mregion_server_release_slot(server, slot);
	raw_spin_unlock(&server->lock);
	if (withdrawn)
		wake_up(&server->slot_wait);
	return withdrawn;
}

/*
 * Wait for an answer. On a signal the request stays with the server, for who
 * comes back for it; where there is no telling who does, it must not have begun.
 */
static int mregion_server_await(struct mregion_server *server, u32 slot,
				const struct mregion_request *request)
{
	u64 since = server->calls[slot].since;
	int ret;

	if (mregion_server_spin(server, slot)) {
		mregion_server_adapt(server, 0);
		return 0;
	}
	ret = mregion_server_sleep(server, slot, false);
	if (ret && !mregion_server_done(server, slot)) {
		if (request->vcpu != MREGION_NO_VCPU) {
			mregion_server_park(server, slot);
			return ret;
		}
		if (mregion_server_withdraw(server, slot))
			return ret;
		if (mregion_server_sleep(server, slot, true) &&
		    !mregion_server_done(server, slot))
			return 0;	/* dying, and gives it up */
	}
	mregion_server_adapt(server, ktime_get_ns() - since);
	return 0;
}

static bool mregion_server_has_slot(const struct mregion_server *server,
				    const struct mregion_server_waiter *waiter)
{
	if (READ_ONCE(server->dead))
		return true;
	/* a guess, that who finds a slot makes sure of with the lock */
	return data_race(server->waiters.next == &waiter->node &&
			 !bitmap_full(server->busy, server->nr_slots));
}

/* Whether a server owes some answer for longer than it may, by its @clock. */
static bool mregion_server_overdue(struct mregion_server *server, u64 clock)
{
	bool overdue = false;
	u32 slot;

	raw_spin_lock(&server->lock);
	for_each_set_bit(slot, server->busy, server->nr_slots)
		if (!mregion_server_answered(server, slot) &&
		    clock >= server->calls[slot].due)
			overdue = true;
	raw_spin_unlock(&server->lock);
	return overdue;
}

/*
 * Wait for a slot. Those that are taken may be so by requests that nobody waits
 * for, and if so, it is here that a server is found to take too long. But not if
 * they have been answered: then it is the VMM that does not come for them.
 */
static int mregion_server_wait_slot(struct mregion_server *server,
				    const struct mregion_server_waiter *waiter)
{
	u64 clock = mregion_server_look(server, 1);
	long ret;

	for (;;) {
		if (mregion_server_overdue(server, clock))
			mregion_server_expire(server);
		ret = wait_event_interruptible_timeout(server->slot_wait,
						       mregion_server_has_slot(server, waiter),
						       server->look);
		if (ret)
			break;
		clock = mregion_server_look(server, 0);
	}
	mregion_server_look(server, -1);
	return ret < 0 ? -EINTR : 0;
}

/* Make a request as soon as there is a slot. Returns as call_wait() below. */
static int mregion_server_queue(struct mregion_server *server,
				const struct mregion_request *request)
{
	struct mregion_server_waiter waiter;
	int slot, ret;

	raw_spin_lock(&server->lock);
	list_add_tail(&waiter.node, &server->waiters);
	raw_spin_unlock(&server->lock);
	do {
		ret = mregion_server_wait_slot(server, &waiter);
		if (ret)
			break;
		slot = mregion_server_submit(server, request, false, &waiter);
		if (slot >= 0)
			return slot;
		ret = slot;
	} while (ret == -EAGAIN);

	raw_spin_lock(&server->lock);
	list_del(&waiter.node);
	raw_spin_unlock(&server->lock);
	/* who came next may be first now */
	wake_up_all(&server->slot_wait);
	return ret;
}

/**
 * mregion_server_resume() - wait for an answer again
 * @server: the server
 * @request: the access, taken up by mregion_server_take_up(); for a read that is
 *	answered, @request->data is set
 *
 * Return: as mregion_server_call_wait().
 */
int mregion_server_resume(struct mregion_server *server,
			  struct mregion_request *request)
{
	int ret = mregion_server_await(server, request->slot, request);

	if (ret)
		return ret;
	return mregion_server_finish(server, request->slot, request);
}

/**
 * mregion_server_call_wait() - have a server answer an access, and wait for it
 * @server: the server
 * @request: the access; for a read that is answered, @request->data is set
 *
 * Return: 0; -ENODEV if the server is dead, and the access the VMM's; -EINTR if
 * a signal is pending, and the caller is to call again.
 */
int mregion_server_call_wait(struct mregion_server *server,
			     struct mregion_request *request)
{
	int slot;

	slot = mregion_server_submit(server, request, false, NULL);
	if (slot == -EAGAIN)
		slot = mregion_server_queue(server, request);
	if (slot < 0) {
		if (slot == -ENODEV)
			atomic64_inc(&server->exits);
		return slot;
	}
	request->slot = slot;
	return mregion_server_resume(server, request);
}

/**
 * mregion_server_stats_add() - add to a machine's counters what no region counts
 * @server: the server
 * @stats: where to
 */
void mregion_server_stats_add(struct mregion_server *server,
			      struct mregion_stats *stats)
{
	stats->wakeups += atomic64_read(&server->wakeups);
	stats->sleeps += atomic64_read(&server->sleeps);
}

/**
 * mregion_server_stats() - fill in a server's counters
 * @server: the server
 * @stats: where to
 */
void mregion_server_stats(struct mregion_server *server,
			  struct mregion_stats *stats)
{
	mregion_server_stats_add(server, stats);
	stats->outcomes[MREGION_OUTCOME_SERVED] =
		atomic64_read(&server->served);
	stats->outcomes[MREGION_OUTCOME_SERVER_EXIT] =
		atomic64_read(&server->exits);
}
