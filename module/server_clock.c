// SPDX-License-Identifier: GPL-2.0
/*
 * A server's clock, by which it is found to take too long.
 *
 * It goes while the server could run: not while its process is stopped by a
 * signal or a debugger, or frozen, and not while nobody who waits for it could
 * run, as when all of a virtual machine stands still. Who waits looks at it
 * several times in a timeout. What passes between two looks counts if somebody
 * waited, and the process could run at both, and no more of it than looks are
 * apart.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "server.h"

/* Looks in a timeout. A process that stops for less may not be seen stopped. */
#define MREGION_CLOCK_LOOKS	8

/**
 * mregion_server_clock_init() - set a new server's clock
 * @server: the server
 * @timeout_usecs: see struct mregion_server_create
 */
void mregion_server_clock_init(struct mregion_server *server, u64 timeout_usecs)
{
	server->timeout_ns = timeout_usecs * NSEC_PER_USEC;
	server->look = MAX_SCHEDULE_TIMEOUT;
	if (!timeout_usecs)
		return;
	server->look = nsecs_to_jiffies(server->timeout_ns /
					MREGION_CLOCK_LOOKS) + 1;
	/* who waits for so many jiffies may wait for one more */
	server->look_ns = jiffies_to_nsecs(server->look + 1);
}

/**
 * mregion_server_clock_of() - whose clock it is: the calling process's
 * @server: the server
 *
 * Called for what who serves does and others do not. Where several processes
 * serve, the last one counts.
 */
void mregion_server_clock_of(struct mregion_server *server)
{
	struct pid *process = task_tgid(current), *old;

	if (READ_ONCE(server->process) == process)
		return;
	get_pid(process);
	raw_spin_lock(&server->lock);
	old = server->process;
	WRITE_ONCE(server->process, process);
	raw_spin_unlock(&server->lock);
	put_pid(old);
}

static bool mregion_task_held(struct task_struct *task)
{
	if (task_is_stopped(task) || task_is_traced(task) ||
	    READ_ONCE(task->__state) & TASK_FROZEN)
		return true;
#ifdef CONFIG_CGROUPS
	/* by version 2 of control groups, where it sleeps as others do */
	return data_race(!!task->frozen);
#else
	return false;
#endif
}

/* Whether no thread of a process can run until somebody lets it. */
static bool mregion_process_held(struct pid *process)
{
	struct task_struct *leader, *task;
	bool held = false;

	rcu_read_lock();
	leader = pid_task(process, PIDTYPE_TGID);
	if (leader) {
		for_each_thread(leader, task) {
			/* one that is just ending is not the only one */
			if (data_race(task->flags) & PF_EXITING)
				continue;
			held = mregion_task_held(task);
			if (!held)
				break;
		}
	}
	rcu_read_unlock();
	return held;
}

/**
 * mregion_server_due() - when an answer is due
 * @server: the server, locked
 *
 * Of what the next look finds to have passed, some may be from before.
 *
 * Return: a time of its clock.
 */
u64 mregion_server_due(const struct mregion_server *server)
{
	if (!server->timeout_ns)
		return U64_MAX;
	return server->clock + server->look_ns + server->timeout_ns;
}

/**
 * mregion_server_look() - look at a server's clock
 * @server: the server
 * @waiters: how many more wait from now on: 1, 0, or -1
 *
 * Called by who waits: as it begins, every @look jiffies, and as it ends.
 *
 * Return: its time.
 */
u64 mregion_server_look(struct mregion_server *server, int waiters)
{
	struct pid *process;
	u64 now, clock;
	bool held;

	if (!server->timeout_ns)
		return 0;
	raw_spin_lock(&server->lock);
	process = get_pid(server->process);
	raw_spin_unlock(&server->lock);
	held = mregion_process_held(process);
	put_pid(process);

	raw_spin_lock(&server->lock);
	now = ktime_get_ns();
	/* so much even if the look is late: it may be so each time */
	if (server->nr_waiting && !held && !server->held)
		server->clock += min(now - server->looked, server->look_ns);
	server->nr_waiting += waiters;
	server->held = held;
	server->looked = now;
	clock = server->clock;
	raw_spin_unlock(&server->lock);
	return clock;
}
