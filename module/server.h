/* SPDX-License-Identifier: GPL-2.0 */
/* Servers: processes that answer accesses. */
#ifndef MREGION_SERVER_H
#define MREGION_SERVER_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "memory.h"

struct eventfd_ctx;
struct mregion_owner;
struct mregion_request;
struct pid;

/**
 * struct mregion_server_call - the kernel's side of a slot
 * @number: of the request, in the upper bits of the slot's state
 * @parked: no thread waits for the answer now; the VMM will ask for it
 * @late: given up while a thread of the server handled it
 * @region: ID of the region it was made to
 * @owner: struct mregion_request.owner; NULL once that is detached
 * @vcpu: index of the vCPU that made the access
 * @len: of the access
 * @write: whether it is a write
 * @space: ID of the space it was made in
 * @addr: its address there
 * @offset: where in the region
 * @data: the value written
 * @since: when the request was made, in ns
 * @due: by when the server is to answer, by its clock
 * @wait: for the answer
 */
struct mregion_server_call {
	u32 number;
	bool parked;
	bool late;
	u16 vcpu;
	u8 len;
	bool write;
	u32 space;
	u32 region;
	const void *owner;
	u64 addr;
	u64 offset;
	u64 data;
	u64 since;
	u64 due;
	wait_queue_head_t wait;
};

/**
 * struct mregion_server - a server
 * @id: its ID
 * @owner: of its machine; a reference
 * @kref: held by the machine, regions bound to it, accesses under way, its file
 * @rcu: frees it, since searches for parked requests hold no reference
 * @lock: protects @busy, @nr_parked, @nr_late, @events, @dead, @waiters, the clock
 *	and the slots' making
 * @dead: it answers nothing any more; never cleared
 * @events: see struct mregion_server_header
 * @nr_slots: number of slots
 * @nr_parked: number of parked requests
 * @nr_late: number of slots that a thread is to let go of
 * @spin_ns: how long vCPUs spin at present
 * @max_spin_ns: how long they spin at most
 * @timeout_ns: longest time that an answer may take by @clock, or 0
 * @process: the process that serves, or NULL as long as none is known
 * @clock: time that it could run, in ns, up to the last check
 * @nr_waiting: number of threads that check @clock, for an answer or for a slot
 * @looked: time of the last check
 * @held: it could not run then
 * @look: jiffies until a waiting thread checks again
 * @look_ns: longest time that counts between two checks
 * @eventfd: to signal when it is dead, or NULL
 * @header: the shared memory
 * @slots: in the shared memory; never trusted
 * @memory: the shared memory
 * @busy: slots in use
 * @wait: the server's threads that wait for requests
 * @slot_wait: accesses that found no slot
 * @waiters: the same, in the order in which they get one
 * @served: requests answered
 * @exits: requests that were left to the VMM
 * @sleeps: requests that a vCPU stopped spinning for
 * @wakeups: times that a request came while a thread was asleep
 * @calls: one for each slot
 */
struct mregion_server {
	u32 id;
	struct mregion_owner *owner;
	struct kref kref;
	struct rcu_head rcu;
	raw_spinlock_t lock;
	bool dead;
	u32 events;
	u32 nr_slots;
	u32 nr_parked;
	u32 nr_late;
	u32 spin_ns;
	u32 max_spin_ns;
	u64 timeout_ns;
	struct pid *process;
	u64 clock;
	u32 nr_waiting;
	u64 looked;
	bool held;
	long look;
	u64 look_ns;
	struct eventfd_ctx *eventfd;
	struct mregion_server_header *header;
	struct mregion_server_slot *slots;
	struct mregion_memory memory;
	DECLARE_BITMAP(busy, MREGION_SERVER_MAX_SLOTS);
	wait_queue_head_t wait;
	wait_queue_head_t slot_wait;
	struct list_head waiters;
	atomic64_t served;
	atomic64_t exits;
	atomic64_t sleeps;
	atomic64_t wakeups;
	struct mregion_server_call calls[];
};

/** mregion_server_is_dead() - whether a server answers nothing any more */
static inline bool mregion_server_is_dead(const struct mregion_server *server)
{
	return READ_ONCE(server->dead);
}

struct mregion_server *
mregion_server_alloc(const struct mregion_server_create *args,
		     struct mregion_budget *budget, struct mregion_owner *owner);
int mregion_server_fd(struct mregion_server *server);
void mregion_server_get(struct mregion_server *server);
void mregion_server_put(struct mregion_server *server);
void mregion_server_kill(struct mregion_server *server);
void mregion_server_post(struct mregion_server *server);
void mregion_server_let_go(struct mregion_server *server, u32 slot);
void mregion_server_forget(struct mregion_server *server, const void *owner);
bool mregion_server_take_up(struct mregion_server *server,
			    struct mregion_request *request);
int mregion_server_call_vcpu(struct mregion_server *server,
			     struct mregion_request *request);
int mregion_server_call_wait(struct mregion_server *server,
			     struct mregion_request *request);
int mregion_server_resume(struct mregion_server *server,
			  struct mregion_request *request);
void mregion_server_stats(struct mregion_server *server,
			  struct mregion_stats *stats);
void mregion_server_stats_add(struct mregion_server *server,
			      struct mregion_stats *stats);

void mregion_server_clock_init(struct mregion_server *server,
			       u64 timeout_usecs);
void mregion_server_clock_of(struct mregion_server *server);
u64 mregion_server_due(const struct mregion_server *server);
u64 mregion_server_look(struct mregion_server *server, int waiters);

#endif /* MREGION_SERVER_H */
