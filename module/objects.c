// SPDX-License-Identifier: GPL-2.0
/*
 * What regions refer to, but is no part of the hierarchy. Each object has a
 * descriptor of its own, so that it can be passed to another process.
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "behaviour.h"
#include "machine.h"
#include "objects.h"
#include "region.h"
#include "ring.h"
#include "rule.h"
#include "server.h"
#include "shadow.h"

/* Whether an ID can be given to one more of @nr objects. */
static int mregion_object_check(struct xarray *xa, u32 id, u32 nr, u32 max)
{
	if (!id)
		return -EINVAL;
	if (xa_load(xa, id))
		return -EEXIST;
	return nr == max ? -ENOSPC : 0;
}

static int mregion_object_store(struct xarray *xa, u32 id, void *object)
{
	return xa_err(xa_store(xa, id, object, GFP_KERNEL_ACCOUNT));
}

static bool mregion_rule_uses(const struct mregion_behaviour_rule *rule,
			      const void *object)
{
	return rule->ring == object || rule->shadow == object ||
	       (mregion_rule_is_indexed(rule) && rule->index->shadow == object);
}

static bool mregion_behaviour_uses(const struct mregion_behaviour *behaviour,
				   const void *object)
{
	u32 i;

	if (!behaviour)
		return false;
	if (behaviour->server == object)
		return true;
	for (i = 0; i < behaviour->nr_rules; i++)
		if (mregion_rule_uses(behaviour->sorted[i], object))
			return true;
	return false;
}

/* Take an object out of its table, unless a region refers to it. */
static void *mregion_object_remove(struct mregion_machine *machine,
				   struct xarray *xa, u32 id)
{
	struct mregion_region *region;
	void *object = xa_load(xa, id);
	unsigned long i;

	if (!object)
		return ERR_PTR(-ENOENT);
	xa_for_each(&machine->regions, i, region) {
		if (mregion_behaviour_uses(region->node.state.behaviour,
					   object))
			return ERR_PTR(-EBUSY);
		cond_resched();
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
	}
	return xa_erase(xa, id);
}

/**
 * mregion_ring_create() - create a ring
 * @machine: the machine, locked
 * @args: from userspace; @args->fd is set
 *
 * Return: 0 or a negative errno, see MREGION_RING_CREATE.
 */
int mregion_ring_create(struct mregion_machine *machine,
			struct mregion_ring_create *args)
{
	struct mregion_ring *ring;
	int ret = mregion_object_check(&machine->rings, args->id,
				       machine->nr_rings, MREGION_MAX_RINGS);

	if (ret)
		return ret;
	ring = mregion_ring_alloc(args, machine->budget, machine->owner);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	ret = mregion_object_store(&machine->rings, args->id, ring);
	if (ret)
		goto err_put;
	/* last: once it is there, other threads can use the descriptor */
	ret = mregion_ring_fd(ring);
	if (ret < 0)
		goto err_erase;
	args->fd = ret;
	machine->nr_rings++;
	return 0;

err_erase:
	xa_erase(&machine->rings, args->id);
err_put:
	mregion_ring_put(ring);
	return ret;
}

/**
 * mregion_ring_remove() - forget a ring
 * @machine: the machine, locked
 * @id: its ID
 *
 * Return: the ring, with the machine's reference, or an ERR_PTR: -ENOENT,
 * -EBUSY, -EINTR.
 */
struct mregion_ring *mregion_ring_remove(struct mregion_machine *machine,
					 u32 id)
{
	struct mregion_ring *ring = mregion_object_remove(machine,
							  &machine->rings, id);

	if (IS_ERR(ring))
		return ring;
	machine->nr_rings--;
	machine->wakeups += atomic64_read(&ring->wakeups);
	return ring;
}

/**
 * mregion_shadow_create() - create shadow memory
 * @machine: the machine, locked
 * @args: from userspace; @args->fd is set
 *
 * Return: 0 or a negative errno, see MREGION_SHADOW_CREATE.
 */
