// SPDX-License-Identifier: GPL-2.0
/*
 * From userspace to the machine and back: sizes, pointers and locks are dealt
 * with here, so that the rest of the module sees none of userspace's memory.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "access.h"
#include "budget.h"
#include "commit.h"
#include "changes.h"
#include "dump.h"
#include "ioctl.h"
#include "kvm_attachment.h"
#include "machine.h"
#include "objects.h"
#include "retire.h"
#include "ring.h"
#include "server.h"
#include "trace.h"
#include "txn.h"
#include "watch.h"

/* All argument structures; there is no telling how large userspace's are. */
union mregion_args {
	__u32 size;
	struct mregion_info info;
	struct mregion_commit commit;
	struct mregion_view_read view;
	struct mregion_changes_read changes;
	struct mregion_regions regions;
	struct mregion_spaces spaces;
	struct mregion_translate translate;
	struct mregion_access access;
	struct mregion_ring_create ring_create;
	struct mregion_ring_free ring_free;
	struct mregion_attach attach;
	struct mregion_detach detach;
	struct mregion_stats stats;
	struct mregion_shadow_create shadow_create;
	struct mregion_shadow_free shadow_free;
	struct mregion_server_create server_create;
	struct mregion_server_free server_free;
	struct mregion_claims_read claims;
	struct mregion_view_open view_open;
};

/* Of struct mregion_op in the base interface; its last member is what grows. */
#define MREGION_OP_FIRST_SIZE	128

static int mregion_do_info(struct mregion_machine *machine,
			   union mregion_args *args)
{
	args->info = (struct mregion_info) {
		.size = args->size,
		.abi_version = MREGION_ABI_VERSION,
		.features = MREGION_FEATURE_CHANGES |
			    MREGION_FEATURE_VIEW_OPEN |
			    MREGION_FEATURE_FAST |
			    MREGION_FEATURE_INDEXED |
			    mregion_attach_features(),
		.max_regions = MREGION_MAX_REGIONS,
		.max_spaces = MREGION_MAX_SPACES,
		.max_depth = MREGION_MAX_DEPTH,
		.max_ranges = MREGION_MAX_RANGES,
		.max_ops = MREGION_MAX_OPS,
		.max_rings = MREGION_MAX_RINGS,
		.max_ring_entries = MREGION_MAX_RING_ENTRIES,
		.max_rules = MREGION_MAX_RULES,
		.max_machine_rules = MREGION_MAX_MACHINE_RULES,
		.max_windows = MREGION_MAX_WINDOWS,
		.max_fast = MREGION_MAX_FAST,
		.max_servers = MREGION_MAX_SERVERS,
		.max_work = MREGION_MAX_WORK,
		.max_shadows = MREGION_MAX_SHADOWS,
		.max_slots = MREGION_SERVER_MAX_SLOTS,
		.max_shadow_len = MREGION_MAX_SHADOW_LEN,
		.max_memory = mregion_budget_limit(),
		.max_indices = MREGION_MAX_INDICES,
	};
	return 0;
}

static int mregion_copy_ops(const struct mregion_commit *args,
			    struct mregion_op *ops)
{
	const char __user *from = u64_to_user_ptr(args->ops);
	u32 i;
	int ret;

