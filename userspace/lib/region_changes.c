// SPDX-License-Identifier: MIT
/* Changes of regions: their creation, what is set of them, their end. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_changes.h"
#include "share.h"

int mregion_region_wire_len(const char *what, const char *name, uint64_t *len)
{
	if (!*len)
		return mregion_fail_why(EINVAL,
			"%s '%s': no region has a length of 0; what is to show nothing is disabled, see mregion_set_enabled()",
			what, name);
	if (*len == MREGION_WHOLE)
		*len = 0;
	return 0;
}

struct mregion_region *mregion_region_new(struct mregion_machine *machine,
					  enum mregion_kind kind,
					  const char *name, uint64_t len)
{
	struct mregion_region *region;
	int err = EINVAL;

	if (!name)
		name = "";
	region = calloc(1, sizeof(*region));
	if (!region) {
		err = ENOMEM;
		mregion_fail(err, "create '%s'", name);
		goto refuse;
	}
	if (strlen(name) >= sizeof(region->name)) {
		mregion_fail_why(err,
				 "create '%s': its name is longer than %zu bytes",
				 name, sizeof(region->name) - 1);
		goto free_region;
	}
	/* Of a container that is made, 0 says that its length does not matter. */
	if ((len || kind != MREGION_CONTAINER) &&
	    mregion_region_wire_len("create", name, &len))
		goto free_region;
	strcpy(region->name, name);
	atomic_init(&region->refs, 1);
	atomic_init(&region->len, len);
	region->kind = kind;
	region->machine = machine;
	mregion_ram_init(&region->ram, machine->page_size,
			 kind == MREGION_ROM || kind == MREGION_ROMD);
	region->id = mregion_next_id(machine, &machine->last_region_id);
	if (!region->id) {
		err = ENOSPC;
		mregion_fail_why(err, "create '%s': all IDs are used up", name);
		goto free_region;
	}
	return region;

free_region:
	free(region);
refuse:
	mregion_refuse(machine, -err);
	return NULL;
}

static void settle_create(void *object, const struct mregion_op *op,
			  bool done)
{
	struct mregion_region *region = object;

	(void)op;
	atomic_store(&region->dead, !done);
	if (done)
		mregion_logging_created(region);
}

/* Holders of views are to have memory from the first moment. */
static int create_and_share(struct mregion_region *region,
			    struct mregion_op *op)
{
	struct mregion_machine *machine = region->machine;
	int ret;

	if (!machine->shared || region->ram.fd < 0)
		return mregion_change(machine, op, settle_create, region);
	mregion_transaction_begin(&machine->transaction);
	ret = mregion_change(machine, op, settle_create, region);
	if (!ret)
		mregion_region_share(region);
	return mregion_commit_inner(machine) ?: ret;
}

struct mregion_region *mregion_region_create(struct mregion_region *region,
					     struct mregion_op *op)
{
	struct mregion_machine *machine = region->machine;
	int ret;

	op->code = MREGION_OP_CREATE;
	op->id = region->id;
	op->create.kind = region->kind;
	op->create.len = atomic_load(&region->len);
	op->create.constraints = mregion_region_constraints(region);
	memcpy(op->create.name, region->name, sizeof(op->create.name));

	/* Logs of all memory begin before it, or find it created. */
	pthread_mutex_lock(&machine->transaction.lock);
	if (mregion_logging_wanted(region))
		op->create.flags |= MREGION_REGION_LOG_DIRTY;
	ret = mregion_table_add(&machine->regions, region);
	if (ret) {
		mregion_fail(-ret, "create '%s'", region->name);
		mregion_refuse(machine, ret);
	} else {
		ret = create_and_share(region, op);
		if (ret)
			mregion_table_remove(&machine->regions, region);
	}
	pthread_mutex_unlock(&machine->transaction.lock);
	if (!ret)
		return region;
	mregion_region_put(region);
	errno = -ret;
	return NULL;
}

