// SPDX-License-Identifier: GPL-2.0
#include <linux/list.h>
#include <linux/pid.h>
#include <net/netlink.h>

#include "kvm_attachment.h"
#include "machine.h"
#include "netlink.h"
#include "owner.h"

static int mregion_put_sizes(struct sk_buff *skb,
			     const struct mregion_machine *machine)
{
	const struct {
		int attr;
		u32 nr;
	} sizes[] = {
		{ MREGION_A_MACHINE_NR_REGIONS, machine->nr_regions },
		{ MREGION_A_MACHINE_NR_RULES, machine->nr_rules },
		{ MREGION_A_MACHINE_NR_SPACES, machine->nr_spaces },
		{ MREGION_A_MACHINE_NR_RINGS, machine->nr_rings },
		{ MREGION_A_MACHINE_NR_SHADOWS, machine->nr_shadows },
		{ MREGION_A_MACHINE_NR_SERVERS, machine->nr_servers },
		{ MREGION_A_MACHINE_NR_VMS,
		  list_count_nodes((struct list_head *)&machine->attachments) },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (nla_put_u32(skb, sizes[i].attr, sizes[i].nr))
			return -EMSGSIZE;
	return 0;
}

static int mregion_put_sums(struct sk_buff *skb,
			    const struct mregion_stats *stats)
{
	const int pad = MREGION_A_MACHINE_PAD;

	if (mregion_put_u64(skb, MREGION_A_MACHINE_MEMORY, stats->memory, pad) ||
	    mregion_put_u64(skb, MREGION_A_MACHINE_WINDOWS, stats->windows,
			    pad) ||
	    mregion_put_u64(skb, MREGION_A_MACHINE_WAKEUPS, stats->wakeups,
			    pad) ||
	    mregion_put_u64(skb, MREGION_A_MACHINE_SLEEPS, stats->sleeps, pad))
		return -EMSGSIZE;
	return mregion_put_counters(skb, MREGION_A_MACHINE_COUNTERS,
				    stats->outcomes);
}

/**
 * mregion_put_machine() - put what a machine has to say
 * @skb: the message
 * @machine: the machine, whose lock is taken
 *
 * Return: 0, -EMSGSIZE, -EINTR.
 */
int mregion_put_machine(struct sk_buff *skb, struct mregion_machine *machine)
{
	struct mregion_stats stats = {};
	int ret = -EMSGSIZE;

	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	mregion_attachments_reap(machine);
	mregion_machine_sum(machine, &stats);
	if (!nla_put_u32(skb, MREGION_A_MACHINE_ID, machine->id) &&
	    !nla_put_u32(skb, MREGION_A_MACHINE_PID,
			 pid_vnr(machine->owner->pid)) &&
	    !nla_put_string(skb, MREGION_A_MACHINE_COMM,
			    machine->owner->comm) &&
	    !mregion_put_u64(skb, MREGION_A_MACHINE_GENERATION,
			     machine->generation, MREGION_A_MACHINE_PAD) &&
	    !mregion_put_sizes(skb, machine) &&
	    !mregion_put_sums(skb, &stats))
		ret = 0;
	mutex_unlock(&machine->lock);
	return ret;
}
