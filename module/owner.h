/* SPDX-License-Identifier: GPL-2.0 */
/* Owners: the processes that opened machines, for netlink and the log. */
#ifndef MREGION_OWNER_H
#define MREGION_OWNER_H

#include <linux/kref.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/types.h>

struct net;

/**
 * struct mregion_owner - the owner of a machine
 * @kref: held by the machine, and by what can outlive it
 * @net: the network namespace that sees it; a reference
 * @pid: the process that opened it; a reference
 * @comm: its name at that time
 * @machine: number of the machine
 */
struct mregion_owner {
	struct kref kref;
	struct net *net;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	u32 machine;
};

struct mregion_owner *mregion_owner_alloc(void);
struct mregion_owner *mregion_owner_get(struct mregion_owner *owner);
void mregion_owner_put(struct mregion_owner *owner);

/**
 * mregion_owner_warn() - log a failure of a machine, limited in rate
 * @owner: its owner
 * @fmt: the failure and its reason, as for printk(), without a newline
 */
#define mregion_owner_warn(owner, fmt, ...)				\
	pr_warn_ratelimited("mregion: machine %u of %s[%d]: " fmt "\n",	\
			    (owner)->machine, (owner)->comm,		\
			    pid_nr((owner)->pid), ##__VA_ARGS__)

#endif /* MREGION_OWNER_H */
