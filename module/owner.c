// SPDX-License-Identifier: GPL-2.0
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "owner.h"

/**
 * mregion_owner_alloc() - the calling process as an owner
 *
 * Return: it with one reference, or NULL.
 */
struct mregion_owner *mregion_owner_alloc(void)
{
	struct mregion_owner *owner;

	owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	if (!owner)
		return NULL;
	kref_init(&owner->kref);
	owner->net = get_net(current->nsproxy->net_ns);
	owner->pid = get_pid(task_tgid(current));
	get_task_comm(owner->comm, current->group_leader);
	return owner;
}

/** mregion_owner_get() - take a reference */
struct mregion_owner *mregion_owner_get(struct mregion_owner *owner)
{
	kref_get(&owner->kref);
	return owner;
}

static void mregion_owner_release(struct kref *kref)
{
	struct mregion_owner *owner = container_of(kref, struct mregion_owner,
						   kref);

	put_net(owner->net);
	put_pid(owner->pid);
	kfree(owner);
}

/** mregion_owner_put() - drop a reference; NULL is fine */
void mregion_owner_put(struct mregion_owner *owner)
{
	if (owner)
		kref_put(&owner->kref, mregion_owner_release);
}
