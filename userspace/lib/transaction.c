// SPDX-License-Identifier: MIT
/* Changes of a machine, collected until they are committed together. */
#include <errno.h>
#include <stdlib.h>

#include "describe.h"
#include "error.h"
#include "follow.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "transaction.h"

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
	free(transaction->pending);
	free(transaction->errnos);
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
	new = realloc(transaction->pending,
		      room * sizeof(*transaction->pending));
	if (!new)
		return -ENOMEM;
	transaction->pending = new;
	new = realloc(transaction->errnos, room * sizeof(*transaction->errnos));
	if (!new)
		return -ENOMEM;
	transaction->errnos = new;
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

/* A change is not possible, nor anything that is collected with it. */
static void doom(struct mregion_transaction *transaction, int err)
{
	if (transaction->error)
		return;
	transaction->error = err;
	mregion_error_save(transaction->error_text);
}

/* Say to those who want to know what has become, or would, of their changes. */
static void tell_results(const struct mregion_transaction *transaction, int ret)
{
	size_t i;

	for (i = 0; i < transaction->nr && transaction->nr_may_fail; i++)
		if (transaction->pending[i].result)
			*transaction->pending[i].result =
				transaction->errnos[i] ?: ret;
}

/* @ret: what has become of all of it, 0 or a negative errno. */
static void settle_all(struct mregion_transaction *transaction, int ret)
{
	const struct mregion_pending *pending;
	size_t i, k, nr = transaction->nr;

	tell_results(transaction, ret);
	for (k = 0; k < nr; k++) {
		i = ret ? nr - 1 - k : k;
		pending = &transaction->pending[i];
		if (pending->settle)
			pending->settle(pending->object, &transaction->ops[i],
					!ret && !transaction->errnos[i]);
	}
	transaction->nr = 0;
	transaction->nr_may_fail = 0;
	transaction->may_fail = false;
	transaction->error = 0;
}

void mregion_transaction_drop(struct mregion_transaction *transaction)
{
	settle_all(transaction, -ECANCELED);
	if (!mregion_transaction_inside(transaction))
		return;
	unlink_open(transaction);
	for (; transaction->depth; transaction->depth--)
		pthread_mutex_unlock(&transaction->lock);
}

/*
 * Have the kernel carry out what was collected, or say whether it would. Not only
 * if that fails, but also if some of it alone does, mregion_error() says why.
 */
static int ask_kernel(struct mregion_machine *machine,
		      struct mregion_commit *commit)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret = doomed(transaction);

	if (ret || !transaction->nr)
		return ret;
	if (transaction->nr_may_fail)
		commit->results = (uintptr_t)transaction->errnos;
	ret = mregion_kernel_commit(machine->fd, transaction->ops,
				    transaction->nr, commit);
	if (ret || commit->nr_failed)
		mregion_describe_failure(machine, commit, -ret);
	return ret;
}

/*
 * From before the kernel can have published a view until the copy of it is in
 * place, accesses are resolved by the kernel: see mregion_resolve_access().
 */
static int commit_now(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;
	struct mregion_commit commit = { 0 };
	char failed_alone[MREGION_ERROR_SIZE];
	int ret;

	atomic_fetch_add(&machine->committing, 1);
	atomic_fetch_add(&machine->commits, 1);
	ret = ask_kernel(machine, &commit);
	if (commit.nr_failed)
		mregion_error_save(failed_alone);
	settle_all(transaction, ret);
	if (!ret)
		mregion_follow_views(machine);
	atomic_fetch_add(&machine->commits, 1);
	atomic_fetch_sub(&machine->committing, 1);
	/* The machine has changed, whatever becomes of the slots. */
	if (!ret) {
		mregion_follow_slots(machine);
		if (commit.nr_failed)
			mregion_error_restore(errno, failed_alone);
	}
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
	struct mregion_commit commit = { .flags = MREGION_COMMIT_DRY_RUN };
	int ret;

	if (!resume(machine))
		return mregion_fail_why(EINVAL, "dry run: there was no begin");
	ret = ask_kernel(machine, &commit);
	tell_results(&machine->transaction, ret);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}

static void forget(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;

	if (!resume(machine))
		return;
	if (transaction->depth == 1)
		settle_all(transaction, -ECANCELED);
	else
		doom(transaction, mregion_fail_why(ECANCELED,
			"commit: a transaction within it was aborted"));
	end(machine);
	pthread_mutex_unlock(&transaction->lock);
}

void mregion_abort(struct mregion_machine *machine)
{
	forget(machine);
	mregion_sections_run(&machine->sections);
}

int mregion_may_fail(struct mregion_machine *machine, int *result)
{
	struct mregion_transaction *transaction = &machine->transaction;

	if (!resume(machine))
		return mregion_fail_why(EINVAL, "may fail: there was no begin");
	transaction->may_fail = true;
	transaction->result = result;
	if (result)
		*result = 0;
	pthread_mutex_unlock(&transaction->lock);
	return 0;
}

void mregion_no_change(const struct mregion_machine *machine)
{
	struct mregion_transaction *transaction;

	for (transaction = open_transactions; transaction;
	     transaction = transaction->outer)
		if (!machine || transaction == &machine->transaction)
			transaction->may_fail = false;
}

/* A change is not possible: it fails alone if it may, or all with it. */
static void refuse(struct mregion_transaction *transaction, int err)
{
	if (!transaction->may_fail) {
		doom(transaction, err);
		return;
	}
	transaction->may_fail = false;
	if (transaction->result)
		*transaction->result = err;
}

int mregion_refuse(struct mregion_machine *machine, int err)
{
	if (resume(machine)) {
		refuse(&machine->transaction, err);
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
		refuse(transaction, ret);
	return ret;
}

static void collect(struct mregion_transaction *transaction,
		    const struct mregion_op *op, mregion_settle_t *settle,
		    void *object)
{
	size_t i = transaction->nr++;

	transaction->ops[i] = *op;
	transaction->errnos[i] = 0;
	transaction->pending[i] = (struct mregion_pending){
		.settle = settle,
		.object = object,
	};
	if (!transaction->may_fail)
		return;
	transaction->ops[i].code |= MREGION_OP_MAY_FAIL;
	transaction->pending[i].result = transaction->result;
	transaction->nr_may_fail++;
	transaction->may_fail = false;
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
	collect(transaction, op, settle, object);
	if (transaction->depth == 1)
		return commit_once(machine);
	end(machine);
	return 0;
}