int mregion_shadow_create(struct mregion_machine *machine,
			  struct mregion_shadow_create *args)
{
	struct mregion_shadow *shadow;
	int ret = mregion_object_check(&machine->shadows, args->id,
				       machine->nr_shadows,
				       MREGION_MAX_SHADOWS);

	if (ret)
		return ret;
	shadow = mregion_shadow_alloc(args, machine->budget);
	if (IS_ERR(shadow))
		return PTR_ERR(shadow);
	ret = mregion_object_store(&machine->shadows, args->id, shadow);
	if (ret)
		goto err_put;
	ret = mregion_shadow_fd(shadow);
	if (ret < 0)
		goto err_erase;
	args->fd = ret;
	machine->nr_shadows++;
	return 0;

err_erase:
	xa_erase(&machine->shadows, args->id);
err_put:
	mregion_shadow_put(shadow);
	return ret;
}

/**
 * mregion_shadow_free() - forget shadow memory
 * @machine: the machine, locked
 * @id: its ID
 *
 * Return: 0, -ENOENT, -EBUSY, -EINTR.
 */
int mregion_shadow_free(struct mregion_machine *machine, u32 id)
{
	struct mregion_shadow *shadow;

	shadow = mregion_object_remove(machine, &machine->shadows, id);
	if (IS_ERR(shadow))
		return PTR_ERR(shadow);
	machine->nr_shadows--;
	mregion_shadow_put(shadow);
	return 0;
}

/**
 * mregion_server_create() - create a server
 * @machine: the machine, locked
 * @args: from userspace; @args->fd is set
 *
 * Return: 0 or a negative errno, see MREGION_SERVER_CREATE.
 */
int mregion_server_create(struct mregion_machine *machine,
			  struct mregion_server_create *args)
{
	struct mregion_server *server;
	int ret = mregion_object_check(&machine->servers, args->id,
				       machine->nr_servers,
				       MREGION_MAX_SERVERS);

	if (ret)
		return ret;
	server = mregion_server_alloc(args, machine->budget, machine->owner);
	if (IS_ERR(server))
		return PTR_ERR(server);
	ret = mregion_object_store(&machine->servers, args->id, server);
	if (ret)
		goto err_put;
	ret = mregion_server_fd(server);
	if (ret < 0)
		goto err_erase;
	args->fd = ret;
	machine->nr_servers++;
	return 0;

err_erase:
	xa_erase(&machine->servers, args->id);
err_put:
	mregion_server_put(server);
	return ret;
}

/**
 * mregion_server_free() - forget a server
 * @machine: the machine, locked
 * @id: its ID
 *
 * Return: 0, -ENOENT, -EBUSY, -EINTR.
 */
int mregion_server_free(struct mregion_machine *machine, u32 id)
{
	struct mregion_server *server;

	server = mregion_object_remove(machine, &machine->servers, id);
	if (IS_ERR(server))
		return PTR_ERR(server);
	machine->nr_servers--;
	machine->wakeups += atomic64_read(&server->wakeups);
	machine->sleeps += atomic64_read(&server->sleeps);
	mregion_server_kill(server);
	mregion_server_put(server);
	return 0;
}

/**
 * mregion_objects_free() - forget all objects of a machine
 * @machine: the machine, which nobody can call any more, without regions
 */
void mregion_objects_free(struct mregion_machine *machine)
{
	struct mregion_server *server;
	struct mregion_shadow *shadow;
	struct mregion_ring *ring;
	unsigned long id;

	xa_for_each(&machine->rings, id, ring) {
		mregion_ring_put(ring);
		cond_resched();
	}
	xa_for_each(&machine->shadows, id, shadow) {
		mregion_shadow_put(shadow);
		cond_resched();
	}
	xa_for_each(&machine->servers, id, server) {
		mregion_server_kill(server);
		mregion_server_put(server);
		cond_resched();
	}
	xa_destroy(&machine->rings);
	xa_destroy(&machine->shadows);
	xa_destroy(&machine->servers);
}