int mregion_region_change(struct mregion_region *region, struct mregion_op *op,
			  mregion_settle_t *settle, const char *what)
{
	if (!region)
		return mregion_refuse_null(what);
	op->id = region->id;
	if (settle)
		mregion_region_get(region);
	return mregion_change(region->machine, op, settle, region);
}

static struct mregion_region *new_plain(struct mregion_machine *machine,
					enum mregion_kind kind,
					const char *name, uint64_t len)
{
	struct mregion_region *region;
	struct mregion_op op = { 0 };

	region = mregion_region_new(machine, kind, name, len);
	return region ? mregion_region_create(region, &op) : NULL;
}

struct mregion_region *mregion_new_container(struct mregion_machine *machine,
					     const char *name, uint64_t len)
{
	return new_plain(machine, MREGION_CONTAINER, name, len);
}

struct mregion_region *mregion_new_reservation(struct mregion_machine *machine,
					       const char *name, uint64_t len)
{
	return new_plain(machine, MREGION_RESERVATION, name, len);
}

struct mregion_region *mregion_new_mmio(struct mregion_machine *machine,
					const char *name, uint64_t len,
					const struct mregion_ops *ops,
					void *opaque)
{
	struct mregion_region *region;
	struct mregion_op op = { 0 };

	if (!ops) {
		mregion_refuse_null("create an MMIO region");
		return NULL;
	}
	region = mregion_region_new(machine, MREGION_MMIO, name, len);
	if (!region)
		return NULL;
	region->ops = ops;
	region->opaque = opaque;
	mregion_region_set_constraints(region, &ops->constraints);
	return mregion_region_create(region, &op);
}

struct mregion_region *mregion_new_alias(struct mregion_machine *machine,
					 const char *name,
					 struct mregion_region *target,
					 uint64_t offset, uint64_t len)
{
	struct mregion_region *region;
	struct mregion_op op = { .create = { .offset = offset } };

	if (!target) {
		mregion_refuse_null("create an alias");
		return NULL;
	}
	op.create.target = target->id;
	region = mregion_region_new(machine, MREGION_ALIAS, name, len);
	return region ? mregion_region_create(region, &op) : NULL;
}

void mregion_region_release(struct mregion_region *region)
{
	const struct mregion_vmm_lock *lock = &region->machine->sections.vmm_lock;
	void (*release)(void *opaque);
	bool locked;

	release = region->ops ? region->ops->release : NULL;
	if (release) {
		locked = mregion_vmm_lock(lock);
		release(region->opaque);
		mregion_vmm_unlock(lock, locked);
	}
	mregion_region_put(region);
}

static void call_release(struct mregion_deferred *deferred)
{
	mregion_region_release((struct mregion_region *)((char *)deferred -
				offsetof(struct mregion_region, release)));
}

static void release_handle(struct mregion_region *region)
{
	atomic_store(&region->freed, true);
	mregion_table_remove(&region->machine->regions, region);
	if (region->ops && region->ops->release) {
		region->release.call = call_release;
		mregion_sections_defer(&region->machine->sections,
				       &region->release);
	} else {
		mregion_region_put(region);
	}
}

static void settle_free(void *object, const struct mregion_op *op, bool done)
{
	(void)op;
	if (done)
		release_handle(object);
}

int mregion_free(struct mregion_region *region)
{
	struct mregion_op op = { .code = MREGION_OP_FREE };
	struct mregion_machine *machine;
	int ret = 0;

	if (!region) {
		mregion_no_change(NULL);
		return 0;
	}
	machine = region->machine;
	op.id = region->id;
	if (atomic_load(&region->dead)) {
		mregion_no_change(machine);
		release_handle(region);
	} else {
		ret = mregion_change(machine, &op, settle_free, region);
	}
	mregion_sections_run(&machine->sections);
	return ret;
}

uint32_t mregion_id(const struct mregion_region *region)
{
	return region->id;
}

