// SPDX-License-Identifier: MIT
/*
 * Changes of a machine: they are collected in its transaction, and committed. What is
 * to follow a commit is told here, and nowhere else.
 */
#include <errno.h>

#include "commit.h"
#include "describe_failure.h"
#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"

/*
 * Have the kernel carry out what was collected, or say whether it would. Not only
 * if that fails, but also if some of it alone does, mregion_error() says why.
 */
static int send_to_kernel(struct mregion_machine *machine,
			  struct mregion_commit *commit)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret = mregion_transaction_doomed(transaction);

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
static int commit_all(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;
	struct mregion_commit commit = { 0 };
	char failed_alone[MREGION_ERROR_SIZE];
	int ret, slots;

	atomic_fetch_add(&machine->committing, 1);
	atomic_fetch_add(&machine->commits, 1);
	ret = send_to_kernel(machine, &commit);
	if (commit.nr_failed)
		mregion_error_save(failed_alone);
	mregion_transaction_settle(transaction, ret);
	if (!ret)
		machine->followers->views(machine);
	atomic_fetch_add(&machine->commits, 1);
	atomic_fetch_sub(&machine->committing, 1);
	/* The machine has changed, whatever becomes of the slots. */
	if (ret)
		return ret;
	slots = machine->followers->slots(machine);
	if (slots && machine->strict_slots)
		return slots;
	if (commit.nr_failed)
		mregion_error_restore(errno, failed_alone);
	return 0;
}

void mregion_begin(struct mregion_machine *machine)
{
	mregion_transaction_begin(&machine->transaction);
}

/* End one transaction; the outermost commits what was collected. */
static int end_and_commit(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret;

	if (!mregion_transaction_resume(transaction))
		return mregion_fail_why(EINVAL, "commit: there was no begin");
	if (transaction->depth == 1)
		ret = commit_all(machine);
	else
		ret = mregion_transaction_doomed(transaction);
	mregion_transaction_end(transaction);
	pthread_mutex_unlock(&transaction->lock);
	return ret;
}

int mregion_commit_inner(struct mregion_machine *machine)
{
	if (machine->transaction.depth == 1)
		return end_and_commit(machine);
	mregion_transaction_end(&machine->transaction);
	return 0;
}

int mregion_commit(struct mregion_machine *machine)
{
	int ret = end_and_commit(machine);

	mregion_sections_run(&machine->sections);
	return ret;
}

int mregion_commit_dry_run(struct mregion_machine *machine)
{
	struct mregion_commit commit = { .flags = MREGION_COMMIT_DRY_RUN };
	int ret;

	if (!mregion_transaction_resume(&machine->transaction))
		return mregion_fail_why(EINVAL, "dry run: there was no begin");
	ret = send_to_kernel(machine, &commit);
	mregion_transaction_tell(&machine->transaction, ret);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}

static void end_and_forget(struct mregion_machine *machine)
{
	struct mregion_transaction *transaction = &machine->transaction;

	if (!mregion_transaction_resume(transaction))
		return;
	if (transaction->depth == 1)
		mregion_transaction_settle(transaction, -ECANCELED);
	else
		mregion_transaction_doom(transaction, mregion_fail_why(ECANCELED,
			"commit: a transaction within it was aborted"));
	mregion_transaction_end(transaction);
	pthread_mutex_unlock(&transaction->lock);
}

void mregion_abort(struct mregion_machine *machine)
{
	end_and_forget(machine);
	mregion_sections_run(&machine->sections);
}

int mregion_may_fail(struct mregion_machine *machine, int *result)
{
	struct mregion_transaction *transaction = &machine->transaction;

	if (!mregion_transaction_resume(transaction))
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
	mregion_transaction_no_change(machine ? &machine->transaction : NULL);
}

int mregion_refuse(struct mregion_machine *machine, int err)
{
	if (mregion_transaction_resume(&machine->transaction)) {
		mregion_transaction_refuse(&machine->transaction, err);
		pthread_mutex_unlock(&machine->transaction.lock);
	}
	return err;
}

int mregion_change(struct mregion_machine *machine,
		   const struct mregion_op *op, mregion_settle_t *settle,
		   void *object)
{
	struct mregion_transaction *transaction = &machine->transaction;
	int ret;

	mregion_transaction_begin(transaction);
	ret = mregion_transaction_collect(transaction, op, settle, object);
	if (ret) {
		mregion_fail(-ret, "collect a change");
		mregion_refuse(machine, ret);
		if (settle)
			settle(object, op, false);
		if (transaction->depth == 1)
			end_and_forget(machine);
		else
			end_and_commit(machine);
		return ret;
	}
	if (transaction->depth == 1)
		return end_and_commit(machine);
	mregion_transaction_end(transaction);
	return 0;
}
