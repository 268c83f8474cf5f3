// SPDX-License-Identifier: MIT
/* Changes of a machine, collected until they are committed together. */
#include <errno.h>
#include <stdlib.h>

#include "describe.h"
#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "space.h"
#include "transaction.h"
#include "vm.h"

/* Those that this thread has open, the one begun last first. */
static __thread struct mregion_transaction *open_transactions;

static void link_open(struct mregion_transaction *transaction)
{
	transaction->outer = open_transactions;
	open_transactions = transaction;
}

static void unlink_open(struct mregion_transaction *transaction)
{
	struct mregion_transaction **link = &open_transactions;

	while (*link && *link != transaction)
		link = &(*link)->outer;
	if (*link)
		*link = transaction->outer;
}

bool mregion_transaction_inside(const struct mregion_transaction *transaction)
{
	const struct mregion_transaction *open = open_transactions;

	while (open && open != transaction)
		open = open->outer;
	return open;
}

void mregion_transaction_init(struct mregion_transaction *transaction)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&transaction->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

void mregion_transaction_destroy(struct mregion_transaction *transaction)
{
	unlink_open(transaction);
	free(transaction->ops);
	free(transaction->settle);
	free(transaction->objects);
	pthread_mutex_destroy(&transaction->lock);
}

static int make_room(struct mregion_transaction *transaction)
{
	size_t room = transaction->room ? 2 * transaction->room : 16;
	void *new;

	if (transaction->nr < transaction->room)
		return 0;
	new = realloc(transaction->ops, room * sizeof(*transaction->ops));
	if (!new)
		return -ENOMEM;
	transaction->ops = new;
	new = realloc(transaction->settle, room * sizeof(*transaction->settle));
	if (!new)
		return -ENOMEM;
	transaction->settle = new;
	new = realloc(transaction->objects,
		      room * sizeof(*transaction->objects));
	if (!new)
		return -ENOMEM;
	transaction->objects = new;
	transaction->room = room;
	return 0;
}

/* What the transaction is bound to end with, if it is; and why. */
static int doomed(const struct mregion_transaction *transaction)
{
	if (!transaction->error)
		return 0;
	return mregion_error_restore(-transaction->error,
				     transaction->error_text);
}

static void settle_all(struct mregion_transaction *transaction, bool done)
{
	size_t i, k, nr = transaction->nr;

	for (k = 0; k < nr; k++) {
		i = done ? k : nr - 1 - k;
		if (transaction->settle[i])
			transaction->settle[i](transaction->objects[i],
					       &transaction->ops[i], done);
	}
	transaction->nr = 0;
	transaction->error = 0;
}

void mregion_transaction_drop(struct mregion_transaction *transaction)
{
	settle_all(transaction, false);
	if (!mregion_transaction_inside(transaction))
		return;
	unlink_open(transaction);
	for (; transaction->depth; transaction->depth--)
		pthread_mutex_unlock(&transaction->lock);
}

/* Have the kernel carry out what was collected, or say whether it would. */
static int ask_kernel(struct mregion_machine *machine, uint32_t flags)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret = doomed(transaction);
	size_t failed;

	if (ret || !transaction->nr)
		return ret;
	ret = mregion_kernel_commit(machine->fd, transaction->ops,
				    transaction->nr, flags, &failed);
	if (ret)
		mregion_describe_failure(machine, transaction->ops,
					 transaction->nr, failed, -ret);
	return ret;
}

/*
 * From before the kernel can have published a view until the copy of it is in
 * place, accesses are resolved by the kernel: see mregion_resolve_access().
 */
static int commit_now(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;
	struct mregion_space *space;
	int ret;

	atomic_fetch_add(&machine->committing, 1);
	atomic_fetch_add(&machine->commits, 1);
	ret = ask_kernel(machine, 0);
	settle_all(transaction, !ret);
	if (!ret)
		for (space = machine->spaces; space; space = space->next)
			mregion_space_refresh(space);
	atomic_fetch_add(&machine->commits, 1);
	atomic_fetch_sub(&machine->committing, 1);
	/* The machine has changed, whatever becomes of the slots. */
	if (!ret)
		mregion_vms_update(machine);
	return ret;
}

void mregion_begin(struct mregion_machine *machine)
{
	pthread_mutex_lock(&machine->transaction.lock);
	if (!machine->transaction.depth++)
		link_open(&machine->transaction);
}

/* Undo one mregion_begin(). */
static void end(struct mregion_machine *machine)
{
	if (!--machine->transaction.depth)
		unlink_open(&machine->transaction);
	pthread_mutex_unlock(&machine->transaction.lock);
}

/* Take the lock; false if this thread has no transaction open. */
static bool resume(struct mregion_machine *machine)
{
	pthread_mutex_lock(&machine->transaction.lock);
	if (machine->transaction.depth)
		return true;
	pthread_mutex_unlock(&machine->transaction.lock);
	return false;
}

static int commit_once(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret;

	if (!resume(machine))
		return mregion_fail_why(EINVAL, "commit: there was no begin");
	if (transaction->depth == 1)
		ret = commit_now(machine);
	else
		ret = doomed(transaction);
	end(machine);
	pthread_mutex_unlock(&transaction->lock);
	return ret;
}

int mregion_commit(struct mregion_machine *machine)
{
	int ret = commit_once(machine);

	mregion_sections_run(&machine->sections);
	return ret;
}

int mregion_commit_dry_run(struct mregion_machine *machine)
{
	int ret;

	if (!resume(machine))
		return mregion_fail_why(EINVAL, "dry run: there was no begin");
	ret = ask_kernel(machine, MREGION_COMMIT_DRY_RUN);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}

static void forget(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;

	if (!resume(machine))
		return;
	if (transaction->depth == 1)
		settle_all(transaction, false);
	else
		mregion_refuse(machine, mregion_fail_why(ECANCELED,
			"commit: a transaction within it was aborted"));
	end(machine);
	pthread_mutex_unlock(&transaction->lock);
}

void mregion_abort(struct mregion_machine *machine)
{
	forget(machine);
	mregion_sections_run(&machine->sections);
}

static void doom(struct mregion_transaction *transaction, int err)
{
	if (transaction->error)
		return;
	transaction->error = err;
	mregion_error_save(transaction->error_text);
}

int mregion_refuse(struct mregion_machine *machine, int err)
{
	if (resume(machine)) {
		doom(&machine->transaction, err);
		pthread_mutex_unlock(&machine->transaction.lock);
	}
	return err;
}

/* The locks of those that are open are this thread's. */
int mregion_refuse_null(const char *what)
{
	struct mregion_transaction *transaction;
	int ret = mregion_fail_why(EINVAL, "%s: a handle is NULL", what);

	for (transaction = open_transactions; transaction;
	     transaction = transaction->outer)
		doom(transaction, ret);
	return ret;
}

int mregion_change(struct mregion_machine *machine,
		   const struct mregion_op *op, mregion_settle_t *settle,
		   void *object)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret;

	mregion_begin(machine);
	ret = make_room(transaction);
	if (ret) {
		mregion_fail(-ret, "collect a change");
		mregion_refuse(machine, ret);
		if (settle)
			settle(object, op, false);
		if (transaction->depth == 1)
			forget(machine);
		else
			commit_once(machine);
		return ret;
	}
	transaction->ops[transaction->nr] = *op;
	transaction->settle[transaction->nr] = settle;
	transaction->objects[transaction->nr] = object;
	transaction->nr++;
	if (transaction->depth == 1)
		return commit_once(machine);
	end(machine);
	return 0;
}