void *mregion_opaque(const struct mregion_region *region)
{
	/* The functions of a RAM device are the library's. */
	return region->kind == MREGION_RAMDEV ? NULL : region->opaque;
}

const char *mregion_name(const struct mregion_region *region)
{
	return region->name;
}

struct mregion_region *mregion_region_by_id(struct mregion_machine *machine,
					    uint32_t id)
{
	struct mregion_region *region;
	bool dead;

	region = mregion_table_get(&machine->regions, id);
	if (!region)
		return NULL;
	dead = atomic_load(&region->dead);
	/* The caller relies on the handle, as with any other region. */
	mregion_region_put(region);
	return dead ? NULL : region;
}

static int map_region(struct mregion_region *parent, struct mregion_region *region,
		      uint64_t offset, int priority, uint32_t flags)
{
	struct mregion_op op = {
		.code = MREGION_OP_MAP,
		.map = {
			.offset = offset,
			.priority = priority,
			.flags = flags,
		},
	};

	if (!parent)
		return mregion_refuse_null("map a region");
	op.map.parent = parent->id;
	return mregion_region_change(region, &op, NULL, "map a region");
}

int mregion_map(struct mregion_region *parent, struct mregion_region *region,
		uint64_t offset, int priority)
{
	return map_region(parent, region, offset, priority, 0);
}

int mregion_map_exclusive(struct mregion_region *parent,
			  struct mregion_region *region, uint64_t offset,
			  int priority)
{
	return map_region(parent, region, offset, priority, MREGION_MAP_EXCLUSIVE);
}

int mregion_unmap(struct mregion_region *region)
{
	struct mregion_op op = { .code = MREGION_OP_UNMAP };

	return mregion_region_change(region, &op, NULL, "unmap a region");
}

int mregion_move(struct mregion_region *region, uint64_t offset)
{
	struct mregion_op op = {
		.code = MREGION_OP_MOVE,
		.offset = offset,
	};

	return mregion_region_change(region, &op, NULL, "move a region");
}

int mregion_set_flags(struct mregion_region *region, uint32_t mask,
		      uint32_t flags)
{
	struct mregion_op op = {
		.code = MREGION_OP_SET_FLAGS,
		.set_flags = { .mask = mask, .flags = flags },
	};

	return mregion_region_change(region, &op, NULL,
				     "change flags of a region");
}

static int set_flag(struct mregion_region *region, uint32_t flag, bool on)
{
	return mregion_set_flags(region, flag, on ? flag : 0);
}

int mregion_set_enabled(struct mregion_region *region, bool enabled)
{
	return set_flag(region, MREGION_REGION_DISABLED, !enabled);
}

int mregion_set_readonly(struct mregion_region *region, bool readonly)
{
	return set_flag(region, MREGION_REGION_READONLY, readonly);
}

int mregion_set_log_dirty(struct mregion_region *region, bool log)
{
	return set_flag(region, MREGION_REGION_LOG_DIRTY, log);
}

int mregion_set_romd(struct mregion_region *region, bool from_memory)
{
	return set_flag(region, MREGION_REGION_ROMD_OFF, !from_memory);
}

int mregion_set_alias_offset(struct mregion_region *alias, uint64_t offset)
{
	struct mregion_op op = {
		.code = MREGION_OP_SET_ALIAS,
		.offset = offset,
	};

	return mregion_region_change(alias, &op, NULL,
				     "change the offset of an alias");
}

static void settle_constraints(void *object, const struct mregion_op *op,
			       bool done)
{
	struct mregion_region *region = object;

	if (done)
		mregion_region_set_constraints(region, &op->constraints);
	mregion_region_put(region);
}

int mregion_set_constraints(struct mregion_region *region,
			    const struct mregion_constraints *constraints)
{
	struct mregion_op op = { .code = MREGION_OP_SET_CONSTRAINTS };

	if (!constraints)
		return mregion_refuse_null("set constraints");
	op.constraints = *constraints;
	return mregion_region_change(region, &op, settle_constraints,
				     "set constraints");
}