	if (args->op_size == sizeof(*ops))
		return copy_from_user(ops, from, args->nr_ops * sizeof(*ops)) ?
		       -EFAULT : 0;
	for (i = 0; i < args->nr_ops; i++) {
		ret = copy_struct_from_user(&ops[i], sizeof(*ops), from,
					    args->op_size);
		if (ret)
			return ret;
		from += args->op_size;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* What cannot be told is not done: find out before, not after. */
static int mregion_prepare_results(const struct mregion_commit *commit,
				   s32 **results)
{
	if (!commit->results)
		return 0;
	*results = kvcalloc(commit->nr_ops, sizeof(**results),
			    GFP_KERNEL_ACCOUNT);
	if (!*results)
		return -ENOMEM;
	return clear_user(u64_to_user_ptr(commit->results),
			  commit->nr_ops * sizeof(**results)) ? -EFAULT : 0;
}

/* Nor does what has been done become an error by not being told. */
static int mregion_tell_results(const struct mregion_commit *commit,
				const s32 *results, int ret)
{
	if (results && commit->nr_failed &&
	    copy_to_user(u64_to_user_ptr(commit->results), results,
			 commit->nr_ops * sizeof(*results)) &&
	    commit->flags & MREGION_COMMIT_DRY_RUN)
		return ret ?: -EFAULT;
	return ret;
}

static int mregion_commit_user(struct mregion_machine *machine,
			       struct mregion_commit *commit)
{
	struct mregion_op one, *ops = &one;
	s32 *results = NULL;
	u64 bytes;
	int ret;

	commit->failed = commit->nr_ops;
	commit->nr_failed = 0;
	commit->occupant = 0;
	if (commit->reserved)
		return -EINVAL;
	if (commit->flags & ~MREGION_COMMIT_DRY_RUN)
		return -EOPNOTSUPP;
	if (commit->nr_ops > MREGION_MAX_OPS)
		return -EMSGSIZE;
	/* one page is what copy_struct_from_user()'s other users take */
	if (commit->op_size < MREGION_OP_FIRST_SIZE ||
	    commit->op_size > PAGE_SIZE)
		return commit->op_size > PAGE_SIZE ? -E2BIG : -EINVAL;

	/* each thread that waits for the lock has operations */
	bytes = commit->nr_ops * (sizeof(*ops) + sizeof(*results) +
				  sizeof(struct mregion_undo));
	ret = mregion_budget_charge_copy(machine->budget, bytes);
	if (ret)
		return ret;
	if (commit->nr_ops > 1)
		ops = kvmalloc_array(commit->nr_ops, sizeof(*ops),
				     GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!ops)
		goto out;
	ret = mregion_copy_ops(commit, ops) ?:
	      mregion_prepare_results(commit, &results);
	if (ret)
		goto out;
	ret = mregion_retire_throttle(machine);
	if (ret)
		goto out;
	if (mutex_lock_killable(&machine->lock)) {
		ret = -EINTR;
		goto out;
	}
	ret = mregion_commit(machine, ops, commit, results);
	if (ret == -ENOBUFS && mregion_retire_drain(machine)) {
		if (results)
			memset(results, 0, commit->nr_ops * sizeof(*results));
		commit->nr_failed = 0;
		ret = mregion_commit(machine, ops, commit, results);
	}
	mutex_unlock(&machine->lock);
	ret = mregion_tell_results(commit, results, ret);
out:
	kvfree(results);
	if (ops != &one)
		kvfree(ops);
	mregion_budget_uncharge_copy(machine->budget, bytes);
	return ret;
}

static int mregion_do_commit(struct mregion_machine *machine,
			     union mregion_args *args)
{
	int ret = mregion_commit_user(machine, &args->commit);

	trace_mregion_commit(machine, &args->commit, ret);
	return ret;
}

static int mregion_do_translate(struct mregion_machine *machine,
				union mregion_args *args)
{
	struct mregion_translate *translate = &args->translate;
	const struct mregion_view *view;
	int ret = -ENOENT;

	rcu_read_lock();
	view = mregion_machine_find_view(machine, translate->space);
	if (view)
		ret = mregion_dump_translate(view, translate);
	rcu_read_unlock();
	return ret;
}

/*
 * Whether a server has an access of a vCPU already. Rules must not be tried
 * again for it, nor another server that the region has by now. Does without the
 * machine's lock, which a commit can hold for long.
 */
static bool mregion_take_up(struct mregion_machine *machine,
			    struct mregion_request *request)
{
	struct mregion_server *server;
	unsigned long id;
	bool found = false;

	if (request->vcpu == MREGION_NO_VCPU)
		return false;
	rcu_read_lock();
	xa_for_each(&machine->servers, id, server) {
		found = mregion_server_take_up(server, request);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

/* A server has been waited for; @ret is what became of that. */
static int mregion_served(struct mregion_request *request, int ret,
			  struct mregion_access *access)
{
	/* detached since? then nobody comes for it, nor forgets it once more */
	if (ret == -EINTR && request->owner &&
	    !mregion_attachment_is_there(request->machine, request->owner))
		mregion_server_forget(request->server, request->owner);
	mregion_server_put(request->server);
	access->outcome = MREGION_OUTCOME_SERVED;
	if (ret == -ENODEV) {
		mregion_access_left(request);
		access->outcome = MREGION_OUTCOME_SERVER_EXIT;
		return 0;
	}
	access->handled = !ret;
	return ret;
}

static int mregion_do_access(struct mregion_machine *machine,
			     union mregion_args *args)
{
	struct mregion_access *access = &args->access;
	struct mregion_request request = {
		.addr = access->addr,
		.space = access->space,
		.machine = machine,
		.vcpu = access->vcpu,
		.len = access->len,
		.write = access->flags & MREGION_ACCESS_WRITE,
	};
	bool part = access->flags & MREGION_ACCESS_PART;
	enum mregion_verdict verdict = MREGION_EXIT;
	enum mregion_outcome outcome;
	const struct mregion_view *view;
	int ret = 0;

	if (access->flags & ~(MREGION_ACCESS_WRITE | MREGION_ACCESS_PART))
		return -EOPNOTSUPP;
	if (!access->len || access->len > 8 || access->reserved ||
	    access->reserved2 ||
	    (access->vcpu == MREGION_NO_VCPU && access->vm_fd))
		return -EINVAL;
	if (access->vcpu != MREGION_NO_VCPU)
		ret = mregion_attachment_owner(machine, access->vm_fd,
					       &request.owner);
	if (ret)
		return ret;
	if (request.write)
		request.data = access->data & (~0ull >> (64 - access->len * 8));
	/* whoever calls again passes what was set before */
	access->handled = 0;
	access->range_flags = 0;

	if (mregion_take_up(machine, &request)) {
		ret = mregion_server_resume(request.server, &request);
		ret = mregion_served(&request, ret, access);
		goto out;
	}

	/* as vCPUs do, see mregion_bus_lock() */
	preempt_disable();
	view = mregion_machine_find_view(machine, access->space);
	if (!view)
		ret = -ENOENT;
	else if (access->addr > view->last ||
		 view->last - access->addr < access->len - 1)
		ret = -EINVAL;
	else if (part)
		verdict = mregion_access_part(view, &request,
					      &access->range_flags, &outcome);
	else
		verdict = mregion_access(view, &request, &outcome);
	preempt_enable();
	if (ret)
		return ret;
	access->outcome = outcome;
	access->handled = verdict == MREGION_DONE;
	if (verdict == MREGION_SERVE) {
		ret = mregion_server_call_wait(request.server, &request);
		ret = mregion_served(&request, ret, access);
	}
out:
	access->part = request.len;
	access->region = part ? request.region : 0;
	access->offset = part ? request.offset : 0;
	if (access->handled && !request.write)
		access->data = request.data;
	return ret;
}

static int mregion_do_view(struct mregion_machine *machine,
			   union mregion_args *args)
{
	return mregion_dump_view(machine, &args->view);
}

static int mregion_do_changes(struct mregion_machine *machine,
			      union mregion_args *args)
{
	return mregion_dump_changes(machine, &args->changes);
}

static int mregion_do_regions(struct mregion_machine *machine,
			      union mregion_args *args)
{
	return mregion_dump_regions(machine, &args->regions);
}

static int mregion_do_spaces(struct mregion_machine *machine,
			     union mregion_args *args)
{
	return mregion_dump_spaces(machine, &args->spaces);
}

static int mregion_do_claims(struct mregion_machine *machine,
			     union mregion_args *args)
{
	return mregion_dump_claims(machine, &args->claims);
}

static int mregion_do_ring_create(struct mregion_machine *machine,
				  union mregion_args *args)
{
	return mregion_ring_create(machine, &args->ring_create);
}

static int mregion_do_ring_free(struct mregion_machine *machine,
				union mregion_args *args)
{
	struct mregion_ring *ring;

	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	ring = mregion_ring_remove(machine, args->ring_free.id);
	mutex_unlock(&machine->lock);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	/* vCPUs that have an older view may be appending still */
	synchronize_rcu();
	mregion_ring_put(ring);
	return 0;
}

static int mregion_do_shadow_create(struct mregion_machine *machine,
				    union mregion_args *args)
{
	return mregion_shadow_create(machine, &args->shadow_create);
}

static int mregion_do_shadow_free(struct mregion_machine *machine,
				  union mregion_args *args)
{
	return mregion_shadow_free(machine, args->shadow_free.id);
}

static int mregion_do_server_create(struct mregion_machine *machine,
				    union mregion_args *args)
{
	return mregion_server_create(machine, &args->server_create);
}

static int mregion_do_server_free(struct mregion_machine *machine,
				  union mregion_args *args)
{
	return mregion_server_free(machine, args->server_free.id);
}

static int mregion_do_view_open(struct mregion_machine *machine,
				union mregion_args *args)
{
	return mregion_view_open(machine, &args->view_open);
}

static int mregion_do_attach(struct mregion_machine *machine,
			     union mregion_args *args)
{
	int ret = mregion_attach(machine, &args->attach);

	trace_mregion_attach(machine, &args->attach, ret);
	return ret;
}

static int mregion_do_detach(struct mregion_machine *machine,
			     union mregion_args *args)
{
	return mregion_detach(machine, args->detach.vm_fd);
}

static int mregion_do_stats(struct mregion_machine *machine,
			    union mregion_args *args)
{
	return mregion_machine_stats(machine, &args->stats);
}

enum mregion_ioctl_flags {
	MREGION_IOCTL_LOCKED	= 1 << 0,	/* takes the machine's lock */
	MREGION_IOCTL_RESULT	= 1 << 1,	/* tells userspace something */
	MREGION_IOCTL_CHANGE	= 1 << 2,	/* cannot be undone when done */
};

/**
 * struct mregion_ioctl_entry - an ioctl
 * @cmd: its number
 * @flags: enum mregion_ioctl_flags
 * @size: of its argument as of this kernel
 * @first_size: of its argument in the first version
 * @fn: does it; results are copied back on an error, too
 */
struct mregion_ioctl_entry {
	unsigned int cmd;
	u32 flags;
	u32 size;
	u32 first_size;
	int (*fn)(struct mregion_machine *machine, union mregion_args *args);
};

#define MREGION_ENTRY(_cmd, _struct, _last, _flags, _fn)		\
	[_IOC_NR(_cmd)] = {						\
		.cmd = _cmd,						\
		.flags = _flags,					\
		.size = sizeof(struct _struct),				\
		.first_size = offsetofend(struct _struct, _last),	\
		.fn = _fn,						\
	}

#define LOCKED MREGION_IOCTL_LOCKED
#define RESULT MREGION_IOCTL_RESULT
#define CHANGE MREGION_IOCTL_CHANGE

static const struct mregion_ioctl_entry mregion_ioctls[] = {
	MREGION_ENTRY(MREGION_INFO, mregion_info, max_memory, RESULT,
		      mregion_do_info),
	MREGION_ENTRY(MREGION_COMMIT, mregion_commit, generation,
		      RESULT | CHANGE, mregion_do_commit),
	MREGION_ENTRY(MREGION_VIEW_READ, mregion_view_read, unassigned, RESULT,
		      mregion_do_view),
	MREGION_ENTRY(MREGION_REGIONS, mregion_regions, generation, RESULT,
		      mregion_do_regions),
	MREGION_ENTRY(MREGION_SPACES, mregion_spaces, generation, RESULT,
		      mregion_do_spaces),
	MREGION_ENTRY(MREGION_TRANSLATE, mregion_translate, generation, RESULT,
		      mregion_do_translate),
	MREGION_ENTRY(MREGION_ACCESS, mregion_access, reserved2, RESULT,
		      mregion_do_access),
	MREGION_ENTRY(MREGION_RING_CREATE, mregion_ring_create, fd,
		      LOCKED | RESULT | CHANGE, mregion_do_ring_create),
	MREGION_ENTRY(MREGION_RING_FREE, mregion_ring_free, id, 0,
		      mregion_do_ring_free),
	MREGION_ENTRY(MREGION_ATTACH, mregion_attach, smm,
		      LOCKED | RESULT | CHANGE, mregion_do_attach),
	MREGION_ENTRY(MREGION_DETACH, mregion_detach, vm_fd, LOCKED,
		      mregion_do_detach),
	MREGION_ENTRY(MREGION_STATS, mregion_stats, memory, LOCKED | RESULT,
		      mregion_do_stats),
	MREGION_ENTRY(MREGION_SHADOW_CREATE, mregion_shadow_create, fd,
		      LOCKED | RESULT | CHANGE, mregion_do_shadow_create),
	MREGION_ENTRY(MREGION_SHADOW_FREE, mregion_shadow_free, id, LOCKED,
		      mregion_do_shadow_free),
	MREGION_ENTRY(MREGION_SERVER_CREATE, mregion_server_create, reserved,
		      LOCKED | RESULT | CHANGE, mregion_do_server_create),
	MREGION_ENTRY(MREGION_SERVER_FREE, mregion_server_free, id, LOCKED,
		      mregion_do_server_free),
	MREGION_ENTRY(MREGION_CHANGES, mregion_changes_read, unassigned, RESULT,
		      mregion_do_changes),
	MREGION_ENTRY(MREGION_CLAIMS, mregion_claims_read, generation, RESULT,
		      mregion_do_claims),
	MREGION_ENTRY(MREGION_VIEW_OPEN, mregion_view_open, reserved,
		      LOCKED | RESULT | CHANGE, mregion_do_view_open),
};

static int mregion_call(struct mregion_machine *machine,
			const struct mregion_ioctl_entry *entry,
			union mregion_args *args)
{
	int ret;

	if (!(entry->flags & LOCKED))
		return entry->fn(machine, args);
	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	ret = entry->fn(machine, args);
	if (ret == -ENOBUFS && mregion_retire_drain(machine))
		ret = entry->fn(machine, args);
	mutex_unlock(&machine->lock);
	return ret;
}

/**
 * mregion_ioctl() - an ioctl on /dev/mregion
 * @file: a machine
 * @cmd: which
 * @arg: pointer to its argument
 *
 * Return: 0 or a negative errno, see the conventions in <linux/mregion.h>.
 */
long mregion_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mregion_machine *machine = file->private_data;
	const struct mregion_ioctl_entry *entry;
	void __user *user = (void __user *)arg;
	unsigned int nr = _IOC_NR(cmd);
	union mregion_args args = {};
	u32 size;
	int ret;

	if (nr >= ARRAY_SIZE(mregion_ioctls))
		return -ENOTTY;
	entry = &mregion_ioctls[array_index_nospec(nr,
						   ARRAY_SIZE(mregion_ioctls))];
	if (entry->cmd != cmd)
		return -ENOTTY;

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < entry->first_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&args, entry->size, user, size);
	if (ret)
		return ret;
	args.size = size;
	if (!(entry->flags & RESULT))
		return mregion_call(machine, entry, &args);

	/* what cannot be told is not done: find out before, not after */
	size = min(size, entry->size);
	if (copy_to_user(user, &args, size))
		return -EFAULT;
	ret = mregion_call(machine, entry, &args);
	/* nor does what has been done become an error by not being told */
	if (copy_to_user(user, &args, size) && !(entry->flags & CHANGE))
		return -EFAULT;
	return ret;
}
