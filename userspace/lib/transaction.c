// SPDX-License-Identifier: MIT
/*
 * Transactions: changes that are collected until they are committed together. Which
 * machine they are of, and how they are committed, is not known here; see commit.c.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/mregion.h>

#include "error.h"
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

void mregion_transaction_begin(struct mregion_transaction *transaction)
{
	pthread_mutex_lock(&transaction->lock);
	if (!transaction->depth++)
		link_open(transaction);
}

void mregion_transaction_end(struct mregion_transaction *transaction)
{
	if (!--transaction->depth)
		unlink_open(transaction);
	pthread_mutex_unlock(&transaction->lock);
}

bool mregion_transaction_resume(struct mregion_transaction *transaction)
{
	pthread_mutex_lock(&transaction->lock);
	if (transaction->depth)
		return true;
	pthread_mutex_unlock(&transaction->lock);
	return false;
}

int mregion_transaction_doomed(const struct mregion_transaction *transaction)
{
	if (!transaction->error)
		return 0;
	return mregion_error_restore(-transaction->error,
				     transaction->error_text);
}

void mregion_transaction_doom(struct mregion_transaction *transaction, int err)
{
	if (transaction->error)
		return;
	transaction->error = err;
	mregion_error_save(transaction->error_text);
}

void mregion_transaction_refuse(struct mregion_transaction *transaction, int err)
{
	if (!transaction->may_fail) {
		mregion_transaction_doom(transaction, err);
		return;
	}
	transaction->may_fail = false;
	if (transaction->result)
		*transaction->result = err;
}

/* The locks of those that are open are this thread's. */
int mregion_refuse_null(const char *what)
{
	struct mregion_transaction *transaction;
	int ret = mregion_fail_why(EINVAL, "%s: a handle is NULL", what);

	for (transaction = open_transactions; transaction;
	     transaction = transaction->outer)
		mregion_transaction_refuse(transaction, ret);
	return ret;
}

void mregion_transaction_no_change(const struct mregion_transaction *transaction)
{
	struct mregion_transaction *open;

	for (open = open_transactions; open; open = open->outer)
		if (!transaction || open == transaction)
			open->may_fail = false;
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

int mregion_transaction_collect(struct mregion_transaction *transaction,
				const struct mregion_op *op,
				mregion_settle_t *settle, void *object)
{
	size_t i;
	int ret = make_room(transaction);

	if (ret)
		return ret;
	i = transaction->nr++;
	transaction->ops[i] = *op;
	transaction->errnos[i] = 0;
	transaction->pending[i] = (struct mregion_pending){
		.settle = settle,
		.object = object,
	};
	if (!transaction->may_fail)
		return 0;
	transaction->ops[i].code |= MREGION_OP_MAY_FAIL;
	transaction->pending[i].result = transaction->result;
	transaction->nr_may_fail++;
	transaction->may_fail = false;
	return 0;
}

void mregion_transaction_tell(const struct mregion_transaction *transaction,
			      int ret)
{
	size_t i;

	for (i = 0; i < transaction->nr && transaction->nr_may_fail; i++)
		if (transaction->pending[i].result)
			*transaction->pending[i].result =
				transaction->errnos[i] ?: ret;
}

void mregion_transaction_settle(struct mregion_transaction *transaction, int ret)
{
	const struct mregion_pending *pending;
	size_t i, k, nr = transaction->nr;

	mregion_transaction_tell(transaction, ret);
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
	mregion_transaction_settle(transaction, -ECANCELED);
	if (!mregion_transaction_inside(transaction))
		return;
	unlink_open(transaction);
	for (; transaction->depth; transaction->depth--)
		pthread_mutex_unlock(&transaction->lock);
}
